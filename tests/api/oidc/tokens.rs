//! Tokens over time: rotation, re-use, subjects, keys.

use axum::http::StatusCode;
use naru_kernel::{Role, Seconds};
use serde_json::json;

use super::stage::{Stage, add, changed, fields, parts, settings, verified};
use crate::world::{Side, text};

#[tokio::test]
async fn a_refresh_token_is_good_once_and_its_reuse_ends_everything() {
    let mut stage = Stage::new().await;
    let request = changed(&stage.request(), &[("scope", "openid profile offline_access")]);
    let signed = stage.sign_on(&request).await;
    let first = signed.refresh.unwrap();
    let use_it = async |stage: &Stage, token: &str| {
        stage
            .token(&[("grant_type", "refresh_token"), ("refresh_token", token)])
            .await
    };
    let second = stage.signed(&use_it(&stage, &first).await).await;
    let third = stage
        .signed(&use_it(&stage, second.refresh.as_ref().unwrap()).await)
        .await;
    assert_eq!(stage.userinfo(&third.access).await.status, StatusCode::OK);
    // Whoever comes with the first again, thief or owner: one of them is a thief.
    let reused = use_it(&stage, &first).await;
    assert_eq!(reused.body["error"], "invalid_grant");
    assert_eq!(
        stage.userinfo(&third.access).await.status,
        StatusCode::UNAUTHORIZED
    );
    let newest = use_it(&stage, third.refresh.as_ref().unwrap()).await;
    assert_eq!(newest.body["error"], "invalid_grant");
    assert_eq!(stage.recorded("applications.reuse-token", "refused").await, 1);
}

#[tokio::test]
async fn tokens_have_an_end() {
    let mut stage = Stage::new().await;
    let request = changed(&stage.request(), &[("scope", "openid profile offline_access")]);
    let back = stage.sign_on_with(&request).await;
    stage.world.clock.advance(Seconds(61));
    assert_eq!(stage.redeem(&back["code"]).await.body["error"], "invalid_grant");
    let signed = stage.sign_on(&request).await;
    stage.world.clock.advance(Seconds(599));
    assert_eq!(stage.userinfo(&signed.access).await.status, StatusCode::OK);
    stage.world.clock.advance(Seconds(1));
    let late = stage.userinfo(&signed.access).await;
    assert_eq!(late.status, StatusCode::UNAUTHORIZED);
    assert!(
        late.headers["www-authenticate"]
            .to_str()
            .unwrap()
            .contains("invalid_token")
    );
    let refresh = signed.refresh.unwrap();
    let narrower = [
        ("grant_type", "refresh_token"),
        ("refresh_token", &refresh),
        ("scope", "openid"),
    ];
    let wider = [narrower[0], narrower[1], ("scope", "openid groups")];
    assert_eq!(stage.token(&wider).await.body["error"], "invalid_scope");
    let answer = stage.token(&narrower).await;
    assert_eq!(answer.body["scope"], "openid");
    let token = text(&answer.body["refresh_token"]);
    stage.world.clock.advance(Seconds::hours(7 * 24 + 1));
    let grant = [("grant_type", "refresh_token"), ("refresh_token", token.as_str())];
    assert_eq!(stage.token(&grant).await.body["error"], "invalid_grant");
    // What is over is forgotten.
    stage.world.clock.advance(Seconds::hours(30 * 24));
    stage.world.portal.applications().tidy().await.unwrap();
    for table in [
        "SELECT COUNT(*) AS n FROM sign_on_tokens",
        "SELECT COUNT(*) AS n FROM sign_on_grants",
    ] {
        let left: i64 = stage.world.database.db.one(table, Vec::new()).await.unwrap();
        assert_eq!(left, 0, "{table}");
    }
}

#[tokio::test]
async fn a_person_is_somebody_else_to_each_ministry() {
    let mut stage = Stage::new().await;
    let request = stage.request();
    let own = stage.sign_on(&request).await;
    stage.app = stage.another(settings()).await;
    let request = stage.request();
    let same_ministry = stage.sign_on(&request).await;
    assert_eq!(own.claims["sub"], same_ministry.claims["sub"]);
    assert_eq!(own.claims["sid"], same_ministry.claims["sid"]);
    let mut owner = stage.world.member(Side::Platform, &[Role::MinistryAdmin]).await;
    stage.app = add(&mut owner, settings(), "platform").await;
    let handle = stage.begin(&stage.request()).await;
    let path = format!("/api/v1/sso/{handle}/consent");
    let answer = stage.person.browser.post(&path, &json!({ "agree": true })).await;
    let back = fields(&text(&answer.body["url"]));
    let abroad = stage.signed(&stage.redeem(&back["code"]).await).await;
    assert_ne!(own.claims["sub"], abroad.claims["sub"]);
    assert_ne!(own.claims["sid"], abroad.claims["sid"]);
    // And nothing in it says who they are here.
    let (_, claims) = parts(&abroad.id_token);
    assert!(!claims.to_string().contains(&stage.person.id.to_string()));
    assert!(abroad.claims.get("name").is_none());
}

#[tokio::test]
async fn keys_follow_one_another_without_a_broken_token() {
    let mut stage = Stage::new().await;
    let request = stage.request();
    let old = stage.sign_on(&request).await;
    let applications = std::sync::Arc::clone(stage.world.portal.applications());
    stage.world.clock.advance(Seconds(90));
    applications.rotate_signing_keys().await.unwrap();
    let keys = stage.outside().get("/sso/jwks").await.body;
    assert_eq!(keys["keys"].as_array().unwrap().len(), 4);
    // Published, and not used before everybody can have read it.
    let between = stage.sign_on(&request).await;
    assert_eq!(parts(&between.id_token).0["kid"], parts(&old.id_token).0["kid"]);
    stage.world.clock.advance(Seconds::hours(1));
    stage.step_up_or_new().await;
    let new = stage.sign_on(&request).await;
    assert_ne!(parts(&new.id_token).0["kid"], parts(&old.id_token).0["kid"]);
    // The old key is there as long as what it signed, and an ID token given back is known.
    let keys = stage.outside().get("/sso/jwks").await.body;
    verified(&keys, &old.id_token);
    stage.world.clock.advance(Seconds::hours(25));
    applications.tidy().await.unwrap();
    let keys = stage.outside().get("/sso/jwks").await.body;
    assert_eq!(keys["keys"].as_array().unwrap().len(), 2);
    // After a quarter of a year it happens by itself.
    stage.world.clock.advance(Seconds::hours(91 * 24));
    applications.tidy().await.unwrap();
    let keys = stage.outside().get("/sso/jwks").await.body;
    assert_eq!(keys["keys"].as_array().unwrap().len(), 4);
}
