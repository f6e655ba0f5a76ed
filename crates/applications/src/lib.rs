//! Domain: the applications a ministry's people open, and single sign-on into them.
//!
//! An application belongs to one ministry and is offered to some. What all protocols share (rows, tiles, who may open,
//! what ends when a log-on ends) stands here; OpenID Connect and SAML add their messages on top. `README.md` has words,
//! states and tables.

pub mod answers;
mod config;
mod error;
mod http;
pub mod model;
mod needs;
pub mod rules;
mod service;
mod store;
#[cfg(test)]
mod tests;

pub use config::ApplicationsConfig;
pub use error::{Error, Refusal};
pub use http::{open_to_scripts, routes};
pub use model::{Application, Protocol};
pub use needs::{DecidesAccess, KnowsPeople, LogonFacts, LogonMethod, MinistryFacts, SubjectFacts};
pub use service::{Applications, Closed, Parts};

/// Every SQL text of this crate.
pub fn statements() -> impl Iterator<Item = &'static str> {
    store::statements()
}
