//! Requests on their way through the portal's page: pushed, posted, agreed to, refused, strengthened.

use axum::http::{StatusCode, header};
use naru_kernel::{Role, Seconds};
use serde_json::json;

use super::stage::{
    REDIRECT, Stage, VERIFIER, add, changed, fields, form, location, post_form, settings, with,
};
use crate::world::{Side, text};

/// A stage whose application is another ministry's, offered to all.
async fn abroad() -> Stage {
    let mut stage = Stage::new().await;
    let mut owner = stage.world.member(Side::Platform, &[Role::MinistryAdmin]).await;
    stage.app = add(&mut owner, settings(), "platform").await;
    stage
}

#[tokio::test]
async fn a_pushed_request_is_good_once_and_for_its_client() {
    let mut stage = Stage::with(with(json!({ "pushed_only": true }))).await;
    let request = stage.request();
    // Not pushed: refused, for this client.
    let back = fields(&location(&stage.authorize(&request).await));
    assert_eq!(back["error"], "invalid_request");
    let pairs: Vec<(&str, &str)> = request
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let pushed = stage.program(&stage.app, "/sso/par", &pairs).await;
    assert_eq!(pushed.status, StatusCode::CREATED, "{:?}", pushed.body);
    assert_eq!(pushed.body["expires_in"], 60);
    let name = text(&pushed.body["request_uri"]);
    let by_name = [
        ("client_id".to_owned(), stage.app.id.clone()),
        ("request_uri".to_owned(), name.clone()),
    ];
    let handle = stage.begin(&by_name.clone().into()).await;
    let step = stage.step(&handle).await;
    let back = fields(&text(&step["url"]));
    assert_eq!(back["state"], request["state"]);
    stage.signed(&stage.redeem(&back["code"]).await).await;
    let again = stage.authorize(&by_name.into()).await;
    assert_eq!(again.status, StatusCode::BAD_REQUEST);
    // Another client cannot use what this one pushed.
    let pushed = stage.program(&stage.app, "/sso/par", &pairs).await;
    let other = stage.another(settings()).await;
    let name = text(&pushed.body["request_uri"]);
    let stolen = [
        ("client_id".to_owned(), other.id),
        ("request_uri".to_owned(), name),
    ];
    assert_eq!(
        stage.authorize(&stolen.into()).await.status,
        StatusCode::BAD_REQUEST
    );
    // What is wrong is said at once.
    let wrong = changed(&request, &[("redirect_uri", "https://evil.example/")]);
    let pairs: Vec<(&str, &str)> = wrong
        .iter()
        .map(|(name, value)| (name.as_str(), value.as_str()))
        .collect();
    let refused = stage.program(&stage.app, "/sso/par", &pairs).await;
    assert_eq!(refused.body["error"], "invalid_request");
    let mut stranger = stage.outside();
    let refused = post_form(&mut stranger, "/sso/par", &pairs).await;
    assert_eq!(refused.status, StatusCode::UNAUTHORIZED);
}

#[tokio::test]
async fn an_answer_can_be_posted() {
    let mut stage = Stage::new().await;
    let request = changed(
        &stage.request(),
        &[("response_mode", "form_post"), ("state", "\"><script>")],
    );
    let handle = stage.begin(&request).await;
    let step = stage.step(&handle).await;
    assert_eq!(step["next"], "post");
    let path = text(&step["url"]);
    let page = stage.outside().get(&path).await;
    assert_eq!(page.status, StatusCode::OK);
    let policy = page.headers[header::CONTENT_SECURITY_POLICY]
        .to_str()
        .unwrap()
        .to_owned();
    assert!(
        policy.contains("script-src 'sha256-") && policy.contains("default-src 'none'"),
        "{policy}"
    );
    let html = String::from_utf8(page.bytes).unwrap();
    assert!(html.contains(&format!("action=\"{REDIRECT}\"")));
    assert!(html.contains("&quot;&gt;&lt;script&gt;") && !html.contains("\"><script>\""));
    assert!(html.contains("name=\"code\"") && html.contains("name=\"iss\""));
    // Good once.
    assert_eq!(stage.outside().get(&path).await.status, StatusCode::BAD_REQUEST);
    // An error that needs nobody is posted at once.
    let wrong = changed(&request, &[("response_type", "token")]);
    let page = stage.authorize(&wrong).await;
    assert!(
        String::from_utf8(page.bytes)
            .unwrap()
            .contains("unsupported_response_type")
    );
}

