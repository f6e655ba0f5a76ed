//! What a site decides about single sign-on.

use serde::Deserialize;

/// The section `[applications]` of the configuration.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ApplicationsConfig {
    /// The portal's origin, such as `https://portal.example.go.kr`: the issuer in tokens and assertions.
    pub origin: String,
    /// The door that asks for client certificates, such as `https://cert.portal.example.go.kr`: there applications that
    /// prove themselves by certificate get their tokens (RFC 8705).
    pub certificate_door: String,
    /// PEM files of authorities to trust, besides the system's, when applications are told of log-outs.
    pub trusted_roots: Vec<std::path::PathBuf>,
}

impl Default for ApplicationsConfig {
    fn default() -> Self {
        Self {
            origin: "https://localhost:8443".to_owned(),
            certificate_door: "https://cert.localhost:8443".to_owned(),
            trusted_roots: Vec::new(),
        }
    }
}

impl ApplicationsConfig {
    /// The issuer of tokens and the entity identifier's base: the origin without a slash at its end.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.origin.trim_end_matches('/')
    }

    /// The door for certificates, if there is one.
    #[must_use]
    pub fn certificate_door(&self) -> Option<&str> {
        let door = self.certificate_door.trim_end_matches('/');
        (!door.is_empty()).then_some(door)
    }
}
