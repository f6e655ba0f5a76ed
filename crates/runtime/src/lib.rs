//! What every slice and shell needs around its own work: configuration, telemetry, tasks and shutdown, TLS, guarded
//! routes, problem answers, and the node's side of the fleet.
#![warn(missing_docs)]

mod caller;
pub mod clock;
pub mod config;
mod extract;
pub mod fleet;
pub mod http_client;
pub mod openapi;
pub mod operation;
pub mod outbound;
mod problem;
mod routes;
mod tasks;
pub mod telemetry;
pub mod tls;
mod windows;

pub use caller::{Caller, Client, FirstFactor, NodeCaller, Peer, PortalOrigins, SignedIn};
pub use extract::{Json, Path, Query};
pub use problem::{Fails, Problem, reference_layer};
pub use routes::{Access, Route, RouteEntry, Routes};
pub use tasks::{Shutdown, Tasks, termination};
pub use windows::Windows;
