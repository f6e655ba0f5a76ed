//! The case of 2022 to 2025: somebody has a civil servant's certificate, its key, the key's password and an address in Korea.
//! A thousand varied attempts are refused, alarms are raised, and the people go on logging on in their own browsers.
#![expect(clippy::print_stdout, reason = "says its figures")]

use std::collections::BTreeMap;

use axum::http::{Method, header};
use naru_kernel::{Clock as _, Entropy as _, Role, Seconds};
use naru_pki::demo::DemoIdentity;
use naru_testkit::{Browser, SeededEntropy, SoftwarePasskey, totp_digits};
use serde_json::{Value, json};

use crate::{
    calls::link,
    world::{CERTIFICATE_DOOR, Member, Side, World, text},
};

const ATTEMPTS: usize = 1_000;
const VICTIMS: usize = 10;
/// Between two attempts; so often somebody is tried again every 200 seconds.
const PAUSE: Seconds = Seconds(20);

const WAYS: [&str; 17] = [
    "no factor",
    "guessed digits",
    "replayed digits",
    "another person's passkey",
    "replayed passkey answer",
    "right digits from a foreign page",
    "guessed activation code",
    "enrolment without activation",
    "step up with the first factor",
    "handover code twice",
    "direct calls with the first factor",
    "OIDC with the first factor",
    "portal and SAML with the first factor",
    "device flow approved with the first factor",
    "made-up cookies",
    "replayed challenge",
    "a burst of digits",
];

const READS: [&str; 8] = [
    "/api/v1/me",
    "/api/v1/me/factors",
    "/api/v1/me/sessions",
    "/api/v1/me/log-ons",
    "/api/v1/portal",
    "/api/v1/people",
    "/api/v1/desktops",
    "/api/v1/audit",
];

/// What the attempts need besides the world.
struct Theft {
    world: World,
    victims: Vec<Member>,
    passkeys: Vec<SoftwarePasskey>,
    heard: Vec<(Value, String)>,
    newcomer: DemoIdentity,
    insider: SoftwarePasskey,
    client: (String, String),
    chance: SeededEntropy,
}

impl Theft {
    async fn prepare() -> Self {
        let world = World::new().await;
        let mut admin = world.member(Side::Ordinary, &[Role::MinistryAdmin]).await.browser;
        let mut form = link("결재");
        form["protocol"] = json!({
            "kind": "oidc", "redirect_uris": ["https://app.example.go.kr/cb"], "client_proof": "client_secret_post",
            "scopes": ["openid", "profile"], "grant_types": ["authorization_code", "device_code"],
        });
        let id = text(&admin.post("/api/v1/applications", &form).await.body["id"]);
        let made = admin
            .post(&format!("/api/v1/applications/{id}/secret"), &json!({}))
            .await;
        let client = (id, text(&made.body["secret"]));
        let (mut victims, mut passkeys) = (Vec::new(), Vec::new());
        for _ in 0..VICTIMS {
            let mut victim = world.member(Side::Ordinary, &[Role::Worker]).await;
            passkeys.push(add_passkey(&world, &mut victim.browser).await);
            victims.push(victim);
        }
        let mut insider = world.member(Side::Ordinary, &[Role::Worker]).await;
        let insider = add_passkey(&world, &mut insider.browser).await;
        let (newcomer_id, newcomer) = world.somebody(Side::Ordinary, &[Role::Worker]).await;
        world.activation_code(newcomer_id).await;
        let mut theft = Self {
            world,
            victims,
            passkeys,
            heard: Vec::new(),
            newcomer,
            insider,
            client,
            chance: SeededEntropy::new(2_022),
        };
        for number in 0..VICTIMS {
            let heard = theft.at_work(number).await;
            theft.heard.push(heard);
        }
        theft
    }

    /// The person logs on in their own browser, by passkey and by digits; gives what somebody who listens would hear.
    async fn at_work(&mut self, number: usize) -> (Value, String) {
        self.world.clock.advance(Seconds(60));
        let victim = &mut self.victims[number];
        let mut browser = victim.browser.clone();
        let shown = self.world.show(&mut browser, &victim.identity).await;
        assert_eq!(shown.body["next"], "second_factor", "{number}: {:?}", shown.body);
        let options = browser.post("/api/v1/logon/passkey/start", &json!({})).await;
        let answer = json!({ "credential": self.passkeys[number].answer(&options.body) });
        let done = browser.post("/api/v1/logon/passkey/finish", &answer).await;
        assert_eq!(done.body["next"], "done", "{number}: {:?}", done.body);
        let shown = self.world.show(&mut browser, &victim.identity).await;
        assert_eq!(shown.body["next"], "second_factor", "{number}: {:?}", shown.body);
        let digits = totp_digits(&victim.secret, self.world.clock.now());
        let done = browser
            .post("/api/v1/logon/totp", &json!({ "code": digits }))
            .await;
        assert_eq!(done.body["next"], "done", "{number}: {:?}", done.body);
        assert!(browser.get("/api/v1/me").await.status.is_success());
        victim.browser = browser;
        (answer, digits)
    }

