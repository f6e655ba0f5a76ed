//! Two ministries, people who are signed in, and rules that say what a test tells them to.

use std::{
    collections::BTreeMap,
    sync::{Arc, Mutex},
};

use naru_kernel::{
    Actor, Clock as _, LogonId, MinistryId, PersonId, Role, Timestamp,
    access::{AccessDecision, AccessQuestion, Assurance, Label},
};
use naru_runtime::Client;
use naru_store::{Act, BoxFuture, By, Error, FromRow, Row, Tx, params};
use naru_testkit::{ManualClock, SeededEntropy, TestDatabase};

use crate::{
    Applications, ApplicationsConfig, DecidesAccess, KnowsPeople, LogonFacts, LogonMethod, MinistryFacts,
    Parts, SubjectFacts,
    model::{ApplicationState, AudienceKind, LinkSettings, Protocol, Words},
    rules::form::{ApplicationForm, AudienceForm, IconForm},
};

/// The origin of the portal under test.
pub(crate) const ORIGIN: &str = "https://portal.example.go.kr";

/// What the other domains would say.
pub(crate) struct Pretend {
    ministries: Mutex<BTreeMap<MinistryId, MinistryFacts>>,
    people: Mutex<BTreeMap<PersonId, SubjectFacts>>,
    logons: Mutex<BTreeMap<LogonId, LogonFacts>>,
    decision: Mutex<AccessDecision>,
    asked: Mutex<Vec<AccessQuestion>>,
}

impl KnowsPeople for Pretend {
    fn subject(
        &self,
        ministry: MinistryId,
        person: PersonId,
    ) -> BoxFuture<'_, Result<Option<SubjectFacts>, Error>> {
        let known = self.people.lock().unwrap().get(&person).cloned();
        Box::pin(async move { Ok(known.filter(|known| known.ministry == ministry)) })
    }

    fn logon(&self, logon: LogonId) -> BoxFuture<'_, Result<Option<LogonFacts>, Error>> {
        let known = self.logons.lock().unwrap().get(&logon).cloned();
        Box::pin(async move { Ok(known) })
    }

    fn ministries(
        &self,
        ministries: Vec<MinistryId>,
    ) -> BoxFuture<'_, Result<BTreeMap<MinistryId, MinistryFacts>, Error>> {
        let mut known = self.ministries.lock().unwrap().clone();
        known.retain(|ministry, _| ministries.contains(ministry));
        Box::pin(async move { Ok(known) })
    }

    fn rename_ministry<'t>(
        &'t self,
        _: &'t mut Tx,
        ministry: MinistryId,
        name_ko: String,
        name_en: String,
    ) -> BoxFuture<'t, Result<(), Error>> {
        if let Some(facts) = self.ministries.lock().unwrap().get_mut(&ministry) {
            (facts.name_ko, facts.name_en) = (name_ko, name_en);
        }
        Box::pin(async { Ok(()) })
    }
}

impl DecidesAccess for Pretend {
    fn decide(&self, question: AccessQuestion) -> BoxFuture<'_, Result<AccessDecision, Error>> {
        self.asked.lock().unwrap().push(question);
        let decision = self.decision.lock().unwrap().clone();
        Box::pin(async move { Ok(decision) })
    }
}

pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) applications: Arc<Applications>,
    pub(crate) pretend: Arc<Pretend>,
    pub(crate) client: Client,
    people: Mutex<u128>,
}

/// The text of one column called `line`.
pub(crate) struct Line(pub(crate) String);

impl FromRow for Line {
    fn from_row(row: &Row) -> Result<Self, Error> {
        row.get("line").map(Self)
    }
}

pub(crate) const fn ministry(number: u128) -> MinistryId {
    MinistryId::from_bits(number)
}

