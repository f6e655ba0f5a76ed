//! A portal's desktops with people, an authority and sessions that only pretend.

use std::{
    collections::BTreeSet,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, Ordering},
    },
};

use naru_kernel::{
    Actor, Clock as _, DesktopId, HostId, LogonId, MinistryId, PersonId, Role, Seconds, Zone,
    access::{AccessDecision, AccessQuestion, Assurance},
    fleet::{
        EnrolRequest, HostDesktop, HostDesktopState, HostLoad, NodeRole, Orders, Protocol, RelayReport,
        Report,
    },
};
use naru_relay::ticket::{self, Claims, PublicKey};
use naru_runtime::NodeCaller;
use naru_store::{BoxFuture, Db};
use naru_testkit::{ManualClock, SeededEntropy, TestDatabase};

use crate::{
    CertificateRefused, DecidesAccess, Desktops, DesktopsConfig, Error, IssuesNodeCertificates,
    KeepsSessionsAlive, KnowsPeople, NodeCertificate, NodeCertificateRequest, Opening, OpeningState, Parts,
    Seat, Standing,
};

pub(super) const ADDRESS: &str = "192.0.2.7";

#[derive(Default)]
struct Pretend {
    certificates: AtomicU64,
    active: Mutex<Vec<LogonId>>,
    /// What the site's rules say; they allow if nothing.
    says: Mutex<Option<AccessDecision>>,
    asked: Mutex<Vec<AccessQuestion>>,
}

impl IssuesNodeCertificates for Pretend {
    fn issue(&self, request: NodeCertificateRequest<'_>) -> Result<NodeCertificate, CertificateRefused> {
        if !request.request_pem.contains("REQUEST") {
            return Err(CertificateRefused::Request("not a request".to_owned()));
        }
        let number = self.certificates.fetch_add(1, Ordering::SeqCst);
        Ok(NodeCertificate {
            certificate_pem: format!("certificate of {}", request.node),
            authority_pem: "authority".to_owned(),
            sha256: format!("{number:064x}"),
        })
    }

    fn authority_sha256(&self) -> String {
        "a".repeat(64)
    }
}

impl KnowsPeople for Pretend {
    fn seat(&self, person: PersonId, _: MinistryId) -> BoxFuture<'_, Option<Seat>> {
        let account = format!("n{}", person.to_string().get(30..).unwrap_or_default());
        let seat = Seat {
            account,
            display_name: "홍길동".to_owned(),
            agency_code: "085".to_owned(),
        };
        Box::pin(async move { Some(seat) })
    }

    fn standing(&self, _: Actor) -> BoxFuture<'_, Option<Standing>> {
        let standing = Standing {
            groups: BTreeSet::from(["당직".to_owned()]),
            unit: "감사관실".to_owned(),
            assurance: Assurance::CertificateTotp,
        };
        Box::pin(async move { Some(standing) })
    }
}

impl DecidesAccess for Pretend {
    fn decide(&self, question: AccessQuestion) -> BoxFuture<'_, Result<AccessDecision, naru_store::Error>> {
        self.asked.lock().unwrap().push(question);
        let said = self.says.lock().unwrap().clone();
        let allowed = AccessDecision::Allowed { because: Vec::new() };
        Box::pin(async move { Ok(said.unwrap_or(allowed)) })
    }
}

impl KeepsSessionsAlive for Pretend {
    fn active(&self, logons: Vec<LogonId>) -> BoxFuture<'_, ()> {
        self.active.lock().unwrap().extend(logons);
        Box::pin(async {})
    }
}

pub(super) struct World {
    pub(super) database: TestDatabase,
    pub(super) clock: Arc<ManualClock>,
    pub(super) desktops: Arc<Desktops>,
    pretend: Arc<Pretend>,
}

pub(super) fn load() -> HostLoad {
    HostLoad {
        processors: 8,
        memory_total_mib: 64_000,
        memory_available_mib: 50_000,
        sessions_max: 100,
        ..HostLoad::default()
    }
}

pub(super) fn actor(number: u128, role: Role) -> Actor {
    let (person, ministry) = (PersonId::from_bits(number), MinistryId::from_bits(number % 2));
    Actor::with_roles(person, ministry, LogonId::from_bits(number), [role])
}

