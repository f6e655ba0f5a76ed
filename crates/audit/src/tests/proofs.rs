//! Proofs over HTTP, checked as somebody elsewhere would.

use naru_kernel::Role;
use naru_store::{Outcome, entry_hash, params};

use super::{Scene, ministry};
use crate::{EntryProof, Hash, Note, NoteKey, OfflineError, extends, verify_entry};

async fn proof(scene: &Scene, stream: &str, sequence: i64) -> EntryProof {
    let path = format!("/api/v1/audit/proof?stream={stream}&sequence={sequence}");
    let answer = scene.browser(Role::Auditor, 1).get(&path).await;
    assert!(answer.status.is_success(), "{:?}", answer.body);
    serde_json::from_value(answer.body).unwrap()
}

fn hashes(value: &serde_json::Value) -> Vec<Hash> {
    let texts = value.as_array().unwrap().iter();
    texts
        .map(|text| hex::decode(text.as_str().unwrap()).unwrap().try_into().unwrap())
        .collect()
}

#[tokio::test]
async fn every_entry_is_proven_and_a_changed_one_is_not() {
    let scene = Scene::new().await;
    // More than a stored subtree has, and some.
    scene.write_many(2, 600).await;
    let stream = ministry(2);
    let key = scene.audit.log_key();
    for sequence in [1, 2, 255, 256, 257, 511, 512, 513, 599, 600] {
        let proof = proof(&scene, &stream, sequence).await;
        assert_eq!(verify_entry(&proof, &key), Ok(600), "{sequence}");
        let mut changed = proof.clone();
        changed.entry.actor.push('x');
        assert_eq!(verify_entry(&changed, &key), Err(OfflineError::NotIncluded));
        let mut elsewhere = proof.clone();
        elsewhere.entry.stream = ministry(3);
        assert_eq!(verify_entry(&elsewhere, &key), Err(OfflineError::OtherChain));
        let stranger = crate::Signer::new("centre.example", &[9; 32]).unwrap().log_key();
        assert!(matches!(
            verify_entry(&proof, &stranger),
            Err(OfflineError::Note(_))
        ));
    }
    let mut own = scene.browser(Role::Auditor, 2);
    let newest = own.get("/api/v1/audit/proof").await;
    assert_eq!(newest.body["entry"]["sequence"], 600);
    for sequence in [0, -1, 601] {
        let none = own.get(&format!("/api/v1/audit/proof?sequence={sequence}")).await;
        assert_eq!(none.code(), "audit.no-such-entry");
    }
    let mut other = scene.browser(Role::Auditor, 3);
    let foreign = other
        .get(&format!("/api/v1/audit/proof?stream={stream}&sequence=1"))
        .await;
    assert_eq!(foreign.code(), "audit.no-such-entry");
}

#[tokio::test]
async fn every_checkpoint_is_shown_to_extend_those_before() {
    let scene = Scene::new().await;
    let stream = ministry(2);
    let mut notes = Vec::new();
    for count in [1, 2, 254, 1, 100, 300] {
        scene.write_many(2, count).await;
        notes.push(scene.note(&stream).await.checkpoint().unwrap());
    }
    let mut browser = scene.browser(Role::Auditor, 2);
    for (place, newer) in notes.iter().enumerate() {
        for older in &notes[..=place] {
            let path = format!("/api/v1/audit/consistency?from={}&to={}", older.size, newer.size);
            let answer = browser.get(&path).await;
            let proof = hashes(&answer.body["proof"]);
            assert!(
                extends(older.size, &older.root, newer.size, &newer.root, &proof),
                "{} to {}",
                older.size,
                newer.size
            );
        }
    }
    let text = browser.get("/api/v1/audit/checkpoints").await;
    let all = Note::all_in(&String::from_utf8(text.bytes).unwrap());
    assert_eq!(all.len(), notes.len());
    let one = browser.get("/api/v1/audit/checkpoint?size=257").await;
    let one = Note::read(&String::from_utf8(one.bytes).unwrap()).unwrap();
    let status = browser.get("/api/v1/audit/witnesses").await;
    let key = NoteKey::read(status.body["log_key"].as_str().unwrap()).unwrap();
    assert_eq!(key.verify(&one), Ok(()));
    assert_eq!(one.checkpoint().unwrap().size, 257);
}

#[tokio::test]
async fn a_checkpoint_is_made_when_enough_is_new_or_has_waited() {
    let scene = Scene::new().await;
    scene.write_many(2, 3).await;
    // A chain that never had one has waited since ever.
    assert_eq!(scene.audit.checkpoint_grown().await.unwrap(), 1);
    scene.write_many(2, 3).await;
    assert_eq!(scene.audit.checkpoint_grown().await.unwrap(), 0);
    scene.clock.advance(naru_kernel::Seconds(60));
    assert_eq!(scene.audit.checkpoint_grown().await.unwrap(), 1);
    assert_eq!(scene.audit.checkpoint_grown().await.unwrap(), 0);
    let mut config = super::config();
    config.checkpoint_entries = 5;
    let busy = Scene::with(config).await;
    busy.write_many(2, 1).await;
    assert_eq!(busy.audit.checkpoint_grown().await.unwrap(), 1);
    busy.write_many(2, 4).await;
    assert_eq!(busy.audit.checkpoint_grown().await.unwrap(), 0);
    busy.write_many(2, 1).await;
    assert_eq!(busy.audit.checkpoint_grown().await.unwrap(), 1);
}

#[tokio::test]
async fn nothing_is_signed_over_a_gap() {
    let scene = Scene::new().await;
    scene.write_many(2, 9).await;
    scene.vandalise("DELETE FROM audit WHERE sequence = 4").await;
    assert!(scene.audit.grow(&ministry(2)).await.is_err());
    let count: i64 = scene
        .database
        .db
        .one("SELECT COUNT(*) AS n FROM audit_checkpoints", params![])
        .await
        .unwrap();
    assert_eq!(count, 0);
}

#[tokio::test]
async fn walking_hashes_as_the_store_does() {
    let scene = Scene::new().await;
    scene
        .write(Some(2), "identity.sign-in", 3, Outcome::Refused("x.y"))
        .await;
    let stream = ministry(2);
    let entry = crate::store::entry(&scene.database.db, &stream, 1)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(entry_hash(&naru_store::GENESIS, &entry), entry.hash);
    let verification = scene.verified(Vec::new()).await;
    assert!(verification.ok);
    assert_eq!(verification.head, hex::encode(&entry.hash));
}
