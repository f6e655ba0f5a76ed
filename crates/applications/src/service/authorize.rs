//! The authorization endpoint: a request comes in from anywhere, waits for the person, and is answered (OpenID Connect
//! Core 3.1.2, RFC 9126, RFC 9207).

use std::collections::BTreeMap;

use naru_runtime::Client;
use naru_sso::oidc::{
    Code, Params, Refusal as Wrong,
    authorize::{self, AuthorizationRequest, Sender},
    redirect::{self, ResponseMode},
    scope::{OPENID, Scopes},
    tokens,
};
use naru_store::{By, Outcome};

use super::{
    Applications,
    client::{Fault, Presented},
    pending::{ANSWER_LIFE, FormAnswer, OidcPending, Pending, REQUEST_LIFE, Waiting},
};
use crate::{
    Error, Refusal,
    model::{Application, ApplicationState, GrantType, OidcSettings, SsoStep},
    store,
};

/// What a pushed request is called (RFC 9126 2.2).
pub(crate) const PUSHED: &str = "urn:ietf:params:oauth:request_uri:";

/// Where a browser that came to the authorization endpoint goes.
#[derive(Clone, Debug)]
pub(crate) enum Begun {
    /// To the portal's page, with this handle.
    Page(String),
    /// Nowhere: the client or its address is wrong, and the person is told.
    Stop(Wrong),
    /// Back, with an error.
    Back(FormAnswer, ResponseMode),
}

/// What a client that pushed a request is told.
#[derive(Clone, Debug, serde::Serialize)]
pub(crate) struct PushedAnswer {
    request_uri: String,
    expires_in: i64,
}

/// An OpenID Connect client.
#[derive(Clone, Debug)]
pub(crate) struct OidcClient {
    pub(crate) application: Application,
    pub(crate) settings: OidcSettings,
}

impl OidcClient {
    /// The scopes it may ask for.
    pub(crate) fn allowed(&self) -> Scopes {
        let own = self.settings.scopes.iter().map(String::as_str);
        Scopes::of(own.chain([OPENID]))
    }

    pub(crate) fn client_id(&self) -> String {
        self.application.id.to_string()
    }
}

impl Applications {
    /// The client of this name, switched on.
    pub(crate) async fn oidc_client(&self, client_id: &str) -> Result<Option<OidcClient>, Error> {
        let found = store::applications::application_by_client_id(&self.parts.db, client_id).await?;
        Ok(found.and_then(|application| {
            let settings = application.oidc()?.clone();
            (application.state == ApplicationState::Active).then_some(OidcClient {
                application,
                settings,
            })
        }))
    }

    /// Takes a request in.
    ///
    /// # Errors
    /// When the store fails, or too many requests wait.
    pub(crate) async fn begin_authorization(&self, params: Params, client: &Client) -> Result<Begun, Error> {
        let (params, was_pushed) = match self.resolve(params).await? {
            Ok(resolved) => resolved,
            Err(wrong) => return Ok(Begun::Stop(wrong)),
        };
        let sender = match Sender::parse(&params) {
            Ok(sender) => sender,
            Err(wrong) => return Ok(Begun::Stop(wrong)),
        };
        let Some(known) = self.oidc_client(sender.client_id).await? else {
            metrics::counter!("naru_sso_refused_total", "why" => "unknown-client").increment(1);
            return Ok(Begun::Stop(Wrong::new(
                Code::InvalidClient,
                "there is no such client",
            )));
        };
        if !redirect::is_registered(
            &known.settings.redirect_uris,
            sender.redirect_uri,
            known.settings.is_public(),
        ) {
            let wrong = Wrong::new(Code::InvalidRequest, "redirect_uri is not registered");
            self.record_wrong("applications.authorize", &known.application, wrong, client)
                .await?;
            return Ok(Begun::Stop(wrong));
        }
        let checked = self
            .check_request(&known, &params, was_pushed, sender.redirect_uri)
            .await;
        match checked? {
            Ok(pending) => {
                let pending = Pending::Oidc(Box::new(pending));
                let handle = self
                    .keep_request(Some(known.application.id), &pending, REQUEST_LIFE)
                    .await?;
                Ok(Begun::Page(handle))
            }
            Err(wrong) => {
                self.record_wrong("applications.authorize", &known.application, wrong, client)
                    .await?;
                let (state, mode) = authorize::way_back(&params);
                let answer = self.error_answer(sender.redirect_uri, state, wrong);
                Ok(Begun::Back(answer, mode))
            }
        }
    }

