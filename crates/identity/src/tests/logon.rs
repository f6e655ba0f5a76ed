//! The first factor: good certificates, and every kind of bad one.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use naru_kernel::{Clock as _, Seconds};
use naru_pki::demo::{self, DemoKey, Flaw, KeyKind};
use naru_store::PLATFORM_STREAM;
use serde_json::{Value, json};

use super::{ORIGIN, World, demo_person};
use crate::COOKIE;

#[tokio::test]
async fn a_person_logs_on_enrols_and_comes_back() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    let mut browser = world.browser();
    assert_eq!(browser.get("/api/v1/logon").await.body["next"], "certificate");
    let secret = world.enrol(&mut browser, &hong).await;
    let me = browser.get("/api/v1/me").await;
    assert_eq!(me.body["name"], "홍길동");
    assert_eq!(me.body["ministry_name"], "부처 085");
    assert_eq!(me.body["roles"], json!(["worker"]));
    assert_eq!(me.body["session"]["warn_seconds"], 120);
    let mut second = world.browser();
    world.sign_in(&mut second, &hong, &secret).await;
    assert_eq!(second.get("/api/v1/logon").await.body["next"], "done");
    assert_eq!(
        second.get("/api/v1/me/sessions").await.body["items"]
            .as_array()
            .unwrap()
            .len(),
        2
    );
    // Each step stands in the ministry's record, with who and from where.
    let entries = world.record("identity.sign-in").await;
    assert_eq!(entries.len(), 1);
    assert_eq!(entries[0].stream, world.ministry.to_string());
    assert!(entries[0].actor.starts_with(&hong.id.to_string()));
    assert_eq!(entries[0].address, "192.0.2.7");
    assert_eq!(world.record("identity.enrol-factor").await.len(), 1);
    let verified = naru_store::verify_stream(&world.database.db, &world.ministry.to_string())
        .await
        .unwrap();
    assert!(verified.is_ok());
}

#[tokio::test]
async fn the_cookie_is_for_this_host_alone() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    let answer = world.log_on(&mut world.browser(), &hong.identity).await;
    let cookie = answer.headers["set-cookie"].to_str().unwrap();
    assert!(cookie.starts_with("__Host-naru="));
    for part in ["; Path=/", "; Secure", "; HttpOnly", "; SameSite=Strict"] {
        assert!(cookie.contains(part), "{part}");
    }
    assert!(!cookie.contains("Domain"));
}

#[tokio::test]
async fn each_flaw_meets_its_refusal_and_leaves_only_an_entry() {
    let mut world = World::new().await;
    for flaw in Flaw::ALL {
        let name = "김철수";
        let flawed = world.pki.flawed(
            &demo_person(name),
            flaw,
            world.clock.now(),
            world.entropy.as_ref(),
        );
        let mut flawed = flawed.unwrap();
        if flaw == Flaw::WeakKey {
            // Nothing here signs with a key that short; the refusal comes before the signature is looked at.
            flawed.sign.key = DemoKey::generate(KeyKind::P256).unwrap();
        }
        world.clock.advance(Seconds(1));
        world.publish_lists().await;
        let mut browser = world.browser();
        let answer = world.log_on(&mut browser, &flawed).await;
        let expected = format!("identity.{}", flaw.expected());
        assert_eq!(answer.code(), expected, "{flaw:?}");
        assert_eq!(browser.cookie(COOKIE), None);
        let entry = world.record("identity.log-on").await.pop().unwrap();
        assert_eq!(
            (entry.outcome.as_str(), entry.stream.as_str()),
            ("refused", PLATFORM_STREAM)
        );
        assert!(entry.detail.contains(&expected), "{}", entry.detail);
    }
    assert_eq!((world.count("logons").await, world.count("nonces").await), (0, 0));
}

