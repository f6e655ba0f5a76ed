//! A portal, an application, a person; and the application's side of the protocol, written for these tests alone.

use std::collections::BTreeMap;

use aws_lc_rs::{
    digest,
    signature::{
        ECDSA_P256_SHA256_FIXED, ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _,
        RSA_PKCS1_2048_8192_SHA256, RsaPublicKeyComponents, UnparsedPublicKey,
    },
};
use axum::http::{Method, StatusCode, header};
use base64::{
    Engine as _,
    engine::general_purpose::{STANDARD, URL_SAFE_NO_PAD},
};
use naru_kernel::{Clock as _, Role, Seconds};
use naru_testkit::{Answer, Browser, totp_digits};
use serde_json::{Value, json};

use crate::world::{Member, Side, World, text};

pub(crate) const REDIRECT: &str = "https://app.example.go.kr/callback";
pub(crate) const AFTER_LOGOUT: &str = "https://app.example.go.kr/bye";

/// An application as its makers know it.
#[derive(Clone, Debug)]
pub(crate) struct App {
    pub(crate) id: String,
    pub(crate) secret: String,
}

pub(crate) struct Stage {
    pub(crate) world: World,
    pub(crate) admin: Member,
    pub(crate) person: Member,
    pub(crate) app: App,
}

/// What a successful sign-on gave.
#[derive(Clone, Debug)]
pub(crate) struct Signed {
    pub(crate) access: String,
    pub(crate) refresh: Option<String>,
    pub(crate) id_token: String,
    pub(crate) claims: Value,
}

/// The settings of an application that does everything.
pub(crate) fn settings() -> Value {
    json!({
        "kind": "oidc",
        "redirect_uris": [REDIRECT, "https://app.example.go.kr/other?x=1"],
        "post_logout_redirect_uris": [AFTER_LOGOUT],
        "client_proof": "client_secret_basic",
        "scopes": ["openid", "profile", "email", "groups", "naru", "offline_access"],
        "grant_types": ["authorization_code", "device_code", "token_exchange"],
    })
}

