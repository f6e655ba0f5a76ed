//! What there is: ministries, people, certificates, factors, log-on sessions, alarms.

use naru_kernel::{
    CertificateId, FactorId, Id, IdKind, LogonId, MinistryId, PersonId, Timestamp, fleet::CloseReason,
};
use serde::{Deserialize, Serialize};

/// Kind of [`AlarmId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AlarmKind {}

impl IdKind for AlarmKind {
    const PREFIX: &'static str = "alarm";
}

/// An entry in the list of alarms.
pub type AlarmId = Id<AlarmKind>;

/// Kind of [`AttemptId`].
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub enum AttemptKind {}

impl IdKind for AttemptKind {
    const PREFIX: &'static str = "attempt";
}

/// An attempt to log on.
pub type AttemptId = Id<AttemptKind>;

macro_rules! words {
    ($(#[$doc:meta])* $name:ident { $($(#[$variant_doc:meta])* $variant:ident = $word:literal,)+ }) => {
        $(#[$doc])*
        #[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize, schemars::JsonSchema)]
        #[serde(rename_all = "snake_case")]
        pub enum $name {
            $($(#[$variant_doc])* $variant,)+
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
            type Err = $crate::model::UnknownWord;
            fn from_str(text: &str) -> Result<Self, $crate::model::UnknownWord> {
                match text {
                    $($word => Ok(Self::$variant),)+
                    _ => Err($crate::model::UnknownWord::new(text)),
                }
            }
        }
    };
}

pub(crate) use words;

/// A word in a table that this program does not know.
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("{0} is not a word known here")]
pub struct UnknownWord(String);

impl UnknownWord {
    /// For a word that was read.
    #[must_use]
    pub fn new(word: &str) -> Self {
        Self(word.to_owned())
    }
}

words! {
    /// Whether a person may log on.
    PersonState {
        /// May.
        Active = "active",
        /// May not for a while, after too many failures.
        Locked = "locked",
        /// May not.
        Revoked = "revoked",
    }
}

words! {
    /// Whether a certificate may be used here.
    CertificateState {
        /// May.
        Active = "active",
        /// May not, by decision of the ministry.
        Revoked = "revoked",
    }
}

words! {
    /// How a person proves a second time who they are.
    FactorKind {
        /// WebAuthn.
        Passkey = "passkey",
        /// Six digits of an authenticator app (RFC 6238).
        Totp = "totp",
    }
}

words! {
    /// How far a log-on session is.
    LogonState {
        /// The certificate was good; opens nothing.
        FirstFactor = "first_factor",
        /// All that is required was shown.
        SignedIn = "signed_in",
        /// Over.
        Ended = "ended",
    }
}

words! {
    /// How the certificate was shown.
    Method {
        /// A signed challenge.
        Certificate = "certificate",
        /// A TLS client certificate.
        Tls = "tls",
    }
}

words! {
    /// Why a session ended.
    EndReason {
        /// The person logged off.
        LoggedOff = "logged_off",
        /// The person ended it from another session.
        EndedByPerson = "ended_by_person",
        /// An administrator ended it.
        EndedByAdmin = "ended_by_admin",
        /// Nobody used it for too long.
        Idle = "idle",
        /// It reached its longest age.
        Expired = "expired",
        /// The person, the certificate or the factors were revoked.
        Revoked = "revoked",
        /// A replaced token was used again: someone has a copy.
        TokenReuse = "token_reuse",
        /// The token came from another browser.
        Moved = "moved",
        /// The person opened too many.
        TooMany = "too_many",
    }
}

impl EndReason {
    /// What an open desktop of the session is told.
    #[must_use]
    pub const fn close_reason(self) -> CloseReason {
        match self {
            Self::LoggedOff => CloseReason::Left,
            Self::Idle | Self::Expired => CloseReason::Idle,
            Self::EndedByPerson
            | Self::EndedByAdmin
            | Self::Revoked
            | Self::TokenReuse
            | Self::Moved
            | Self::TooMany => CloseReason::Revoked,
        }
    }
}

/// A ministry: the tenant.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Ministry {
    /// Its identifier.
    pub id: MinistryId,
    /// Name in Korean.
    pub name_ko: String,
    /// Name in English.
    pub name_en: String,
    /// Digits by which certificates name it.
    pub agency_code: String,
    /// Whether it runs the platform: its people may be operators, its auditors read every record.
    pub is_platform: bool,
}

impl Ministry {
    /// Its name in a language.
    #[must_use]
    pub fn name(&self, language: &str) -> &str {
        if language == "en" {
            &self.name_en
        } else {
            &self.name_ko
        }
    }
}

/// A person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Person {
    /// Their identifier.
    pub id: PersonId,
    /// Their home: the ministry their certificate names.
    pub ministry: MinistryId,
    /// Their name.
    pub name: String,
    /// Their certificate's subject, RFC 4514.
    pub subject_name: String,
    /// As stored; see [`crate::rules::effective_state`].
    pub state: PersonState,
    /// Until when they are locked.
    pub locked_until: Option<Timestamp>,
    /// Failures in the running window.
    pub failures: Failures,
    /// `ko` or `en`.
    pub language: String,
    /// When they signed in last.
    pub last_logon_at: Option<Timestamp>,
}

/// Failed attempts within a window that begins with the first of them.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Failures {
    /// How many.
    pub count: i64,
    /// Since when.
    pub since: Timestamp,
}

/// A certificate bound to a person.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Certificate {
    /// Its identifier here.
    pub id: CertificateId,
    /// Whose.
    pub person: PersonId,
    /// Who issued it.
    pub issuer: String,
    /// Serial number, hexadecimal.
    pub serial: String,
    /// Subject.
    pub subject: String,
    /// Last moment of validity.
    pub not_after: Timestamp,
    /// Whether it may be used here.
    pub state: CertificateState,
}

/// A second factor.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Factor {
    /// Its identifier.
    pub id: FactorId,
    /// What it is.
    pub kind: FactorKind,
    /// What the person calls it.
    pub name: String,
    /// The WebAuthn credential, as JSON.
    pub passkey: Option<String>,
    /// The sealed TOTP key.
    pub secret: Option<Vec<u8>>,
    /// The TOTP step used last.
    pub last_step: i64,
    /// Since when.
    pub created_at: Timestamp,
    /// Used last.
    pub last_used_at: Option<Timestamp>,
}

/// A log-on session.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Logon {
    /// Its identifier.
    pub id: LogonId,
    /// Whose.
    pub person: PersonId,
    /// Whose ministry.
    pub ministry: MinistryId,
    /// With which certificate.
    pub certificate: CertificateId,
    /// How the certificate was shown.
    pub method: Method,
    /// How far it is.
    pub state: LogonState,
    /// The activation code was right: a first factor may be enrolled.
    pub is_activated: bool,
    /// A passkey or enrolment under way, as JSON.
    pub ceremony: Option<String>,
    /// From where.
    pub address: String,
    /// By which browser.
    pub user_agent: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Used last, to 30 seconds.
    pub last_seen_at: Timestamp,
    /// When it ends if it is not used; never after `expires_at`.
    pub idle_expires_at: Timestamp,
    /// When it ends in any case.
    pub expires_at: Timestamp,
}

/// What an administrator should look at.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Alarm {
    /// Its identifier; sorts by time.
    pub id: AlarmId,
    /// When.
    pub at: Timestamp,
    /// What, a stable word such as `identity.locked`.
    pub kind: String,
    /// About whom.
    pub person: Option<PersonId>,
    /// More, as JSON.
    pub detail: String,
}
