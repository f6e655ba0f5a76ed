//! Every change leaves an entry in the record: each route that changes something is called with success.

use std::collections::BTreeSet;

use axum::http::{Method, StatusCode, header};
use naru_kernel::{Role, Seconds, fleet::NodeRole};
use naru_runtime::RouteEntry;
use naru_store::HOUSEKEEPING;
use naru_testkit::{Answer, Browser, SoftwarePasskey, answer_totp, totp_digits};
use rustls_pki_types::CertificateDer;
use serde_json::{Value, json};

use crate::world::{CERTIFICATE_DOOR, Member, Side, World, enrolment, text};

/// Routes that leave no entry, and why. May only shrink: see [`SILENT_MAX`].
const SILENT: &[(&str, &str, &str)] = &[
    (
        "POST",
        "/api/v1/logon/challenge",
        "keeps nothing: the challenge carries its own proof",
    ),
    (
        "POST",
        "/api/v1/logon/passkey/start",
        "an offer; the answer to it is recorded",
    ),
    (
        "POST",
        "/api/v1/logon/enrol/passkey/start",
        "an offer; the answer to it is recorded",
    ),
    (
        "POST",
        "/api/v1/logon/enrol/totp/start",
        "an offer; the answer to it is recorded",
    ),
    ("POST", "/api/v1/logon/extend", "being active is not a decision"),
    (
        "POST",
        "/fleet/v1/sync",
        "heartbeats every two seconds; what follows from them is recorded",
    ),
];

const SILENT_MAX: usize = 6;
const _: () = assert!(SILENT.len() <= SILENT_MAX);

/// A call that is going to succeed.
struct Call {
    browser: Browser,
    path: String,
    body: Option<Vec<u8>>,
    kind: &'static str,
}

impl Call {
    fn new(browser: Browser, path: impl Into<String>, body: &Value) -> Self {
        Self {
            browser,
            path: path.into(),
            body: Some(body.to_string().into_bytes()),
            kind: "application/json",
        }
    }

    fn bare(browser: Browser, path: impl Into<String>) -> Self {
        Self {
            browser,
            path: path.into(),
            body: None,
            kind: "application/json",
        }
    }

    async fn make(mut self, method: Method) -> Answer {
        self.browser.send(method, &self.path, self.kind, self.body).await
    }
}

/// The world, and who acts in it.
struct Scene {
    world: World,
    admin: Browser,
    operator: Browser,
}

impl Scene {
    async fn new() -> Self {
        let world = World::new().await;
        let admin = world.member(Side::Ordinary, &[Role::MinistryAdmin]).await.browser;
        let operator = world.member(Side::Platform, &[Role::Operator]).await.browser;
        Self {
            world,
            admin,
            operator,
        }
    }

    async fn worker(&self) -> Member {
        self.world.member(Side::Ordinary, &[Role::Worker]).await
    }

    /// A worker with a passkey, signed in.
    async fn with_passkey(&self) -> (SoftwarePasskey, naru_pki::demo::DemoIdentity) {
        let (id, identity) = self.world.somebody(Side::Ordinary, &[Role::Worker]).await;
        let mut browser = self.world.first_factor(&identity).await;
        let code = self.world.activation_code(id).await;
        let activation = json!({ "code": code });
        browser.post("/api/v1/logon/activation", &activation).await;
        let passkey = add_passkey(&self.world, &mut browser).await;
        (passkey, identity)
    }

    /// How a call of this route succeeds.
    async fn prepare(&mut self, route: &RouteEntry) -> Call {
        let path = route.path;
        match (route.method.as_str(), path) {
            ("POST", "/fleet/v1/enrol" | "/fleet/v1/sync") => self.prepare_fleet(path).await,
            _ if path.starts_with("/api/v1/logon") || path == "/api/v1/logoff" => {
                self.prepare_logon(path).await
            }
            _ if path.starts_with("/api/v1/me/") => self.prepare_own(path).await,
            _ if path.starts_with("/api/v1/people") || path.starts_with("/api/v1/certificates") => {
                self.prepare_people(path).await
            }
            _ => self.prepare_desktops(path).await,
        }
    }

