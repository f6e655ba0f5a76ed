//! The record on a real database, and what a vandal leaves.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::Arc,
};

use axum::{Router, extract::Request, middleware::Next};
use naru_kernel::{Actor, Clock as _, LogonId, MinistryId, PersonId, Role, Seconds};
use naru_runtime::{Caller, PortalOrigins};
use naru_store::{Act, BoxFuture, By, Engine, Outcome, testing::raw};
use naru_testkit::{Browser, ManualClock, SeededEntropy, TestDatabase};

use crate::{
    Audit, AuditConfig, Broken, KnowsMinistries, KnowsNames, Measure, Note, Parts, Verification, routes,
};

mod proofs;
mod reading;
mod retiring;
mod vandal;
mod witnesses;

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

fn config() -> AuditConfig {
    AuditConfig {
        name: "centre.example".to_owned(),
        ..AuditConfig::default()
    }
}

fn ministry(number: u128) -> String {
    MinistryId::from_bits(number).to_string()
}

struct Scene {
    database: TestDatabase,
    clock: Arc<ManualClock>,
    audit: Arc<Audit>,
}

impl Scene {
    async fn new() -> Self {
        Self::with(config()).await
    }

    async fn with(config: AuditConfig) -> Self {
        let database = TestDatabase::open().await;
        let clock = Arc::new(ManualClock::default());
        let its_clock = Arc::clone(&clock);
        let audit = Audit::open(Parts {
            config,
            db: database.db.clone(),
            clock: its_clock,
            entropy: Arc::new(SeededEntropy::new(1)),
            ministries: Arc::new(OnlyFirst),
            people: Arc::new(TwoPeople),
        });
        Self {
            audit: Arc::new(audit.await.unwrap()),
            database,
            clock,
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
        let (person, ministry) = (PersonId::from_bits(5), MinistryId::from_bits(ministry));
        let actor = Actor::with_roles(person, ministry, LogonId::from_bits(5), [role]);
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
                "DROP TRIGGER IF EXISTS audit_no_update; DROP TRIGGER IF EXISTS audit_no_delete; \
                 DROP TRIGGER IF EXISTS audit_checkpoints_no_update; \
                 DROP TRIGGER IF EXISTS audit_checkpoints_no_delete"
            }
            Engine::Postgres => {
                "DROP TRIGGER IF EXISTS audit_append_only ON audit; \
                 DROP TRIGGER IF EXISTS audit_checkpoints_append_only ON audit_checkpoints"
            }
        };
        raw(&self.database.url, drop).await.unwrap();
        raw(&self.database.url, text).await.unwrap();
    }

    async fn broken(&self) -> Option<Broken> {
        self.verified(Vec::new()).await.broken
    }

    /// Every chain, also against notes from outside.
    async fn verified(&self, outside: Vec<Note>) -> Verification {
        let measure = Measure {
            outside,
            ..self.audit.measure()
        };
        self.audit.verify_against(&measure, None).await.unwrap()
    }

    /// Entries for one ministry.
    async fn write_many(&self, number: u128, count: usize) {
        for _ in 0..count {
            self.write(Some(number), "desktops.open", 1, Outcome::Done).await;
        }
    }

    /// The newest checkpoint of a chain.
    async fn note(&self, stream: &str) -> Note {
        self.audit.grow(stream).await.unwrap();
        let kept = crate::store::newest_checkpoint(&self.database.db, stream)
            .await
            .unwrap();
        Note::read(&kept.unwrap().note).unwrap()
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
