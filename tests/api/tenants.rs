//! Two administrators, and two ministries: asked in one, agreed to in the other, through the whole portal.

use naru_kernel::Role;
use naru_testkit::Browser;
use serde_json::json;

use crate::world::{Side, World, text};

/// Agrees to what was asked; gives the status.
async fn agree(browser: &mut Browser, approval: &str) -> u16 {
    let path = format!("/api/v1/approvals/{approval}/agree");
    browser.post(&path, &json!({})).await.status.as_u16()
}

#[tokio::test]
async fn a_role_is_given_by_two_and_counts_at_once() {
    let world = World::new().await;
    let mut asks = world.member(Side::Ordinary, &[Role::MinistryAdmin]).await.browser;
    let mut agrees = world.member(Side::Ordinary, &[Role::MinistryAdmin]).await.browser;
    let mut foreign = world.member(Side::Platform, &[Role::MinistryAdmin]).await.browser;
    let mut person = world.member(Side::Ordinary, &[Role::Worker]).await;
    let wish = json!({ "person": person.id, "role": "auditor" });
    let asked = asks.post("/api/v1/role-grants", &wish).await;
    let approval = text(&asked.body["approval"]);
    // Neither who asked nor another ministry can agree.
    assert!((400..500).contains(&agree(&mut asks, &approval).await));
    assert_eq!(agree(&mut foreign, &approval).await, 404);
    assert_eq!(person.browser.get("/api/v1/audit").await.status.as_u16(), 403);
    assert!((200..300).contains(&agree(&mut agrees, &approval).await));
    assert_eq!(person.browser.get("/api/v1/audit").await.status.as_u16(), 200);
    assert!((400..500).contains(&agree(&mut agrees, &approval).await));
}

#[tokio::test]
async fn a_person_moves_to_another_ministry_and_nothing_stays_open() {
    let world = World::new().await;
    let mut old = world.member(Side::Ordinary, &[Role::MinistryAdmin]).await.browser;
    let mut new = world.member(Side::Platform, &[Role::MinistryAdmin]).await.browser;
    let mut person = world.member(Side::Ordinary, &[Role::Worker]).await;
    let desktop = world.open_desktop(&mut person.browser).await;
    let wish = json!({ "ministry": "085", "subject_name": "CN=085이사람001,O=Government of Korea,C=KR", "unit": "인사과" });
    let asked = old
        .post(&format!("/api/v1/people/{}/move", person.id), &wish)
        .await;
    let approval = text(&asked.body["approval"]);
    assert_eq!(agree(&mut old, &approval).await, 404);
    assert!(person.browser.get("/api/v1/me").await.status.is_success());
    assert!((200..300).contains(&agree(&mut new, &approval).await));
    assert_eq!(
        person.browser.get("/api/v1/me").await.code(),
        "runtime.not-signed-in"
    );
    assert!(world.snapshot().await.contains(&format!("{desktop} ended")));
    let detail = format!("/api/v1/people/{}", person.id);
    assert_eq!(old.get(&detail).await.status.as_u16(), 404);
    let there = new.get(&detail).await.body;
    assert_eq!(
        (&there["unit"], &there["roles"]),
        (&json!("인사과"), &json!(["worker"]))
    );
    assert_eq!(there["factors"].as_array().map(Vec::len), Some(1));
}

#[tokio::test]
async fn a_person_serves_a_second_ministry_with_a_desktop_of_its_own() {
    let world = World::new().await;
    let mut home = world.member(Side::Ordinary, &[Role::MinistryAdmin]).await.browser;
    let mut host = world.member(Side::Platform, &[Role::MinistryAdmin]).await.browser;
    let mut person = world.member(Side::Ordinary, &[Role::Worker]).await;
    let at_home = world.open_desktop(&mut person.browser).await;
    let path = format!("/api/v1/people/{}/memberships", person.id);
    let asked = home
        .post(&path, &json!({ "ministry": "085", "unit": "파견단" }))
        .await;
    assert!((200..300).contains(&agree(&mut host, &text(&asked.body["approval"])).await));
    let switch = json!({ "ministry": world.ministry(Side::Platform) });
    let switched = person.browser.post("/api/v1/me/ministry", &switch).await;
    assert_eq!(switched.status.as_u16(), 204, "{:?}", switched.body);
    // The desktop of the other ministry is not there, and one of this ministry is another one.
    let listed = person.browser.get("/api/v1/desktops").await.body;
    assert_eq!(listed["items"], json!([]));
    let here = world.open_desktop(&mut person.browser).await;
    assert_ne!(here, at_home);
    // The host ends the service: its desktop ends, the one at home runs on.
    let path = format!("{path}/{}", world.ministry(Side::Platform));
    assert_eq!(host.delete(&path).await.status.as_u16(), 204);
    let lines = world.snapshot().await;
    assert!(lines.contains(&format!("{here} ended")));
    assert!(!lines.contains(&format!("{at_home} ended")));
}