#[tokio::test]
async fn a_challenge_is_good_once_and_for_this_portal() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    let mut browser = world.browser();
    let signed = world.signed(&mut browser, &hong.identity).await;
    assert_eq!(
        browser.post("/api/v1/logon/certificate", &signed).await.body["next"],
        "activate"
    );
    let replayed = world.browser().post("/api/v1/logon/certificate", &signed).await;
    assert_eq!(replayed.code(), "identity.challenge-used");
    let late = world.signed(&mut browser, &hong.identity).await;
    world.clock.advance(Seconds(121));
    assert_eq!(
        browser.post("/api/v1/logon/certificate", &late).await.code(),
        "identity.challenge-expired"
    );
    // Someone else's portal has a key of its own.
    let other = World::new().await;
    let foreign = other.signed(&mut other.browser(), &hong.identity).await;
    let answer = browser.post("/api/v1/logon/certificate", &foreign).await;
    assert_eq!(answer.code(), "identity.challenge-altered");
    let key = naru_pki::ChallengeKey::new("1", &[9; 32]);
    let made_up = naru_pki::challenge::issue(&key, ORIGIN, world.clock.now(), world.entropy.as_ref());
    let sign = &hong.identity.sign;
    let message = demo::sign_cms(
        &made_up.bytes,
        &sign.certificate,
        &[],
        &sign.key,
        world.clock.now(),
    )
    .unwrap();
    let forged = browser
        .post(
            "/api/v1/logon/certificate",
            &json!({ "signed": STANDARD.encode(message) }),
        )
        .await;
    assert_eq!(forged.code(), "identity.challenge-altered");
}

#[tokio::test]
async fn a_message_that_is_cut_or_too_large_is_refused() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    let mut browser = world.browser();
    let signed = world.signed(&mut browser, &hong.identity).await;
    let whole = STANDARD.decode(signed["signed"].as_str().unwrap()).unwrap();
    for length in (0..whole.len()).step_by(37) {
        let cut = json!({ "signed": STANDARD.encode(&whole[..length]) });
        let answer = browser.post("/api/v1/logon/certificate", &cut).await;
        assert_eq!(answer.code(), "identity.signed-malformed", "{length}");
    }
    let megabyte = json!({ "signed": STANDARD.encode(vec![0x30; 1_024 * 1_024]) });
    let answer = browser.post("/api/v1/logon/certificate", &megabyte).await;
    assert_eq!(
        (answer.status.as_u16(), answer.code()),
        (413, "runtime.body-too-large")
    );
    let nonsense = browser
        .post("/api/v1/logon/certificate", &json!({ "signed": "§§§" }))
        .await;
    assert_eq!(nonsense.code(), "identity.signed-malformed");
    // The whole message is as good as ever: nothing of the attempts stuck.
    assert_eq!(
        browser.post("/api/v1/logon/certificate", &signed).await.body["next"],
        "activate"
    );
}

#[tokio::test]
async fn an_unknown_person_gets_the_same_shape_and_no_session() {
    let world = World::new().await;
    let stranger = world
        .pki
        .issue(&demo_person("박영희"), world.clock.now(), world.entropy.as_ref())
        .unwrap();
    let mut browser = world.browser();
    let unknown = world.log_on(&mut browser, &stranger).await;
    let mut world = world;
    let expired = world.pki.flawed(
        &demo_person("이"),
        Flaw::Expired,
        world.clock.now(),
        world.entropy.as_ref(),
    );
    let known = world.log_on(&mut browser, &expired.unwrap()).await;
    assert_eq!(unknown.code(), "identity.unknown-person");
    let shape = |body: &Value| body.as_object().unwrap().keys().cloned().collect::<Vec<_>>();
    assert_eq!(shape(&unknown.body), shape(&known.body));
    assert_eq!(unknown.status, known.status);
    assert_eq!((browser.cookie(COOKIE), world.count("logons").await), (None, 0));
}

#[tokio::test]
async fn a_renewed_certificate_is_bound_with_an_alarm_and_a_withdrawn_one_is_out() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    assert_eq!(
        world
            .log_on(&mut world.browser(), &hong.identity)
            .await
            .status
            .as_u16(),
        200
    );
    assert!(world.alarms().await.is_empty());
    let renewed = world
        .pki
        .issue(&demo_person("홍길동"), world.clock.now(), world.entropy.as_ref())
        .unwrap();
    assert_eq!(
        world.log_on(&mut world.browser(), &renewed).await.status.as_u16(),
        200
    );
    assert_eq!(world.count("certificates").await, 2);
    assert_eq!(world.alarms().await, ["identity.new-certificate"]);
}

#[tokio::test]
async fn a_person_has_sixteen_open_sessions_at_most() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    let mut first = world.browser();
    world.log_on(&mut first, &hong.identity).await;
    for _ in 0..16 {
        world.clock.advance(Seconds(1));
        world.log_on(&mut world.browser(), &hong.identity).await;
    }
    assert_eq!(world.count("open").await, 16);
    assert_eq!(first.get("/api/v1/logon").await.body["next"], "certificate");
}
