//! Tokens that are worth something only together with their key (RFC 9449).

use axum::http::{Method, StatusCode};
use naru_kernel::{Clock as _, Seconds};
use naru_testkit::Answer;
use serde_json::{Value, json};

use super::stage::{OwnKey, REDIRECT, Stage, VERIFIER, basic, challenge, changed, post_form, settings, with};
use crate::world::text;

/// The claims of an honest proof.
fn claims(stage: &Stage, method: &str, path: &str, number: &str) -> Value {
    json!({
        "jti": number, "htm": method, "htu": format!("{}{path}", stage.world.config.origin()),
        "iat": stage.world.clock.now().as_seconds(),
    })
}

fn header(key: &OwnKey) -> Value {
    json!({ "typ": "dpop+jwt", "alg": "ES256", "jwk": key.jwk() })
}

/// Exchanges a code with this proof.
async fn redeem(stage: &Stage, code: &str, proof: &str) -> Answer {
    let mut program = stage.outside();
    program.set_header("authorization", &basic(&stage.app));
    program.set_header("dpop", proof);
    let grant = [
        ("grant_type", "authorization_code"),
        ("code", code),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    post_form(&mut program, "/sso/token", &grant).await
}

async fn ask(stage: &Stage, scheme: &str, token: &str, proof: Option<&str>) -> Answer {
    let mut program = stage.outside();
    program.set_header("authorization", &format!("{scheme} {token}"));
    if let Some(proof) = proof {
        program.set_header("dpop", proof);
    }
    program.get("/sso/userinfo").await
}

fn proof_for(stage: &Stage, key: &OwnKey, token: &str, number: &str) -> String {
    let mut claims = claims(stage, "GET", "/sso/userinfo", number);
    claims["ath"] = json!(challenge(token));
    key.sign(&header(key), &claims)
}

#[tokio::test]
async fn a_bound_token_needs_its_key() {
    let key = OwnKey::new();
    let mut stage = Stage::new().await;
    let request = stage.request();
    let back = stage.sign_on_with(&request).await;
    let proof = key.sign(&header(&key), &claims(&stage, "POST", "/sso/token", "1"));
    let answer = redeem(&stage, &back["code"], &proof).await;
    assert_eq!(answer.body["token_type"], "DPoP", "{:?}", answer.body);
    let token = text(&answer.body["access_token"]);
    let good = proof_for(&stage, &key, &token, "2");
    assert_eq!(
        ask(&stage, "DPoP", &token, Some(&good)).await.status,
        StatusCode::OK
    );
    // Replayed, without a proof, as a bearer token, by another key, for another token: nothing.
    let replayed = ask(&stage, "DPoP", &token, Some(&good)).await;
    assert_eq!(replayed.body["error"], "invalid_dpop_proof");
    assert_eq!(
        ask(&stage, "Bearer", &token, None).await.status,
        StatusCode::UNAUTHORIZED
    );
    assert_eq!(
        ask(&stage, "DPoP", &token, None).await.status,
        StatusCode::UNAUTHORIZED
    );
    let third = proof_for(&stage, &key, &token, "3");
    assert_eq!(
        ask(&stage, "Bearer", &token, Some(&third)).await.status,
        StatusCode::UNAUTHORIZED
    );
    let thief = OwnKey::new();
    let stolen = proof_for(&stage, &thief, &token, "4");
    assert_eq!(
        ask(&stage, "DPoP", &token, Some(&stolen)).await.body["error"],
        "invalid_token"
    );
    let other = proof_for(&stage, &key, "another token", "5");
    assert_eq!(
        ask(&stage, "DPoP", &token, Some(&other)).await.body["error"],
        "invalid_dpop_proof"
    );
    let asked = stage
        .program(&stage.app, "/sso/introspect", &[("token", &token)])
        .await
        .body;
    assert_eq!(asked["cnf"]["jkt"], key.thumbprint());
    assert_eq!(asked["token_type"], "DPoP");
}

#[tokio::test]
async fn a_proof_is_for_one_request_and_for_now() {
    let key = OwnKey::new();
    let mut stage = Stage::new().await;
    let request = stage.request();
    let back = stage.sign_on_with(&request).await;
    let now = stage.world.clock.now().as_seconds();
    let wrong = [
        ("htm", json!("GET")),
        ("htu", json!("https://elsewhere.example/sso/token")),
        (
            "htu",
            json!(format!("{}/sso/userinfo", stage.world.config.origin())),
        ),
        ("iat", json!(now - 600)),
        ("iat", json!(now + 600)),
        ("iat", Value::Null),
        ("jti", Value::Null),
        ("jti", json!("x".repeat(300))),
    ];
    for (name, value) in wrong {
        let mut claims = claims(&stage, "POST", "/sso/token", "n");
        claims[name] = value.clone();
        let answer = redeem(&stage, &back["code"], &key.sign(&header(&key), &claims)).await;
        assert_eq!(answer.body["error"], "invalid_dpop_proof", "{name} {value}");
    }
    let claims = claims(&stage, "POST", "/sso/token", "n");
    let private = json!({ "kty": "oct", "k": "AAAA" });
    for (name, value) in [
        ("typ", json!("JWT")),
        ("alg", json!("none")),
        ("alg", json!("HS256")),
        ("jwk", Value::Null),
        ("jwk", private),
        ("crit", json!(["x"])),
    ] {
        let mut header = header(&key);
        header[name] = value.clone();
        let answer = redeem(&stage, &back["code"], &key.sign(&header, &claims)).await;
        assert_eq!(answer.body["error"], "invalid_dpop_proof", "{name} {value}");
    }
    // None of that used the code up, and a query in the address does not matter.
    let mut with_query = claims.clone();
    with_query["htu"] = json!(format!("{}/sso/token?x=1#y", stage.world.config.origin()));
    let answer = redeem(&stage, &back["code"], &key.sign(&header(&key), &with_query)).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
}

#[tokio::test]
async fn a_code_and_a_public_clients_refresh_token_are_bound_as_well() {
    let key = OwnKey::new();
    let mut stage = Stage::with(with(json!({ "client_proof": "none", "dpop_only": true }))).await;
    let jkt = key.thumbprint();
    let request = changed(
        &stage.request(),
        &[("dpop_jkt", &jkt), ("scope", "openid offline_access")],
    );
    let back = stage.sign_on_with(&request).await;
    let id = stage.app.id.clone();
    let token = async |stage: &Stage, key: Option<&OwnKey>, number: &str, grant: &[(&str, &str)]| {
        let mut program = stage.outside();
        if let Some(key) = key {
            let claims = claims(stage, "POST", "/sso/token", number);
            program.set_header("dpop", &key.sign(&header(key), &claims));
        }
        let grant = [grant, &[("client_id", id.as_str())]].concat();
        post_form(&mut program, "/sso/token", &grant).await
    };
    let code = [
        ("grant_type", "authorization_code"),
        ("code", back["code"].as_str()),
        ("redirect_uri", REDIRECT),
        ("code_verifier", VERIFIER),
    ];
    let thief = OwnKey::new();
    assert_eq!(
        token(&stage, None, "0", &code).await.body["error"],
        "invalid_dpop_proof"
    );
    assert_eq!(
        token(&stage, Some(&thief), "1", &code).await.body["error"],
        "invalid_dpop_proof"
    );
    let answer = token(&stage, Some(&key), "2", &code).await;
    let refresh = text(&answer.body["refresh_token"]);
    let grant = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh.as_str()),
    ];
    assert_eq!(
        token(&stage, Some(&thief), "3", &grant).await.body["error"],
        "invalid_dpop_proof"
    );
    let answer = token(&stage, Some(&key), "4", &grant).await;
    assert_eq!(answer.status, StatusCode::OK, "{:?}", answer.body);
    // The same proof a second time.
    let refresh = text(&answer.body["refresh_token"]);
    let grant = [
        ("grant_type", "refresh_token"),
        ("refresh_token", refresh.as_str()),
    ];
    assert_eq!(
        token(&stage, Some(&key), "4", &grant).await.body["error"],
        "invalid_dpop_proof"
    );
    // Once it is too old to be taken, its number is forgotten.
    stage.world.clock.advance(Seconds(600));
    stage.world.portal.applications().tidy().await.unwrap();
    let sql = "SELECT COUNT(*) AS n FROM used_proofs";
    let left: i64 = stage.world.database.db.one(sql, Vec::new()).await.unwrap();
    assert_eq!(left, 0);
}

