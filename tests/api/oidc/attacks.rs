//! Attacks that have a name, each refused and, where somebody known is concerned, recorded.

use aws_lc_rs::hmac;
use axum::http::{Method, StatusCode, header};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use naru_kernel::{Clock as _, Role, Seconds};
use serde_json::{Value, json};

use super::stage::{
    AFTER_LOGOUT, OwnKey, REDIRECT, Stage, VERIFIER, challenge, changed, encoded, fields, form, location,
    parts, post_form, settings, with,
};
use crate::world::{Side, text};

#[tokio::test]
async fn open_redirect() {
    let mut stage = Stage::new().await;
    for wrong in [
        "https://evil.example/",
        "//evil.example/callback",
        "https://app.example.go.kr.evil.example/callback",
        "https://app.example.go.kr/callback/../../evil",
        "https://app.example.go.kr/callback%0d%0aLocation:%20https://evil.example",
        "javascript:alert(1)",
        "data:text/html,x",
        "HTTPS://APP.EXAMPLE.GO.KR/callback",
    ] {
        // Whatever else is wrong with the request, nothing goes to an address nobody registered.
        for error in [
            ("response_type", "code"),
            ("response_type", "token"),
            ("scope", "x"),
            ("prompt", "nonsense"),
        ] {
            let request = changed(&stage.request(), &[("redirect_uri", wrong), error]);
            let answer = stage.authorize(&request).await;
            assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
            assert!(!answer.headers.contains_key(header::LOCATION));
            assert!(
                !String::from_utf8_lossy(&answer.bytes).contains("evil"),
                "the page quotes the request"
            );
        }
    }
    assert!(stage.recorded("applications.authorize", "refused").await > 0);
    // Nor can an administrator register what would be one.
    for wrong in [
        "http://app.example.go.kr/",
        "https://a@b/",
        "https://a/#x",
        "javascript:alert(1)",
        "https://a\\@b/",
    ] {
        let form = json!({
            "name": { "ko": "가" }, "label": "O", "audience": { "kind": "ministry" }, "state": "active",
            "protocol": with(json!({ "redirect_uris": [wrong] })),
        });
        let answer = stage.admin.browser.post("/api/v1/applications", &form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{wrong}");
    }
}

#[tokio::test]
async fn a_stolen_code_is_of_no_use() {
    let mut stage = Stage::new().await;
    let thief = stage.another(settings()).await;
    let request = stage.request();
    let back = stage.sign_on_with(&request).await;
    let code = back["code"].as_str();
    let grant = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    // By another client; for another address; without the verifier; as another kind of token.
    assert_eq!(
        stage.program(&thief, "/sso/token", &grant).await.body["error"],
        "invalid_grant"
    );
    let elsewhere = [
        grant[0],
        grant[1],
        ("redirect_uri", "https://app.example.go.kr/other?x=1"),
        grant[3],
    ];
    assert_eq!(stage.token(&elsewhere).await.body["error"], "invalid_grant");
    let wrong = [
        grant[0],
        grant[1],
        grant[2],
        ("code_verifier", "another-verifier-another-verifier-another-ver"),
    ];
    assert_eq!(stage.token(&wrong).await.body["error"], "invalid_grant");
    let as_refresh = [("grant_type", "refresh_token"), ("refresh_token", code)];
    assert_eq!(stage.token(&as_refresh).await.body["error"], "invalid_grant");
    assert_eq!(stage.userinfo(code).await.status, StatusCode::UNAUTHORIZED);
    // Its owner can still use it.
    assert_eq!(stage.token(&grant).await.status, StatusCode::OK);
}

#[tokio::test]
async fn mix_up_is_seen_by_the_issuer_in_every_answer() {
    let mut stage = Stage::new().await;
    let origin = stage.world.config.origin();
    let request = stage.request();
    assert_eq!(stage.sign_on_with(&request).await["iss"], origin);
    let wrong = stage.authorize(&changed(&request, &[("scope", "profile")])).await;
    assert_eq!(fields(&location(&wrong))["iss"], origin);
    let metadata = stage
        .outside()
        .get("/.well-known/openid-configuration")
        .await
        .body;
    assert_eq!(metadata["authorization_response_iss_parameter_supported"], true);
}

#[tokio::test]
async fn pkce_downgrade() {
    let mut stage = Stage::new().await;
    let plain = changed(
        &stage.request(),
        &[("code_challenge", VERIFIER), ("code_challenge_method", "plain")],
    );
    assert_eq!(
        fields(&location(&stage.authorize(&plain).await))["error"],
        "invalid_request"
    );
    // An absent method means plain.
    let absent = changed(&stage.request(), &[("code_challenge_method", "")]);
    assert_eq!(
        fields(&location(&stage.authorize(&absent).await))["error"],
        "invalid_request"
    );
    // The challenge taken away on the way: the client's verifier gives it away.
    let request = changed(
        &stage.request(),
        &[("code_challenge", ""), ("code_challenge_method", "")],
    );
    let back = stage.sign_on_with(&request).await;
    assert_eq!(stage.redeem(&back["code"]).await.body["error"], "invalid_grant");
}

/// Hints that were made by an attacker out of a true one.
async fn forged(stage: &mut Stage) -> Vec<String> {
    let request = stage.request();
    let signed = stage.sign_on(&request).await;
    let (head, claims) = parts(&signed.id_token);
    let part = |value: &Value| URL_SAFE_NO_PAD.encode(value.to_string());
    let keys = stage.outside().get("/sso/jwks").await.body;
    let mut all = vec![
        format!("{}.{}.", part(&json!({ "alg": "none" })), part(&claims)),
        format!(
            "{}.{}.",
            part(&json!({ "alg": "nOnE", "kid": head["kid"] })),
            part(&claims)
        ),
    ];
    // Key confusion: our public key taken for an HMAC's secret, in every form somebody might read it.
    for key in keys["keys"].as_array().unwrap() {
        let modulus = key["n"].as_str().unwrap_or_default();
        for secret in [key.to_string(), modulus.to_owned()] {
            let header = json!({ "alg": "HS256", "kid": key["kid"], "typ": "JWT" });
            let text = format!("{}.{}", part(&header), part(&claims));
            let code = hmac::sign(
                &hmac::Key::new(hmac::HMAC_SHA256, secret.as_bytes()),
                text.as_bytes(),
            );
            all.push(format!("{text}.{}", URL_SAFE_NO_PAD.encode(code.as_ref())));
        }
    }
    // Key poisoning: the message brings its own key, or says where to fetch one.
    let own = OwnKey::new();
    for header in [
        json!({ "alg": "ES256", "jwk": own.jwk() }),
        json!({ "alg": "ES256", "jwk": own.jwk(), "kid": head["kid"] }),
        json!({ "alg": "ES256", "jku": "https://evil.example/jwks", "kid": "evil" }),
        json!({ "alg": "ES256", "x5c": ["AAAA"], "kid": head["kid"] }),
        json!({ "alg": "ES256", "crit": ["exp"], "kid": head["kid"] }),
        json!({ "alg": "ES256" }),
    ] {
        all.push(own.sign(&header, &claims));
    }
    // One bit of what was signed.
    let mut altered = claims.clone();
    altered["sub"] = json!("somebody else");
    let (signed, signature) = signed.id_token.rsplit_once('.').unwrap();
    all.push(format!("{}.{}.{signature}", part(&head), part(&altered)));
    all.push(format!("{signed}."));
    all.push(format!("{signed}.{signature}.{signature}"));
    all
}

#[tokio::test]
async fn alg_none_key_confusion_and_poisoned_keys() {
    let mut stage = Stage::new().await;
    let tokens = forged(&mut stage).await;
    assert!(tokens.len() > 12);
    for token in tokens {
        let hinted = changed(&stage.request(), &[("id_token_hint", &token)]);
        let back = fields(&location(&stage.authorize(&hinted).await));
        assert_eq!(back["error"], "invalid_request", "{token}");
        let asked = [
            ("id_token_hint", token.as_str()),
            ("post_logout_redirect_uri", AFTER_LOGOUT),
        ];
        let answer = stage
            .outside()
            .get(&format!("/sso/logout?{}", encoded(&asked)))
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{token}");
        assert_eq!(stage.userinfo(&token).await.status, StatusCode::UNAUTHORIZED);
    }
    // Nor can an administrator plant a key that would help: private, symmetric, short, or for something else.
    let key = OwnKey::new().jwk();
    let mut private = key.clone();
    private["d"] = json!("AAAA");
    let mut encryption = key.clone();
    encryption["use"] = json!("enc");
    for keys in [
        json!({ "keys": [{ "kty": "oct", "k": "AAAA" }] }),
        json!({ "keys": [private] }),
        json!({ "keys": [encryption] }),
        json!({ "keys": [{ "kty": "RSA", "n": URL_SAFE_NO_PAD.encode([0x81; 128]), "e": "AQAB" }] }),
        json!({ "keys": [key.clone(), { "kty": "EC", "crv": "P-256", "x": "AA", "y": "AA" }] }),
        json!({ "keys": [] }),
    ] {
        let form = json!({
            "name": { "ko": "가" }, "label": "O", "audience": { "kind": "ministry" }, "state": "active",
            "protocol": with(json!({ "client_proof": "private_key_jwt", "keys": keys })),
        });
        let answer = stage.admin.browser.post("/api/v1/applications", &form).await;
        assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY, "{keys}");
    }
}

