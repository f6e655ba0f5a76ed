//! Programs: how they prove themselves, devices, exchanges, questions about tokens.

use axum::http::StatusCode;
use naru_kernel::{Clock as _, Role, Seconds};
use naru_testkit::Answer;
use rustls_pki_types::CertificateDer;
use serde_json::{Value, json};

use super::stage::{OwnKey, REDIRECT, Stage, VERIFIER, add, basic, changed, post_form, settings, with};
use crate::world::{Side, text};

const BY_JWT: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
const DEVICE: &str = "urn:ietf:params:oauth:grant-type:device_code";
const EXCHANGE: &str = "urn:ietf:params:oauth:grant-type:token-exchange";
const ACCESS: &str = "urn:ietf:params:oauth:token-type:access_token";

async fn with_key(key: &OwnKey) -> Stage {
    let keys = json!({ "keys": [key.jwk()] });
    Stage::with(with(json!({ "client_proof": "private_key_jwt", "keys": keys }))).await
}

/// The claims of an honest assertion.
fn assertion(stage: &Stage, number: &str) -> Value {
    let now = stage.world.clock.now().as_seconds();
    json!({
        "iss": stage.app.id, "sub": stage.app.id, "aud": stage.world.config.origin(),
        "jti": number, "iat": now, "exp": now + 60,
    })
}

async fn redeem_by(stage: &mut Stage, assertion: &str) -> Answer {
    let request = stage.request();
    let back = stage.sign_on_with(&request).await;
    let grant = [
        ("grant_type", "authorization_code"),
        ("code", back["code"].as_str()),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
        ("client_assertion_type", BY_JWT),
        ("client_assertion", assertion),
    ];
    post_form(&mut stage.outside(), "/sso/token", &grant).await
}

#[tokio::test]
async fn a_signed_assertion_is_good_once() {
    let key = OwnKey::new();
    let mut stage = with_key(&key).await;
    let es256 = json!({ "alg": "ES256" });
    let good = key.sign(&es256, &assertion(&stage, "1"));
    let answer = redeem_by(&mut stage, &good).await;
    stage.signed(&answer).await;
    let answer = redeem_by(&mut stage, &good).await;
    assert_eq!(
        (answer.status, &answer.body["error"]),
        (StatusCode::UNAUTHORIZED, &json!("invalid_client"))
    );
    // For the token endpoint, as older clients write it.
    let mut older = assertion(&stage, "2");
    older["aud"] = json!([format!("{}/sso/token", stage.world.config.origin())]);
    let answer = redeem_by(&mut stage, &key.sign(&es256, &older)).await;
    assert_eq!(answer.status, StatusCode::OK);
    let now = stage.world.clock.now().as_seconds();
    let wrong = [
        ("aud", json!("https://elsewhere.example")),
        ("iss", json!("somebody")),
        ("exp", json!(now - 61)),
        ("exp", json!(now + 3_600)),
        ("exp", Value::Null),
        ("iat", json!(now + 600)),
        ("nbf", json!(now + 600)),
        ("jti", Value::Null),
        ("jti", json!("")),
    ];
    for (number, (name, value)) in wrong.into_iter().enumerate() {
        let mut claims = assertion(&stage, &format!("w{number}"));
        claims[name] = value.clone();
        let answer = redeem_by(&mut stage, &key.sign(&es256, &claims)).await;
        assert_eq!(answer.body["error"], "invalid_client", "{name} {value}");
    }
    // Signed by another, even if it brings its key along.
    let thief = OwnKey::new();
    let header = json!({ "alg": "ES256", "jwk": thief.jwk() });
    let stolen = thief.sign(&header, &assertion(&stage, "t"));
    let answer = redeem_by(&mut stage, &stolen).await;
    assert_eq!(answer.body["error"], "invalid_client");
    // A secret is no way in for a client with keys, and nothing is not either.
    stage.app.secret = "guess".to_owned();
    let answer = stage
        .token(&[("grant_type", "authorization_code"), ("code", "x")])
        .await;
    assert_eq!(answer.body["error"], "invalid_client");
    assert!(
        stage
            .recorded("applications.authenticate-client", "refused")
            .await
            > 0
    );
}

