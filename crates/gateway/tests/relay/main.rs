//! The gateway between real sockets: browsers over TLS and WebSocket, hosts over mutual TLS, and a real TigerVNC.
#![expect(
    clippy::unwrap_used,
    clippy::panic,
    clippy::wildcard_enum_match_arm,
    reason = "tests"
)]

mod browser;
mod doors;
mod host;
mod rdp;
mod real_rdp;
mod real_rfb;
mod relays;
mod stage;
