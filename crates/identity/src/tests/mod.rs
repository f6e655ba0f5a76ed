//! The domain, whole: on a real database, over its routes, with certificates of a demo authority.

mod crash;
mod import;
mod logon;
mod moving;
mod people;
mod revocation;
mod scim;
mod second_factor;
mod sessions;
mod step_up;
mod tenants;
mod tls;
mod visits;

use std::{
    collections::BTreeMap,
    net::SocketAddr,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use axum::{Router, extract::Request, middleware};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use naru_kernel::{
    ApprovalId, CertificateId, Clock as _, Entropy, LogonId, MinistryId, PersonId, Role, Timestamp,
    fleet::CloseReason,
};
use naru_pki::demo::{self, DemoIdentity, DemoOptions, DemoPerson, DemoPki, KeyKind};
use naru_runtime::{Client, Peer, PortalOrigins};
use naru_store::{BoxFuture, Db, Entry, Tx};
use naru_testkit::{Answer, Browser, ManualClock, SeededEntropy, TestDatabase, totp_digits};
use serde_json::{Value, json};

use crate::{
    Agreed, Ask, AsksSecondPerson, ClosesWhatIsOpen, ClosureTarget, Identity, IdentityConfig, Leaver,
    NewMinistry, NotAsked, PersonForm, Refusal, authenticate, routes,
};

static SEED: AtomicU64 = AtomicU64::new(7);

pub(super) const ORIGIN: &str = "https://localhost:8443";

/// Remembers what was to be closed, and can refuse to.
#[derive(Default)]
pub(super) struct Desktops {
    closed: Mutex<Vec<(ClosureTarget, CloseReason)>>,
    ended: Mutex<Vec<Leaver>>,
    pub(super) running: Mutex<BTreeMap<PersonId, i64>>,
    woken: Mutex<usize>,
    fails: Mutex<bool>,
}

impl ClosesWhatIsOpen for Desktops {
    fn close<'t>(
        &'t self,
        _: &'t mut Tx,
        target: ClosureTarget,
        reason: CloseReason,
        _: Timestamp,
    ) -> BoxFuture<'t, Result<(), naru_store::Error>> {
        Box::pin(async move {
            if *self.fails.lock().unwrap() {
                return Err(naru_store::Error::DiskFull);
            }
            self.closed.lock().unwrap().push((target, reason));
            Ok(())
        })
    }

    fn end<'t>(
        &'t self,
        _: &'t mut Tx,
        leaver: Leaver,
        _: Timestamp,
    ) -> BoxFuture<'t, Result<(), naru_store::Error>> {
        Box::pin(async move {
            self.ended.lock().unwrap().push(leaver);
            Ok(())
        })
    }

    fn running(&self, _: MinistryId) -> BoxFuture<'_, Result<BTreeMap<PersonId, i64>, naru_store::Error>> {
        Box::pin(async move { Ok(self.running.lock().unwrap().clone()) })
    }

    fn wake(&self) {
        *self.woken.lock().unwrap() += 1;
    }
}

impl Desktops {
    pub(super) fn ended(&self) -> Vec<Leaver> {
        self.ended.lock().unwrap().clone()
    }

    pub(super) fn closed(&self) -> Vec<(ClosureTarget, CloseReason)> {
        self.closed.lock().unwrap().clone()
    }
}

/// Keeps what was asked in memory, until a test agrees.
#[derive(Default)]
pub(super) struct Questions(Mutex<Vec<(ApprovalId, Ask)>>);

impl AsksSecondPerson for Questions {
    fn ask<'t>(&'t self, _: &'t mut Tx, ask: Ask) -> BoxFuture<'t, Result<ApprovalId, NotAsked>> {
        Box::pin(async move {
            let mut asked = self.0.lock().unwrap();
            let same = |known: &Ask| (known.kind, &known.subject) == (ask.kind, &ask.subject);
            if asked.iter().any(|(_, known)| same(known)) {
                return Err(NotAsked::Already);
            }
            let id = ApprovalId::from_bits(u128::try_from(asked.len()).unwrap() + 1);
            asked.push((id, ask));
            Ok(id)
        })
    }
}

