//! The database: one writer, several readers, on either engine.

use std::{str::FromStr as _, sync::Arc, time::Duration};

use naru_kernel::Tenant;
use sqlx::{
    AssertSqlSafe, Executor as _, PgConnection, PgPool, Postgres, SqliteConnection, SqlitePool,
    pool::PoolConnection,
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

/// The setting that row security goes by: a ministry, or all of them.
pub(crate) const SETTING: &str = "naru.ministry";
pub(crate) const EVERY_MINISTRY: &str = "*";
/// Whether row security does not hold this user: `PostgreSQL` only.
const POWERFUL: &str =
    "SELECT COUNT(*) AS n FROM pg_roles WHERE rolname = current_user AND (rolsuper OR rolbypassrls)";

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
        /// For reading as one ministry: connections that see nothing until they are told which.
        tenants: PgPool,
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
        let bare = PgConnectOptions::from_str(url)?;
        // Work of the platform itself sees every ministry.
        let options = bare.clone().options([(SETTING, EVERY_MINISTRY)]);
        let mut connection = sqlx::ConnectOptions::connect(&options).await?;
        migrations::run_postgres(&mut connection).await?;
        let pool = |size| {
            PgPoolOptions::new()
                .max_connections(size)
                .acquire_timeout(Duration::from_secs(ACQUIRE_SECONDS_MAX))
        };
        let db = Self(Pools::Postgres {
            writers: pool(POSTGRES_WRITERS_MAX).connect_lazy_with(options.clone()),
            readers: pool(READERS_MAX).connect_lazy_with(options),
            // Telling a connection its ministry shows whether it is still there.
            tenants: pool(READERS_MAX)
                .test_before_acquire(false)
                .connect_lazy_with(bare),
        });
        if !db.keeps_ministries_apart().await? {
            tracing::warn!(
                "the database's user is a superuser or may bypass row security: PostgreSQL does not keep ministries apart"
            );
        }
        Ok(db)
    }

    /// Whether the engine holds rows of ministries apart as well: on `PostgreSQL`, unless the user may bypass it. On
    /// `SQLite`, which has nothing of the kind and no users, it is as good as it gets.
    ///
    /// # Errors
    /// What the engine says.
    pub async fn keeps_ministries_apart(&self) -> Result<bool, Error> {
        match &self.0 {
            Pools::Sqlite { .. } => Ok(true),
            Pools::Postgres { .. } => Ok(self.one::<i64>(POWERFUL, Vec::new()).await? == 0),
        }
    }

    /// Rows as one ministry sees them.
    pub(crate) async fn rows_within(
        &self,
        tenant: Tenant,
        sql: &'static str,
        params: Vec<Value>,
    ) -> Result<Vec<Row>, Error> {
        match &self.0 {
            Pools::Sqlite { readers, .. } => rows_sqlite(readers, sql, params).await,
            Pools::Postgres { tenants, .. } => {
                let mut connection = connection_of(tenants, tenant).await?;
                rows_postgres(&mut *connection, sql, params).await
            }
        }
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
        let tenant = act.ministry.map(Tenant::of);
        self.write(tenant, move |tx| {
            Box::pin(async move {
                let value = work(tx).await?;
                tx.append(&act).await?;
                tx.append_also().await?;
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
        self.write(None, work).await
    }

    /// Writes as one ministry, or as the platform.
    async fn write<T, E, W>(&self, tenant: Option<Tenant>, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        match &self.0 {
            Pools::Sqlite { writer, .. } => writer.submit(work).await,
            Pools::Postgres { writers, .. } => {
                let connection = writers.acquire().await.map_err(Error::from)?;
                writer::run_alone(Tx::new(Connection::Postgres(connection)), tenant, work).await
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
            Pools::Postgres {
                writers,
                readers,
                tenants,
            } => {
                writers.close().await;
                readers.close().await;
                tenants.close().await;
            }
        }
    }
}

/// A connection that sees the rows of one ministry. Those that have died meanwhile are thrown away.
async fn connection_of(pool: &PgPool, tenant: Tenant) -> Result<PoolConnection<Postgres>, Error> {
    // The identifier is made of small letters, digits and underscores.
    let tell = format!("SET {SETTING} = '{tenant}'");
    let mut tries_left = READERS_MAX;
    loop {
        let mut connection = pool.acquire().await?;
        let told = sqlx::raw_sql(AssertSqlSafe(tell.clone()))
            .execute(&mut *connection)
            .await;
        match told {
            Ok(_) => return Ok(connection),
            Err(error) if tries_left == 0 || error.as_database_error().is_some() => return Err(error.into()),
            Err(_) => {
                tries_left = tries_left.saturating_sub(1);
                drop(connection.detach());
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
    executor: impl sqlx::Executor<'_, Database = Postgres>,
    sql: &'static str,
    params: Vec<Value>,
) -> Result<Vec<Row>, Error> {
    let rows = bound!(sqlx::query(sql), params).fetch_all(executor).await;
    rows.map(|rows| rows.into_iter().map(Row::Postgres).collect())
        .map_err(Error::from_statement)
}
