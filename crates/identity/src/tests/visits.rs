//! What people see of their log-ons, browsers they are known by, and alarms about both.

use std::sync::Arc;

use naru_kernel::{Role, Seconds};
use naru_testkit::{Browser, answer_totp};
use serde_json::{Value, json};

use super::{ORIGIN, World, client, demo_person};
use crate::{DEVICE_COOKIE, rules::PlaceConfig};

const WHALE: &str = "Mozilla/5.0 (Windows NT 10.0; Win64; x64) Chrome/140 Whale/4.30 Safari/537.36";

fn place(network: &str, name_ko: &str, name_en: &str, degrees: Option<(f64, f64)>) -> PlaceConfig {
    PlaceConfig {
        network: network.to_owned(),
        name_ko: name_ko.to_owned(),
        name_en: name_en.to_owned(),
        latitude: degrees.map(|degrees| degrees.0),
        longitude: degrees.map(|degrees| degrees.1),
        shared_devices: network.ends_with(".77.0/24"),
    }
}

/// A world whose portal knows three places.
async fn world() -> World {
    let mut world = World::new().await;
    let mut config = World::config(&world.pki, &world.lists);
    config.places = vec![
        place("10.1.0.0/16", "서울청사", "Seoul", Some((37.5665, 126.9780))),
        place("10.2.0.0/16", "부산센터", "Busan", Some((35.1796, 129.0756))),
        place("10.9.77.0/24", "스마트워크센터", "Smart work centre", None),
    ];
    let portal = world.portal(config, &world.database.db, &world.entropy).await;
    portal.ask_by(Arc::<super::Questions>::clone(&world.questions));
    portal.refresh_revocations().await.unwrap();
    world.identity = Arc::new(portal);
    world
}

/// A browser at an address.
fn browser_at(world: &World, address: &str) -> Browser {
    let router = world.router_at(address.parse().unwrap(), Vec::new());
    Browser::new(router, ORIGIN)
}

/// The same browser, carried to another address.
fn carried(world: &World, browser: &Browser, address: &str) -> Browser {
    let mut there = browser_at(world, address);
    there.set_cookie(DEVICE_COOKIE, browser.cookie(DEVICE_COOKIE).unwrap());
    there
}

async fn rows(browser: &mut Browser, path: &str) -> Vec<Value> {
    let page = browser.get(path).await;
    page.body["items"]
        .as_array()
        .unwrap_or_else(|| panic!("{:?}", page.body))
        .clone()
}

#[tokio::test]
async fn a_person_sees_each_attempt_with_place_and_device() {
    let world = world().await;
    let hong = world.person("홍길동").await;
    let mut browser = browser_at(&world, "10.1.2.3");
    browser.set_user_agent(WHALE);
    let secret = world.enrol(&mut browser, &hong).await;
    let mut thief = browser_at(&world, "203.0.113.9");
    world.clock.advance(Seconds(60));
    world.log_on(&mut thief, &hong.identity).await;
    world.clock.advance(Seconds(1));
    thief
        .post("/api/v1/logon/totp", &json!({ "code": "000000" }))
        .await;
    let seen = rows(&mut browser, "/api/v1/me/log-ons").await;
    let told: Vec<_> = seen
        .iter()
        .map(|row| {
            (
                row["outcome"].as_str().unwrap(),
                row["method"].as_str().unwrap(),
                row["place"].as_str(),
            )
        })
        .collect();
    assert_eq!(
        &told[..2],
        [
            ("identity.code-wrong", "totp", None),
            ("first_factor", "certificate", None)
        ]
    );
    let own: Vec<_> = told[2..].iter().map(|row| (row.0, row.2)).collect();
    assert!(own.contains(&("signed_in", Some("서울청사"))), "{told:?}");
    let good = seen.iter().find(|row| row["outcome"] == "signed_in").unwrap();
    assert_eq!(
        (
            &good["device"],
            &good["assurance"],
            &good["address"],
            &good["is_new_device"]
        ),
        (
            &json!("Whale · Windows"),
            &json!("certificate_totp"),
            &json!("10.1.2.3"),
            &json!(true)
        )
    );
    // Pages.
    let first = browser.get("/api/v1/me/log-ons?limit=3").await.body;
    assert_eq!(
        (first["total"].as_i64(), first["items"].as_array().unwrap().len()),
        (Some(4), 3)
    );
    let rest = format!(
        "/api/v1/me/log-ons?limit=3&after={}",
        first["next"].as_str().unwrap()
    );
    let rest = browser.get(&rest).await.body;
    assert_eq!(
        (rest["items"].as_array().unwrap().len(), &rest["next"]),
        (1, &Value::Null)
    );
    // The person sees the alarm as well; nobody sees another's.
    let alarms = rows(&mut browser, "/api/v1/me/alarms").await;
    assert_eq!(alarms[0]["kind"], "identity.new-device");
    assert_eq!(alarms[0]["detail"]["address"], "203.0.113.9");
    let (_, mut other) = world.signed_in("김관리", &[Role::MinistryAdmin]).await;
    assert_eq!(rows(&mut other, "/api/v1/me/log-ons").await.len(), 2);
    assert!(rows(&mut other, "/api/v1/me/alarms").await.is_empty());
    assert_eq!(rows(&mut other, "/api/v1/alarms").await.len(), 1);
    // Forgotten after a year.
    world.clock.advance(Seconds::hours(366 * 24));
    world.identity.forget_expired().await.unwrap();
    world.publish_lists().await;
    let mut again = browser_at(&world, "10.1.2.3");
    let identity = world
        .pki
        .issue(&demo_person("홍길동"), world.now(), world.entropy.as_ref())
        .unwrap();
    assert_eq!(
        world.log_on(&mut again, &identity).await.body["next"],
        "second_factor"
    );
    answer_totp(&mut again, &secret, world.now()).await;
    let left = rows(&mut again, "/api/v1/me/log-ons").await;
    assert_eq!(left.len(), 2, "{left:?}");
    assert!(!world.alarms().await.contains(&"identity.locked".to_owned()));
}

