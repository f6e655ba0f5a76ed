//! What a vandal does to the record, and what it is called.

use naru_kernel::{Entropy as _, MinistryId};
use naru_store::{Engine, GENESIS, Outcome, entry_hash, testing::raw};
use naru_testkit::SeededEntropy;

use super::Scene;
use crate::{Broken, Damage, Note, Signer, store};

#[tokio::test]
async fn any_column_of_any_row_that_is_changed_is_found() {
    let scene = Scene::filled().await;
    let stream = MinistryId::from_bits(2).to_string();
    for sequence in 1..=6 {
        for (column, spoiled, mended) in [
            ("at", "at + 1", "at - 1"),
            ("action", "action || 'x'", "substr(action, 1, length(action) - 1)"),
            ("actor", "actor || 'x'", "substr(actor, 1, length(actor) - 1)"),
            (
                "subject",
                "subject || 'x'",
                "substr(subject, 1, length(subject) - 1)",
            ),
            (
                "address",
                "address || 'x'",
                "substr(address, 1, length(address) - 1)",
            ),
            ("detail", "detail || ' '", "substr(detail, 1, length(detail) - 1)"),
            (
                "outcome",
                "CASE outcome WHEN 'done' THEN 'refused' ELSE 'done' END",
                "CASE outcome WHEN 'done' THEN 'refused' ELSE 'done' END",
            ),
        ] {
            let row = format!("WHERE stream = '{stream}' AND sequence = {sequence}");
            scene
                .vandalise(&format!("UPDATE audit SET {column} = {spoiled} {row}"))
                .await;
            let broken = scene
                .broken()
                .await
                .unwrap_or_else(|| panic!("{column} of {sequence} went unseen"));
            assert_eq!(
                (broken.sequence, broken.stream.as_str()),
                (sequence, stream.as_str()),
                "{column}"
            );
            scene
                .vandalise(&format!("UPDATE audit SET {column} = {mended} {row}"))
                .await;
            assert_eq!(scene.broken().await, None, "{column}");
        }
    }
}

#[tokio::test]
async fn a_changed_hash_sequence_or_stream_is_found() {
    let stream = MinistryId::from_bits(2).to_string();
    let row = format!("WHERE stream = '{stream}' AND sequence = 3");
    let zero = "0".repeat(64);
    for engine_neutral in [
        format!("UPDATE audit SET sequence = 100 {row}"),
        format!("UPDATE audit SET stream = 'platform', sequence = 2 {row}"),
    ] {
        let scene = Scene::filled().await;
        scene.vandalise(&engine_neutral).await;
        assert!(scene.broken().await.is_some(), "{engine_neutral}");
    }
    let scene = Scene::filled().await;
    let bytes = match scene.database.db.engine() {
        Engine::Sqlite => format!("X'{zero}'"),
        Engine::Postgres => format!("decode('{zero}', 'hex')"),
    };
    scene
        .vandalise(&format!("UPDATE audit SET hash = {bytes} {row}"))
        .await;
    assert_eq!(scene.broken().await.unwrap().sequence, 3);
}

#[tokio::test]
async fn what_was_taken_away_is_missed() {
    let stream = MinistryId::from_bits(2).to_string();
    for (condition, sequence, last, why) in [
        ("sequence = 1", 1, 1, "an entry is missing"),
        ("sequence = 4", 4, 4, "an entry is missing"),
        ("sequence IN (2, 3, 4)", 2, 4, "an entry is missing"),
        ("sequence >= 5", 5, 6, "entries at the end are missing"),
        ("sequence >= 1", 1, 6, "entries at the end are missing"),
    ] {
        let scene = Scene::filled().await;
        scene
            .vandalise(&format!(
                "DELETE FROM audit WHERE stream = '{stream}' AND {condition}"
            ))
            .await;
        let expected = Broken {
            stream: stream.clone(),
            sequence,
            last,
            why: why.to_owned(),
        };
        assert_eq!(scene.broken().await, Some(expected));
    }
    let scene = Scene::filled().await;
    scene
        .vandalise(&format!("DELETE FROM audit_heads WHERE stream = '{stream}'"))
        .await;
    assert_eq!(scene.broken().await.unwrap().why, "the head is missing");
}

