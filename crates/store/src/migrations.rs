//! Migrations: one ordered list, one text for both engines.
//!
//! Types are written as `PostgreSQL` knows them; on `SQLite` they become its own and tables are `STRICT`. Lines
//! between `-- @sqlite` or `-- @postgres` and `-- @end` are for that engine alone.

use aws_lc_rs::digest;
use sqlx::{AssertSqlSafe, PgConnection, SqliteConnection};

use crate::{Engine, Error, FromRow, Row, db};

/// One step of the schema's history.
#[derive(Debug)]
pub struct Migration {
    /// Its file's name.
    pub name: &'static str,
    /// Its text.
    pub text: &'static str,
}

macro_rules! migrations {
    ($($name:literal),+ $(,)?) => {
        &[$(Migration { name: $name, text: include_str!(concat!("../../../migrations/", $name)) }),+]
    };
}

/// Every migration, in order. Once released, a file is never changed.
pub const MIGRATIONS: &[Migration] = migrations![
    "0001-record.sql",
    "0002-identity.sql",
    "0003-desktops.sql",
    "0004-applications.sql",
    "0005-sign-on.sql",
    "0006-saml.sql",
    "0007-tenants.sql",
    "0008-factors.sql",
    "0009-approvals.sql",
    "0010-policies.sql",
    "0011-record-tree.sql",
    "0012-row-security.sql",
];

crate::sql! {
    TABLE = "CREATE TABLE IF NOT EXISTS migrations (place BIGINT PRIMARY KEY, name TEXT NOT NULL, checksum TEXT NOT NULL)";
    APPLIED = "SELECT place, name, checksum FROM migrations ORDER BY place";
    APPLY = "INSERT INTO migrations (place, name, checksum) VALUES ($1, $2, $3)";
}

struct Applied {
    place: i64,
    name: String,
    checksum: String,
}

impl FromRow for Applied {
    fn from_row(row: &Row) -> Result<Self, Error> {
        Ok(Self {
            place: row.get("place")?,
            name: row.get("name")?,
            checksum: row.get("checksum")?,
        })
    }
}

impl Migration {
    fn checksum(&self) -> String {
        hex::encode(digest::digest(&digest::SHA256, self.text.as_bytes()))
    }

    /// The text for one engine.
    #[must_use]
    pub fn for_engine(&self, engine: Engine) -> String {
        let mut wanted = true;
        let mut text = String::new();
        for line in self.text.lines() {
            match line.trim() {
                "-- @sqlite" => wanted = engine == Engine::Sqlite,
                "-- @postgres" => wanted = engine == Engine::Postgres,
                "-- @end" => wanted = true,
                _ if wanted => {
                    text.push_str(line);
                    text.push('\n');
                }
                _ => {}
            }
        }
        match engine {
            Engine::Postgres => text,
            Engine::Sqlite => text
                .replace("BIGINT", "INTEGER")
                .replace("BYTEA", "BLOB")
                .replace("BOOLEAN", "INTEGER")
                .replace("DOUBLE PRECISION", "REAL")
                .replace("\n);", "\n) STRICT;"),
        }
    }
}

/// What is still to be applied, after checking that what was is ours.
fn pending(applied: &[Applied]) -> Result<Vec<(i64, &'static Migration)>, Error> {
    let mut rest = Vec::new();
    for (place, migration) in (1_i64..).zip(MIGRATIONS) {
        match applied.iter().find(|row| row.place == place) {
            Some(row) if row.checksum == migration.checksum() => {}
            Some(row) => return Err(Error::ForeignMigration(row.name.clone())),
            None => rest.push((place, migration)),
        }
    }
    let known = i64::try_from(MIGRATIONS.len()).unwrap_or(i64::MAX);
    match applied.iter().map(|row| row.place).max() {
        Some(newest) if newest > known => Err(Error::NewerDatabase(newest)),
        _ => Ok(rest),
    }
}

pub(crate) async fn run_sqlite(connection: &mut SqliteConnection) -> Result<(), Error> {
    db::exec_sqlite(connection, "BEGIN IMMEDIATE", Vec::new()).await?;
    db::exec_sqlite(connection, TABLE, Vec::new()).await?;
    let rows = db::rows_sqlite(&mut *connection, APPLIED, Vec::new()).await?;
    let applied = rows
        .iter()
        .map(Applied::from_row)
        .collect::<Result<Vec<_>, _>>()?;
    for (place, migration) in pending(&applied)? {
        let text = migration.for_engine(Engine::Sqlite);
        sqlx::raw_sql(AssertSqlSafe(text))
            .execute(&mut *connection)
            .await?;
        db::exec_sqlite(
            connection,
            APPLY,
            crate::params![place, migration.name, migration.checksum()],
        )
        .await?;
    }
    db::exec_sqlite(connection, "COMMIT", Vec::new()).await.map(drop)
}

pub(crate) async fn run_postgres(connection: &mut PgConnection) -> Result<(), Error> {
    // `IF NOT EXISTS` does not hold when two portals say it in the same moment: the loser is refused with one of
    // several codes, after the winner has committed. Said again it holds; another failure shows again.
    if db::exec_postgres(connection, TABLE, Vec::new()).await.is_err() {
        db::exec_postgres(connection, TABLE, Vec::new()).await?;
    }
    db::exec_postgres(connection, "BEGIN", Vec::new()).await?;
    // Two portals that start together: the second waits here and then finds nothing to do.
    db::exec_postgres(connection, "LOCK TABLE migrations IN EXCLUSIVE MODE", Vec::new()).await?;
    let rows = db::rows_postgres(&mut *connection, APPLIED, Vec::new()).await?;
    let applied = rows
        .iter()
        .map(Applied::from_row)
        .collect::<Result<Vec<_>, _>>()?;
    for (place, migration) in pending(&applied)? {
        let text = migration.for_engine(Engine::Postgres);
        sqlx::raw_sql(AssertSqlSafe(text))
            .execute(&mut *connection)
            .await?;
        db::exec_postgres(
            connection,
            APPLY,
            crate::params![place, migration.name, migration.checksum()],
        )
        .await?;
    }
    db::exec_postgres(connection, "COMMIT", Vec::new())
        .await
        .map(drop)
}
