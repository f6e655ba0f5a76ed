//! Domain: the two-person rule. What one administrator asks, another of the ministry agrees to or refuses.
//!
//! Domains ask in their own transaction ([`Approvals::ask_in`]); on agreement [`CarriesOut`] does it in the transaction
//! of the agreement, so that an agreement and its effect are one.

mod error;
mod http;
pub mod model;
pub mod rules;
mod service;
mod store;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use http::{ApprovalRow, ListQuery, routes};
pub use model::{Approval, Ask};
pub use service::{Approvals, CarriesOut};

/// Every SQL text of this crate.
pub fn statements() -> impl Iterator<Item = &'static str> {
    store::ALL.iter().copied()
}
