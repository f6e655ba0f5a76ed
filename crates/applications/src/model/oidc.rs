//! What a ministry decides about an `OpenID` Connect application. The client identifier is the application's id; the
//! SHA-256 of the client's secret (256 random bits) stands in its own column, never here.

use core::fmt;

use naru_kernel::access::Assurance;
use naru_sso::{
    jose::PublicKeys,
    oidc::{redirect, scope},
};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words;
use crate::rules::Wrong;

/// Addresses per list.
const ADDRESSES_MAX: usize = 16;
/// A client's own keys, as JSON text.
const KEYS_BYTES_MAX: usize = 16 * 1024;

/// How an application proves itself at the token endpoint (`OpenID` Connect Core 9, RFC 8705).
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum ClientProof {
    /// It cannot keep a secret: PKCE alone.
    None,
    /// Secret in the `Authorization` header.
    #[default]
    ClientSecretBasic,
    /// Secret in the form.
    ClientSecretPost,
    /// A signed assertion by one of `keys`.
    PrivateKeyJwt,
    /// A TLS client certificate, known by its `certificate_sha256`.
    TlsClientAuth,
}

impl ClientProof {
    /// Its registered name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::None => "none",
            Self::ClientSecretBasic => "client_secret_basic",
            Self::ClientSecretPost => "client_secret_post",
            Self::PrivateKeyJwt => "private_key_jwt",
            Self::TlsClientAuth => "tls_client_auth",
        }
    }
}

impl fmt::Display for ClientProof {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
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

impl SigningAlgorithm {
    /// As the engine names it.
    #[must_use]
    pub const fn jose(self) -> naru_sso::jose::Algorithm {
        match self {
            Self::Es256 => naru_sso::jose::Algorithm::Es256,
            Self::Rs256 => naru_sso::jose::Algorithm::Rs256,
        }
    }
}

/// The ways an application may get tokens.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum GrantType {
    /// A person signs on in the browser. Refresh tokens come with the scope `offline_access`.
    AuthorizationCode,
    /// A room system or kiosk without a keyboard (RFC 8628).
    DeviceCode,
    /// A token of another application of the same session is narrowed to this one (RFC 8693).
    TokenExchange,
}

/// Settings of an `OpenID` Connect application.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct OidcSettings {
    /// Where answers may go: compared letter by letter.
    pub redirect_uris: Vec<String>,
    /// Where the browser may go after a logout.
    pub post_logout_redirect_uris: Vec<String>,
    /// Where a sign-on from the portal's tile starts.
    pub initiate_login_uri: Option<String>,
    /// Who is told when a session ends.
    pub backchannel_logout_uri: Option<String>,
    /// How it proves itself.
    pub client_proof: ClientProof,
    /// Its public keys, a JWK set by value.
    pub keys: Option<serde_json::Value>,
    /// The subject its TLS certificate must have besides, as RFC 4514 writes it.
    pub certificate_subject: Option<String>,
    /// The certificate itself: SHA-256 of its DER in hexadecimal digits.
    pub certificate_sha256: Option<String>,
    /// Scopes it may ask for; `openid` always.
    pub scopes: Vec<String>,
    /// Which ways it may use.
    pub grant_types: Vec<GrantType>,
    /// `RS256` or `ES256`.
    pub id_token_algorithm: SigningAlgorithm,
    /// Whether authorization requests must be pushed (RFC 9126).
    pub pushed_only: bool,
    /// Whether access tokens must be bound by `DPoP` (RFC 9449).
    pub dpop_only: bool,
    /// Whether a confidential client must use PKCE too; a public one always must.
    pub pkce_required: bool,
    /// The weakest log-on that opens it.
    pub assurance: Option<Assurance>,
}

impl Default for OidcSettings {
    fn default() -> Self {
        Self {
            redirect_uris: Vec::new(),
            post_logout_redirect_uris: Vec::new(),
            initiate_login_uri: None,
            backchannel_logout_uri: None,
            client_proof: ClientProof::default(),
            keys: None,
            certificate_subject: None,
            certificate_sha256: None,
            scopes: ["openid", "profile", "email", "groups", "naru"]
                .map(str::to_owned)
                .to_vec(),
            grant_types: vec![GrantType::AuthorizationCode],
            id_token_algorithm: SigningAlgorithm::Rs256,
            pushed_only: false,
            dpop_only: false,
            pkce_required: false,
            assurance: None,
        }
    }
}

impl OidcSettings {
    /// Whether tokens may be asked for without any proof of the client.
    #[must_use]
    pub fn is_public(&self) -> bool {
        self.client_proof == ClientProof::None
    }

    /// Whether it may use this way.
    #[must_use]
    pub fn may(&self, grant: GrantType) -> bool {
        self.grant_types.contains(&grant)
    }

    /// Checks what an administrator wrote.
    ///
    /// # Errors
    /// The first field that cannot be taken.
    pub fn check(&self) -> Result<(), Wrong> {
        let wrong = |field: &'static str, why: &'static str| Err(Wrong::new(field, why));
        let lists = [
            ("redirect_uris", &self.redirect_uris),
            ("post_logout_redirect_uris", &self.post_logout_redirect_uris),
        ];
        for (field, list) in lists {
            if list.len() > ADDRESSES_MAX {
                return wrong(field, "too many addresses");
            }
            if !list.iter().all(|uri| redirect::is_acceptable(uri)) {
                return wrong(
                    field,
                    "addresses are https://, or http:// to this machine alone, without a fragment",
                );
            }
        }
        if self.may(GrantType::AuthorizationCode) && self.redirect_uris.is_empty() {
            return wrong("redirect_uris", "at least one address is needed");
        }
        let single = [
            ("initiate_login_uri", &self.initiate_login_uri),
            ("backchannel_logout_uri", &self.backchannel_logout_uri),
        ];
        for (field, uri) in single {
            if uri.as_deref().is_some_and(|uri| !redirect::is_acceptable(uri)) {
                return wrong(
                    field,
                    "addresses are https://, or http:// to this machine alone, without a fragment",
                );
            }
        }
        let is_known = |word: &String| scope::KNOWN.contains(&word.as_str());
        if self.scopes.len() > scope::KNOWN.len() || !self.scopes.iter().all(is_known) {
            return wrong("scopes", "there is no such scope");
        }
        self.check_proof()
    }

    fn check_proof(&self) -> Result<(), Wrong> {
        let wrong = |field: &'static str, why: &'static str| Err(Wrong::new(field, why));
        if let Some(keys) = &self.keys {
            let text = keys.to_string();
            if text.len() > KEYS_BYTES_MAX || PublicKeys::parse(text.as_bytes()).is_err() {
                return wrong("keys", "a JWK set of public RSA or P-256 keys is needed");
            }
        }
        match self.client_proof {
            ClientProof::PrivateKeyJwt if self.keys.is_none() => wrong("keys", "private_key_jwt needs keys"),
            ClientProof::TlsClientAuth if !self.certificate_sha256.as_deref().is_some_and(is_fingerprint) => {
                wrong(
                    "certificate_sha256",
                    "tls_client_auth needs the certificate's SHA-256 in hexadecimal digits",
                )
            }
            ClientProof::None
            | ClientProof::ClientSecretBasic
            | ClientProof::ClientSecretPost
            | ClientProof::PrivateKeyJwt
            | ClientProof::TlsClientAuth => Ok(()),
        }
    }
}

fn is_fingerprint(text: &str) -> bool {
    text.len() == 64 && text.bytes().all(|digit| digit.is_ascii_hexdigit())
}
