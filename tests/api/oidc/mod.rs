//! Single sign-on by OpenID Connect, over HTTP, as applications and attackers see it.
//!
//! Tests whose names begin with `oidcc_` check what the OpenID Foundation's conformance suite checks under the same names
//! (Basic OP, RP-Initiated Logout, Back-Channel Logout); `docs/conformance.md` lists them.

mod attacks;
mod basic;
mod basic_requests;
mod bindings;
mod logout;
mod programs;
mod requests;
mod stage;
mod tokens;