impl World {
    /// With ministries 1 and 2.
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::open().await;
        let clock = Arc::new(ManualClock::default());
        let pretend = Arc::new(Pretend {
            ministries: Mutex::default(),
            people: Mutex::default(),
            logons: Mutex::default(),
            decision: Mutex::new(AccessDecision::Allowed { because: Vec::new() }),
            asked: Mutex::default(),
        });
        let parts = Parts {
            config: ApplicationsConfig {
                origin: ORIGIN.to_owned(),
                ..ApplicationsConfig::default()
            },
            db: database.db.clone(),
            clock: Arc::<ManualClock>::clone(&clock),
            entropy: Arc::new(SeededEntropy::new(7)),
            people: Arc::<Pretend>::clone(&pretend),
            rules: Arc::<Pretend>::clone(&pretend),
        };
        let world = Self {
            applications: Applications::start(parts).await.unwrap(),
            database,
            clock,
            pretend,
            client: Client {
                address: "192.0.2.7".to_owned(),
                user_agent: "test".to_owned(),
            },
            people: Mutex::new(0),
        };
        world.add_ministry(1).await;
        world.add_ministry(2).await;
        world
    }

    async fn change(&self, sql: &'static str, values: Vec<naru_store::Value>) {
        let act = Act {
            at: self.clock.now(),
            action: "test.prepare",
            by: By::Platform("test"),
            ministry: None,
            subject: String::new(),
            address: None,
        };
        let change = self.database.db.change::<_, Error, _>(act, move |tx| {
            Box::pin(async move { tx.exec(sql, values).await.map(drop) })
        });
        change.await.unwrap();
    }

    pub(crate) async fn add_ministry(&self, number: u128) {
        let facts = MinistryFacts {
            name_ko: format!("부처 {number}"),
            name_en: format!("Ministry {number}"),
            agency_code: format!("{number:03}"),
        };
        let sql = "INSERT INTO ministries (id, name_ko, name_en, agency_code, is_platform, created_at) \
                   VALUES ($1, $2, $3, $4, FALSE, 0)";
        let values = params![
            ministry(number),
            &facts.name_ko,
            &facts.name_en,
            &facts.agency_code
        ];
        self.change(sql, values).await;
        self.pretend
            .ministries
            .lock()
            .unwrap()
            .insert(ministry(number), facts);
    }

    /// Somebody of a ministry, signed in with these roles and this much proof.
    pub(crate) async fn person(&self, of: u128, roles: &[Role]) -> Actor {
        let number = {
            let mut people = self.people.lock().unwrap();
            *people += 1;
            *people
        };
        let (person, logon) = (PersonId::from_bits(number), LogonId::from_bits(number));
        let sql = "INSERT INTO people (id, ministry, name, subject_name, subject_key, search_text, state, failures, \
                   failures_since, language, created_at) VALUES ($1, $2, '홍길동', $3, $3, '', 'active', 0, 0, 'ko', 0)";
        self.change(sql, params![person, ministry(of), format!("cn={number}")])
            .await;
        let facts = self.pretend.ministries.lock().unwrap()[&ministry(of)].clone();
        self.pretend.people.lock().unwrap().insert(
            person,
            SubjectFacts {
                person,
                ministry: ministry(of),
                ministry_name_ko: facts.name_ko,
                ministry_name_en: facts.name_en,
                agency_code: facts.agency_code,
                name: "홍길동".to_owned(),
                unit: "기획조정실/정보화담당관".to_owned(),
                email: Some(format!("gildong{number}@example.go.kr")),
                groups: vec!["전자결재".to_owned()],
                roles: roles.to_vec(),
                language: "ko".to_owned(),
                account: format!("n{number:08}"),
            },
        );
        self.pretend.logons.lock().unwrap().insert(
            logon,
            LogonFacts {
                person,
                ministry: ministry(of),
                method: LogonMethod::Certificate,
                assurance: Assurance::CertificateTotp,
                amr: vec!["swk", "otp", "mfa"],
                authenticated_at: self.clock.now(),
                alive: true,
            },
        );
        Actor::with_roles(person, ministry(of), logon, roles.iter().copied())
    }

    pub(crate) async fn worker(&self, of: u128) -> Actor {
        self.person(of, &[Role::Worker]).await
    }

    pub(crate) async fn admin(&self, of: u128) -> Actor {
        self.person(of, &[Role::MinistryAdmin]).await
    }

    /// Changes what is known of a log-on.
    pub(crate) fn logon(&self, actor: &Actor, change: impl FnOnce(&mut LogonFacts)) {
        change(self.pretend.logons.lock().unwrap().get_mut(&actor.logon).unwrap());
    }

    /// What the site's rules say from now on.
    pub(crate) fn rules_say(&self, decision: AccessDecision) {
        *self.pretend.decision.lock().unwrap() = decision;
    }

    /// What the site's rules were asked.
    pub(crate) fn asked(&self) -> Vec<AccessQuestion> {
        self.pretend.asked.lock().unwrap().clone()
    }

    /// The newest entries of a ministry's record: action, outcome and detail.
    pub(crate) async fn record(&self, of: u128) -> Vec<(String, String, serde_json::Value)> {
        struct Entry(String, String, String);
        impl FromRow for Entry {
            fn from_row(row: &Row) -> Result<Self, Error> {
                Ok(Self(row.get("action")?, row.get("outcome")?, row.get("detail")?))
            }
        }
        let sql =
            "SELECT action, outcome, detail FROM audit WHERE stream = $1 ORDER BY sequence DESC LIMIT 20";
        let rows: Vec<Entry> = self.database.db.all(sql, params![ministry(of)]).await.unwrap();
        rows.into_iter()
            .map(|Entry(action, outcome, detail)| (action, outcome, serde_json::from_str(&detail).unwrap()))
            .collect()
    }

    pub(crate) async fn lines(&self, sql: &'static str) -> Vec<String> {
        let rows: Vec<Line> = self.database.db.all(sql, Vec::new()).await.unwrap();
        rows.into_iter().map(|Line(line)| line).collect()
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.clock.now()
    }
}

/// A form for an application of this protocol, offered to its own ministry.
pub(crate) fn form(name: &str, protocol: Protocol) -> ApplicationForm {
    ApplicationForm {
        name: Words {
            ko: name.to_owned(),
            en: String::new(),
        },
        description: Words::default(),
        group: Words::default(),
        place: 0,
        icon: IconForm::default(),
        label: Label::S,
        audience: AudienceForm {
            kind: AudienceKind::Ministry,
            ministries: Vec::new(),
        },
        state: ApplicationState::Active,
        protocol,
    }
}

/// A link.
pub(crate) fn link(name: &str) -> ApplicationForm {
    form(
        name,
        Protocol::Link(LinkSettings {
            url: "https://board.example.go.kr/".to_owned(),
        }),
    )
}