#[tokio::test]
async fn an_application_of_another_ministry_needs_consent_once() {
    let mut stage = abroad().await;
    let request = stage.request();
    let handle = stage.begin(&request).await;
    let step = stage.step(&handle).await;
    assert_eq!(step["next"], "consent");
    assert_eq!(step["application"]["name"], "전자결재");
    assert_eq!(step["application"]["ministry_name"], "부처 085");
    assert_eq!(step["scopes"].as_array().unwrap().len(), 2);
    // Nothing goes on without it.
    let silent = stage
        .sign_on_with(&changed(&request, &[("prompt", "none")]))
        .await;
    assert_eq!(silent["error"], "consent_required");
    let path = format!("/api/v1/sso/{handle}/consent");
    let answer = stage
        .person
        .browser
        .post(&path, &json!({ "agree": true, "remember": true }))
        .await;
    let back = fields(&text(&answer.body["url"]));
    stage.signed(&stage.redeem(&back["code"]).await).await;
    assert_eq!(stage.recorded("applications.consent", "done").await, 1);
    // Remembered, for what was agreed to.
    stage.sign_on(&changed(&request, &[("prompt", "none")])).await;
    let handle = stage
        .begin(&changed(&request, &[("scope", "openid profile groups")]))
        .await;
    assert_eq!(stage.step(&handle).await["next"], "consent");
    // Whoever does not agree is let go with an error.
    let path = format!("/api/v1/sso/{handle}/consent");
    let answer = stage.person.browser.post(&path, &json!({ "agree": false })).await;
    assert_eq!(fields(&text(&answer.body["url"]))["error"], "access_denied");
    // And it can be taken back.
    let mine = stage.person.browser.get("/api/v1/me/applications").await;
    assert_eq!(
        mine.body["items"][0]["application"], stage.app.id,
        "{:?}",
        mine.body
    );
    let path = format!("/api/v1/me/applications/{}", stage.app.id);
    assert!(stage.person.browser.delete(&path).await.status.is_success());
    let handle = stage.begin(&request).await;
    assert_eq!(stage.step(&handle).await["next"], "consent");
}

#[tokio::test]
async fn consent_of_one_session_is_not_anothers() {
    let mut stage = abroad().await;
    let handle = stage.begin(&stage.request()).await;
    assert_eq!(stage.step(&handle).await["next"], "consent");
    let mut other = stage.world.member(Side::Ordinary, &[Role::Worker]).await;
    let path = format!("/api/v1/sso/{handle}");
    assert_eq!(
        other.browser.post(&path, &json!({})).await.body["next"],
        "consent"
    );
    let agreed = stage
        .person
        .browser
        .post(&format!("{path}/consent"), &json!({ "agree": true }))
        .await;
    assert_eq!(agreed.body["next"], "go");
    // Answered: nobody else gets anything for it.
    let late = other.browser.post(&path, &json!({})).await;
    assert_eq!(late.code(), "applications.no-such-request");
}

#[tokio::test]
async fn what_is_not_offered_is_denied() {
    let mut stage = Stage::new().await;
    let mut owner = stage.world.member(Side::Platform, &[Role::MinistryAdmin]).await;
    stage.app = add(&mut owner, settings(), "ministry").await;
    let request = stage.request();
    let handle = stage.begin(&request).await;
    let step = stage.step(&handle).await;
    assert_eq!(step["next"], "denied");
    assert_eq!(stage.recorded("applications.open", "refused").await, 1);
    let path = format!("/api/v1/sso/{handle}/refuse");
    let answer = stage.person.browser.post(&path, &json!({})).await;
    assert_eq!(fields(&text(&answer.body["url"]))["error"], "access_denied");
    let silent = stage
        .sign_on_with(&changed(&request, &[("prompt", "none")]))
        .await;
    assert_eq!(silent["error"], "access_denied");
}

#[tokio::test]
async fn a_stronger_log_on_can_be_asked_for() {
    let mut stage = Stage::new().await;
    let wish = [("acr_values", "urn:naru:assurance:certificate-passkey")];
    let handle = stage.begin(&changed(&stage.request(), &wish)).await;
    let step = stage.step(&handle).await;
    assert_eq!(
        step,
        json!({ "next": "step_up", "assurance": "certificate_passkey", "reason": "acr" })
    );
    // A wish where nothing may be shown: what there is, plainly said.
    let silent = changed(&stage.request(), &[wish[0], ("prompt", "none")]);
    let signed = stage.sign_on(&silent).await;
    assert_eq!(signed.claims["acr"], "urn:naru:assurance:certificate-totp");
    // A demand is none.
    let demand =
        |value: &str| json!({ "id_token": { "acr": { "essential": true, "values": [value] } } }).to_string();
    let claims = demand("urn:naru:assurance:certificate-passkey");
    let request = changed(
        &stage.request(),
        &[("claims", claims.as_str()), ("prompt", "none")],
    );
    let back = stage.sign_on_with(&request).await;
    assert_eq!(back["error"], "unmet_authentication_requirements");
    let request = changed(&stage.request(), &[("claims", demand("urn:nobody").as_str())]);
    let back = stage.sign_on_with(&request).await;
    assert_eq!(back["error"], "unmet_authentication_requirements");
    // An application may need more than most, whatever its requests say.
    let app = stage
        .another(with(json!({ "assurance": "certificate_passkey" })))
        .await;
    stage.app = app;
    let handle = stage.begin(&stage.request()).await;
    assert_eq!(stage.step(&handle).await["reason"], "acr");
    let silent = changed(&stage.request(), &[("prompt", "none")]);
    assert_eq!(stage.sign_on_with(&silent).await["error"], "interaction_required");
}