/// Other settings on top of [`settings`].
pub(crate) fn with(changes: Value) -> Value {
    let mut all = settings();
    if let (Some(all), Value::Object(changes)) = (all.as_object_mut(), changes) {
        all.extend(changes);
    }
    all
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(settings()).await
    }

    pub(crate) async fn with(settings: Value) -> Self {
        let world = World::new().await;
        let mut admin = world.member(Side::Ordinary, &[Role::MinistryAdmin]).await;
        let person = world.member(Side::Ordinary, &[Role::Worker]).await;
        let app = add(&mut admin, settings, "ministry").await;
        Self {
            world,
            admin,
            person,
            app,
        }
    }

    /// One more application of the same ministry.
    pub(crate) async fn another(&mut self, settings: Value) -> App {
        add(&mut self.admin, settings, "ministry").await
    }

    /// A program or a browser on a page of the application: no cookie, no mark of ours.
    pub(crate) fn outside(&self) -> Browser {
        let mut browser = self.world.browser();
        browser.set_origin(None);
        browser.set_marked(false);
        browser
    }

    /// The parameters of an ordinary request.
    pub(crate) fn request(&self) -> BTreeMap<String, String> {
        request_of(&self.app)
    }

    /// Sends a browser to the authorization endpoint.
    pub(crate) async fn authorize(&self, params: &BTreeMap<String, String>) -> Answer {
        self.outside()
            .get(&format!("/sso/authorize?{}", form(params)))
            .await
    }

    /// The handle of a request that waits for the portal's page.
    pub(crate) async fn begin(&self, params: &BTreeMap<String, String>) -> String {
        let answer = self.authorize(params).await;
        assert_eq!(
            answer.status,
            StatusCode::SEE_OTHER,
            "{}",
            String::from_utf8_lossy(&answer.bytes)
        );
        let location = location(&answer);
        location
            .strip_prefix("/#/sso/")
            .unwrap_or_else(|| panic!("{location}"))
            .to_owned()
    }

    /// What the page is told next.
    pub(crate) async fn step(&mut self, handle: &str) -> Value {
        let answer = self
            .person
            .browser
            .post(&format!("/api/v1/sso/{handle}"), &json!({}))
            .await;
        assert!(answer.status.is_success(), "{:?}", answer.body);
        answer.body
    }

    /// From a request to the fields the application gets back, with nothing shown on the way.
    pub(crate) async fn sign_on_with(
        &mut self,
        params: &BTreeMap<String, String>,
    ) -> BTreeMap<String, String> {
        let handle = self.begin(params).await;
        let step = self.step(&handle).await;
        assert_eq!(step["next"], "go", "{step}");
        fields(&text(&step["url"]))
    }

    /// A whole sign-on.
    pub(crate) async fn sign_on(&mut self, params: &BTreeMap<String, String>) -> Signed {
        let back = self.sign_on_with(params).await;
        assert_eq!(back.get("state"), params.get("state"));
        assert_eq!(back["iss"], self.world.config.origin());
        let answer = self.redeem(&back["code"]).await;
        self.signed(&answer).await
    }

    /// Exchanges a code.
    pub(crate) async fn redeem(&self, code: &str) -> Answer {
        let grant = [
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
            ("code_verifier", VERIFIER),
        ];
        self.token(&grant).await
    }

    /// Asks the token endpoint, with the secret in the header.
    pub(crate) async fn token(&self, params: &[(&str, &str)]) -> Answer {
        self.program(&self.app, "/sso/token", params).await
    }

    /// Asks an endpoint for programs.
    pub(crate) async fn program(&self, app: &App, path: &str, params: &[(&str, &str)]) -> Answer {
        let mut browser = self.outside();
        browser.set_header("authorization", &basic(app));
        post_form(&mut browser, path, params).await
    }

    /// Claims about the person.
    pub(crate) async fn userinfo(&self, token: &str) -> Answer {
        let mut browser = self.outside();
        browser.set_header("authorization", &format!("Bearer {token}"));
        browser.get("/sso/userinfo").await
    }

    /// Reads an answer with tokens and checks its ID token.
    pub(crate) async fn signed(&self, answer: &Answer) -> Signed {
        assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
        assert_eq!(answer.headers[header::CACHE_CONTROL], "no-store");
        let id_token = text(&answer.body["id_token"]);
        let claims = self.verified(&id_token).await;
        assert_eq!(claims["iss"], self.world.config.origin());
        assert!(claims["exp"].as_i64() > Some(self.world.clock.now().as_seconds()));
        Signed {
            access: text(&answer.body["access_token"]),
            refresh: answer.body["refresh_token"].as_str().map(str::to_owned),
            id_token,
            claims,
        }
    }

    /// The claims of a token signed by a published key.
    pub(crate) async fn verified(&self, token: &str) -> Value {
        let keys = self.outside().get("/sso/jwks").await;
        verified(&keys.body, token)
    }

    /// Shows the second factor again, later than the last one.
    pub(crate) async fn step_up(&mut self) {
        self.world.clock.advance(Seconds(31));
        let code = totp_digits(&self.person.secret, self.world.clock.now());
        let answer = self
            .person
            .browser
            .post("/api/v1/logon/step-up/totp", &json!({ "code": code }))
            .await;
        assert!(answer.status.is_success(), "{:?}", answer.body);
    }

    /// Ends the person's session.
    pub(crate) async fn log_off(&mut self) {
        let answer = self.person.browser.post("/api/v1/logoff", &json!({})).await;
        assert!(answer.status.is_success());
    }

    /// Entries of the record with this action and outcome.
    pub(crate) async fn recorded(&self, action: &str, outcome: &str) -> i64 {
        self.world
            .database
            .db
            .one(
                "SELECT COUNT(*) AS n FROM audit WHERE action = $1 AND outcome = $2",
                naru_store::params![action, outcome],
            )
            .await
            .unwrap()
    }
}

/// Makes an application.
pub(crate) async fn add(admin: &mut Member, settings: Value, audience: &str) -> App {
    let has_secret = ["client_secret_basic", "client_secret_post"]
        .iter()
        .any(|proof| settings["client_proof"] == *proof);
    let form = json!({
        "name": { "ko": "전자결재", "en": "Approvals" },
        "label": "O",
        "audience": { "kind": audience },
        "state": "active",
        "protocol": settings,
    });
    let made = admin.browser.post("/api/v1/applications", &form).await;
    assert!(made.status.is_success(), "{:?}", made.body);
    let id = made.body["id"].as_str().or(made.body["application"].as_str());
    let id = id.unwrap_or_else(|| panic!("{}", made.body)).to_owned();
    let mut secret = String::new();
    if has_secret {
        let made = admin
            .browser
            .post(&format!("/api/v1/applications/{id}/secret"), &json!({}))
            .await;
        secret = text(&made.body["secret"]);
    }
    App { id, secret }
}

/// What every request here uses as its PKCE verifier.
pub(crate) const VERIFIER: &str = "naru-naru-naru-naru-naru-naru-naru-naru-naru";

pub(crate) fn challenge(verifier: &str) -> String {
    URL_SAFE_NO_PAD.encode(digest::digest(&digest::SHA256, verifier.as_bytes()))
}

pub(crate) fn request_of(app: &App) -> BTreeMap<String, String> {
    [
        ("response_type", "code"),
        ("client_id", &app.id),
        ("redirect_uri", REDIRECT),
        ("scope", "openid profile"),
        ("state", "a state & more"),
        ("nonce", "n-0S6"),
        ("code_challenge", &challenge(VERIFIER)),
        ("code_challenge_method", "S256"),
    ]
    .into_iter()
    .map(|(name, value)| (name.to_owned(), value.to_owned()))
    .collect()
}