/// A person with their certificate.
#[derive(Clone)]
pub(super) struct Someone {
    pub(super) id: PersonId,
    pub(super) identity: DemoIdentity,
}

/// A platform with two ministries.
pub(super) struct World {
    pub(super) database: TestDatabase,
    pub(super) clock: Arc<ManualClock>,
    pub(super) entropy: Arc<SeededEntropy>,
    pub(super) desktops: Arc<Desktops>,
    pub(super) questions: Arc<Questions>,
    pub(super) pki: DemoPki,
    pub(super) lists: tempfile::TempDir,
    pub(super) identity: Arc<Identity>,
    pub(super) ministry: MinistryId,
    pub(super) foreign: MinistryId,
}

pub(super) fn demo_person(name: &str) -> DemoPerson {
    DemoPerson {
        ministry: "행정안전부".to_owned(),
        agency_code: "085".to_owned(),
        name: name.to_owned(),
        sequence: 1,
        password: "password".to_owned(),
    }
}

pub(super) fn client() -> Client {
    Client {
        address: "127.0.0.1".to_owned(),
        user_agent: "naru-test".to_owned(),
    }
}

/// The domain on a database.
async fn open<E: Entropy>(
    config: IdentityConfig,
    db: &Db,
    clock: &Arc<ManualClock>,
    entropy: &Arc<E>,
    desktops: &Arc<Desktops>,
) -> Identity {
    let (clock, entropy, desktops) = (Arc::clone(clock), Arc::clone(entropy), Arc::clone(desktops));
    Identity::open(config, db.clone(), clock, entropy, desktops)
        .await
        .unwrap()
}

impl World {
    /// One more portal of this world, on this database.
    pub(super) async fn portal<E: Entropy>(
        &self,
        config: IdentityConfig,
        db: &Db,
        entropy: &Arc<E>,
    ) -> Identity {
        open(config, db, &self.clock, entropy, &self.desktops).await
    }

    pub(super) async fn new() -> Self {
        let database = TestDatabase::open().await;
        let clock = Arc::new(ManualClock::default());
        // Each world has keys of its own.
        let entropy = Arc::new(SeededEntropy::new(SEED.fetch_add(1 << 32, Ordering::SeqCst)));
        let options = DemoOptions {
            keys: KeyKind::P256,
            ..DemoOptions::default()
        };
        let pki = demo::make(clock.now(), entropy.as_ref(), &[], options).unwrap();
        let lists = tempfile::tempdir().unwrap();
        let config = Self::config(&pki, &lists);
        let desktops = Arc::new(Desktops::default());
        let identity = open(config, &database.db, &clock, &entropy, &desktops).await;
        let identity = Arc::new(identity);
        let questions = Arc::new(Questions::default());
        identity.ask_by(Arc::<Questions>::clone(&questions));
        let new = |code: &str, is_platform| NewMinistry {
            name_ko: format!("부처 {code}"),
            name_en: format!("Ministry {code}"),
            agency_code: code.to_owned(),
            is_platform,
        };
        let ministry = identity.admin_create_ministry(&new("085", false)).await.unwrap();
        let foreign = identity.admin_create_ministry(&new("086", true)).await.unwrap();
        let world = Self {
            database,
            clock,
            entropy,
            desktops,
            questions,
            pki,
            lists,
            identity,
            ministry,
            foreign,
        };
        world.publish_lists().await;
        world
    }

    /// Agrees to what was asked last, as another administrator does.
    pub(super) async fn agree(&self, by: PersonId) -> Result<(), Refusal> {
        let (_, ask) = self.questions.0.lock().unwrap().pop().unwrap();
        let at = self.clock.now();
        let agreed = Agreed {
            ministry: ask.ministry,
            kind: ask.kind.to_owned(),
            asked_by: ask.asked_by,
            agreed_by: by,
            payload: ask.payload,
            at,
        };
        let act = naru_store::Act {
            at,
            action: "test.agree",
            by: naru_store::By::Platform("test"),
            ministry: Some(agreed.ministry),
            subject: String::new(),
            address: None,
        };
        let identity = Arc::clone(&self.identity);
        let done: Result<Result<(), Refusal>, crate::Error> = self
            .database
            .db
            .change(act, move |tx| {
                Box::pin(async move { identity.carry_out(tx, &agreed).await })
            })
            .await;
        done.unwrap()
    }

