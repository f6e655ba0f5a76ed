//! `cargo xtask bench NAME`: us and the peer in one run, a table, and one JSON object as the last line.

use std::process::Command;

use crate::{
    failure::{Failure, While as _},
    machine::{debian, node::Node, web},
    place, run,
    suite::Postgres,
};

const NAMES: &[&str] = &["relay", "logon", "oidc", "open", "tenants", "footprint", "record"];
const BUILD_SECONDS_MAX: u64 = 60 * 60;
const PEERS_SECONDS_MAX: u64 = 300;

/// Prepares and runs one bench; further arguments are handed on.
pub(crate) fn bench(arguments: &[String]) -> Result<(), Failure> {
    let (name, rest) = arguments
        .split_first()
        .filter(|(name, _)| NAMES.contains(&name.as_str()))
        .ok_or_else(|| Failure::new(format!("name a bench: {}", NAMES.join(", "))))?;
    debian::ensure(debian::For::Benches)?;
    let mut bench = if name == "open" {
        let node = prepare_program()?;
        debian::ensure(debian::For::Tests)?;
        let mut bench = node.command("node");
        bench.arg(place::root().join("bench/open.mjs"));
        bench
    } else {
        if name == "footprint" {
            prepare_program()?;
        }
        if name == "oidc" {
            ensure_peers(&Node::ensure()?)?;
        }
        let mut build = Command::new("cargo");
        build.args(["build", "--release", "--locked", "--package", "naru-bench"]);
        run::must("build benches", BUILD_SECONDS_MAX, &mut build)?;
        let mut bench = Command::new(place::target().join("release/naru-bench"));
        bench.arg(name).current_dir(place::root());
        bench
    };
    // Held until the bench is done.
    let server = (name == "tenants").then(Postgres::start).transpose()?;
    if let Some(server) = &server {
        bench.env("NARU_TEST_POSTGRES", server.url());
    }
    // The bench itself writes to our own output: its last line is what machines read.
    let status = bench
        .args(rest)
        .env("NARU_PROGRAM", place::program("release"))
        .status()
        .or_could_not("start the bench")?;
    if status.success() {
        Ok(())
    } else {
        Err(Failure::new(format!("bench {name} failed")))
    }
}

/// The program as people run it.
fn prepare_program() -> Result<Node, Failure> {
    let node = Node::ensure()?;
    web::ensure_build(&node)?;
    crate::up::build("release")?;
    Ok(node)
}

/// The peers that come from npm.
fn ensure_peers(node: &Node) -> Result<(), Failure> {
    let peers = place::root().join("bench/peers");
    if peers.join("node_modules/oidc-provider").exists() {
        return Ok(());
    }
    let mut install = node.command("npm");
    install.args(["ci", "--no-audit", "--no-fund"]).current_dir(peers);
    run::must("npm ci", PEERS_SECONDS_MAX, &mut install).map(drop)
}
