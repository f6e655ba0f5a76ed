//! A ministry's directory: a program with a bearer token.

use axum::http::Method;
use naru_runtime::RouteEntry;
use naru_testkit::Browser;
use serde_json::{Value, json};

use super::{Call, Scene};
use crate::world::text;

const KIND: &str = "application/scim+json";

fn body(browser: Browser, path: impl Into<String>, value: &Value) -> Call {
    Call {
        browser,
        path: path.into(),
        body: Some(value.to_string().into_bytes()),
        kind: KIND,
    }
}

fn replaces(path: &str, value: &str) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:PatchOp"],
        "Operations": [{ "op": "replace", "path": path, "value": value }],
    })
}

fn user(number: i64) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:User"],
        "userName": format!("cn=051심청{number},ou=people,ou=보건복지부,o=Government of Korea,c=KR"),
        "name": { "formatted": "심청" },
        "displayName": "심청",
        "active": true,
    })
}

impl Scene {
    /// A directory's program of the ordinary ministry.
    async fn directory(&mut self) -> Browser {
        let name = format!("디렉터리 {}", self.world.entries().await);
        let form = json!({ "name": name, "access": "write", "days": 30 });
        let made = self.admin.post("/api/v1/scim-tokens", &form).await;
        assert!(made.status.is_success(), "{:?}", made.body);
        let mut program = self.world.browser();
        program.set_header("authorization", &format!("Bearer {}", text(&made.body["secret"])));
        program
    }

    pub(super) async fn prepare_scim(&mut self, route: &RouteEntry) -> Call {
        let program = self.directory().await;
        let number = self.world.entries().await;
        let user = user(number);
        let group = json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Group"],
            "displayName": format!("모임 {number}"),
        });
        let (kind, form) = if route.path.starts_with("/scim/v2/Users") {
            ("/scim/v2/Users", user)
        } else {
            ("/scim/v2/Groups", group)
        };
        if route.path == kind {
            return body(program, kind, &form);
        }
        let made = body(program.clone(), kind, &form).make(Method::POST).await;
        assert!(made.status.is_success(), "{kind}: {:?}", made.body);
        let path = format!("{kind}/{}", text(&made.body["id"]));
        match route.method.as_str() {
            "PUT" => {
                let mut changed = form;
                changed["displayName"] = json!(format!("새 이름 {number}"));
                body(program, path, &changed)
            }
            "PATCH" => body(
                program,
                path,
                &replaces("displayName", &format!("새 이름 {number}")),
            ),
            _ => Call {
                browser: program,
                path,
                body: None,
                kind: KIND,
            },
        }
    }
}
