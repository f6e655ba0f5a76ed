//! For tests only: what needs the engine itself.

use std::str::FromStr as _;

use sqlx::{AssertSqlSafe, ConnectOptions as _, postgres::PgConnectOptions};

use crate::{
    Error,
    db::{EVERY_MINISTRY, SETTING},
};

/// What plays the database's user where the server's own is a superuser: row security would not hold that one.
const PLAIN_USER: &str = "naru_plain";
const MAKE_PLAIN_USER: &str = "DO $$ BEGIN CREATE ROLE naru_plain NOLOGIN NOSUPERUSER NOBYPASSRLS; \
     EXCEPTION WHEN duplicate_object OR unique_violation THEN NULL; END $$";

/// Makes an empty schema, and gives a URL that uses it as a user whom row security holds.
///
/// # Errors
/// When the server cannot be reached or the schema is there.
pub async fn fresh_schema(server: &str, name: &str) -> Result<String, Error> {
    let mut connection = PgConnectOptions::from_str(server)?.connect().await?;
    let powerful =
        "SELECT CAST(COUNT(*) AS BIGINT) AS n FROM pg_roles WHERE rolname = current_user AND rolsuper";
    let is_superuser: i64 = sqlx::query_scalar(powerful).fetch_one(&mut connection).await?;
    let separator = if server.contains('?') { '&' } else { '?' };
    let mut url = format!("{server}{separator}options=-c%20search_path%3D{name}");
    let owner = if is_superuser == 1 {
        sqlx::raw_sql(MAKE_PLAIN_USER).execute(&mut connection).await?;
        url.push_str("%20-c%20role%3D");
        url.push_str(PLAIN_USER);
        PLAIN_USER
    } else {
        "current_user"
    };
    sqlx::raw_sql(AssertSqlSafe(format!(
        "CREATE SCHEMA {name} AUTHORIZATION {owner}"
    )))
    .execute(&mut connection)
    .await?;
    Ok(url)
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
        let options = PgConnectOptions::from_str(url)?.options([(SETTING, EVERY_MINISTRY)]);
        let mut connection = options.connect().await?;
        sqlx::raw_sql(AssertSqlSafe(text.to_owned()))
            .execute(&mut connection)
            .await?;
    }
    Ok(())
}
