//! Packages and what they depend on, from `cargo metadata`.

use std::{
    collections::{BTreeMap, BTreeSet},
    process::Command,
};

use super::json::{self, Json};
use crate::{failure::Failure, place, run};

/// All packages of the dependency graph.
pub(crate) struct Packages {
    by_id: BTreeMap<String, Package>,
}

/// One package.
pub(crate) struct Package {
    /// Its name.
    pub(crate) name: String,
    /// Its licence expression (SPDX), if it names one.
    pub(crate) licence: Option<String>,
    /// Whether it is ours.
    pub(crate) ours: bool,
    /// Direct dependencies that are compiled into it, by id.
    normal: BTreeSet<String>,
    /// Direct dependencies of its tests and build script, by id.
    other: BTreeSet<String>,
    /// Names of everything compiled into it, however far down; known for our own only.
    pub(crate) deep: BTreeSet<String>,
}

impl Packages {
    /// Every package, in no meaningful order.
    pub(crate) fn iter(&self) -> impl Iterator<Item = &Package> {
        self.by_id.values()
    }

    /// Our own packages.
    pub(crate) fn ours(&self) -> impl Iterator<Item = &Package> {
        self.iter().filter(|package| package.ours)
    }

    /// Names of what is compiled into `package` directly.
    pub(crate) fn direct(&self, package: &Package) -> BTreeSet<&str> {
        self.names(&package.normal)
    }

    /// Names of what only its tests and build script use.
    pub(crate) fn direct_for_tests(&self, package: &Package) -> BTreeSet<&str> {
        self.names(&package.other)
    }

    fn names(&self, ids: &BTreeSet<String>) -> BTreeSet<&str> {
        ids.iter().filter_map(|id| self.name(id)).collect()
    }

    fn name(&self, id: &str) -> Option<&str> {
        self.by_id.get(id).map(|package| package.name.as_str())
    }
}

/// Asks cargo.
pub(crate) fn read() -> Result<Packages, Failure> {
    let mut cargo = Command::new("cargo");
    cargo
        .current_dir(place::root())
        .args(["metadata", "--format-version", "1", "--locked"])
        .args(["--filter-platform", "x86_64-unknown-linux-gnu"]);
    let text = run::text_of(&mut cargo)
        .ok_or_else(|| Failure::new("`cargo metadata --locked` failed: is Cargo.lock up to date?"))?;
    let metadata = json::read(&text).ok_or_else(|| Failure::new("`cargo metadata` gave what is no JSON"))?;
    let mut packages = from(&metadata);
    for package in packages.by_id.values_mut().filter(|package| package.ours) {
        package.deep = compiled_into(&package.name)?;
    }
    Ok(packages)
}

/// `cargo metadata` unites the features of tests and programs and so shows more than is compiled; the tree does not.
fn compiled_into(name: &str) -> Result<BTreeSet<String>, Failure> {
    let mut cargo = Command::new("cargo");
    cargo.current_dir(place::root()).args([
        "tree",
        "--locked",
        "--edges",
        "normal",
        "--prefix",
        "none",
        "--format",
        "{p}",
        "--package",
        name,
    ]);
    let text = run::text_of(&mut cargo)
        .ok_or_else(|| Failure::new(format!("`cargo tree --package {name}` failed")))?;
    Ok(text
        .lines()
        .filter_map(|line| line.split_whitespace().next())
        .filter(|found| *found != name)
        .map(str::to_owned)
        .collect())
}

fn from(metadata: &Json) -> Packages {
    let ours: BTreeSet<&str> = metadata
        .get("workspace_members")
        .items()
        .iter()
        .filter_map(Json::text)
        .collect();
    let mut by_id = BTreeMap::new();
    for package in metadata.get("packages").items() {
        let (Some(id), Some(name)) = (package.get("id").text(), package.get("name").text()) else {
            continue;
        };
        by_id.insert(
            id.to_owned(),
            Package {
                name: name.to_owned(),
                licence: package.get("license").text().map(str::to_owned),
                ours: ours.contains(id),
                normal: BTreeSet::new(),
                other: BTreeSet::new(),
                deep: BTreeSet::new(),
            },
        );
    }
    for node in metadata.get("resolve").get("nodes").items() {
        let Some(package) = node.get("id").text().and_then(|id| by_id.get_mut(id)) else {
            continue;
        };
        for dependency in node.get("deps").items() {
            let Some(id) = dependency.get("pkg").text() else {
                continue;
            };
            for kind in dependency.get("dep_kinds").items() {
                match kind.get("kind").text() {
                    None => package.normal.insert(id.to_owned()),
                    Some(_) => package.other.insert(id.to_owned()),
                };
            }
        }
    }
    Packages { by_id }
}

#[cfg(test)]
pub(crate) fn example(lines: &[(&str, &[&str])]) -> Packages {
    let direct = |name: &str| -> Vec<&str> {
        let line = lines.iter().find(|(known, _)| *known == name);
        line.map(|(_, names)| names.to_vec()).unwrap_or_default()
    };
    let by_id = lines
        .iter()
        .map(|(name, dependencies)| {
            let mut deep = BTreeSet::new();
            let mut waiting = dependencies.to_vec();
            while let Some(next) = waiting.pop() {
                if deep.insert(next.to_owned()) {
                    waiting.extend(direct(next));
                }
            }
            let package = Package {
                name: (*name).to_owned(),
                licence: None,
                ours: name.starts_with("naru"),
                normal: dependencies.iter().map(|name| (*name).to_owned()).collect(),
                other: BTreeSet::new(),
                deep,
            };
            ((*name).to_owned(), package)
        })
        .collect();
    Packages { by_id }
}