    /// The parameters of a pushed request in the place of its name.
    async fn resolve(&self, params: Params) -> Result<Result<(Params, bool), Wrong>, Error> {
        let handle = match params.get("request_uri") {
            Ok(Some(name)) => match name.strip_prefix(PUSHED) {
                Some(handle) => handle.to_owned(),
                None => return Ok(Ok((params, false))),
            },
            Ok(None) => return Ok(Ok((params, false))),
            Err(wrong) => return Ok(Err(wrong)),
        };
        let gone = Wrong::new(Code::InvalidRequestUri, "request_uri is unknown, used or expired");
        let client_id = match params.demand("client_id", "client_id is missing") {
            Ok(client_id) => client_id.to_owned(),
            Err(wrong) => return Ok(Err(wrong)),
        };
        match self.take_request(&handle).await {
            Ok(Waiting {
                application: Some(application),
                pending: Pending::Pushed { params },
                ..
            }) if application.id.to_string() == client_id => Ok(Ok((Params::of(params), true))),
            Ok(_) | Err(Error::Refused(Refusal::NoSuchRequest)) => Ok(Err(gone)),
            Err(error) => Err(error),
        }
    }

    /// Reads the request of a known client; what is wrong goes back to it.
    pub(crate) async fn check_request(
        &self,
        known: &OidcClient,
        params: &Params,
        was_pushed: bool,
        redirect_uri: &str,
    ) -> Result<Result<OidcPending, Wrong>, Error> {
        let mut request = match authorize::parse(params, redirect_uri) {
            Ok(request) => request,
            Err(wrong) => return Ok(Err(wrong)),
        };
        let settings = &known.settings;
        let wrong = if !settings.may(GrantType::AuthorizationCode) {
            Some(Wrong::new(
                Code::UnauthorizedClient,
                "this client signs nobody on in a browser",
            ))
        } else if settings.pushed_only && !was_pushed {
            Some(Wrong::new(
                Code::InvalidRequest,
                "this client pushes its requests (RFC 9126)",
            ))
        } else if request.code_challenge.is_none() && (settings.is_public() || settings.pkce_required) {
            Some(Wrong::new(Code::InvalidRequest, "PKCE with S256 is required"))
        } else {
            None
        };
        if let Some(wrong) = wrong {
            return Ok(Err(wrong));
        }
        request.scope = request.scopes().narrowed_to(&known.allowed()).to_string();
        let hinted = match &request.id_token_hint {
            None => None,
            Some(hint) => {
                let keys = self.keys().await?.published();
                let issuer = self.config().issuer();
                match tokens::read_hint(hint, issuer, Some(&known.client_id()), &keys) {
                    Ok(hint) => Some(hint.subject),
                    Err(_) => {
                        return Ok(Err(Wrong::new(
                            Code::InvalidRequest,
                            "id_token_hint was not made here",
                        )));
                    }
                }
            }
        };
        request.id_token_hint = None;
        Ok(Ok(OidcPending {
            request,
            hinted,
            agreed_in: None,
        }))
    }

    /// Takes a pushed request in (RFC 9126 2.1).
    pub(crate) async fn par(
        &self,
        presented: &Presented,
        form: &Params,
        client: &Client,
    ) -> Result<PushedAnswer, Fault> {
        let known = self.authenticate_client(presented, form, client).await?;
        match self.push_request(&known, form).await? {
            Ok(request_uri) => Ok(PushedAnswer {
                request_uri,
                expires_in: ANSWER_LIFE.0,
            }),
            Err(wrong) => {
                self.record_wrong("applications.push-request", &known.application, wrong, client)
                    .await?;
                Err(wrong.into())
            }
        }
    }

