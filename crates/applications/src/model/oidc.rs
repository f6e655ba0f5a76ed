//! What an OpenID Connect client is made of (OpenID Connect Dynamic Client Registration 1.0, 2, as a model for the words).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words;

words! {
    /// How a client proves itself at the token endpoint (RFC 7591, 2; RFC 8705 for TLS).
    ClientAuthentication {
        /// It cannot keep a secret: PKCE is what protects it.
        None = "none",
        /// A secret in the `Authorization` header.
        SecretBasic = "client_secret_basic",
        /// A secret in the body.
        SecretPost = "client_secret_post",
        /// A signed assertion, checked with `jwks`.
        PrivateKeyJwt = "private_key_jwt",
        /// A TLS certificate with the subject `tls_subject`.
        Tls = "tls_client_auth",
    }
}

impl ClientAuthentication {
    /// Whether it is by a secret that was made here.
    #[must_use]
    pub const fn needs_secret(self) -> bool {
        matches!(self, Self::SecretBasic | Self::SecretPost)
    }
}

words! {
    /// By what a client may get tokens.
    GrantType {
        /// RFC 6749, 4.1.
        AuthorizationCode = "authorization_code",
        /// RFC 6749, 6.
        RefreshToken = "refresh_token",
        /// RFC 8628.
        DeviceCode = "urn:ietf:params:oauth:grant-type:device_code",
        /// RFC 8693.
        TokenExchange = "urn:ietf:params:oauth:grant-type:token-exchange",
    }
}

words! {
    /// How identity tokens are signed.
    SigningAlgorithm {
        /// ECDSA on P-256 with SHA-256.
        Es256 = "ES256",
        /// RSA with PKCS #1 v1.5 padding and SHA-256.
        Rs256 = "RS256",
    }
}

/// A client's settings. The secret's hash is no part of the JSON: it has its own column.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct OidcSettings {
    /// Where codes may be sent, compared letter by letter.
    pub redirect_uris: Vec<String>,
    /// Where a browser may go after a log-out the client asked for.
    #[serde(default)]
    pub post_logout_redirect_uris: Vec<String>,
    /// Where it hears that a log-on ended (OpenID Connect Back-Channel Logout 1.0).
    #[serde(default)]
    pub backchannel_logout_uri: Option<String>,
    /// How it proves itself.
    pub client_authentication: ClientAuthentication,
    /// SHA-256 of the secret, which is 256 random bits: no slow hash is needed.
    #[serde(skip)]
    pub secret_sha256: Option<Vec<u8>>,
    /// Its public keys (RFC 7517), for signed assertions and request objects.
    #[serde(default)]
    pub jwks: Option<serde_json::Value>,
    /// The subject of its TLS certificate, RFC 4514.
    #[serde(default)]
    pub tls_subject: Option<String>,
    /// What it may use.
    #[serde(default = "code_only")]
    pub grant_types: Vec<GrantType>,
    /// How its identity tokens are signed.
    #[serde(default = "es256")]
    pub id_token_algorithm: SigningAlgorithm,
    /// Where its tile leads (OpenID Connect Core 1.0, 4: it begins the log-on itself).
    #[serde(default)]
    pub initiate_login_uri: Option<String>,
    /// What it may ask for, `openid` besides.
    #[serde(default)]
    pub scopes: Vec<String>,
    /// Whether it must push its requests (RFC 9126).
    #[serde(default)]
    pub requires_pushed_requests: bool,
    /// Whether its tokens must be bound to a key (RFC 9449).
    #[serde(default)]
    pub requires_dpop: bool,
    /// To which other applications it may exchange tokens (RFC 8693), by client identifier.
    #[serde(default)]
    pub exchange_targets: Vec<String>,
}

fn code_only() -> Vec<GrantType> {
    vec![GrantType::AuthorizationCode]
}

const fn es256() -> SigningAlgorithm {
    SigningAlgorithm::Es256
}

impl OidcSettings {
    /// Whether it cannot keep a secret.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.client_authentication == ClientAuthentication::None
    }
}