pub(super) fn person(number: u128) -> Actor {
    actor(number, Role::Worker)
}

pub(super) fn operator() -> Actor {
    actor(9_999, Role::Operator)
}

pub(super) fn host_report(boot: &str, desktops: &[(DesktopId, HostDesktopState, bool)]) -> Report {
    let sessions = i64::try_from(desktops.len()).unwrap();
    let desktop = |(desktop, state, attached): &(DesktopId, HostDesktopState, bool)| HostDesktop {
        desktop: *desktop,
        state: *state,
        attached: *attached,
    };
    Report {
        boot: boot.to_owned(),
        load: Some(HostLoad { sessions, ..load() }),
        desktops: desktops.iter().map(desktop).collect(),
        ..Report::default()
    }
}

impl World {
    pub(super) async fn new() -> Self {
        let database = TestDatabase::open().await;
        let clock = Arc::new(ManualClock::default());
        let pretend = Arc::new(Pretend::default());
        let desktops = Self::portal(&database.db, &clock, &pretend, 1).await;
        Self {
            database,
            clock,
            desktops,
            pretend,
        }
    }

    async fn portal(db: &Db, clock: &Arc<ManualClock>, pretend: &Arc<Pretend>, seed: u64) -> Arc<Desktops> {
        let parts = Parts {
            config: DesktopsConfig {
                sync_hold_ms_max: 20,
                ..DesktopsConfig::default()
            },
            db: db.clone(),
            clock: Arc::<ManualClock>::clone(clock),
            entropy: Arc::new(SeededEntropy::new(seed)),
            certificates: Arc::<Pretend>::clone(pretend),
            people: Arc::<Pretend>::clone(pretend),
            sessions: Arc::<Pretend>::clone(pretend),
            rules: Arc::<Pretend>::clone(pretend),
        };
        Desktops::start(parts).await.unwrap()
    }

    /// Another portal process on the same database; with `seed` its random numbers differ.
    pub(super) async fn another_portal(&self, seed: u64) -> Arc<Desktops> {
        Self::portal(&self.database.db, &self.clock, &self.pretend, seed).await
    }

    /// From now on the site's rules say this.
    pub(super) fn rules_say(&self, decision: AccessDecision) {
        *self.pretend.says.lock().unwrap() = Some(decision);
    }

    /// What the site's rules were asked.
    pub(super) fn asked(&self) -> Vec<AccessQuestion> {
        std::mem::take(&mut *self.pretend.asked.lock().unwrap())
    }

    pub(super) fn db(&self) -> &Db {
        &self.database.db
    }

    pub(super) fn advance(&self, seconds: i64) {
        self.clock.advance(Seconds(seconds));
    }

    pub(super) fn active(&self) -> Vec<LogonId> {
        std::mem::take(&mut *self.pretend.active.lock().unwrap())
    }

    pub(super) async fn token(&self, role: NodeRole) -> String {
        let made = self
            .desktops
            .make_token(&operator(), ADDRESS, role, "node".to_owned())
            .await;
        made.unwrap().token
    }

    pub(super) fn enrolment(role: NodeRole, token: String) -> EnrolRequest {
        EnrolRequest {
            token,
            role,
            name: "self-made".to_owned(),
            address: match role {
                NodeRole::Host => "127.0.0.1:8446".to_owned(),
                NodeRole::Gateway => "https://localhost:8444/".to_owned(),
            },
            zone: Zone::business(),
            protocols: vec![Protocol::Rfb],
            certificate_request_pem: "CERTIFICATE REQUEST".to_owned(),
        }
    }

    /// Enrols a node of the business zone.
    pub(super) async fn node(&self, role: NodeRole) -> NodeCaller {
        let token = self.token(role).await;
        let answer = self
            .desktops
            .enrol(ADDRESS, Self::enrolment(role, token))
            .await
            .unwrap();
        NodeCaller {
            node: answer.node,
            role,
        }
    }

    /// Enrols a host and lets it report.
    pub(super) async fn host(&self) -> NodeCaller {
        let host = self.node(NodeRole::Host).await;
        self.report(host, &[]).await;
        host
    }

