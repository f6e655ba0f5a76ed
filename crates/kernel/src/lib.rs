//! The vocabulary every other crate speaks.
//!
//! Nothing here does I/O, reads a clock or draws a random number: [`Clock`] and [`Entropy`] are
//! traits that shells implement and tests replace.
#![warn(missing_docs)]

mod actor;
mod entropy;
mod failure;
pub mod fleet;
mod id;
mod page;
mod time;
mod zone;

pub use actor::{Action, Actor, Denied, Role, Scope};
pub use entropy::Entropy;
pub use failure::Kind;
pub use id::{
    AuditKind, CertificateKind, DesktopKind, FactorKind, HostKind, Id, IdKind, LogonKind, MalformedId,
    MinistryKind, PersonKind,
};
pub use page::{Page, PageRequest};
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
