//! A directory at `/scim/v2`: its token, people, groups, filters, patches, versions; and what it is refused.

use axum::http::{Method, header};
use naru_kernel::{PersonId, Role};
use naru_testkit::Browser;
use serde_json::{Value, json};

use super::World;
use crate::{Leaver, members::ScimAccess};

/// A directory with its token.
struct Directory(Browser);

struct Answer {
    status: u16,
    etag: Option<String>,
    kind: String,
    body: Value,
}

impl Directory {
    fn new(world: &World, token: &str) -> Self {
        let mut browser = world.browser();
        browser.set_header("authorization", &format!("Bearer {token}"));
        Self(browser)
    }

    async fn send(
        &self,
        method: Method,
        path: &str,
        extra: Option<(&str, &str)>,
        body: Option<Value>,
    ) -> Answer {
        let mut browser = self.0.clone();
        if let Some((name, value)) = extra {
            browser.set_header(name, value);
        }
        let bytes = body.map(|body| body.to_string().into_bytes());
        let path = format!("/scim/v2{path}");
        let answer = browser.send(method, &path, "application/scim+json", bytes).await;
        let header = |name: header::HeaderName| {
            let value = answer.headers.get(name);
            value.map(|value| value.to_str().unwrap().to_owned())
        };
        Answer {
            status: answer.status.as_u16(),
            etag: header(header::ETAG),
            kind: header(header::CONTENT_TYPE).unwrap_or_default(),
            body: answer.body,
        }
    }

    async fn get(&self, path: &str) -> Answer {
        self.send(Method::GET, path, None, None).await
    }

    async fn post(&self, path: &str, body: Value) -> Answer {
        self.send(Method::POST, path, None, Some(body)).await
    }

    async fn patch(&self, path: &str, operations: Value) -> Answer {
        let body = json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"], "Operations": operations,
        });
        self.send(Method::PATCH, path, None, Some(body)).await
    }

    async fn found(&self, filter: &str) -> (i64, Vec<String>) {
        let filter: String = url::form_urlencoded::byte_serialize(filter.as_bytes()).collect();
        let answer = self.get(&format!("/Users?filter={filter}")).await;
        let names = answer.body["Resources"].as_array().map_or_else(Vec::new, |all| {
            all.iter()
                .map(|user| user["displayName"].as_str().unwrap().to_owned())
                .collect()
        });
        (answer.body["totalResults"].as_i64().unwrap_or(-1), names)
    }
}

impl World {
    async fn directory(&self, access: ScimAccess) -> Directory {
        let (_, mut admin) = self
            .signed_in(&format!("관리자{access}"), &[Role::MinistryAdmin])
            .await;
        let form = json!({ "name": "인사", "access": access, "days": 30 });
        let made = admin.post("/api/v1/scim-tokens", &form).await;
        Directory::new(self, made.body["secret"].as_str().unwrap())
    }
}

fn user(name: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"], "userName": format!("CN={name},C=KR"),
        "displayName": name, "externalId": format!("E-{name}"), "emails": [{ "value": format!("{name}@go.kr") }],
        "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User": { "department": "감사단/제1과" },
    })
}

#[tokio::test]
async fn a_person_is_made_read_changed_and_removed() {
    let world = World::new().await;
    let directory = world.directory(ScimAccess::Write).await;
    let made = directory.post("/Users", user("홍길동")).await;
    assert_eq!(
        (made.status, made.kind.as_str()),
        (201, "application/scim+json"),
        "{:?}",
        made.body
    );
    let id = made.body["id"].as_str().unwrap().to_owned();
    let path = format!("/Users/{id}");
    assert_eq!(made.body["meta"]["version"], made.etag.clone().unwrap());
    let known = world
        .identity
        .known_person(world.ministry, id.parse().unwrap())
        .await
        .unwrap()
        .unwrap();
    assert_eq!(
        (
            known.unit.as_str(),
            known.email.as_deref(),
            known.roles.as_slice()
        ),
        ("감사단/제1과", Some("홍길동@go.kr"), [Role::Worker].as_slice())
    );
    assert_eq!(
        directory.post("/Users", user("홍길동")).await.body["scimType"],
        "uniqueness"
    );
    // A version that is not the newest is refused, the newest is taken once.
    let etag = made.etag.unwrap();
    let operations = json!({ "Operations": [{ "op": "replace", "path": "displayName", "value": "길동" }] });
    let fresh = Some(("if-match", etag.as_str()));
    let changed = directory
        .send(Method::PATCH, &path, fresh, Some(operations.clone()))
        .await;
    assert_eq!(
        (changed.status, &changed.body["displayName"]),
        (200, &json!("길동"))
    );
    let stale = directory
        .send(Method::PATCH, &path, fresh, Some(operations))
        .await;
    assert_eq!((stale.status, &stale.body["status"]), (412, &json!("412")));
    let newest = changed.etag.unwrap();
    let same = directory
        .send(Method::GET, &path, Some(("if-none-match", &newest)), None)
        .await;
    assert_eq!(same.status, 304);
    let entry = world.record("identity.scim-change-user").await.pop().unwrap();
    assert!(entry.detail.contains("\"before\"") && entry.detail.contains("\"after\""));
    // What people log on by is not a directory's to change.
    let renamed = directory
        .patch(
            &path,
            json!([{ "op": "replace", "path": "userName", "value": "CN=다른,C=KR" }]),
        )
        .await;
    assert_eq!(
        (renamed.status, &renamed.body["scimType"]),
        (400, &json!("mutability"))
    );
    let replaced = directory
        .send(Method::PUT, &path, None, Some(user("홍길동")))
        .await;
    assert_eq!(
        (replaced.status, &replaced.body["displayName"]),
        (200, &json!("홍길동"))
    );
    let removed = directory.send(Method::DELETE, &path, None, None).await;
    assert_eq!(removed.status, 204);
    assert_eq!(directory.get(&path).await.status, 404);
    // Who comes back is the same person.
    let back = directory.post("/Users", user("홍길동")).await;
    assert_eq!(
        (back.status, back.body["id"].as_str()),
        (201, Some(id.as_str())),
        "{:?}",
        back.body
    );
}