#[tokio::test]
async fn a_certificate_proves_a_program() {
    let world = Stage::new().await;
    let key = rcgen::KeyPair::generate().unwrap();
    let own = rcgen::CertificateParams::default().self_signed(&key).unwrap();
    let fingerprint = hex(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, own.der()).as_ref());
    let mut stage = world;
    let proof = json!({ "client_proof": "tls_client_auth", "certificate_sha256": fingerprint });
    stage.app = stage.another(with(proof)).await;
    let request = stage.request();
    let back = stage.sign_on_with(&request).await;
    let grant = [
        ("grant_type", "authorization_code"),
        ("code", back["code"].as_str()),
        ("redirect_uri", REDIRECT),
        ("client_id", stage.app.id.as_str()),
        ("code_verifier", VERIFIER),
    ];
    let refused = post_form(&mut stage.outside(), "/sso/token", &grant).await;
    assert_eq!(refused.body["error"], "invalid_client");
    let other = rcgen::KeyPair::generate().unwrap();
    let other = rcgen::CertificateParams::default().self_signed(&other).unwrap();
    for (certificate, good) in [(other.der(), false), (own.der(), true)] {
        let mut program = stage
            .world
            .browser_with(vec![CertificateDer::from(certificate.to_vec())]);
        let answer = post_form(&mut program, "/sso/token", &grant).await;
        assert_eq!(answer.status.is_success(), good, "{:?}", answer.body);
    }
    let metadata = stage
        .outside()
        .get("/.well-known/openid-configuration")
        .await
        .body;
    let door = text(&metadata["mtls_endpoint_aliases"]["token_endpoint"]);
    assert_eq!(
        door,
        format!("{}/sso/token", stage.world.config.certificate_door())
    );
}

fn hex(bytes: &[u8]) -> String {
    bytes.iter().map(|byte| format!("{byte:02x}")).collect()
}

#[tokio::test]
async fn a_client_proves_itself_in_one_way_and_the_right_one() {
    let stage = Stage::new().await;
    let (id, secret) = (stage.app.id.as_str(), stage.app.secret.as_str());
    let mut both = stage.outside();
    both.set_header("authorization", &basic(&stage.app));
    let twice = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "x"),
        ("client_secret", secret),
    ];
    assert_eq!(
        post_form(&mut both, "/sso/token", &twice).await.body["error"],
        "invalid_request"
    );
    // Registered for the header, so the form is no way in; nor is nothing.
    let posted = [
        ("grant_type", "refresh_token"),
        ("refresh_token", "x"),
        ("client_id", id),
        ("client_secret", secret),
    ];
    let answer = post_form(&mut stage.outside(), "/sso/token", &posted).await;
    assert_eq!(
        (answer.status, &answer.body["error"]),
        (StatusCode::UNAUTHORIZED, &json!("invalid_client"))
    );
    let answer = post_form(&mut stage.outside(), "/sso/token", &posted[..3]).await;
    assert_eq!(answer.body["error"], "invalid_client");
    let mut wrong = stage.app.clone();
    wrong.secret.push('x');
    let answer = stage.program(&wrong, "/sso/token", &posted[..2]).await;
    assert_eq!(answer.headers["www-authenticate"], "Basic realm=\"naru\"");
    let answer = stage.program(&stage.app, "/sso/token", &posted[..2]).await;
    assert_eq!(answer.body["error"], "invalid_grant");
    // No other content than a form.
    let mut program = stage.outside();
    program.set_header("authorization", &basic(&stage.app));
    let answer = program
        .post("/sso/token", &json!({ "grant_type": "refresh_token" }))
        .await;
    assert_eq!(answer.body["error"], "invalid_request");
}

