//! Requests at the token endpoint (RFC 6749 4.1.3, 6; RFC 8628 3.4; RFC 8693 2.1).

use super::{Code, Params, Refusal, error::invalid};

/// The grant type of RFC 8628.
pub const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
/// The grant type of RFC 8693.
pub const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
/// The token type of an access token (RFC 8693 3).
pub const ACCESS_TOKEN: &str = "urn:ietf:params:oauth:token-type:access_token";
/// Bytes of a code or token of ours.
const TOKEN_BYTES_MAX: usize = 512;

/// What is asked for.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum TokenRequest {
    /// A code is exchanged.
    Code {
        /// The code.
        code: String,
        /// The address it was sent to.
        redirect_uri: Option<String>,
        /// The PKCE verifier.
        verifier: Option<String>,
    },
    /// A refresh token is used.
    Refresh {
        /// The token.
        token: String,
        /// A narrower scope, if one is asked for.
        scope: Option<String>,
    },
    /// A device asks whether a person has allowed it.
    Device {
        /// Its code.
        code: String,
    },
    /// A token is narrowed to another application.
    Exchange {
        /// The token.
        token: String,
        /// The application it shall be good at.
        audience: String,
        /// The scope.
        scope: Option<String>,
    },
}

/// Reads the form.
///
/// # Errors
/// `unsupported_grant_type`, `invalid_request` and, for what cannot be ours, `invalid_grant`.
pub fn parse(form: &Params) -> Result<TokenRequest, Refusal> {
    if form.has_repeated() {
        return Err(invalid("a parameter is repeated"));
    }
    let owned = |name: &str| form.get(name).map(|value| value.map(str::to_owned));
    let token = |name: &'static str, why: &'static str| {
        let value = form.demand(name, why)?;
        if value.len() > TOKEN_BYTES_MAX {
            return Err(Refusal::new(
                Code::InvalidGrant,
                "this is no code or token of ours",
            ));
        }
        Ok(value.to_owned())
    };
    match form.demand("grant_type", "grant_type is missing")? {
        "authorization_code" => Ok(TokenRequest::Code {
            code: token("code", "code is missing")?,
            redirect_uri: owned("redirect_uri")?,
            verifier: owned("code_verifier")?,
        }),
        "refresh_token" => Ok(TokenRequest::Refresh {
            token: token("refresh_token", "refresh_token is missing")?,
            scope: owned("scope")?,
        }),
        DEVICE => Ok(TokenRequest::Device {
            code: token("device_code", "device_code is missing")?,
        }),
        EXCHANGE => {
            let kind = form.demand("subject_token_type", "subject_token_type is missing")?;
            if kind != ACCESS_TOKEN {
                return Err(invalid("subject_token_type is access_token"));
            }
            if form
                .get("requested_token_type")?
                .is_some_and(|kind| kind != ACCESS_TOKEN)
            {
                return Err(invalid("requested_token_type is access_token"));
            }
            if form.get("actor_token")?.is_some() {
                return Err(invalid("actor tokens are not supported"));
            }
            Ok(TokenRequest::Exchange {
                token: token("subject_token", "subject_token is missing")?,
                audience: token("audience", "audience is missing")?,
                scope: owned("scope")?,
            })
        }
        _ => Err(Refusal::new(
            Code::UnsupportedGrantType,
            "this grant type is not supported",
        )),
    }
}
