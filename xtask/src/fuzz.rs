//! `cargo xtask fuzz`: runs the fuzz targets on the stable compiler, for a bounded time.

use std::{fs, process::Command};

use crate::{
    failure::{Failure, While as _},
    place, run, say,
};

const DEFAULT_SECONDS: u64 = 20;
/// Building a target for the first time.
const BUILD_SECONDS_MAX: u64 = 1_800;

/// One target, or all; the last argument may be a number of seconds for each.
pub(crate) fn fuzz(arguments: &[String]) -> Result<(), Failure> {
    if run::text_of(Command::new("cargo").args(["fuzz", "--version"])).is_none() {
        return Err(Failure::new(
            "cargo-fuzz is not installed: cargo install cargo-fuzz",
        ));
    }
    let seconds = arguments
        .iter()
        .find_map(|word| word.parse().ok())
        .unwrap_or(DEFAULT_SECONDS);
    let named = arguments.iter().find(|word| word.parse::<u64>().is_err());
    let targets = match named {
        Some(target) => vec![target.clone()],
        None => all()?,
    };
    for target in targets {
        let mut cargo = Command::new("cargo");
        cargo
            // libFuzzer's instrumentation is a nightly option; this lets the pinned compiler take it.
            .env("RUSTC_BOOTSTRAP", "1")
            .args([
                "fuzz",
                "run",
                &target,
                "--",
                &format!("-max_total_time={seconds}"),
            ]);
        let outcome = run::must(&format!("fuzz {target}"), seconds + BUILD_SECONDS_MAX, &mut cargo)?;
        let last = outcome.lines.iter().rev().find(|line| line.contains("Done"));
        say::line(&format!("{target}: {}", last.map_or("done", |line| line.trim())));
    }
    Ok(())
}

/// Every target there is.
pub(crate) fn all() -> Result<Vec<String>, Failure> {
    let directory = place::root().join("fuzz/fuzz_targets");
    let mut names: Vec<String> = fs::read_dir(&directory)
        .or_could_not("read fuzz/fuzz_targets")?
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().to_str()?.strip_suffix(".rs").map(str::to_owned))
        .collect();
    names.sort();
    Ok(names)
}
