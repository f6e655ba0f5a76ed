//! The record on a real database, and what a vandal leaves.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{Router, extract::Request, middleware::Next};
use naru_kernel::{Actor, Clock as _, LogonId, MinistryId, PersonId, Role, Seconds};
use naru_runtime::{Caller, PortalOrigins};
use naru_store::{Act, BoxFuture, By, Engine, Outcome, testing::raw};
use naru_testkit::{Browser, ManualClock, TestDatabase};

use crate::{Audit, Broken, KnowsMinistries, KnowsNames, routes};

const ORIGIN: &str = "https://localhost:8443";

struct OnlyFirst;

impl KnowsMinistries for OnlyFirst {
    fn is_platform(&self, ministry: MinistryId) -> BoxFuture<'_, Result<bool, naru_store::Error>> {
        Box::pin(async move { Ok(ministry == MinistryId::from_bits(1)) })
    }
}

/// Person 1 is of ministry 1, person 2 of ministry 2; of anybody else nothing is known.
struct TwoPeople;

impl KnowsNames for TwoPeople {
    fn names(
        &self,
        people: BTreeSet<PersonId>,
        ministry: Option<MinistryId>,
    ) -> BoxFuture<'_, Result<BTreeMap<PersonId, String>, naru_store::Error>> {
        Box::pin(async move {
            let known = [(1, "홍길동"), (2, "성춘향")]
                .into_iter()
                .filter(|(number, _)| ministry.is_none_or(|only| only == MinistryId::from_bits(*number)))
                .map(|(number, name)| (PersonId::from_bits(number), name.to_owned()))
                .filter(|(person, _)| people.contains(person));
            Ok(known.collect())
        })
    }
}

struct Scene {
    database: TestDatabase,
    clock: Arc<ManualClock>,
    audit: Arc<Audit>,
}

impl Scene {
    async fn new() -> Self {
        let database = TestDatabase::open().await;
        let clock = Arc::new(ManualClock::default());
        let its_clock = Arc::clone(&clock);
        let audit = Audit::new(
            database.db.clone(),
            its_clock,
            Arc::new(OnlyFirst),
            Arc::new(TwoPeople),
        );
        Self {
            database,
            clock,
            audit: Arc::new(audit),
        }
    }

    async fn write(&self, ministry: Option<u128>, action: &'static str, person: u128, outcome: Outcome) {
        self.clock.advance(Seconds(1));
        let act = Act {
            at: self.clock.now(),
            action,
            by: By::Person(PersonId::from_bits(person), LogonId::from_bits(1)),
            ministry: ministry.map(MinistryId::from_bits),
            subject: "=HYPERLINK(\"x\")".to_owned(),
            address: Some("127.0.0.1".to_owned()),
        };
        let detail = serde_json::json!({ "note": "홍길동" });
        self.database.db.record(act, outcome, detail).await.unwrap();
    }

    /// Four entries for ministry 1, six for ministry 2, one for the platform.
    async fn filled() -> Self {
        let scene = Self::new().await;
        for _ in 0..4 {
            scene.write(Some(1), "desktops.open", 1, Outcome::Done).await;
        }
        for number in 0..6 {
            let outcome = if number % 2 == 0 {
                Outcome::Done
            } else {
                Outcome::Refused("identity.code-wrong")
            };
            scene
                .write(Some(2), "identity.sign-in", 2 + number, outcome)
                .await;
        }
        scene
            .write(None, "identity.create-ministry", 9, Outcome::Done)
            .await;
        scene
    }

    fn browser(&self, role: Role, ministry: u128) -> Browser {
        let actor = Actor {
            person: PersonId::from_bits(5),
            ministry: MinistryId::from_bits(ministry),
            roles: BTreeSet::from([role]),
            logon: LogonId::from_bits(5),
        };
        let (router, _) = routes(Arc::clone(&self.audit)).finish();
        let router: Router = router.layer(axum::middleware::from_fn(
            move |mut request: Request, next: Next| {
                request.extensions_mut().insert(Caller::SignedIn(actor.clone()));
                request
                    .extensions_mut()
                    .insert(PortalOrigins(Arc::from([ORIGIN.to_owned()])));
                next.run(request)
            },
        ));
        Browser::new(router, ORIGIN)
    }

    async fn vandalise(&self, text: &str) {
        let drop = match self.database.db.engine() {
            Engine::Sqlite => {
                "DROP TRIGGER IF EXISTS audit_no_update; DROP TRIGGER IF EXISTS audit_no_delete"
            }
            Engine::Postgres => "DROP TRIGGER IF EXISTS audit_append_only ON audit",
        };
        raw(&self.database.url, drop).await.unwrap();
        raw(&self.database.url, text).await.unwrap();
    }

