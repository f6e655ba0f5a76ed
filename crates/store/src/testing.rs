//! For tests only: what needs the engine itself.

use std::str::FromStr as _;

use sqlx::{AssertSqlSafe, ConnectOptions as _, postgres::PgConnectOptions};

use crate::Error;

/// Makes an empty schema on a `PostgreSQL` server.
///
/// # Errors
/// When the server cannot be reached or the schema is there.
pub async fn create_schema(server: &str, name: &str) -> Result<(), Error> {
    let mut connection = PgConnectOptions::from_str(server)?.connect().await?;
    sqlx::raw_sql(AssertSqlSafe(format!("CREATE SCHEMA {name}")))
        .execute(&mut connection)
        .await?;
    Ok(())
}

/// Runs any text on the database, bypassing all guards: for tests that play the vandal.
///
/// # Errors
/// What the engine says.
pub async fn raw(url: &str, text: &str) -> Result<(), Error> {
    if let Some(path) = url.strip_prefix("sqlite:") {
        let mut connection = sqlx::sqlite::SqliteConnectOptions::new()
            .filename(path)
            .connect()
            .await?;
        sqlx::raw_sql(AssertSqlSafe(text.to_owned()))
            .execute(&mut connection)
            .await?;
    } else {
        let mut connection = PgConnectOptions::from_str(url)?.connect().await?;
        sqlx::raw_sql(AssertSqlSafe(text.to_owned()))
            .execute(&mut connection)
            .await?;
    }
    Ok(())
}
