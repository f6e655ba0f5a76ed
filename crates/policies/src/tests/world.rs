//! A portal's rules with people, applications and approvals that only pretend.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, Mutex},
};

use naru_kernel::{
    Actor, ApplicationId, ApprovalId, LogonId, MinistryId, PersonId, PolicyId, Role, Timestamp, Zone,
    access::{AccessDecision, AccessQuestion, Assurance, Device, Label, Resource},
};
use naru_runtime::{Client, Fails as _};
use naru_store::{Act, BoxFuture, By, Tx, testing::raw};
use naru_testkit::{ManualClock, SeededEntropy, TestDatabase};

use crate::{
    Agreed, ApplicationFacts, Ask, AsksSecondPerson, Error, KnowsPeople, KnowsWhatOpens, NotAsked, Parts,
    PersonFacts, Policies,
    model::{PolicyForm, Words},
};

/// The platform's own ministry, and two others.
pub(super) const PLATFORM: u128 = 9;
pub(super) const OWN: u128 = 1;
pub(super) const OTHER: u128 = 2;
/// 2026-11-23 10:00 in Korea, a Monday.
pub(super) const MONDAY_TEN: i64 = 1_795_392_000 + 3_600;

/// Whose an application is, how secret, and to whom else it is offered.
type Offered = (MinistryId, Label, BTreeSet<MinistryId>);

#[derive(Default)]
pub(super) struct Pretend {
    applications: Mutex<BTreeMap<ApplicationId, Offered>>,
    pub(super) asked: Mutex<Vec<Ask>>,
}

impl KnowsPeople for Pretend {
    fn person(
        &self,
        ministry: MinistryId,
        person: PersonId,
    ) -> BoxFuture<'_, Result<Option<PersonFacts>, naru_store::Error>> {
        let is_theirs = ministry == MinistryId::from_bits(OWN) && person == PersonId::from_bits(5);
        let facts = is_theirs.then(|| PersonFacts {
            name: "홍길동".to_owned(),
            roles: vec![Role::Worker],
            groups: vec!["당직".to_owned()],
            unit: "감사단/제1과".to_owned(),
        });
        Box::pin(async move { Ok(facts) })
    }

    fn platform(&self) -> BoxFuture<'_, Result<Option<MinistryId>, naru_store::Error>> {
        Box::pin(async { Ok(Some(MinistryId::from_bits(PLATFORM))) })
    }
}

impl KnowsWhatOpens for Pretend {
    fn application(
        &self,
        id: ApplicationId,
        to: MinistryId,
    ) -> BoxFuture<'_, Result<Option<ApplicationFacts>, naru_store::Error>> {
        let found = self.applications.lock().unwrap().get(&id).cloned();
        let facts = found.map(|(ministry, label, offered)| ApplicationFacts {
            id,
            name: "전자결재".to_owned(),
            ministry,
            label,
            offered: ministry == to || offered.contains(&to),
        });
        Box::pin(async move { Ok(facts) })
    }

    fn zone(&self, zone: &Zone) -> Option<Label> {
        (*zone == Zone::business()).then_some(Label::S)
    }
}

impl AsksSecondPerson for Pretend {
    fn ask<'t>(&'t self, _: &'t mut Tx, ask: Ask) -> BoxFuture<'t, Result<ApprovalId, NotAsked>> {
        let mut asked = self.asked.lock().unwrap();
        let is_there = asked
            .iter()
            .any(|one| (one.kind, &one.subject) == (ask.kind, &ask.subject));
        let answer = if is_there {
            Err(NotAsked::Already)
        } else {
            asked.push(ask);
            Ok(ApprovalId::from_bits(asked.len().try_into().unwrap()))
        };
        Box::pin(async move { answer })
    }
}

pub(super) struct World {
    pub(super) database: TestDatabase,
    pub(super) policies: Arc<Policies>,
    pub(super) pretend: Arc<Pretend>,
    pub(super) client: Client,
}

pub(super) fn administrator(person: u128, ministry: u128) -> Actor {
    Actor::with_roles(
        PersonId::from_bits(person),
        MinistryId::from_bits(ministry),
        LogonId::from_bits(person),
        [Role::MinistryAdmin],
    )
}

pub(super) fn form(name: &str, text: &str) -> PolicyForm {
    PolicyForm {
        name: Words {
            ko: name.to_owned(),
            en: String::new(),
        },
        text: text.to_owned(),
        on: true,
        version: None,
    }
}

pub(super) fn code<T: std::fmt::Debug>(result: Result<T, Error>) -> &'static str {
    result.unwrap_err().code()
}

/// A worker of a ministry who wants this.
pub(super) fn question(ministry: u128, resource: Resource) -> AccessQuestion {
    AccessQuestion {
        actor: Actor::with_roles(
            PersonId::from_bits(5),
            MinistryId::from_bits(ministry),
            LogonId::from_bits(5),
            [Role::Worker],
        ),
        groups: BTreeSet::from(["당직".to_owned()]),
        unit: "감사단/제1과".to_owned(),
        assurance: Assurance::CertificateTotp,
        resource,
        zone: None,
        device: Device::Unknown,
        address: "192.0.2.7".to_owned(),
        at: Timestamp::from_seconds(MONDAY_TEN),
    }
}

