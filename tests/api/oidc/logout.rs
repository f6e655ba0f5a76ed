//! The OpenID Foundation's plans for RP-Initiated Logout and Back-Channel Logout, module by module under their names.

use std::sync::{Arc, Mutex};

use axum::{
    Router,
    http::{StatusCode, header},
    routing::post,
};
use naru_kernel::Seconds;
use serde_json::{Value, json};
use tokio::net::TcpListener;

use super::stage::{
    AFTER_LOGOUT, REDIRECT, Signed, Stage, changed, encoded, fields, location, parts, settings, with,
};
use crate::world::text;

async fn log_out(stage: &Stage, params: &[(&str, &str)]) -> naru_testkit::Answer {
    stage
        .outside()
        .get(&format!("/sso/logout?{}", encoded(params)))
        .await
}

/// What the page is told for a log-out that was taken in.
async fn step(stage: &mut Stage, params: &[(&str, &str)]) -> Value {
    let answer = log_out(stage, params).await;
    assert_eq!(
        answer.status,
        StatusCode::SEE_OTHER,
        "{}",
        String::from_utf8_lossy(&answer.bytes)
    );
    let handle = location(&answer).strip_prefix("/#/sso/").unwrap().to_owned();
    stage.step(&handle).await
}

fn is_stopped(answer: &naru_testkit::Answer) -> bool {
    answer.status == StatusCode::BAD_REQUEST && !answer.headers.contains_key(header::LOCATION)
}

