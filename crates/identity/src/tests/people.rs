//! Administrators: what they can do, and that another ministry's people are not there for them.

use axum::http::Method;
use naru_kernel::{PersonId, Role, Seconds, fleet::CloseReason};
use serde_json::json;

use super::{World, session_of};
use crate::{ClosureTarget, Leaver};

#[tokio::test]
async fn an_administrator_adds_lists_searches_and_pages() {
    let world = World::new().await;
    let (_, mut admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    for number in 0..7 {
        let body = json!({ "name": format!("사람{number}"), "subject_name": format!("CN=p{number}_x,C=KR"), "roles": ["worker"] });
        let made = admin.post("/api/v1/people", &body).await;
        assert_eq!(made.status.as_u16(), 200, "{:?}", made.body);
        assert!(made.body["account"].as_str().unwrap().starts_with("naru-"));
        assert_eq!(
            admin.post("/api/v1/people", &body).await.code(),
            "identity.subject-taken"
        );
    }
    let mut names = Vec::new();
    let mut path = "/api/v1/people?limit=3".to_owned();
    loop {
        let page = admin.get(&path).await;
        assert_eq!(page.body["total"], 8);
        names.extend(
            page.body["items"]
                .as_array()
                .unwrap()
                .iter()
                .map(|row| row["name"].as_str().unwrap().to_owned()),
        );
        match page.body["next"].as_str() {
            Some(next) => path = format!("/api/v1/people?limit=3&after={next}"),
            None => break,
        }
    }
    assert_eq!(names.len(), 8);
    assert_eq!(names.iter().collect::<std::collections::BTreeSet<_>>().len(), 8);
    let found = admin.get("/api/v1/people?search=P3_").await;
    assert_eq!(
        (
            found.body["total"].as_i64(),
            found.body["items"][0]["name"].as_str()
        ),
        (Some(1), Some("사람3"))
    );
    assert_eq!(admin.get("/api/v1/people?search=%25").await.body["total"], 0);
    let wrong = admin
        .post("/api/v1/people", &json!({ "name": "", "subject_name": "CN=x" }))
        .await;
    assert_eq!(
        (wrong.code(), wrong.body["field"].as_str()),
        ("identity.wrong-field", Some("name"))
    );
    let king = json!({ "name": "왕", "subject_name": "CN=king", "roles": ["operator"] });
    assert_eq!(admin.post("/api/v1/people", &king).await.body["field"], "roles");
    let extra = json!({ "name": "왕", "subject_name": "CN=king", "account": "root" });
    assert_eq!(
        admin.post("/api/v1/people", &extra).await.code(),
        "runtime.malformed-body"
    );
}

#[tokio::test]
async fn another_ministrys_people_are_not_there() {
    let world = World::new().await;
    let (_, mut admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    let other = world.person_in(world.foreign, "남", &[Role::Worker]).await;
    let mut browser = world.browser();
    world.enrol(&mut browser, &other).await;
    let logon = session_of(&mut browser).await;
    let person = other.id;
    let certificate = world.certificate_of(person).await;
    let missing: Vec<(Method, String)> = vec![
        (Method::GET, format!("/api/v1/people/{person}")),
        (Method::POST, format!("/api/v1/people/{person}/activation-code")),
        (Method::POST, format!("/api/v1/people/{person}/revoke")),
        (Method::POST, format!("/api/v1/people/{person}/restore")),
        (Method::POST, format!("/api/v1/people/{person}/unlock")),
        (Method::POST, format!("/api/v1/people/{person}/recover")),
        (
            Method::DELETE,
            format!("/api/v1/people/{person}/sessions/{logon}"),
        ),
        (Method::POST, format!("/api/v1/certificates/{certificate}/revoke")),
    ];
    for (method, path) in missing {
        let answer = admin.call(method.clone(), &path, Some(&json!({}))).await;
        assert_eq!(
            (answer.status.as_u16(), answer.code()),
            (404, "identity.no-such-thing"),
            "{method} {path}"
        );
    }
    assert_eq!(browser.get("/api/v1/me").await.status.as_u16(), 200);
    assert_eq!(admin.get("/api/v1/people").await.body["total"], 1);
    assert_eq!(
        admin.get(&format!("/api/v1/people?after={person}")).await.body["items"],
        json!([])
    );
    assert_eq!(admin.get("/api/v1/alarms").await.body["total"], 0);
    assert!(world.desktops.closed().is_empty());
}

#[tokio::test]
async fn only_administrators_come_in() {
    let world = World::new().await;
    let worker = world.person("일꾼").await;
    let (_, mut browser) = world.signed_in("홍길동", &[Role::Worker, Role::Auditor]).await;
    let id = worker.id;
    let routes: Vec<(Method, String)> = vec![
        (Method::GET, "/api/v1/people".into()),
        (Method::POST, "/api/v1/people".into()),
        (Method::POST, "/api/v1/people/import".into()),
        (Method::GET, format!("/api/v1/people/{id}")),
        (Method::POST, format!("/api/v1/people/{id}/activation-code")),
        (Method::POST, format!("/api/v1/people/{id}/revoke")),
        (Method::GET, "/api/v1/alarms".into()),
    ];
    for (method, path) in routes {
        let answer = browser.call(method.clone(), &path, Some(&json!({}))).await;
        assert_eq!(answer.code(), "runtime.role-needed", "{method} {path}");
        let anyone = world
            .browser()
            .call(method.clone(), &path, Some(&json!({})))
            .await;
        assert_eq!(anyone.code(), "runtime.not-signed-in", "{method} {path}");
    }
}

#[tokio::test]
async fn revoking_a_person_ends_everything_at_once_and_restoring_lets_them_back() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    let mut browser = world.browser();
    let secret = world.enrol(&mut browser, &hong).await;
    let (_, mut admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    let path = |verb: &str| format!("/api/v1/people/{}/{verb}", hong.id);
    assert_eq!(
        admin.post(&path("revoke"), &json!({})).await.body["state"],
        "revoked"
    );
    assert_eq!(world.desktops.ended(), [Leaver::Everywhere(hong.id)]);
    assert_eq!(
        world.desktops.closed(),
        [(ClosureTarget::Person(hong.id), CloseReason::Revoked)]
    );
    assert!(*world.desktops.woken.lock().unwrap() > 0);
    assert_eq!(browser.get("/api/v1/me").await.code(), "runtime.not-signed-in");
    assert_eq!(
        world.log_on(&mut browser, &hong.identity).await.code(),
        "identity.person-revoked"
    );
    assert_eq!(
        admin.post(&path("activation-code"), &json!({})).await.code(),
        "identity.wrong-state"
    );
    assert!(
        world
            .identity
            .person_card(hong.id, world.ministry)
            .await
            .unwrap()
            .is_none()
    );
    assert_eq!(
        admin.post(&path("restore"), &json!({})).await.body["state"],
        "active"
    );
    assert_eq!(
        admin.post(&path("restore"), &json!({})).await.code(),
        "identity.wrong-state"
    );
    world.sign_in(&mut browser, &hong, &secret).await;
    let entries = world.record("identity.restore-person").await;
    let outcomes: Vec<&str> = entries.iter().map(|entry| entry.outcome.as_str()).collect();
    assert_eq!(outcomes, ["done", "refused"]);
}

#[tokio::test]
async fn revoking_a_certificate_ends_the_sessions_that_began_with_it() {
    let world = World::new().await;
    let (hong, mut browser) = world.signed_in("홍길동", &[Role::Worker]).await;
    let logon = session_of(&mut browser).await;
    let (_, mut admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    let person = admin.get(&format!("/api/v1/people/{}", hong.id)).await;
    let certificate = person.body["certificates"][0]["id"].as_str().unwrap().to_owned();
    let path = format!("/api/v1/certificates/{certificate}/revoke");
    assert_eq!(admin.post(&path, &json!({})).await.status.as_u16(), 204);
    assert_eq!(
        world.desktops.closed(),
        [(ClosureTarget::Logon(logon), CloseReason::Revoked)]
    );
    assert_eq!(browser.get("/api/v1/me").await.code(), "runtime.not-signed-in");
    let refused = world.log_on(&mut browser, &hong.identity).await;
    assert_eq!(refused.code(), "identity.certificate-withdrawn");
}

#[tokio::test]
async fn an_administrator_ends_a_session_resets_factors_and_unlocks() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    let mut browser = world.browser();
    let secret = world.enrol(&mut browser, &hong).await;
    let logon = session_of(&mut browser).await;
    let (_, mut admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    let session = format!("/api/v1/people/{}/sessions/{logon}", hong.id);
    assert_eq!(admin.delete(&session).await.status.as_u16(), 204);
    assert_eq!(admin.delete(&session).await.status.as_u16(), 404);
    assert_eq!(browser.get("/api/v1/me").await.code(), "runtime.not-signed-in");
    world.sign_in(&mut browser, &hong, &secret).await;
    let mut thief = world.browser();
    world.log_on(&mut thief, &hong.identity).await;
    for _ in 0..5 {
        thief
            .post("/api/v1/logon/totp", &json!({ "code": "000000" }))
            .await;
    }
    let path = |verb: &str| format!("/api/v1/people/{}/{verb}", hong.id);
    let alarms = admin.get("/api/v1/alarms").await;
    let items = alarms.body["items"].as_array().unwrap();
    let locked = items.iter().find(|alarm| alarm["kind"] == "identity.locked");
    assert_eq!(locked.unwrap()["person"], hong.id.to_string());
    assert_eq!(
        admin.get(&format!("/api/v1/people/{}", hong.id)).await.body["state"],
        "locked"
    );
    assert_eq!(
        admin.post(&path("unlock"), &json!({})).await.body["state"],
        "active"
    );
    assert_eq!(
        admin.post(&path("unlock"), &json!({})).await.code(),
        "identity.wrong-state"
    );
    let asked = admin.post(&path("recover"), &json!({})).await;
    assert_eq!(asked.body["done"], false, "{:?}", asked.body);
    assert_eq!(
        world.count("factors").await,
        2,
        "nothing happens before another agrees"
    );
    assert_eq!(
        admin.post(&path("recover"), &json!({})).await.code(),
        "identity.already-asked"
    );
    world.agree(PersonId::from_bits(99)).await.unwrap();
    assert_eq!(world.count("factors").await, 1);
    assert!(
        world
            .alarms()
            .await
            .contains(&"identity.factors-recovered".to_owned())
    );
    assert_eq!(
        admin.post(&path("recover"), &json!({})).await.code(),
        "identity.wrong-state"
    );
    world.clock.advance(Seconds(60));
    assert_eq!(
        world.log_on(&mut browser, &hong.identity).await.body["next"],
        "activate"
    );
    let handed = admin.post(&path("activation-code"), &json!({})).await;
    let answer = browser
        .post(
            "/api/v1/logon/activation",
            &json!({ "code": handed.body["code"] }),
        )
        .await;
    assert_eq!(answer.body["next"], "enrol");
    // Neither the code nor anything of it stands in the record.
    let entry = world
        .record("identity.hand-out-activation-code")
        .await
        .pop()
        .unwrap();
    assert!(!entry.detail.contains(handed.body["code"].as_str().unwrap()));
}

#[tokio::test]
async fn an_administrator_cannot_do_it_to_themselves() {
    let world = World::new().await;
    let (me, mut admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    for verb in ["revoke", "unlock", "recover", "activation-code"] {
        let answer = admin
            .post(&format!("/api/v1/people/{}/{verb}", me.id), &json!({}))
            .await;
        assert_eq!(answer.code(), "identity.not-yourself", "{verb}");
    }
    assert_eq!(admin.get("/api/v1/me").await.status.as_u16(), 200);
}

#[tokio::test]
async fn a_change_from_a_foreign_page_is_refused() {
    let world = World::new().await;
    let (_, admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    let mut foreign = naru_testkit::Browser::new(world.router(Vec::new()), "https://evil.example");
    foreign.set_cookie(crate::COOKIE, admin.cookie(crate::COOKIE).unwrap());
    let body = json!({ "name": "x", "subject_name": "CN=x" });
    assert_eq!(
        foreign.post("/api/v1/people", &body).await.code(),
        "runtime.foreign-origin"
    );
}

#[tokio::test]
async fn the_command_line_finds_and_revokes() {
    let world = World::new().await;
    let (hong, mut browser) = world.signed_in("홍길동", &[Role::Worker]).await;
    let subject = hong.identity.person.subject().to_lowercase();
    assert_eq!(world.identity.person_by_subject(&subject).await.unwrap(), hong.id);
    assert_eq!(
        world.identity.ministry_by_agency("085").await.unwrap().id,
        world.ministry
    );
    let card = world
        .identity
        .person_card(hong.id, world.ministry)
        .await
        .unwrap()
        .unwrap();
    assert_eq!((card.name.as_str(), card.agency_code.as_str()), ("홍길동", "085"));
    world.identity.admin_revoke_person(hong.id).await.unwrap();
    assert_eq!(browser.get("/api/v1/me").await.code(), "runtime.not-signed-in");
    let entry = world.record("identity.revoke-person").await.pop().unwrap();
    assert_eq!(
        (entry.actor.as_str(), entry.stream),
        ("platform:admin", world.ministry.to_string())
    );
}
