//! Tests that cannot run on this machine say so: a skipped test is not a passed one.

use std::io::Write as _;

/// Notes that `test` did not run, and why; the caller returns at once. `cargo xtask test` counts these as skipped.
pub fn skip(test: &str, why: &str) {
    let line = format!("{test}: {why}\n");
    if let Some(path) = std::env::var_os("NARU_TEST_SKIPS") {
        let file = std::fs::OpenOptions::new().append(true).create(true).open(path);
        file.and_then(|mut file| file.write_all(line.as_bytes()))
            .expect("the list of skipped tests can be written");
    }
    drop(write!(std::io::stderr(), "skipped: {line}"));
}
