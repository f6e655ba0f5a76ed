//! What we know of a service provider: from its metadata, or typed in by an administrator.

use serde::{Deserialize, Serialize};

use super::NameIdFormat;

/// A service provider.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ServiceProvider {
    /// Its name for itself, a URI.
    pub entity_id: String,
    /// Where assertions may be posted: nowhere else.
    pub answer_addresses: Vec<AnswerAddress>,
    /// Where it is told of logouts.
    #[serde(default)]
    pub logout_addresses: Vec<LogoutAddress>,
    /// Certificates it signs with, DER in base64.
    #[serde(default)]
    pub signing_certificates: Vec<String>,
    /// Certificates it can be written to with, DER in base64; the first RSA one is used.
    #[serde(default)]
    pub encryption_certificates: Vec<String>,
    /// The sorts of names it understands, the best first; empty: it did not say.
    #[serde(default)]
    pub name_id_formats: Vec<NameIdFormat>,
    /// Whether its requests are refused unless they are signed.
    #[serde(default)]
    pub signs_requests: bool,
    /// Whether it insists that the assertion itself is signed (we sign it always).
    #[serde(default)]
    pub wants_signed_assertions: bool,
}

/// An assertion consumer service by the POST binding.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct AnswerAddress {
    /// Its number.
    pub index: u16,
    /// Where.
    pub url: String,
    /// Whether it is used when a request names none.
    #[serde(default)]
    pub is_default: bool,
}

/// How a logout message reaches a service provider.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "snake_case")]
pub enum LogoutBinding {
    /// Through the browser.
    Redirect,
    /// From us to the service provider.
    Soap,
}

/// A single logout service.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogoutAddress {
    /// How.
    pub binding: LogoutBinding,
    /// Where requests go.
    pub url: String,
    /// Where answers go, if not to the same place.
    #[serde(default)]
    pub response_url: Option<String>,
}

impl ServiceProvider {
    /// Where to post when a request names no address (Metadata, 2.2.3).
    #[must_use]
    pub fn default_answer_address(&self) -> Option<&AnswerAddress> {
        self.answer_addresses
            .iter()
            .find(|address| address.is_default)
            .or_else(|| self.answer_addresses.first())
    }

    /// Where logout goes by this binding.
    #[must_use]
    pub fn logout_address(&self, binding: LogoutBinding) -> Option<&LogoutAddress> {
        self.logout_addresses
            .iter()
            .find(|address| address.binding == binding)
    }
}
