//! The portal is killed in the middle of many log-ons: what was acknowledged is there, and nothing is half done.

use std::time::Duration;

use naru_testkit::{Browser, enrol_totp};
use tokio::task::JoinSet;

use crate::{
    process::{Running, figure},
    stage::{Person, Stage, now},
    wire::UNREACHED,
};

const PEOPLE: usize = 8;
/// First factors shown by everybody, one after the other, until the portal is gone.
const LOGONS_EACH_MAX: usize = 2_000;
/// A person keeps 16 open sessions; one of them may be the log-on that was under way and not acknowledged.
const NEWEST_KEPT: usize = 15;
const ROUNDS: [Duration; 3] = [
    Duration::from_millis(300),
    Duration::from_millis(700),
    Duration::from_millis(1_100),
];

/// Logs on again and again until nobody answers; gives the browsers whose log-on was acknowledged.
async fn log_on(stage: &Stage, person: &Person) -> Vec<Browser> {
    let mut acknowledged = Vec::new();
    for _ in 0..LOGONS_EACH_MAX {
        let mut browser = stage.browser();
        let challenge = browser
            .post("/api/v1/logon/challenge", &serde_json::json!({}))
            .await;
        if challenge.status == UNREACHED {
            break;
        }
        let answer = naru_testkit::sign_challenge(
            &challenge,
            &person.identity,
            &stage.pki.issuing.certificate,
            now(),
        );
        let answer = browser.post("/api/v1/logon/certificate", &answer).await;
        if answer.status == UNREACHED {
            break;
        }
        assert!(answer.status.is_success(), "{} {:?}", answer.status, answer.body);
        acknowledged.push(browser);
    }
    acknowledged
}

async fn count(stage: &Stage, sql: &'static str) -> i64 {
    let db = naru_store::Db::open(&stage.store_url()).await.unwrap();
    let count = db.one(sql, Vec::new()).await.unwrap();
    db.close().await;
    count
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_killed_portal_forgets_nothing_it_acknowledged() {
    let stage = std::sync::Arc::new(Stage::new());
    stage.ministry();
    let people: Vec<_> = (0..PEOPLE)
        .map(|_| std::sync::Arc::new(stage.person(&["worker"])))
        .collect();
    let mut portal: Running = stage.portal().await;
    let mut total = 0;
    for pause in ROUNDS {
        let mut crowd = JoinSet::new();
        for person in &people {
            let (stage, person) = (std::sync::Arc::clone(&stage), std::sync::Arc::clone(person));
            crowd.spawn(async move { log_on(&stage, &person).await });
        }
        tokio::time::sleep(pause).await;
        portal.kill().await;
        let acknowledged: Vec<Vec<Browser>> = crowd.join_all().await;
        let count_of_round: usize = acknowledged.iter().map(Vec::len).sum();
        assert!(count_of_round > 0, "nobody got through before the kill");
        assert!(stage.record_is_whole());

        portal = stage.portal().await;
        // Every session has its token, its certificate and its entry in the record, and no entry is without a session.
        let loose = "SELECT COUNT(*) AS n FROM logons WHERE id NOT IN (SELECT logon FROM logon_tokens) \
                     AND state <> 'ended'";
        assert_eq!(count(&stage, loose).await, 0, "a session without a token");
        let recorded =
            "SELECT COUNT(*) AS n FROM audit WHERE action = 'identity.log-on' AND outcome = 'done'";
        let sessions = count(&stage, "SELECT COUNT(*) AS n FROM logons").await;
        assert_eq!(count(&stage, recorded).await, sessions);
        total += count_of_round;
        assert!(
            sessions >= i64::try_from(total).unwrap(),
            "{sessions} sessions, {total} acknowledged"
        );
        for of_one in acknowledged {
            for mut browser in of_one.into_iter().rev().take(NEWEST_KEPT) {
                let step = browser.get("/api/v1/logon").await;
                assert_eq!(step.body["next"], "activate", "{:?}", step.body);
            }
        }
    }
    figure(&format!(
        "{total} log-ons acknowledged around {} kills of the portal, all there",
        ROUNDS.len()
    ));
    // And the people can go on as if nothing had been.
    let mut browser = stage.browser();
    let shown = stage.show(&mut browser, &people[0]).await;
    assert_eq!(shown.body["next"], "activate");
    enrol_totp(&mut browser, &stage.activation_code(&people[0]), now()).await;
    assert_eq!(portal.stop().await.code(), Some(0));
    assert!(stage.record_is_whole());
}
