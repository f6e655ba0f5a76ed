//! Ministries as tenants: roles with a place and an end, units, groups, more than one ministry, moving.

use axum::http::Method;
use naru_kernel::{PersonId, Role, Seconds, Tenant};
use naru_testkit::Browser;
use serde_json::json;

use super::{Someone, World};
use crate::{GrantForm, Leaver, PersonForm};

/// Another administrator, whoever it is.
pub(super) const SECOND: PersonId = PersonId::from_bits(2);

impl World {
    /// Somebody of a unit, signed in, without roles but a worker's.
    async fn of_unit(&self, name: &str, unit: &str) -> (Someone, Browser) {
        let identity = self
            .pki
            .issue(&super::demo_person(name), self.now(), self.entropy.as_ref());
        let identity = identity.unwrap();
        let form = PersonForm {
            name: name.to_owned(),
            subject_name: identity.person.subject(),
            unit: unit.to_owned(),
            ..PersonForm::default()
        };
        let id = self
            .identity
            .admin_create_person(self.ministry, &form)
            .await
            .unwrap();
        let someone = Someone { id, identity };
        let mut browser = self.browser();
        self.enrol(&mut browser, &someone).await;
        (someone, browser)
    }

    pub(super) fn now(&self) -> naru_kernel::Timestamp {
        naru_kernel::Clock::now(self.clock.as_ref())
    }

    async fn gives(&self, person: PersonId, role: Role, within: &str, scope: &str) {
        let form = GrantForm {
            person,
            role,
            within: within.to_owned(),
            scope: scope.to_owned(),
            expires_at: None,
        };
        let tenant = Tenant::of(self.ministry);
        self.identity.admin_grant_role(tenant, &form).await.unwrap();
    }
}

