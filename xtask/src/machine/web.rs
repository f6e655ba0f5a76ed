//! The web application: its packages and its build, each only when something changed.

use std::{
    fs,
    path::{Path, PathBuf},
    time::SystemTime,
};

use super::node::Node;
use crate::{
    failure::{Failure, While as _},
    place, run, say,
};

const INSTALL_SECONDS_MAX: u64 = 900;
const BUILD_SECONDS_MAX: u64 = 600;
/// What the build reads, besides `src/` and `public/`.
const BUILD_FILES: &[&str] = &[
    "index.html",
    "package-lock.json",
    "vite.config.ts",
    "svelte.config.js",
    "tsconfig.json",
];

/// Installs the packages of `package-lock.json` if they are not those installed last.
pub(crate) fn ensure_packages(node: &Node) -> Result<(), Failure> {
    let web = place::root().join("web");
    let lock = fs::read(web.join("package-lock.json")).or_could_not("read web/package-lock.json")?;
    // The stamp lies inside what it vouches for, so that it vanishes with it.
    let stamp = web.join("node_modules/.naru-lock.json");
    if fs::read(&stamp).is_ok_and(|installed| installed == lock) {
        return Ok(());
    }
    say::line("· web packages");
    run::must(
        "npm ci",
        INSTALL_SECONDS_MAX,
        node.command("npm").args(["ci", "--no-audit", "--no-fund"]),
    )?;
    fs::write(&stamp, lock).or_could_not("note which packages are installed")
}

/// Builds `web/dist` if anything it is made from is newer.
pub(crate) fn ensure_build(node: &Node) -> Result<(), Failure> {
    ensure_packages(node)?;
    let web = place::root().join("web");
    let built = modified(&web.join("dist/index.html"));
    let mut newest = BUILD_FILES
        .iter()
        .filter_map(|name| modified(&web.join(name)))
        .max();
    for directory in ["src", "public"] {
        newest = newest.max(newest_below(&web.join(directory)));
    }
    if built.is_some() && built >= newest {
        return Ok(());
    }
    say::line("· web application");
    run::must(
        "web build",
        BUILD_SECONDS_MAX,
        node.command("npm").args(["run", "build"]),
    )
    .map(drop)
}

fn modified(path: &Path) -> Option<SystemTime> {
    fs::metadata(path).ok()?.modified().ok()
}

fn newest_below(directory: &Path) -> Option<SystemTime> {
    let mut waiting: Vec<PathBuf> = vec![directory.to_owned()];
    let mut newest = None;
    while let Some(path) = waiting.pop() {
        newest = newest.max(modified(&path));
        if let Ok(entries) = fs::read_dir(&path) {
            waiting.extend(entries.filter_map(Result::ok).map(|entry| entry.path()));
        }
    }
    newest
}