#[tokio::test]
async fn an_id_token_opens_nothing_and_no_access_token_is_a_hint() {
    let mut stage = Stage::new().await;
    let request = stage.request();
    let signed = stage.sign_on(&request).await;
    assert_eq!(
        stage.userinfo(&signed.id_token).await.status,
        StatusCode::UNAUTHORIZED
    );
    let asked = stage
        .program(&stage.app, "/sso/introspect", &[("token", &signed.id_token)])
        .await;
    assert_eq!(asked.body, json!({ "active": false }));
    let hinted = changed(&request, &[("id_token_hint", &signed.access)]);
    assert_eq!(
        fields(&location(&stage.authorize(&hinted).await))["error"],
        "invalid_request"
    );
    // A hint for another client's token is none.
    stage.app = stage.another(settings()).await;
    let hinted = changed(&stage.request(), &[("id_token_hint", &signed.id_token)]);
    assert_eq!(
        fields(&location(&stage.authorize(&hinted).await))["error"],
        "invalid_request"
    );
}

#[tokio::test]
async fn csrf_cannot_agree_refuse_or_go_on_for_the_person() {
    let mut stage = Stage::new().await;
    let handle = stage.begin(&stage.request()).await;
    let path = format!("/api/v1/sso/{handle}");
    // Another site has the handle (the attacker began the sign-on) and makes the person's browser post to it.
    stage.person.browser.set_origin(Some("https://evil.example"));
    for path in [path.clone(), format!("{path}/consent"), format!("{path}/refuse")] {
        let answer = stage.person.browser.post(&path, &json!({ "agree": true })).await;
        assert_eq!(answer.code(), "runtime.foreign-origin", "{path}");
    }
    stage
        .person
        .browser
        .set_origin(Some(&stage.world.config.origin()));
    stage.person.browser.set_marked(false);
    let answer = stage.person.browser.post(&path, &json!({})).await;
    assert_eq!(answer.code(), "runtime.foreign-origin");
    stage.person.browser.set_marked(true);
    assert_eq!(stage.step(&handle).await["next"], "go");
    // The authorization endpoint itself reads no cookie: with one, it does the same as without.
    let request = form(&stage.request());
    let answer = stage
        .person
        .browser
        .get(&format!("/sso/authorize?{request}"))
        .await;
    assert!(location(&answer).starts_with("/#/sso/"));
    // And an attacker's own code ends up in the person's application only with a state it never gave out.
    let foreign = changed(&stage.request(), &[("state", "attacker")]);
    assert_eq!(stage.sign_on_with(&foreign).await["state"], "attacker");
}

