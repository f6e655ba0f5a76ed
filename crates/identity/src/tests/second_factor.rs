//! The second factor: what a stolen certificate does not have.

use naru_kernel::{Clock as _, Role, Seconds};
use naru_testkit::{Browser, SoftwarePasskey, totp_digits};
use serde_json::json;

use super::{ORIGIN, World};
use crate::COOKIE;

#[tokio::test]
async fn a_stolen_certificate_opens_nothing() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    let mut thief = world.browser();
    // Before the person ever enrolled: certificate, key and password are not enough to enrol.
    world.code_for(&hong).await;
    assert_eq!(
        world.log_on(&mut thief, &hong.identity).await.body["next"],
        "activate"
    );
    assert_everything_is_shut(&mut thief).await;
    for path in [
        "/api/v1/logon/enrol/passkey/start",
        "/api/v1/logon/enrol/totp/start",
    ] {
        assert_eq!(
            thief.post(path, &json!({})).await.code(),
            "identity.not-activated",
            "{path}"
        );
    }
    world.enrol(&mut world.browser(), &hong).await;
    // After: the thief has no factor, and cannot add one.
    let mut thief = world.browser();
    assert_eq!(
        world.log_on(&mut thief, &hong.identity).await.body["next"],
        "second_factor"
    );
    assert_everything_is_shut(&mut thief).await;
    for path in [
        "/api/v1/logon/enrol/passkey/start",
        "/api/v1/logon/enrol/totp/start",
    ] {
        assert_eq!(
            thief.post(path, &json!({})).await.code(),
            "identity.already-enrolled",
            "{path}"
        );
    }
    let activation = thief
        .post("/api/v1/logon/activation", &json!({ "code": "AAAA-AAAA-AAAA" }))
        .await;
    assert_eq!(activation.code(), "identity.already-enrolled");
    assert_eq!(
        thief.post("/api/v1/logon/passkey/start", &json!({})).await.code(),
        "identity.wrong-step"
    );
    assert_ne!(thief.get("/api/v1/logon").await.body["next"], "done");
}

async fn assert_everything_is_shut(browser: &mut Browser) {
    for path in [
        "/api/v1/me",
        "/api/v1/me/sessions",
        "/api/v1/me/factors",
        "/api/v1/people",
        "/api/v1/alarms",
    ] {
        assert_eq!(browser.get(path).await.code(), "runtime.not-signed-in", "{path}");
    }
    assert_eq!(
        browser.post("/api/v1/logon/extend", &json!({})).await.code(),
        "runtime.not-signed-in"
    );
}

#[tokio::test]
async fn a_passkey_is_enrolled_and_used() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    let mut browser = world.browser();
    let code = world.code_for(&hong).await;
    world.log_on(&mut browser, &hong.identity).await;
    browser
        .post("/api/v1/logon/activation", &json!({ "code": code }))
        .await;
    let before = browser.cookie(COOKIE).unwrap().to_owned();
    let options = browser
        .post("/api/v1/logon/enrol/passkey/start", &json!({}))
        .await;
    let (mut passkey, credential) = SoftwarePasskey::create(ORIGIN, &options.body);
    let body = json!({ "credential": credential, "name": "내 휴대폰" });
    let done = browser.post("/api/v1/logon/enrol/passkey/finish", &body).await;
    assert_eq!(
        (&done.body["next"], &done.body["factors"]),
        (&json!("done"), &json!(["passkey"]))
    );
    // A step up brings a new token, and the old one is nobody's at once.
    assert_ne!(browser.cookie(COOKIE).unwrap(), before);
    let mut old = world.browser();
    old.set_cookie(COOKIE, &before);
    assert_eq!(old.get("/api/v1/logon").await.body["next"], "certificate");
    assert_eq!(
        browser.get("/api/v1/me/factors").await.body["items"][0]["name"],
        "내 휴대폰"
    );

    let mut second = world.browser();
    world.log_on(&mut second, &hong.identity).await;
    let options = second.post("/api/v1/logon/passkey/start", &json!({})).await;
    let answer = json!({ "credential": passkey.answer(&options.body) });
    let done = second.post("/api/v1/logon/passkey/finish", &answer).await;
    assert_eq!(done.body["next"], "done", "{:?}", done.body);
    // The same answer again, in another log-on, is worth nothing.
    let mut third = world.browser();
    world.log_on(&mut third, &hong.identity).await;
    third.post("/api/v1/logon/passkey/start", &json!({})).await;
    let again = third.post("/api/v1/logon/passkey/finish", &answer).await;
    assert_eq!(again.code(), "identity.passkey-refused");
    // And what was started is finished once.
    let again = third.post("/api/v1/logon/passkey/finish", &answer).await;
    assert_eq!(again.code(), "identity.nothing-started");
}

