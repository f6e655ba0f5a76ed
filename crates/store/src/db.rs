//! The database: one writer, several readers, on either engine.

use std::{str::FromStr as _, sync::Arc, time::Duration};

use sqlx::{
    Executor as _, PgConnection, PgPool, SqliteConnection, SqlitePool,
    postgres::{PgConnectOptions, PgPoolOptions},
    sqlite::{SqliteConnectOptions, SqliteJournalMode, SqlitePoolOptions, SqliteSynchronous},
};

use crate::{
    Act, BoxFuture, Error, FromRow, HOUSEKEEPING, Row, Tx, Value,
    change::Connection,
    embedded::Embedded,
    migrations,
    writer::{self, Writer},
};

/// Reading connections per process.
const READERS_MAX: u32 = 8;
/// Writing connections per process on `PostgreSQL`; `SQLite` has one.
const POSTGRES_WRITERS_MAX: u32 = 16;
/// How long one waits for a connection.
const ACQUIRE_SECONDS_MAX: u64 = 5;
/// How long `SQLite` waits for another process's lock.
const BUSY_SECONDS_MAX: u64 = 5;

/// Which engine.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Engine {
    /// Embedded.
    Sqlite,
    /// A server.
    Postgres,
}

#[derive(Clone)]
enum Pools {
    Sqlite {
        writer: Arc<Writer>,
        readers: SqlitePool,
    },
    Postgres {
        writers: PgPool,
        readers: PgPool,
    },
}

/// A handle on the database; cheap to clone.
#[derive(Clone)]
pub struct Db(Pools);

impl Db {
    /// Opens the database of this URL (`sqlite:PATH` or `postgres://…`) and migrates it.
    ///
    /// # Errors
    /// When the URL is of no known engine, the database cannot be reached or was migrated by another program.
    pub async fn open(url: &str) -> Result<Self, Error> {
        if let Some(path) = url.strip_prefix("sqlite:") {
            Self::open_sqlite(path).await
        } else if url.starts_with("postgres:") || url.starts_with("postgresql:") {
            Self::open_postgres(url).await
        } else {
            Err(Error::UnknownEngine)
        }
    }

    async fn open_sqlite(path: &str) -> Result<Self, Error> {
        let options = SqliteConnectOptions::new()
            .filename(path)
            .create_if_missing(true)
            .journal_mode(SqliteJournalMode::Wal)
            .synchronous(SqliteSynchronous::Full)
            .foreign_keys(true)
            .busy_timeout(Duration::from_secs(BUSY_SECONDS_MAX));
        let mut connection = sqlx::ConnectOptions::connect(&options).await?;
        migrations::run_sqlite(&mut connection).await?;
        sqlx::Connection::close(connection).await?;
        let connection = Embedded::open(path, Duration::from_secs(BUSY_SECONDS_MAX))?;
        let readers = SqlitePoolOptions::new()
            .max_connections(READERS_MAX)
            .acquire_timeout(Duration::from_secs(ACQUIRE_SECONDS_MAX))
            // There is no server that could have gone away; asking doubled what a read costs.
            .test_before_acquire(false)
            .connect_with(options.read_only(true).create_if_missing(false))
            .await?;
        Ok(Self(Pools::Sqlite {
            writer: Arc::new(Writer::start(connection)?),
            readers,
        }))
    }

    async fn open_postgres(url: &str) -> Result<Self, Error> {
        let options = PgConnectOptions::from_str(url)?;
        let mut connection = sqlx::ConnectOptions::connect(&options).await?;
        migrations::run_postgres(&mut connection).await?;
        let pool = |size| {
            PgPoolOptions::new()
                .max_connections(size)
                .acquire_timeout(Duration::from_secs(ACQUIRE_SECONDS_MAX))
                .connect_lazy_with(options.clone())
        };
        Ok(Self(Pools::Postgres {
            writers: pool(POSTGRES_WRITERS_MAX),
            readers: pool(READERS_MAX),
        }))
    }

    /// Which engine it runs on.
    #[must_use]
    pub fn engine(&self) -> Engine {
        match &self.0 {
            Pools::Sqlite { .. } => Engine::Sqlite,
            Pools::Postgres { .. } => Engine::Postgres,
        }
    }

    /// Changes something: runs `work` in a transaction and appends `act` to the record in the same one. When `work`
    /// fails nothing is kept, not even the entry; to keep a refusal, say [`Tx::refused`] and return `Ok`.
    ///
    /// # Errors
    /// What `work` returns, or the store's own.
    pub async fn change<T, E, W>(&self, act: Act, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        self.write(move |tx| {
            Box::pin(async move {
                let value = work(tx).await?;
                tx.append(&act).await?;
                Ok(value)
            })
        })
        .await
    }

    /// Appends an entry alone, for a refusal that changed nothing.
    ///
    /// # Errors
    /// The store's own.
    pub async fn record(
        &self,
        act: Act,
        outcome: crate::Outcome,
        detail: serde_json::Value,
    ) -> Result<(), Error> {
        self.change(act, move |tx| {
            Box::pin(async move {
                tx.outcome = outcome;
                if let serde_json::Value::Object(map) = detail {
                    tx.detail = map;
                }
                Ok(())
            })
        })
        .await
    }