    pub(super) fn config(pki: &DemoPki, lists: &tempfile::TempDir) -> IdentityConfig {
        let file = |name: &str| lists.path().join(name).display().to_string();
        IdentityConfig {
            origin: ORIGIN.to_owned(),
            profiles: vec![pki.profile()],
            revocation_lists: vec![file("root.crl"), file("people.crl")],
            ..IdentityConfig::default()
        }
    }

    pub(super) async fn publish_lists(&self) {
        let [root, people] = self.pki.crls(self.clock.now()).unwrap();
        std::fs::write(self.lists.path().join("root.crl"), root).unwrap();
        std::fs::write(self.lists.path().join("people.crl"), people).unwrap();
        self.identity.refresh_revocations().await.unwrap();
    }

    pub(super) async fn person_in(&self, ministry: MinistryId, name: &str, roles: &[Role]) -> Someone {
        let identity = self
            .pki
            .issue(&demo_person(name), self.clock.now(), self.entropy.as_ref())
            .unwrap();
        let form = PersonForm {
            name: name.to_owned(),
            subject_name: identity.person.subject(),
            roles: roles.iter().map(|role| role.as_str().to_owned()).collect(),
            language: "ko".to_owned(),
            ..PersonForm::default()
        };
        let id = self.identity.admin_create_person(ministry, &form).await.unwrap();
        Someone { id, identity }
    }

    pub(super) async fn person(&self, name: &str) -> Someone {
        self.person_in(self.ministry, name, &[Role::Worker]).await
    }

    pub(super) fn router(&self, certificates: Vec<Vec<u8>>) -> Router {
        self.router_at([192, 0, 2, 7].into(), certificates)
    }

    /// For browsers at this address.
    pub(super) fn router_at(&self, address: core::net::IpAddr, certificates: Vec<Vec<u8>>) -> Router {
        let (router, _) = routes(Arc::clone(&self.identity)).finish();
        router
            .layer(middleware::from_fn_with_state(
                Arc::clone(&self.identity),
                authenticate,
            ))
            .layer(middleware::from_fn(
                move |mut request: Request, next: middleware::Next| {
                    let certificates: Vec<_> = certificates.iter().map(|der| der.clone().into()).collect();
                    request
                        .extensions_mut()
                        .insert(PortalOrigins(Arc::from([ORIGIN.to_owned()])));
                    request.extensions_mut().insert(Peer {
                        address: SocketAddr::from((address, 5_000)),
                        certificates: Arc::from(certificates),
                        server_name: None,
                    });
                    next.run(request)
                },
            ))
    }

    pub(super) fn browser(&self) -> Browser {
        Browser::new(self.router(Vec::new()), ORIGIN)
    }

    pub(super) async fn signed(&self, browser: &mut Browser, identity: &DemoIdentity) -> Value {
        let challenge = browser.post("/api/v1/logon/challenge", &json!({})).await;
        let content = STANDARD
            .decode(challenge.body["challenge"].as_str().unwrap())
            .unwrap();
        let issuing = self.pki.issuing.certificate.as_slice();
        let sign = &identity.sign;
        let message = demo::sign_cms(
            &content,
            &sign.certificate,
            &[issuing],
            &sign.key,
            self.clock.now(),
        );
        json!({ "signed": STANDARD.encode(message.unwrap()) })
    }

    /// The first factor.
    pub(super) async fn log_on(&self, browser: &mut Browser, identity: &DemoIdentity) -> Answer {
        let signed = self.signed(browser, identity).await;
        browser.post("/api/v1/logon/certificate", &signed).await
    }

    pub(super) async fn code_for(&self, someone: &Someone) -> String {
        self.identity
            .admin_activation_code(someone.id)
            .await
            .unwrap()
            .code
    }

    pub(super) fn digits(&self, secret: &str) -> String {
        totp_digits(secret, self.clock.now())
    }

