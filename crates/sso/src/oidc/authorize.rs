//! Authorization requests (`OpenID` Connect Core 3.1.2.1, RFC 6749 4.1.1).

use naru_kernel::{Seconds, access::Assurance};
use serde::{Deserialize, Serialize};

use super::{
    Code, Params, Refusal,
    claims::ClaimsRequest,
    error::invalid,
    pkce,
    redirect::ResponseMode,
    scope::{OPENID, Scopes},
};

/// Bytes of `state` and `nonce`.
const ECHO_BYTES_MAX: usize = 2 * 1024;
/// Values of `acr_values` or `ui_locales` that are looked at.
const VALUES_MAX: usize = 16;
/// Bytes of a hint.
const HINT_BYTES_MAX: usize = 16 * 1024;
/// Longer ages are no demand.
const AGE_SECONDS_MAX: i64 = 10 * 365 * 24 * 3_600;

/// What the application wants the person to be asked.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize)]
pub struct Prompt {
    /// Nothing may be shown.
    pub none: bool,
    /// A factor must be shown again.
    pub login: bool,
    /// Consent must be given again.
    pub consent: bool,
    /// The person chooses as whom to go on.
    pub select_account: bool,
}

/// A request whose client and address are known to fit.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct AuthorizationRequest {
    /// Where the answer goes.
    pub redirect_uri: String,
    /// What is asked for.
    pub scope: String,
    /// Comes back as it is.
    pub state: Option<String>,
    /// Goes into the ID token.
    pub nonce: Option<String>,
    /// How the answer travels.
    pub response_mode: ResponseMode,
    /// What is to be shown.
    pub prompt: Prompt,
    /// The longest time since a factor was shown.
    pub max_age_seconds: Option<i64>,
    /// Assurances asked for, best first; those nobody knows are left out.
    pub acr_values: Vec<Assurance>,
    /// Claims asked for by name.
    pub claims: ClaimsRequest,
    /// `ko` or `en`, if one of them is asked for.
    pub language: Option<String>,
    /// Whom the application believes to be there: a subject or an address.
    pub login_hint: Option<String>,
    /// An ID token of ours, given back; not yet believed.
    pub id_token_hint: Option<String>,
    /// PKCE challenge.
    pub code_challenge: Option<String>,
    /// The key the code will be bound to (RFC 9449 10).
    pub dpop_jkt: Option<String>,
}

/// The two parameters that must be right before anything may be sent anywhere.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Sender<'p> {
    /// Which application.
    pub client_id: &'p str,
    /// Where to; a client with one address may leave it out in pure OAuth, never in OpenID Connect.
    pub redirect_uri: &'p str,
}

impl<'p> Sender<'p> {
    /// Reads them.
    ///
    /// # Errors
    /// Goes to the person's page, never to an address.
    pub fn parse(params: &'p Params) -> Result<Self, Refusal> {
        Ok(Self {
            client_id: params.demand("client_id", "client_id is missing")?,
            redirect_uri: params.demand("redirect_uri", "redirect_uri is missing")?,
        })
    }
}

/// How and with what an error goes back, as far as the request can be read: state, and how it travels.
#[must_use]
pub fn way_back(params: &Params) -> (Option<String>, ResponseMode) {
    let state = params.get("state").ok().flatten();
    let state = state
        .filter(|state| state.len() <= ECHO_BYTES_MAX)
        .map(str::to_owned);
    let mode = match params.get("response_mode") {
        Ok(Some("form_post")) => ResponseMode::FormPost,
        Ok(_) | Err(_) => ResponseMode::Query,
    };
    (state, mode)
}