    /// Changes something without an entry; `name` must stand in [`HOUSEKEEPING`].
    ///
    /// # Errors
    /// What `work` returns, or the store's own.
    pub async fn housekeep<T, E, W>(&self, name: &'static str, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        debug_assert!(
            HOUSEKEEPING.iter().any(|(known, _)| *known == name),
            "{name} is not housekeeping"
        );
        self.write(work).await
    }

    async fn write<T, E, W>(&self, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        match &self.0 {
            Pools::Sqlite { writer, .. } => writer.submit(work).await,
            Pools::Postgres { writers, .. } => {
                let connection = writers.acquire().await.map_err(Error::from)?;
                writer::run_alone(Tx::new(Connection::Postgres(connection)), work).await
            }
        }
    }

    /// All rows of a query.
    ///
    /// # Errors
    /// What the engine says, or a column that does not fit.
    pub async fn all<T: FromRow>(&self, sql: &'static str, params: Vec<Value>) -> Result<Vec<T>, Error> {
        let rows = match &self.0 {
            Pools::Sqlite { readers, .. } => rows_sqlite(readers, sql, params).await?,
            Pools::Postgres { readers, .. } => rows_postgres(readers, sql, params).await?,
        };
        rows.iter().map(T::from_row).collect()
    }

    /// The first row of a query, if any.
    ///
    /// # Errors
    /// What the engine says, or a column that does not fit.
    pub async fn optional<T: FromRow>(
        &self,
        sql: &'static str,
        params: Vec<Value>,
    ) -> Result<Option<T>, Error> {
        Ok(self.all(sql, params).await?.into_iter().next())
    }

    /// The first row of a query.
    ///
    /// # Errors
    /// [`Error::NoRow`] if there is none.
    pub async fn one<T: FromRow>(&self, sql: &'static str, params: Vec<Value>) -> Result<T, Error> {
        self.optional(sql, params).await?.ok_or(Error::NoRow)
    }

    /// Prepares a statement without running it: checks syntax, tables and columns.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn prepare(&self, sql: &'static str) -> Result<(), Error> {
        let text = sqlx::SqlStr::from_static(sql);
        match &self.0 {
            Pools::Sqlite { readers, .. } => readers.acquire().await?.prepare(text).await.map(drop)?,
            Pools::Postgres { readers, .. } => readers.acquire().await?.prepare(text).await.map(drop)?,
        }
        Ok(())
    }

    /// Whether the database answers.
    ///
    /// # Errors
    /// When it does not.
    pub async fn ping(&self) -> Result<(), Error> {
        self.one::<i64>("SELECT CAST(1 AS BIGINT) AS n", Vec::new())
            .await
            .map(drop)
    }

    /// Stops taking changes, waits for those under way, closes the connections.
    pub async fn close(&self) {
        match &self.0 {
            Pools::Sqlite { writer, readers } => {
                writer.stop().await;
                readers.close().await;
            }
            Pools::Postgres { writers, readers } => {
                writers.close().await;
                readers.close().await;
            }
        }
    }
}

macro_rules! bound {
    ($query:expr, $params:expr) => {{
        let mut query = $query;
        for value in $params {
            query = match value {
                Value::Integer(value) => query.bind(value),
                Value::Bool(value) => query.bind(value),
                Value::Real(value) => query.bind(value),
                Value::Text(value) => query.bind(value),
                Value::Bytes(value) => query.bind(value),
            };
        }
        query
    }};
}

pub(crate) async fn exec_sqlite(
    connection: &mut SqliteConnection,
    sql: &'static str,
    params: Vec<Value>,
) -> Result<u64, Error> {
    let done = bound!(sqlx::query(sql), params).execute(connection).await;
    done.map(|done| done.rows_affected())
        .map_err(Error::from_statement)
}

pub(crate) async fn exec_postgres(
    connection: &mut PgConnection,
    sql: &'static str,
    params: Vec<Value>,
) -> Result<u64, Error> {
    let done = bound!(sqlx::query(sql), params).execute(connection).await;
    done.map(|done| done.rows_affected())
        .map_err(Error::from_statement)
}

pub(crate) async fn rows_sqlite(
    executor: impl sqlx::Executor<'_, Database = sqlx::Sqlite>,
    sql: &'static str,
    params: Vec<Value>,
) -> Result<Vec<Row>, Error> {
    let rows = bound!(sqlx::query(sql), params).fetch_all(executor).await;
    rows.map(|rows| rows.into_iter().map(Row::Sqlite).collect())
        .map_err(Error::from_statement)
}

pub(crate) async fn rows_postgres(
    executor: impl sqlx::Executor<'_, Database = sqlx::Postgres>,
    sql: &'static str,
    params: Vec<Value>,
) -> Result<Vec<Row>, Error> {
    let rows = bound!(sqlx::query(sql), params).fetch_all(executor).await;
    rows.map(|rows| rows.into_iter().map(Row::Postgres).collect())
        .map_err(Error::from_statement)
}