#[tokio::test]
async fn a_passkey_of_another_origin_or_without_its_owner_is_refused() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    let mut browser = world.browser();
    let code = world.code_for(&hong).await;
    world.log_on(&mut browser, &hong.identity).await;
    browser
        .post("/api/v1/logon/activation", &json!({ "code": code }))
        .await;
    let options = browser
        .post("/api/v1/logon/enrol/passkey/start", &json!({}))
        .await;
    let (_, phished) = SoftwarePasskey::create("https://localhost.example:8443", &options.body);
    let answer = browser
        .post(
            "/api/v1/logon/enrol/passkey/finish",
            &json!({ "credential": phished }),
        )
        .await;
    assert_eq!(answer.code(), "identity.passkey-refused");
    let (mut passkey, credential) = SoftwarePasskey::create(ORIGIN, &options.body);
    browser
        .post(
            "/api/v1/logon/enrol/passkey/finish",
            &json!({ "credential": credential }),
        )
        .await;
    let mut second = world.browser();
    world.log_on(&mut second, &hong.identity).await;
    let options = second.post("/api/v1/logon/passkey/start", &json!({})).await;
    passkey.stop_verifying_user();
    let unverified = json!({ "credential": passkey.answer(&options.body) });
    let answer = second.post("/api/v1/logon/passkey/finish", &unverified).await;
    assert_eq!(answer.code(), "identity.passkey-refused");
    assert_eq!(
        second
            .post("/api/v1/logon/passkey/finish", &json!({}))
            .await
            .code(),
        "runtime.malformed-body"
    );
}

#[tokio::test]
async fn a_totp_code_is_good_once_and_within_a_step() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    let mut browser = world.browser();
    let secret = world.enrol(&mut browser, &hong).await;
    // The code of the enrolment itself is used up.
    let mut second = world.browser();
    world.log_on(&mut second, &hong.identity).await;
    let used = second
        .post("/api/v1/logon/totp", &json!({ "code": world.digits(&secret) }))
        .await;
    assert_eq!(used.code(), "identity.code-used");
    world.clock.advance(Seconds(60));
    let old = totp_digits(&secret, world.clock.now() - Seconds(60));
    assert_eq!(
        second
            .post("/api/v1/logon/totp", &json!({ "code": old }))
            .await
            .code(),
        "identity.code-wrong"
    );
    let early = totp_digits(&secret, world.clock.now() + Seconds(30));
    assert_eq!(
        second
            .post("/api/v1/logon/totp", &json!({ "code": early }))
            .await
            .body["next"],
        "done"
    );
    // The step before the one just used is gone with it.
    let mut third = world.browser();
    world.log_on(&mut third, &hong.identity).await;
    let now = third
        .post("/api/v1/logon/totp", &json!({ "code": world.digits(&secret) }))
        .await;
    assert_eq!(now.code(), "identity.code-used");
    for nonsense in ["", "12345", "1234567", "가나다라마바", "12 456"] {
        world.clock.advance(Seconds::minutes(16));
        world.log_on(&mut third, &hong.identity).await;
        let answer = third
            .post("/api/v1/logon/totp", &json!({ "code": nonsense }))
            .await;
        assert_eq!(answer.code(), "identity.code-wrong", "{nonsense}");
    }
}

