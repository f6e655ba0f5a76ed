//! A network of its own for the run, with the same congestion control for everybody.
//!
//! A system that paces packets (BBR) interrupts whoever happens to run with its timers, and charges the time to them: the
//! figures then say how long each relay was on a core, not what it cost. With Reno nothing is paced, for none of the
//! three.

use std::{env, process::Command};

use anyhow::{Context as _, Result, ensure};

use crate::out;

/// Set in the process that runs inside.
const INSIDE: &str = "NARU_BENCH_APART";
const SYSTEM: &str = "/proc/sys/net/ipv4/tcp_congestion_control";

/// Runs this bench again inside such a network; `false` if it is to be run here: we are inside, or may not make one.
pub(super) fn run(arguments: &[&str]) -> Result<bool> {
    let control = std::fs::read_to_string(SYSTEM).unwrap_or_default();
    let control = control.trim();
    if env::var_os(INSIDE).is_some() {
        out::line(&format!("a network of its own, congestion control {control}"));
        return Ok(false);
    }
    let script = format!("ip link set lo up && echo reno > {SYSTEM} && exec \"$0\" relay \"$@\"");
    let can = Command::new("unshare").args(["--net", "true"]).status();
    if !can.is_ok_and(|status| status.success()) {
        out::line(&format!(
            "no network of its own can be made here; congestion control is the system's: {control}"
        ));
        return Ok(false);
    }
    let program = env::current_exe().context("this program has a path")?;
    let status = Command::new("unshare")
        .args(["--net", "sh", "-c", &script])
        .arg(program)
        .args(arguments)
        .env(INSIDE, "1")
        .status()
        .context("unshare could not be started")?;
    ensure!(status.success(), "the run in its own network failed");
    Ok(true)
}
