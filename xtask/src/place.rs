//! Where things are in the working copy.

use std::path::{Path, PathBuf};

/// The working copy's root.
pub(crate) fn root() -> &'static Path {
    // xtask always lies one below the root.
    Path::new(env!("CARGO_MANIFEST_DIR"))
        .parent()
        .unwrap_or(Path::new("."))
}

/// Where builds go.
pub(crate) fn target() -> PathBuf {
    match std::env::var_os("CARGO_TARGET_DIR") {
        Some(directory) => root().join(directory),
        None => root().join("target"),
    }
}

/// Logs, stamps and tools of these commands.
pub(crate) fn own() -> PathBuf {
    target().join("xtask")
}

/// The program, as `cargo build` leaves it.
pub(crate) fn program(profile: &str) -> PathBuf {
    target().join(profile).join("naru")
}
