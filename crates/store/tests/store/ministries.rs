//! The second lock: on `PostgreSQL` a wrong query, one that does not name a ministry, sees only the rows of the one it
//! works for.

use naru_kernel::{MinistryId, Tenant};
use naru_store::{Db, Engine, Error, FromRow, Row, params, testing::raw};
use naru_testkit::TestDatabase;

use crate::support::act;

/// Deliberately without `WHERE ministry = $1`.
const WRONG: &str = "SELECT id, ministry FROM things ORDER BY id";
const WRONG_COUNT: &str = "SELECT COUNT(*) AS n FROM things";
const WRONG_CHANGE: &str = "UPDATE things SET id = id || '!'";
const WRONG_REMOVAL: &str = "DELETE FROM things";
const ADD: &str = "INSERT INTO things (id, ministry) VALUES ($1, $2)";

struct Thing(String);

impl FromRow for Thing {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("id").map(Self)
    }
}

fn ministry(number: u128) -> MinistryId {
    MinistryId::from_bits(number)
}

/// Two things of ministry 1, three of ministry 2, on an engine that has row-level security.
async fn things() -> Option<TestDatabase> {
    let test = TestDatabase::open().await;
    if test.db.engine() == Engine::Sqlite {
        // There the SQL text alone keeps them apart; tests/api/ministries.rs reads every text.
        return None;
    }
    let make =
        "CREATE TABLE things (id TEXT PRIMARY KEY, ministry TEXT NOT NULL); SELECT naru_guard_ministries()";
    raw(&test.url, make).await.unwrap();
    for (id, number) in [("a1", 1), ("a2", 1), ("b1", 2), ("b2", 2), ("b3", 2)] {
        let added = test.db.change(act(id, Some(ministry(number))), move |tx| {
            Box::pin(async move { tx.exec(ADD, params![id, ministry(number)]).await })
        });
        assert_eq!(added.await.unwrap(), 1);
    }
    Some(test)
}

async fn seen(db: &Db, number: u128) -> Vec<String> {
    let rows: Vec<Thing> = db
        .within(Tenant::of(ministry(number)))
        .all(WRONG, params![])
        .await
        .unwrap();
    rows.into_iter().map(|Thing(id)| id).collect()
}

#[tokio::test]
async fn a_wrong_query_within_one_ministry_sees_no_row_of_another() {
    let Some(test) = things().await else { return };
    assert!(test.db.keeps_ministries_apart().await.unwrap());
    for _ in 0..20 {
        assert_eq!(seen(&test.db, 1).await, ["a1", "a2"]);
        assert_eq!(seen(&test.db, 2).await, ["b1", "b2", "b3"]);
        assert_eq!(seen(&test.db, 3).await, Vec::<String>::new());
    }
    // The platform sees all.
    assert_eq!(test.db.one::<i64>(WRONG_COUNT, params![]).await.unwrap(), 5);
}

#[tokio::test]
async fn ministries_that_read_at_once_do_not_mix() {
    let Some(test) = things().await else { return };
    let mut readers = Vec::new();
    for number in [1, 2, 3].repeat(10) {
        let db = test.db.clone();
        readers.push(crate::support::beside(async move {
            for _ in 0..10 {
                let expected = [("a", 2), ("b", 3), ("", 0)][usize::try_from(number - 1).unwrap()];
                let seen = seen(&db, number).await;
                assert_eq!(seen.len(), expected.1);
                assert!(seen.iter().all(|id| id.starts_with(expected.0)));
            }
        }));
    }
    for reader in readers {
        reader.await.unwrap();
    }
}

