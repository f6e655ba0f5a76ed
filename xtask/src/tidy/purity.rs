//! Files that decide but do not act: engines, and the rules and models of domains.

use super::tree::File;

/// What a decision does not do, and why. Words of code, looked for outside of comments.
const FORBIDDEN: &[(&str, &str)] = &[
    ("async fn", "a decision does not wait"),
    (".await", "a decision does not wait"),
    ("tokio::", "a decision does not wait"),
    ("sqlx", "a decision reads no tables"),
    ("rusqlite", "a decision reads no tables"),
    ("Tx", "a decision reads no tables"),
    ("SystemTime", "the time is handed in"),
    ("Instant::now", "the time is handed in"),
    (".now()", "the time is handed in"),
    ("std::fs", "a decision reads no files"),
    ("std::net", "a decision opens no sockets"),
    ("std::env", "a decision reads no environment"),
    ("thread::", "a decision starts nothing"),
];

/// Crates that are pure as a whole.
const PURE_CRATES: &[&str] = &[
    "crates/kernel/src/",
    "crates/pki/src/",
    "crates/relay/src/",
    "crates/sso/src/",
];
/// Pure files of every domain.
const PURE_FILES: &[&str] = &["rules.rs", "model.rs"];

/// Lines that act where only deciding is wanted.
pub(crate) fn broken(files: &[File]) -> Vec<String> {
    let mut found = Vec::new();
    for file in files.iter().filter(|file| is_pure(&file.path)) {
        for (number, line) in file.product_lines() {
            let code = line.split("//").next().unwrap_or_default();
            for (word, why) in FORBIDDEN {
                if holds_word(code, word) {
                    found.push(format!("{}:{number}: `{word}`: {why}", file.path));
                }
            }
        }
    }
    found
}

fn is_pure(path: &str) -> bool {
    let name = path.rsplit('/').next().unwrap_or_default();
    let is_test = name == "tests.rs" || path.contains("/tests/");
    let in_domain_rules = path.starts_with("crates/")
        && (PURE_FILES.contains(&name) || path.contains("/src/rules/") || path.contains("/src/model/"));
    let in_engine = PURE_CRATES.iter().any(|start| path.starts_with(start));
    path.ends_with(".rs") && !is_test && (in_domain_rules || in_engine)
}

/// Whether `word` stands in `code` and is not a part of a longer name (`Tx` is not in `Context`).
fn holds_word(code: &str, word: &str) -> bool {
    let is_name = |c: char| c.is_alphanumeric() || c == '_';
    code.match_indices(word).any(|(at, _)| {
        let before = code.get(..at).and_then(|text| text.chars().next_back());
        let after = code.get(at + word.len()..).and_then(|text| text.chars().next());
        let starts = !word.starts_with(is_name) || !before.is_some_and(is_name);
        let ends = !word.ends_with(is_name) || !after.is_some_and(is_name);
        starts && ends
    })
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::tidy::tree::example;

    #[test]
    fn rules_that_act_are_found() {
        let file = example(
            "crates/identity/src/rules.rs",
            "fn a() { clock.now(); } // .await\nasync fn b(tx: &mut Tx) {}\nfn c(x: Context) {}\n",
        );
        let found = broken(&[file]);
        assert_eq!(found.len(), 3, "{found:?}");
    }

    #[test]
    fn services_and_tests_may_act() {
        let service = example("crates/identity/src/service.rs", "async fn a() {}");
        let tests = example(
            "crates/pki/src/rules.rs",
            "fn a() {}\n#[cfg(test)]\nmod tests { use std::fs; }",
        );
        assert_eq!(broken(&[service, tests]), Vec::<String>::new());
    }
}