    async fn broken(&self) -> Option<Broken> {
        Audit::verify_all(&self.database.db).await.unwrap().broken
    }
}

#[tokio::test]
async fn every_statement_is_understood() {
    let database = TestDatabase::open().await;
    for sql in crate::statements() {
        database
            .db
            .prepare(sql)
            .await
            .unwrap_or_else(|error| panic!("{sql}: {error:?}"));
    }
}

#[tokio::test]
async fn an_auditor_reads_the_own_ministry_and_the_platforms_auditor_all() {
    let scene = Scene::filled().await;
    let own = scene.browser(Role::Auditor, 2).get("/api/v1/audit").await;
    assert_eq!(own.body["total"], 6);
    let stream = MinistryId::from_bits(2).to_string();
    assert!(
        own.body["items"]
            .as_array()
            .unwrap()
            .iter()
            .all(|row| row["stream"] == stream.as_str())
    );
    let all = scene.browser(Role::Auditor, 1).get("/api/v1/audit").await;
    assert_eq!(all.body["total"], 11);
    // Names are looked up, not kept: each auditor gets those they may know of.
    let named = |body: &serde_json::Value| {
        let rows = body["items"].as_array().unwrap();
        let names: BTreeSet<String> = rows
            .iter()
            .filter_map(|row| row["actor_name"].as_str())
            .map(str::to_owned)
            .collect();
        names
    };
    assert_eq!(named(&own.body), BTreeSet::from(["성춘향".to_owned()]));
    assert_eq!(
        named(&all.body),
        BTreeSet::from(["성춘향".to_owned(), "홍길동".to_owned()])
    );
    let stranger = scene.browser(Role::Auditor, 3).get("/api/v1/audit").await;
    assert_eq!(stranger.body["total"], 0);
    for role in [Role::Worker, Role::MinistryAdmin, Role::Operator] {
        for path in ["/api/v1/audit", "/api/v1/audit/verify", "/api/v1/audit.csv"] {
            assert_eq!(
                scene.browser(role, 2).get(path).await.code(),
                "runtime.role-needed"
            );
        }
    }
}

#[tokio::test]
async fn pages_are_newest_first_and_show_each_entry_once() {
    let scene = Scene::filled().await;
    let mut browser = scene.browser(Role::Auditor, 1);
    let mut seen = Vec::new();
    let mut path = "/api/v1/audit?limit=3".to_owned();
    loop {
        let page = browser.get(&path).await;
        for row in page.body["items"].as_array().unwrap() {
            seen.push((
                row["at"].as_i64().unwrap(),
                row["id"].as_str().unwrap().to_owned(),
            ));
        }
        match page.body["next"].as_str() {
            Some(next) => path = format!("/api/v1/audit?limit=3&after={next}"),
            None => break,
        }
    }
    assert_eq!(seen.len(), 11);
    assert!(seen.windows(2).all(|pair| pair[0].0 > pair[1].0));
}

#[tokio::test]
async fn filters_narrow_the_list() {
    let scene = Scene::filled().await;
    let mut browser = scene.browser(Role::Auditor, 1);
    let now = scene.clock.now().as_micros();
    let person = PersonId::from_bits(2);
    for (query, expected) in [
        ("action=identity.".to_owned(), 7),
        ("action=desktops.open".to_owned(), 4),
        ("outcome=refused".to_owned(), 3),
        (format!("person={person}"), 1),
        (format!("from={now}"), 1),
        (format!("to={}", now - 1), 10),
        (format!("action=identity.&outcome=done&to={}", now - 1), 3),
    ] {
        let page = browser.get(&format!("/api/v1/audit?{query}")).await;
        assert_eq!(page.body["total"], expected, "{query}");
        assert_eq!(page.body["items"].as_array().unwrap().len(), expected, "{query}");
    }
    assert_eq!(
        browser.get("/api/v1/audit?outcome=maybe").await.body["field"],
        "outcome"
    );
}

#[tokio::test]
async fn the_file_has_every_row_and_no_formula_and_is_recorded() {
    let scene = Scene::filled().await;
    let mut browser = scene.browser(Role::Auditor, 2);
    let answer = browser.get("/api/v1/audit.csv").await;
    let text = String::from_utf8(answer.bytes).unwrap();
    assert_eq!(answer.headers["content-type"], "text/csv; charset=utf-8");
    // Head, six entries, and the entry of the export itself.
    assert_eq!(text.lines().count(), 8);
    assert_eq!(text.matches("\"'=HYPERLINK(\"\"x\"\")\"").count(), 6);
    assert!(!text.contains("\"=HYPERLINK"));
    let exports = browser.get("/api/v1/audit?action=audit.export").await;
    assert_eq!(exports.body["total"], 1);
}

