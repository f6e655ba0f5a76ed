//! The OpenID Foundation's Basic OP plan (`OIDCCBasicTestPlan`), module by module under its names.

use axum::http::{Method, StatusCode, header};
use naru_kernel::Clock as _;
use serde_json::json;

use super::stage::{REDIRECT, Stage, changed, encoded, fields, location, parts, post_form, with};
use crate::world::text;

/// Without what Basic OP does not know: no PKCE.
fn plain(stage: &Stage) -> std::collections::BTreeMap<String, String> {
    changed(
        &stage.request(),
        &[("code_challenge", ""), ("code_challenge_method", "")],
    )
}

async fn redeem_plain(stage: &Stage, code: &str) -> naru_testkit::Answer {
    stage
        .token(&[
            ("grant_type", "authorization_code"),
            ("code", code),
            ("redirect_uri", REDIRECT),
        ])
        .await
}

#[tokio::test]
async fn oidcc_server() {
    let mut stage = Stage::new().await;
    let request = plain(&stage);
    let back = stage.sign_on_with(&request).await;
    assert_eq!(back["state"], request["state"]);
    let answer = redeem_plain(&stage, &back["code"]).await;
    assert_eq!(answer.body["token_type"], "Bearer");
    assert!(answer.body["expires_in"].as_i64() > Some(0));
    let signed = stage.signed(&answer).await;
    assert_eq!(signed.claims["aud"], stage.app.id);
    assert_eq!(signed.claims["nonce"], request["nonce"]);
    let now = stage.world.clock.now().as_seconds();
    assert!(signed.claims["auth_time"].as_i64() <= Some(now));
    assert_eq!(signed.claims["acr"], "urn:naru:assurance:certificate-totp");
    assert!(
        signed.claims["amr"].as_array().unwrap().contains(&json!("mfa")),
        "{}",
        signed.claims
    );
    let userinfo = stage.userinfo(&signed.access).await;
    assert_eq!(userinfo.status, StatusCode::OK);
    assert_eq!(userinfo.body["sub"], signed.claims["sub"]);
    assert!(text(&signed.claims["sub"]).len() <= 255);
    assert_eq!(stage.recorded("applications.open", "done").await, 1);
    assert_eq!(stage.recorded("applications.redeem-code", "done").await, 1);
}

#[tokio::test]
async fn oidcc_response_type_missing() {
    let stage = Stage::new().await;
    let answer = stage
        .authorize(&changed(&stage.request(), &[("response_type", "")]))
        .await;
    let back = fields(&location(&answer));
    assert_eq!(back["error"], "invalid_request");
    assert_eq!(back["state"], stage.request()["state"]);
    assert_eq!(back["iss"], stage.world.config.origin());
    let answer = stage
        .authorize(&changed(&stage.request(), &[("response_type", "token")]))
        .await;
    assert_eq!(fields(&location(&answer))["error"], "unsupported_response_type");
}

#[tokio::test]
async fn oidcc_idtoken_signature() {
    let mut stage = Stage::new().await;
    let request = stage.request();
    let signed = stage.sign_on(&request).await;
    let (header, _) = parts(&signed.id_token);
    assert_eq!(header["alg"], "RS256");
    assert!(header["kid"].is_string());
    let app = stage
        .another(with(json!({ "id_token_algorithm": "ES256" })))
        .await;
    stage.app = app;
    let request = stage.request();
    let signed = stage.sign_on(&request).await;
    assert_eq!(parts(&signed.id_token).0["alg"], "ES256");
}

#[tokio::test]
async fn oidcc_idtoken_unsigned() {
    let mut stage = Stage::new().await;
    let metadata = stage.outside().get("/.well-known/openid-configuration").await;
    let algorithms = metadata.body["id_token_signing_alg_values_supported"]
        .as_array()
        .unwrap()
        .clone();
    assert!(!algorithms.contains(&json!("none")));
    // Nor can an administrator ask for it.
    let form = json!({
        "name": { "ko": "무" }, "label": "O", "audience": { "kind": "ministry" }, "state": "active",
        "protocol": with(json!({ "id_token_algorithm": "none" })),
    });
    let answer = stage.admin.browser.post("/api/v1/applications", &form).await;
    assert_eq!(answer.status, StatusCode::UNPROCESSABLE_ENTITY);
}

#[tokio::test]
async fn oidcc_userinfo_get() {
    let mut stage = Stage::new().await;
    let request = stage.request();
    let signed = stage.sign_on(&request).await;
    let answer = stage.userinfo(&signed.access).await;
    assert_eq!(answer.headers[header::CONTENT_TYPE], "application/json");
    assert_eq!(answer.body["sub"], signed.claims["sub"]);
}

