//! A factor shown again in a running session: renews when somebody was last there, and can raise what it proves.

use naru_kernel::{Clock as _, Role, Seconds, access::Assurance};
use naru_testkit::{Browser, SoftwarePasskey, totp_digits};
use serde_json::json;

use super::{ORIGIN, World, session_of};

const TOTP: &str = "/api/v1/logon/step-up/totp";
const START: &str = "/api/v1/logon/step-up/passkey/start";
const FINISH: &str = "/api/v1/logon/step-up/passkey/finish";

async fn proof(world: &World, browser: &mut Browser) -> crate::LogonProof {
    let logon = session_of(browser).await;
    world.identity.proof(logon).await.unwrap().unwrap()
}

#[tokio::test]
async fn six_digits_renew_and_a_passkey_raises() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    let mut browser = world.browser();
    let secret = world.enrol(&mut browser, &hong).await;
    let first = proof(&world, &mut browser).await;
    assert_eq!(first.assurance, Assurance::CertificateTotp);
    assert_eq!(first.methods, ["swk", "otp", "mfa"]);
    assert!(first.is_alive);

    world.clock.advance(Seconds(60));
    let code = totp_digits(&secret, world.clock.now());
    let again = browser.post(TOTP, &json!({ "code": code })).await;
    assert_eq!(again.body["assurance"], "certificate_totp", "{:?}", again.body);
    let second = proof(&world, &mut browser).await;
    assert_eq!(second.authenticated_at.seconds_since(first.authenticated_at), 60);
    // The digits are good once, here too.
    let used = browser.post(TOTP, &json!({ "code": code })).await;
    assert_eq!(used.code(), "identity.code-used");
    assert_eq!(
        proof(&world, &mut browser).await.authenticated_at,
        second.authenticated_at
    );

    let options = browser
        .post("/api/v1/logon/enrol/passkey/start", &json!({}))
        .await;
    let (mut passkey, credential) = SoftwarePasskey::create(ORIGIN, &options.body);
    let body = json!({ "credential": credential, "name": "열쇠" });
    browser.post("/api/v1/logon/enrol/passkey/finish", &body).await;
    // Enrolling is no showing.
    assert_eq!(
        proof(&world, &mut browser).await.assurance,
        Assurance::CertificateTotp
    );
    let options = browser.post(START, &json!({})).await;
    let answer = json!({ "credential": passkey.answer(&options.body) });
    let raised = browser.post(FINISH, &answer).await;
    assert_eq!(
        raised.body["assurance"], "certificate_passkey",
        "{:?}",
        raised.body
    );
    assert_eq!(
        browser.post(FINISH, &answer).await.code(),
        "identity.nothing-started"
    );
    // Once raised, digits do not lower it.
    world.clock.advance(Seconds(60));
    let code = totp_digits(&secret, world.clock.now());
    let again = browser.post(TOTP, &json!({ "code": code })).await;
    assert_eq!(again.body["assurance"], "certificate_passkey");
    let entries = world.record("identity.step-up").await;
    assert!(entries.len() >= 4, "each try is in the record");
}

#[tokio::test]
async fn guessing_locks_like_at_a_log_on_and_strangers_have_nothing_to_step_up() {
    let world = World::new().await;
    let (_, mut browser) = world.signed_in("홍길동", &[Role::Worker]).await;
    for _ in 0..4 {
        let wrong = browser.post(TOTP, &json!({ "code": "000000" })).await;
        assert_eq!(wrong.code(), "identity.code-wrong");
    }
    let locked = browser.post(TOTP, &json!({ "code": "000000" })).await;
    assert_eq!(locked.code(), "identity.locked");
    assert_eq!(world.alarms().await, ["identity.locked"]);
    for path in [TOTP, START, FINISH] {
        let refused = world.browser().post(path, &json!({})).await;
        assert_eq!(refused.code(), "runtime.not-signed-in", "{path}");
    }
    // Who only showed the certificate has nothing to raise either.
    let kim = world.person("김관리").await;
    let mut half = world.browser();
    world.log_on(&mut half, &kim.identity).await;
    for path in [TOTP, START, FINISH] {
        assert_eq!(
            half.post(path, &json!({})).await.code(),
            "runtime.not-signed-in",
            "{path}"
        );
    }
}

#[tokio::test]
async fn a_session_that_is_over_proves_nothing() {
    let world = World::new().await;
    let (_, mut browser) = world.signed_in("홍길동", &[Role::Worker]).await;
    let logon = session_of(&mut browser).await;
    browser.post("/api/v1/logoff", &json!({})).await;
    assert!(!world.identity.proof(logon).await.unwrap().unwrap().is_alive);
}