    /// Enrols a gateway and lets it report.
    pub(super) async fn gateway(&self) -> NodeCaller {
        let gateway = self.node(NodeRole::Gateway).await;
        self.sync(gateway, Report::default()).await.unwrap();
        gateway
    }

    /// One gateway and so many hosts, all in service.
    pub(super) async fn fleet(hosts: usize) -> (Self, NodeCaller, Vec<NodeCaller>) {
        let world = Self::new().await;
        let gateway = world.gateway().await;
        let mut callers = Vec::new();
        for _ in 0..hosts {
            callers.push(world.host().await);
        }
        (world, gateway, callers)
    }

    pub(super) async fn sync(&self, node: NodeCaller, report: Report) -> Result<Orders, Error> {
        self.desktops.sync(node, report).await
    }

    /// A host reports these desktops.
    pub(super) async fn report(
        &self,
        host: NodeCaller,
        desktops: &[(DesktopId, HostDesktopState, bool)],
    ) -> Orders {
        self.sync(host, host_report("boot-1", desktops)).await.unwrap()
    }

    /// A gateway reports these relays.
    pub(super) async fn relays(&self, gateway: NodeCaller, relays: Vec<RelayReport>) -> Orders {
        self.sync(
            gateway,
            Report {
                relays,
                ..Report::default()
            },
        )
        .await
        .unwrap()
    }

    pub(super) fn relay(&self, opening: &Opening, bytes_in: i64) -> RelayReport {
        RelayReport {
            desktop: opening.desktop,
            ticket: self.claims(opening).id,
            opened_at: self.clock.now(),
            bytes_out: bytes_in * 10,
            bytes_in,
            round_trip_us: Some(900),
            idle_seconds: Some(0),
            closed: None,
        }
    }

    pub(super) async fn open(&self, actor: &Actor) -> Result<Opening, Error> {
        self.desktops
            .open(actor, ADDRESS, Zone::business(), Protocol::Rfb)
            .await
    }

    /// Opens, and lets its host report it running.
    pub(super) async fn running(&self, actor: &Actor) -> (Opening, NodeCaller) {
        let opening = self.open(actor).await.unwrap();
        assert_eq!(opening.state, OpeningState::Ready);
        let host = NodeCaller {
            node: self.claims(&opening).host,
            role: NodeRole::Host,
        };
        self.report(host, &[(opening.desktop, HostDesktopState::Running, true)])
            .await;
        (opening, host)
    }

    /// What the ticket says, verified as a gateway does.
    pub(super) fn claims(&self, opening: &Opening) -> Claims {
        let text = opening.ticket.as_deref().unwrap_or_default();
        let keys = self.desktops.ticket_keys().unwrap();
        let keys: Vec<PublicKey> = keys.iter().map(|key| PublicKey::from_hex(key).unwrap()).collect();
        ticket::verify(text, &keys, self.clock.now()).unwrap()
    }

    /// Lets all these hosts and gateways report that nothing is new.
    pub(super) async fn beat(&self, nodes: &[NodeCaller]) {
        for node in nodes {
            let report = match node.role {
                NodeRole::Host => host_report("boot-1", &[]),
                NodeRole::Gateway => Report::default(),
            };
            self.sync(*node, report).await.unwrap();
        }
    }

    /// Actions of the record, oldest first.
    pub(super) async fn record(&self, stream: &str) -> Vec<(String, String)> {
        struct Entry(String, String);
        impl naru_store::FromRow for Entry {
            fn from_row(row: &naru_store::Row) -> Result<Self, naru_store::Error> {
                Ok(Self(row.get("action")?, row.get("outcome")?))
            }
        }
        let sql = "SELECT action, outcome FROM audit WHERE stream = $1 ORDER BY sequence";
        let rows: Vec<Entry> = self.db().all(sql, naru_store::params![stream]).await.unwrap();
        rows.into_iter().map(|entry| (entry.0, entry.1)).collect()
    }

    pub(super) fn host_of(&self, opening: &Opening) -> HostId {
        self.claims(opening).host
    }
}
