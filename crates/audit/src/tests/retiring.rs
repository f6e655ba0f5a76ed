//! Retention: what is old goes, what remains still verifies.

use naru_kernel::{Clock as _, MinistryId, PersonId, Role, Seconds};
use naru_store::{Act, By, Outcome};

use super::{Scene, config, ministry};
use crate::{Damage, Error, verify_entry};

const DAY: i64 = 86_400;

/// 300 old entries with a checkpoint at 290, and 50 of today.
async fn old_and_new() -> Scene {
    let mut config = config();
    config.retention_days = 30;
    let scene = Scene::with(config).await;
    scene.write_many(2, 290).await;
    scene.note(&ministry(2)).await;
    scene.write_many(2, 10).await;
    scene.clock.advance(Seconds(40 * DAY));
    scene.write_many(2, 50).await;
    scene
}

#[tokio::test]
async fn what_is_old_goes_up_to_a_checkpoint_and_the_rest_verifies() {
    let scene = old_and_new().await;
    let before = scene.note(&ministry(2)).await;
    let early = scene.audit.retire(scene.clock.now()).await;
    assert!(matches!(early, Err(Error::Field { field: "before", .. })));
    let retired = scene.audit.retire(scene.audit.retention_ends()).await.unwrap();
    assert_eq!(retired.len(), 1);
    assert_eq!((retired[0].size, retired[0].removed), (290, 290));
    let verification = scene.verified(vec![before]).await;
    assert!(verification.ok, "{:?}", verification.broken);
    let chain = &verification.streams[0];
    // 350, and the entry that says so.
    assert_eq!((chain.retired, chain.entries), (290, 61));
    let mut browser = scene.browser(Role::Auditor, 2);
    let page = browser.get("/api/v1/audit?action=audit.retire").await;
    assert_eq!(page.body["items"][0]["detail"]["size"], 290);
    // Entries that are left are still proven; those that are gone say so.
    for sequence in [291, 292, 300, 350, 351] {
        let answer = browser
            .get(&format!("/api/v1/audit/proof?sequence={sequence}"))
            .await;
        let proof = serde_json::from_value(answer.body).unwrap();
        assert_eq!(
            verify_entry(&proof, &scene.audit.log_key()),
            Ok(351),
            "{sequence}"
        );
    }
    let gone = browser.get("/api/v1/audit/proof?sequence=290").await;
    assert_eq!(gone.code(), "audit.retired");
    let proof = browser.get("/api/v1/audit/consistency?from=290").await;
    assert!(proof.status.is_success(), "{:?}", proof.body);
    assert_eq!(
        scene.audit.retire(scene.audit.retention_ends()).await.unwrap(),
        []
    );
}

#[tokio::test]
async fn it_goes_on_after_what_was_retired() {
    let scene = old_and_new().await;
    scene.note(&ministry(2)).await;
    scene.audit.retire(scene.audit.retention_ends()).await.unwrap();
    scene.clock.advance(Seconds(40 * DAY));
    scene.write_many(2, 300).await;
    scene.note(&ministry(2)).await;
    let retired = scene.audit.retire(scene.audit.retention_ends()).await.unwrap();
    // Up to the checkpoint after the first 350: the act of retiring came later.
    assert_eq!((retired[0].size, retired[0].removed), (350, 60));
    let verification = scene.verified(Vec::new()).await;
    assert!(verification.ok, "{:?}", verification.broken);
    scene
        .vandalise("UPDATE audit SET actor = 'x' WHERE sequence = 400")
        .await;
    let broken = scene.broken().await.unwrap();
    assert_eq!((broken.sequence, broken.last), (400, 400));
}

#[tokio::test]
async fn a_beginning_that_is_gone_without_an_act_is_named() {
    let scene = old_and_new().await;
    scene.note(&ministry(2)).await;
    scene.vandalise("DELETE FROM audit WHERE sequence <= 290").await;
    let broken = scene.broken().await.unwrap();
    assert_eq!((broken.sequence, broken.last), (1, 290));
    assert_eq!(broken.why, Damage::Missing.why());
    // Also who says in the table that it was retired must have said so in the record.
    let scene = old_and_new().await;
    scene.note(&ministry(2)).await;
    scene.audit.retire(scene.audit.retention_ends()).await.unwrap();
    scene
        .vandalise("UPDATE audit SET detail = '{}' WHERE action = 'audit.retire'")
        .await;
    let verification = scene.verified(Vec::new()).await;
    let why: Vec<&str> = verification.streams[0]
        .findings
        .iter()
        .map(|found| found.why.as_str())
        .collect();
    assert_eq!(why, [Damage::RetiredUnsaid.why(), Damage::Changed.why()]);
}

#[tokio::test]
async fn a_person_is_forgotten_and_the_record_still_verifies() {
    let scene = Scene::new().await;
    let person = PersonId::from_bits(77);
    let act = Act {
        at: scene.clock.now(),
        action: "identity.create-person",
        by: By::Platform("test"),
        ministry: Some(MinistryId::from_bits(2)),
        subject: person.to_string(),
        address: None,
    };
    let detail = serde_json::json!({ "after": { "name": "홍길동", "unit": "제1과" } });
    scene
        .database
        .db
        .record(act, Outcome::Done, detail)
        .await
        .unwrap();
    let note = scene.note(&ministry(2)).await;
    let kept = crate::store::entry(&scene.database.db, &ministry(2), 1)
        .await
        .unwrap()
        .unwrap();
    assert!(!kept.detail.contains("홍길동"), "{}", kept.detail);
    let mut browser = scene.browser(Role::Auditor, 2);
    let page = browser.get("/api/v1/audit").await;
    assert_eq!(page.body["items"][0]["detail"]["after"]["name"], "홍길동");
    assert_eq!(scene.audit.forget(person).await.unwrap(), 1);
    let page = browser.get("/api/v1/audit").await;
    let after = &page.body["items"][0]["detail"]["after"];
    assert_eq!(after["unit"], "제1과");
    assert_eq!(after["name"]["hidden"].as_str().unwrap().len(), 64);
    assert!(scene.verified(vec![note]).await.ok);
    let proof = browser.get("/api/v1/audit/proof?sequence=1").await;
    let proof = serde_json::from_value(proof.body).unwrap();
    assert_eq!(verify_entry(&proof, &scene.audit.log_key()), Ok(1));
}
