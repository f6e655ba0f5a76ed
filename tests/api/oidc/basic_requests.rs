//! The Basic OP plan, second half: what a request can ask for, codes used twice, addresses, ways to prove oneself.

use axum::http::{Method, StatusCode, header};
use naru_kernel::Seconds;
use serde_json::{Value, json};

use super::stage::{
    REDIRECT, Stage, VERIFIER, basic, changed, fields, form, location, post_form, request_of, with,
};
use crate::world::text;

#[tokio::test]
async fn oidcc_prompt_login() {
    let mut stage = Stage::new().await;
    let request = stage.request();
    let first = stage.sign_on(&request).await;
    stage.world.clock.advance(Seconds(40));
    let handle = stage.begin(&changed(&request, &[("prompt", "login")])).await;
    let step = stage.step(&handle).await;
    assert_eq!(
        step,
        json!({ "next": "step_up", "assurance": "certificate_totp", "reason": "login" })
    );
    // Asking again changes nothing: a factor must be shown.
    assert_eq!(stage.step(&handle).await["next"], "step_up");
    stage.step_up().await;
    let step = stage.step(&handle).await;
    let back = fields(&text(&step["url"]));
    let answer = stage.redeem(&back["code"]).await;
    let second = stage.signed(&answer).await;
    assert!(second.claims["auth_time"].as_i64() > first.claims["auth_time"].as_i64());
    assert_eq!(second.claims["sub"], first.claims["sub"]);
}

#[tokio::test]
async fn oidcc_prompt_none_not_logged_in() {
    let stage = Stage::new().await;
    let handle = stage
        .begin(&changed(&stage.request(), &[("prompt", "none")]))
        .await;
    let answer = stage
        .world
        .browser()
        .post(&format!("/api/v1/sso/{handle}"), &json!({}))
        .await;
    assert_eq!(answer.body["next"], "go", "{:?}", answer.body);
    let back = fields(&text(&answer.body["url"]));
    assert_eq!(back["error"], "login_required");
    assert_eq!(back["state"], stage.request()["state"]);
    assert!(!back.contains_key("code"));
}

#[tokio::test]
async fn oidcc_prompt_none_logged_in() {
    let mut stage = Stage::new().await;
    let request = stage.request();
    let first = stage.sign_on(&request).await;
    let second = stage.sign_on(&changed(&request, &[("prompt", "none")])).await;
    assert_eq!(second.claims["sub"], first.claims["sub"]);
    assert_eq!(second.claims["auth_time"], first.claims["auth_time"]);
}

#[tokio::test]
async fn oidcc_max_age_1() {
    let mut stage = Stage::new().await;
    let request = stage.request();
    let first = stage.sign_on(&request).await;
    stage.world.clock.advance(Seconds(2));
    let request = changed(&request, &[("max_age", "1")]);
    let handle = stage.begin(&request).await;
    assert_eq!(stage.step(&handle).await["reason"], "max_age");
    stage.step_up().await;
    // However long the page takes, what was shown for this request counts for it.
    stage.world.clock.advance(Seconds(5));
    let step = stage.step(&handle).await;
    let back = fields(&text(&step["url"]));
    let answer = stage.redeem(&back["code"]).await;
    let second = stage.signed(&answer).await;
    assert!(second.claims["auth_time"].as_i64() > first.claims["auth_time"].as_i64());
    // With nothing to be shown it is an error.
    stage.world.clock.advance(Seconds(2));
    let back = stage
        .sign_on_with(&changed(&request, &[("prompt", "none")]))
        .await;
    assert_eq!(back["error"], "login_required");
}

#[tokio::test]
async fn oidcc_max_age_10000() {
    let mut stage = Stage::new().await;
    let request = stage.request();
    let first = stage.sign_on(&changed(&request, &[("max_age", "15000")])).await;
    assert!(first.claims["auth_time"].is_i64());
    stage.world.clock.advance(Seconds(1));
    let second = stage
        .sign_on(&changed(&request, &[("max_age", "10000"), ("prompt", "none")]))
        .await;
    assert_eq!(second.claims["auth_time"], first.claims["auth_time"]);
}

