//! Sessions: rotation, reuse, idling out, and being ended.

use axum::http::header;
use naru_kernel::{Role, Seconds, fleet::CloseReason};
use naru_testkit::Browser;
use serde_json::json;

use super::{World, session_of};
use crate::{COOKIE, ClosureTarget};

/// Uses the session every minute.
async fn work(world: &World, browser: &mut Browser, minutes: i64) {
    for _ in 0..minutes {
        world.clock.advance(Seconds(60));
        assert_eq!(browser.get("/api/v1/me").await.status.as_u16(), 200);
    }
}

#[tokio::test]
async fn the_token_rotates_and_its_reuse_ends_the_session_with_an_alarm() {
    let world = World::new().await;
    let (_, mut browser) = world.signed_in("홍길동", &[Role::Worker]).await;
    let logon = session_of(&mut browser).await;
    let first = browser.cookie(COOKIE).unwrap().to_owned();
    work(&world, &mut browser, 9).await;
    assert_eq!(browser.cookie(COOKIE).unwrap(), first);
    work(&world, &mut browser, 1).await;
    let second = browser.cookie(COOKIE).unwrap().to_owned();
    assert_ne!(second, first);
    // A request that was under way still gets in with the old one.
    let mut under_way = world.browser();
    under_way.set_cookie(COOKIE, &first);
    world.clock.advance(Seconds(30));
    assert_eq!(under_way.get("/api/v1/me").await.status.as_u16(), 200);
    world.clock.advance(Seconds(1));
    assert_eq!(under_way.get("/api/v1/me").await.code(), "runtime.not-signed-in");
    assert_eq!(world.alarms().await, ["identity.token-reuse"]);
    assert_eq!(browser.get("/api/v1/me").await.code(), "runtime.not-signed-in");
    assert_eq!(
        world.desktops.closed(),
        [(ClosureTarget::Logon(logon), CloseReason::Revoked)]
    );
    assert_eq!(world.count("tokens").await, 0);
}

#[tokio::test]
async fn requests_side_by_side_rotate_once() {
    let world = World::new().await;
    let (_, mut browser) = world.signed_in("홍길동", &[Role::Worker]).await;
    work(&world, &mut browser, 9).await;
    world.clock.advance(Seconds(60));
    let mut requests = tokio::task::JoinSet::new();
    for _ in 0..8 {
        let mut browser = browser.clone();
        requests.spawn(async move {
            let answer = browser.get("/api/v1/me").await;
            (
                answer.status.as_u16(),
                answer.headers.contains_key(header::SET_COOKIE),
            )
        });
    }
    let answers = requests.join_all().await;
    assert!(answers.iter().all(|(status, _)| *status == 200), "{answers:?}");
    assert_eq!(answers.iter().filter(|(_, rotated)| *rotated).count(), 1);
}

#[tokio::test]
async fn a_token_in_another_browser_ends_the_session_with_an_alarm() {
    let world = World::new().await;
    let (_, mut browser) = world.signed_in("홍길동", &[Role::Worker]).await;
    let mut thief = world.browser();
    thief.set_user_agent("another");
    thief.set_cookie(COOKIE, browser.cookie(COOKIE).unwrap());
    assert_eq!(thief.get("/api/v1/me").await.code(), "runtime.not-signed-in");
    assert_eq!(world.alarms().await, ["identity.session-moved"]);
    assert_eq!(browser.get("/api/v1/me").await.code(), "runtime.not-signed-in");
    let entry = world.record("identity.expel").await.pop().unwrap();
    assert_eq!(entry.outcome, "refused");
}

#[tokio::test]
async fn an_unused_session_ends_after_ten_minutes_and_tells_its_desktops() {
    let world = World::new().await;
    let (_, mut browser) = world.signed_in("홍길동", &[Role::Worker]).await;
    let logon = session_of(&mut browser).await;
    world.clock.advance(Seconds(599));
    assert_eq!(world.identity.end_idle().await.unwrap(), 0);
    world.clock.advance(Seconds(1));
    assert_eq!(world.identity.end_idle().await.unwrap(), 1);
    assert_eq!(
        world.desktops.closed(),
        [(ClosureTarget::Logon(logon), CloseReason::Idle)]
    );
    assert_eq!(browser.get("/api/v1/me").await.code(), "runtime.not-signed-in");
    assert_eq!(world.record("identity.end-idle").await.len(), 1);
    assert_eq!(world.identity.end_idle().await.unwrap(), 0);
}

#[tokio::test]
async fn polling_does_not_keep_a_session_alive_and_extending_does() {
    let world = World::new().await;
    let (_, mut browser) = world.signed_in("홍길동", &[Role::Worker]).await;
    world.clock.advance(Seconds(500));
    let token = browser.cookie(COOKIE).unwrap().to_owned();
    let polled = poll(&world, &token).await;
    let before = polled["session"]["idle_expires_at"].as_i64().unwrap();
    let extended = browser.post("/api/v1/logon/extend", &json!({})).await;
    let after = extended.body["idle_expires_at"].as_i64().unwrap();
    assert_eq!(after - before, 500 * 1_000_000);
    world.clock.advance(Seconds(599));
    assert_eq!(poll(&world, &token).await["name"], "홍길동");
    world.clock.advance(Seconds(1));
    assert_eq!(poll(&world, &token).await["code"], "runtime.not-signed-in");
}

/// `GET /api/v1/me` as a page polls it.
async fn poll(world: &World, token: &str) -> serde_json::Value {
    use http_body_util::BodyExt as _;
    let request = http::Request::get("/api/v1/me")
        .header(header::COOKIE, format!("{COOKIE}={token}"))
        .header(header::USER_AGENT, "naru-test")
        .header("naru-background", "1")
        .body(axum::body::Body::empty());
    let mut router = world.router(Vec::new());
    let answer = tower_call(&mut router, request.unwrap()).await;
    let bytes = answer.into_body().collect().await.unwrap().to_bytes();
    serde_json::from_slice(&bytes).unwrap()
}

