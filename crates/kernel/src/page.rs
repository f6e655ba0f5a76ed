//! Lists in pages.

use serde::{Deserialize, Serialize};

/// Which part of a list is wanted.
#[derive(Clone, Debug, Default, Deserialize, schemars::JsonSchema)]
pub struct PageRequest {
    /// How many rows at most; capped at [`PageRequest::ROWS_MAX`].
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// Text to search for.
    pub search: Option<String>,
}

impl PageRequest {
    /// The largest page.
    pub const ROWS_MAX: i64 = 200;

    /// The number of rows to read.
    #[must_use]
    pub fn rows(&self) -> i64 {
        self.limit.unwrap_or(50).clamp(1, Self::ROWS_MAX)
    }
}

/// One page of a list.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Page<T> {
    /// The rows.
    pub items: Vec<T>,
    /// Ask for the next page with `after` set to this; absent on the last page.
    pub next: Option<String>,
    /// How many rows there are in all.
    pub total: i64,
}
