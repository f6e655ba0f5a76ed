//! Answers on standard output, for a person or a script.

use std::io::Write as _;

/// Prints a line. A reader that has gone (`naru doctor | head`) needs no more of them.
pub(crate) fn say(line: impl std::fmt::Display) {
    drop(writeln!(std::io::stdout(), "{line}"));
}