async fn tower_call(router: &mut axum::Router, request: axum::extract::Request) -> axum::response::Response {
    use hyper::service::Service as _;
    let service = hyper_util::service::TowerToHyperService::new(router.clone());
    let Ok(answer) = service.call(request).await;
    answer
}

#[tokio::test]
async fn work_in_a_desktop_keeps_the_session_alive_but_not_for_ever() {
    let world = World::new().await;
    let (_, mut browser) = world.signed_in("홍길동", &[Role::Worker]).await;
    let logon = session_of(&mut browser).await;
    for _ in 0..79 {
        world.clock.advance(Seconds::minutes(9));
        world.identity.active(&[logon]).await.unwrap();
        assert_eq!(world.identity.end_idle().await.unwrap(), 0);
    }
    assert!(world.identity.is_signed_in(logon).await.unwrap());
    // Eighty times nine minutes are the twelve hours of the longest session.
    world.clock.advance(Seconds::minutes(9));
    world.identity.active(&[logon]).await.unwrap();
    assert_eq!(world.identity.end_idle().await.unwrap(), 1);
    world.identity.active(&[logon]).await.unwrap();
    assert!(!world.identity.is_signed_in(logon).await.unwrap());
}

#[tokio::test]
async fn a_log_on_that_is_not_finished_ends_after_ten_minutes() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    let mut browser = world.browser();
    world.log_on(&mut browser, &hong.identity).await;
    for _ in 0..9 {
        world.clock.advance(Seconds(60));
        assert_eq!(browser.get("/api/v1/logon").await.body["next"], "activate");
    }
    world.clock.advance(Seconds(60));
    assert_eq!(browser.get("/api/v1/logon").await.body["next"], "certificate");
    let late = browser
        .post("/api/v1/logon/activation", &json!({ "code": "x" }))
        .await;
    assert_eq!(late.code(), "runtime.not-signed-in");
}

#[tokio::test]
async fn a_person_ends_one_of_their_sessions_and_nobody_elses() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    let (mut office, mut home) = (world.browser(), world.browser());
    let secret = world.enrol(&mut office, &hong).await;
    world.sign_in(&mut home, &hong, &secret).await;
    let logon = session_of(&mut office).await;
    let (_, mut stranger) = world.signed_in("김철수", &[Role::Worker]).await;
    assert_eq!(
        stranger
            .delete(&format!("/api/v1/me/sessions/{logon}"))
            .await
            .status
            .as_u16(),
        404
    );
    assert_eq!(
        home.delete(&format!("/api/v1/me/sessions/{logon}"))
            .await
            .status
            .as_u16(),
        204
    );
    assert_eq!(office.get("/api/v1/me").await.code(), "runtime.not-signed-in");
    assert_eq!(
        world.desktops.closed(),
        [(ClosureTarget::Logon(logon), CloseReason::Revoked)]
    );
    assert!(*world.desktops.woken.lock().unwrap() > 0);
    let rows = home.get("/api/v1/me/sessions").await;
    assert_eq!(rows.body["items"].as_array().unwrap().len(), 1);
    assert_eq!(rows.body["items"][0]["current"], true);
    assert_eq!(
        home.delete("/api/v1/me/sessions/nonsense").await.status.as_u16(),
        404
    );
}

#[tokio::test]
async fn logging_off_takes_the_cookie_and_leaves_the_desktop_running() {
    let world = World::new().await;
    let (_, mut browser) = world.signed_in("홍길동", &[Role::Worker]).await;
    let logon = session_of(&mut browser).await;
    let token = browser.cookie(COOKIE).unwrap().to_owned();
    assert_eq!(
        browser.post("/api/v1/logoff", &json!({})).await.status.as_u16(),
        204
    );
    assert_eq!(browser.cookie(COOKIE), None);
    browser.set_cookie(COOKIE, &token);
    assert_eq!(browser.get("/api/v1/me").await.code(), "runtime.not-signed-in");
    assert_eq!(
        world.desktops.closed(),
        [(ClosureTarget::Logon(logon), CloseReason::Left)]
    );
}

#[tokio::test]
async fn what_expired_is_forgotten() {
    let world = World::new().await;
    let (_, mut browser) = world.signed_in("홍길동", &[Role::Worker]).await;
    browser.post("/api/v1/logoff", &json!({})).await;
    assert_eq!((world.count("nonces").await, world.count("logons").await), (1, 1));
    world.clock.advance(Seconds::hours(24));
    world.identity.forget_expired().await.unwrap();
    assert_eq!((world.count("nonces").await, world.count("logons").await), (0, 1));
    world.clock.advance(Seconds::hours(30 * 24));
    world.identity.forget_expired().await.unwrap();
    assert_eq!(world.count("logons").await, 0);
}

#[tokio::test]
async fn many_sessions_that_idled_out_end_together() {
    let world = World::new().await;
    for number in 0..6 {
        let hong = world
            .person(&format!("사람{}", ["가", "나", "다", "라", "마", "바"][number]))
            .await;
        for _ in 0..7 {
            world.log_on(&mut world.browser(), &hong.identity).await;
        }
    }
    assert_eq!(world.count("open").await, 42);
    world.clock.advance(Seconds::minutes(10));
    assert_eq!(world.identity.end_idle().await.unwrap(), 42);
    assert_eq!((world.count("open").await, world.count("tokens").await), (0, 0));
}
