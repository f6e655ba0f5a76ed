//! One SQL text on `SQLite` and `PostgreSQL`, and transactions that say what they do.
//!
//! [`Db::change`] is the only way to a writing [`Tx`] that leaves a trace: it needs an [`Act`] and appends it to the
//! hash-chained record in the same transaction. What leaves no trace goes through [`Db::housekeep`] and stands
//! in [`HOUSEKEEPING`] with its reason. On `SQLite` changes that arrive together share one commit (group commit);
//! on `PostgreSQL` each has its own connection.
//!
//! Rules for SQL: text constants made with [`sql!`], `$1` parameters, portable types only, times as
//! `BIGINT` microseconds, ids as `TEXT`, no `now()`, `FOR UPDATE`, `ILIKE`, arrays or enums.
#![warn(missing_docs)]

mod change;
mod db;
mod embedded;
mod error;
mod migrations;
mod personal;
mod record;
mod row;
#[doc(hidden)]
pub mod testing;
mod value;
mod within;
mod writer;

pub use change::{Act, By, HOUSEKEEPING, Outcome, Tx};
pub use db::{Db, Engine};
pub use error::Error;
pub use migrations::{MIGRATIONS, Migration};
pub use personal::{Personal, has_hidden, reveal};
pub use record::{Break, Entry, GENESIS, PLATFORM_STREAM, entry_hash, verify_stream};
pub use row::{Column, FromRow, Row};
pub use value::Value;
pub use within::Within;

/// Every SQL text of this crate.
pub fn statements() -> impl Iterator<Item = &'static str> {
    record::ALL
        .iter()
        .chain(personal::ALL)
        .chain(migrations::ALL)
        .copied()
}

/// A boxed future, as transaction bodies return it.
pub type BoxFuture<'a, T> = futures_util::future::BoxFuture<'a, T>;

/// Parameters of a statement: `params![id, name, None::<String>]`.
#[macro_export]
macro_rules! params {
    () => { Vec::<$crate::Value>::new() };
    ($($value:expr),+ $(,)?) => { vec![$($crate::Value::from($value)),+] };
}

/// Names SQL texts and lists them in `ALL`, so that a test can prepare each on both engines.
#[macro_export]
macro_rules! sql {
    ($($(#[$doc:meta])* $name:ident = $text:expr;)+) => {
        $($(#[$doc])* const $name: &str = $text;)+
        /// Every SQL text of this module.
        pub(crate) const ALL: &[&str] = &[$($name),+];
    };
}