#[tokio::test]
async fn a_cookie_opens_no_program_door() {
    let mut stage = Stage::new().await;
    for path in [
        "/sso/token",
        "/sso/par",
        "/sso/introspect",
        "/sso/revoke",
        "/sso/device",
    ] {
        let body = encoded(&[("grant_type", "authorization_code"), ("token", "x")]).into_bytes();
        let answer = stage
            .person
            .browser
            .send(
                Method::POST,
                path,
                "application/x-www-form-urlencoded",
                Some(body),
            )
            .await;
        assert_eq!(answer.status, StatusCode::UNAUTHORIZED, "{path}");
    }
    assert_eq!(
        stage.person.browser.get("/sso/userinfo").await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn clocks_off_by_ten_minutes() {
    let key = OwnKey::new();
    let keys = json!({ "keys": [key.jwk()] });
    let stage = Stage::with(with(json!({ "client_proof": "private_key_jwt", "keys": keys }))).await;
    let now = stage.world.clock.now();
    for (issued, good) in [
        (now - Seconds(30), true),
        (now - Seconds(600), false),
        (now + Seconds(600), false),
    ] {
        let claims = json!({
            "iss": stage.app.id, "sub": stage.app.id, "aud": stage.world.config.origin(),
            "jti": issued.to_string(), "iat": issued.as_seconds(), "exp": (issued + Seconds(60)).as_seconds(),
        });
        let assertion = key.sign(&json!({ "alg": "ES256" }), &claims);
        let asked = [
            ("token", "x"),
            (
                "client_assertion_type",
                "urn:ietf:params:oauth:client-assertion-type:jwt-bearer",
            ),
            ("client_assertion", assertion.as_str()),
        ];
        let answer = post_form(&mut stage.outside(), "/sso/introspect", &asked).await;
        assert_eq!(answer.status.is_success(), good, "{:?}", answer.body);
    }
}

#[tokio::test]
async fn strangers_cannot_fill_the_record() {
    let stage = Stage::new().await;
    let before = stage.world.entries().await;
    for number in 0..40 {
        // Clients that are not there leave nothing; a known one at most ten entries a minute.
        let unknown = changed(
            &stage.request(),
            &[("client_id", &format!("application_{number:032x}"))],
        );
        assert_eq!(stage.authorize(&unknown).await.status, StatusCode::BAD_REQUEST);
        stage
            .authorize(&changed(&stage.request(), &[("scope", "x")]))
            .await;
        let guess = [
            ("client_id", stage.app.id.as_str()),
            ("grant_type", "refresh_token"),
            ("refresh_token", "x"),
        ];
        post_form(&mut stage.outside(), "/sso/token", &guess).await;
        stage.userinfo("nonsense").await;
    }
    assert_eq!(stage.world.entries().await - before, 10);
}

#[tokio::test]
async fn a_paused_application_and_a_stopped_client_get_nothing() {
    let mut stage = Stage::new().await;
    let request = stage.request();
    let signed = stage.sign_on(&request).await;
    let form = json!({
        "name": { "ko": "전자결재" }, "label": "O", "audience": { "kind": "ministry" }, "state": "paused",
        "protocol": settings(),
    });
    let path = format!("/api/v1/applications/{}", stage.app.id);
    let changed = stage.admin.browser.call(Method::PUT, &path, Some(&form)).await;
    assert!(changed.status.is_success(), "{:?}", changed.body);
    assert_eq!(stage.authorize(&request).await.status, StatusCode::BAD_REQUEST);
    assert_eq!(
        stage.userinfo(&signed.access).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        stage
            .token(&[("grant_type", "refresh_token"), ("refresh_token", "x")])
            .await
            .body["error"],
        "invalid_client"
    );
    // Taken away, with everything it had.
    assert!(stage.admin.browser.delete(&path).await.status.is_success());
    let sql = "SELECT COUNT(*) AS n FROM sign_on_grants";
    let left: i64 = stage.world.database.db.one(sql, Vec::new()).await.unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn who_owes_a_second_factor_is_nobody() {
    let stage = Stage::new().await;
    let (id, identity) = stage.world.somebody(Side::Ordinary, &[Role::Worker]).await;
    let mut browser = stage.world.first_factor(&identity).await;
    let handle = stage.begin(&stage.request()).await;
    let answer = browser.post(&format!("/api/v1/sso/{handle}"), &json!({})).await;
    assert_eq!(answer.body["next"], "sign_on", "{id}");
    let answer = browser
        .post(
            &format!("/api/v1/sso/{handle}/consent"),
            &json!({ "agree": true }),
        )
        .await;
    assert_eq!(answer.status, StatusCode::UNAUTHORIZED);
    assert_eq!(text(&json!(challenge(VERIFIER))).len(), 43);
}

#[tokio::test]
async fn who_begins_sign_ons_in_bulk_keeps_nobody_out() {
    let mut stage = Stage::new().await;
    let (app, now) = (stage.app.id.clone(), stage.world.clock.now());
    let until = now + Seconds(600);
    let fill = stage
        .world
        .database
        .db
        .housekeep("applications.keep-request", move |tx| {
            Box::pin(async move {
                for number in 0..10_000_i64 {
                    let row = naru_store::params![
                        number.to_be_bytes().to_vec(),
                        app.as_str(),
                        "{}",
                        now - Seconds(10),
                        until
                    ];
                    let sql = "INSERT INTO sign_on_requests (hash, application, payload, created_at, expires_at) \
                               VALUES ($1, $2, $3, $4, $5)";
                    tx.exec(sql, row).await?;
                }
                Ok::<_, naru_store::Error>(())
            })
        });
    fill.await.unwrap();
    let request = stage.request();
    let handle = stage.begin(&request).await;
    let sql = "SELECT COUNT(*) AS n FROM sign_on_requests";
    let left: i64 = stage.world.database.db.one(sql, Vec::new()).await.unwrap();
    assert_eq!(left, 9_901);
    assert_eq!(stage.step(&handle).await["next"], "go");
}
