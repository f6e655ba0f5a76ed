//! Domain: who people are, how they prove it, and which sessions they have.
//!
//! A log-on is a walk: certificate → (activation code → enrolment | second factor) → signed in. Nothing before
//! its end opens anything. [`Identity`] holds the use cases, [`routes`] the way to them over HTTP,
//! [`authenticate`] tells every request of the portal who calls. `README.md` has words, states and tables.

pub mod answers;
pub mod asking;
mod closing;
mod config;
mod error;
mod http;
pub mod members;
pub mod model;
pub mod rules;
mod secret;
mod service;
mod store;
#[cfg(test)]
mod tests;

pub use asking::{Agreed, Ask, AsksSecondPerson, KINDS, NotAsked};
pub use closing::{ClosesWhatIsOpen, ClosureTarget, Leaver, NothingOpen};
pub use config::IdentityConfig;
pub use error::{Error, Refusal};
pub use http::{COOKIE, DEVICE_COOKIE, authenticate, routes};
pub use service::{
    Authenticated, CurrentLogon, FirstActivation, FirstAdministrator, GrantForm, GrantQuery, GroupForm,
    GroupQuery, Identity, KnownPerson, ListStatus, LogonProof, MembersForm, MembershipForm, MinistryForm,
    MinistryMade, MinistryQuery, MoveForm, NewMinistry, Opened, PeopleQuery, PersonCard, PersonForm,
    ScimTokenForm, SwitchForm, Visitor,
};

/// Every SQL text of this crate.
pub fn statements() -> impl Iterator<Item = &'static str> {
    store::statements()
}
