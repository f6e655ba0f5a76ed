//! A fresh database per test, on `SQLite` or, when `NARU_TEST_POSTGRES` names a server, on `PostgreSQL`.

use std::sync::atomic::{AtomicU64, Ordering};

use naru_store::Db;

static NUMBER: AtomicU64 = AtomicU64::new(0);

/// The server to test on, if the suite runs on `PostgreSQL`: a URL that names a database.
#[must_use]
pub fn postgres_url() -> Option<String> {
    std::env::var("NARU_TEST_POSTGRES")
        .ok()
        .filter(|url| !url.is_empty())
}

/// A migrated, empty database; gone when dropped.
pub struct TestDatabase {
    /// The handle.
    pub db: Db,
    /// Its URL, to open it a second time.
    pub url: String,
    /// Where it lies, on `SQLite`; removed when dropped.
    pub directory: Option<tempfile::TempDir>,
}

impl TestDatabase {
    /// Makes one on the engine of this run.
    pub async fn open() -> Self {
        match postgres_url() {
            Some(server) => Self::open_postgres(&server).await,
            None => Self::open_sqlite().await,
        }
    }

    /// Makes one on `SQLite`.
    pub async fn open_sqlite() -> Self {
        let directory = tempfile::tempdir().expect("a temporary directory");
        let url = format!("sqlite:{}", directory.path().join("naru.db").display());
        let db = Db::open(&url).await.expect("a fresh database");
        Self {
            db,
            url,
            directory: Some(directory),
        }
    }

    /// Makes a schema of its own on a server.
    pub async fn open_postgres(server: &str) -> Self {
        let number = NUMBER.fetch_add(1, Ordering::SeqCst);
        let schema = format!("naru_test_{}_{number}", std::process::id());
        let url = naru_store::testing::fresh_schema(server, &schema)
            .await
            .expect("a fresh schema");
        let db = Db::open(&url).await.expect("a fresh database");
        Self {
            db,
            url,
            directory: None,
        }
    }
}
