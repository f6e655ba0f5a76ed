//! `cargo xtask up`: from a fresh machine to a desktop in the browser.

use std::{os::unix::process::CommandExt as _, process::Command};

use crate::{
    failure::Failure,
    machine::{debian, node::Node, web},
    place, run, say,
};

/// A first release build on two cores takes about ten minutes.
const BUILD_SECONDS_MAX: u64 = 60 * 60;

/// Sets everything up and becomes `naru up --demo`; further arguments are handed on.
pub(crate) fn up(arguments: &[String]) -> Result<(), Failure> {
    debian::ensure(debian::For::Running)?;
    let node = Node::ensure()?;
    web::ensure_build(&node)?;
    build("release")?;
    let program = place::program("release");
    // From here on we are the program: signals reach it directly, its exit code is ours.
    let error = Command::new(&program)
        .args(["up", "--demo"])
        .args(arguments)
        .env("NARU_STATE", state())
        .exec();
    Err(Failure::new(format!(
        "could not start {}: {error}",
        program.display()
    )))
}

/// The demo keeps its state beside the code, unless told otherwise: trying it out leaves the system as it was.
fn state() -> std::ffi::OsString {
    std::env::var_os("NARU_STATE").unwrap_or_else(|| place::root().join("var/demo").into_os_string())
}

/// Builds the program; quick when nothing changed.
pub(crate) fn build(profile: &str) -> Result<(), Failure> {
    if !place::program(profile).exists() {
        say::line("· naru (the first build takes some minutes)");
    }
    let mut cargo = Command::new("cargo");
    cargo.args(["build", "--locked", "--bin", "naru"]);
    if profile == "release" {
        cargo.arg("--release");
    }
    run::must(&format!("build naru {profile}"), BUILD_SECONDS_MAX, &mut cargo).map(drop)
}