#[tokio::test]
async fn without_a_vandal_the_table_refuses() {
    let scene = Scene::filled().await;
    for text in ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"] {
        assert!(raw(&scene.database.url, text).await.is_err(), "{text}");
    }
    assert_eq!(scene.broken().await, None);
}

/// What was found, without words: first and last entry, and why.
async fn found(scene: &Scene, outside: Vec<Note>) -> Vec<(i64, i64, String)> {
    let verification = scene.verified(outside).await;
    let findings = verification
        .streams
        .iter()
        .flat_map(|stream| stream.findings.clone());
    findings
        .map(|found| (found.sequence, found.last, found.why))
        .collect()
}

fn is(sequence: i64, last: i64, damage: Damage) -> Vec<(i64, i64, String)> {
    vec![(sequence, last, damage.why().to_owned())]
}

/// Text that gives entries new numbers, without two having one at a time.
fn renumber(condition: &str, by: i64) -> String {
    format!(
        "UPDATE audit SET sequence = sequence + 1000000 WHERE stream = 'platform' AND {condition}; \
         UPDATE audit SET sequence = sequence - 1000000 + ({by}) WHERE stream = 'platform' AND sequence > 900000"
    )
}

async fn twenty() -> Scene {
    let scene = Scene::new().await;
    for _ in 0..20 {
        scene.write(None, "desktops.open", 1, Outcome::Done).await;
    }
    scene
}

#[tokio::test]
async fn what_was_put_in_taken_out_or_moved_is_named() {
    let row = |sequence: i64| {
        format!(
            "INSERT INTO audit SELECT stream, {sequence}, at, 'audit.invented', outcome, actor, subject, address, detail, hash \
             FROM audit WHERE stream = 'platform' AND sequence = 1"
        )
    };
    let head =
        |by: i64| format!("UPDATE audit_heads SET sequence = sequence + ({by}) WHERE stream = 'platform'");
    for (deed, expected) in [
        (
            format!("{}; {}; {}", renumber("sequence >= 8", 1), row(8), head(1)),
            is(8, 8, Damage::Inserted),
        ),
        (
            format!(
                "{}; {}; {}; {}",
                renumber("sequence >= 8", 2),
                row(8),
                row(9),
                head(2)
            ),
            is(8, 9, Damage::Inserted),
        ),
        (
            format!(
                "DELETE FROM audit WHERE stream = 'platform' AND sequence IN (5, 6); {}; {}",
                renumber("sequence > 6", -2),
                head(-2)
            ),
            is(5, 6, Damage::TakenOut),
        ),
        (
            "UPDATE audit SET sequence = 1000 WHERE stream = 'platform' AND sequence = 11; \
             UPDATE audit SET sequence = 11 WHERE stream = 'platform' AND sequence = 12; \
             UPDATE audit SET sequence = 12 WHERE stream = 'platform' AND sequence = 1000"
                .to_owned(),
            is(11, 12, Damage::Exchanged),
        ),
        (
            "UPDATE audit SET sequence = 1000 WHERE stream = 'platform' AND sequence = 11; \
             UPDATE audit SET sequence = 11 WHERE stream = 'platform' AND sequence = 15; \
             UPDATE audit SET sequence = 15 WHERE stream = 'platform' AND sequence = 1000"
                .to_owned(),
            is(11, 15, Damage::Moved),
        ),
        (row(-3), is(-3, 0, Damage::Inserted)),
        (
            "UPDATE audit_heads SET sequence = 15 WHERE stream = 'platform'".to_owned(),
            is(16, 20, Damage::HeadMovedBack),
        ),
    ] {
        let scene = twenty().await;
        scene.vandalise(&deed).await;
        assert_eq!(found(&scene, Vec::new()).await, expected, "{deed}");
    }
}