    fn random(&self, below: u32) -> u32 {
        let mut bytes = [0; 4];
        self.chance.fill(&mut bytes);
        u32::from_be_bytes(bytes) % below
    }

    /// Six digits that are not right by chance.
    fn wrong_digits(&self, number: usize) -> String {
        let now = self.world.clock.now();
        loop {
            let guess = format!("{:06}", self.random(1_000_000));
            let right = [-60, -30, 0, 30, 60]
                .map(|off| totp_digits(&self.victims[number].secret, now + Seconds(off)));
            if !right.contains(&guess) {
                return guess;
            }
        }
    }

    fn thiefs_browser(&self, identity: &DemoIdentity) -> Browser {
        let [second, third, last] = [256, 256, 254].map(|below| u8::try_from(self.random(below)).unwrap());
        let mut browser = self
            .world
            .browser_at([211, second, third, last], self.world.chain_of(identity));
        let names = [
            "Windows NT 10.0; Win64; x64) Chrome/140",
            "Macintosh) Safari/605",
            "Linux; Android 15) Whale/4",
        ];
        let name = names[usize::try_from(self.random(3)).unwrap()];
        browser.set_user_agent(&format!("Mozilla/5.0 ({name} {}", self.random(50)));
        browser
    }

    /// The stolen certificate, by the signed challenge or at the certificate door; gives the code of the door if it was there.
    async fn steal_in(
        &self,
        browser: &mut Browser,
        identity: &DemoIdentity,
        by_tls: bool,
    ) -> (bool, Option<String>) {
        if !by_tls {
            return (self.world.show(browser, identity).await.status.is_success(), None);
        }
        let answer = browser.get(CERTIFICATE_DOOR).await;
        let target = answer.headers[header::LOCATION].to_str().unwrap().to_owned();
        let Some((_, code)) = target.split_once("handover=") else {
            return (false, None);
        };
        let answer = browser
            .post("/api/v1/logon/handover", &json!({ "code": code }))
            .await;
        (answer.status.is_success(), Some(code.to_owned()))
    }

