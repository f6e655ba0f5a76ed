//! What sort of failure an error is, whatever crate it comes from.

use serde::{Deserialize, Serialize};

/// Decides the HTTP status, whether to retry, and how loudly to log.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, schemars::JsonSchema)]
#[serde(rename_all = "kebab-case")]
pub enum Kind {
    /// There is no such thing, or the caller may not know of it.
    NotFound,
    /// It clashes with what is there.
    Conflict,
    /// The request is wrong; the text names the field and the mend.
    Invalid,
    /// The caller is known and may not.
    Forbidden,
    /// The caller is not known.
    Unauthenticated,
    /// Too much, too fast, or locked for a while.
    TooMany,
    /// A part this depends on is down or full; trying later may help.
    Unavailable,
    /// A defect of ours.
    Internal,
}