#[tokio::test]
async fn nobody_is_in_seoul_and_busan_within_minutes() {
    let world = world().await;
    let hong = world.person("홍길동").await;
    let mut seoul = browser_at(&world, "10.1.2.3");
    let secret = world.enrol(&mut seoul, &hong).await;
    let mut busan = carried(&world, &seoul, "10.2.0.9");
    world.sign_in(&mut busan, &hong, &secret).await;
    assert_eq!(world.alarms().await, ["identity.impossible-travel"]);
    let alarms = rows(&mut busan, "/api/v1/me/alarms").await;
    let detail = &alarms[0]["detail"];
    assert_eq!(
        (&detail["from"]["en"], &detail["to"]["ko"]),
        (&json!("Seoul"), &json!("부산센터"))
    );
    assert!(
        (320.0..330.0).contains(&detail["kilometres"].as_f64().unwrap()),
        "{detail}"
    );
    // By train it goes, and from a place nobody knows nothing is judged.
    world.clock.advance(Seconds::hours(3));
    world.sign_in(&mut seoul, &hong, &secret).await;
    let mut unknown = carried(&world, &seoul, "203.0.113.9");
    world.sign_in(&mut unknown, &hong, &secret).await;
    assert_eq!(world.alarms().await.len(), 1);
}

#[tokio::test]
async fn a_new_browser_is_an_alarm_but_not_the_first_nor_at_a_shared_desk() {
    let world = world().await;
    let hong = world.person("홍길동").await;
    let mut own = browser_at(&world, "10.1.2.3");
    let secret = world.enrol(&mut own, &hong).await;
    let token = own.cookie(DEVICE_COOKIE).unwrap().to_owned();
    assert!(world.alarms().await.is_empty());
    world.sign_in(&mut own, &hong, &secret).await;
    assert_eq!(
        own.cookie(DEVICE_COOKIE).unwrap(),
        token,
        "a known browser keeps its token"
    );
    let mut desk = browser_at(&world, "10.9.77.5");
    world.sign_in(&mut desk, &hong, &secret).await;
    assert!(world.alarms().await.is_empty());
    let mut strange = browser_at(&world, "10.1.2.4");
    world.sign_in(&mut strange, &hong, &secret).await;
    assert_eq!(world.alarms().await, ["identity.new-device"]);
    // From now on it is known; within ten minutes a second stranger is listed, but no second alarm.
    world.sign_in(&mut strange, &hong, &secret).await;
    world
        .log_on(&mut browser_at(&world, "10.1.2.5"), &hong.identity)
        .await;
    assert_eq!(world.alarms().await.len(), 1);
    world.clock.advance(Seconds::minutes(11));
    // A made-up token is nobody's.
    let mut liar = browser_at(&world, "10.1.2.6");
    liar.set_cookie(DEVICE_COOKIE, &"A".repeat(43));
    world.sign_in(&mut liar, &hong, &secret).await;
    assert_eq!(world.alarms().await.len(), 2);
    assert_ne!(liar.cookie(DEVICE_COOKIE).unwrap(), "A".repeat(43));
    // A second person in the same browser: it stays the first one's as well.
    let kim = world.person("김관리").await;
    let mut shared = carried(&world, &own, "10.1.2.3");
    world.enrol(&mut shared, &kim).await;
    assert_eq!(shared.cookie(DEVICE_COOKIE).unwrap(), token);
}

