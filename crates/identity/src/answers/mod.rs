//! What the routes answer (`docs/api-design.md`).

mod tenants;

use std::collections::BTreeSet;

use naru_kernel::{
    ApprovalId, CertificateId, FactorId, Grant, LogonId, MinistryId, PersonId, Role, Timestamp,
};
use schemars::JsonSchema;
use serde::Serialize;

pub use tenants::{
    Approved, GrantRow, GroupRow, ImportEffect, MemberRow, MinistryRow, MyMinistry, NewScimToken,
    ScimTokenRow, UnitRow,
};

use crate::{
    model::{
        Alarm, AlarmId, Certificate, CertificateState, Factor, FactorKind, Logon, LogonState, Method,
        PersonState,
    },
    rules::{self, Next},
};

/// The platform, for the log-on page.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Platform {
    /// What it calls itself.
    pub name: String,
    /// Version of the program.
    pub version: &'static str,
    /// The door that asks for client certificates.
    pub certificate_door: String,
    /// Names of the accepted certificate profiles.
    pub profiles: Vec<String>,
    /// Whether this is a demonstration.
    pub demo: bool,
    /// Where browsers reach a gateway.
    pub gateway_url: String,
}

/// What to sign.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ChallengeAnswer {
    /// The exact content of the CMS message, base64.
    pub challenge: String,
    /// The last moment it is accepted.
    pub expires_at: Timestamp,
}

/// Where a log-on stands.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct LogonStep {
    /// What comes next.
    pub next: Next,
    /// Which second factors there are.
    pub factors: BTreeSet<FactorKind>,
    /// Whose log-on it is.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<StepPerson>,
}

/// Whose log-on it is, in words.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct StepPerson {
    /// Name.
    pub name: String,
    /// The ministry's name.
    pub ministry: String,
}

impl LogonStep {
    /// Nothing shown yet.
    #[must_use]
    pub const fn begin() -> Self {
        Self {
            next: Next::Certificate,
            factors: BTreeSet::new(),
            person: None,
        }
    }
}

/// A TOTP key to put into an authenticator app.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct TotpOffer {
    /// The key, base32.
    pub secret: String,
    /// The same as an address that apps read.
    pub uri: String,
}

/// A session's times.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Session {
    /// Its identifier.
    pub id: LogonId,
    /// When it ends in any case.
    pub expires_at: Timestamp,
    /// When it ends without use.
    pub idle_expires_at: Timestamp,
    /// So many seconds before that, the page asks.
    pub warn_seconds: i64,
}

/// Who is signed in.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Me {
    /// Identifier.
    pub person: PersonId,
    /// Name.
    pub name: String,
    /// Ministry.
    pub ministry: MinistryId,
    /// The ministry's name in the person's language.
    pub ministry_name: String,
    /// What they are there.
    pub roles: BTreeSet<Role>,
    /// What they are there, and where in the ministry it counts.
    pub grants: Vec<Grant>,
    /// Whether the ministry is their home.
    pub is_home: bool,
    /// How many ministries they serve; with more than one they can switch.
    pub ministries: usize,
    /// `ko` or `en`.
    pub language: String,
    /// This session.
    pub session: Session,
}

/// A list that has no pages.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct Items<T> {
    /// The rows.
    pub items: Vec<T>,
}

/// A session in a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SessionRow {
    /// Its identifier.
    pub id: LogonId,
    /// Whether it is the one that asks.
    pub current: bool,
    /// Since when.
    pub created_at: Timestamp,
    /// Used last, to 30 seconds.
    pub last_seen_at: Timestamp,
    /// From where.
    pub address: String,
    /// Browser and system.
    pub device: String,
    /// How the certificate was shown.
    pub method: Method,
    /// How far it is.
    pub state: LogonState,
}

impl SessionRow {
    pub(crate) fn new(logon: Logon, current: Option<LogonId>) -> Self {
        Self {
            id: logon.id,
            current: current == Some(logon.id),
            created_at: logon.created_at,
            last_seen_at: logon.last_seen_at,
            address: logon.address,
            device: rules::device(&logon.user_agent),
            method: logon.method,
            state: logon.state,
        }
    }
}

/// A second factor in a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct FactorRow {
    /// Its identifier.
    pub id: FactorId,
    /// What it is.
    pub kind: FactorKind,
    /// What the person calls it.
    pub name: String,
    /// Since when.
    pub created_at: Timestamp,
    /// Used last.
    pub last_used_at: Option<Timestamp>,
}

impl From<Factor> for FactorRow {
    fn from(factor: Factor) -> Self {
        Self {
            id: factor.id,
            kind: factor.kind,
            name: factor.name,
            created_at: factor.created_at,
            last_used_at: factor.last_used_at,
        }
    }
}