#[tokio::test]
async fn a_request_waits_for_ten_minutes_and_for_one_answer() {
    let mut stage = Stage::new().await;
    let handle = stage.begin(&stage.request()).await;
    let anonymous = stage
        .world
        .browser()
        .post(&format!("/api/v1/sso/{handle}"), &json!({}))
        .await;
    assert_eq!(anonymous.body["next"], "sign_on");
    assert!(anonymous.body["language"].is_null());
    // The log-on page names where it leads.
    assert!(anonymous.body["application"]["name"].is_string());
    assert_eq!(stage.step(&handle).await["next"], "go");
    let again = stage
        .person
        .browser
        .post(&format!("/api/v1/sso/{handle}"), &json!({}))
        .await;
    assert_eq!(again.code(), "applications.no-such-request");
    let handle = stage.begin(&stage.request()).await;
    stage.world.clock.advance(Seconds(601));
    let late = stage
        .person
        .browser
        .post(&format!("/api/v1/sso/{handle}"), &json!({}))
        .await;
    assert_eq!(late.status, StatusCode::NOT_FOUND);
    stage.world.portal.applications().tidy().await.unwrap();
    let sql = "SELECT COUNT(*) AS n FROM sign_on_requests";
    let left: i64 = stage.world.database.db.one(sql, Vec::new()).await.unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn public_programs_prove_themselves_by_pkce_alone() {
    let native = json!({ "client_proof": "none", "redirect_uris": [REDIRECT, "http://127.0.0.1/callback"] });
    let mut stage = Stage::with(with(native)).await;
    let request = changed(
        &stage.request(),
        &[("code_challenge", ""), ("code_challenge_method", "")],
    );
    let back = fields(&location(&stage.authorize(&request).await));
    assert_eq!(back["error"], "invalid_request");
    // On the person's own machine any port will do (RFC 8252 7.3).
    let here = "http://127.0.0.1:41234/callback";
    let request = changed(&stage.request(), &[("redirect_uri", here)]);
    let back = stage.sign_on_with(&request).await;
    let grant = [
        ("grant_type", "authorization_code"),
        ("code", back["code"].as_str()),
        ("redirect_uri", here),
        ("client_id", stage.app.id.as_str()),
        ("code_verifier", VERIFIER),
    ];
    let answer = post_form(&mut stage.outside(), "/sso/token", &grant).await;
    stage.signed(&answer).await;
    let elsewhere = changed(
        &stage.request(),
        &[("redirect_uri", "http://192.0.2.1:41234/callback")],
    );
    assert_eq!(stage.authorize(&elsewhere).await.status, StatusCode::BAD_REQUEST);
}

#[tokio::test]
async fn what_is_too_long_or_twice_is_refused() {
    let stage = Stage::new().await;
    let request = form(&stage.request());
    let answer = stage
        .outside()
        .get(&format!("/sso/authorize?{request}&state=again"))
        .await;
    assert_eq!(fields(&location(&answer))["error"], "invalid_request");
    let answer = stage
        .outside()
        .get(&format!("/sso/authorize?{request}&client_id=again"))
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
    for (name, bytes) in [
        ("nonce", 3_000),
        ("claims", 9_000),
        ("login_hint", 3_000),
        ("scope", 600),
    ] {
        let long = changed(&stage.request(), &[(name, "x".repeat(bytes).as_str())]);
        let back = fields(&location(&stage.authorize(&long).await));
        assert!(
            ["invalid_request", "invalid_scope"].contains(&back["error"].as_str()),
            "{name}"
        );
    }
    let many: String = (0..70).map(|number| format!("&p{number}=x")).collect();
    let answer = stage
        .outside()
        .get(&format!("/sso/authorize?{request}{many}"))
        .await;
    assert_eq!(answer.status, StatusCode::BAD_REQUEST);
}