#[tokio::test]
async fn totp_secrets_do_not_stand_in_the_tables() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    let secret = world.enrol(&mut world.browser(), &hong).await;
    let key = totp_rs::Secret::try_from_base32(&secret).unwrap();
    struct Sealed(Vec<u8>);
    impl naru_store::FromRow for Sealed {
        fn from_row(row: &naru_store::Row) -> Result<Self, naru_store::Error> {
            row.get("secret").map(Self)
        }
    }
    let sealed = world
        .database
        .db
        .one::<Sealed>("SELECT secret FROM factors", Vec::new())
        .await
        .unwrap();
    assert_eq!(sealed.0.len(), 12 + key.as_bytes().len() + 16);
    assert!(!sealed.0.windows(4).any(|window| window == &key.as_bytes()[..4]));
}

#[tokio::test]
async fn five_failures_lock_with_an_alarm_until_thirty_minutes_are_over() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    let mut at_work = world.browser();
    let secret = world.enrol(&mut at_work, &hong).await;
    world.clock.advance(Seconds(60));
    let mut thief = world.browser();
    world.log_on(&mut thief, &hong.identity).await;
    for failure in 1..=5 {
        let answer = thief
            .post("/api/v1/logon/totp", &json!({ "code": "000000" }))
            .await;
        let expected = if failure < 5 {
            "identity.code-wrong"
        } else {
            "identity.locked"
        };
        assert_eq!(answer.code(), expected, "{failure}");
    }
    assert_eq!(
        world.alarms_sorted().await,
        ["identity.locked", "identity.new-device"]
    );
    // The thief's session is gone, a new one is refused, and says for how long.
    assert_eq!(thief.get("/api/v1/logon").await.body["next"], "certificate");
    let refused = world.log_on(&mut thief, &hong.identity).await;
    assert_eq!(
        (refused.status.as_u16(), refused.code()),
        (429, "identity.locked")
    );
    assert!(refused.body["retry_after_seconds"].as_i64().unwrap() > 1_700);
    // Who is at work stays at work.
    assert_eq!(at_work.get("/api/v1/me").await.status.as_u16(), 200);
    world.clock.advance(Seconds::minutes(30));
    let mut person = world.browser();
    world.sign_in(&mut person, &hong, &secret).await;
}

#[tokio::test]
async fn guessing_in_parallel_locks_all_the_same() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    world.enrol(&mut world.browser(), &hong).await;
    world.clock.advance(Seconds(60));
    let mut thief = world.browser();
    world.log_on(&mut thief, &hong.identity).await;
    let mut guesses = tokio::task::JoinSet::new();
    for _ in 0..20 {
        let mut browser = thief.clone();
        guesses.spawn(async move {
            browser
                .post("/api/v1/logon/totp", &json!({ "code": "000000" }))
                .await
                .code()
                .to_owned()
        });
    }
    let codes = guesses.join_all().await;
    let wrong = codes.iter().filter(|code| *code == "identity.code-wrong").count();
    assert!(wrong <= 4, "{codes:?}");
    assert_eq!(
        world.alarms_sorted().await,
        ["identity.locked", "identity.new-device"]
    );
}