#[tokio::test]
async fn a_device_waits_for_its_person() {
    let mut stage = Stage::new().await;
    let begun = stage
        .program(&stage.app, "/sso/device", &[("scope", "openid profile")])
        .await;
    assert_eq!(begun.status, StatusCode::OK, "{:?}", begun.body);
    let device = text(&begun.body["device_code"]);
    let code = text(&begun.body["user_code"]);
    let poll = [("grant_type", DEVICE), ("device_code", device.as_str())];
    assert_eq!(stage.token(&poll).await.body["error"], "authorization_pending");
    assert_eq!(stage.token(&poll).await.body["error"], "slow_down");
    // Another client cannot ask for it.
    let other = stage.another(settings()).await;
    let answer = stage.program(&other, "/sso/token", &poll).await;
    assert_eq!(answer.body["error"], "invalid_grant");
    // However it is typed.
    let typed = code.to_lowercase().replace('-', "");
    let shown = stage
        .person
        .browser
        .get(&format!("/api/v1/sso/device/{typed}"))
        .await;
    assert_eq!(shown.body["application"]["name"], "전자결재", "{:?}", shown.body);
    assert_eq!(shown.body["scopes"][1]["name"], "profile");
    let allow = json!({ "agree": true });
    let path = format!("/api/v1/sso/device/{code}");
    assert_eq!(
        stage.person.browser.post(&path, &allow).await.status,
        StatusCode::NO_CONTENT
    );
    let answer = stage.token(&poll).await;
    let signed = stage.signed(&answer).await;
    assert_eq!(stage.userinfo(&signed.access).await.body["name"], "홍길동");
    assert_eq!(stage.token(&poll).await.body["error"], "invalid_grant");
    assert_eq!(stage.recorded("applications.allow-device", "done").await, 1);
    // Its session is the person's: it ends with it.
    stage.log_off().await;
    assert_eq!(
        stage.userinfo(&signed.access).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn a_device_can_be_refused_forgotten_and_guessed_at_in_vain() {
    let mut stage = Stage::new().await;
    let begun = stage.program(&stage.app, "/sso/device", &[]).await.body;
    let path = format!("/api/v1/sso/device/{}", text(&begun["user_code"]));
    let refuse = json!({ "agree": false });
    assert!(
        stage
            .person
            .browser
            .post(&path, &refuse)
            .await
            .status
            .is_success()
    );
    let device = text(&begun["device_code"]);
    let poll = [("grant_type", DEVICE), ("device_code", device.as_str())];
    assert_eq!(stage.token(&poll).await.body["error"], "access_denied");
    // An application that is no device cannot wait.
    let app = stage
        .another(with(json!({ "grant_types": ["authorization_code"] })))
        .await;
    let answer = stage.program(&app, "/sso/device", &[]).await;
    assert_eq!(answer.body["error"], "unauthorized_client");
    let begun = stage.program(&stage.app, "/sso/device", &[]).await.body;
    let device = text(&begun["device_code"]);
    stage.world.clock.advance(Seconds(601));
    let poll = [("grant_type", DEVICE), ("device_code", device.as_str())];
    assert_eq!(stage.token(&poll).await.body["error"], "expired_token");
    // Who types at random is stopped after ten.
    stage.step_up_or_new().await;
    let mut codes = Vec::new();
    for _ in 0..12 {
        let answer = stage.person.browser.get("/api/v1/sso/device/BCDF-GHJK").await;
        codes.push(answer.code().to_owned());
    }
    assert_eq!(
        codes
            .iter()
            .filter(|code| *code == "applications.no-such-device")
            .count(),
        10
    );
    assert_eq!(codes[11], "applications.too-many-codes");
}

#[tokio::test]
async fn a_token_is_narrowed_never_widened() {
    let mut stage = Stage::new().await;
    let request = changed(&stage.request(), &[("scope", "openid profile groups")]);
    let signed = stage.sign_on(&request).await;
    let target = stage
        .another(with(json!({ "scopes": ["openid", "profile", "email"] })))
        .await;
    let exchange = |token: &str, audience: &str, scope: &'static str| {
        vec![
            ("grant_type".to_owned(), EXCHANGE.to_owned()),
            ("subject_token".to_owned(), token.to_owned()),
            ("subject_token_type".to_owned(), ACCESS.to_owned()),
            ("audience".to_owned(), audience.to_owned()),
            ("scope".to_owned(), scope.to_owned()),
        ]
    };
    let ask = async |stage: &Stage, wish: Vec<(String, String)>| {
        let pairs: Vec<(&str, &str)> = wish
            .iter()
            .map(|(name, value)| (name.as_str(), value.as_str()))
            .collect();
        stage.token(&pairs).await
    };
    let answer = ask(&stage, exchange(&signed.access, &target.id, "")).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
    assert_eq!(answer.body["scope"], "openid profile");
    assert_eq!(answer.body["issued_token_type"], ACCESS);
    assert!(answer.body.get("refresh_token").is_none() && answer.body.get("id_token").is_none());
    let narrowed = text(&answer.body["access_token"]);
    let claims = stage.userinfo(&narrowed).await.body;
    assert!(
        claims["name"].is_string() && claims.get("groups").is_none(),
        "{claims}"
    );
    // Good at its audience and for it alone.
    let asked = [("token", narrowed.as_str())];
    let there = stage.program(&target, "/sso/introspect", &asked).await.body;
    assert_eq!(
        (&there["active"], &there["aud"]),
        (&json!(true), &json!(target.id))
    );
    assert_eq!(
        stage.program(&stage.app, "/sso/introspect", &asked).await.body,
        json!({ "active": false })
    );
    let wider = ask(&stage, exchange(&signed.access, &target.id, "openid email")).await;
    assert_eq!(wider.body["error"], "invalid_scope");
    let again = ask(&stage, exchange(&narrowed, &target.id, "")).await;
    assert_eq!(again.body["error"], "invalid_request");
    let nonsense = ask(&stage, exchange("nonsense", &target.id, "")).await;
    assert_eq!(nonsense.body["error"], "invalid_request");
    let mut owner = stage.world.member(Side::Platform, &[Role::MinistryAdmin]).await;
    let foreign = add(&mut owner, settings(), "platform").await;
    let elsewhere = ask(&stage, exchange(&signed.access, &foreign.id, "")).await;
    assert_eq!(elsewhere.body["error"], "invalid_target");
    // It ends with the session it came from.
    stage.log_off().await;
    assert_eq!(stage.userinfo(&narrowed).await.status, StatusCode::UNAUTHORIZED);
    let app = stage
        .another(with(json!({ "grant_types": ["authorization_code"] })))
        .await;
    let wish = exchange(&signed.access, &target.id, "");
    let pairs: Vec<(&str, &str)> = wish
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let answer = stage.program(&app, "/sso/token", &pairs).await;
    assert_eq!(answer.body["error"], "unauthorized_client");
}

#[tokio::test]
async fn tokens_are_asked_about_and_revoked_by_their_client() {
    let mut stage = Stage::new().await;
    let request = changed(&stage.request(), &[("scope", "openid offline_access")]);
    let signed = stage.sign_on(&request).await;
    let refresh = signed.refresh.clone().unwrap();
    for token in [&signed.access, &refresh] {
        let answer = stage
            .program(&stage.app, "/sso/introspect", &[("token", token)])
            .await
            .body;
        assert_eq!(
            (&answer["active"], &answer["sub"]),
            (&json!(true), &signed.claims["sub"])
        );
        assert_eq!(answer["acr"], "urn:naru:assurance:certificate-totp");
    }
    let other = stage.another(settings()).await;
    let answer = stage
        .program(&other, "/sso/introspect", &[("token", &signed.access)])
        .await;
    assert_eq!(answer.body, json!({ "active": false }));
    let answer = post_form(
        &mut stage.outside(),
        "/sso/introspect",
        &[("token", &signed.access)],
    )
    .await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    // Another's revocation is answered like any and does nothing.
    assert_eq!(
        stage
            .program(&other, "/sso/revoke", &[("token", &refresh)])
            .await
            .status,
        StatusCode::OK
    );
    assert_eq!(stage.userinfo(&signed.access).await.status, StatusCode::OK);
    assert_eq!(
        stage
            .program(&stage.app, "/sso/revoke", &[("token", "unknown")])
            .await
            .status,
        StatusCode::OK
    );
    // The access token alone, then everything with the refresh token.
    stage
        .program(&stage.app, "/sso/revoke", &[("token", &signed.access)])
        .await;
    assert_eq!(
        stage.userinfo(&signed.access).await.status,
        StatusCode::UNAUTHORIZED
    );
    let grant = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh.as_str()),
    ];
    let again = stage.signed(&stage.token(&grant).await).await;
    let refresh = again.refresh.unwrap();
    stage
        .program(
            &stage.app,
            "/sso/revoke",
            &[("token", &refresh), ("token_type_hint", "access_token")],
        )
        .await;
    assert_eq!(
        stage.userinfo(&again.access).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(stage.recorded("applications.revoke-token", "done").await, 2);
}
