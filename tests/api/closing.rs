//! Who is revoked loses everything that is open: at the portal at once, at gateways with their next orders.

use axum::http::StatusCode;
use naru_kernel::{
    Role,
    fleet::{CloseReason, ClosureTarget, Orders},
};
use serde_json::json;

use crate::world::{Side, World};

/// What a gateway is told with its next sync.
async fn orders(world: &World, cursor: i64) -> Orders {
    let mut report = world.report();
    report.cursor = cursor;
    let answer = world
        .node_browser(&world.gateway)
        .post("/fleet/v1/sync", &report)
        .await;
    serde_json::from_value(answer.body).unwrap()
}

#[tokio::test]
async fn a_revocation_reaches_session_and_gateway() {
    let world = World::new().await;
    let mut admin = world.member(Side::Ordinary, &[Role::MinistryAdmin]).await.browser;
    let mut worker = world.member(Side::Ordinary, &[Role::Worker]).await;
    world.open_desktop(&mut worker.browser).await;
    let before = orders(&world, 0).await;
    assert_eq!(before.closures, Vec::new());

    let path = format!("/api/v1/people/{}/revoke", worker.id);
    let revoked = admin.post(&path, &json!({})).await;
    assert_eq!(revoked.status, StatusCode::OK, "{:?}", revoked.body);

    let closures = orders(&world, before.cursor).await.closures;
    let theirs = closures
        .iter()
        .find(|closure| closure.target == ClosureTarget::Person(worker.id));
    let reason = theirs.map(|closure| closure.reason);
    assert_eq!(reason, Some(CloseReason::Revoked), "{closures:?}");
    let me = worker.browser.get("/api/v1/me").await;
    assert_eq!(me.status, StatusCode::UNAUTHORIZED);
    let again = world.show(&mut world.browser(), &worker.identity).await;
    assert_eq!(again.code(), "identity.person-revoked", "{:?}", again.body);
}
