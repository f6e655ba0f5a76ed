//! Somebody with the database in hand changes the record: it shows, whatever they change.

use naru_kernel::MinistryId;
use naru_store::{Break, Engine, PLATFORM_STREAM, testing, verify_stream};
use naru_testkit::TestDatabase;

use crate::support::{beside, change, change_in};

/// Each column of an entry, and another value for it.
const FLIPS: &[(&str, &str)] = &[
    ("stream", "'elsewhere'"),
    ("sequence", "sequence + 100"),
    ("at", "at + 1"),
    ("action", "'store.tess'"),
    ("outcome", "'refused'"),
    ("actor", "'platform:tess'"),
    ("subject", "'0b'"),
    ("address", "'192.0.2.0'"),
    ("detail", "'{ }'"),
];

async fn disarm(test: &TestDatabase) {
    let text = match test.db.engine() {
        Engine::Sqlite => "DROP TRIGGER audit_no_update; DROP TRIGGER audit_no_delete",
        Engine::Postgres => "DROP TRIGGER audit_append_only ON audit",
    };
    testing::raw(&test.url, text).await.unwrap();
}

async fn five_entries() -> TestDatabase {
    let test = TestDatabase::open().await;
    for number in 0..5 {
        change(&test.db, &number.to_string()).await.unwrap();
    }
    test
}

async fn verdict(test: &TestDatabase) -> Result<i64, Break> {
    verify_stream(&test.db, PLATFORM_STREAM).await.unwrap()
}

#[tokio::test]
async fn the_engine_itself_refuses_changes_of_the_record() {
    let test = five_entries().await;
    for text in ["UPDATE audit SET action = 'x'", "DELETE FROM audit"] {
        let refused = testing::raw(&test.url, text).await.unwrap_err();
        let source = std::error::Error::source(&refused)
            .map(ToString::to_string)
            .unwrap_or_default();
        assert!(source.contains("append-only"), "{text}: {refused}: {source}");
    }
    assert_eq!(verdict(&test).await, Ok(5));
}

#[tokio::test]
async fn a_change_of_any_column_is_found_where_it_was_made() {
    for (column, value) in FLIPS {
        let test = five_entries().await;
        disarm(&test).await;
        let text = format!("UPDATE audit SET {column} = {value} WHERE sequence = 3");
        testing::raw(&test.url, &text).await.unwrap();
        let found = verdict(&test).await.unwrap_err();
        assert_eq!(found.sequence, 3, "{column}: {}", found.why);
    }
}

#[tokio::test]
async fn every_flipped_byte_of_a_hash_is_found() {
    let test = five_entries().await;
    disarm(&test).await;
    for byte in 0..32 {
        let (flip, back) = flip_of_hash(test.db.engine(), byte);
        testing::raw(&test.url, &flip).await.unwrap();
        let found = verdict(&test).await.unwrap_err();
        assert_eq!(
            (found.sequence, found.why),
            (4, "the entry was changed"),
            "byte {byte}"
        );
        testing::raw(&test.url, &back).await.unwrap();
        assert_eq!(verdict(&test).await, Ok(5));
    }
}

/// Texts that change one byte of the fourth entry's hash, and put it back.
fn flip_of_hash(engine: Engine, byte: usize) -> (String, String) {
    match engine {
        Engine::Postgres => {
            let text = format!(
                "UPDATE audit SET hash = set_byte(hash, {byte}, get_byte(hash, {byte}) # 1) WHERE sequence = 4"
            );
            (text.clone(), text)
        }
        // `SQLite` cannot compute with bytes: another byte is spliced in, the whole kept aside.
        Engine::Sqlite => {
            let before = byte * 2;
            let flip = format!(
                "CREATE TABLE aside AS SELECT hash FROM audit WHERE sequence = 4; \
                 UPDATE audit SET hash = unhex(substr(hex(hash), 1, {before}) \
                 || CASE substr(hex(hash), {before} + 1, 2) WHEN '00' THEN '01' ELSE '00' END \
                 || substr(hex(hash), {before} + 3)) WHERE sequence = 4"
            );
            let back =
                "UPDATE audit SET hash = (SELECT hash FROM aside) WHERE sequence = 4; DROP TABLE aside";
            (flip, back.to_owned())
        }
    }
}

