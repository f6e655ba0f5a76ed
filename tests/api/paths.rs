//! Path parameters, filled with the ids of real things.

use naru_runtime::RouteEntry;
use naru_testkit::Browser;
use serde_json::{Value, json};

use crate::{
    calls::{link, rule},
    world::{Member, Node, World, text},
};

/// Ids of a person and what is theirs.
#[derive(Clone, Debug)]
pub(crate) struct Belongings {
    person: String,
    certificate: String,
    logon: String,
    factor: String,
    /// Absent for people who have no desktops.
    desktop: Option<String>,
    host: String,
    application: String,
    notice: String,
    group: String,
    grant: String,
    token: String,
    ministry: String,
    /// What waits for a second administrator.
    approval: String,
    policy: String,
}

/// An identifier of this kind that nothing has.
fn nothing(kind: &str) -> String {
    format!("{kind}_{}", "0".repeat(32))
}

/// Something of the ministry, made by its administrator.
async fn made(admin: &mut Browser, path: &str, form: &Value) -> String {
    let made = admin.post(path, form).await;
    assert!(made.status.is_success(), "{path}: {:?}", made.body);
    text(&made.body["id"])
}

impl Belongings {
    /// Of a member, whose desktop is opened if they may have one; `admin` is one of their ministry.
    pub(crate) async fn of(world: &World, member: &mut Member, admin: &mut Browser, host: &Node) -> Self {
        let me = member.browser.get("/api/v1/me").await.body;
        let factors = member.browser.get("/api/v1/me/factors").await.body;
        let is_worker = me["roles"]
            .as_array()
            .is_some_and(|roles| roles.iter().any(|role| role == "worker"));
        let detail = admin.get(&format!("/api/v1/people/{}", member.id)).await.body;
        let desktop = if is_worker {
            Some(world.open_desktop(&mut member.browser).await)
        } else {
            None
        };
        let person = member.id.to_string();
        let grants = admin
            .get(&format!("/api/v1/role-grants?person={person}"))
            .await
            .body;
        let asked = if is_worker {
            let wish = json!({ "person": person, "role": "ministry_admin" });
            admin.post("/api/v1/role-grants", &wish).await.body
        } else {
            Value::Null
        };
        let name = format!("모임 {person}");
        Self {
            application: made(admin, "/api/v1/applications", &link("게시판")).await,
            notice: made(admin, "/api/v1/notices", &json!({ "title": { "ko": "점검" } })).await,
            group: made(admin, "/api/v1/groups", &json!({ "name": name })).await,
            token: made(
                admin,
                "/api/v1/scim-tokens",
                &json!({ "name": name, "access": "read", "days": 30 }),
            )
            .await,
            policy: made(admin, "/api/v1/policies", &rule(&name, false)).await,
            grant: text(&grants["items"][0]["id"]),
            approval: asked["approval"]
                .as_str()
                .map_or_else(|| nothing("approval"), str::to_owned),
            ministry: text(&me["ministry"]),
            person,
            certificate: text(&detail["certificates"][0]["id"]),
            logon: text(&me["session"]["id"]),
            factor: text(&factors["items"][0]["id"]),
            desktop,
            host: host.id.clone(),
        }
    }

    fn get(&self, parameter: &str, path: &str) -> &str {
        match parameter {
            "person" => &self.person,
            "certificate" => &self.certificate,
            "logon" => &self.logon,
            "factor" => &self.factor,
            "desktop" => self
                .desktop
                .as_deref()
                .unwrap_or("desktop_00000000000000000000000000000000"),
            "host" => &self.host,
            // What directories call a person.
            "user" => &self.person,
            "application" => &self.application,
            "notice" => &self.notice,
            "group" => &self.group,
            "grant" => &self.grant,
            "token" => &self.token,
            "ministry" => &self.ministry,
            "approval" => &self.approval,
            "policy" => &self.policy,
            // Words that are good once and for whoever holds them; these open nothing.
            "handle" => "nobodys-handle",
            "user_code" => "BCDF-GHJK",
            // A new kind of thing: it needs an owner in `Belongings`, or nobody knows whether it is guarded.
            other => panic!("{path}: the walk does not know the path parameter {other}"),
        }
    }

    /// Ids that nobody of another ministry may read anywhere.
    pub(crate) fn secrets(&self) -> impl Iterator<Item = &str> {
        let theirs = [
            &self.application,
            &self.notice,
            &self.group,
            &self.grant,
            &self.token,
            &self.policy,
        ];
        [&self.person, &self.certificate, &self.logon, &self.factor]
            .into_iter()
            .chain(theirs)
            .chain(&self.desktop)
            .map(String::as_str)
    }
}

/// Names of a route's path parameters.
pub(crate) fn parameters(route: &RouteEntry) -> Vec<&'static str> {
    route
        .path
        .split('/')
        .filter_map(|part| part.strip_prefix('{')?.strip_suffix('}'))
        .collect()
}

/// The path with all parameters taken from `own`, except those of `borrowed`, which are taken from `other`.
pub(crate) fn fill(route: &RouteEntry, own: &Belongings, other: &Belongings, borrowed: &[&str]) -> String {
    let mut path = route.path.to_owned();
    for name in parameters(route) {
        let from = if borrowed.contains(&name) { other } else { own };
        path = path.replace(&format!("{{{name}}}"), from.get(name, route.path));
    }
    path
}

/// Every choice of at least one parameter.
pub(crate) fn choices(route: &RouteEntry) -> Vec<Vec<&'static str>> {
    let names = parameters(route);
    (1..1_usize << names.len())
        .map(|bits| {
            names
                .iter()
                .enumerate()
                .filter(|(place, _)| bits & (1 << place) != 0)
                .map(|(_, name)| *name)
                .collect()
        })
        .collect()
}
