use naru_desktops::{
    DecidesAccess, Desktops, DesktopsConfig, KeepsSessionsAlive, KnowsPeople, Parts, Seat, Standing,
};
use naru_kernel::{
    Actor, HostId, LogonId, MinistryId, PersonId, Role, Zone,
    access::{AccessDecision, AccessQuestion},
    fleet::{NodeRole, Orders, Protocol, Report},
};
use naru_runtime::{
    Tasks,
    fleet::{Enrolment, FleetError, enrol},
    http_client::{ClientError, HttpsClient},
    tls::Credentials,
};
use naru_store::BoxFuture;
use naru_testkit::{ManualClock, SeededEntropy, TestDatabase};
use rustls::{
    client::{WebPkiServerVerifier, danger::ServerCertVerifier as _},
    pki_types::{ServerName, UnixTime},
};

use super::*;

async fn open(database: &TestDatabase) -> Authority {
    let clock = Arc::new(ManualClock::default());
    Authority::open(&database.db, clock, &SeededEntropy::new(1))
        .await
        .unwrap()
}

fn at(seconds: i64) -> UnixTime {
    UnixTime::since_unix_epoch(Duration::from_secs(u64::try_from(seconds).unwrap()))
}

fn request(key: &KeyPair) -> String {
    CertificateParams::default()
        .serialize_request(key)
        .unwrap()
        .pem()
        .unwrap()
}

fn asked(pem: &str) -> NodeCertificateRequest<'_> {
    NodeCertificateRequest {
        request_pem: pem,
        role: NodeRole::Host,
        node: HostId::from_bits(0x0198_0000_0000_7000_8000_0000_0000_0007),
        server_name: "127.0.0.1",
    }
}

#[tokio::test]
async fn it_is_made_once_and_its_certificates_hold() {
    let database = TestDatabase::open().await;
    let authority = open(&database).await;
    assert_eq!(
        open(&database).await.certificate_pem(),
        authority.certificate_pem()
    );

    let now = ManualClock::default().now().as_seconds();
    let roots = tls::roots(authority.certificate_pem()).unwrap();
    let verifier = WebPkiServerVerifier::builder_with_provider(roots, tls::provider())
        .build()
        .unwrap();
    let names = ["portal.example".to_owned(), "::1".to_owned()];
    let (chain, key) = authority.server_certificate(&names).unwrap();
    let door = Credentials::from_pem(&chain, &key).unwrap();
    let [certificate, issuer] = door.chain.as_slice() else {
        panic!("certificate and authority")
    };
    assert_eq!(sha256(issuer), authority.authority_sha256());
    let check = |name: &str, when| {
        let name = ServerName::try_from(name.to_owned()).unwrap();
        verifier.verify_server_cert(certificate, std::slice::from_ref(issuer), &name, &[], at(when))
    };
    assert!(check("portal.example", now).is_ok());
    assert!(check("::1", now + 364 * 86_400).is_ok());
    assert!(check("other.example", now).is_err());
    assert!(check("portal.example", now + 366 * 86_400).is_err());
    assert!(tls::server(door.clone(), None, &["h2"]).is_ok());
}

#[tokio::test]
async fn a_node_is_named_and_no_more_than_asked_is_given() {
    let database = TestDatabase::open().await;
    let authority = open(&database).await;
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let pem = request(&key);
    let issued = authority.issue(asked(&pem)).unwrap();
    let node = Credentials::from_pem(&issued.certificate_pem, &key.serialize_pem()).unwrap();
    let certificate = node.chain.first().unwrap();
    assert_eq!(
        tls::node_of(certificate),
        Some((NodeRole::Host, asked(&pem).node))
    );
    assert_eq!(sha256(certificate), issued.sha256);
    let clients = tls::demand_client(authority.certificate_pem()).unwrap();
    let now = at(ManualClock::default().now().as_seconds());
    assert!(clients.verify_client_cert(certificate, &[], now).is_ok());
    assert!(tls::server(node, Some(clients), &[]).is_ok());

    let other = TestDatabase::open().await;
    let other = Authority::open(
        &other.db,
        Arc::new(ManualClock::default()),
        &SeededEntropy::new(2),
    )
    .await;
    let strangers = tls::demand_client(other.unwrap().certificate_pem()).unwrap();
    let Ok(stranger) = Credentials::from_pem(&issued.certificate_pem, &key.serialize_pem()) else {
        panic!()
    };
    assert!(
        strangers
            .verify_client_cert(stranger.chain.first().unwrap(), &[], now)
            .is_err()
    );
}

#[tokio::test]
async fn unusable_requests_are_refused() {
    let database = TestDatabase::open().await;
    let authority = open(&database).await;
    let key = KeyPair::generate_for(&rcgen::PKCS_ECDSA_P384_SHA384).unwrap();
    let other = request(&key);
    let key = KeyPair::generate_for(&PKCS_ECDSA_P256_SHA256).unwrap();
    let good = request(&key);
    let altered = good.replacen("MII", "MIJ", 1).replacen('A', "B", 3);
    for pem in [
        "",
        "-----BEGIN CERTIFICATE REQUEST-----\nAAAA\n-----END CERTIFICATE REQUEST-----",
        &other,
        &altered,
    ] {
        let refused = authority.issue(asked(pem));
        assert!(matches!(refused, Err(CertificateRefused::Request(_))), "{pem}");
    }
    let nameless = NodeCertificateRequest {
        server_name: "no name",
        ..asked(&good)
    };
    assert!(matches!(
        authority.issue(nameless),
        Err(CertificateRefused::Request(_))
    ));
    assert!(authority.server_certificate(&[]).is_err());
    for statement in statements() {
        database.db.prepare(statement).await.unwrap();
    }
}

