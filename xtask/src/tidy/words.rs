//! Words that must agree between places, or must not be there.

use super::tree::File;

/// Paths of somebody's machine: they mean nothing to the next reader.
fn private_paths() -> [String; 4] {
    // Put together, so that this file does not find itself.
    [
        ["/", "work/"].concat(),
        ["/tmp/", "brief"].concat(),
        ["/home/", "user/"].concat(),
        ["/root/", "."].concat(),
    ]
}

pub(crate) fn machine_paths(files: &[File]) -> Vec<String> {
    let paths = private_paths();
    let mut found = Vec::new();
    for file in files {
        for (index, line) in file.text().lines().enumerate() {
            if let Some(path) = paths.iter().find(|path| holds_path(line, path)) {
                found.push(format!("{}:{}: {path}", file.path, index + 1));
            }
        }
    }
    found
}

/// A path counts where it begins at the root, not in the middle of a longer one.
fn holds_path(line: &str, path: &str) -> bool {
    line.match_indices(path).any(|(at, _)| {
        let before = line.get(..at).and_then(|text| text.chars().next_back());
        !before.is_some_and(|c| c.is_alphanumeric() || "_-./*}".contains(c))
    })
}

/// Every change without an entry in the record stands in the store's list, and everything in the list is used.
pub(crate) fn housekeeping(files: &[File]) -> Vec<String> {
    let Some(list) = files
        .iter()
        .find(|file| file.path == "crates/store/src/change.rs")
    else {
        return vec!["crates/store/src/change.rs is not there".to_owned()];
    };
    let listed: Vec<&str> = list
        .text()
        .split_once("HOUSEKEEPING")
        .and_then(|(_, rest)| rest.split_once("];"))
        .map(|(table, _)| quoted(table).filter(|word| is_name(word)).collect())
        .unwrap_or_default();
    let mut used = Vec::new();
    let mut found = Vec::new();
    for file in files
        .iter()
        .filter(|file| file.is_rust() && !file.path.contains("/tests"))
    {
        let text: String = file
            .product_lines()
            .map(|(_, line)| format!("{line}\n"))
            .collect();
        for (_, call) in text
            .match_indices(".housekeep(")
            .map(|(at, _)| (at, text.get(at..).unwrap_or_default()))
        {
            let Some(name) = quoted(call).next().filter(|name| is_name(name)) else {
                continue;
            };
            used.push(name.to_owned());
            if !listed.contains(&name) {
                found.push(format!(
                    "{}: {name} is not in HOUSEKEEPING with its reason",
                    file.path
                ));
            }
        }
    }
    for name in listed
        .iter()
        .filter(|name| !used.iter().any(|used| used == *name))
    {
        found.push(format!("{}: {name} is listed but nobody does it", list.path));
    }
    found
}

/// `domain.verb-thing`.
fn is_name(word: &str) -> bool {
    word.split_once('.').is_some_and(|(domain, thing)| {
        let fits = |part: &str| !part.is_empty() && part.chars().all(|c| c.is_ascii_lowercase() || c == '-');
        fits(domain) && fits(thing)
    })
}

fn quoted(text: &str) -> impl Iterator<Item = &str> {
    text.split('"').skip(1).step_by(2)
}

/// Links from one document to another lead somewhere.
pub(crate) fn dead_links(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| file.path.ends_with(".md")) {
        let folder = file.path.rsplit_once('/').map_or("", |(folder, _)| folder);
        for link in file
            .text()
            .split("](")
            .skip(1)
            .filter_map(|rest| rest.split(')').next())
        {
            let target = link.split('#').next().unwrap_or_default();
            if target.is_empty() || target.contains("://") || target.contains(' ') {
                continue;
            }
            let path = normal(folder, target);
            let there = files.iter().any(|other| {
                other.path == path
                    || other
                        .path
                        .starts_with(&format!("{}/", path.trim_end_matches('/')))
            });
            if !there {
                found.push(format!("{}: {link} leads nowhere", file.path));
            }
        }
    }
    found
}

fn normal(folder: &str, target: &str) -> String {
    let mut parts: Vec<&str> = folder.split('/').filter(|part| !part.is_empty()).collect();
    for part in target.split('/') {
        match part {
            "." | "" => {}
            ".." => {
                parts.pop();
            }
            name => parts.push(name),
        }
    }
    parts.join("/")
}

/// A fuzz target that is not in the manifest is never run.
pub(crate) fn fuzz_targets(files: &[File]) -> Vec<String> {
    let manifest = files
        .iter()
        .find(|file| file.path == "fuzz/Cargo.toml")
        .map(File::text)
        .unwrap_or_default();
    files
        .iter()
        .filter(|file| file.path.starts_with("fuzz/fuzz_targets/") && file.is_rust())
        .filter(|file| !manifest.contains(file.path.trim_start_matches("fuzz/")))
        .map(|file| format!("{} is not in fuzz/Cargo.toml", file.path))
        .collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree::example;

    #[test]
    fn housekeeping_must_agree_both_ways() {
        let list = example(
            "crates/store/src/change.rs",
            "pub const HOUSEKEEPING: &[(&str, &str)] = &[(\"a.b\", \"because\"), (\"c.d\", \"it is so\")];",
        );
        let user = example(
            "crates/a/src/b.rs",
            "db.housekeep(\"a.b\", x); db\n.housekeep(\n\"e.f\", y);",
        );
        let found = housekeeping(&[list, user]);
        assert_eq!(found.len(), 2, "{found:?}");
    }

    #[test]
    fn links_are_followed_from_where_they_stand() {
        let files = [
            example(
                "docs/a.md",
                "[b](b.md#x) [c](../c.md) [d](d.md) [e](https://e.example) [adr](adr/)",
            ),
            example("docs/b.md", ""),
            example("c.md", ""),
            example("docs/adr/1.md", ""),
        ];
        assert_eq!(dead_links(&files), ["docs/a.md: d.md leads nowhere"]);
    }

    #[test]
    fn only_paths_from_the_root_are_machine_paths() {
        let path = ["see /", "work/x"].concat();
        let name = ["see net", "/", "work/x"].concat();
        assert_eq!(
            machine_paths(&[example("a", &path), example("b", &name)]).len(),
            1
        );
    }
}
