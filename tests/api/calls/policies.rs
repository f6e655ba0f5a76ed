//! The site's rules.

use naru_runtime::RouteEntry;
use serde_json::{Value, json};

use super::{Call, Scene};
use crate::world::text;

/// A rule that forbids nothing the walks do.
pub(crate) fn rule(name: &str, on: bool) -> Value {
    let never = "forbid (principal, action, resource) when { context.hour == 24 };";
    json!({ "name": { "ko": name }, "text": never, "on": on })
}

impl Scene {
    pub(super) async fn prepare_policies(&mut self, route: &RouteEntry) -> Call {
        let (method, path) = (route.method.as_str(), route.path);
        let mut admin = self.admin.clone();
        match (method, path) {
            ("POST", "/api/v1/policies") => return Call::new(admin, path, &rule("규칙", true)),
            ("POST", "/api/v1/policies/check") => {
                return Call::new(
                    admin,
                    path,
                    &json!({ "text": "permit (principal, action, resource);" }),
                );
            }
            ("POST", "/api/v1/policies/try") => {
                let person = self.worker().await.id.to_string();
                return Call::new(admin, path, &json!({ "person": person, "zone": "business" }));
            }
            _ => {}
        }
        let is_on = path.ends_with("/turn-off");
        let made = admin.post("/api/v1/policies", &rule("규칙", is_on)).await;
        assert!(made.status.is_success(), "{:?}", made.body);
        let filled = path.replace("{policy}", &text(&made.body["id"]));
        match (method, path) {
            ("PUT", "/api/v1/policies/{policy}") => {
                let mut form = rule("규칙", false);
                form["version"] = json!(1);
                Call::new(admin, filled, &form)
            }
            ("POST", "/api/v1/policies/{policy}/turn-on" | "/api/v1/policies/{policy}/turn-off") => {
                Call::bare(admin, filled)
            }
            (method, other) => panic!("say here how {method} {other} succeeds"),
        }
    }
}