    /// One attempt; gives whether everything was refused, and whether the first factor was accepted on the way.
    async fn attempt(&mut self, round: usize) -> (bool, bool) {
        let way = WAYS[round % WAYS.len()];
        let number = round % VICTIMS;
        let is_newcomer = way == "guessed activation code";
        let identity = if is_newcomer {
            self.newcomer.clone()
        } else {
            self.victims[number].identity.clone()
        };
        if way == "replayed digits" {
            // What was typed this very moment, in the person's own browser.
            self.heard[number] = self.at_work(number).await;
        }
        let mut thief = self.thiefs_browser(&identity);
        let (is_in, code) = self.steal_in(&mut thief, &identity, round % 2 == 1).await;
        let mut opened = Vec::new();
        let totp = "/api/v1/logon/totp";
        match way {
            "guessed digits" => {
                let guess = json!({ "code": self.wrong_digits(number) });
                opened.push(thief.post(totp, &guess).await);
            }
            "replayed digits" => {
                let heard = json!({ "code": self.heard[number].1 });
                opened.push(thief.post(totp, &heard).await);
            }
            "another person's passkey" => {
                let options = thief.post("/api/v1/logon/passkey/start", &json!({})).await;
                if options.status.is_success() {
                    let answer = json!({ "credential": self.insider.answer(&options.body) });
                    opened.push(thief.post("/api/v1/logon/passkey/finish", &answer).await);
                }
            }
            "replayed passkey answer" => {
                thief.post("/api/v1/logon/passkey/start", &json!({})).await;
                let heard = self.heard[number].0.clone();
                opened.push(thief.post("/api/v1/logon/passkey/finish", &heard).await);
            }
            "right digits from a foreign page" => {
                // The person was led to a page that looks like ours and types what is right.
                thief.set_origin(Some("https://portal.examp1e.go.kr"));
                let digits = totp_digits(&self.victims[number].secret, self.world.clock.now() + Seconds(30));
                opened.push(thief.post(totp, &json!({ "code": digits })).await);
                thief.set_origin(Some(&self.world.config.origin()));
            }
            "guessed activation code" => {
                let guess = format!(
                    "{:04}-{:04}-{:04}",
                    self.random(9_999),
                    self.random(9_999),
                    self.random(9_999)
                );
                let code = json!({ "code": guess });
                opened.push(thief.post("/api/v1/logon/activation", &code).await);
                opened.push(thief.post("/api/v1/logon/enrol/totp/start", &json!({})).await);
            }
            "enrolment without activation" => {
                for kind in ["passkey", "totp"] {
                    let start = format!("/api/v1/logon/enrol/{kind}/start");
                    opened.push(thief.post(&start, &json!({})).await);
                    let finish = format!("/api/v1/logon/enrol/{kind}/finish");
                    let body = if kind == "totp" {
                        json!({ "code": "123456" })
                    } else {
                        json!({ "credential": {}, "name": "x" })
                    };
                    opened.push(thief.post(&finish, &body).await);
                }
                let code = json!({ "code": "ABCD-ABCD-ABCD" });
                opened.push(thief.post("/api/v1/logon/activation", &code).await);
            }
            "step up with the first factor" => {
                let digits = totp_digits(&self.victims[number].secret, self.world.clock.now());
                let step_up = "/api/v1/logon/step-up";
                opened.push(
                    thief
                        .post(&format!("{step_up}/totp"), &json!({ "code": digits }))
                        .await,
                );
                opened.push(thief.post(&format!("{step_up}/passkey/start"), &json!({})).await);
                let heard = self.heard[number].0.clone();
                opened.push(thief.post(&format!("{step_up}/passkey/finish"), &heard).await);
            }
            "handover code twice" => {
                let body = json!({ "code": code.unwrap_or_else(|| "A".repeat(43)) });
                let mut second = self.thiefs_browser(&identity);
                opened.push(second.post("/api/v1/logon/handover", &body).await);
                opened.push(second.get("/api/v1/me").await);
            }
            "direct calls with the first factor" => {
                for (method, path) in [
                    (Method::POST, "/api/v1/desktops"),
                    (Method::POST, "/api/v1/people"),
                    (Method::POST, "/api/v1/me/ministry"),
                    (Method::POST, "/api/v1/logon/extend"),
                    (Method::POST, "/api/v1/scim-tokens"),
                    (
                        Method::DELETE,
                        "/api/v1/me/factors/factor_00000000000000000000000000000000",
                    ),
                ] {
                    opened.push(thief.call(method, path, Some(&json!({}))).await);
                }
            }
            "OIDC with the first factor" => {
                let path = format!(
                    "/sso/authorize?client_id={}&redirect_uri=https%3A%2F%2Fapp.example.go.kr%2Fcb&response_type=code\
                     &scope=openid&state=s&nonce=n&code_challenge=E9Melhoa2OwvFrEMTJguCHaoeK1t8URWbuGJSstw-cM\
                     &code_challenge_method=S256",
                    self.client.0
                );
                let begun = thief.get(&path).await;
                let target = begun.headers[header::LOCATION].to_str().unwrap().to_owned();
                let handle = target.rsplit('/').next().unwrap().to_owned();
                let step = thief.post(&format!("/api/v1/sso/{handle}"), &json!({})).await;
                assert_eq!(step.body["next"], "sign_on", "{target}: {:?}", step.body);
                let agree = json!({ "agree": true, "remember": true });
                opened.push(thief.post(&format!("/api/v1/sso/{handle}/consent"), &agree).await);
            }
            "portal and SAML with the first factor" => {
                let open = format!("/api/v1/portal/open/{}", self.client.0);
                opened.push(thief.post(&open, &json!({})).await);
                opened.push(thief.post("/api/v1/sso/saml/leave", &json!({})).await);
            }
            "device flow approved with the first factor" => {
                let form = format!(
                    "client_id={}&client_secret={}&scope=openid",
                    self.client.0, self.client.1
                );
                let kind = "application/x-www-form-urlencoded";
                let mut program = self.world.browser();
                let begun = program
                    .send(Method::POST, "/sso/device", kind, Some(form.into_bytes()))
                    .await;
                let user_code = text(&begun.body["user_code"]);
                let path = format!("/api/v1/sso/device/{user_code}");
                opened.push(thief.get(&path).await);
                opened.push(thief.post(&path, &json!({ "agree": true })).await);
            }
            "made-up cookies" => {
                let token: String = (0..43)
                    .map(|_| char::from(b'A' + u8::try_from(self.random(26)).unwrap()))
                    .collect();
                thief.set_cookie(naru_identity::DEVICE_COOKIE, &token);
                let guess = json!({ "code": self.wrong_digits(number) });
                opened.push(thief.post(totp, &guess).await);
                thief.set_cookie(naru_identity::COOKIE, &token);
            }
            "replayed challenge" => {
                let challenge = thief.post("/api/v1/logon/challenge", &json!({})).await;
                let signed = self.world.sign(&challenge, &identity);
                thief.post("/api/v1/logon/certificate", &signed).await;
                opened.push(thief.post("/api/v1/logon/certificate", &signed).await);
            }
            "a burst of digits" => {
                for _ in 0..6 {
                    let guess = json!({ "code": self.wrong_digits(number) });
                    opened.push(thief.post(totp, &guess).await);
                }
            }
            _ => {}
        }
        let mut is_refused = true;
        for answer in &opened {
            if !answer.status.is_client_error() {
                println!("{way} in round {round}: {} {:?}", answer.status, answer.body);
                is_refused = false;
            }
        }
        for path in READS {
            is_refused &= thief.get(path).await.status.as_u16() == 401;
        }
        is_refused &= thief.get("/api/v1/logon").await.body["next"] != "done";
        (is_refused, is_in)
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

#[tokio::test]
async fn a_stolen_certificate_is_refused_a_thousand_times_of_a_thousand() {
    let mut theft = Theft::prepare().await;
    let factors = theft.world.count("SELECT COUNT(*) AS n FROM factors").await;
    let (mut refused, mut shown) = (0, 0);
    let mut failed: BTreeMap<&str, usize> = BTreeMap::new();
    for round in 0..ATTEMPTS {
        let (is_refused, is_in) = theft.attempt(round).await;
        refused += usize::from(is_refused);
        shown += usize::from(is_in);
        if !is_refused {
            *failed.entry(WAYS[round % WAYS.len()]).or_default() += 1;
        }
        theft.world.clock.advance(PAUSE);
        // Whatever is tried elsewhere, the person logs on in their own browser.
        if round % 50 == 49 {
            theft.at_work(round / 50 % VICTIMS).await;
        }
    }
    println!(
        "{refused} of {ATTEMPTS} refused; in {shown} the certificate itself was accepted; by {} ways",
        WAYS.len()
    );
    assert_eq!(refused, ATTEMPTS, "{failed:?}");
    // Most were stopped by the missing factor, not by a lock that stands anyway.
    assert!(
        shown > ATTEMPTS / 3,
        "only {shown} showed the certificate with success"
    );
    assert_eq!(
        theft.world.count("SELECT COUNT(*) AS n FROM factors").await,
        factors,
        "nobody enrolled anything"
    );
    let outside = "SELECT COUNT(*) AS n FROM attempts WHERE outcome = 'signed_in' AND address LIKE '211.%'";
    assert_eq!(theft.world.count(outside).await, 0);
    for (kind, least) in [("identity.new-device", 10), ("identity.locked", 10)] {
        let raised = match kind {
            "identity.locked" => "SELECT COUNT(*) AS n FROM alarms WHERE kind = 'identity.locked'",
            _ => "SELECT COUNT(*) AS n FROM alarms WHERE kind = 'identity.new-device'",
        };
        let raised = theft.world.count(raised).await;
        println!("{kind}: {raised} alarms");
        assert!(raised >= least, "{kind}: {raised}");
    }
    for number in 0..VICTIMS {
        // Each of them can, at the end, and sees what was tried.
        theft.at_work(number).await;
        let alarms = theft.victims[number].browser.get("/api/v1/me/alarms").await.body;
        assert!(alarms["total"].as_i64().unwrap() > 0);
        let seen = theft.victims[number]
            .browser
            .get("/api/v1/me/log-ons?limit=200")
            .await
            .body;
        let strange = seen["items"].as_array().unwrap().iter();
        assert!(
            strange
                .filter(|row| row["address"].as_str().unwrap().starts_with("211."))
                .count()
                > 10
        );
    }
}
