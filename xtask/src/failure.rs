//! Why a command could not be carried out, in words for the person at the terminal.

use std::{fmt, io};

/// A failure with its mend, where there is one.
#[derive(Debug)]
pub(crate) struct Failure(String);

impl Failure {
    /// Says what happened and what to do.
    pub(crate) fn new(text: impl Into<String>) -> Self {
        Self(text.into())
    }
}

impl fmt::Display for Failure {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// Adds what was being done to an error of the operating system.
pub(crate) trait While<T> {
    /// `what` completes the sentence "could not …".
    fn or_could_not(self, what: &str) -> Result<T, Failure>;
}

impl<T> While<T> for io::Result<T> {
    fn or_could_not(self, what: &str) -> Result<T, Failure> {
        self.map_err(|error| Failure::new(format!("could not {what}: {error}")))
    }
}