#[tokio::test]
async fn oidcc_userinfo_post_header() {
    let mut stage = Stage::new().await;
    let request = stage.request();
    let signed = stage.sign_on(&request).await;
    let mut program = stage.outside();
    program.set_header("authorization", &format!("Bearer {}", signed.access));
    let answer = program
        .send(Method::POST, "/sso/userinfo", "text/plain", None)
        .await;
    assert_eq!(answer.body["sub"], signed.claims["sub"]);
}

#[tokio::test]
async fn oidcc_userinfo_post_body() {
    let mut stage = Stage::new().await;
    let request = stage.request();
    let signed = stage.sign_on(&request).await;
    let answer = post_form(
        &mut stage.outside(),
        "/sso/userinfo",
        &[("access_token", &signed.access)],
    )
    .await;
    assert_eq!(answer.body["sub"], signed.claims["sub"]);
    // In both places at once it is refused, and in the address it is not looked for.
    let mut program = stage.outside();
    program.set_header("authorization", &format!("Bearer {}", signed.access));
    let answer = post_form(&mut program, "/sso/userinfo", &[("access_token", &signed.access)]).await;
    assert_eq!(answer.body["error"], "invalid_request");
    let path = format!("/sso/userinfo?access_token={}", signed.access);
    assert_eq!(stage.outside().get(&path).await.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn oidcc_ensure_request_without_nonce_succeeds_for_code_flow() {
    let mut stage = Stage::new().await;
    let request = changed(&stage.request(), &[("nonce", "")]);
    let signed = stage.sign_on(&request).await;
    assert!(signed.claims.get("nonce").is_none());
}

#[tokio::test]
async fn oidcc_scope_profile() {
    let mut stage = Stage::new().await;
    let request = changed(&stage.request(), &[("scope", "openid profile")]);
    let signed = stage.sign_on(&request).await;
    let answer = stage.userinfo(&signed.access).await.body;
    assert_eq!(answer["name"], "홍길동");
    assert!(answer["locale"].is_string() && answer["preferred_username"].is_string());
    assert!(answer.get("naru_ministry").is_none() && answer.get("groups").is_none());
}

#[tokio::test]
async fn oidcc_scope_email() {
    let mut stage = Stage::new().await;
    let request = changed(&stage.request(), &[("scope", "openid email")]);
    let signed = stage.sign_on(&request).await;
    let answer = stage.userinfo(&signed.access).await.body;
    assert!(answer.get("name").is_none());
    // Whoever has an address has it here and not in the ID token.
    assert!(signed.claims.get("email").is_none());
    assert_eq!(
        answer.get("email").is_some(),
        answer.get("email_verified").is_some()
    );
}

/// A scope nobody knows here is left out, as the standard says.
async fn unknown_scope(scope: &str) {
    let mut stage = Stage::new().await;
    let request = changed(&stage.request(), &[("scope", &format!("openid {scope}"))]);
    let back = stage.sign_on_with(&request).await;
    let answer = stage.redeem(&back["code"]).await;
    assert_eq!(answer.body["scope"], "openid");
}

#[tokio::test]
async fn oidcc_scope_address() {
    unknown_scope("address").await;
}

#[tokio::test]
async fn oidcc_scope_phone() {
    unknown_scope("phone").await;
}

#[tokio::test]
async fn oidcc_scope_all() {
    let mut stage = Stage::new().await;
    let scope = "openid profile email address phone groups naru";
    let request = changed(&stage.request(), &[("scope", scope)]);
    let signed = stage.sign_on(&request).await;
    let answer = stage.userinfo(&signed.access).await.body;
    assert_eq!(answer["naru_ministry"], "051");
    assert_eq!(answer["naru_roles"], json!(["worker"]));
    assert!(answer["groups"].is_array() && answer["name"].is_string());
}

#[tokio::test]
async fn oidcc_alternate_happy_flow() {
    let mut stage = Stage::new().await;
    let mut pairs: Vec<(String, String)> = changed(&stage.request(), &[("scope", "profile openid")])
        .into_iter()
        .collect();
    pairs.reverse();
    let pairs: Vec<(&str, &str)> = pairs
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let answer = stage
        .outside()
        .get(&format!("/sso/authorize?{}", encoded(&pairs)))
        .await;
    let handle = location(&answer).strip_prefix("/#/sso/").unwrap().to_owned();
    let step = stage.step(&handle).await;
    let back = fields(&text(&step["url"]));
    let answer = stage.redeem(&back["code"]).await;
    stage.signed(&answer).await;
}

/// A parameter that changes nothing, or nothing that a program can see.
pub(super) async fn harmless(name: &str, value: &str) {
    let mut stage = Stage::new().await;
    let request = changed(&stage.request(), &[(name, value)]);
    stage.sign_on(&request).await;
}

#[tokio::test]
async fn oidcc_display_page() {
    harmless("display", "page").await;
}

#[tokio::test]
async fn oidcc_display_popup() {
    harmless("display", "popup").await;
}
