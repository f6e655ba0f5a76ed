//! A ministry's corner, its groups, roles, directories and reviews; other ministries.

use naru_kernel::Role;
use naru_runtime::RouteEntry;
use serde_json::{Value, json};

use super::{Call, Scene};
use crate::world::{Side, text};

fn notice(title: &str) -> Value {
    json!({ "title": { "ko": title } })
}

impl Scene {
    /// A certificate subject that nobody has yet.
    async fn new_subject(&self) -> String {
        let number = self.world.entries().await;
        format!("cn=051성춘향{number},ou=people,ou=보건복지부,o=Government of Korea,c=KR")
    }

    async fn made(&mut self, path: &str, form: &Value) -> Value {
        let made = self.admin.post(path, form).await;
        assert!(made.status.is_success(), "{path}: {:?}", made.body);
        made.body
    }

    /// Asks for a role that another administrator must agree to; gives what was asked.
    async fn asked(&mut self) -> String {
        let person = self.worker().await.id.to_string();
        let asked = self
            .made(
                "/api/v1/role-grants",
                &json!({ "person": person, "role": "auditor" }),
            )
            .await;
        text(&asked["approval"])
    }

    pub(super) async fn prepare_ministry(&mut self, route: &RouteEntry) -> Call {
        let (method, path) = (route.method.as_str(), route.path);
        let admin = self.admin.clone();
        match (method, path) {
            ("PUT", "/api/v1/ministry") => {
                let form = json!({ "name": { "ko": "새 부처", "en": "A Ministry" }, "colour": "#1a5fb4" });
                Call::new(admin, path, &form)
            }
            ("POST", "/api/v1/notices") => Call::new(admin, path, &notice("점검")),
            ("PUT" | "DELETE", "/api/v1/notices/{notice}") => {
                let made = self.made("/api/v1/notices", &notice("점검")).await;
                let filled = path.replace("{notice}", &text(&made["id"]));
                if method == "PUT" {
                    Call::new(admin, filled, &notice("점검 끝"))
                } else {
                    Call::bare(admin, filled)
                }
            }
            ("POST", "/api/v1/groups") => Call::new(admin, path, &json!({ "name": "전자결재" })),
            (_, group) if group.starts_with("/api/v1/groups/{group}") => self.prepare_group(route).await,
            ("POST", "/api/v1/role-grants") => {
                let person = self.worker().await.id.to_string();
                Call::new(admin, path, &json!({ "person": person, "role": "auditor" }))
            }
            ("DELETE", "/api/v1/role-grants/{grant}") => {
                let person = self.worker().await.id.to_string();
                let grants = self
                    .admin
                    .get(&format!("/api/v1/role-grants?person={person}"))
                    .await;
                let grant = text(&grants.body["items"][0]["id"]);
                Call::bare(admin, path.replace("{grant}", &grant))
            }
            ("POST", "/api/v1/scim-tokens") => Call::new(
                admin,
                path,
                &json!({ "name": "디렉터리", "access": "write", "days": 30 }),
            ),
            ("DELETE", "/api/v1/scim-tokens/{token}") => {
                let form = json!({ "name": "디렉터리", "access": "read", "days": 30 });
                let made = self.made("/api/v1/scim-tokens", &form).await;
                Call::bare(admin, path.replace("{token}", &text(&made["id"])))
            }
            ("POST", "/api/v1/ministries") => {
                let form = json!({
                    "name_ko": "환경부", "name_en": "Ministry of Environment", "agency_code": "048",
                    "administrators": [{ "name": "관리자", "subject_name": self.new_subject().await }],
                });
                Call::new(self.operator.clone(), path, &form)
            }
            ("POST", "/api/v1/approvals/{approval}/withdraw") => {
                let approval = self.asked().await;
                Call::bare(admin, path.replace("{approval}", &approval))
            }
            ("POST", "/api/v1/approvals/{approval}/agree" | "/api/v1/approvals/{approval}/refuse") => {
                let approval = self.asked().await;
                let second = self.world.member(Side::Ordinary, &[Role::MinistryAdmin]).await;
                Call::new(second.browser, path.replace("{approval}", &approval), &json!({}))
            }
            ("POST", "/api/v1/audit/reviews") => {
                let auditor = self.world.member(Side::Ordinary, &[Role::Auditor]).await;
                Call::new(auditor.browser, path, &json!({ "month": self.last_month() }))
            }
            (method, other) => panic!("say here how {method} {other} succeeds"),
        }
    }

    async fn prepare_group(&mut self, route: &RouteEntry) -> Call {
        let name = format!("모임 {}", self.world.entries().await);
        let made = self.made("/api/v1/groups", &json!({ "name": name })).await;
        let filled = route.path.replace("{group}", &text(&made["id"]));
        let person = self.worker().await.id.to_string();
        let admin = self.admin.clone();
        match (route.method.as_str(), route.path) {
            ("PUT", _) => Call::new(admin, filled, &json!({ "name": format!("새 {name}") })),
            ("DELETE", _) => Call::bare(admin, filled),
            _ => Call::new(admin, filled, &json!({ "add": [person] })),
        }
    }

    /// How people move, serve and switch.
    pub(super) async fn prepare_membership(&mut self, path: &str) -> Call {
        let admin = self.admin.clone();
        let member = self.worker().await;
        let filled = path.replace("{person}", &member.id.to_string());
        let other = self.world.ministry(Side::Platform).to_string();
        // Somebody must be there to agree.
        self.world.member(Side::Platform, &[Role::MinistryAdmin]).await;
        match path {
            "/api/v1/people/{person}/move" => Call::new(admin, filled, &json!({ "unit": "감사관실" })),
            "/api/v1/people/{person}/memberships" => {
                Call::new(admin, filled, &json!({ "ministry": other, "unit": "" }))
            }
            "/api/v1/me/ministry" => {
                let ministry = self.world.ministry(Side::Ordinary).to_string();
                self.serve(&member.id.to_string()).await;
                let mut browser = member.browser;
                let switched = browser.post(path, &json!({ "ministry": other })).await;
                assert!(switched.status.is_success(), "{:?}", switched.body);
                Call::new(browser, path, &json!({ "ministry": ministry }))
            }
            "/api/v1/people/{person}/memberships/{ministry}" => {
                self.serve(&member.id.to_string()).await;
                Call::bare(admin, filled.replace("{ministry}", &other))
            }
            other => panic!("say here how {other} succeeds"),
        }
    }

    /// Lets a person serve the platform's ministry as well: theirs asks, its administrator agrees.
    async fn serve(&mut self, person: &str) {
        let other = self.world.ministry(Side::Platform).to_string();
        let mut second = self.world.member(Side::Platform, &[Role::MinistryAdmin]).await;
        let asked = self
            .made(
                &format!("/api/v1/people/{person}/memberships"),
                &json!({ "ministry": other, "unit": "" }),
            )
            .await;
        let approval = text(&asked["approval"]);
        let agreed = second
            .browser
            .post(&format!("/api/v1/approvals/{approval}/agree"), &json!({}))
            .await;
        assert!(agreed.status.is_success(), "{:?}", agreed.body);
    }
}
