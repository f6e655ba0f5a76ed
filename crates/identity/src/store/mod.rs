//! The tables of this domain: SQL and rows.

pub(crate) mod alarms;
pub(crate) mod attempts;
pub(crate) mod certificates;
pub(crate) mod devices;
pub(crate) mod factors;
pub(crate) mod facts;
pub(crate) mod grants;
pub(crate) mod groups;
pub(crate) mod keys;
pub(crate) mod logons;
pub(crate) mod members;
pub(crate) mod ministries;
pub(crate) mod people;
pub(crate) mod proofs;
pub(crate) mod scim;
pub(crate) mod scim_tokens;
pub(crate) mod search;
pub(crate) mod seed;
pub(crate) mod sessions;

use std::str::FromStr;

use naru_store::{Error, Row};

/// Every SQL text of this crate.
pub(crate) fn statements() -> impl Iterator<Item = &'static str> {
    [
        alarms::ALL,
        attempts::ALL,
        certificates::ALL,
        devices::ALL,
        factors::ALL,
        facts::ALL,
        grants::ALL,
        groups::ALL,
        keys::ALL,
        logons::ALL,
        members::ALL,
        ministries::ALL,
        people::ALL,
        proofs::ALL,
        scim::ALL,
        scim_tokens::ALL,
        seed::ALL,
        sessions::ALL,
    ]
    .into_iter()
    .flatten()
    .copied()
}

/// A column that holds one of a list of words.
fn word<T>(row: &Row, name: &str) -> Result<T, Error>
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
