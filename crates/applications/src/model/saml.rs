//! What a SAML 2.0 service provider is made of (OASIS saml-metadata-2.0-os, 2.4.4, as a model for the words).

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

use super::words;

words! {
    /// How the person is named in assertions.
    NameIdFormat {
        /// A name that is the same at each log-on and means nothing elsewhere.
        Persistent = "persistent",
        /// A new name at each log-on.
        Transient = "transient",
        /// The mail address.
        Email = "email",
        /// The login name on desktop hosts.
        Account = "account",
    }
}

words! {
    /// How a log-out message reaches the service provider.
    LogoutBinding {
        /// Through the browser, in the address.
        Redirect = "redirect",
        /// From us to the service provider, without the browser.
        Soap = "soap",
    }
}

words! {
    /// Where the value of an attribute comes from.
    AttributeSource {
        /// The person's identifier here.
        Person = "person",
        /// Name.
        Name = "name",
        /// Mail address.
        Email = "email",
        /// Login name on desktop hosts.
        Account = "account",
        /// Unit.
        Unit = "unit",
        /// The ministry's identifier here.
        Ministry = "ministry",
        /// The ministry's name in Korean.
        MinistryNameKo = "ministry_name_ko",
        /// The ministry's name in English.
        MinistryNameEn = "ministry_name_en",
        /// The ministry's digits.
        AgencyCode = "agency_code",
        /// Groups, one value each.
        Groups = "groups",
        /// Roles, one value each.
        Roles = "roles",
        /// How much the log-on proved.
        Assurance = "assurance",
    }
}

/// Where assertions are posted.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SamlEndpoint {
    /// The address.
    pub url: String,
    /// Its number in requests.
    #[serde(default)]
    pub index: u16,
}

/// Where log-out messages go.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LogoutEndpoint {
    /// The address.
    pub url: String,
    /// How.
    pub binding: LogoutBinding,
    /// Where answers go, if elsewhere.
    #[serde(default)]
    pub response_url: Option<String>,
}

/// An attribute in assertions.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct ReleasedAttribute {
    /// What the service provider calls it.
    pub name: String,
    /// Where its value comes from.
    pub source: AttributeSource,
}

/// A service provider's settings.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SamlSettings {
    /// Its entity identifier; also a column, where it is unique.
    pub entity_id: String,
    /// Where assertions may be posted; the first is the default.
    pub assertion_consumers: Vec<SamlEndpoint>,
    /// Where log-out messages go.
    #[serde(default)]
    pub logout_endpoints: Vec<LogoutEndpoint>,
    /// Its certificates that check requests, base64 DER.
    #[serde(default)]
    pub signing_certificates: Vec<String>,
    /// Its certificate to encrypt for, base64 DER.
    #[serde(default)]
    pub encryption_certificate: Option<String>,
    /// Whether assertions are encrypted.
    #[serde(default)]
    pub wants_encrypted: bool,
    /// Whether requests without a good signature are refused.
    #[serde(default)]
    pub requires_signed_requests: bool,
    /// How the person is named.
    #[serde(default = "persistent")]
    pub name_id: NameIdFormat,
    /// What it is told.
    #[serde(default)]
    pub attributes: Vec<ReleasedAttribute>,
    /// Whether the tile may begin the log-on with an assertion that nobody asked for.
    #[serde(default)]
    pub allows_unasked: bool,
    /// The relay state of such an assertion.
    #[serde(default)]
    pub relay_state: Option<String>,
}

const fn persistent() -> NameIdFormat {
    NameIdFormat::Persistent
}
