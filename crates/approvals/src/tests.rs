//! The two-person rule on a real database.

use std::sync::{
    Arc,
    atomic::{AtomicUsize, Ordering},
};

use naru_kernel::{Actor, ApprovalId, LogonId, MinistryId, PersonId, Role, Seconds, Timestamp};
use naru_runtime::{Client, Fails as _};
use naru_store::{Act, BoxFuture, By, Tx, testing::raw};
use naru_testkit::{ManualClock, SeededEntropy, TestDatabase};
use serde_json::json;

use crate::{Approval, Approvals, Ask, CarriesOut, Error, ListQuery, model::ApprovalState};

/// Counts what it does; refuses to do what its payload calls impossible.
#[derive(Default)]
struct Counting(AtomicUsize);

impl CarriesOut for Counting {
    fn kinds(&self) -> &'static [&'static str] {
        &["test.do"]
    }

    fn carry_out<'t>(
        &'t self,
        _: &'t mut Tx,
        approval: &'t Approval,
        _: &'t Actor,
        _: Timestamp,
    ) -> BoxFuture<'t, Result<bool, naru_store::Error>> {
        Box::pin(async move {
            if approval.payload.get("impossible").is_some() {
                return Ok(false);
            }
            self.0.fetch_add(1, Ordering::SeqCst);
            Ok(true)
        })
    }
}

struct Scene {
    database: TestDatabase,
    clock: Arc<ManualClock>,
    approvals: Arc<Approvals>,
    hand: Arc<Counting>,
    client: Client,
}

fn administrator(person: u128, ministry: u128) -> Actor {
    Actor::with_roles(
        PersonId::from_bits(person),
        MinistryId::from_bits(ministry),
        LogonId::from_bits(person),
        [Role::MinistryAdmin],
    )
}

fn ask(subject: &str, payload: serde_json::Value) -> Ask {
    Ask {
        kind: "test.do",
        ministry: MinistryId::from_bits(1),
        asked_by: PersonId::from_bits(1),
        about: Some(PersonId::from_bits(3)),
        subject: subject.to_owned(),
        summary: json!({ "role": "auditor" }),
        payload,
    }
}

impl Scene {
    async fn new() -> Self {
        let database = TestDatabase::open().await;
        for (number, code) in [(1_u128, "085"), (2, "086")] {
            let text = format!(
                "INSERT INTO ministries (id, name_ko, name_en, agency_code, is_platform, created_at) \
                 VALUES ('{}', '부처', 'Ministry', '{code}', FALSE, 0)",
                MinistryId::from_bits(number)
            );
            raw(&database.url, &text).await.unwrap();
        }
        let clock = Arc::new(ManualClock::default());
        let its_clock = Arc::clone(&clock);
        let hand = Arc::new(Counting::default());
        let its_hand = Arc::clone(&hand);
        let entropy = Arc::new(SeededEntropy::new(7));
        let approvals = Approvals::new(database.db.clone(), its_clock, entropy, vec![its_hand]);
        Self {
            database,
            clock,
            approvals: Arc::new(approvals),
            hand,
            client: Client {
                address: "127.0.0.1".to_owned(),
                user_agent: String::new(),
            },
        }
    }

    async fn ask(&self, ask: Ask) -> Result<ApprovalId, Error> {
        let act = Act {
            at: Timestamp::from_micros(0),
            action: "test.ask",
            by: By::Platform("test"),
            ministry: Some(ask.ministry),
            subject: String::new(),
            address: None,
        };
        let approvals = Arc::clone(&self.approvals);
        self.database
            .db
            .change(act, move |tx| {
                Box::pin(async move { approvals.ask_in(tx, ask).await })
            })
            .await
    }

    fn done(&self) -> usize {
        self.hand.0.load(Ordering::SeqCst)
    }
}

fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.unwrap_err().code()
}

