//! What there is: applications with their protocol, notices, a ministry's look.

mod corner;
mod oidc;
mod saml;
mod sign_on;

use core::{fmt, str::FromStr as _};

use naru_kernel::{ApplicationId, MinistryId, Timestamp, Zone, access::Label, fleet};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

pub use corner::{Look, Notice};
pub use oidc::{ClientProof, GrantType, OidcSettings, SigningAlgorithm};
pub use saml::{
    AttributeSource, LogoutBinding, LogoutEndpoint, NameIdFormat, ReleasedAttribute, SamlEndpoint,
    SamlSettings,
};

pub use sign_on::{
    DeviceState, NamedApplication, NamedScope, SsoStep, StepUpReason, TokenKind, WaitingDevice,
};

/// A word in a table that this program does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a word known here")]
pub struct UnknownWord(pub(crate) String);

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, serde::Serialize, serde::Deserialize, schemars::JsonSchema)]
        pub enum $name {
            $($(#[$variant_doc])* #[serde(rename = $word)] $variant,)+
        }

        impl $name {
            /// Its word in tables and messages.
            #[must_use]
            pub const fn as_str(self) -> &'static str {
                match self { $(Self::$variant => $word,)+ }
            }
        }

        impl core::fmt::Display for $name {
            fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
                f.write_str(self.as_str())
            }
        }

        impl core::str::FromStr for $name {
            type Err = crate::model::UnknownWord;
            fn from_str(text: &str) -> Result<Self, crate::model::UnknownWord> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err(crate::model::UnknownWord(text.to_owned())),
                }
            }
        }
    };
}
pub(crate) use words;

words! {
    /// How an application is opened.
    ApplicationSort {
        /// OpenID Connect.
        Oidc = "oidc",
        /// SAML 2.0.
        Saml = "saml",
        /// A plain address.
        Link = "link",
        /// A desktop of a zone.
        Desktop = "desktop",
    }
}

words! {
    /// To whom an application is offered.
    AudienceKind {
        /// The people of its own ministry.
        Ministry = "ministry",
        /// Everyone.
        Platform = "platform",
        /// Its own ministry and those of a list.
        Listed = "listed",
    }
}

words! {
    /// Whether an application may be opened.
    ApplicationState {
        /// May.
        Active = "active",
        /// May not, by decision of its ministry.
        Paused = "paused",
    }
}

/// A text in both languages.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Words {
    /// In Korean.
    pub ko: String,
    /// In English; empty means the Korean one.
    #[serde(default)]
    pub en: String,
}

impl Words {
    /// In a language.
    #[must_use]
    pub fn of(&self, language: &str) -> &str {
        if language == "en" && !self.en.is_empty() {
            &self.en
        } else {
            &self.ko
        }
    }
}

/// To whom an application is offered.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Audience {
    /// Which sort.
    pub kind: AudienceKind,
    /// The ministries of the list; empty for other sorts.
    pub ministries: Vec<MinistryId>,
}

/// The picture of a tile.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Icon {
    /// One of the pages' own, by name.
    Named(String),
    /// A checked PNG.
    Png(Vec<u8>),
}

/// An application of a ministry.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Application {
    /// Its identifier; its text is the OpenID Connect `client_id`.
    pub id: ApplicationId,
    /// Whose it is.
    pub ministry: MinistryId,
    /// Name.
    pub name: Words,
    /// What it is for.
    pub description: Words,
    /// The heading its tile stands under.
    pub group: Words,
    /// Place among the tiles; smaller comes first.
    pub place: i64,
    /// Its picture.
    pub icon: Icon,
    /// How secret what it holds is.
    pub label: Label,
    /// To whom it is offered. [`AudienceKind::Listed`] comes with an empty list where only the application itself was read.
    pub audience: Audience,
    /// Whether it may be opened.
    pub state: ApplicationState,
    /// How it is opened.
    pub protocol: Protocol,
    /// SHA-256 of the client's secret, which is 256 random bits: no slow hash is needed.
    pub secret_sha256: Option<Vec<u8>>,
    /// Since when.
    pub created_at: Timestamp,
    /// Changed last.
    pub changed_at: Timestamp,
}

impl Application {
    /// The OpenID Connect settings, if it is such a client.
    #[must_use]
    pub const fn oidc(&self) -> Option<&OidcSettings> {
        match &self.protocol {
            Protocol::Oidc(settings) => Some(settings),
            Protocol::Saml(_) | Protocol::Link(_) | Protocol::Desktop(_) => None,
        }
    }

    /// The SAML settings, if it is such a service provider.
    #[must_use]
    pub const fn saml(&self) -> Option<&SamlSettings> {
        match &self.protocol {
            Protocol::Saml(settings) => Some(settings),
            Protocol::Oidc(_) | Protocol::Link(_) | Protocol::Desktop(_) => None,
        }
    }
}

/// How an application is opened, with what that needs.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub enum Protocol {
    /// OpenID Connect.
    Oidc(Box<OidcSettings>),
    /// SAML 2.0.
    Saml(Box<SamlSettings>),
    /// A plain address.
    Link(LinkSettings),
    /// A desktop.
    Desktop(DesktopSettings),
}

impl Protocol {
    /// Which sort.
    #[must_use]
    pub const fn sort(&self) -> ApplicationSort {
        match self {
            Self::Oidc(_) => ApplicationSort::Oidc,
            Self::Saml(_) => ApplicationSort::Saml,
            Self::Link(_) => ApplicationSort::Link,
            Self::Desktop(_) => ApplicationSort::Desktop,
        }
    }
}

/// A plain address.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct LinkSettings {
    /// Where it is: `https://…`, or `http://` on this machine.
    pub url: String,
}

/// A desktop of a zone.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct DesktopSettings {
    /// Which zone.
    pub zone: Zone,
    /// By which protocol.
    pub protocol: fleet::Protocol,
}

/// What an application is called on the wire of OpenID Connect.
impl fmt::Display for Application {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        self.id.fmt(f)
    }
}

/// The identifier a `client_id` names; `None` for anything else, however long.
#[must_use]
pub fn application_of_client(client_id: &str) -> Option<ApplicationId> {
    ApplicationId::from_str(client_id).ok()
}
