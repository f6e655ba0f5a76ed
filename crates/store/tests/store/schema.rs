//! Migrations: from empty to now, the same on both engines, and only ours.

use naru_store::{Db, Engine, Error, FromRow, MIGRATIONS, Row, testing};
use naru_testkit::{TestDatabase, postgres_url};

use crate::support::{beside, change, names};

const SQLITE_COLUMNS: &str = "SELECT m.name AS held_by, p.name AS name, p.type AS type, p.\"notnull\" AS needed \
    FROM sqlite_schema m JOIN pragma_table_info(m.name) p WHERE m.type = 'table' ORDER BY m.name, p.name";
const POSTGRES_COLUMNS: &str = "SELECT CAST(table_name AS TEXT) AS held_by, CAST(column_name AS TEXT) AS name, \
    CAST(data_type AS TEXT) AS type, CAST(CASE is_nullable WHEN 'NO' THEN 1 ELSE 0 END AS BIGINT) AS needed \
    FROM information_schema.columns WHERE table_schema = current_schema() ORDER BY table_name, column_name";
const SQLITE_INDEXES: &str = "SELECT tbl_name AS held_by, name AS name, '' AS type, 0 AS needed FROM sqlite_schema \
    WHERE type = 'index' AND sql IS NOT NULL ORDER BY name";
const POSTGRES_INDEXES: &str = "SELECT CAST(tablename AS TEXT) AS held_by, CAST(indexname AS TEXT) AS name, \
    '' AS type, CAST(0 AS BIGINT) AS needed FROM pg_indexes WHERE schemaname = current_schema() ORDER BY indexname";

/// A column or an index, as both engines would put it.
#[derive(Debug, PartialEq, Eq, PartialOrd, Ord)]
struct Thing {
    held_by: String,
    name: String,
    kind: &'static str,
    needed: bool,
}

impl FromRow for Thing {
    fn from_row(row: &Row) -> Result<Self, Error> {
        let kind: String = row.get("type")?;
        Ok(Self {
            held_by: row.get("held_by")?,
            name: row.get("name")?,
            kind: match kind.as_str() {
                "INTEGER" | "BIGINT" | "bigint" | "BOOLEAN" | "boolean" => "integer",
                "TEXT" | "text" => "text",
                "BLOB" | "bytea" => "bytes",
                "REAL" | "double precision" => "real",
                "" => "index",
                _ => "unknown",
            },
            // `SQLite` reports a primary key of text as nullable unless it says NOT NULL; only real columns count.
            needed: row.get::<i64>("needed")? == 1,
        })
    }
}

async fn things(db: &Db) -> Vec<Thing> {
    let (columns, indexes) = match db.engine() {
        Engine::Sqlite => (SQLITE_COLUMNS, SQLITE_INDEXES),
        Engine::Postgres => (POSTGRES_COLUMNS, POSTGRES_INDEXES),
    };
    let mut found: Vec<Thing> = db.all(columns, Vec::new()).await.unwrap();
    let indexes: Vec<Thing> = db.all(indexes, Vec::new()).await.unwrap();
    // Keys have indexes of the engine's own making, named after their table.
    found.extend(
        indexes
            .into_iter()
            .filter(|index| !index.name.ends_with("_pkey") && !index.name.ends_with("_key")),
    );
    found.sort();
    found
}

#[tokio::test]
async fn both_engines_have_the_same_tables() {
    let Some(server) = postgres_url() else {
        // Says nothing on the SQLite run: the PostgreSQL run of the same suite does it.
        assert_eq!(
            things(&TestDatabase::open_sqlite().await.db)
                .await
                .iter()
                .filter(|t| t.kind == "unknown")
                .count(),
            0
        );
        return;
    };
    let sqlite = things(&TestDatabase::open_sqlite().await.db).await;
    let postgres = things(&TestDatabase::open_postgres(&server).await.db).await;
    let bare = |things: &[Thing]| -> Vec<String> {
        things
            .iter()
            .map(|t| format!("{}.{} {}", t.held_by, t.name, t.kind))
            .collect()
    };
    assert_eq!(bare(&sqlite), bare(&postgres));
    assert!(
        sqlite.len() > 20,
        "only {} columns and indexes were seen",
        sqlite.len()
    );
}

#[tokio::test]
async fn opening_again_migrates_nothing_and_keeps_everything() {
    let test = TestDatabase::open().await;
    change(&test.db, "kept").await.unwrap();
    test.db.close().await;
    let again = Db::open(&test.url).await.unwrap();
    assert_eq!(names(&again).await, ["kept"]);
    let applied = again
        .one::<i64>("SELECT CAST(COUNT(*) AS BIGINT) AS n FROM migrations", Vec::new())
        .await
        .unwrap();
    assert_eq!(applied, i64::try_from(MIGRATIONS.len()).unwrap());
}

#[tokio::test]
async fn a_foreign_migration_is_refused() {
    let test = TestDatabase::open().await;
    testing::raw(
        &test.url,
        "UPDATE migrations SET checksum = 'other' WHERE place = 1",
    )
    .await
    .unwrap();
    let refused = Db::open(&test.url).await.map(drop).unwrap_err();
    assert!(
        matches!(&refused, Error::ForeignMigration(name) if name == MIGRATIONS[0].name),
        "{refused:?}"
    );
}

#[tokio::test]
async fn a_newer_database_is_refused() {
    let test = TestDatabase::open().await;
    testing::raw(
        &test.url,
        "INSERT INTO migrations (place, name, checksum) VALUES (9000, 'later.sql', 'x')",
    )
    .await
    .unwrap();
    let refused = Db::open(&test.url).await.map(drop).unwrap_err();
    assert!(matches!(refused, Error::NewerDatabase(9000)), "{refused:?}");
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn portals_that_start_together_migrate_once() {
    let directory = tempfile::tempdir().unwrap();
    // Without tables yet: opened by many at once.
    let url = match postgres_url() {
        Some(server) => {
            let name = format!("naru_race_{}", std::process::id());
            testing::fresh_schema(&server, &name).await.unwrap()
        }
        None => format!("sqlite:{}", directory.path().join("naru.db").display()),
    };
    let openings: Vec<_> = (0..6)
        .map(|_| {
            let url = url.clone();
            beside(async move { Db::open(&url).await.map(drop) })
        })
        .collect();
    for opening in openings {
        opening.await.unwrap().unwrap();
    }
    let db = Db::open(&url).await.unwrap();
    change(&db, "works").await.unwrap();
}

#[tokio::test]
async fn an_unknown_engine_is_refused_by_name() {
    let refused = Db::open("mysql://localhost/naru").await.map(drop).unwrap_err();
    assert!(matches!(refused, Error::UnknownEngine), "{refused:?}");
}

#[tokio::test]
async fn tables_are_strict() {
    let test = TestDatabase::open().await;
    let wrong = testing::raw(
        &test.url,
        "INSERT INTO secrets (name, value, created_at) VALUES ('a', 'text', 'now')",
    )
    .await;
    assert!(wrong.is_err(), "a text went into a number");
}