/// The same with other values; an empty one takes a parameter away.
pub(crate) fn changed(
    params: &BTreeMap<String, String>,
    changes: &[(&str, &str)],
) -> BTreeMap<String, String> {
    let mut params = params.clone();
    for (name, value) in changes {
        if value.is_empty() {
            params.remove(*name);
        } else {
            params.insert((*name).to_owned(), (*value).to_owned());
        }
    }
    params
}

pub(crate) fn form(params: &BTreeMap<String, String>) -> String {
    let pairs: Vec<(&str, &str)> = params
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    encoded(&pairs)
}

pub(crate) fn encoded(pairs: &[(&str, &str)]) -> String {
    url::form_urlencoded::Serializer::new(String::new())
        .extend_pairs(pairs)
        .finish()
}

pub(crate) async fn post_form(browser: &mut Browser, path: &str, params: &[(&str, &str)]) -> Answer {
    let body = encoded(params).into_bytes();
    browser
        .send(
            Method::POST,
            path,
            "application/x-www-form-urlencoded",
            Some(body),
        )
        .await
}

pub(crate) fn basic(app: &App) -> String {
    format!("Basic {}", STANDARD.encode(format!("{}:{}", app.id, app.secret)))
}

pub(crate) fn location(answer: &Answer) -> String {
    answer.headers[header::LOCATION].to_str().unwrap().to_owned()
}

/// The parameters an application reads from the address it was called by.
pub(crate) fn fields(url: &str) -> BTreeMap<String, String> {
    let url = url::Url::parse(url).unwrap();
    url.query_pairs().into_owned().collect()
}

/// The parts of a token, unverified.
pub(crate) fn parts(token: &str) -> (Value, Value) {
    let mut parts = token.split('.');
    let mut next = || {
        let bytes = URL_SAFE_NO_PAD.decode(parts.next().unwrap()).unwrap();
        serde_json::from_slice(&bytes).unwrap()
    };
    (next(), next())
}

/// Checks a token as a relying party would: the key by `kid`, the algorithm by the key.
pub(crate) fn verified(keys: &Value, token: &str) -> Value {
    let (header, claims) = parts(token);
    let key = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .find(|key| key["kid"] == header["kid"]);
    let key = key.unwrap_or_else(|| panic!("no key {} in {keys}", header["kid"]));
    let bytes = |name: &str| URL_SAFE_NO_PAD.decode(key[name].as_str().unwrap()).unwrap();
    let (signed, signature) = token.rsplit_once('.').unwrap();
    let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
    assert_eq!(key["alg"], header["alg"]);
    match key["kty"].as_str() {
        Some("RSA") => {
            let key = RsaPublicKeyComponents {
                n: bytes("n"),
                e: bytes("e"),
            };
            key.verify(&RSA_PKCS1_2048_8192_SHA256, signed.as_bytes(), &signature)
                .unwrap();
        }
        _ => {
            let point = [vec![4], bytes("x"), bytes("y")].concat();
            UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, point)
                .verify(signed.as_bytes(), &signature)
                .unwrap();
        }
    }
    claims
}

/// A program's own P-256 key.
pub(crate) struct OwnKey {
    pair: EcdsaKeyPair,
}

impl OwnKey {
    pub(crate) fn new() -> Self {
        Self {
            pair: EcdsaKeyPair::generate(&ECDSA_P256_SHA256_FIXED_SIGNING).unwrap(),
        }
    }

    pub(crate) fn jwk(&self) -> Value {
        let point = self.pair.public_key().as_ref();
        let coordinate = |range| URL_SAFE_NO_PAD.encode(&point[range]);
        json!({ "crv": "P-256", "kty": "EC", "x": coordinate(1..33), "y": coordinate(33..65) })
    }

    pub(crate) fn thumbprint(&self) -> String {
        challenge(&self.jwk().to_string())
    }

    /// A token with this header and these claims.
    pub(crate) fn sign(&self, header: &Value, claims: &Value) -> String {
        let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
        let signed = format!("{}.{}", part(header), part(claims));
        let hash = digest::digest(&digest::SHA256, signed.as_bytes());
        let signature = self.pair.sign_digest(&hash).unwrap();
        format!("{signed}.{}", URL_SAFE_NO_PAD.encode(signature.as_ref()))
    }
}

impl Stage {
    /// A session that is alive, after one that idled out.
    pub(crate) async fn step_up_or_new(&mut self) {
        let mut browser = self.world.first_factor(&self.person.identity).await;
        let answer =
            naru_testkit::answer_totp(&mut browser, &self.person.secret, self.world.clock.now()).await;
        assert_eq!(answer.body["next"], "done", "{:?}", answer.body);
        self.person.browser = browser;
    }
}
