//! Licences of everything we ship, and a reason for everything we depend on.

use std::{collections::BTreeSet, fs};

use super::{json, packages::Packages};
use crate::{
    failure::{Failure, While as _},
    place,
};

/// The licences `deny.toml` allows.
fn allowed() -> Result<Vec<String>, Failure> {
    let text = fs::read_to_string(place::root().join("deny.toml")).or_could_not("read deny.toml")?;
    let list = text
        .split_once("allow = [")
        .and_then(|(_, rest)| rest.split_once(']'))
        .map(|(list, _)| list.split('"').skip(1).step_by(2).map(str::to_owned).collect());
    list.ok_or_else(|| Failure::new("deny.toml has no list `allow = [`"))
}

/// Crates under a licence that is not allowed.
pub(crate) fn of_crates(packages: &Packages) -> Vec<String> {
    let allowed = match allowed() {
        Ok(allowed) => allowed,
        Err(failure) => return vec![failure.to_string()],
    };
    packages
        .iter()
        .filter_map(|package| {
            let licence = package.licence.as_deref().unwrap_or("none");
            (!fits(licence, &allowed)).then(|| format!("{}: {licence}", package.name))
        })
        .collect()
}

/// npm packages we ship or build with, under a licence that is not allowed.
pub(crate) fn of_web_packages() -> Result<Vec<String>, Failure> {
    let allowed = allowed()?;
    let lock = fs::read_to_string(place::root().join("web/package-lock.json"))
        .or_could_not("read web/package-lock.json")?;
    let lock = json::read(&lock).ok_or_else(|| Failure::new("web/package-lock.json is no JSON"))?;
    let mut found = Vec::new();
    for (path, package) in lock.get("packages").fields() {
        if path.is_empty() {
            continue;
        }
        // The lock names no licence for a few old packages; their own manifest does.
        let own = fs::read_to_string(place::root().join("web").join(path).join("package.json"))
            .ok()
            .and_then(|text| json::read(&text));
        let licence = package
            .get("license")
            .text()
            .or_else(|| own.as_ref().and_then(|manifest| manifest.get("license").text()));
        let licence = licence.unwrap_or("none");
        if !fits(licence, &allowed) {
            found.push(format!("{path}: {licence}"));
        }
    }
    Ok(found)
}

/// Dependencies that docs/DEPENDENCIES.md does not mention.
pub(crate) fn without_reason(packages: &Packages) -> Result<Vec<String>, Failure> {
    let text = fs::read_to_string(place::root().join("docs/DEPENDENCIES.md"))
        .or_could_not("read docs/DEPENDENCIES.md")?;
    let manifest =
        fs::read_to_string(place::root().join("web/package.json")).or_could_not("read web/package.json")?;
    let manifest = json::read(&manifest).ok_or_else(|| Failure::new("web/package.json is no JSON"))?;
    let mut names: BTreeSet<&str> = BTreeSet::new();
    for package in packages.ours() {
        names.extend(packages.direct(package));
        names.extend(packages.direct_for_tests(package));
    }
    for kind in ["dependencies", "devDependencies"] {
        names.extend(manifest.get(kind).fields().map(|(name, _)| name.as_str()));
    }
    Ok(names
        .into_iter()
        .filter(|name| !name.starts_with("naru-") && !text.contains(&format!("`{name}`")))
        .map(|name| format!("{name}: say in docs/DEPENDENCIES.md why"))
        .collect())
}

/// Whether an SPDX expression can be met with allowed licences. `A/B` is the old way to write `A OR B`.
fn fits(expression: &str, allowed: &[String]) -> bool {
    let flat = expression.replace('/', " OR ").replace(['(', ')'], " ");
    // Without brackets, AND binds closer: each alternative must be allowed in all its parts; a bracketed OR inside an
    // AND is judged too strictly this way, never too mildly.
    let alternatives = |text: &str| {
        text.split(" OR ").any(|part| {
            part.split(" AND ")
                .all(|name| allowed.iter().any(|known| known == name.trim()))
        })
    };
    let grouped = expression.contains('(') && expression.contains(" AND ");
    if grouped {
        split_groups(expression).iter().all(|group| alternatives(group))
    } else {
        alternatives(&flat)
    }
}

/// `(A OR B) AND C` into `A OR B` and `C`.
fn split_groups(expression: &str) -> Vec<String> {
    let mut groups = vec![String::new()];
    let mut depth = 0_usize;
    for word in expression
        .replace('(', " ( ")
        .replace(')', " ) ")
        .split_whitespace()
    {
        match word {
            "(" => depth += 1,
            ")" => depth = depth.saturating_sub(1),
            "AND" if depth == 0 => groups.push(String::new()),
            word => {
                if let Some(group) = groups.last_mut() {
                    if !group.is_empty() {
                        group.push(' ');
                    }
                    group.push_str(word);
                }
            }
        }
    }
    groups
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn expressions_are_met_or_not() {
        let allowed: Vec<String> = ["MIT", "Apache-2.0", "ISC"].map(str::to_owned).to_vec();
        assert!(fits("MIT", &allowed));
        assert!(fits("GPL-3.0 OR MIT", &allowed));
        assert!(fits("MIT/Apache-2.0", &allowed));
        assert!(fits("ISC AND (Apache-2.0 OR GPL-2.0)", &allowed));
        assert!(fits("(MIT OR Apache-2.0) AND ISC", &allowed));
        assert!(!fits("MIT AND GPL-3.0", &allowed));
        assert!(!fits("(MIT OR Apache-2.0) AND GPL-3.0", &allowed));
        assert!(!fits("none", &allowed));
    }
}
