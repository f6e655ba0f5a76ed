//! Domain: hosts, gateways, desktop sessions, placement.
//!
//! Nodes enrol once and then only sync: what they report becomes rows, what should be becomes their orders
//! (`docs/fleet.md`). A person opens a desktop and gets a ticket; [`rules::place`] decides where, purely.

mod config;
mod error;
mod http;
mod model;
mod needs;
pub mod rules;
mod service;
mod store;
#[cfg(test)]
mod tests;

pub use config::{DesktopsConfig, ZoneConfig};
pub use error::Error;
pub use http::{fleet_routes, routes};
pub use model::{
    Counters, DesktopList, DesktopRow, DesktopState, EndReason, EnrolmentToken, HostList, HostRow, NodeState,
    NodeView, Offer, OpenRequest, Opening, OpeningState, RunningDesktop, Seat, TokenRequest,
};
pub use needs::{
    CertificateRefused, DecidesAccess, IssuesNodeCertificates, KeepsSessionsAlive, KnowsPeople,
    NodeCertificate, NodeCertificateRequest, Standing,
};
pub use service::{Desktops, Parts};

/// Every SQL text of this crate.
pub fn statements() -> impl Iterator<Item = &'static str> {
    store::statements()
}