#[tokio::test]
async fn who_is_made_inactive_is_out_of_everything_at_once() {
    let world = World::new().await;
    let directory = world.directory(ScimAccess::Write).await;
    let (hong, mut browser) = world.signed_in("홍길동", &[Role::Worker]).await;
    assert_eq!(browser.get("/api/v1/me").await.status.as_u16(), 200);
    let path = format!("/Users/{}", hong.id);
    let answer = directory
        .patch(
            &path,
            json!([{ "op": "Replace", "value": { "active": "False" } }]),
        )
        .await;
    assert_eq!(
        (answer.status, &answer.body["active"]),
        (200, &json!(false)),
        "{:?}",
        answer.body
    );
    assert_eq!(browser.get("/api/v1/me").await.code(), "runtime.not-signed-in");
    assert!(world.desktops.ended().contains(&Leaver::Everywhere(hong.id)));
    assert!(*world.desktops.woken.lock().unwrap() > 0);
    let again = directory
        .patch(
            &path,
            json!([{ "op": "replace", "path": "active", "value": true }]),
        )
        .await;
    assert_eq!(again.body["active"], true);
}

#[tokio::test]
async fn people_are_found_sorted_and_paged() {
    let world = World::new().await;
    let directory = world.directory(ScimAccess::Write).await;
    for name in ["가나", "다라", "마바", "Kim"] {
        assert_eq!(directory.post("/Users", user(name)).await.status, 201);
    }
    let one = |name: &str| (1, vec![name.to_owned()]);
    assert_eq!(
        directory.found(r#"userName eq "cn=다라, c=kr""#).await,
        one("다라")
    );
    assert_eq!(directory.found(r#"externalId eq "E-가나""#).await, one("가나"));
    assert_eq!(directory.found(r#"externalId eq "e-가나""#).await, (0, vec![]));
    assert_eq!(directory.found(r#"displayName co "바""#).await, one("마바"));
    assert_eq!(
        directory
            .found(r#"emails.value sw "kim@" and active eq true"#)
            .await,
        one("Kim")
    );
    assert_eq!(directory.found("active eq false").await, (0, vec![]));
    assert_eq!(
        directory
            .found(r#"not (displayName sw "관리자") and externalId pr"#)
            .await
            .0,
        4
    );
    assert_eq!(
        directory
            .found(
                r#"urn:ietf:params:scim:schemas:extension:enterprise:2.0:User:department eq "감사단/제1과""#
            )
            .await
            .0,
        4
    );
    assert_eq!(directory.found(r#"id eq "nobody""#).await, (0, vec![]));
    let page = directory
        .get("/Users?startIndex=2&count=2&sortBy=displayName&sortOrder=descending&attributes=displayName")
        .await
        .body;
    assert_eq!(
        (&page["totalResults"], &page["startIndex"], &page["itemsPerPage"]),
        (&json!(5), &json!(2), &json!(2))
    );
    let first = page["Resources"][0].as_object().unwrap();
    let names: std::collections::BTreeSet<&str> = first.keys().map(String::as_str).collect();
    assert_eq!(Vec::from_iter(names), ["displayName", "id", "schemas"]);
    assert_eq!(
        directory.get("/Users?sortBy=shoe").await.body["scimType"],
        "invalidPath"
    );
}

#[tokio::test]
async fn groups_are_made_filled_by_patch_and_removed() {
    let world = World::new().await;
    let directory = world.directory(ScimAccess::Write).await;
    let mut people = Vec::new();
    for name in ["가나", "다라", "마바"] {
        let made = directory.post("/Users", user(name)).await;
        people.push(made.body["id"].as_str().unwrap().to_owned());
    }
    let group = json!({ "displayName": "결재자", "externalId": "G1", "members": [{ "value": people[0] }] });
    let made = directory.post("/Groups", group.clone()).await;
    assert_eq!(made.status, 201, "{:?}", made.body);
    assert_eq!(
        directory.post("/Groups", group).await.body["scimType"],
        "uniqueness"
    );
    let path = format!("/Groups/{}", made.body["id"].as_str().unwrap());
    let patched = directory
        .patch(
            &path,
            json!([
                { "op": "add", "path": "members", "value": [{ "value": people[1] }, { "value": people[2] }] },
                { "op": "remove", "path": format!("members[value eq \"{}\"]", people[0]) },
                { "op": "replace", "path": "displayName", "value": "검토자" },
            ]),
        )
        .await;
    assert_eq!(patched.status, 200, "{:?}", patched.body);
    let members: Vec<&str> = patched.body["members"]
        .as_array()
        .unwrap()
        .iter()
        .map(|member| member["value"].as_str().unwrap())
        .collect();
    assert_eq!(members.len(), 2);
    assert!(!members.contains(&people[0].as_str()));
    let person = directory.get(&format!("/Users/{}", people[1])).await;
    assert_eq!(person.body["groups"][0]["display"], "검토자");
    let whose: String = format!("/Groups?filter=members%20eq%20%22{}%22", people[1]);
    assert_eq!(directory.get(&whose).await.body["totalResults"], 1);
    assert_eq!(
        directory
            .get("/Groups?filter=displayName%20eq%20%22%EC%97%86%EC%9D%8C%22")
            .await
            .body["totalResults"],
        0
    );
    // Nobody of another ministry comes in.
    let other = world.person_in(world.foreign, "남", &[Role::Worker]).await;
    let foreign = directory
        .patch(
            &path,
            json!([{ "op": "add", "path": "members", "value": [{ "value": other.id }] }]),
        )
        .await;
    assert_eq!(
        (foreign.status, &foreign.body["scimType"]),
        (400, &json!("invalidValue"))
    );
    let newest = directory.get(&path).await.etag.unwrap();
    let stale = directory
        .send(Method::DELETE, &path, Some(("if-match", "W/\"1\"")), None)
        .await;
    assert_eq!(stale.status, 412);
    let removed = directory
        .send(Method::DELETE, &path, Some(("if-match", &newest)), None)
        .await;
    assert_eq!(removed.status, 204);
    assert_eq!(directory.get(&path).await.status, 404);
}

#[tokio::test]
async fn a_directory_is_held_to_its_ministry_and_its_token() {
    let world = World::new().await;
    let directory = world.directory(ScimAccess::Write).await;
    let other = world.person_in(world.foreign, "남", &[Role::Worker]).await;
    let path = format!("/Users/{}", other.id);
    assert_eq!(directory.get(&path).await.status, 404);
    for method in [Method::PUT, Method::PATCH, Method::DELETE] {
        let body = json!({
            "userName": "CN=x", "displayName": "x",
            "Operations": [{ "op": "replace", "path": "active", "value": false }],
        });
        assert_eq!(
            directory
                .send(method.clone(), &path, None, Some(body))
                .await
                .status,
            404,
            "{method}"
        );
    }
    assert_eq!(directory.get("/Users").await.body["totalResults"], 1);
    let reader = world.directory(ScimAccess::Read).await;
    assert_eq!(reader.get("/Users").await.status, 200);
    assert_eq!(reader.post("/Users", user("홍길동")).await.status, 403);
    let wrong = Directory::new(&world, "naru_scim_wrong");
    let refused = wrong.get("/Users").await;
    assert_eq!((refused.status, &refused.body["status"]), (401, &json!("401")));
    let refusals = world.record("identity.scim").await;
    assert!(refusals.iter().all(|entry| entry.outcome == "refused"));
    assert!(refusals.len() >= 6, "{}", refusals.len());
}

#[tokio::test]
async fn bad_filters_and_bodies_are_refused_and_recorded() {
    let world = World::new().await;
    let directory = world.directory(ScimAccess::Write).await;
    let deep = format!("{}a%20pr{}", "(".repeat(1_000), ")".repeat(1_000));
    for filter in [
        deep.as_str(),
        "userName",
        "a%20eq",
        "%22",
        "not%20a%20pr",
        &"a".repeat(5_000),
    ] {
        let answer = directory.get(&format!("/Users?filter={filter}")).await;
        assert_eq!(
            (answer.status, &answer.body["scimType"]),
            (400, &json!("invalidFilter"))
        );
    }
    for body in [
        json!([]),
        json!({}),
        json!({ "userName": "x" }),
        json!({ "userName": "CN=a", "displayName": 7 }),
    ] {
        let answer = directory.post("/Users", body.clone()).await;
        assert_eq!(answer.status, 400, "{body}");
    }
    let id = PersonId::from_bits(9);
    let patch = directory
        .patch(&format!("/Users/{id}"), json!([{ "op": "jump" }]))
        .await;
    assert_eq!(patch.status, 404);
    assert_eq!(directory.get("/Users/nobody").await.status, 404);
    assert_eq!(world.record("identity.scim").await.len(), 12);
    for path in ["/ServiceProviderConfig", "/ResourceTypes", "/Schemas"] {
        assert_eq!(directory.get(path).await.status, 200, "{path}");
    }
    assert_eq!(
        directory.get("/ServiceProviderConfig").await.body["bulk"]["supported"],
        false
    );
}
