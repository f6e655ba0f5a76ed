//! Domain: reading the append-only record. Writing it is the store's: every change appends its own entry.
//!
//! An auditor reads the chain of their own ministry; an auditor of the ministry that runs the platform reads all.

mod error;
mod http;
mod model;
mod rules;
mod service;
mod store;
#[cfg(test)]
mod tests;

pub use error::Error;
pub use http::routes;
pub use model::{AuditRow, Broken, StreamVerdict, Verification};
pub use rules::{AuditQuery, Filter};
pub use service::{Audit, KnowsMinistries, KnowsNames};

/// Every SQL text of this crate.
pub fn statements() -> impl Iterator<Item = &'static str> {
    store::ALL.iter().copied()
}
