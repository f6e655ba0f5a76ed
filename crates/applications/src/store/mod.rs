//! The tables of this domain: SQL and rows.

pub(crate) mod applications;
pub(crate) mod corner;
pub(crate) mod devices;
pub(crate) mod grants;
pub(crate) mod keys;
pub(crate) mod requests;
pub(crate) mod saml;
pub(crate) mod tiles;
pub(crate) mod tokens;

use std::str::FromStr;

use naru_store::{Error, Row};

/// Every SQL text of this crate.
pub(crate) fn statements() -> impl Iterator<Item = &'static str> {
    [
        applications::ALL,
        corner::ALL,
        tiles::ALL,
        devices::ALL,
        grants::ALL,
        keys::ALL,
        requests::ALL,
        saml::ALL,
        tokens::ALL,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// A column that holds one of a list of words.
pub(crate) fn word<T>(row: &Row, name: &str) -> Result<T, Error>
where
    T: FromStr,
    T::Err: std::error::Error + Send + Sync + 'static,
{
    row.get::<String>(name)?
        .parse()
        .map_err(|error: T::Err| Error::Column {
            column: name.to_owned(),
            source: error.into(),
        })
}