    async fn push_request(&self, known: &OidcClient, form: &Params) -> Result<Result<String, Wrong>, Error> {
        if matches!(form.get("request_uri"), Ok(Some(_)) | Err(_)) {
            return Ok(Err(Wrong::new(
                Code::InvalidRequest,
                "request_uri cannot be pushed",
            )));
        }
        let address = match form.demand("redirect_uri", "redirect_uri is missing") {
            Ok(address) => address,
            Err(wrong) => return Ok(Err(wrong)),
        };
        let settings = &known.settings;
        if !redirect::is_registered(&settings.redirect_uris, address, settings.is_public()) {
            return Ok(Err(Wrong::new(
                Code::InvalidRequest,
                "redirect_uri is not registered",
            )));
        }
        if let Err(wrong) = self.check_request(known, form, true, address).await? {
            return Ok(Err(wrong));
        }
        let mut params: BTreeMap<String, String> = form
            .pairs()
            .map(|(name, value)| (name.to_owned(), value.to_owned()))
            .collect();
        for secret in ["client_secret", "client_assertion", "client_assertion_type"] {
            params.remove(secret);
        }
        params.insert("client_id".to_owned(), known.client_id());
        let pending = Pending::Pushed { params };
        let handle = self
            .keep_request(Some(known.application.id), &pending, ANSWER_LIFE)
            .await?;
        Ok(Ok(format!("{PUSHED}{handle}")))
    }

    /// The fields of an error, with who says so (RFC 9207).
    pub(crate) fn error_answer(&self, address: &str, state: Option<String>, wrong: Wrong) -> FormAnswer {
        let mut fields = vec![
            ("error".to_owned(), wrong.code.as_str().to_owned()),
            ("error_description".to_owned(), wrong.why.to_owned()),
        ];
        fields.extend(state.map(|state| ("state".to_owned(), state)));
        fields.push(("iss".to_owned(), self.config().issuer().to_owned()));
        FormAnswer {
            address: address.to_owned(),
            fields,
        }
    }

    /// What the page does to bring an answer to the application.
    pub(crate) async fn bring(&self, answer: FormAnswer, mode: ResponseMode) -> Result<SsoStep, Error> {
        match mode {
            ResponseMode::Query => Ok(SsoStep::Go {
                url: in_query(&answer),
            }),
            ResponseMode::FormPost => {
                let handle = self
                    .keep_request(None, &Pending::Answer(answer), ANSWER_LIFE)
                    .await?;
                Ok(SsoStep::Post {
                    url: format!("/sso/answer/{handle}"),
                })
            }
        }
    }

    /// Brings an error.
    pub(crate) async fn bring_error(
        &self,
        request: &AuthorizationRequest,
        wrong: Wrong,
    ) -> Result<SsoStep, Error> {
        let answer = self.error_answer(&request.redirect_uri, request.state.clone(), wrong);
        self.bring(answer, request.response_mode).await
    }

    /// Writes a refusal of a known application to its ministry's record, up to so many in a minute: anybody can cause them.
    pub(crate) async fn record_wrong(
        &self,
        action: &'static str,
        application: &Application,
        wrong: Wrong,
        client: &Client,
    ) -> Result<(), Error> {
        metrics::counter!("naru_sso_refused_total", "why" => wrong.code.as_str()).increment(1);
        if !self.sign_on.may_record(application.id, self.now()) {
            return Ok(());
        }
        let mut act = self.act(action, By::Anyone, Some(application.ministry), &client.address);
        act.subject = application.id.to_string();
        let detail = serde_json::json!({ "why": wrong.why });
        self.parts
            .db
            .record(act, Outcome::Refused(wrong.code.as_str()), detail)
            .await?;
        Ok(())
    }
}

/// An answer in an address's query.
pub(crate) fn in_query(answer: &FormAnswer) -> String {
    let fields: Vec<(&str, &str)> = answer
        .fields
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    redirect::with_query(&answer.address, &fields)
}
