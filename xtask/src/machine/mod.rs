//! What the machine must have, found or installed.

pub(crate) mod debian;
pub(crate) mod node;
pub(crate) mod processes;
pub(crate) mod web;

use crate::{failure::Failure, say};

/// Whether we are root.
pub(crate) fn is_root() -> bool {
    use std::os::unix::fs::MetadataExt as _;
    std::fs::metadata("/proc/self").is_ok_and(|process| process.uid() == 0)
}

/// Says what is here and what is missing; changes nothing.
pub(crate) fn doctor() -> Result<(), Failure> {
    let missing = debian::missing(debian::For::Tests)?;
    if missing.is_empty() {
        say::line("Debian packages: all there");
    } else {
        say::line(&format!("Debian packages missing: {}", missing.join(" ")));
    }
    match node::on_path() {
        Some(version) => say::line(&format!("Node.js: {version}")),
        None => say::line("Node.js: none of at least 20.19 here; one will be put below target/"),
    }
    say::line(if is_root() {
        "root: yes, tests of other people's desktops run"
    } else {
        "root: no, tests that open other people's desktops are skipped"
    });
    Ok(())
}
