//! How each route that changes something is called with success.

mod applications;
mod ministry;
mod policies;
mod scim;
mod sign_on;

pub(crate) use applications::link;
pub(crate) use policies::rule;

use axum::http::{Method, header};
use naru_kernel::{Role, Seconds, fleet::NodeRole};
use naru_runtime::RouteEntry;
use naru_testkit::{Answer, Browser, SoftwarePasskey, answer_totp, totp_digits};
use rustls_pki_types::CertificateDer;
use serde_json::{Value, json};

use crate::world::{CERTIFICATE_DOOR, Member, Side, World, enrolment, text};

/// A call that is going to succeed.
pub(crate) struct Call {
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

    /// A form, as programs and pages of other sites post it.
    fn form(browser: Browser, path: impl Into<String>, fields: &[(&str, &str)]) -> Self {
        Self {
            browser,
            path: path.into(),
            body: Some(encoded(fields).into_bytes()),
            kind: "application/x-www-form-urlencoded",
        }
    }

    pub(crate) async fn make(mut self, method: Method) -> Answer {
        self.browser.send(method, &self.path, self.kind, self.body).await
    }
}

/// The world, and who acts in it.
pub(crate) struct Scene {
    pub(crate) world: World,
    admin: Browser,
    operator: Browser,
}

impl Scene {
    pub(crate) async fn new() -> Self {
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
    pub(crate) async fn prepare(&mut self, route: &RouteEntry) -> Call {
        let path = route.path;
        match (route.method.as_str(), path) {
            _ if path.starts_with("/api/v1/policies") => self.prepare_policies(route).await,
            _ if path.starts_with("/scim/") => self.prepare_scim(route).await,
            ("POST", "/witness/v1/checkpoint") => self.prepare_witness(path),
            ("POST", "/fleet/v1/enrol" | "/fleet/v1/sync") => self.prepare_fleet(path).await,
            _ if path.starts_with("/sso/") || path.starts_with("/api/v1/sso/") => {
                self.prepare_sign_on(path).await
            }
            _ if path.starts_with("/api/v1/applications") || path.starts_with("/api/v1/portal") => {
                self.prepare_applications(route).await
            }
            _ if path == "/api/v1/me/applications/{application}" => self.prepare_sign_on(path).await,
            _ if path.starts_with("/api/v1/logon") || path == "/api/v1/logoff" => {
                self.prepare_logon(path).await
            }
            _ if path == "/api/v1/me/ministry"
                || path.ends_with("/move")
                || path.contains("/memberships") =>
            {
                self.prepare_membership(path).await
            }
            _ if path.starts_with("/api/v1/me/") => self.prepare_own(path).await,
            _ if path.starts_with("/api/v1/people") || path.starts_with("/api/v1/certificates") => {
                self.prepare_people(path).await
            }
            _ if path.starts_with("/api/v1/desktops")
                || path.starts_with("/api/v1/hosts")
                || path.starts_with("/api/v1/operate")
                || path == "/api/v1/enrolment-tokens" =>
            {
                self.prepare_desktops(path).await
            }
            _ => self.prepare_ministry(route).await,
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
            "/api/v1/logon/step-up/totp" => {
                let member = self.worker().await;
                let code = totp_digits(&member.secret, self.next_step());
                Call::new(member.browser, path, &json!({ "code": code }))
            }
            "/api/v1/logon/step-up/passkey/start" => {
                let mut member = self.worker().await;
                add_passkey(&self.world, &mut member.browser).await;
                Call::new(member.browser, path, &json!({}))
            }
            "/api/v1/logon/step-up/passkey/finish" => {
                let mut member = self.worker().await;
                let mut passkey = add_passkey(&self.world, &mut member.browser).await;
                let start = "/api/v1/logon/step-up/passkey/start";
                let options = member.browser.post(start, &json!({})).await;
                let credential = passkey.answer(&options.body);
                Call::new(member.browser, path, &json!({ "credential": credential }))
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
            "/api/v1/people/{person}/recover" => {
                // Somebody else must be there to agree.
                self.world.member(Side::Ordinary, &[Role::MinistryAdmin]).await;
            }
            "/api/v1/people/{person}/activation-code" | "/api/v1/people/{person}/revoke" => {}
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

    /// The first checkpoint of a log that is witnessed here.
    fn prepare_witness(&self, path: &'static str) -> Call {
        let log = crate::world::witnessed_log();
        let note = log.sign(&naru_audit::Checkpoint {
            origin: format!("{}/platform", log.name()),
            size: 7,
            root: [7; 32],
        });
        Call {
            browser: self.world.browser(),
            path: path.to_owned(),
            body: Some(format!("old 0\n\n{note}").into_bytes()),
            kind: "text/plain",
        }
    }

    fn now(&self) -> naru_kernel::Timestamp {
        naru_kernel::Clock::now(self.world.clock.as_ref())
    }

    /// Now, as SAML writes it.
    fn instant(&self) -> String {
        naru_sso::saml::format_instant(self.now())
    }

    /// The month that is over, as `2026-11`.
    fn last_month(&self) -> String {
        let text = self.instant();
        let (year, month) = (text.get(..4).unwrap(), text.get(5..7).unwrap());
        let (year, month): (i32, i32) = (year.parse().unwrap(), month.parse().unwrap());
        match month {
            1 => format!("{}-12", year - 1),
            _ => format!("{year}-{:02}", month - 1),
        }
    }

    /// When the TOTP key has digits that were not used yet, and that are already accepted.
    fn next_step(&self) -> naru_kernel::Timestamp {
        self.now() + Seconds(30)
    }
}

/// `application/x-www-form-urlencoded`.
fn encoded(fields: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(fields)
        .finish()
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