#[tokio::test]
async fn scripts_of_any_page_may_ask_without_cookies() {
    let stage = Stage::with(settings()).await;
    let mut page = stage.outside();
    page.set_origin(Some("https://app.example.go.kr"));
    for path in [
        "/sso/token",
        "/sso/userinfo",
        "/sso/revoke",
        "/sso/jwks",
        "/.well-known/openid-configuration",
    ] {
        let answer = page.send(Method::OPTIONS, path, "", None).await;
        assert_eq!(answer.status, StatusCode::NO_CONTENT, "{path}");
        assert_eq!(answer.headers["access-control-allow-origin"], "*");
        assert!(!answer.headers.contains_key("access-control-allow-credentials"));
        let allowed = answer.headers["access-control-allow-headers"]
            .to_str()
            .unwrap()
            .to_owned();
        assert!(allowed.contains("dpop") && allowed.contains("authorization"));
    }
    // Refusals can be read as well; nothing else is open.
    let refused = post_form(&mut page, "/sso/token", &[]).await;
    assert_eq!(refused.headers["access-control-allow-origin"], "*");
    for path in ["/sso/introspect", "/sso/authorize", "/api/v1/me", "/api/v1/sso/x"] {
        let answer = page.send(Method::OPTIONS, path, "", None).await;
        assert!(
            !answer.headers.contains_key("access-control-allow-origin"),
            "{path}"
        );
    }
}
