//! Domain: the site's rules, in Cedar: who may open what, from where, with how much proof, at which hour.
//!
//! [`Policies::decide`] answers one [`naru_kernel::access::AccessQuestion`] from the built-in rules, the platform's, those
//! of the ministry the person serves and those of the ministry whose application it is. There is no store of entities: each
//! question brings its own few.

mod cache;
pub mod cedar;
mod error;
mod http;
pub mod model;
mod needs;
pub mod rules;
mod service;
mod store;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use http::{Approved, ListQuery, PolicyDetail, PolicyList, PolicyRow, routes};
pub use needs::{
    Agreed, ApplicationFacts, Ask, AsksSecondPerson, EDIT, KINDS, KnowsPeople, KnowsWhatOpens, NotAsked,
    PersonFacts, TURN_OFF,
};
pub use service::{Parts, Policies, Subject, TryAnswer, TryForm};

/// Every SQL text of this crate.
pub fn statements() -> impl Iterator<Item = &'static str> {
    store::ALL.iter().copied()
}
