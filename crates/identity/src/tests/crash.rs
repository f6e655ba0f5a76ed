//! A log-on that is broken off leaves nothing half-done.

use std::sync::{
    Arc,
    atomic::{AtomicI64, Ordering},
};

use base64::{Engine as _, engine::general_purpose::STANDARD};
use naru_kernel::{Entropy, Role};
use naru_testkit::SeededEntropy;
use serde_json::json;

use super::{World, client, session_of};
use crate::COOKIE;

/// Panics when it was asked so many times: the process dies at that point of its work, as far as the store can tell.
struct DiesAt {
    left: AtomicI64,
    inner: SeededEntropy,
}

impl Entropy for DiesAt {
    fn fill(&self, bytes: &mut [u8]) {
        assert!(self.left.fetch_sub(1, Ordering::SeqCst) != 1, "killed here");
        self.inner.fill(bytes);
    }
}

#[tokio::test]
async fn a_log_on_killed_at_any_point_leaves_nothing_and_can_be_repeated() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    let mut browser = world.browser();
    let signed = world.signed(&mut browser, &hong.identity).await;
    let message = STANDARD.decode(signed["signed"].as_str().unwrap()).unwrap();
    // Within the transaction: the certificate's id, the session's id, the token.
    for point in 1..=3 {
        let entropy = Arc::new(DiesAt {
            left: AtomicI64::new(0),
            inner: SeededEntropy::new(11),
        });
        let config = World::config(&world.pki, &world.lists);
        let doomed = world.portal(config, &world.database.db, &entropy).await;
        entropy.left.store(point, Ordering::SeqCst);
        let message = message.clone();
        let mut attempt = tokio::task::JoinSet::new();
        attempt.spawn(async move { doomed.log_on(&message, &client().into()).await.is_ok() });
        // SQLite's writer catches the panic and answers with an error; on PostgreSQL it ends the task.
        assert!(!attempt.join_next().await.unwrap().unwrap_or(false), "{point}");
        for table in ["logons", "tokens", "nonces", "certificates"] {
            assert_eq!(world.count(table).await, 0, "{table} after {point}");
        }
        assert!(world.record("identity.log-on").await.is_empty(), "{point}");
    }
    let answer = browser.post("/api/v1/logon/certificate", &signed).await;
    assert_eq!(answer.body["next"], "activate");
    let stream = world.ministry.to_string();
    assert!(
        naru_store::verify_stream(&world.database.db, &stream)
            .await
            .unwrap()
            .is_ok()
    );
}

#[tokio::test]
async fn a_revocation_that_cannot_close_desktops_does_not_happen_at_all() {
    let world = World::new().await;
    let (hong, mut browser) = world.signed_in("홍길동", &[Role::Worker]).await;
    let (_, mut admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    *world.desktops.fails.lock().unwrap() = true;
    let path = format!("/api/v1/people/{}/revoke", hong.id);
    assert_eq!(admin.post(&path, &json!({})).await.status.as_u16(), 503);
    assert_eq!(browser.get("/api/v1/me").await.status.as_u16(), 200);
    let person = admin.get(&format!("/api/v1/people/{}", hong.id)).await;
    assert_eq!(person.body["state"], "active");
    assert!(world.record("identity.revoke-person").await.is_empty());
    *world.desktops.fails.lock().unwrap() = false;
    assert_eq!(admin.post(&path, &json!({})).await.body["state"], "revoked");
    assert_eq!(browser.get("/api/v1/me").await.code(), "runtime.not-signed-in");
}

#[tokio::test]
async fn a_session_outlives_its_portal() {
    let world = World::new().await;
    let (_, mut browser) = world.signed_in("홍길동", &[Role::Worker]).await;
    let logon = session_of(&mut browser).await;
    let config = World::config(&world.pki, &world.lists);
    let entropy = Arc::new(SeededEntropy::new(99));
    let next = world.portal(config, &world.database.db, &entropy).await;
    let known = next
        .authenticate(browser.cookie(COOKIE).unwrap(), &client(), true)
        .await
        .unwrap();
    assert_eq!(known.current.unwrap().logon, logon);
}