#[tokio::test]
async fn several_changed_entries_are_each_named_and_the_tree_still_fits() {
    let scene = twenty().await;
    let note = scene.note("platform").await;
    scene
        .vandalise("UPDATE audit SET actor = 'x' WHERE stream = 'platform' AND sequence IN (3, 9, 20)")
        .await;
    let expected: Vec<_> = [3, 9, 20]
        .map(|n| (n, n, Damage::Changed.why().to_owned()))
        .into();
    assert_eq!(found(&scene, vec![note]).await, expected);
}

#[tokio::test]
async fn a_hash_alone_that_was_changed_is_told_from_an_entry() {
    let scene = twenty().await;
    let zero = match scene.database.db.engine() {
        Engine::Sqlite => format!("X'{}'", "0".repeat(64)),
        Engine::Postgres => format!("decode('{}', 'hex')", "0".repeat(64)),
    };
    let change = format!("UPDATE audit SET hash = {zero} WHERE stream = 'platform' AND sequence = 7");
    scene.vandalise(&change).await;
    assert_eq!(found(&scene, Vec::new()).await, is(7, 7, Damage::HashChanged));
    scene
        .vandalise("UPDATE audit SET actor = 'x' WHERE stream = 'platform' AND sequence = 7")
        .await;
    assert_eq!(found(&scene, Vec::new()).await, is(7, 7, Damage::Replaced));
}

/// Writes all entries from one on anew, as the owner of the database can: every hash and the head fit.
async fn rewrite_from(scene: &Scene, sequence: i64) {
    let mut previous = GENESIS.to_vec();
    let mut deeds = String::new();
    for mut entry in store::window(&scene.database.db, "platform", 1).await.unwrap() {
        if entry.sequence >= sequence {
            entry.actor = "somebody-else".to_owned();
            let hash = hex::encode(entry_hash(&previous, &entry));
            let bytes = match scene.database.db.engine() {
                Engine::Sqlite => format!("X'{hash}'"),
                Engine::Postgres => format!("decode('{hash}', 'hex')"),
            };
            deeds.push_str(&format!(
                "UPDATE audit SET actor = 'somebody-else', hash = {bytes} \
                 WHERE stream = 'platform' AND sequence = {};",
                entry.sequence
            ));
            deeds.push_str(&format!(
                "UPDATE audit_heads SET hash = {bytes} WHERE stream = 'platform';"
            ));
            entry.hash = hex::decode(hash).unwrap();
        }
        previous = entry.hash;
    }
    scene.vandalise(&deeds).await;
}

#[tokio::test]
async fn a_chain_that_was_recomputed_does_not_fit_what_was_signed() {
    let scene = Scene::new().await;
    let mut notes = Vec::new();
    for _ in 0..4 {
        for _ in 0..5 {
            scene.write(None, "desktops.open", 1, Outcome::Done).await;
        }
        notes.push(scene.note("platform").await);
    }
    assert_eq!(found(&scene, notes.clone()).await, Vec::new());
    rewrite_from(&scene, 12).await;
    // Between the checkpoints of 10 and of 15 entries.
    assert_eq!(found(&scene, Vec::new()).await, is(11, 15, Damage::Rewritten));
    // Who also takes the checkpoints away is given away by those kept elsewhere.
    scene
        .vandalise("DELETE FROM audit_checkpoints; DELETE FROM audit_trees; DELETE FROM audit_nodes")
        .await;
    assert_eq!(found(&scene, Vec::new()).await, Vec::new());
    assert_eq!(found(&scene, notes).await, is(11, 15, Damage::Rewritten));
}