pub(super) fn application(number: u128, ministry: u128, label: Label) -> Resource {
    Resource::Application {
        id: ApplicationId::from_bits(number),
        ministry: MinistryId::from_bits(ministry),
        label,
    }
}

/// Whether it is allowed, and the identifiers of the rules.
pub(super) fn told(decision: AccessDecision) -> (bool, String, Option<Assurance>) {
    match decision {
        AccessDecision::Allowed { because } => (true, because.join(" "), None),
        AccessDecision::Denied { because, step_up } => (false, because.join(" "), step_up),
    }
}

impl World {
    pub(super) async fn new() -> Self {
        let database = TestDatabase::open().await;
        for (number, agency) in [(OWN, "085"), (OTHER, "086"), (PLATFORM, "001")] {
            let text = format!(
                "INSERT INTO ministries (id, name_ko, name_en, agency_code, is_platform, created_at) \
                 VALUES ('{}', '부처', 'Ministry', '{agency}', {}, 0)",
                MinistryId::from_bits(number),
                number == PLATFORM
            );
            raw(&database.url, &text).await.unwrap();
        }
        let pretend = Arc::new(Pretend::default());
        let policies = Self::portal(&database, &pretend, 3);
        Self {
            database,
            policies,
            pretend,
            client: Client {
                address: "192.0.2.7".to_owned(),
                user_agent: String::new(),
            },
        }
    }

    fn portal(database: &TestDatabase, pretend: &Arc<Pretend>, seed: u64) -> Arc<Policies> {
        let policies = Policies::new(Parts {
            db: database.db.clone(),
            clock: Arc::new(ManualClock::default()),
            entropy: Arc::new(SeededEntropy::new(seed)),
            people: Arc::<Pretend>::clone(pretend),
            opens: Arc::<Pretend>::clone(pretend),
        });
        let policies = Arc::new(policies.unwrap());
        policies.ask_by(Arc::<Pretend>::clone(pretend));
        policies
    }

    /// Another portal process on the same database.
    pub(super) fn another_portal(&self) -> Arc<Policies> {
        Self::portal(&self.database, &self.pretend, 4)
    }

    pub(super) fn offer(&self, number: u128, of: u128, label: Label, to: &[u128]) {
        let to = to
            .iter()
            .map(|ministry| MinistryId::from_bits(*ministry))
            .collect();
        let application = (MinistryId::from_bits(of), label, to);
        let id = ApplicationId::from_bits(number);
        self.pretend.applications.lock().unwrap().insert(id, application);
    }

    pub(super) async fn decide(&self, question: AccessQuestion) -> (bool, String, Option<Assurance>) {
        told(self.policies.decide(question).await.unwrap())
    }

    /// Makes a rule of a ministry.
    pub(super) async fn rule(&self, ministry: u128, name: &str, text: &str) -> PolicyId {
        let made = self
            .policies
            .create(&administrator(100, ministry), &form(name, text), &self.client)
            .await;
        made.unwrap().id.parse().unwrap()
    }

    /// Lets a second administrator agree to what was asked last.
    pub(super) async fn agree(&self) -> bool {
        let ask = self.pretend.asked.lock().unwrap().pop().unwrap();
        let agreed = Agreed {
            ministry: ask.ministry,
            kind: ask.kind.to_owned(),
            asked_by: ask.asked_by,
            agreed_by: PersonId::from_bits(101),
            payload: ask.payload,
            at: Timestamp::from_micros(7),
        };
        let act = Act {
            at: Timestamp::from_micros(7),
            action: "approvals.agree",
            by: By::Platform("test"),
            ministry: Some(ask.ministry),
            subject: String::new(),
            address: None,
        };
        let policies = Arc::clone(&self.policies);
        self.database
            .db
            .change(act, move |tx| {
                Box::pin(async move { policies.carry_out(tx, &agreed).await })
            })
            .await
            .unwrap()
    }

    /// Action, outcome and detail of the ministry's newest entry.
    pub(super) async fn newest(&self, ministry: u128) -> (String, String, serde_json::Value) {
        struct Entry(String, String, String);
        impl naru_store::FromRow for Entry {
            fn from_row(row: &naru_store::Row) -> Result<Self, naru_store::Error> {
                Ok(Self(row.get("action")?, row.get("outcome")?, row.get("detail")?))
            }
        }
        let sql =
            "SELECT action, outcome, detail FROM audit WHERE stream = $1 ORDER BY sequence DESC LIMIT 1";
        let stream = MinistryId::from_bits(ministry).to_string();
        let entry: Entry = self
            .database
            .db
            .one(sql, naru_store::params![stream])
            .await
            .unwrap();
        (entry.0, entry.1, serde_json::from_str(&entry.2).unwrap())
    }
}
