//! How a person is named to a service provider (Core, 2.2.2 and 8.3).

use serde::{Deserialize, Serialize};

use super::{
    Refusal,
    canonical::{Canonical, Space, some},
    message::TEXT_BYTES_MAX,
    xml::Element,
};

/// Which sort of name.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum NameIdFormat {
    /// The same for one person at one service provider, another at each other one.
    Persistent,
    /// Another one in every session.
    Transient,
    /// The person's e-mail address.
    EmailAddress,
    /// Whatever both sides agreed on.
    Unspecified,
}

impl NameIdFormat {
    /// All.
    pub const ALL: [Self; 4] = [
        Self::Persistent,
        Self::Transient,
        Self::EmailAddress,
        Self::Unspecified,
    ];

    /// Its URI.
    #[must_use]
    pub const fn uri(self) -> &'static str {
        match self {
            Self::Persistent => "urn:oasis:names:tc:SAML:2.0:nameid-format:persistent",
            Self::Transient => "urn:oasis:names:tc:SAML:2.0:nameid-format:transient",
            Self::EmailAddress => "urn:oasis:names:tc:SAML:1.1:nameid-format:emailAddress",
            Self::Unspecified => "urn:oasis:names:tc:SAML:1.1:nameid-format:unspecified",
        }
    }

    /// The format a URI names.
    #[must_use]
    pub fn of_uri(uri: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|format| format.uri() == uri)
    }
}

/// A name for a person.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize)]
pub struct NameId {
    /// Which sort.
    pub format: NameIdFormat,
    /// The name.
    pub value: String,
    /// The service provider it is meant for (with persistent and transient names).
    pub for_service_provider: Option<String>,
}

impl NameId {
    pub(crate) fn write(&self, out: &mut Canonical) {
        let attributes = some(&[
            ("Format", Some(self.format.uri())),
            ("SPNameQualifier", self.for_service_provider.as_deref()),
        ]);
        out.leaf(Space::Assertion, "NameID", &attributes, &self.value);
    }

    pub(crate) fn read(element: &Element) -> Result<Self, Refusal> {
        let format = match element.attribute("Format") {
            None => NameIdFormat::Unspecified,
            Some(uri) => NameIdFormat::of_uri(uri).ok_or(Refusal::Unexpected("NameID"))?,
        };
        // A text in pieces, around a comment or an element, is no name: who reads only the first piece reads another name.
        let value = element
            .text()
            .filter(|value| !value.is_empty() && value.len() <= TEXT_BYTES_MAX)
            .ok_or(Refusal::Unexpected("NameID"))?;
        Ok(Self {
            format,
            value: value.to_owned(),
            for_service_provider: element.attribute("SPNameQualifier").map(str::to_owned),
        })
    }
}