#[tokio::test]
async fn who_guesses_elsewhere_does_not_lock_the_person_out_of_their_own_browser() {
    let world = world().await;
    let hong = world.person("홍길동").await;
    let mut own = browser_at(&world, "10.1.2.3");
    let secret = world.enrol(&mut own, &hong).await;
    for round in 0..20 {
        let mut thief = browser_at(&world, "203.0.113.9");
        let shown = world.log_on(&mut thief, &hong.identity).await;
        assert_eq!(shown.body["next"], "second_factor", "{round}");
        for _ in 0..5 {
            thief
                .post("/api/v1/logon/totp", &json!({ "code": "000000" }))
                .await;
        }
        let shut = world.log_on(&mut thief, &hong.identity).await;
        assert_eq!(shut.code(), "identity.locked");
        // The certificate door tells nobody more, and its code is refused.
        let door = world
            .identity
            .log_on_by_tls(
                &[&hong.identity.sign.certificate, &world.pki.issuing.certificate],
                &client(),
            )
            .await;
        let refused = thief
            .post("/api/v1/logon/handover", &json!({ "code": door.unwrap() }))
            .await;
        assert!(!refused.status.is_success());
        // The person, in their own browser, logs on all the while.
        world.sign_in(&mut own, &hong, &secret).await;
        world.clock.advance(Seconds::minutes(30));
    }
    let locks = world
        .alarms()
        .await
        .iter()
        .filter(|kind| *kind == "identity.locked")
        .count();
    assert_eq!(locks, 20);
    // Their own mistakes lock their own browser only.
    world.log_on(&mut own, &hong.identity).await;
    for _ in 0..5 {
        own.post("/api/v1/logon/totp", &json!({ "code": "000000" })).await;
    }
    assert_eq!(
        world.log_on(&mut own, &hong.identity).await.code(),
        "identity.locked"
    );
    world
        .sign_in(&mut browser_at(&world, "10.1.2.9"), &hong, &secret)
        .await;
    // An administrator who withdraws the certificate ends it for good.
    let (_, mut admin) = world.signed_in("김관리", &[Role::MinistryAdmin]).await;
    let certificate = world.certificate_of(hong.id).await;
    let withdrawn = format!("/api/v1/certificates/{certificate}/revoke");
    assert!(admin.post(&withdrawn, &json!({})).await.status.is_success());
    let mut thief = browser_at(&world, "203.0.113.9");
    assert_eq!(
        world.log_on(&mut thief, &hong.identity).await.code(),
        "identity.certificate-withdrawn"
    );
}

#[tokio::test]
async fn factors_added_and_removed_raise_alarms() {
    let world = world().await;
    let hong = world.person("홍길동").await;
    let mut own = browser_at(&world, "10.1.2.3");
    world.enrol(&mut own, &hong).await;
    assert!(world.alarms().await.is_empty(), "everybody has a first one");
    let offer = own.post("/api/v1/logon/enrol/totp/start", &json!({})).await;
    let digits = world.digits(offer.body["secret"].as_str().unwrap());
    own.post("/api/v1/logon/enrol/totp/finish", &json!({ "code": digits }))
        .await;
    assert_eq!(world.alarms().await, ["identity.factor-added"]);
    let factor = rows(&mut own, "/api/v1/me/factors").await[0]["id"].clone();
    world.clock.advance(Seconds(1));
    let path = format!("/api/v1/me/factors/{}", factor.as_str().unwrap());
    assert_eq!(own.delete(&path).await.status.as_u16(), 204);
    assert_eq!(
        world.alarms().await,
        ["identity.factor-added", "identity.factor-removed"]
    );
}
