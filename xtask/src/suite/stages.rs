//! The stages of `cargo xtask test`.

use std::{fs, process::Command};

use super::{Setting, count::Count, postgres::Postgres};
use crate::{
    failure::{Failure, While as _},
    machine::is_root,
    place, run, say, tidy as tidiness,
};

/// A first build of everything on two busy cores.
const BUILD_SECONDS_MAX: u64 = 45 * 60;
/// The longest a stage of tests may take, build included.
const TEST_SECONDS_MAX: u64 = 45 * 60;
const QUICK_SECONDS_MAX: u64 = 5 * 60;
/// Crates whose tests use a database: they run again on `PostgreSQL`.
const SERVICE_CRATES: &[&str] = &[
    "naru-store",
    "naru-identity",
    "naru-applications",
    "naru-policies",
    "naru-desktops",
    "naru-audit",
    "naru-portal",
];

pub(super) fn format(_: &Setting) -> Result<Count, Failure> {
    check(
        "format",
        QUICK_SECONDS_MAX,
        Command::new("cargo").args(["fmt", "--all", "--check"]),
    )
}

pub(super) fn lint(_: &Setting) -> Result<Count, Failure> {
    let mut cargo = Command::new("cargo");
    cargo.args([
        "clippy",
        "--workspace",
        "--all-targets",
        "--locked",
        "--",
        "--deny",
        "warnings",
    ]);
    check("clippy", BUILD_SECONDS_MAX, &mut cargo)
}

pub(super) fn tidy(_: &Setting) -> Result<Count, Failure> {
    let mut count = Count::default();
    for (name, findings) in tidiness::all()? {
        for finding in &findings {
            say::line(&format!("  {name}: {finding}"));
        }
        count = count.plus(&Count::check(findings.is_empty()));
    }
    Ok(count)
}

/// Licences are checked by tidy; known vulnerabilities need cargo-deny and its list of advisories.
pub(super) fn dependencies(setting: &Setting) -> Result<Count, Failure> {
    if run::text_of(Command::new("cargo").args(["deny", "--version"])).is_none() {
        note_skip(
            setting,
            "advisories: cargo-deny is not installed (cargo install cargo-deny)",
        )?;
        return Ok(Count::check(true));
    }
    let outcome = run::observed(
        "cargo deny",
        QUICK_SECONDS_MAX,
        Command::new("cargo").args(["deny", "--locked", "check"]),
    )?;
    let unreachable = outcome
        .lines
        .iter()
        .any(|line| line.contains("failed to fetch advisory database"));
    if !outcome.good && unreachable {
        note_skip(
            setting,
            "advisories: the list of advisories cannot be reached from here",
        )?;
        return Ok(Count::check(true));
    }
    if !outcome.good {
        outcome.show_tail();
    }
    Ok(Count::check(outcome.good))
}

pub(super) fn sqlite(setting: &Setting) -> Result<Count, Failure> {
    let mut cargo = cargo_test(setting);
    cargo.args(["--workspace", "--exclude", "naru-tests"]);
    tests_of("unit and service tests on SQLite", &mut cargo)
}

pub(super) fn postgres(setting: &Setting) -> Result<Count, Failure> {
    let server = Postgres::start()?;
    let mut cargo = cargo_test(setting);
    cargo.env("NARU_TEST_POSTGRES", server.url());
    for name in SERVICE_CRATES {
        cargo.args(["--package", name]);
    }
    let services = tests_of("service tests on PostgreSQL", &mut cargo)?;
    let mut cargo = cargo_test(setting);
    cargo
        .env("NARU_TEST_POSTGRES", server.url())
        .args(["--package", "naru-tests", "--test", "api"]);
    Ok(services.plus(&tests_of("api tests on PostgreSQL", &mut cargo)?))
}

pub(super) fn web(setting: &Setting) -> Result<Count, Failure> {
    let mut count = Count::default();
    for script in ["check", "lint"] {
        let mut npm = setting.node.command("npm");
        npm.args(["run", script]);
        count = count.plus(&check(&format!("web {script}"), QUICK_SECONDS_MAX, &mut npm)?);
    }
    let mut npm = setting.node.command("npm");
    npm.args(["run", "test"]);
    let outcome = run::observed("web test", QUICK_SECONDS_MAX, &mut npm)?;
    if !outcome.good {
        outcome.show_tail();
    }
    Ok(count.plus(&Count::of_vitest(&outcome.lines, outcome.good)))
}

pub(super) fn api(setting: &Setting) -> Result<Count, Failure> {
    crate::up::build("debug")?;
    let mut cargo = cargo_test(setting);
    cargo
        .args(["--package", "naru-tests"])
        .env("NARU_PROGRAM", place::program("debug"));
    tests_of("api and real tests", &mut cargo)
}

pub(super) fn browser(setting: &Setting) -> Result<Count, Failure> {
    crate::up::build("debug")?;
    let mut node = setting.node.command("node");
    node.args(["--test", "--test-reporter=tap", "--test-concurrency=1"])
        .args(browser_suites()?)
        .env("NARU_PROGRAM", place::program("debug"))
        .env("NARU_TEST_SKIPS", &setting.skips)
        .env("NARU_SCREENSHOTS", place::target().join("screenshots"));
    if !is_root() {
        say::line("  not root: desktops of other people are not tested");
    }
    let outcome = run::observed("browser tests", TEST_SECONDS_MAX, &mut node)?;
    for line in outcome
        .lines
        .iter()
        .filter(|line| line.trim_start().starts_with("# figure:"))
    {
        say::line(&format!("  {}", line.trim_start().trim_start_matches("# ")));
    }
    if !outcome.good {
        outcome.show_tail();
    }
    Ok(Count::of_node_test(&outcome.lines, outcome.good))
}

/// `*.test.mjs` of `web/e2e`, the longest story last.
fn browser_suites() -> Result<Vec<String>, Failure> {
    let directory = place::root().join("web/e2e");
    let mut suites: Vec<String> = fs::read_dir(&directory)
        .or_could_not("read web/e2e")?
        .filter_map(Result::ok)
        .filter_map(|entry| entry.file_name().into_string().ok())
        .filter(|name| name.ends_with(".test.mjs"))
        .map(|name| format!("e2e/{name}"))
        .collect();
    suites.sort();
    suites.reverse();
    Ok(suites)
}

fn cargo_test(setting: &Setting) -> Command {
    let mut cargo = Command::new("cargo");
    cargo
        .args(["test", "--locked", "--no-fail-fast"])
        .env("NARU_TEST_SKIPS", &setting.skips)
        .env_remove("NARU_TEST_POSTGRES");
    cargo
}

fn tests_of(title: &str, command: &mut Command) -> Result<Count, Failure> {
    let outcome = run::observed(title, TEST_SECONDS_MAX, command)?;
    for line in outcome.lines.iter().filter(|line| line.starts_with("figure:")) {
        say::line(&format!("  {line}"));
    }
    if !outcome.good {
        outcome.show_tail();
    }
    Ok(Count::of_cargo_test(&outcome.lines, outcome.good))
}

fn check(title: &str, seconds_max: u64, command: &mut Command) -> Result<Count, Failure> {
    let outcome = run::observed(title, seconds_max, command)?;
    if !outcome.good {
        outcome.show_tail();
    }
    Ok(Count::check(outcome.good))
}

fn note_skip(setting: &Setting, text: &str) -> Result<(), Failure> {
    fs::write(&setting.skips, format!("{text}\n")).or_could_not("note a skipped check")
}
