//! The portal over HTTP, whole: every route, every role, on the engine of this run.
#![expect(clippy::unwrap_used, clippy::panic, reason = "tests")]

mod calls;
mod closing;
mod doors;
mod headers;
mod ministries;
mod oidc;
mod origins;
mod paths;
mod record;
mod saml;
mod schema;
mod statements;
mod stolen;
mod tenants;
mod world;
