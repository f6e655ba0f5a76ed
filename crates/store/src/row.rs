//! Rows, neutral between engines.

use naru_kernel::{Id, IdKind, Timestamp, Zone};
use sqlx::Row as _;

use crate::{Error, embedded::EmbeddedRow};

/// One row of an answer.
#[derive(Debug)]
#[non_exhaustive]
pub enum Row {
    #[doc(hidden)]
    Sqlite(sqlx::sqlite::SqliteRow),
    #[doc(hidden)]
    Embedded(EmbeddedRow),
    #[doc(hidden)]
    Postgres(sqlx::postgres::PgRow),
}

/// A type that is made from a whole row.
pub trait FromRow: Sized {
    /// Reads the columns it needs by name.
    ///
    /// # Errors
    /// When a column is absent or of another type.
    fn from_row(row: &Row) -> Result<Self, Error>;
}

/// A type that is read from one column.
pub trait Column: Sized {
    /// Reads the column.
    ///
    /// # Errors
    /// When it is absent or of another type.
    fn read(row: &Row, name: &str) -> Result<Self, Error>;
}

impl Row {
    /// The value of a column.
    ///
    /// # Errors
    /// When it is absent or of another type.
    pub fn get<T: Column>(&self, name: &str) -> Result<T, Error> {
        T::read(self, name)
    }
}

fn wrong(name: &str, source: impl Into<Box<dyn std::error::Error + Send + Sync>>) -> Error {
    Error::Column {
        column: name.to_owned(),
        source: source.into(),
    }
}

macro_rules! native {
    ($($type:ty),+ $(,)?) => {$(
        impl Column for $type {
            fn read(row: &Row, name: &str) -> Result<Self, Error> {
                match row {
                    Row::Sqlite(row) => row.try_get(name).map_err(|error| wrong(name, error)),
                    Row::Postgres(row) => row.try_get(name).map_err(|error| wrong(name, error)),
                    Row::Embedded(row) => row.read(name).map_err(|error| wrong(name, error)),
                }
            }
        }
    )+};
}

native!(
    i64,
    bool,
    f64,
    String,
    Vec<u8>,
    Option<i64>,
    Option<bool>,
    Option<f64>,
    Option<String>,
    Option<Vec<u8>>
);

impl Column for Timestamp {
    fn read(row: &Row, name: &str) -> Result<Self, Error> {
        i64::read(row, name).map(Self::from_micros)
    }
}

impl Column for Option<Timestamp> {
    fn read(row: &Row, name: &str) -> Result<Self, Error> {
        Ok(<Option<i64>>::read(row, name)?.map(Timestamp::from_micros))
    }
}

impl<K: IdKind> Column for Id<K> {
    fn read(row: &Row, name: &str) -> Result<Self, Error> {
        String::read(row, name)?
            .parse()
            .map_err(|error| wrong(name, error))
    }
}

impl<K: IdKind> Column for Option<Id<K>> {
    fn read(row: &Row, name: &str) -> Result<Self, Error> {
        <Option<String>>::read(row, name)?
            .map(|text| text.parse())
            .transpose()
            .map_err(|error| wrong(name, error))
    }
}

impl Column for Zone {
    fn read(row: &Row, name: &str) -> Result<Self, Error> {
        String::read(row, name)?
            .parse()
            .map_err(|error| wrong(name, error))
    }
}

impl FromRow for i64 {
    /// The column named `n`: for counts and sums.
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("n")
    }
}