#[tokio::test]
async fn another_person_agrees_and_it_is_done_once() {
    let scene = Scene::new().await;
    let id = scene.ask(ask("person 3", json!({}))).await.unwrap();
    let (asker, other) = (administrator(1, 1), administrator(2, 1));
    let about = administrator(3, 1);
    let agree = |actor: Actor| {
        let (approvals, client) = (Arc::clone(&scene.approvals), scene.client.clone());
        async move { approvals.agree(&actor, id, &client).await }
    };
    assert_eq!(code(agree(asker).await), "approvals.own-request");
    assert_eq!(code(agree(about).await), "approvals.about-yourself");
    assert_eq!(code(agree(administrator(4, 2)).await), "approvals.not-found");
    assert_eq!(scene.done(), 0);

    let (first, second) = tokio::join!(agree(other.clone()), agree(administrator(5, 1)));
    assert_eq!(
        [first.is_ok(), second.is_ok()].iter().filter(|ok| **ok).count(),
        1,
        "two who agree at once do it once"
    );
    assert_eq!(scene.done(), 1);
    assert_eq!(code(agree(other.clone()).await), "approvals.not-waiting");

    let list = scene.approvals.list(&other, &ListQuery::default()).await.unwrap();
    assert_eq!(list.items[0].state, ApprovalState::Agreed);
    assert!(!list.items[0].yours_to_decide);
}

#[tokio::test]
async fn what_can_no_longer_be_done_stays_waiting() {
    let scene = Scene::new().await;
    let id = scene
        .ask(ask("person 3", json!({ "impossible": true })))
        .await
        .unwrap();
    let other = administrator(2, 1);
    let tried = scene.approvals.agree(&other, id, &scene.client).await;
    assert_eq!(code(tried), "approvals.cannot-be-done");
    scene
        .approvals
        .refuse(&other, id, "  no longer here ", &scene.client)
        .await
        .unwrap();
    let list = scene.approvals.list(&other, &ListQuery::default()).await.unwrap();
    assert_eq!(list.items[0].state, ApprovalState::Refused);
    assert_eq!(list.items[0].note, "no longer here");
    assert_eq!(scene.done(), 0);
}

#[tokio::test]
async fn the_same_is_asked_once_at_a_time_and_expires() {
    let scene = Scene::new().await;
    let id = scene.ask(ask("person 3", json!({}))).await.unwrap();
    assert_eq!(
        code(scene.ask(ask("person 3", json!({}))).await),
        "approvals.already-asked"
    );
    scene.ask(ask("person 4", json!({}))).await.unwrap();
    scene.clock.advance(Seconds(8 * 86_400));
    let other = administrator(2, 1);
    let late = scene.approvals.agree(&other, id, &scene.client).await;
    assert_eq!(code(late), "approvals.not-waiting");
    scene.ask(ask("person 3", json!({}))).await.unwrap();
    assert_eq!(
        scene.approvals.expire().await.unwrap(),
        1,
        "the one for person 4; the other made room"
    );
}

#[tokio::test]
async fn who_asked_takes_it_back() {
    let scene = Scene::new().await;
    let id = scene.ask(ask("person 3", json!({}))).await.unwrap();
    let by_other = scene
        .approvals
        .withdraw(&administrator(2, 1), id, &scene.client)
        .await;
    assert_eq!(code(by_other), "approvals.not-yours");
    scene
        .approvals
        .withdraw(&administrator(1, 1), id, &scene.client)
        .await
        .unwrap();
    let waiting = ListQuery {
        state: Some(ApprovalState::Waiting),
        ..ListQuery::default()
    };
    let list = scene
        .approvals
        .list(&administrator(2, 1), &waiting)
        .await
        .unwrap();
    assert_eq!((list.items.len(), list.total), (0, 0));
}

#[tokio::test]
async fn another_ministry_sees_nothing() {
    let scene = Scene::new().await;
    scene.ask(ask("person 3", json!({}))).await.unwrap();
    let list = scene
        .approvals
        .list(&administrator(9, 2), &ListQuery::default())
        .await
        .unwrap();
    assert_eq!((list.items.len(), list.total), (0, 0));
}

#[tokio::test]
async fn every_statement_is_understood() {
    let database = TestDatabase::open().await;
    for statement in crate::statements() {
        database.db.prepare(statement).await.unwrap();
    }
}