struct Nobody;

impl KnowsPeople for Nobody {
    fn seat(&self, _: PersonId, _: MinistryId) -> BoxFuture<'_, Option<Seat>> {
        Box::pin(async { None })
    }

    fn standing(&self, _: Actor) -> BoxFuture<'_, Option<Standing>> {
        Box::pin(async { None })
    }
}

impl DecidesAccess for Nobody {
    fn decide(&self, _: AccessQuestion) -> BoxFuture<'_, Result<AccessDecision, naru_store::Error>> {
        Box::pin(async { Ok(AccessDecision::Allowed { because: Vec::new() }) })
    }
}

impl KeepsSessionsAlive for Nobody {
    fn active(&self, _: Vec<LogonId>) -> BoxFuture<'_, ()> {
        Box::pin(async {})
    }
}

/// A fleet door on loopback; gives its address. Certificates are checked by the machine's clock.
async fn fleet_door(database: &TestDatabase, tasks: &Tasks) -> (Arc<Desktops>, String) {
    let clock: Arc<dyn Clock> = Arc::new(naru_runtime::clock::SystemClock);
    let entropy: Arc<dyn Entropy> = Arc::new(naru_runtime::clock::SystemEntropy);
    let authority = Authority::open(&database.db, Arc::clone(&clock), entropy.as_ref())
        .await
        .unwrap();
    let (chain, key) = authority.server_certificate(&["127.0.0.1".to_owned()]).unwrap();
    let clients = tls::allow_client(authority.certificate_pem()).unwrap();
    let credentials = Credentials::from_pem(&chain, &key).unwrap();
    let config = tls::server(credentials, Some(clients), &["http/1.1"]).unwrap();
    let listener = tokio::net::TcpListener::bind("127.0.0.1:0").await.unwrap();
    let address = listener.local_addr().unwrap().to_string();
    let desktops = Desktops::start(Parts {
        config: DesktopsConfig {
            sync_hold_ms_max: 20,
            ..DesktopsConfig::default()
        },
        db: database.db.clone(),
        clock,
        entropy,
        certificates: Arc::new(authority),
        people: Arc::new(Nobody),
        sessions: Arc::new(Nobody),
        rules: Arc::new(Nobody),
    })
    .await
    .unwrap();
    let (router, _) = naru_desktops::fleet_routes(Arc::clone(&desktops)).finish();
    let choose: tls::ChooseConfig = Arc::new(move |_| Arc::clone(&config));
    drop(tasks.spawn(tls::serve(listener, choose, router, tasks.shutdown())));
    (desktops, address)
}

#[tokio::test]
async fn a_node_enrols_and_syncs_over_the_wire_until_it_is_removed() {
    let (database, tasks) = (TestDatabase::open().await, Tasks::new());
    let (desktops, portal) = fleet_door(&database, &tasks).await;
    let token = desktops
        .make_token_as_platform(NodeRole::Host, "rack 7")
        .await
        .unwrap()
        .token;
    let enrolment = |token: String| Enrolment {
        token,
        portal: portal.clone(),
        role: NodeRole::Host,
        name: "rack 7".to_owned(),
        address: "127.0.0.1:8446".to_owned(),
        zone: Zone::business(),
        protocols: vec![Protocol::Rfb],
    };
    // A token of another portal: the node does not even send it.
    let (secret, authority) = token.split_once('.').unwrap();
    let foreign = format!("{secret}.{}", "0".repeat(64));
    assert!(matches!(
        enrol(enrolment(foreign)).await,
        Err(FleetError::Client(ClientError::Unreachable { .. }))
    ));
    assert_eq!(authority.len(), 64);
    let identity = enrol(enrolment(token.clone())).await.unwrap();
    let Err(FleetError::Client(ClientError::Refused(used))) = enrol(enrolment(token)).await else {
        panic!("a used token is refused")
    };
    assert_eq!(used.code, "desktops.token-refused");

    let report = Report {
        boot: "1".to_owned(),
        ..Report::default()
    };
    let wait = Duration::from_secs(5);
    let mut client = HttpsClient::new(&portal, identity.client_tls().unwrap()).unwrap();
    let orders: Orders = client.post("/fleet/v1/sync", &report, wait).await.unwrap();
    assert_eq!(orders.ticket_keys.len(), 1);
    let (person, ministry) = (PersonId::from_bits(1), MinistryId::from_bits(1));
    let operator = Actor::with_roles(person, ministry, LogonId::from_bits(1), [Role::Operator]);
    desktops.remove(&operator, "", identity.node).await.unwrap();
    let refused: Result<Orders, ClientError> = client.post("/fleet/v1/sync", &report, wait).await;
    let Err(ClientError::Refused(refused)) = refused else {
        panic!("a removed node is refused")
    };
    assert_eq!(
        (refused.status, refused.code.as_str()),
        (403, "desktops.node-removed")
    );
    drop(client);
    assert!(tasks.stop().await);
}