#[tokio::test]
async fn a_removed_entry_a_cut_tail_and_a_moved_head_are_found() {
    for (text, sequence, why) in [
        ("DELETE FROM audit WHERE sequence = 2", 2, "an entry is missing"),
        ("DELETE FROM audit WHERE sequence = 1", 1, "an entry is missing"),
        (
            "DELETE FROM audit WHERE sequence >= 4",
            4,
            "entries at the end are missing",
        ),
        ("DELETE FROM audit", 1, "entries at the end are missing"),
        ("DELETE FROM audit_heads", 1, "the head is missing"),
        ("UPDATE audit_heads SET sequence = 4", 4, "the head was changed"),
        (
            "UPDATE audit_heads SET hash = (SELECT hash FROM audit WHERE sequence = 1)",
            5,
            "the head was changed",
        ),
        (
            "UPDATE audit_heads SET sequence = 2, hash = (SELECT hash FROM audit WHERE sequence = 2)",
            3,
            "the head was moved back",
        ),
    ] {
        let test = five_entries().await;
        disarm(&test).await;
        testing::raw(&test.url, text).await.unwrap();
        assert_eq!(verdict(&test).await, Err(Break { sequence, why }), "{text}");
    }
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_record_that_grows_meanwhile_is_whole() {
    let test = five_entries().await;
    let db = test.db.clone();
    let writer = beside(async move {
        for number in 0..200 {
            change(&db, &format!("meanwhile-{number}")).await.unwrap();
        }
    });
    let mut verified = 0;
    while !writer.is_finished() {
        let now = verdict(&test).await.unwrap();
        assert!(now >= verified, "the record shrank");
        verified = now;
    }
    writer.await.unwrap();
    assert_eq!(verdict(&test).await, Ok(205));
}

#[tokio::test]
async fn a_record_of_several_pages_is_walked_to_its_end() {
    let test = TestDatabase::open().await;
    // A few writers, one change after the other: all at once would be refused for want of connections.
    let writers: Vec<_> = (0..8)
        .map(|writer| {
            let db = test.db.clone();
            beside(async move {
                for number in (0..2_003).filter(|number| number % 8 == writer) {
                    change(&db, &number.to_string()).await.unwrap();
                }
            })
        })
        .collect();
    for writer in writers {
        writer.await.unwrap();
    }
    assert_eq!(verdict(&test).await, Ok(2_003));
    disarm(&test).await;
    testing::raw(
        &test.url,
        "UPDATE audit SET detail = '{\"a\":1}' WHERE sequence = 2001",
    )
    .await
    .unwrap();
    assert_eq!(verdict(&test).await.unwrap_err().sequence, 2_001);
}

#[tokio::test]
async fn swapping_two_entries_is_found() {
    let test = five_entries().await;
    disarm(&test).await;
    let text = "UPDATE audit SET sequence = 99 WHERE sequence = 2; UPDATE audit SET sequence = 2 WHERE sequence = 3; \
                UPDATE audit SET sequence = 3 WHERE sequence = 99";
    testing::raw(&test.url, text).await.unwrap();
    assert_eq!(verdict(&test).await.unwrap_err().sequence, 2);
}

#[tokio::test]
async fn bytes_moved_from_one_column_to_its_neighbour_are_found() {
    let test = five_entries().await;
    disarm(&test).await;
    // Without the lengths in the hash, "store.test" + "done" and "store.testdone" + "" would be the same bytes.
    let text = "UPDATE audit SET actor = actor || subject, subject = '' WHERE sequence = 5";
    testing::raw(&test.url, text).await.unwrap();
    assert_eq!(verdict(&test).await.unwrap_err().sequence, 5);
}

#[tokio::test]
async fn one_ministry_s_chain_does_not_depend_on_another_s() {
    let test = five_entries().await;
    let ministry = MinistryId::from_bits(9);
    change_in(&test.db, "own", Some(ministry)).await.unwrap();
    disarm(&test).await;
    testing::raw(
        &test.url,
        "UPDATE audit SET subject = 'x' WHERE stream = 'platform' AND sequence = 1",
    )
    .await
    .unwrap();
    assert!(verdict(&test).await.is_err());
    assert_eq!(
        verify_stream(&test.db, &ministry.to_string()).await.unwrap(),
        Ok(1)
    );
    assert_eq!(verify_stream(&test.db, "nobody").await.unwrap(), Ok(0));
}