#[tokio::test]
async fn a_cut_tail_is_known_from_the_tree_and_from_elsewhere() {
    let scene = twenty().await;
    let note = scene.note("platform").await;
    let cut = "DELETE FROM audit WHERE stream = 'platform' AND sequence > 16";
    scene.vandalise(cut).await;
    let head = match scene.database.db.engine() {
        Engine::Sqlite | Engine::Postgres => {
            "UPDATE audit_heads SET sequence = 16, hash = (SELECT hash FROM audit WHERE stream = 'platform' AND sequence = 16) \
             WHERE stream = 'platform'"
        }
    };
    scene.vandalise(head).await;
    assert_eq!(found(&scene, Vec::new()).await, is(17, 20, Damage::TailMissing));
    scene
        .vandalise("DELETE FROM audit_checkpoints; DELETE FROM audit_trees; DELETE FROM audit_nodes")
        .await;
    assert_eq!(found(&scene, Vec::new()).await, Vec::new());
    assert_eq!(
        found(&scene, vec![note.clone()]).await,
        is(17, 20, Damage::TailMissing)
    );
    // Nothing of the chain is left at all.
    scene
        .vandalise("DELETE FROM audit; DELETE FROM audit_heads")
        .await;
    assert_eq!(found(&scene, vec![note]).await, is(1, 20, Damage::TailMissing));
}

#[tokio::test]
async fn checkpoints_of_others_count_for_nothing_and_forged_ones_are_named() {
    let scene = twenty().await;
    let note = scene.note("platform").await;
    let checkpoint = note.checkpoint().unwrap();
    let stranger = Signer::new("centre.example", &[9; 32]).unwrap();
    let forged = stranger.sign(&checkpoint);
    let verification = scene.verified(vec![Note::read(&forged).unwrap()]).await;
    assert_eq!((verification.ok, verification.strange_checkpoints), (true, 1));
    scene
        .vandalise(&format!("UPDATE audit_checkpoints SET note = '{forged}'"))
        .await;
    assert_eq!(
        found(&scene, Vec::new()).await,
        is(20, 20, Damage::CheckpointForged)
    );
    scene.vandalise("DELETE FROM audit_checkpoints").await;
    assert_eq!(
        found(&scene, Vec::new()).await,
        is(20, 20, Damage::CheckpointMissing)
    );
}

/// 60 deeds at random places of a chain of 600 entries: each is found, at its place.
#[tokio::test]
async fn any_deed_at_any_place_is_named() {
    let scene = Scene::new().await;
    for _ in 0..600 {
        scene.write(None, "desktops.open", 1, Outcome::Done).await;
    }
    scene.audit.grow("platform").await.unwrap();
    scene.vandalise("CREATE TABLE kept AS SELECT * FROM audit").await;
    scene
        .vandalise("CREATE TABLE kept_heads AS SELECT * FROM audit_heads")
        .await;
    let entropy = SeededEntropy::new(7);
    let draw = |below: i64| {
        let mut bytes = [0; 4];
        entropy.fill(&mut bytes);
        i64::from(u32::from_le_bytes(bytes)) % below
    };
    for round in 0..60 {
        let place = draw(600) + 1;
        let row = format!("WHERE stream = 'platform' AND sequence = {place}");
        let (deed, expected) = match round % 3 {
            0 => {
                let column =
                    ["action", "actor", "subject", "address", "detail"][usize::try_from(draw(5)).unwrap()];
                let deed = format!("UPDATE audit SET {column} = {column} || ' ' {row}");
                (deed, is(place, place, Damage::Changed))
            }
            1 => {
                let damage = if place == 600 {
                    Damage::TailMissing
                } else {
                    Damage::Missing
                };
                (format!("DELETE FROM audit {row}"), is(place, place, damage))
            }
            _ => {
                let rest = format!("DELETE FROM audit WHERE stream = 'platform' AND sequence >= {place}");
                let head = format!(
                    "UPDATE audit_heads SET sequence = {}, hash = COALESCE((SELECT hash FROM audit \
                     WHERE stream = 'platform' AND sequence = {}), hash) WHERE stream = 'platform'",
                    place - 1,
                    place - 1
                );
                (format!("{rest}; {head}"), is(place, 600, Damage::TailMissing))
            }
        };
        scene.vandalise(&deed).await;
        assert_eq!(found(&scene, Vec::new()).await, expected, "{deed}");
        scene
            .vandalise(
                "DELETE FROM audit; INSERT INTO audit SELECT * FROM kept; \
                 DELETE FROM audit_heads; INSERT INTO audit_heads SELECT * FROM kept_heads",
            )
            .await;
    }
    assert_eq!(found(&scene, Vec::new()).await, Vec::new());
}
