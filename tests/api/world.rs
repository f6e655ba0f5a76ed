//! A portal with two ministries, a fleet, and people who sign in as people do.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU16, Ordering},
    },
};

use axum::{Router, extract::Request, middleware};
use naru_audit::{AuditConfig, Signer};
use naru_desktops::DesktopsConfig;
use naru_identity::{IdentityConfig, NewMinistry, PersonForm};
use naru_kernel::{
    Clock as _, MinistryId, PersonId, Role, Zone,
    fleet::{EnrolAnswer, EnrolRequest, HostLoad, NodeRole, Protocol, Report},
};
use naru_pki::demo::{self, DemoIdentity, DemoOptions, DemoPerson, DemoPki, KeyKind};
use naru_portal::{Portal, PortalConfig, Settings};
use naru_runtime::{Peer, RouteEntry};
use naru_testkit::{Browser, ManualClock, SeededEntropy, TestDatabase, enrol_totp, show_certificate};
use rustls_pki_types::{CertificateDer, pem::PemObject as _};
use serde_json::{Value, json};

/// Longer than any run's number of people; agency codes tell ministries apart.
static SEQUENCE: AtomicU16 = AtomicU16::new(1);

pub(crate) const CERTIFICATE_DOOR: &str = "/api/v1/logon/tls";

/// A ministry of the world.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Side {
    /// Runs the platform: the only one that may have operators.
    Platform,
    /// Like all others.
    Ordinary,
}

impl Side {
    pub(crate) const fn other(self) -> Self {
        match self {
            Self::Platform => Self::Ordinary,
            Self::Ordinary => Self::Platform,
        }
    }
}

pub(crate) struct World {
    pub(crate) database: TestDatabase,
    pub(crate) clock: Arc<ManualClock>,
    pub(crate) portal: Portal,
    pub(crate) config: PortalConfig,
    pub(crate) table: Vec<RouteEntry>,
    pub(crate) gateway: Node,
    pub(crate) host: Node,
    pki: DemoPki,
    entropy: Arc<SeededEntropy>,
    platform: MinistryId,
    ordinary: MinistryId,
    _lists: tempfile::TempDir,
}

/// A person who is signed in.
pub(crate) struct Member {
    pub(crate) id: PersonId,
    pub(crate) identity: DemoIdentity,
    pub(crate) secret: String,
    pub(crate) browser: Browser,
}

/// An enrolled gateway or host.
#[derive(Clone)]
pub(crate) struct Node {
    pub(crate) id: String,
    certificate: CertificateDer<'static>,
}

impl World {
    pub(crate) async fn new() -> Self {
        let database = TestDatabase::open().await;
        let clock = Arc::new(ManualClock::default());
        let entropy = Arc::new(SeededEntropy::new(11));
        let options = DemoOptions {
            keys: KeyKind::P256,
            ..DemoOptions::default()
        };
        let pki = demo::make(clock.now(), entropy.as_ref(), &[], options).unwrap();
        let lists = tempfile::tempdir().unwrap();
        let mut revocation_lists = Vec::new();
        for (name, list) in ["root.crl", "people.crl"]
            .into_iter()
            .zip(pki.crls(clock.now()).unwrap())
        {
            let path = lists.path().join(name);
            std::fs::write(&path, list).unwrap();
            revocation_lists.push(path.display().to_string());
        }
        let config = PortalConfig::default();
        let settings = Settings {
            store_url: database.url.clone(),
            portal: config.clone(),
            identity: IdentityConfig {
                origin: config.origin(),
                certificate_door: config.certificate_door(),
                profiles: vec![pki.profile()],
                revocation_lists,
                ..IdentityConfig::default()
            },
            desktops: DesktopsConfig {
                sync_hold_ms_max: 20,
                ..DesktopsConfig::default()
            },
            audit: AuditConfig {
                witnessed: vec![witnessed_log().log_key().to_string()],
                ..AuditConfig::default()
            },
        };
        let portal = Portal::open(
            settings,
            Arc::<ManualClock>::clone(&clock),
            Arc::<SeededEntropy>::clone(&entropy),
        )
        .await
        .unwrap();
        portal.identity().refresh_revocations().await.unwrap();
        let ministry = |code: &str, is_platform| NewMinistry {
            name_ko: format!("부처 {code}"),
            name_en: format!("Ministry {code}"),
            agency_code: code.to_owned(),
            is_platform,
        };
        let identity = portal.identity();
        let platform = identity
            .admin_create_ministry(&ministry("085", true))
            .await
            .unwrap();
        let ordinary = identity
            .admin_create_ministry(&ministry("051", false))
            .await
            .unwrap();
        let mut fleet = Vec::new();
        for role in [NodeRole::Gateway, NodeRole::Host] {
            let token = portal.enrolment_token(role, role.as_str()).await.unwrap();
            fleet.push(enrol(&mut bare_browser(&portal, &config, Vec::new()), role, token).await);
        }
        let (host, gateway) = (fleet.pop().unwrap(), fleet.pop().unwrap());
        let table = portal.route_table();
        let world = Self {
            database,
            clock,
            portal,
            config,
            table,
            gateway,
            host,
            pki,
            entropy,
            platform,
            ordinary,
            _lists: lists,
        };
        world.fleet_reports().await;
        world
    }

