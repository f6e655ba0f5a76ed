//! What a site decides about single sign-on.

use serde::Deserialize;

/// The section `[applications]` of the configuration.
#[derive(Clone, Debug, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct ApplicationsConfig {
    /// The portal's origin, such as `https://portal.example.go.kr`: the issuer in tokens and assertions.
    pub origin: String,
}

impl Default for ApplicationsConfig {
    fn default() -> Self {
        Self {
            origin: "https://localhost:8443".to_owned(),
        }
    }
}

impl ApplicationsConfig {
    /// The issuer of tokens and the entity identifier's base: the origin without a slash at its end.
    #[must_use]
    pub fn issuer(&self) -> &str {
        self.origin.trim_end_matches('/')
    }
}