#[tokio::test]
async fn oidcc_ensure_request_with_unknown_parameter_succeeds() {
    super::basic::harmless("extra", "foobar").await;
}

#[tokio::test]
async fn oidcc_id_token_hint() {
    let mut stage = Stage::new().await;
    let request = stage.request();
    let first = stage.sign_on(&request).await;
    let hinted = changed(
        &request,
        &[("prompt", "none"), ("id_token_hint", &first.id_token)],
    );
    let second = stage.sign_on(&hinted).await;
    assert_eq!(second.claims["sub"], first.claims["sub"]);
    // Of somebody else who is signed in here now: an error, not their code.
    let handle = stage.begin(&hinted).await;
    let answer = stage
        .admin
        .browser
        .post(&format!("/api/v1/sso/{handle}"), &json!({}))
        .await;
    assert_eq!(fields(&text(&answer.body["url"]))["error"], "login_required");
}

#[tokio::test]
async fn oidcc_login_hint() {
    super::basic::harmless("login_hint", "buffy@localhost").await;
}

#[tokio::test]
async fn oidcc_ui_locales() {
    super::basic::harmless("ui_locales", "se").await;
    let stage = Stage::new().await;
    let handle = stage
        .begin(&changed(&stage.request(), &[("ui_locales", "se en-GB ko")]))
        .await;
    let answer = stage
        .world
        .browser()
        .post(&format!("/api/v1/sso/{handle}"), &json!({}))
        .await;
    assert_eq!(answer.body["next"], "sign_on");
    assert_eq!(answer.body["language"], "en");
}

#[tokio::test]
async fn oidcc_claims_locales() {
    super::basic::harmless("claims_locales", "se").await;
}

#[tokio::test]
async fn oidcc_ensure_request_with_acr_values_succeeds() {
    let mut stage = Stage::new().await;
    let values = "urn:naru:assurance:certificate-totp urn:naru:assurance:certificate-passkey 1 2";
    let request = changed(&stage.request(), &[("acr_values", values)]);
    let signed = stage.sign_on(&request).await;
    assert_eq!(signed.claims["acr"], "urn:naru:assurance:certificate-totp");
    let request = changed(&stage.request(), &[("acr_values", "1 2")]);
    stage.sign_on(&request).await;
}

#[tokio::test]
async fn oidcc_codereuse() {
    let mut stage = Stage::new().await;
    let request = changed(&stage.request(), &[("scope", "openid offline_access")]);
    let back = stage.sign_on_with(&request).await;
    let first = stage.redeem(&back["code"]).await;
    let signed = stage.signed(&first).await;
    let second = stage.redeem(&back["code"]).await;
    assert_eq!(second.status, StatusCode::BAD_REQUEST);
    assert_eq!(second.body["error"], "invalid_grant");
    // What the first use gave is gone as well, and the record says why, once.
    assert_eq!(
        stage.userinfo(&signed.access).await.status,
        StatusCode::UNAUTHORIZED
    );
    let refresh = signed.refresh.unwrap();
    let answer = stage
        .token(&[("grant_type", "refresh_token"), ("refresh_token", &refresh)])
        .await;
    assert_eq!(answer.body["error"], "invalid_grant");
    stage.redeem(&back["code"]).await;
    assert_eq!(stage.recorded("applications.reuse-token", "refused").await, 1);
}

