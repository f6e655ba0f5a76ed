//! The vocabulary every other crate speaks.
//!
//! Nothing here does I/O, reads a clock or draws a random number: [`Clock`] and [`Entropy`] are
//! traits that shells implement and tests replace.
#![warn(missing_docs)]

pub mod access;
mod actor;
mod entropy;
mod failure;
pub mod fleet;
mod id;
mod page;
mod tenant;
mod time;
mod zone;

pub use actor::{Action, Actor, Denied, Grant, Reach, Role, Scope, Within, is_unit_within};
pub use entropy::Entropy;
pub use failure::Kind;
pub use id::{
    ApplicationKind, ApprovalKind, AuditKind, CertificateKind, DesktopKind, FactorKind, GrantKind, GroupKind,
    HostKind, Id, IdKind, LogonKind, MalformedId, MinistryKind, NoticeKind, PersonKind, PolicyKind,
};
pub use page::{Page, PageRequest};
pub use tenant::Tenant;
pub use time::{Clock, Seconds, Timestamp};
pub use zone::{MalformedZone, Zone};

/// Who works: a person of a ministry.
pub type PersonId = Id<PersonKind>;
/// A ministry: the tenant on every row.
pub type MinistryId = Id<MinistryKind>;
/// A certificate bound to a person.
pub type CertificateId = Id<CertificateKind>;
/// A second factor of a person.
pub type FactorId = Id<FactorKind>;
/// A log-on session: what the browser's cookie stands for.
pub type LogonId = Id<LogonKind>;
/// A desktop session: a running desktop of a person on a host.
pub type DesktopId = Id<DesktopKind>;
/// A node of the fleet: a desktop host or a gateway.
pub type HostId = Id<HostKind>;
/// An entry of the audit record.
pub type AuditId = Id<AuditKind>;
/// An application that people of a ministry open by single sign-on.
pub type ApplicationId = Id<ApplicationKind>;
/// A group of people of a ministry.
pub type GroupId = Id<GroupKind>;
/// A role given to a person, with its scope and end.
pub type GrantId = Id<GrantKind>;
/// What one person asked and another must agree to.
pub type ApprovalId = Id<ApprovalKind>;
/// A site rule.
pub type PolicyId = Id<PolicyKind>;
/// A notice on a ministry's board.
pub type NoticeId = Id<NoticeKind>;