    pub(crate) const fn ministry(&self, side: Side) -> MinistryId {
        match side {
            Side::Platform => self.platform,
            Side::Ordinary => self.ordinary,
        }
    }

    /// A browser without cookies.
    pub(crate) fn browser(&self) -> Browser {
        self.browser_with(Vec::new())
    }

    /// A browser that shows these certificates in TLS.
    pub(crate) fn browser_with(&self, certificates: Vec<CertificateDer<'static>>) -> Browser {
        bare_browser(&self.portal, &self.config, certificates)
    }

    /// A browser at this address that shows these certificates in TLS.
    pub(crate) fn browser_at(&self, address: [u8; 4], certificates: Vec<CertificateDer<'static>>) -> Browser {
        let router = router_at(&self.portal, &self.config, address, certificates);
        Browser::new(router, &self.config.origin())
    }

    /// The chain a person's browser shows in TLS.
    pub(crate) fn chain_of(&self, identity: &DemoIdentity) -> Vec<CertificateDer<'static>> {
        let chain = [&identity.sign.certificate, &self.pki.issuing.certificate];
        chain.map(|der| CertificateDer::from(der.clone())).into()
    }

    /// A node's own connection to the fleet door.
    pub(crate) fn node_browser(&self, node: &Node) -> Browser {
        self.browser_with(vec![node.certificate.clone()])
    }

    /// Gateway and host report, as they do every two seconds.
    pub(crate) async fn fleet_reports(&self) {
        for node in [&self.gateway, &self.host] {
            let answer = self
                .node_browser(node)
                .post("/fleet/v1/sync", &self.report())
                .await;
            assert!(answer.status.is_success(), "{:?}", answer.body);
        }
    }

    /// What an idle, roomy node reports.
    #[expect(clippy::unused_self, reason = "reads like the rest")]
    pub(crate) fn report(&self) -> Report {
        Report {
            boot: "boot-1".to_owned(),
            load: Some(HostLoad {
                processors: 8,
                memory_total_mib: 64_000,
                memory_available_mib: 50_000,
                sessions_max: 100,
                ..HostLoad::default()
            }),
            ..Report::default()
        }
    }

    /// One more host of the fleet.
    pub(crate) async fn another_host(&self) -> Node {
        let token = self.portal.enrolment_token(NodeRole::Host, "more").await.unwrap();
        enrol(&mut self.browser(), NodeRole::Host, token).await
    }

    /// Somebody with a certificate who never logged on.
    pub(crate) async fn somebody(&self, side: Side, roles: &[Role]) -> (PersonId, DemoIdentity) {
        let person = DemoPerson {
            ministry: "행정안전부".to_owned(),
            agency_code: "085".to_owned(),
            name: "홍길동".to_owned(),
            sequence: SEQUENCE.fetch_add(1, Ordering::SeqCst),
            password: "password".to_owned(),
        };
        let identity = self
            .pki
            .issue(&person, self.clock.now(), self.entropy.as_ref())
            .unwrap();
        let form = PersonForm {
            name: person.name.clone(),
            subject_name: person.subject(),
            roles: roles.iter().map(|role| role.as_str().to_owned()).collect(),
            language: "ko".to_owned(),
            ..PersonForm::default()
        };
        let id = self
            .portal
            .identity()
            .admin_create_person(self.ministry(side), &form)
            .await
            .unwrap();
        (id, identity)
    }

    pub(crate) async fn activation_code(&self, person: PersonId) -> String {
        let code = self.portal.identity().admin_activation_code(person).await;
        code.unwrap().code
    }

    /// A browser that showed this certificate and still owes the second factor.
    pub(crate) async fn first_factor(&self, identity: &DemoIdentity) -> Browser {
        let mut browser = self.browser();
        let answer = self.show(&mut browser, identity).await;
        assert!(answer.status.is_success(), "{:?}", answer.body);
        browser
    }

    pub(crate) async fn show(&self, browser: &mut Browser, identity: &DemoIdentity) -> naru_testkit::Answer {
        let issuing = &self.pki.issuing.certificate;
        show_certificate(browser, identity, issuing, self.clock.now()).await
    }

    /// Somebody new who showed a certificate and gave the activation code.
    pub(crate) async fn activated(&self) -> Browser {
        let (id, identity) = self.somebody(Side::Ordinary, &[Role::Worker]).await;
        let mut browser = self.first_factor(&identity).await;
        let code = self.activation_code(id).await;
        let answer = browser
            .post("/api/v1/logon/activation", &json!({ "code": code }))
            .await;
        assert_eq!(answer.body["next"], "enrol");
        browser
    }

    /// Somebody new with these roles, signed in.
    pub(crate) async fn member(&self, side: Side, roles: &[Role]) -> Member {
        let (id, identity) = self.somebody(side, roles).await;
        let mut browser = self.first_factor(&identity).await;
        let code = self.activation_code(id).await;
        let secret = enrol_totp(&mut browser, &code, self.clock.now()).await;
        Member {
            id,
            identity,
            secret,
            browser,
        }
    }

    /// Opens a desktop for a worker; gives its id.
    pub(crate) async fn open_desktop(&self, browser: &mut Browser) -> String {
        let wish = json!({ "zone": "business", "protocol": "rfb" });
        let opening = browser.post("/api/v1/desktops", &wish).await;
        assert_eq!(opening.body["state"], "ready", "{:?}", opening.body);
        text(&opening.body["desktop"])
    }

    /// How many entries the record has, in all its chains.
    pub(crate) async fn entries(&self) -> i64 {
        let sql = "SELECT COUNT(*) AS n FROM audit";
        self.database.db.one(sql, Vec::new()).await.unwrap()
    }

    /// What a statement counts.
    pub(crate) async fn count(&self, sql: &'static str) -> i64 {
        self.database.db.one(sql, Vec::new()).await.unwrap()
    }

    /// The body that answers a challenge.
    pub(crate) fn sign(&self, challenge: &naru_testkit::Answer, identity: &DemoIdentity) -> Value {
        let issuing = &self.pki.issuing.certificate;
        naru_testkit::sign_challenge(challenge, identity, issuing, self.clock.now())
    }

    /// What people and things there are and in which state, line by line.
    pub(crate) async fn snapshot(&self) -> Vec<String> {
        const PARTS: &[&str] = &[
            "SELECT id || ' ' || state AS line FROM people ORDER BY id",
            "SELECT person || ' ' || ministry || ' ' || state || ' ' || unit AS line FROM memberships ORDER BY person, ministry",
            "SELECT id || ' ' || role || ' ' || within || ' ' || scope AS line FROM role_grants ORDER BY id",
            "SELECT id || ' ' || name AS line FROM groups_of_people ORDER BY id",
            "SELECT member_group || ' ' || person AS line FROM group_members ORDER BY member_group, person",
            "SELECT id || ' ' || name AS line FROM scim_tokens ORDER BY id",
            "SELECT id || ' ' || name_ko AS line FROM ministries ORDER BY id",
            "SELECT id || ' ' || state AS line FROM certificates ORDER BY id",
            "SELECT id || ' ' || state AS line FROM logons ORDER BY id",
            "SELECT id || ' ' || kind AS line FROM factors ORDER BY id",
            "SELECT person || ' ' || created_at AS line FROM activations ORDER BY person",
            "SELECT id || ' ' || state AS line FROM desktops ORDER BY id",
            "SELECT id || ' ' || state AS line FROM nodes ORDER BY id",
            "SELECT secret_sha256 AS line FROM enrolment_tokens ORDER BY secret_sha256",
            "SELECT id || ' ' || changed_at || ' ' || state AS line FROM applications ORDER BY id",
            "SELECT application || ' ' || person AS line FROM tile_uses ORDER BY application, person",
            "SELECT id || ' ' || changed_at AS line FROM notices ORDER BY id",
            "SELECT ministry || ' ' || changed_at AS line FROM ministry_looks ORDER BY ministry",
            "SELECT id || ' ' || changed_at AS line FROM groups_of_people ORDER BY id",
            "SELECT member_group || ' ' || person AS line FROM group_members ORDER BY member_group, person",
            "SELECT id || ' ' || role AS line FROM role_grants ORDER BY id",
            "SELECT person || ' ' || ministry || ' ' || state AS line FROM memberships ORDER BY person, ministry",
            "SELECT id AS line FROM scim_tokens ORDER BY id",
            "SELECT id || ' ' || state AS line FROM approvals ORDER BY id",
            "SELECT id AS line FROM sign_on_grants ORDER BY id",
            "SELECT person || ' ' || application AS line FROM consents ORDER BY person, application",
        ];
        let mut lines = Vec::new();
        for part in PARTS {
            lines.extend(self.lines(part).await);
        }
        lines
    }

    async fn lines(&self, sql: &'static str) -> Vec<String> {
        struct Line(String);
        impl naru_store::FromRow for Line {
            fn from_row(row: &naru_store::Row) -> Result<Self, naru_store::Error> {
                row.get("line").map(Self)
            }
        }
        let rows: Vec<Line> = self.database.db.all(sql, Vec::new()).await.unwrap();
        rows.into_iter().map(|Line(line)| line).collect()
    }
}

