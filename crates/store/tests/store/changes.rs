//! One change: all of it or nothing, and its entry with it.

use naru_kernel::MinistryId;
use naru_store::{By, Entry, Error, PLATFORM_STREAM, params, verify_stream};
use naru_testkit::TestDatabase;

use crate::support::{act, beside, change, entries, names, put};

const NEWEST: &str = "SELECT stream, sequence, at, action, outcome, actor, subject, address, detail, hash FROM audit \
                      WHERE stream = $1 ORDER BY sequence DESC LIMIT 1";

#[tokio::test]
async fn a_change_and_its_entry_come_together() {
    let test = TestDatabase::open().await;
    change(&test.db, "a").await.unwrap();
    assert_eq!(names(&test.db).await, ["a"]);
    let entry = test
        .db
        .one::<Entry>(NEWEST, params![PLATFORM_STREAM])
        .await
        .unwrap();
    assert_eq!(
        (
            entry.action.as_str(),
            entry.outcome.as_str(),
            entry.subject.as_str(),
            entry.address.as_str()
        ),
        ("store.test", "done", "a", "192.0.2.1")
    );
}

#[tokio::test]
async fn a_failed_change_leaves_neither_row_nor_entry() {
    let test = TestDatabase::open().await;
    let result: Result<(), Error> = test
        .db
        .change(act("a", None), |tx| {
            Box::pin(async move {
                put(tx, "a", b"1").await?;
                Err(Error::NoRow)
            })
        })
        .await;
    assert!(matches!(result, Err(Error::NoRow)));
    assert_eq!(names(&test.db).await, Vec::<String>::new());
    assert_eq!(entries(&test.db).await, 0);
}

#[tokio::test]
async fn when_the_entry_cannot_be_written_nor_is_the_row() {
    let test = TestDatabase::open().await;
    change(&test.db, "before").await.unwrap();
    naru_store::testing::raw(&test.url, "ALTER TABLE audit RENAME TO audit_away")
        .await
        .unwrap();
    assert!(change(&test.db, "during").await.is_err());
    naru_store::testing::raw(&test.url, "ALTER TABLE audit_away RENAME TO audit")
        .await
        .unwrap();
    assert_eq!(names(&test.db).await, ["before"]);
    assert_eq!(verify_stream(&test.db, PLATFORM_STREAM).await.unwrap(), Ok(1));
}

#[tokio::test]
async fn a_refusal_keeps_what_was_counted_and_says_so() {
    let test = TestDatabase::open().await;
    let ministry = MinistryId::from_bits(7);
    test.db
        .change::<_, Error, _>(act("somebody", None), move |tx| {
            Box::pin(async move {
                put(tx, "failures", b"1").await?;
                tx.by(By::Anyone, Some(ministry));
                tx.about("door");
                tx.note("attempt", 3);
                tx.refused("store.no");
                Ok(())
            })
        })
        .await
        .unwrap();
    assert_eq!(names(&test.db).await, ["failures"]);
    let stream = ministry.to_string();
    let entry = test.db.one::<Entry>(NEWEST, params![stream]).await.unwrap();
    assert_eq!(
        (
            entry.outcome.as_str(),
            entry.subject.as_str(),
            entry.actor.as_str()
        ),
        ("refused", "door", "anyone")
    );
    assert_eq!(entry.detail, r#"{"attempt":3,"code":"store.no"}"#);
}

#[tokio::test]
async fn notes_of_one_change_do_not_reach_the_next() {
    let test = TestDatabase::open().await;
    let failed: Result<(), Error> = test
        .db
        .change(act("first", None), |tx| {
            Box::pin(async move {
                tx.refused("store.no");
                tx.about("first");
                tx.note("of", "first");
                Err(Error::NoRow)
            })
        })
        .await;
    failed.unwrap_err();
    change(&test.db, "second").await.unwrap();
    let entry = test
        .db
        .one::<Entry>(NEWEST, params![PLATFORM_STREAM])
        .await
        .unwrap();
    assert_eq!(
        (
            entry.outcome.as_str(),
            entry.subject.as_str(),
            entry.detail.as_str()
        ),
        ("done", "second", "{}")
    );
}

#[tokio::test]
async fn a_panicking_change_is_undone_and_the_next_one_works() {
    let test = TestDatabase::open().await;
    let db = test.db.clone();
    let panicking = beside(async move {
        db.change::<(), Error, _>(act("a", None), |tx| {
            Box::pin(async move {
                put(tx, "a", b"1").await?;
                panic!("a defect in a change");
            })
        })
        .await
    });
    match panicking.await {
        // On `SQLite` the panic stays in the writer; on `PostgreSQL` it is the caller's own.
        Ok(result) => assert!(matches!(result, Err(Error::Abandoned)), "{result:?}"),
        Err(join) => assert!(join.is_panic()),
    }
    change(&test.db, "b").await.unwrap();
    assert_eq!(names(&test.db).await, ["b"]);
    assert_eq!(verify_stream(&test.db, PLATFORM_STREAM).await.unwrap(), Ok(1));
}

#[tokio::test]
async fn a_clash_is_told_apart_from_other_failures() {
    let test = TestDatabase::open().await;
    change(&test.db, "a").await.unwrap();
    let again = change(&test.db, "a").await.unwrap_err();
    assert!(matches!(again, Error::Clash(_)), "{again:?}");
    assert_eq!(again.kind(), naru_kernel::Kind::Conflict);
    assert_eq!(entries(&test.db).await, 1);
}

#[tokio::test]
async fn readers_cannot_write() {
    let test = TestDatabase::open_sqlite().await;
    let refused = test
        .db
        .all::<i64>(
            "INSERT INTO secrets (name, value, created_at) VALUES ('x', x'00', 0) RETURNING 1 AS n",
            Vec::new(),
        )
        .await;
    assert!(refused.is_err());
    assert_eq!(names(&test.db).await, Vec::<String>::new());
}

#[tokio::test]
async fn after_closing_nothing_is_taken() {
    let test = TestDatabase::open().await;
    change(&test.db, "a").await.unwrap();
    test.db.close().await;
    let late = change(&test.db, "b").await.unwrap_err();
    assert_eq!(late.kind(), naru_kernel::Kind::Unavailable, "{late:?}");
}
