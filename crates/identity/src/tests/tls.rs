//! The second way in: a TLS client certificate and a code between the two doors.

use naru_kernel::{Clock as _, Seconds};
use naru_pki::demo::Flaw;
use naru_testkit::Browser;
use serde_json::json;

use super::{ORIGIN, World, demo_person};

async fn code_at_the_door(world: &World, chain: Vec<Vec<u8>>) -> String {
    let answer = Browser::new(world.router(chain), ORIGIN)
        .get("/api/v1/logon/tls")
        .await;
    assert_eq!(answer.status.as_u16(), 303);
    answer.headers["location"].to_str().unwrap().to_owned()
}

#[tokio::test]
async fn a_client_certificate_leads_to_the_same_second_factor() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    let chain = vec![
        hong.identity.sign.certificate.clone(),
        world.pki.issuing.certificate.clone(),
    ];
    let target = code_at_the_door(&world, chain).await;
    let code = target
        .strip_prefix("https://localhost:8443/#/logon?handover=")
        .unwrap()
        .to_owned();
    let mut browser = world.browser();
    let step = browser
        .post("/api/v1/logon/handover", &json!({ "code": code }))
        .await;
    assert_eq!(step.body["next"], "activate");
    assert_eq!(browser.get("/api/v1/me").await.code(), "runtime.not-signed-in");
    let again = world
        .browser()
        .post("/api/v1/logon/handover", &json!({ "code": code }))
        .await;
    assert_eq!(again.code(), "identity.handover-invalid");
}

#[tokio::test]
async fn a_code_is_good_for_a_minute_and_in_the_same_browser() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    let chain = vec![
        hong.identity.sign.certificate.clone(),
        world.pki.issuing.certificate.clone(),
    ];
    let handed = |target: String| target.rsplit('=').next().unwrap().to_owned();
    let code = handed(code_at_the_door(&world, chain.clone()).await);
    world.clock.advance(Seconds(61));
    let late = world
        .browser()
        .post("/api/v1/logon/handover", &json!({ "code": code }))
        .await;
    assert_eq!(late.code(), "identity.handover-invalid");
    let code = handed(code_at_the_door(&world, chain).await);
    let mut other = world.browser();
    other.set_user_agent("another");
    let foreign = other
        .post("/api/v1/logon/handover", &json!({ "code": code }))
        .await;
    assert_eq!(foreign.code(), "identity.handover-invalid");
    // It is used up by that: a code that leaked is worth nothing to anyone.
    let owner = world
        .browser()
        .post("/api/v1/logon/handover", &json!({ "code": code }))
        .await;
    assert_eq!(owner.code(), "identity.handover-invalid");
}

#[tokio::test]
async fn a_bad_or_unknown_client_certificate_goes_back_with_a_reason() {
    let mut world = World::new().await;
    for flaw in [
        Flaw::Expired,
        Flaw::Revoked,
        Flaw::EncryptionOnly,
        Flaw::UnknownRoot,
        Flaw::WeakKey,
    ] {
        let flawed = world
            .pki
            .flawed(
                &demo_person("김"),
                flaw,
                world.clock.now(),
                world.entropy.as_ref(),
            )
            .unwrap();
        world.clock.advance(Seconds(1));
        world.publish_lists().await;
        let target = code_at_the_door(&world, vec![flawed.sign.certificate]).await;
        assert_eq!(
            target,
            format!(
                "https://localhost:8443/#/logon?refused=identity.{}",
                flaw.expected()
            )
        );
    }
    let stranger = world
        .pki
        .issue(&demo_person("이"), world.clock.now(), world.entropy.as_ref())
        .unwrap();
    let target = code_at_the_door(&world, vec![stranger.sign.certificate]).await;
    assert_eq!(
        target,
        "https://localhost:8443/#/logon?refused=identity.unknown-person"
    );
    assert_eq!(world.count("handovers").await, 0);
    let nothing = world.browser().get("/api/v1/logon/tls").await;
    assert_eq!(nothing.code(), "runtime.not-signed-in");
}