/// A certificate in a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct CertificateRow {
    /// Its identifier.
    pub id: CertificateId,
    /// Subject.
    pub subject: String,
    /// Issuer.
    pub issuer: String,
    /// Serial number, hexadecimal.
    pub serial: String,
    /// Last moment of validity.
    pub not_after: Timestamp,
    /// Whether it may be used here.
    pub state: CertificateState,
}

impl From<Certificate> for CertificateRow {
    fn from(certificate: Certificate) -> Self {
        Self {
            id: certificate.id,
            subject: certificate.subject,
            issuer: certificate.issuer,
            serial: certificate.serial,
            not_after: certificate.not_after,
            state: certificate.state,
        }
    }
}

/// A person in a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PersonRow {
    /// Identifier.
    pub id: PersonId,
    /// Name.
    pub name: String,
    /// Certificate subject, RFC 4514.
    pub subject_name: String,
    /// Whether they may log on.
    pub state: PersonState,
    /// What they are.
    pub roles: BTreeSet<Role>,
    /// Names from the ministry down with `/` between; empty if unknown.
    pub unit: String,
    /// Whether this ministry is their home, and not one they serve as well.
    pub is_home: bool,
    /// How many second factors.
    pub factors: i64,
    /// How many certificates.
    pub certificates: i64,
    /// When they signed in last.
    pub last_logon_at: Option<Timestamp>,
}

/// A person, whole.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct PersonDetail {
    /// Identifier.
    pub id: PersonId,
    /// Name.
    pub name: String,
    /// Certificate subject, RFC 4514.
    pub subject_name: String,
    /// Whether they may log on.
    pub state: PersonState,
    /// Until when they are locked.
    pub locked_until: Option<Timestamp>,
    /// What they are.
    pub roles: BTreeSet<Role>,
    /// What they are, where in the ministry it counts, and until when.
    pub grants: Vec<GrantRow>,
    /// Names from the ministry down with `/` between; empty if unknown.
    pub unit: String,
    /// Mail address.
    pub email: Option<String>,
    /// Whether this ministry is their home. Of a guest only what concerns this ministry is shown.
    pub is_home: bool,
    /// `ko` or `en`.
    pub language: String,
    /// POSIX login name on desktop hosts.
    pub account: String,
    /// Roles that wait for a second administrator.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub asked: Vec<ApprovalId>,
    /// Second factors.
    pub factors: Vec<FactorRow>,
    /// Certificates.
    pub certificates: Vec<CertificateRow>,
    /// Sessions that are not over.
    pub sessions: Vec<SessionRow>,
    /// When they signed in last.
    pub last_logon_at: Option<Timestamp>,
}

/// An activation code, shown once.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct ActivationCode {
    /// The code.
    pub code: String,
    /// Until when it is good.
    pub expires_at: Timestamp,
}

/// What became of a list of people.
#[derive(Clone, Debug, Default, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ImportReport {
    /// Lines with data.
    pub rows: usize,
    /// Lines that are good.
    pub valid: usize,
    /// People who were added.
    pub imported: usize,
    /// What is wrong, by line; at most 1,000.
    pub errors: Vec<ImportError>,
    /// For a list of everybody: who joins, moves and leaves.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub effect: Option<ImportEffect>,
}

/// A line that is wrong.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, JsonSchema)]
pub struct ImportError {
    /// Line of the file, from 1.
    pub line: u64,
    /// Which field; empty if the line itself is broken.
    pub field: String,
    /// What is wrong.
    pub problem: String,
}

/// An alarm in a list.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct AlarmRow {
    /// Identifier.
    pub id: AlarmId,
    /// When.
    pub at: Timestamp,
    /// What, a stable word.
    pub kind: String,
    /// About whom.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub person: Option<PersonId>,
    /// More.
    pub detail: serde_json::Value,
}

impl From<Alarm> for AlarmRow {
    fn from(alarm: Alarm) -> Self {
        Self {
            id: alarm.id,
            at: alarm.at,
            kind: alarm.kind,
            person: alarm.person,
            detail: serde_json::from_str(&alarm.detail).unwrap_or_default(),
        }
    }
}

/// An attempt to log on.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct LogOnRow {
    /// When.
    pub at: Timestamp,
    /// From which address.
    pub address: String,
    /// What the site calls the network it came from, in the person's language.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub place: Option<String>,
    /// Browser and system, as the browser says.
    pub device: String,
    /// Whether nobody knew this browser as one of the person's.
    pub is_new_device: bool,
    /// `certificate`, `tls`, `passkey`, `totp` or `activation_code`.
    pub method: String,
    /// What it proved, if it signed in.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub assurance: Option<String>,
    /// `first_factor` (a good certificate, the second factor is owed), `signed_in`, or the code of a refusal.
    pub outcome: String,
}

/// What a session proves after a factor was shown again.
#[derive(Clone, Debug, Serialize, JsonSchema)]
pub struct SteppedUp {
    /// How much.
    pub assurance: naru_kernel::access::Assurance,
    /// When: now.
    pub authenticated_at: Timestamp,
}