    async fn prepare_fleet(&self, path: &str) -> Call {
        if path == "/fleet/v1/sync" {
            let report = serde_json::to_value(self.world.report()).unwrap();
            return Call::new(self.world.node_browser(&self.world.host), path, &report);
        }
        let token = self
            .world
            .portal
            .enrolment_token(NodeRole::Host, "new")
            .await
            .unwrap();
        let wish = serde_json::to_value(enrolment(NodeRole::Host, token)).unwrap();
        Call::new(self.world.browser(), path, &wish)
    }

    async fn prepare_logon(&self, path: &str) -> Call {
        let world = &self.world;
        match path {
            "/api/v1/logon/challenge" => Call::new(world.browser(), path, &json!({})),
            "/api/v1/logon/handover" => {
                let (_, identity) = world.somebody(Side::Ordinary, &[Role::Worker]).await;
                let certificate = CertificateDer::from(identity.sign.certificate);
                let answer = world.browser_with(vec![certificate]).get(CERTIFICATE_DOOR).await;
                let target = answer.headers[header::LOCATION].to_str().unwrap().to_owned();
                let (_, code) = target
                    .split_once("handover=")
                    .unwrap_or_else(|| panic!("{target}"));
                Call::new(world.browser(), path, &json!({ "code": code }))
            }
            "/api/v1/logon/activation" => {
                let (id, identity) = world.somebody(Side::Ordinary, &[Role::Worker]).await;
                let code = world.activation_code(id).await;
                Call::new(
                    world.first_factor(&identity).await,
                    path,
                    &json!({ "code": code }),
                )
            }
            "/api/v1/logon/totp" => {
                let member = self.worker().await;
                let browser = world.first_factor(&member.identity).await;
                let code = totp_digits(&member.secret, self.next_step());
                Call::new(browser, path, &json!({ "code": code }))
            }
            "/api/v1/logon/passkey/start" => {
                let (_, identity) = self.with_passkey().await;
                Call::new(world.first_factor(&identity).await, path, &json!({}))
            }
            "/api/v1/logon/passkey/finish" => {
                let (mut passkey, identity) = self.with_passkey().await;
                let mut browser = world.first_factor(&identity).await;
                let options = browser.post("/api/v1/logon/passkey/start", &json!({})).await;
                let credential = passkey.answer(&options.body);
                Call::new(browser, path, &json!({ "credential": credential }))
            }
            "/api/v1/logon/enrol/passkey/start" | "/api/v1/logon/enrol/totp/start" => {
                Call::new(world.activated().await, path, &json!({}))
            }
            "/api/v1/logon/enrol/passkey/finish" => {
                let mut browser = world.activated().await;
                let options = browser
                    .post("/api/v1/logon/enrol/passkey/start", &json!({}))
                    .await;
                let (_, credential) = SoftwarePasskey::create(&world.config.origin(), &options.body);
                let body = json!({ "credential": credential, "name": "열쇠" });
                Call::new(browser, path, &body)
            }
            "/api/v1/logon/enrol/totp/finish" => {
                let mut browser = world.activated().await;
                let offer = browser.post("/api/v1/logon/enrol/totp/start", &json!({})).await;
                let code = totp_digits(&text(&offer.body["secret"]), self.now());
                Call::new(browser, path, &json!({ "code": code }))
            }
            "/api/v1/logon/extend" | "/api/v1/logoff" => {
                Call::new(self.worker().await.browser, path, &json!({}))
            }
            other => panic!("say here how POST {other} succeeds"),
        }
    }

    async fn prepare_own(&self, path: &str) -> Call {
        let mut member = self.worker().await;
        match path {
            "/api/v1/me/sessions/{logon}" => {
                let mut second = self.world.first_factor(&member.identity).await;
                let answer = answer_totp(&mut second, &member.secret, self.next_step()).await;
                assert_eq!(answer.body["next"], "done", "{:?}", answer.body);
                let logon = session_of(&mut second).await;
                Call::bare(member.browser, path.replace("{logon}", &logon))
            }
            "/api/v1/me/factors/{factor}" => {
                add_passkey(&self.world, &mut member.browser).await;
                let factors = member.browser.get("/api/v1/me/factors").await.body;
                let factor = text(&factors["items"][0]["id"]);
                Call::bare(member.browser, path.replace("{factor}", &factor))
            }
            other => panic!("say here how {other} succeeds"),
        }
    }

