//! One authority, one gateway, any number of hosts, and the keys that sign tickets.

use std::{
    net::SocketAddr,
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::signature::Ed25519KeyPair;
use naru_gateway::{Gateway, GatewayConfig};
use naru_kernel::{
    Clock as _, DesktopId, HostId, LogonId, MinistryId, PersonId, Seconds, Zone,
    fleet::{ClipboardPolicy, CloseReason, Closure, ClosureTarget, NodeRole, Orders, Protocol, RelayReport},
};
use naru_relay::ticket::{self, Claims, PublicKey};
use naru_runtime::{
    Tasks,
    clock::SystemClock,
    fleet::{Node as _, NodeIdentity},
    tls,
};

/// Nothing here takes longer unless it has failed.
pub(crate) const PATIENCE: Duration = Duration::from_secs(20);
/// The portal's pages.
pub(crate) const ORIGIN: &str = "https://localhost:8443";

pub(crate) struct Authority {
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
    pub(crate) pem: String,
}

impl Authority {
    pub(crate) fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        let certificate = params.self_signed(&key).unwrap();
        Self {
            pem: certificate.pem(),
            issuer: rcgen::Issuer::new(params, key),
        }
    }

    pub(crate) fn node(&self, role: NodeRole) -> NodeIdentity {
        let node = HostId::from_bits(5);
        let key = rcgen::KeyPair::generate().unwrap();
        let names = vec!["localhost".to_owned(), "127.0.0.1".to_owned()];
        let mut params = rcgen::CertificateParams::new(names).unwrap();
        let uri = tls::node_uri(role, node).try_into().unwrap();
        params.subject_alt_names.push(rcgen::SanType::URI(uri));
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        NodeIdentity {
            node,
            role,
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            authority_pem: self.pem.clone(),
            portal: "127.0.0.1:1".to_owned(),
        }
    }
}

pub(crate) struct Stage {
    pub(crate) authority: Authority,
    pub(crate) address: SocketAddr,
    pub(crate) gateway: Arc<Gateway>,
    pub(crate) tasks: Tasks,
    key: Ed25519KeyPair,
    tickets: AtomicU64,
}

impl Stage {
    pub(crate) async fn new() -> Self {
        Self::with(|_| {}).await
    }

    pub(crate) async fn with(change: impl FnOnce(&mut GatewayConfig)) -> Self {
        let authority = Authority::new();
        let address = free_address();
        let mut config = GatewayConfig {
            listen: address,
            portal_origins: vec![ORIGIN.to_owned()],
            ..GatewayConfig::default()
        };
        change(&mut config);
        let tasks = Tasks::new();
        let identity = authority.node(NodeRole::Gateway);
        let gateway = naru_gateway::start(
            &config,
            identity,
            Arc::new(SystemClock),
            "test".to_owned(),
            &tasks,
        )
        .await
        .unwrap();
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        let ticket_keys = vec![PublicKey::of(&key).unwrap().to_hex()];
        gateway.apply(&Orders {
            ticket_keys,
            ..Orders::default()
        });
        Self {
            authority,
            address,
            gateway,
            tasks,
            key,
            tickets: AtomicU64::new(1),
        }
    }

    /// Claims for a desktop on a host, good for now.
    pub(crate) fn claims(&self, desktop: u128, address: SocketAddr, certificate: &str) -> Claims {
        let now = SystemClock.now();
        Claims {
            version: ticket::VERSION,
            id: format!("{:032x}", self.tickets.fetch_add(1, Ordering::Relaxed)),
            desktop: DesktopId::from_bits(desktop),
            logon: LogonId::from_bits(2),
            person: PersonId::from_bits(3),
            ministry: MinistryId::from_bits(4),
            account: "naru-hong".to_owned(),
            display_name: "홍길동".to_owned(),
            host: HostId::from_bits(5),
            host_address: address.to_string(),
            host_certificate: certificate.to_owned(),
            protocol: Protocol::Rfb,
            zone: Zone::business(),
            clipboard: ClipboardPolicy {
                copy_out: true,
                paste_in: true,
            },
            issued_at: now,
            expires_at: now + Seconds(60),
        }
    }

    pub(crate) fn sign(&self, claims: &Claims) -> String {
        ticket::sign(claims, &self.key).unwrap()
    }

    pub(crate) fn close(&self, target: ClosureTarget, reason: CloseReason) {
        let closure = Closure {
            sequence: 1,
            target,
            reason,
            at: SystemClock.now(),
        };
        self.gateway.apply(&Orders {
            closures: vec![closure],
            ..Orders::default()
        });
    }

    /// The reports of all relays, until one fits.
    pub(crate) async fn reported(&self, fits: impl Fn(&RelayReport) -> bool) -> RelayReport {
        let found = async {
            loop {
                if let Some(relay) = self.gateway.report().relays.into_iter().find(&fits) {
                    return relay;
                }
                tokio::time::sleep(Duration::from_millis(20)).await;
            }
        };
        tokio::time::timeout(PATIENCE, found).await.unwrap()
    }
}

pub(crate) fn free_address() -> SocketAddr {
    std::net::TcpListener::bind("127.0.0.1:0")
        .unwrap()
        .local_addr()
        .unwrap()
}

/// Waits until it holds.
pub(crate) async fn until(what: &str, holds: impl Fn() -> bool) {
    let wait = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(20)).await;
        }
    };
    assert!(
        tokio::time::timeout(PATIENCE, wait).await.is_ok(),
        "never came: {what}"
    );
}