    /// The whole first log-on with a TOTP key, which is given back.
    pub(super) async fn enrol(&self, browser: &mut Browser, someone: &Someone) -> String {
        let code = self.code_for(someone).await;
        assert_eq!(
            self.log_on(browser, &someone.identity).await.body["next"],
            "activate"
        );
        let activated = browser
            .post("/api/v1/logon/activation", &json!({ "code": code }))
            .await;
        assert_eq!(activated.body["next"], "enrol", "{:?}", activated.body);
        let offer = browser.post("/api/v1/logon/enrol/totp/start", &json!({})).await;
        let secret = offer.body["secret"].as_str().unwrap().to_owned();
        let code = self.digits(&secret);
        let done = browser
            .post("/api/v1/logon/enrol/totp/finish", &json!({ "code": code }))
            .await;
        assert_eq!(done.body["next"], "done", "{:?}", done.body);
        secret
    }

    /// A further log-on with the TOTP key, a minute later so that its code is a new one.
    pub(super) async fn sign_in(&self, browser: &mut Browser, someone: &Someone, secret: &str) {
        self.clock.advance(naru_kernel::Seconds(60));
        assert_eq!(
            self.log_on(browser, &someone.identity).await.body["next"],
            "second_factor"
        );
        let done = browser
            .post("/api/v1/logon/totp", &json!({ "code": self.digits(secret) }))
            .await;
        assert_eq!(done.body["next"], "done", "{:?}", done.body);
    }

    /// Somebody who is signed in.
    pub(super) async fn signed_in(&self, name: &str, roles: &[Role]) -> (Someone, Browser) {
        let someone = self.person_in(self.ministry, name, roles).await;
        let mut browser = self.browser();
        self.enrol(&mut browser, &someone).await;
        (someone, browser)
    }

    /// The record's entries of an action, in all chains, oldest first.
    pub(super) async fn record(&self, action: &str) -> Vec<Entry> {
        const ALL: &str = "SELECT stream, sequence, at, action, outcome, actor, subject, address, detail, hash \
                           FROM audit WHERE action = $1 ORDER BY at, sequence";
        self.database
            .db
            .all(ALL, naru_store::params![action])
            .await
            .unwrap()
    }

    pub(super) async fn count(&self, table: &'static str) -> i64 {
        let text = match table {
            "logons" => "SELECT COUNT(*) AS n FROM logons",
            "open" => "SELECT COUNT(*) AS n FROM logons WHERE state <> 'ended'",
            "tokens" => "SELECT COUNT(*) AS n FROM logon_tokens",
            "nonces" => "SELECT COUNT(*) AS n FROM used_nonces",
            "certificates" => "SELECT COUNT(*) AS n FROM certificates",
            "people" => "SELECT COUNT(*) AS n FROM people",
            "factors" => "SELECT COUNT(*) AS n FROM factors",
            "handovers" => "SELECT COUNT(*) AS n FROM handovers",
            other => panic!("{other} is not counted"),
        };
        self.database.db.one(text, Vec::new()).await.unwrap()
    }

    /// The identifier of a person's first certificate.
    pub(super) async fn certificate_of(&self, person: PersonId) -> CertificateId {
        let known = crate::store::certificates::of_person(&self.database.db, person)
            .await
            .unwrap();
        known[0].id
    }

    /// The kinds of alarms in the order of the alphabet: those of one instant have no other.
    pub(super) async fn alarms_sorted(&self) -> Vec<String> {
        let mut alarms = self.alarms().await;
        alarms.sort();
        alarms
    }

    pub(super) async fn alarms(&self) -> Vec<String> {
        struct Kind(String);
        impl naru_store::FromRow for Kind {
            fn from_row(row: &naru_store::Row) -> Result<Self, naru_store::Error> {
                row.get("kind").map(Self)
            }
        }
        let rows = self
            .database
            .db
            .all::<Kind>("SELECT kind FROM alarms ORDER BY id", Vec::new())
            .await;
        rows.unwrap().into_iter().map(|Kind(kind)| kind).collect()
    }
}

/// The identifier of a browser's session.
pub(super) async fn session_of(browser: &mut Browser) -> LogonId {
    let me = browser.get("/api/v1/me").await;
    me.body["session"]["id"].as_str().unwrap().parse().unwrap()
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
