//! SQL and row mapping; nothing is decided here.

pub(crate) mod closures;
pub(crate) mod desktops;
pub(crate) mod keys;
pub(crate) mod nodes;
pub(crate) mod relays;

use core::str::FromStr;

use naru_store::{Error, Row};

pub(crate) fn statements() -> impl Iterator<Item = &'static str> {
    [closures::ALL, desktops::ALL, keys::ALL, nodes::ALL, relays::ALL]
        .into_iter()
        .flatten()
        .copied()
}

/// A text column that is one of a few words.
fn word<T: FromStr<Err = &'static str>>(row: &Row, name: &str) -> Result<T, Error> {
    row.get::<String>(name)?
        .parse()
        .map_err(|error: &'static str| unfit(name, error))
}

fn unfit(name: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Column {
        column: name.to_owned(),
        source: source.into(),
    }
}