#[tokio::test]
async fn a_change_of_one_ministry_cannot_touch_another() {
    let Some(test) = things().await else { return };
    let touched = test.db.change(act("x", Some(ministry(1))), |tx| {
        Box::pin(async move { tx.exec(WRONG_CHANGE, params![]).await })
    });
    assert_eq!(touched.await.unwrap(), 2);
    let smuggled = test.db.change(act("x", Some(ministry(1))), |tx| {
        Box::pin(async move { tx.exec(ADD, params!["c", ministry(2)]).await })
    });
    smuggled.await.unwrap_err();
    let removed = test.db.change(act("x", Some(ministry(2))), |tx| {
        Box::pin(async move { tx.exec(WRONG_REMOVAL, params![]).await })
    });
    assert_eq!(removed.await.unwrap(), 3);
    assert_eq!(seen(&test.db, 1).await, ["a1!", "a2!"]);
    // Who must say so can reach across; the next change cannot again.
    let across = test.db.change(act("x", Some(ministry(2))), |tx| {
        Box::pin(async move {
            tx.across_ministries().await?;
            tx.exec(WRONG_CHANGE, params![]).await
        })
    });
    assert_eq!(across.await.unwrap(), 2);
    let again = test.db.change(act("x", Some(ministry(2))), |tx| {
        Box::pin(async move { tx.exec(WRONG_CHANGE, params![]).await })
    });
    assert_eq!(again.await.unwrap(), 0);
    // The platform's own work, and housekeeping, see all.
    let all = test.db.change(act("x", None), |tx| {
        Box::pin(async move { tx.exec(WRONG_REMOVAL, params![]).await })
    });
    assert_eq!(all.await.unwrap(), 2);
}

#[tokio::test]
async fn whoever_says_no_ministry_sees_nothing() {
    let Some(test) = things().await else { return };
    let check = "DO $$ BEGIN PERFORM set_config('naru.ministry', '', false); \
                 IF EXISTS (SELECT 1 FROM things) THEN RAISE EXCEPTION 'seen'; END IF; END $$";
    raw(&test.url, check).await.unwrap();
}

#[tokio::test]
async fn every_table_with_a_ministry_is_guarded() {
    let test = TestDatabase::open().await;
    if test.db.engine() == Engine::Sqlite {
        return;
    }
    let bare: Vec<Thing> = test
        .db
        .all(
            "SELECT CAST(c.relname AS TEXT) AS id FROM pg_class c \
             JOIN pg_namespace n ON n.oid = c.relnamespace AND n.nspname = current_schema() \
             JOIN pg_attribute a ON a.attrelid = c.oid AND a.attname = 'ministry' AND NOT a.attisdropped \
             WHERE c.relkind = 'r' AND NOT (c.relrowsecurity AND c.relforcerowsecurity \
             AND (SELECT COUNT(*) FROM pg_policies p WHERE p.schemaname = n.nspname AND p.tablename = c.relname) = 4)",
            params![],
        )
        .await
        .unwrap();
    let names: Vec<String> = bare.into_iter().map(|Thing(name)| name).collect();
    assert!(names.is_empty(), "not guarded: {names:?}");
    let guarded: i64 = test
        .db
        .one(
            "SELECT COUNT(DISTINCT tablename) AS n FROM pg_policies WHERE schemaname = current_schema()",
            params![],
        )
        .await
        .unwrap();
    assert!(guarded > 5, "only {guarded} tables are guarded");
}

/// What the second lock costs: printed, not judged.
#[tokio::test]
async fn figure_of_reading_as_one_ministry() {
    const READS: u32 = 500;
    let Some(test) = things().await else { return };
    let sql = "SELECT id, ministry FROM things WHERE ministry = $1 AND id = 'a1'";
    let of = Tenant::of(ministry(1));
    let mut spent = [std::time::Duration::ZERO; 2];
    for _ in 0..READS {
        let begun = now();
        test.db.all::<Thing>(sql, params![ministry(1)]).await.unwrap();
        let between = now();
        test.db
            .within(of)
            .all::<Thing>(sql, params![ministry(1)])
            .await
            .unwrap();
        spent[0] += between - begun;
        spent[1] += between.elapsed();
    }
    let [plain, within] = spent.map(|all| all.as_micros() / u128::from(READS));
    #[expect(clippy::print_stdout, reason = "a figure for people")]
    {
        println!("figure: a read {plain} us, as one ministry {within} us");
    }
}

#[expect(clippy::disallowed_methods, reason = "measures what a reader waits")]
fn now() -> std::time::Instant {
    std::time::Instant::now()
}