    async fn prepare_people(&mut self, path: &str) -> Call {
        let mut admin = self.admin.clone();
        let new = format!(
            "cn=051성춘향{:03},ou=people,ou=보건복지부,o=Government of Korea,c=KR",
            path.len()
        );
        match path {
            "/api/v1/people" => {
                let form = json!({ "name": "성춘향", "subject_name": new, "roles": ["worker"] });
                return Call::new(admin, path, &form);
            }
            "/api/v1/people/import" => {
                let list = format!("name,subject_name,roles,language\n성춘향,\"{new}\",worker,ko\n");
                return Call {
                    browser: admin,
                    path: format!("{path}?apply=true"),
                    body: Some(list.into_bytes()),
                    kind: "text/csv",
                };
            }
            _ => {}
        }
        let mut member = self.worker().await;
        let person = format!("/api/v1/people/{}", member.id);
        match path {
            "/api/v1/people/{person}/activation-code"
            | "/api/v1/people/{person}/revoke"
            | "/api/v1/people/{person}/reset-factors" => {}
            "/api/v1/people/{person}/restore" => {
                let answer = admin.post(&format!("{person}/revoke"), &json!({})).await;
                assert!(answer.status.is_success(), "{:?}", answer.body);
            }
            "/api/v1/people/{person}/unlock" => self.lock(&member).await,
            "/api/v1/people/{person}/sessions/{logon}" => {
                let logon = session_of(&mut member.browser).await;
                return Call::bare(admin, format!("{person}/sessions/{logon}"));
            }
            "/api/v1/certificates/{certificate}/revoke" => {
                let detail = admin.get(&person).await.body;
                let certificate = text(&detail["certificates"][0]["id"]);
                return Call::bare(admin, path.replace("{certificate}", &certificate));
            }
            other => panic!("say here how {other} succeeds"),
        }
        Call::bare(admin, path.replace("{person}", &member.id.to_string()))
    }

    /// Five wrong codes lock a person.
    async fn lock(&self, member: &Member) {
        for _ in 0..5 {
            let mut browser = self.world.first_factor(&member.identity).await;
            let answer = browser
                .post("/api/v1/logon/totp", &json!({ "code": "000000" }))
                .await;
            assert!(answer.status.is_client_error(), "{:?}", answer.body);
        }
    }

    async fn prepare_desktops(&self, path: &str) -> Call {
        match path {
            "/api/v1/enrolment-tokens" => {
                let wish = json!({ "role": "host", "name": "new" });
                return Call::new(self.operator.clone(), path, &wish);
            }
            "/api/v1/hosts/{host}/drain" | "/api/v1/hosts/{host}/resume" | "/api/v1/hosts/{host}/remove" => {
                let host = self.world.another_host().await.id;
                let mut operator = self.operator.clone();
                if path.ends_with("resume") {
                    operator
                        .post(&format!("/api/v1/hosts/{host}/drain"), &json!({}))
                        .await;
                }
                return Call::bare(operator, path.replace("{host}", &host));
            }
            "/api/v1/desktops" => {
                let wish = json!({ "zone": "business", "protocol": "rfb" });
                return Call::new(self.worker().await.browser, path, &wish);
            }
            _ => {}
        }
        let mut member = self.worker().await;
        let desktop = self.world.open_desktop(&mut member.browser).await;
        let filled = path.replace("{desktop}", &desktop);
        match path {
            "/api/v1/desktops/{desktop}/ticket"
            | "/api/v1/desktops/{desktop}/end"
            | "/api/v1/desktops/{desktop}/restart" => Call::bare(member.browser, filled),
            "/api/v1/operate/desktops/{desktop}/end" => Call::bare(self.operator.clone(), filled),
            other => panic!("say here how {other} succeeds"),
        }
    }

    fn now(&self) -> naru_kernel::Timestamp {
        naru_kernel::Clock::now(self.world.clock.as_ref())
    }

    /// When the TOTP key has digits that were not used yet, and that are already accepted.
    fn next_step(&self) -> naru_kernel::Timestamp {
        self.now() + Seconds(30)
    }
}