async fn signed_on() -> (Stage, Signed) {
    let mut stage = Stage::new().await;
    let request = stage.request();
    let signed = stage.sign_on(&request).await;
    (stage, signed)
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_discovery_endpoint_verification() {
    let stage = Stage::new().await;
    let metadata = stage
        .outside()
        .get("/.well-known/openid-configuration")
        .await
        .body;
    let origin = stage.world.config.origin();
    assert_eq!(metadata["end_session_endpoint"], format!("{origin}/sso/logout"));
}

#[tokio::test]
async fn oidcc_rp_initiated_logout() {
    let (mut stage, signed) = signed_on().await;
    let asked = [
        ("id_token_hint", signed.id_token.as_str()),
        ("post_logout_redirect_uri", AFTER_LOGOUT),
        ("state", "s & t"),
    ];
    let step = step(&mut stage, &asked).await;
    assert_eq!(step["next"], "log_out");
    assert_eq!(step["ask"], false);
    assert_eq!(fields(&text(&step["url"]))["state"], "s & t");
    assert!(text(&step["url"]).starts_with(AFTER_LOGOUT));
    stage.log_off().await;
    // The session is over: nothing goes on silently, and its tokens are worth nothing.
    let handle = stage
        .begin(&changed(&stage.request(), &[("prompt", "none")]))
        .await;
    let answer = stage.step(&handle).await;
    assert_eq!(fields(&text(&answer["url"]))["error"], "login_required");
    assert_eq!(
        stage.userinfo(&signed.access).await.status,
        StatusCode::UNAUTHORIZED
    );
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_post_logout_redirect_uri() {
    let (stage, signed) = signed_on().await;
    let asked = [
        ("id_token_hint", signed.id_token.as_str()),
        ("post_logout_redirect_uri", "https://evil.example/bye"),
    ];
    assert!(is_stopped(&log_out(&stage, &asked).await));
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_modified_id_token_hint() {
    let (stage, signed) = signed_on().await;
    let claims = signed.id_token.split('.').nth(1).unwrap();
    let none = format!("eyJhbGciOiJub25lIn0.{claims}.");
    let asked = [
        ("id_token_hint", none.as_str()),
        ("post_logout_redirect_uri", AFTER_LOGOUT),
    ];
    assert!(is_stopped(&log_out(&stage, &asked).await));
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_id_token_hint() {
    let (mut stage, _) = signed_on().await;
    assert!(is_stopped(
        &log_out(&stage, &[("post_logout_redirect_uri", AFTER_LOGOUT)]).await
    ));
    // With the client's name the address is known, and the person is asked.
    let id = stage.app.id.clone();
    let step = step(
        &mut stage,
        &[("post_logout_redirect_uri", AFTER_LOGOUT), ("client_id", &id)],
    )
    .await;
    assert_eq!((&step["next"], &step["ask"]), (&json!("log_out"), &json!(true)));
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_params() {
    let (mut stage, _) = signed_on().await;
    let step = step(&mut stage, &[]).await;
    assert_eq!((&step["next"], &step["ask"]), (&json!("log_out"), &json!(true)));
    assert_eq!(step["url"], format!("{}/", stage.world.config.origin()));
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_post_logout_redirect_uri() {
    let (mut stage, signed) = signed_on().await;
    let step = step(&mut stage, &[("id_token_hint", &signed.id_token), ("state", "x")]).await;
    assert_eq!(step["next"], "log_out");
    assert_eq!(step["url"], format!("{}/", stage.world.config.origin()));
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_no_state() {
    let (mut stage, signed) = signed_on().await;
    let asked = [
        ("id_token_hint", signed.id_token.as_str()),
        ("post_logout_redirect_uri", AFTER_LOGOUT),
    ];
    assert_eq!(step(&mut stage, &asked).await["url"], AFTER_LOGOUT);
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_only_state() {
    let (mut stage, _) = signed_on().await;
    let step = step(&mut stage, &[("state", "x")]).await;
    assert_eq!(step["next"], "log_out");
    assert!(!text(&step["url"]).contains("state"));
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_query_added_to_post_logout_redirect_uri() {
    let (stage, signed) = signed_on().await;
    let added = format!("{AFTER_LOGOUT}?foo=bar");
    let asked = [
        ("id_token_hint", signed.id_token.as_str()),
        ("post_logout_redirect_uri", added.as_str()),
    ];
    assert!(is_stopped(&log_out(&stage, &asked).await));
}

#[tokio::test]
async fn oidcc_rp_initiated_logout_bad_id_token_hint() {
    let (stage, _) = signed_on().await;
    let (elsewhere, foreign) = signed_on().await;
    let asked = [
        ("id_token_hint", foreign.id_token.as_str()),
        ("post_logout_redirect_uri", AFTER_LOGOUT),
    ];
    assert!(is_stopped(&log_out(&stage, &asked).await));
    drop(elsewhere);
}

/// An application that hears of log-outs: answers with `status`, keeps what it was told.
async fn listening(status: StatusCode) -> (String, Arc<Mutex<Vec<String>>>) {
    let heard = Arc::new(Mutex::new(Vec::new()));
    let keep = Arc::clone(&heard);
    let handler = post(move |body: String| {
        keep.lock().unwrap().push(body);
        async move { status }
    });
    let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = format!("http://{}/logout", listener.local_addr().unwrap());
    let router = Router::new().route("/logout", handler);
    #[expect(
        clippy::disallowed_methods,
        reason = "it listens until the test's runtime ends"
    )]
    let server = tokio::spawn(async move { axum::serve(listener, router).await });
    drop(server);
    (address, heard)
}

#[tokio::test]
async fn oidcc_backchannel_logout_discovery_endpoint_verification() {
    let stage = Stage::new().await;
    let metadata = stage
        .outside()
        .get("/.well-known/openid-configuration")
        .await
        .body;
    assert_eq!(metadata["backchannel_logout_supported"], true);
    assert_eq!(metadata["backchannel_logout_session_supported"], true);
}

#[tokio::test]
async fn oidcc_backchannel_rp_initiated_logout() {
    let (address, heard) = listening(StatusCode::OK).await;
    let mut stage = Stage::with(with(json!({ "backchannel_logout_uri": address }))).await;
    let request = stage.request();
    let signed = stage.sign_on(&request).await;
    // Twice in one session: told once.
    stage.sign_on(&request).await;
    let asked = [
        ("id_token_hint", signed.id_token.as_str()),
        ("post_logout_redirect_uri", AFTER_LOGOUT),
    ];
    assert_eq!(step(&mut stage, &asked).await["ask"], false);
    stage.log_off().await;
    let applications = Arc::clone(stage.world.portal.applications());
    assert_eq!(applications.tell_logouts().await.unwrap(), 1);
    assert_eq!(applications.tell_logouts().await.unwrap(), 0);
    let heard = heard.lock().unwrap().clone();
    assert_eq!(heard.len(), 1);
    let token = heard[0].strip_prefix("logout_token=").unwrap();
    assert_eq!(parts(token).0["typ"], "logout+jwt");
    let claims = stage.verified(token).await;
    assert_eq!(claims["aud"], stage.app.id);
    assert_eq!(claims["sub"], signed.claims["sub"]);
    assert_eq!(claims["sid"], signed.claims["sid"]);
    assert!(claims["jti"].is_string() && claims["iat"].is_i64() && claims.get("nonce").is_none());
    assert_eq!(
        claims["events"]["http://schemas.openid.net/event/backchannel-logout"],
        json!({})
    );
    assert_eq!(stage.recorded("applications.tell-logout", "done").await, 1);
    // A logout token is no hint.
    assert!(is_stopped(&log_out(&stage, &[("id_token_hint", token)]).await));
}

#[tokio::test]
async fn an_application_that_does_not_listen_is_tried_again_and_given_up() {
    let (address, heard) = listening(StatusCode::INTERNAL_SERVER_ERROR).await;
    let mut stage = Stage::with(with(json!({ "backchannel_logout_uri": address }))).await;
    let request = stage.request();
    stage.sign_on(&request).await;
    stage.log_off().await;
    let applications = Arc::clone(stage.world.portal.applications());
    for _ in 0..10 {
        assert_eq!(applications.tell_logouts().await.unwrap(), 0);
        // Not before its time.
        assert_eq!(applications.tell_logouts().await.unwrap(), 0);
        stage.world.clock.advance(Seconds::hours(2));
    }
    assert_eq!(heard.lock().unwrap().len(), 6);
    assert_eq!(stage.recorded("applications.tell-logout", "refused").await, 1);
}

#[tokio::test]
async fn whoever_is_revoked_is_signed_off_everywhere() {
    let (address, heard) = listening(StatusCode::OK).await;
    let mut stage = Stage::with(with(json!({ "backchannel_logout_uri": address }))).await;
    let request = changed(&stage.request(), &[("scope", "openid offline_access")]);
    let signed = stage.sign_on(&request).await;
    let path = format!("/api/v1/people/{}/revoke", stage.person.id);
    let answer = stage.admin.browser.post(&path, &json!({})).await;
    assert!(answer.status.is_success(), "{:?}", answer.body);
    assert_eq!(
        stage.userinfo(&signed.access).await.status,
        StatusCode::UNAUTHORIZED
    );
    let refresh = signed.refresh.unwrap();
    let answer = stage
        .token(&[("grant_type", "refresh_token"), ("refresh_token", &refresh)])
        .await;
    assert_eq!(answer.body["error"], "invalid_grant");
    assert_eq!(stage.world.portal.applications().tell_logouts().await.unwrap(), 1);
    assert_eq!(heard.lock().unwrap().len(), 1);
}

#[tokio::test]
async fn offline_access_outlives_the_session_and_nothing_else_does() {
    let mut stage = Stage::with(settings()).await;
    let request = stage.request();
    let online = stage.sign_on(&request).await;
    let offline = stage
        .sign_on(&changed(&request, &[("scope", "openid offline_access")]))
        .await;
    assert!(online.refresh.is_none());
    stage.log_off().await;
    assert_eq!(
        stage.userinfo(&online.access).await.status,
        StatusCode::UNAUTHORIZED
    );
    let refresh = offline.refresh.unwrap();
    let answer = stage
        .token(&[("grant_type", "refresh_token"), ("refresh_token", &refresh)])
        .await;
    let again = stage.signed(&answer).await;
    assert_eq!(stage.userinfo(&again.access).await.status, StatusCode::OK);
    assert!(!REDIRECT.is_empty());
}
