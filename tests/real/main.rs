//! The program itself: its roles as processes of their own, over real TLS, with real desktops and a real disk.
//!
//! Each test has its own directory, ports and authority. What a machine cannot do (no root, no `Xtigervnc`, no mounts)
//! is said as `skipped`, never as passed.
#![expect(clippy::unwrap_used, clippy::panic, clippy::print_stderr, reason = "tests")]

mod certificate_door;
mod fleet;
mod full_disk;
mod kill;
mod operating;
mod ports;
mod process;
mod revocation;
mod roles;
mod saml;
mod seat;
mod stage;
mod tickets;
mod wire;