#[tokio::test]
async fn an_activation_code_dies_of_age_of_tries_and_of_use() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    let mut browser = world.browser();
    // Of age.
    let code = world.code_for(&hong).await;
    world.clock.advance(Seconds::hours(7 * 24));
    world.clock.advance(Seconds(1));
    world.publish_lists().await;
    world.log_on(&mut browser, &hong.identity).await;
    let late = browser
        .post("/api/v1/logon/activation", &json!({ "code": code }))
        .await;
    assert_eq!(late.code(), "identity.activation-expired");
    // Of a newer one.
    let first = world.code_for(&hong).await;
    let second = world.code_for(&hong).await;
    let answer = browser
        .post("/api/v1/logon/activation", &json!({ "code": first }))
        .await;
    assert_eq!(answer.code(), "identity.activation-wrong");
    // Of use: it enrols one factor.
    let typed = second.to_lowercase().replace('-', " ");
    let answer = browser
        .post("/api/v1/logon/activation", &json!({ "code": typed }))
        .await;
    assert_eq!(answer.body["next"], "enrol");
    let offer = browser.post("/api/v1/logon/enrol/totp/start", &json!({})).await;
    let digits = world.digits(offer.body["secret"].as_str().unwrap());
    let done = browser
        .post("/api/v1/logon/enrol/totp/finish", &json!({ "code": digits }))
        .await;
    assert_eq!(done.body["next"], "done");
    let (_, mut admin) = world.signed_in("관리자", &[Role::MinistryAdmin]).await;
    admin
        .post(&format!("/api/v1/people/{}/recover", hong.id), &json!({}))
        .await;
    world.agree(naru_kernel::PersonId::from_bits(99)).await.unwrap();
    let mut again = world.browser();
    world.log_on(&mut again, &hong.identity).await;
    let used = again
        .post("/api/v1/logon/activation", &json!({ "code": second }))
        .await;
    assert_eq!(used.code(), "identity.activation-wrong");
}

#[tokio::test]
async fn five_wrong_activation_codes_kill_the_code_across_locks() {
    let world = World::new().await;
    let hong = world.person("홍길동").await;
    let code = world.code_for(&hong).await;
    let mut thief = world.browser();
    world.log_on(&mut thief, &hong.identity).await;
    for _ in 0..5 {
        thief
            .post("/api/v1/logon/activation", &json!({ "code": "AAAA-AAAA-AAAA" }))
            .await;
    }
    assert_eq!(world.alarms().await, ["identity.locked"]);
    world.clock.advance(Seconds::minutes(31));
    world.log_on(&mut thief, &hong.identity).await;
    let dead = thief
        .post("/api/v1/logon/activation", &json!({ "code": code }))
        .await;
    assert_eq!(dead.code(), "identity.activation-expired");
}

#[tokio::test]
async fn a_signed_in_person_adds_and_removes_factors_but_not_the_last() {
    let world = World::new().await;
    let (_, mut browser) = world.signed_in("홍길동", &[Role::Worker]).await;
    let before = browser.cookie(COOKIE).unwrap().to_owned();
    let options = browser
        .post("/api/v1/logon/enrol/passkey/start", &json!({}))
        .await;
    let (_, credential) = SoftwarePasskey::create(ORIGIN, &options.body);
    let added = browser
        .post(
            "/api/v1/logon/enrol/passkey/finish",
            &json!({ "credential": credential }),
        )
        .await;
    assert_eq!(added.body["factors"], json!(["passkey", "totp"]));
    assert_eq!(browser.cookie(COOKIE).unwrap(), before);
    let factors = browser.get("/api/v1/me/factors").await;
    let ids: Vec<String> = factors.body["items"]
        .as_array()
        .unwrap()
        .iter()
        .map(|factor| factor["id"].as_str().unwrap().to_owned())
        .collect();
    assert_eq!(
        browser
            .delete(&format!("/api/v1/me/factors/{}", ids[0]))
            .await
            .status
            .as_u16(),
        204
    );
    let last = browser.delete(&format!("/api/v1/me/factors/{}", ids[1])).await;
    assert_eq!(last.code(), "identity.last-factor");
    let gone = browser.delete(&format!("/api/v1/me/factors/{}", ids[0])).await;
    assert_eq!(gone.status.as_u16(), 404);
}