async fn add_passkey(world: &World, browser: &mut Browser) -> SoftwarePasskey {
    let options = browser
        .post("/api/v1/logon/enrol/passkey/start", &json!({}))
        .await;
    let (passkey, credential) = SoftwarePasskey::create(&world.config.origin(), &options.body);
    let body = json!({ "credential": credential, "name": "열쇠" });
    let done = browser.post("/api/v1/logon/enrol/passkey/finish", &body).await;
    assert_eq!(done.body["next"], "done", "{:?}", done.body);
    passkey
}

async fn session_of(browser: &mut Browser) -> String {
    text(&browser.get("/api/v1/me").await.body["session"]["id"])
}

#[tokio::test]
async fn every_change_leaves_an_entry() {
    let mut scene = Scene::new().await;
    let mut found = Vec::new();
    let table = scene.world.table.clone();
    for route in table.iter().filter(|route| route.method != "GET") {
        let call = if (route.method.as_str(), route.path) == ("POST", "/api/v1/logon/certificate") {
            None
        } else {
            Some(scene.prepare(route).await)
        };
        let before = scene.world.entries().await;
        let answer = match call {
            Some(call) => call.make(route.method.clone()).await,
            // Asks for a challenge on the way, which is silent itself.
            None => {
                let (_, identity) = scene.world.somebody(Side::Ordinary, &[Role::Worker]).await;
                let created = scene.world.entries().await;
                assert!(created > before);
                let answer = scene.world.show(&mut scene.world.browser(), &identity).await;
                assert!(scene.world.entries().await > created, "a log-on left no entry");
                answer
            }
        };
        let is_good = answer.status.is_success() || answer.status == StatusCode::SEE_OTHER;
        let name = format!("{} {}", route.method, route.path);
        assert!(
            is_good,
            "{name} was to succeed: {} {:?}",
            answer.status, answer.body
        );
        let added = scene.world.entries().await - before;
        let is_silent = SILENT
            .iter()
            .any(|(method, path, _)| *method == route.method.as_str() && *path == route.path);
        if is_silent != (added == 0) {
            found.push(format!("{name}: {added} entries, excepted: {is_silent}"));
        }
    }
    assert!(found.is_empty(), "{}", found.join("\n"));
    for (method, path, why) in SILENT {
        assert!(
            table
                .iter()
                .any(|route| route.method == *method && route.path == *path),
            "{method} {path} is gone: take it from the list"
        );
        assert!(!why.is_empty());
    }
    for stream in [
        naru_store::PLATFORM_STREAM.to_owned(),
        scene.world.ministry(Side::Ordinary).to_string(),
    ] {
        let entries = naru_store::verify_stream(&scene.world.database.db, &stream)
            .await
            .unwrap();
        assert!(entries.unwrap() > 0, "{stream}");
    }
}

#[test]
fn housekeeping_is_what_the_code_does_and_no_more() {
    let crates = std::path::Path::new(env!("CARGO_MANIFEST_DIR")).join("../crates");
    let mut used = BTreeSet::new();
    let mut folders = vec![crates];
    while let Some(folder) = folders.pop() {
        for entry in std::fs::read_dir(folder).unwrap().map(Result::unwrap) {
            let path = entry.path();
            let is_test = ["tests", "tests.rs"].iter().any(|name| path.ends_with(name));
            if path.is_dir() && !is_test {
                folders.push(path);
            } else if path.extension().is_some_and(|kind| kind == "rs") && !is_test {
                let code = std::fs::read_to_string(&path).unwrap();
                for call in code.split(".housekeep(").skip(1) {
                    let name = call
                        .trim_start()
                        .strip_prefix('"')
                        .and_then(|rest| rest.split('"').next());
                    // A name that is not written at the call could be anything.
                    let name =
                        name.unwrap_or_else(|| panic!("{}: housekeep needs a literal", path.display()));
                    used.insert(name.to_owned());
                }
            }
        }
    }
    let listed: BTreeSet<String> = HOUSEKEEPING.iter().map(|(name, _)| (*name).to_owned()).collect();
    assert_eq!(used, listed);
    assert!(HOUSEKEEPING.iter().all(|(_, why)| !why.is_empty()));
}