/// Reads a request whose sender is known. Request objects are refused (`OpenID` Connect Core 6.1); `request_uri` of a
/// pushed request must have been resolved before.
///
/// # Errors
/// What goes back to the application.
pub fn parse(params: &Params, redirect_uri: &str) -> Result<AuthorizationRequest, Refusal> {
    if params.has_repeated() {
        return Err(invalid("a parameter is repeated"));
    }
    if params.get("request")?.is_some() {
        return Err(Refusal::new(
            Code::RequestNotSupported,
            "request objects are not supported",
        ));
    }
    if params.get("request_uri")?.is_some() {
        return Err(Refusal::new(
            Code::RequestUriNotSupported,
            "request_uri is for pushed requests alone",
        ));
    }
    if params.get("registration")?.is_some() {
        return Err(invalid("registration is not supported"));
    }
    let response_mode = match params.get("response_mode")? {
        None | Some("query") => ResponseMode::Query,
        Some("form_post") => ResponseMode::FormPost,
        Some(_) => return Err(invalid("response_mode is query or form_post")),
    };
    if params.demand("response_type", "response_type is missing")? != "code" {
        return Err(Refusal::new(
            Code::UnsupportedResponseType,
            "response_type is code",
        ));
    }
    let scope = Scopes::parse(params.demand("scope", "scope is missing")?)?;
    if !scope.has(OPENID) {
        return Err(Refusal::new(Code::InvalidScope, "the scope must have openid"));
    }
    Ok(AuthorizationRequest {
        redirect_uri: redirect_uri.to_owned(),
        scope: scope.to_string(),
        state: bounded(params, "state", ECHO_BYTES_MAX)?,
        nonce: bounded(params, "nonce", ECHO_BYTES_MAX)?,
        response_mode,
        prompt: prompt(params)?,
        max_age_seconds: max_age(params)?,
        acr_values: words(params, "acr_values")?
            .filter_map(Assurance::of_acr)
            .collect(),
        claims: match params.get("claims")? {
            Some(claims) => ClaimsRequest::parse(claims)?,
            None => ClaimsRequest::default(),
        },
        language: words(params, "ui_locales")?.find_map(language),
        login_hint: bounded(params, "login_hint", ECHO_BYTES_MAX)?,
        id_token_hint: bounded(params, "id_token_hint", HINT_BYTES_MAX)?,
        code_challenge: pkce::challenge(params)?,
        dpop_jkt: bounded(params, "dpop_jkt", 64)?,
    })
}

fn language(tag: &str) -> Option<String> {
    let primary = tag.split('-').next().unwrap_or_default().to_ascii_lowercase();
    ["ko", "en"].contains(&primary.as_str()).then_some(primary)
}

fn bounded(params: &Params, name: &str, bytes_max: usize) -> Result<Option<String>, Refusal> {
    match params.get(name)? {
        Some(value) if value.len() > bytes_max => Err(invalid("a parameter is too long")),
        value => Ok(value.map(str::to_owned)),
    }
}

fn words<'p>(params: &'p Params, name: &str) -> Result<impl Iterator<Item = &'p str>, Refusal> {
    let value = params.get(name)?.unwrap_or_default();
    Ok(value.split(' ').filter(|word| !word.is_empty()).take(VALUES_MAX))
}

fn prompt(params: &Params) -> Result<Prompt, Refusal> {
    let mut prompt = Prompt::default();
    for word in words(params, "prompt")? {
        match word {
            "none" => prompt.none = true,
            "login" => prompt.login = true,
            "consent" => prompt.consent = true,
            "select_account" => prompt.select_account = true,
            _ => return Err(invalid("prompt is none, login, consent or select_account")),
        }
    }
    if prompt.none && (prompt.login || prompt.consent || prompt.select_account) {
        return Err(invalid("prompt=none stands alone"));
    }
    Ok(prompt)
}

fn max_age(params: &Params) -> Result<Option<i64>, Refusal> {
    let Some(text) = params.get("max_age")? else {
        return Ok(None);
    };
    let seconds: i64 = text
        .parse()
        .map_err(|_| invalid("max_age is a number of seconds"))?;
    if seconds < 0 {
        return Err(invalid("max_age is not negative"));
    }
    Ok(Some(seconds.min(AGE_SECONDS_MAX)))
}

impl AuthorizationRequest {
    /// The longest time since a factor was shown, `prompt=login` not counted.
    #[must_use]
    pub fn max_age(&self) -> Option<Seconds> {
        self.max_age_seconds.map(Seconds)
    }

    /// The scopes asked for.
    #[must_use]
    pub fn scopes(&self) -> Scopes {
        Scopes::of(self.scope.split(' ').filter(|scope| !scope.is_empty()))
    }
}