#[tokio::test]
async fn a_whole_record_verifies_for_each_reader() {
    let scene = Scene::filled().await;
    let own = scene.browser(Role::Auditor, 2).get("/api/v1/audit/verify").await;
    assert_eq!(
        (own.body["ok"].as_bool(), own.body["entries"].as_i64()),
        (Some(true), Some(6))
    );
    assert_eq!(own.body["head"].as_str().unwrap().len(), 64);
    let all = scene.browser(Role::Auditor, 1).get("/api/v1/audit/verify").await;
    assert_eq!(
        (all.body["ok"].as_bool(), all.body["entries"].as_i64()),
        (Some(true), Some(11))
    );
    assert_eq!(all.body["streams"].as_array().unwrap().len(), 3);
}

#[tokio::test]
async fn any_column_of_any_row_that_is_changed_is_found() {
    let scene = Scene::filled().await;
    let stream = MinistryId::from_bits(2).to_string();
    for sequence in 1..=6 {
        for (column, spoiled, mended) in [
            ("at", "at + 1", "at - 1"),
            ("action", "action || 'x'", "substr(action, 1, length(action) - 1)"),
            ("actor", "actor || 'x'", "substr(actor, 1, length(actor) - 1)"),
            (
                "subject",
                "subject || 'x'",
                "substr(subject, 1, length(subject) - 1)",
            ),
            (
                "address",
                "address || 'x'",
                "substr(address, 1, length(address) - 1)",
            ),
            ("detail", "detail || ' '", "substr(detail, 1, length(detail) - 1)"),
            (
                "outcome",
                "CASE outcome WHEN 'done' THEN 'refused' ELSE 'done' END",
                "CASE outcome WHEN 'done' THEN 'refused' ELSE 'done' END",
            ),
        ] {
            let row = format!("WHERE stream = '{stream}' AND sequence = {sequence}");
            scene
                .vandalise(&format!("UPDATE audit SET {column} = {spoiled} {row}"))
                .await;
            let broken = scene
                .broken()
                .await
                .unwrap_or_else(|| panic!("{column} of {sequence} went unseen"));
            assert_eq!(
                (broken.sequence, broken.stream.as_str()),
                (sequence, stream.as_str()),
                "{column}"
            );
            scene
                .vandalise(&format!("UPDATE audit SET {column} = {mended} {row}"))
                .await;
            assert_eq!(scene.broken().await, None, "{column}");
        }
    }
}

#[tokio::test]
async fn a_changed_hash_sequence_or_stream_is_found() {
    let stream = MinistryId::from_bits(2).to_string();
    let row = format!("WHERE stream = '{stream}' AND sequence = 3");
    let zero = "0".repeat(64);
    for engine_neutral in [
        format!("UPDATE audit SET sequence = 100 {row}"),
        format!("UPDATE audit SET stream = 'platform', sequence = 2 {row}"),
    ] {
        let scene = Scene::filled().await;
        scene.vandalise(&engine_neutral).await;
        assert!(scene.broken().await.is_some(), "{engine_neutral}");
    }
    let scene = Scene::filled().await;
    let bytes = match scene.database.db.engine() {
        Engine::Sqlite => format!("X'{zero}'"),
        Engine::Postgres => format!("decode('{zero}', 'hex')"),
    };
    scene
        .vandalise(&format!("UPDATE audit SET hash = {bytes} {row}"))
        .await;
    assert_eq!(scene.broken().await.unwrap().sequence, 3);
}

#[tokio::test]
async fn what_was_taken_away_is_missed() {
    let stream = MinistryId::from_bits(2).to_string();
    for (condition, sequence, why) in [
        ("sequence = 1", 1, "an entry is missing"),
        ("sequence = 4", 4, "an entry is missing"),
        ("sequence >= 5", 5, "entries at the end are missing"),
        ("sequence >= 1", 1, "entries at the end are missing"),
    ] {
        let scene = Scene::filled().await;
        scene
            .vandalise(&format!(
                "DELETE FROM audit WHERE stream = '{stream}' AND {condition}"
            ))
            .await;
        let expected = Broken {
            stream: stream.clone(),
            sequence,
            why: why.to_owned(),
        };
        assert_eq!(scene.broken().await, Some(expected));
    }
    let scene = Scene::filled().await;
    scene
        .vandalise(&format!("DELETE FROM audit_heads WHERE stream = '{stream}'"))
        .await;
    assert_eq!(scene.broken().await.unwrap().why, "the head is missing");
}

#[tokio::test]
async fn without_a_vandal_the_table_refuses() {
    let scene = Scene::filled().await;
    for text in ["UPDATE audit SET actor = 'x'", "DELETE FROM audit"] {
        assert!(raw(&scene.database.url, text).await.is_err(), "{text}");
    }
    assert_eq!(scene.broken().await, None);
}