/// The log of another installation that this one witnesses.
pub(crate) fn witnessed_log() -> Signer {
    Signer::new("elsewhere.example", &[3; 32]).unwrap()
}

/// A JSON text.
pub(crate) fn text(value: &Value) -> String {
    value
        .as_str()
        .unwrap_or_else(|| panic!("{value} is no text"))
        .to_owned()
}

fn bare_browser(
    portal: &Portal,
    config: &PortalConfig,
    certificates: Vec<CertificateDer<'static>>,
) -> Browser {
    Browser::new(router(portal, config, certificates), &config.origin())
}

/// Both doors in one, as if every request came over TLS by the name its path belongs to.
fn router(portal: &Portal, config: &PortalConfig, certificates: Vec<CertificateDer<'static>>) -> Router {
    router_at(portal, config, [192, 0, 2, 7], certificates)
}

fn router_at(
    portal: &Portal,
    config: &PortalConfig,
    address: [u8; 4],
    certificates: Vec<CertificateDer<'static>>,
) -> Router {
    let certificates: Arc<[CertificateDer<'static>]> = certificates.into();
    let names: [Arc<str>; 2] = [config.host.as_str().into(), config.certificate_host().into()];
    portal
        .public_router(config)
        .merge(portal.fleet_router())
        .layer(middleware::from_fn(
            move |mut request: Request, next: middleware::Next| {
                let [host, certificate_host] = &names;
                let name = if request.uri().path() == CERTIFICATE_DOOR {
                    certificate_host
                } else {
                    host
                };
                request.extensions_mut().insert(Peer {
                    address: SocketAddr::from((address, 5_000)),
                    certificates: Arc::clone(&certificates),
                    server_name: Some(Arc::clone(name)),
                });
                next.run(request)
            },
        ))
}

/// What a node with this token says of itself.
pub(crate) fn enrolment(role: NodeRole, token: String) -> EnrolRequest {
    let key = rcgen::KeyPair::generate().unwrap();
    let request = rcgen::CertificateParams::default().serialize_request(&key);
    EnrolRequest {
        token,
        role,
        name: role.as_str().to_owned(),
        address: match role {
            NodeRole::Host => "localhost:8446".to_owned(),
            NodeRole::Gateway => "wss://localhost:8444".to_owned(),
        },
        zone: Zone::business(),
        protocols: match role {
            NodeRole::Host => vec![Protocol::Rfb],
            NodeRole::Gateway => Vec::new(),
        },
        certificate_request_pem: request.unwrap().pem().unwrap(),
    }
}

async fn enrol(browser: &mut Browser, role: NodeRole, token: String) -> Node {
    let answer = browser.post("/fleet/v1/enrol", &enrolment(role, token)).await;
    assert!(answer.status.is_success(), "{:?}", answer.body);
    let enrolled: EnrolAnswer = serde_json::from_value(answer.body).unwrap();
    Node {
        id: enrolled.node.to_string(),
        certificate: CertificateDer::from_pem_slice(enrolled.certificate_pem.as_bytes()).unwrap(),
    }
}