#[tokio::test]
async fn oidcc_codereuse_30seconds() {
    let mut stage = Stage::new().await;
    let request = stage.request();
    let back = stage.sign_on_with(&request).await;
    let signed = stage.signed(&stage.redeem(&back["code"]).await).await;
    stage.world.clock.advance(Seconds(30));
    assert_eq!(stage.redeem(&back["code"]).await.body["error"], "invalid_grant");
    assert_eq!(
        stage.userinfo(&signed.access).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn oidcc_ensure_registered_redirect_uri() {
    let stage = Stage::new().await;
    for wrong in [
        "https://app.example.go.kr/callback/extra",
        "https://app.example.go.kr/callback?a=b",
        "https://app.example.go.kr/Callback",
        "https://evil.example/callback",
        "https://app.example.go.kr@evil.example/callback",
        "https://app.example.go.kr/callback#x",
        "",
    ] {
        let answer = stage
            .authorize(&changed(&stage.request(), &[("redirect_uri", wrong)]))
            .await;
        assert_eq!(answer.status, StatusCode::BAD_REQUEST, "{wrong}");
        assert!(!answer.headers.contains_key(header::LOCATION), "{wrong}");
        assert!(String::from_utf8_lossy(&answer.bytes).contains("redirect_uri"));
    }
    // One that is registered with a query works, and keeps it.
    let registered = "https://app.example.go.kr/other?x=1";
    let mut stage = stage;
    let request = changed(&stage.request(), &[("redirect_uri", registered)]);
    let back = stage.sign_on_with(&request).await;
    assert_eq!(back["x"], "1");
}

#[tokio::test]
async fn oidcc_ensure_post_request_succeeds() {
    let mut stage = Stage::new().await;
    let request = stage.request();
    let mut browser = stage.outside();
    // As a page of another site posts it.
    browser.set_origin(Some("https://app.example.go.kr"));
    let body = form(&request).into_bytes();
    let answer = browser
        .send(
            Method::POST,
            "/sso/authorize",
            "application/x-www-form-urlencoded",
            Some(body),
        )
        .await;
    assert_eq!(answer.status, StatusCode::SEE_OTHER);
    let handle = location(&answer).strip_prefix("/#/sso/").unwrap().to_owned();
    let step = stage.step(&handle).await;
    assert!(fields(&text(&step["url"])).contains_key("code"));
}

#[tokio::test]
async fn oidcc_server_client_secret_post() {
    let mut stage = Stage::with(with(json!({ "client_proof": "client_secret_post" }))).await;
    let request = changed(
        &stage.request(),
        &[("code_challenge", ""), ("code_challenge_method", "")],
    );
    let back = stage.sign_on_with(&request).await;
    let (id, secret) = (stage.app.id.clone(), stage.app.secret.clone());
    let grant = [
        ("grant_type", "authorization_code"),
        ("code", back["code"].as_str()),
        ("redirect_uri", REDIRECT),
        ("client_id", &id),
        ("client_secret", &secret),
    ];
    let answer = post_form(&mut stage.outside(), "/sso/token", &grant).await;
    stage.signed(&answer).await;
}

async fn refused_request(name: &str, value: &str, error: &str) {
    let stage = Stage::new().await;
    let answer = stage
        .authorize(&changed(&stage.request(), &[(name, value)]))
        .await;
    let back = fields(&location(&answer));
    assert_eq!(back["error"], error);
    assert_eq!(back["state"], stage.request()["state"]);
}

#[tokio::test]
async fn oidcc_request_uri_unsigned_supported_correctly_or_rejected_as_unsupported() {
    refused_request(
        "request_uri",
        "https://app.example.go.kr/request.jwt",
        "request_uri_not_supported",
    )
    .await;
}

#[tokio::test]
async fn oidcc_unsigned_request_object_supported_correctly_or_rejected_as_unsupported() {
    refused_request("request", "eyJhbGciOiJub25lIn0.e30.", "request_not_supported").await;
}

#[tokio::test]
async fn oidcc_claims_essential() {
    let mut stage = Stage::new().await;
    let claims =
        json!({ "userinfo": { "name": { "essential": true } }, "id_token": { "name": null } }).to_string();
    let request = changed(&stage.request(), &[("scope", "openid"), ("claims", &claims)]);
    let signed = stage.sign_on(&request).await;
    assert_eq!(stage.userinfo(&signed.access).await.body["name"], "홍길동");
    assert_eq!(signed.claims["name"], "홍길동");
}

#[tokio::test]
async fn oidcc_ensure_request_object_with_redirect_uri() {
    // The address in the request object is never looked at; the one outside of it gets the refusal.
    let object = "eyJhbGciOiJub25lIn0.eyJyZWRpcmVjdF91cmkiOiJodHRwczovL2V2aWwuZXhhbXBsZS8ifQ.";
    let stage = Stage::new().await;
    let answer = stage
        .authorize(&changed(&stage.request(), &[("request", object)]))
        .await;
    assert!(location(&answer).starts_with(REDIRECT));
    assert_eq!(fields(&location(&answer))["error"], "request_not_supported");
}

#[tokio::test]
async fn oidcc_refresh_token() {
    let mut stage = Stage::new().await;
    let request = changed(
        &stage.request(),
        &[("scope", "openid profile offline_access"), ("prompt", "consent")],
    );
    let handle = stage.begin(&request).await;
    let step = stage.step(&handle).await;
    assert_eq!(step["next"], "consent");
    let agree = json!({ "agree": true, "remember": false });
    let path = format!("/api/v1/sso/{handle}/consent");
    let step = stage.person.browser.post(&path, &agree).await.body;
    let back = fields(&text(&step["url"]));
    let signed = stage.signed(&stage.redeem(&back["code"]).await).await;
    let refresh = signed.refresh.unwrap();
    // Of no use to another client.
    let other = stage.another(with(json!({}))).await;
    let grant = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh.as_str()),
    ];
    let answer = stage.program(&other, "/sso/token", &grant).await;
    assert_eq!(answer.body["error"], "invalid_grant");
    let answer = stage.token(&grant).await;
    let again = stage.signed(&answer).await;
    for same in ["iss", "sub", "aud", "auth_time", "sid"] {
        assert_eq!(again.claims[same], signed.claims[same], "{same}");
    }
    assert_ne!(again.refresh.as_ref(), Some(&refresh));
    assert_eq!(stage.userinfo(&again.access).await.status, StatusCode::OK);
}

