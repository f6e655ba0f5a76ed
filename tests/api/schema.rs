//! Generated documents say what the code does.

use std::path::{Path, PathBuf};

use naru_testkit::TestDatabase;
use serde_json::Value;

use crate::world::World;

/// Set to write `docs/schema.sql` anew instead of comparing.
const WRITE: &str = "NARU_WRITE_SCHEMA";

fn document(name: &str) -> PathBuf {
    Path::new(env!("CARGO_MANIFEST_DIR")).join("../docs").join(name)
}

#[tokio::test]
async fn the_openapi_description_is_that_of_the_routes() {
    let world = World::new().await;
    let described = naru_runtime::openapi::describe(&world.table, env!("CARGO_PKG_VERSION"));
    let paths = described["paths"].as_object().unwrap();
    for route in &world.table {
        assert!(
            route.summary.len() >= 5,
            "{} {} says too little",
            route.method,
            route.path
        );
        let operation = &paths[route.path][route.method.as_str().to_lowercase()];
        assert!(
            operation.is_object(),
            "{} {} is not described",
            route.method,
            route.path
        );
    }
    let text = std::fs::read_to_string(document("openapi.json")).unwrap_or_default();
    let written: Value = serde_json::from_str(&text).unwrap_or(Value::Null);
    if written != described {
        let stale: Vec<&String> = paths
            .iter()
            .filter(|(path, item)| written["paths"][path.as_str()] != **item)
            .map(|(path, _)| path)
            .collect();
        panic!(
            "docs/openapi.json is not up to date: run `cargo xtask openapi` ({stale:?} or schemas differ)"
        );
    }
}

#[tokio::test]
async fn the_written_schema_is_what_migrations_make() {
    struct Text(String);
    impl naru_store::FromRow for Text {
        fn from_row(row: &naru_store::Row) -> Result<Self, naru_store::Error> {
            row.get("sql").map(Self)
        }
    }
    // The document shows the SQLite form; the store's own tests prove that both engines have the same tables.
    let database = TestDatabase::open_sqlite().await;
    let sql = "SELECT sql FROM sqlite_schema WHERE sql IS NOT NULL AND name NOT LIKE 'sqlite_%' \
               ORDER BY tbl_name, CASE type WHEN 'table' THEN 0 WHEN 'index' THEN 1 ELSE 2 END, name";
    let parts: Vec<Text> = database.db.all(sql, Vec::new()).await.unwrap();
    let mut schema =
        "-- What all migrations make of an empty database, in SQLite's form. Written by a test.\n".to_owned();
    for Text(part) in parts {
        schema.push_str(&format!("\n{};\n", part.trim()));
    }
    let path = document("schema.sql");
    if std::env::var_os(WRITE).is_some() {
        std::fs::write(&path, &schema).unwrap();
    }
    let written = std::fs::read_to_string(&path).unwrap_or_default();
    assert!(
        written == schema,
        "docs/schema.sql is not up to date: run `{WRITE}=1 cargo test -p naru-tests --test api schema`"
    );
}
