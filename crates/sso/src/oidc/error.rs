//! Errors as the standards name them.

macro_rules! codes {
    ($($(#[$doc:meta])* $variant:ident = $word:literal,)+) => {
        /// An error code of a standard.
        #[derive(Clone, Copy, Debug, PartialEq, Eq)]
        pub enum Code {
            $($(#[$doc])* $variant,)+
        }

        impl Code {
            /// Its registered word.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }
    };
}

codes! {
    /// RFC 6749 4.1.2.1, 5.2.
    InvalidRequest = "invalid_request",
    /// RFC 6749 5.2.
    InvalidClient = "invalid_client",
    /// RFC 6749 5.2.
    InvalidGrant = "invalid_grant",
    /// RFC 6749 4.1.2.1, 5.2.
    UnauthorizedClient = "unauthorized_client",
    /// RFC 6749 5.2.
    UnsupportedGrantType = "unsupported_grant_type",
    /// RFC 6749 4.1.2.1.
    UnsupportedResponseType = "unsupported_response_type",
    /// RFC 6749 4.1.2.1, 5.2.
    InvalidScope = "invalid_scope",
    /// RFC 6749 4.1.2.1.
    AccessDenied = "access_denied",
    /// RFC 6749 4.1.2.1.
    ServerError = "server_error",
    /// RFC 6749 4.1.2.1.
    TemporarilyUnavailable = "temporarily_unavailable",
    /// `OpenID` Connect Core 3.1.2.6.
    LoginRequired = "login_required",
    /// `OpenID` Connect Core 3.1.2.6.
    InteractionRequired = "interaction_required",
    /// `OpenID` Connect Core 3.1.2.6.
    ConsentRequired = "consent_required",
    /// `OpenID` Connect Core 3.1.2.6.
    AccountSelectionRequired = "account_selection_required",
    /// `OpenID` Connect Core 3.1.2.6.
    RequestNotSupported = "request_not_supported",
    /// `OpenID` Connect Core 3.1.2.6.
    RequestUriNotSupported = "request_uri_not_supported",
    /// RFC 9126 2.1, `OpenID` Connect Core 3.1.2.6.
    InvalidRequestUri = "invalid_request_uri",
    /// `OpenID` Connect Core Unmet Authentication Requirements 1.0.
    UnmetAuthenticationRequirements = "unmet_authentication_requirements",
    /// RFC 8693 2.2.2.
    InvalidTarget = "invalid_target",
    /// RFC 8628 3.5.
    AuthorizationPending = "authorization_pending",
    /// RFC 8628 3.5.
    SlowDown = "slow_down",
    /// RFC 8628 3.5.
    ExpiredToken = "expired_token",
    /// RFC 6750 3.1.
    InvalidToken = "invalid_token",
    /// RFC 6750 3.1.
    InsufficientScope = "insufficient_scope",
    /// RFC 9449 12.2.
    InvalidDpopProof = "invalid_dpop_proof",
    /// RFC 9449 8.
    UseDpopNonce = "use_dpop_nonce",
    /// RFC 7009 2.2.1.
    UnsupportedTokenType = "unsupported_token_type",
}

/// A refusal as it goes out: a code, and a sentence for whoever writes the client.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{}: {why}", code.as_str())]
pub struct Refusal {
    /// The code.
    pub code: Code,
    /// What is wrong; no secret, no quote of what was sent.
    pub why: &'static str,
}

impl Refusal {
    /// With this sentence.
    #[must_use]
    pub const fn new(code: Code, why: &'static str) -> Self {
        Self { code, why }
    }
}

/// `invalid_request` with this sentence.
pub(crate) const fn invalid(why: &'static str) -> Refusal {
    Refusal::new(Code::InvalidRequest, why)
}
