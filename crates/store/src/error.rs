//! What can go wrong with the store.

use naru_kernel::Kind;
use rusqlite::{
    ErrorCode,
    ffi::{SQLITE_CONSTRAINT_FOREIGNKEY, SQLITE_CONSTRAINT_PRIMARYKEY, SQLITE_CONSTRAINT_UNIQUE},
};

/// An error of the store; the message is for logs, never for people.
#[derive(Debug, thiserror::Error)]
#[non_exhaustive]
pub enum Error {
    /// The engine refused or could not be reached.
    #[error("the database refused a statement")]
    Engine(#[from] sqlx::Error),
    /// The embedded engine refused.
    #[error("the embedded database refused a statement")]
    Embedded(#[source] rusqlite::Error),
    /// A unique or foreign key would have been broken.
    #[error("the row clashes with one that is there")]
    Clash(#[source] Box<dyn std::error::Error + Send + Sync>),
    /// A column is absent or holds something else than expected.
    #[error("column {column} is not what the code expects")]
    Column {
        /// Its name.
        column: String,
        /// What was wrong.
        #[source]
        source: Box<dyn std::error::Error + Send + Sync>,
    },
    /// A query that must find one row found none.
    #[error("no such row")]
    NoRow,
    /// The database URL is neither `sqlite:` nor `postgres:`.
    #[error("a database URL starts with sqlite: or postgres:")]
    UnknownEngine,
    /// The database was migrated by other migrations than this program's.
    #[error("migration {0} in the database differs from this program's")]
    ForeignMigration(String),
    /// The database is newer than this program.
    #[error("the database has {0} migrations, this program knows fewer")]
    NewerDatabase(i64),
    /// The writer has stopped or was too busy for too long.
    #[error("the writer is not taking changes")]
    WriterGone,
    /// The change's code panicked; it was rolled back.
    #[error("a change was abandoned by a defect")]
    Abandoned,
    /// The shared commit failed; nothing of the change is kept.
    #[error("the commit failed")]
    Commit,
    /// The machine gives no random numbers.
    #[error("there are no random numbers")]
    NoRandomness,
    /// A disk is full.
    #[error("the disk is full")]
    DiskFull,
}

impl Error {
    /// What sort of failure it is.
    #[must_use]
    pub fn kind(&self) -> Kind {
        match self {
            Self::Clash(_) => Kind::Conflict,
            Self::NoRow => Kind::NotFound,
            Self::WriterGone | Self::Commit | Self::DiskFull => Kind::Unavailable,
            Self::Engine(error) if is_unavailable(error) => Kind::Unavailable,
            // Another process holds the file for longer than one waits.
            Self::Embedded(error) if error.sqlite_error_code() == Some(ErrorCode::DatabaseBusy) => {
                Kind::Unavailable
            }
            Self::Engine(_)
            | Self::Embedded(_)
            | Self::Column { .. }
            | Self::UnknownEngine
            | Self::ForeignMigration(_)
            | Self::NewerDatabase(_)
            | Self::NoRandomness
            | Self::Abandoned => Kind::Internal,
        }
    }

    pub(crate) fn from_statement(error: sqlx::Error) -> Self {
        let database = error.as_database_error();
        if database.is_some_and(|e| e.is_unique_violation() || e.is_foreign_key_violation()) {
            return Self::Clash(error.into());
        }
        // SQLITE_FULL is 13; PostgreSQL's disk_full is 53100.
        if database
            .and_then(|e| e.code())
            .is_some_and(|code| code == "13" || code == "53100")
        {
            return Self::DiskFull;
        }
        Self::Engine(error)
    }
}

impl From<rusqlite::Error> for Error {
    fn from(error: rusqlite::Error) -> Self {
        match error.sqlite_error() {
            Some(failure) if failure.code == ErrorCode::DiskFull => Self::DiskFull,
            Some(failure)
                if [
                    SQLITE_CONSTRAINT_UNIQUE,
                    SQLITE_CONSTRAINT_PRIMARYKEY,
                    SQLITE_CONSTRAINT_FOREIGNKEY,
                ]
                .contains(&failure.extended_code) =>
            {
                Self::Clash(error.into())
            }
            Some(_) | None => Self::Embedded(error),
        }
    }
}

fn is_unavailable(error: &sqlx::Error) -> bool {
    matches!(
        error,
        sqlx::Error::PoolTimedOut | sqlx::Error::Io(_) | sqlx::Error::PoolClosed
    )
}
