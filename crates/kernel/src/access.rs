//! May this person do this to that, here and now: the question the domains ask and the answer of the site's rules.

use core::{fmt, str::FromStr};
use std::collections::BTreeSet;

use serde::{Deserialize, Serialize};

use crate::{Actor, ApplicationId, MinistryId, Timestamp, Zone};

/// How much a log-on proved, weakest first.
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Assurance {
    /// Another provider vouched, without a certificate here.
    Upstream,
    /// A certificate alone: the first step of a log-on, opens nothing.
    Certificate,
    /// A certificate and a one-time code (RFC 6238).
    CertificateTotp,
    /// A certificate and a passkey (`WebAuthn`).
    CertificatePasskey,
}

/// A text that names no assurance.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("an assurance is upstream, certificate, certificate_totp or certificate_passkey")]
pub struct UnknownAssurance;

impl Assurance {
    /// All, weakest first.
    pub const ALL: [Self; 4] = [
        Self::Upstream,
        Self::Certificate,
        Self::CertificateTotp,
        Self::CertificatePasskey,
    ];

    /// Its word in tables, rules and messages.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Upstream => "upstream",
            Self::Certificate => "certificate",
            Self::CertificateTotp => "certificate_totp",
            Self::CertificatePasskey => "certificate_passkey",
        }
    }

    /// Its name in tokens, the `acr` claim (OpenID Connect Core 1.0, 2).
    #[must_use]
    pub const fn acr(self) -> &'static str {
        match self {
            Self::Upstream => "urn:naru:assurance:upstream",
            Self::Certificate => "urn:naru:assurance:certificate",
            Self::CertificateTotp => "urn:naru:assurance:certificate-totp",
            Self::CertificatePasskey => "urn:naru:assurance:certificate-passkey",
        }
    }

    /// The assurance an `acr` value names.
    #[must_use]
    pub fn of_acr(acr: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|assurance| assurance.acr() == acr)
    }

    /// A number for rules that compare: 1 is the weakest.
    #[must_use]
    pub const fn level(self) -> i64 {
        match self {
            Self::Upstream => 1,
            Self::Certificate => 2,
            Self::CertificateTotp => 3,
            Self::CertificatePasskey => 4,
        }
    }
}

impl fmt::Display for Assurance {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

impl FromStr for Assurance {
    type Err = UnknownAssurance;

    fn from_str(text: &str) -> Result<Self, UnknownAssurance> {
        Self::ALL
            .into_iter()
            .find(|assurance| assurance.as_str() == text)
            .ok_or(UnknownAssurance)
    }
}

/// What is to be opened.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Resource {
    /// An application, of a ministry that may be another than the person's.
    Application {
        /// Which.
        id: ApplicationId,
        /// Whose.
        ministry: MinistryId,
        /// How secret what it holds is.
        label: Label,
    },
    /// A desktop in a zone.
    Desktop {
        /// Which zone.
        zone: Zone,
        /// How secret what it holds is.
        label: Label,
    },
}

/// How secret information is (National Network Security Framework).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum Label {
    /// Open.
    O,
    /// Sensitive.
    S,
    /// Classified.
    C,
}

impl Label {
    /// Its letter.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::O => "O",
            Self::S => "S",
            Self::C => "C",
        }
    }
}

impl FromStr for Label {
    type Err = UnknownLabel;

    fn from_str(text: &str) -> Result<Self, UnknownLabel> {
        match text {
            "O" => Ok(Self::O),
            "S" => Ok(Self::S),
            "C" => Ok(Self::C),
            _ => Err(UnknownLabel),
        }
    }
}

/// A text that names no label.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("a label is C, S or O")]
pub struct UnknownLabel;

/// What is known of the device a person sits at.
#[derive(
    Clone,
    Copy,
    Debug,
    Default,
    PartialEq,
    Eq,
    PartialOrd,
    Ord,
    Hash,
    Serialize,
    Deserialize,
    schemars::JsonSchema,
)]
#[serde(rename_all = "snake_case")]
pub enum Device {
    /// Nothing.
    #[default]
    Unknown,
    /// The person used it before.
    Known,
    /// The ministry manages it (it holds a device certificate).
    Managed,
}

impl Device {
    /// Its word in rules.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Unknown => "unknown",
            Self::Known => "known",
            Self::Managed => "managed",
        }
    }
}

/// The question.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AccessQuestion {
    /// Who asks, in which session.
    pub actor: Actor,
    /// The groups they are in, by name.
    pub groups: BTreeSet<String>,
    /// Their unit: names from the ministry down, with `/` between; empty if unknown.
    pub unit: String,
    /// What the log-on proved.
    pub assurance: Assurance,
    /// What they want to open.
    pub resource: Resource,
    /// The network zone the request came by, if known.
    pub zone: Option<Zone>,
    /// What is known of the device.
    pub device: Device,
    /// Their network address; empty if unknown.
    pub address: String,
    /// When.
    pub at: Timestamp,
}

/// The answer.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum AccessDecision {
    /// Yes.
    Allowed {
        /// The rules that allowed it.
        because: Vec<String>,
    },
    /// No.
    Denied {
        /// The rules that forbade it; empty when nothing allowed it.
        because: Vec<String>,
        /// The assurance with which it would be allowed, if that is all that is missing.
        step_up: Option<Assurance>,
    },
}
