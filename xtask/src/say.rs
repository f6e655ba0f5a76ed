//! What the person at the terminal sees.

use std::io::{self, IsTerminal as _, Write as _};

/// Widest status line, in characters.
const STATUS_CHARACTERS_MAX: usize = 100;

/// A line that stays.
pub(crate) fn line(text: &str) {
    clear_status();
    let mut out = io::stdout().lock();
    // A closed terminal is no reason to stop the work.
    drop(writeln!(out, "{text}"));
    drop(out.flush());
}

/// What went wrong.
pub(crate) fn error(text: &str) {
    clear_status();
    drop(writeln!(io::stderr().lock(), "error: {text}"));
}

/// What is happening; replaced by the next line. Shown on a terminal only.
pub(crate) fn status(text: &str) {
    if io::stderr().is_terminal() {
        let short: String = text
            .chars()
            .filter(|c| !c.is_control())
            .take(STATUS_CHARACTERS_MAX)
            .collect();
        let mut out = io::stderr().lock();
        drop(write!(out, "\r\x1b[K{short}"));
        drop(out.flush());
    }
}

fn clear_status() {
    if io::stderr().is_terminal() {
        drop(write!(io::stderr().lock(), "\r\x1b[K"));
    }
}