#[tokio::test]
async fn a_role_needs_two_and_ends_with_its_time() {
    let world = World::new().await;
    let (_, mut admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    let (hong, mut browser) = world.signed_in("홍길동", &[Role::Worker]).await;
    let end = world.now() + Seconds(300);
    let wish = json!({ "person": hong.id, "role": "auditor", "expires_at": end });
    let asked = admin.post("/api/v1/role-grants", &wish).await;
    assert_eq!(asked.body["done"], false, "{:?}", asked.body);
    assert!(asked.body["approval"].is_string());
    assert_eq!(browser.get("/api/v1/me").await.body["roles"], json!(["worker"]));
    assert_eq!(
        admin.post("/api/v1/role-grants", &wish).await.code(),
        "identity.already-asked"
    );
    world.agree(SECOND).await.unwrap();
    // The running session has it at once, and loses it with its time.
    assert_eq!(
        browser.get("/api/v1/me").await.body["roles"],
        json!(["worker", "auditor"])
    );
    assert_eq!(
        admin.post("/api/v1/role-grants", &wish).await.code(),
        "identity.already-granted"
    );
    let listed = admin.get("/api/v1/role-grants?role=auditor").await;
    assert_eq!(listed.body["total"], 1);
    assert_eq!(listed.body["items"][0]["person_name"], "홍길동");
    assert_eq!(listed.body["items"][0]["approved_by"], SECOND.to_string());
    world.clock.advance(Seconds(301));
    assert_eq!(browser.get("/api/v1/me").await.body["roles"], json!(["worker"]));
    let past = json!({ "person": hong.id, "role": "auditor", "expires_at": end });
    assert_eq!(
        admin.post("/api/v1/role-grants", &past).await.body["field"],
        "expires_at"
    );
}

#[tokio::test]
async fn a_role_is_taken_away_at_once_but_not_the_last_administrators() {
    let world = World::new().await;
    let (me, mut admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    let (hong, mut browser) = world
        .signed_in("홍길동", &[Role::Worker, Role::MinistryAdmin])
        .await;
    let granted = |body: &serde_json::Value| body["items"][0]["id"].as_str().unwrap().to_owned();
    let path = |person: PersonId| format!("/api/v1/role-grants?role=ministry_admin&person={person}");
    let theirs = granted(&admin.get(&path(hong.id)).await.body);
    assert_eq!(browser.get("/api/v1/people").await.status.as_u16(), 200);
    let taken = admin.delete(&format!("/api/v1/role-grants/{theirs}")).await;
    assert_eq!(taken.status.as_u16(), 204);
    assert_eq!(browser.get("/api/v1/people").await.code(), "runtime.role-needed");
    let entry = world.record("identity.take-role").await.pop().unwrap();
    assert!(entry.detail.contains("\"before\""), "{}", entry.detail);
    let own = granted(&admin.get(&path(me.id)).await.body);
    let refused = admin.delete(&format!("/api/v1/role-grants/{own}")).await;
    assert_eq!(refused.code(), "identity.last-administrator");
    // Who is no worker any more has nothing running.
    let worker = format!("/api/v1/role-grants?role=worker&person={}", hong.id);
    let worker = granted(&admin.get(&worker).await.body);
    admin.delete(&format!("/api/v1/role-grants/{worker}")).await;
    assert_eq!(world.desktops.ended(), [Leaver::From(hong.id, world.ministry)]);
}

#[tokio::test]
async fn an_administrator_of_a_unit_sees_and_changes_its_people_only() {
    let world = World::new().await;
    let (chief, mut admin) = world.of_unit("단장", "감사단").await;
    world.gives(chief.id, Role::MinistryAdmin, "unit", "감사단").await;
    let (below, _) = world.of_unit("감사관", "감사단/제1과").await;
    let (beside, _) = world.of_unit("인사관", "감사단장실").await;
    let listed = admin.get("/api/v1/people?sort=unit").await;
    let names: Vec<&str> = listed.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|row| row["name"].as_str().unwrap())
        .collect();
    assert_eq!(
        (names, listed.body["total"].as_i64()),
        (vec!["단장", "감사관"], Some(2))
    );
    assert_eq!(
        admin
            .get(&format!("/api/v1/people/{}", below.id))
            .await
            .status
            .as_u16(),
        200
    );
    let revoke = |person: PersonId| format!("/api/v1/people/{person}/revoke");
    assert_eq!(
        admin.post(&revoke(beside.id), &json!({})).await.code(),
        "identity.no-such-thing"
    );
    assert_eq!(
        admin
            .get(&format!("/api/v1/people/{}", beside.id))
            .await
            .status
            .as_u16(),
        404
    );
    assert_eq!(
        admin.post(&revoke(below.id), &json!({})).await.body["state"],
        "revoked"
    );
    // Nothing of the whole ministry, and nobody into another unit.
    for path in [
        "/api/v1/groups",
        "/api/v1/role-grants",
        "/api/v1/scim-tokens",
        "/api/v1/alarms",
    ] {
        assert_eq!(admin.get(path).await.code(), "identity.not-allowed", "{path}");
    }
    let form = json!({ "name": "새사람", "subject_name": "CN=새사람", "unit": "인사과" });
    assert_eq!(
        admin.post("/api/v1/people", &form).await.code(),
        "identity.not-allowed"
    );
    let form = json!({ "name": "새사람", "subject_name": "CN=새사람", "unit": "감사단/제2과" });
    let made = admin.post("/api/v1/people", &form).await;
    assert_eq!(made.body["unit"], "감사단/제2과", "{:?}", made.body);
    let moved = format!("/api/v1/people/{}/move", made.body["id"].as_str().unwrap());
    assert_eq!(
        admin.post(&moved, &json!({ "unit": "인사과" })).await.code(),
        "identity.no-such-thing"
    );
    // Someone with more than a worker's role is beyond them, wherever they sit.
    let (auditor, _) = world.of_unit("감찰관", "감사단").await;
    world.gives(auditor.id, Role::Auditor, "", "").await;
    assert_eq!(
        admin.post(&revoke(auditor.id), &json!({})).await.code(),
        "identity.not-allowed"
    );
}

#[tokio::test]
async fn people_are_sorted_filtered_and_paged_in_every_order() {
    let world = World::new().await;
    let (_, mut admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    for number in 0..6 {
        let unit = if number % 2 == 0 { "짝수과" } else { "홀수과" };
        let form =
            json!({ "name": format!("사람{number}"), "subject_name": format!("CN=p{number}"), "unit": unit });
        admin.post("/api/v1/people", &form).await;
    }
    for sort in [
        "name",
        "-name",
        "unit",
        "-unit",
        "created_at",
        "-created_at",
        "last_logon_at",
        "-last_logon_at",
    ] {
        let mut seen = Vec::new();
        let mut path = format!("/api/v1/people?limit=2&sort={sort}");
        loop {
            let page = admin.get(&path).await;
            assert_eq!(page.body["total"], 7, "{sort}: {:?}", page.body);
            let rows = page.body["items"].as_array().unwrap();
            seen.extend(rows.iter().map(|row| row["id"].as_str().unwrap().to_owned()));
            let Some(next) = page.body["next"].as_str() else {
                break;
            };
            path = format!("/api/v1/people?limit=2&sort={sort}&after={next}");
        }
        let once: std::collections::BTreeSet<&String> = seen.iter().collect();
        assert_eq!((seen.len(), once.len()), (7, 7), "{sort}");
    }
    let odd = admin.get("/api/v1/people?unit=홀수과&state=active").await;
    assert_eq!(odd.body["total"], 3);
    assert_eq!(admin.get("/api/v1/people?sort=shoe").await.body["field"], "sort");
    let units = admin.get("/api/v1/units").await;
    assert_eq!(units.body["items"][0], json!({ "unit": "짝수과", "people": 3 }));
}

#[tokio::test]
async fn groups_are_made_filled_and_emptied() {
    let world = World::new().await;
    let (_, mut admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    let hong = world.person("홍길동").await;
    let other = world.person_in(world.foreign, "남", &[Role::Worker]).await;
    let made = admin.post("/api/v1/groups", &json!({ "name": "결재자" })).await;
    let path = format!("/api/v1/groups/{}", made.body["id"].as_str().unwrap());
    assert_eq!(
        admin
            .post("/api/v1/groups", &json!({ "name": "결재자" }))
            .await
            .code(),
        "identity.name-taken"
    );
    let members = format!("{path}/members");
    let filled = admin.post(&members, &json!({ "add": [hong.id] })).await;
    assert_eq!(filled.body["members"], 1);
    let foreign = admin.post(&members, &json!({ "add": [other.id] })).await;
    assert_eq!(foreign.code(), "identity.no-such-thing");
    assert_eq!(admin.get(&members).await.body["items"][0]["name"], "홍길동");
    let id = made.body["id"].as_str().unwrap();
    let listed = admin.get(&format!("/api/v1/people?group={id}")).await;
    assert_eq!(listed.body["total"], 1);
    let known = world
        .identity
        .known_person(world.ministry, hong.id)
        .await
        .unwrap()
        .unwrap();
    assert_eq!(known.groups, ["결재자"]);
    let renamed = admin
        .call(Method::PUT, &path, Some(&json!({ "name": "검토자" })))
        .await;
    assert_eq!(renamed.body["name"], "검토자");
    assert_eq!(admin.get("/api/v1/groups?search=검토").await.body["total"], 1);
    assert_eq!(
        admin.post(&members, &json!({ "remove": [hong.id] })).await.body["members"],
        0
    );
    assert_eq!(admin.delete(&path).await.status.as_u16(), 204);
    assert_eq!(admin.get(&path).await.status.as_u16(), 404);
}

#[tokio::test]
async fn operators_make_ministries_with_their_first_administrators() {
    let world = World::new().await;
    let operator = world.person_in(world.foreign, "운영자", &[Role::Operator]).await;
    let mut browser = world.browser();
    world.enrol(&mut browser, &operator).await;
    let person = super::demo_person("첫관리자");
    let first = json!({ "name": "첫관리자", "subject_name": person.subject() });
    let form =
        json!({ "name_ko": "새부처", "name_en": "New", "agency_code": "099", "administrators": [first] });
    let made = browser.post("/api/v1/ministries", &form).await;
    assert!(
        made.body["administrators"][0]["code"].is_string(),
        "{:?}",
        made.body
    );
    assert_eq!(
        browser.post("/api/v1/ministries", &form).await.code(),
        "identity.agency-taken"
    );
    let found = browser.get("/api/v1/ministries?search=새부").await;
    assert_eq!(
        (&found.body["total"], &found.body["items"][0]["people"]),
        (&json!(1), &json!(1))
    );
    let page = browser.get("/api/v1/ministries?limit=2&sort=-agency_code").await;
    assert_eq!(page.body["items"][0]["agency_code"], "099");
    let next = page.body["next"].as_str().unwrap().to_owned();
    let rest = browser
        .get(&format!(
            "/api/v1/ministries?limit=2&sort=-agency_code&after={next}"
        ))
        .await;
    assert_eq!(rest.body["items"].as_array().unwrap().len(), 1);
    // A first administrator whose name is somebody's leaves no half ministry behind.
    let form =
        json!({ "name_ko": "반쪽", "name_en": "Half", "agency_code": "098", "administrators": [first] });
    assert_eq!(
        browser.post("/api/v1/ministries", &form).await.code(),
        "identity.subject-taken"
    );
    assert_eq!(
        browser.get("/api/v1/ministries?search=반쪽").await.body["total"],
        0
    );
}

#[tokio::test]
async fn a_directorys_token_is_shown_once_and_can_be_taken_away() {
    let world = World::new().await;
    let (_, mut admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    let form = json!({ "name": "인사 시스템", "access": "write", "days": 30 });
    let made = admin.post("/api/v1/scim-tokens", &form).await;
    let secret = made.body["secret"].as_str().unwrap().to_owned();
    assert!(secret.starts_with("naru_scim_"));
    assert!(world.identity.scim_token(&secret).await.unwrap().is_some());
    assert!(
        world
            .identity
            .scim_token("naru_scim_wrong")
            .await
            .unwrap()
            .is_none()
    );
    let listed = admin.get("/api/v1/scim-tokens").await;
    assert!(listed.body["items"][0]["last_used_at"].is_i64());
    assert!(!String::from_utf8_lossy(&listed.bytes).contains(&secret));
    let entry = world.record("identity.create-scim-token").await.pop().unwrap();
    assert!(!entry.detail.contains(&secret));
    let wrong = json!({ "name": "x", "access": "read", "days": 4_000 });
    assert_eq!(
        admin.post("/api/v1/scim-tokens", &wrong).await.body["field"],
        "days"
    );
    let id = listed.body["items"][0]["id"].as_str().unwrap();
    let path = format!("/api/v1/scim-tokens/{id}");
    let short = json!({ "name": "하루", "access": "read", "days": 1 });
    let short = admin.post("/api/v1/scim-tokens", &short).await;
    assert_eq!(admin.delete(&path).await.status.as_u16(), 204);
    assert_eq!(admin.delete(&path).await.status.as_u16(), 404);
    assert!(world.identity.scim_token(&secret).await.unwrap().is_none());
    let short = short.body["secret"].as_str().unwrap();
    assert!(world.identity.scim_token(short).await.unwrap().is_some());
    world.clock.advance(Seconds::hours(24));
    assert!(world.identity.scim_token(short).await.unwrap().is_none());
}

#[tokio::test]
async fn many_ministries_are_seeded_in_few_statements_and_listed_quickly() {
    let world = World::new().await;
    let made = world.identity.seed_ministries(40, 25).await.unwrap();
    assert_eq!((made.len(), world.count("people").await), (40, 1_000));
    let (ministry, person) = made[7];
    world.identity.seed_administrator(ministry, person).await.unwrap();
    let grants = vec![naru_kernel::Grant::everywhere(Role::MinistryAdmin)];
    let actor = naru_kernel::Actor::new(person, ministry, naru_kernel::LogonId::from_bits(1), grants);
    let query = crate::PeopleQuery {
        limit: Some(10),
        search: Some("김".to_owned()),
        ..crate::PeopleQuery::default()
    };
    let page = world.identity.people(&actor, &query).await.unwrap();
    assert!(page.total > 0 && page.items.iter().all(|row| row.name.contains('김')));
    let all = world
        .identity
        .people(&actor, &crate::PeopleQuery::default())
        .await
        .unwrap();
    assert_eq!((all.total, all.items.len()), (25, 25));
    assert!(
        all.items
            .iter()
            .any(|row| row.id == person && row.roles.contains(&Role::MinistryAdmin))
    );
    assert!(world.identity.seed_ministries(40, 25).await.is_err());
    assert!(world.identity.seed_ministries(10_001, 1).await.is_err());
}
