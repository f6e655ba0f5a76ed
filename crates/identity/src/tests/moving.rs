//! More than one ministry, and moving between them.

use axum::http::Method;
use naru_kernel::{MinistryId, PersonId, Role};
use naru_testkit::Browser;
use serde_json::json;

use super::{World, session_of, tenants::SECOND};
use crate::{Leaver, Refusal};

impl World {
    /// Lets a person of the first ministry serve the second as well.
    async fn lends(&self, admin: &mut Browser, person: PersonId) {
        let path = format!("/api/v1/people/{person}/memberships");
        let asked = admin
            .post(&path, &json!({ "ministry": "086", "unit": "파견단" }))
            .await;
        assert_eq!(asked.body["done"], false, "{:?}", asked.body);
        self.agree(SECOND).await.unwrap();
    }
}

#[tokio::test]
async fn a_person_serves_two_ministries_and_switches_visibly() {
    let world = World::new().await;
    let (_, mut admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    let (hong, mut browser) = world.signed_in("홍길동", &[Role::Worker, Role::Auditor]).await;
    world.lends(&mut admin, hong.id).await;
    let mine = browser.get("/api/v1/me/ministries").await;
    assert_eq!(mine.body["items"][0]["current"], true);
    assert_eq!(mine.body["items"][1]["ministry"], world.foreign.to_string());
    let old = browser.cookie(crate::COOKIE).unwrap().to_owned();
    let logon = session_of(&mut browser).await;
    let switch = json!({ "ministry": world.foreign });
    let switched = browser.post("/api/v1/me/ministry", &switch).await;
    assert_eq!(switched.status.as_u16(), 204, "{:?}", switched.body);
    assert_ne!(browser.cookie(crate::COOKIE).unwrap(), old);
    let me = browser.get("/api/v1/me").await.body;
    // Roles count per ministry: the auditor is only a worker there.
    assert_eq!(
        (&me["ministry"], &me["roles"], &me["is_home"], &me["ministries"]),
        (
            &json!(world.foreign),
            &json!(["worker"]),
            &json!(false),
            &json!(2)
        )
    );
    assert_eq!(
        world.desktops.closed().last().unwrap().0,
        crate::ClosureTarget::Logon(logon)
    );
    let streams: Vec<String> = world
        .record("identity.switch-ministry")
        .await
        .into_iter()
        .map(|entry| entry.stream)
        .collect();
    assert_eq!(streams.len(), 2);
    assert!(streams.contains(&world.ministry.to_string()) && streams.contains(&world.foreign.to_string()));
    let accounts = (
        world
            .identity
            .person_card(hong.id, world.ministry)
            .await
            .unwrap()
            .unwrap()
            .account,
        world
            .identity
            .person_card(hong.id, world.foreign)
            .await
            .unwrap()
            .unwrap()
            .account,
    );
    assert_ne!(accounts.0, accounts.1);
    // Not to a ministry they do not serve.
    let nowhere = json!({ "ministry": MinistryId::from_bits(7) });
    assert_eq!(
        browser.post("/api/v1/me/ministry", &nowhere).await.code(),
        "identity.no-such-thing"
    );
    // Ending it ends the session that serves it.
    let path = format!("/api/v1/people/{}/memberships/{}", hong.id, world.foreign);
    assert_eq!(admin.delete(&path).await.status.as_u16(), 204);
    assert_eq!(browser.get("/api/v1/me").await.code(), "runtime.not-signed-in");
    assert!(
        world
            .desktops
            .ended()
            .contains(&Leaver::From(hong.id, world.foreign))
    );
    let home = format!("/api/v1/people/{}/memberships/{}", hong.id, world.ministry);
    assert_eq!(admin.delete(&home).await.code(), "identity.home-stays");
}

#[tokio::test]
async fn a_guests_home_stays_in_charge_of_what_proves_who_they_are() {
    let world = World::new().await;
    let (_, mut admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    let (hong, _) = world.signed_in("홍길동", &[Role::Worker]).await;
    world.lends(&mut admin, hong.id).await;
    let host = world
        .person_in(world.foreign, "주인", &[Role::MinistryAdmin])
        .await;
    let mut theirs = world.browser();
    world.enrol(&mut theirs, &host).await;
    let seen = theirs.get(&format!("/api/v1/people/{}", hong.id)).await.body;
    assert_eq!(
        (
            &seen["unit"],
            &seen["factors"],
            &seen["certificates"],
            &seen["sessions"]
        ),
        (&json!("파견단"), &json!([]), &json!([]), &json!([]))
    );
    for verb in ["revoke", "activation-code", "unlock"] {
        let path = format!("/api/v1/people/{}/{verb}", hong.id);
        let refused = theirs.call(Method::POST, &path, Some(&json!({}))).await;
        assert_eq!(refused.code(), "identity.no-such-thing", "{verb}");
    }
    let path = format!("/api/v1/people/{}/memberships/{}", hong.id, world.foreign);
    assert_eq!(theirs.delete(&path).await.status.as_u16(), 204);
    assert_eq!(theirs.get("/api/v1/people").await.body["total"], 1);
}

#[tokio::test]
async fn moving_keeps_the_person_and_ends_what_the_old_ministry_gave() {
    let world = World::new().await;
    let (_, mut admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    let (hong, mut browser) = world.signed_in("홍길동", &[Role::Worker, Role::Auditor]).await;
    let certificate = world.certificate_of(hong.id).await;
    let mut person = super::demo_person("홍길동");
    person.ministry = "보건복지부".to_owned();
    person.agency_code = "086".to_owned();
    let renewed = world
        .pki
        .issue(&person, world.now(), world.entropy.as_ref())
        .unwrap();
    let form = json!({ "ministry": "086", "subject_name": person.subject(), "unit": "정책과" });
    let path = format!("/api/v1/people/{}/move", hong.id);
    let asked = admin.post(&path, &form).await;
    assert_eq!(asked.body["done"], false, "{:?}", asked.body);
    assert_eq!(browser.get("/api/v1/me").await.status.as_u16(), 200);
    world.agree(SECOND).await.unwrap();
    assert_eq!(browser.get("/api/v1/me").await.code(), "runtime.not-signed-in");
    assert!(
        world
            .desktops
            .ended()
            .contains(&Leaver::From(hong.id, world.ministry))
    );
    // The old certificate opens nothing, the new one the same person's log-on, with their factor.
    let mut other = world.browser();
    assert_eq!(
        world.log_on(&mut other, &hong.identity).await.code(),
        "identity.unknown-person"
    );
    let step = world.log_on(&mut other, &renewed).await;
    assert_eq!(step.body["next"], "second_factor", "{:?}", step.body);
    let known = crate::store::certificates::of_person(&world.database.db, hong.id)
        .await
        .unwrap();
    let old = known.iter().find(|known| known.id == certificate).unwrap();
    assert_eq!(
        (known.len(), old.state),
        (2, crate::model::CertificateState::Revoked)
    );
    assert_eq!(
        world.identity.person_by_subject(&person.subject()).await.unwrap(),
        hong.id
    );
    // Gone from the old ministry, there in the new one with a worker's role only.
    assert_eq!(
        admin
            .get(&format!("/api/v1/people/{}", hong.id))
            .await
            .status
            .as_u16(),
        404
    );
    let known = world
        .identity
        .known_person(world.foreign, hong.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (known.unit.as_str(), known.roles.as_slice()),
        ("정책과", [Role::Worker].as_slice())
    );
    assert!(
        world
            .identity
            .known_person(world.ministry, hong.id)
            .await
            .unwrap()
            .is_none()
    );
}

#[tokio::test]
async fn a_move_that_cannot_be_done_any_more_is_refused() {
    let world = World::new().await;
    let (me, mut admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    let hong = world.person("홍길동").await;
    let path = format!("/api/v1/people/{}/move", hong.id);
    assert_eq!(
        admin.post(&path, &json!({ "ministry": "086" })).await.body["field"],
        "subject_name"
    );
    assert_eq!(
        admin
            .post(&path, &json!({ "ministry": "nowhere", "subject_name": "CN=a" }))
            .await
            .body["field"],
        "ministry"
    );
    let own = format!("/api/v1/people/{}/move", me.id);
    assert_eq!(
        admin.post(&own, &json!({ "unit": "a" })).await.code(),
        "identity.not-yourself"
    );
    let moved = admin.post(&path, &json!({ "unit": "인사과" })).await;
    assert_eq!(moved.body["done"], true);
    let entry = world.record("identity.move-person").await.pop().unwrap();
    assert!(entry.detail.contains("인사과"), "{}", entry.detail);
    admin
        .post(&path, &json!({ "ministry": "086", "subject_name": "CN=누군가" }))
        .await;
    let taken = json!({ "name": "누군가", "subject_name": "CN=누군가" });
    admin.post("/api/v1/people", &taken).await;
    assert_eq!(world.agree(SECOND).await, Err(Refusal::SubjectTaken));
}

#[tokio::test]
async fn what_is_the_persons_own_and_what_ends_it_works_in_every_ministry() {
    let world = World::new().await;
    let (_, mut admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    let hong = world.person("홍길동").await;
    let (mut abroad, mut at_home) = (world.browser(), world.browser());
    let secret = world.enrol(&mut abroad, &hong).await;
    world.lends(&mut admin, hong.id).await;
    let switch = json!({ "ministry": world.foreign });
    assert_eq!(
        abroad.post("/api/v1/me/ministry", &switch).await.status.as_u16(),
        204
    );
    // A second factor is the person's, wherever they work; a later one sorts behind the first.
    world.clock.advance(naru_kernel::Seconds(60));
    let offer = abroad.post("/api/v1/logon/enrol/totp/start", &json!({})).await;
    let code = world.digits(offer.body["secret"].as_str().unwrap());
    let added = abroad
        .post("/api/v1/logon/enrol/totp/finish", &json!({ "code": code }))
        .await;
    assert_eq!(added.body["next"], "done", "{:?}", added.body);
    let factors = abroad.get("/api/v1/me/factors").await.body;
    assert_eq!(factors["items"].as_array().unwrap().len(), 2);
    let newest = factors["items"][1]["id"].as_str().unwrap();
    let removed = abroad.delete(&format!("/api/v1/me/factors/{newest}")).await;
    assert_eq!(removed.status.as_u16(), 204);
    // One's other session, in another ministry.
    world.sign_in(&mut at_home, &hong, &secret).await;
    let logon = session_of(&mut abroad).await;
    let ended = at_home.delete(&format!("/api/v1/me/sessions/{logon}")).await;
    assert_eq!(ended.status.as_u16(), 204);
    assert_eq!(abroad.get("/api/v1/me").await.code(), "runtime.not-signed-in");
    // Their home ends a session that serves another ministry, and all of them with the person.
    world.sign_in(&mut abroad, &hong, &secret).await;
    abroad.post("/api/v1/me/ministry", &switch).await;
    let logon = session_of(&mut abroad).await;
    let path = format!("/api/v1/people/{}/sessions/{logon}", hong.id);
    assert_eq!(admin.delete(&path).await.status.as_u16(), 204);
    assert_eq!(abroad.get("/api/v1/me").await.code(), "runtime.not-signed-in");
    world.sign_in(&mut abroad, &hong, &secret).await;
    abroad.post("/api/v1/me/ministry", &switch).await;
    assert_eq!(abroad.get("/api/v1/me").await.body["is_home"], false);
    let revoke = format!("/api/v1/people/{}/revoke", hong.id);
    assert_eq!(admin.post(&revoke, &json!({})).await.body["state"], "revoked");
    assert_eq!(abroad.get("/api/v1/me").await.code(), "runtime.not-signed-in");
    assert_eq!(world.count("open").await, 1);
}