#[tokio::test]
async fn oidcc_ensure_request_with_valid_pkce_succeeds() {
    let mut stage = Stage::new().await;
    let request = request_of(&stage.app);
    let back = stage.sign_on_with(&request).await;
    let code = back["code"].as_str();
    let grant = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
    ];
    let missing = stage.token(&grant).await;
    assert_eq!(missing.body["error"], "invalid_grant");
    let grant = [&grant[..], &[("code_verifier", VERIFIER)]].concat();
    let answer = stage.token(&grant).await;
    stage.signed(&answer).await;
}

#[tokio::test]
async fn discovery_names_what_is_there() {
    let stage = Stage::new().await;
    let answer = stage.outside().get("/.well-known/openid-configuration").await;
    let metadata = &answer.body;
    assert_eq!(metadata["issuer"], stage.world.config.origin());
    assert_eq!(answer.headers[header::ACCESS_CONTROL_ALLOW_ORIGIN], "*");
    assert!(
        !answer
            .headers
            .contains_key(header::ACCESS_CONTROL_ALLOW_CREDENTIALS)
    );
    let origin = stage.world.config.origin();
    for (name, value) in metadata.as_object().unwrap() {
        let Some(path) = value.as_str().and_then(|url| url.strip_prefix(&origin)) else {
            continue;
        };
        if path.is_empty() {
            continue;
        }
        let known = stage.world.table.iter().any(|route| route.path == path);
        assert!(known, "{name} names {path}, which is no route");
    }
    for needed in [
        "authorization_endpoint",
        "token_endpoint",
        "jwks_uri",
        "subject_types_supported",
    ] {
        assert!(!metadata[needed].is_null(), "{needed}");
    }
    let keys = stage.outside().get("/sso/jwks").await.body;
    let kinds: Vec<&Value> = keys["keys"]
        .as_array()
        .unwrap()
        .iter()
        .map(|key| &key["alg"])
        .collect();
    assert!(kinds.contains(&&json!("RS256")) && kinds.contains(&&json!("ES256")));
    let private = ["d", "p", "q", "dp", "dq", "qi", "k"];
    for key in keys["keys"].as_array().unwrap() {
        assert!(private.iter().all(|member| key.get(*member).is_none()));
    }
    let wrong = stage
        .program(&stage.app, "/sso/token", &[("grant_type", "password")])
        .await;
    assert_eq!(wrong.body["error"], "unsupported_grant_type");
    assert!(basic(&stage.app).starts_with("Basic "));
}
