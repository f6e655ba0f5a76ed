//! Files: how long, how large, and whether they say what they are.

use super::tree::File;

/// Longer files become folders.
const LINES_MAX: usize = 500;
/// Larger files do not belong into git.
const BYTES_MAX: u64 = 1024 * 1024;
/// Written by a program, as long as they need to be.
const GENERATED: &[&str] = &[
    "Cargo.lock",
    "package-lock.json",
    "docs/openapi.json",
    "docs/schema.sql",
];
/// Lists of words in one language: looked up, never read from top to bottom.
const CATALOGUES: &[&str] = &["web/src/lib/i18n/en.ts", "web/src/lib/i18n/ko.ts"];
/// Kinds of files that people read from top to bottom.
const READ_BY_PEOPLE: &[&str] = &[".rs", ".ts", ".svelte", ".mjs", ".sh", ".md", ".css", ".py"];

pub(crate) fn too_long(files: &[File]) -> Vec<String> {
    files
        .iter()
        .filter(|file| READ_BY_PEOPLE.iter().any(|end| file.path.ends_with(end)) && !is_generated(&file.path))
        .filter_map(|file| {
            let lines = file.text().lines().count();
            (lines > LINES_MAX).then(|| format!("{} has {lines} lines; at most {LINES_MAX}", file.path))
        })
        .collect()
}

pub(crate) fn large(files: &[File]) -> Vec<String> {
    files
        .iter()
        .filter(|file| file.bytes > BYTES_MAX)
        .map(|file| format!("{} has {} bytes; at most {BYTES_MAX}", file.path, file.bytes))
        .collect()
}

/// Every module begins with what it is for; test modules and generated files need not.
pub(crate) fn undocumented(files: &[File]) -> Vec<String> {
    files
        .iter()
        .filter(|file| file.is_rust() && !is_test(&file.path) && !is_generated(&file.path))
        .filter(|file| !file.text().trim().is_empty() && !begins_with_documentation(file.text()))
        .map(|file| format!("{} does not begin with `//!` and what it is for", file.path))
        .collect()
}

fn begins_with_documentation(text: &str) -> bool {
    text.lines()
        .find(|line| {
            let line = line.trim();
            !line.is_empty() && !line.starts_with("#!") && !line.starts_with("// SPDX")
        })
        .is_some_and(|line| line.starts_with("//!"))
}

pub(crate) fn ignored(files: &[File]) -> Vec<String> {
    // Put together, so that this file does not find itself.
    let attribute = ["#[", "ignore"].concat();
    files
        .iter()
        .filter(|file| file.is_rust())
        .flat_map(|file| {
            file.text()
                .lines()
                .enumerate()
                .filter(|(_, line)| line.trim().starts_with(&attribute))
                .map(|(index, _)| format!("{}:{}: mend it, or delete it", file.path, index + 1))
        })
        .collect()
}

fn is_test(path: &str) -> bool {
    path.ends_with("/tests.rs") || path.contains("/tests/") || path.starts_with("fuzz/")
}

fn is_generated(path: &str) -> bool {
    GENERATED.iter().any(|end| path.ends_with(end)) || CATALOGUES.contains(&path)
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree::example;

    #[test]
    fn long_undocumented_and_ignored_are_found() {
        let long = example("crates/a/src/b.rs", &"x\n".repeat(501));
        let attribute = ["#[", "ignore]\nfn a() {}"].concat();
        let files = [long, example("crates/a/src/c.rs", &attribute)];
        assert_eq!(too_long(&files).len(), 1);
        assert_eq!(undocumented(&files).len(), 2);
        assert_eq!(ignored(&files), ["crates/a/src/c.rs:1: mend it, or delete it"]);
    }

    #[test]
    fn a_documented_module_is_fine() {
        let file = example("crates/a/src/b.rs", "#![no_main]\n//! What it is.\n");
        assert_eq!(undocumented(&[file]), Vec::<String>::new());
    }
}
