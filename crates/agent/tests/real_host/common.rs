//! A host under test: an authority, an agent with real certificates, and a gateway that speaks to it.

use std::net::SocketAddr;
use std::path::{Path, PathBuf};
use std::sync::Arc;
use std::sync::atomic::{AtomicU64, Ordering};
use std::time::Duration;

use aws_lc_rs::signature::Ed25519KeyPair;
use naru_agent::{Agent, AgentConfig, HostNode, Machine};
use naru_kernel::fleet::{
    AttachAnswer, AttachRequest, ClipboardPolicy, HostDesktopState, NodeRole, Orders, Protocol, Report,
};
use naru_kernel::{DesktopId, HostId, LogonId, MinistryId, PersonId, Seconds, Zone};
use naru_relay::ticket::{self, Claims, PublicKey};
use naru_runtime::fleet::{Node as _, NodeIdentity};
use naru_runtime::{Tasks, tls};
use rustls_pki_types::ServerName;
use tokio::io::{AsyncReadExt as _, AsyncWriteExt as _};
use tokio::net::{TcpListener, TcpStream};
use tokio_rustls::{TlsConnector, client::TlsStream};

pub(crate) type Wire = TlsStream<TcpStream>;

/// Nothing here may wait longer than this.
pub(crate) const PATIENCE: Duration = Duration::from_secs(30);

/// Whether the test can run here; says so if not.
pub(crate) fn can_run(test: &str, programs: &[&str]) -> bool {
    let missing: Vec<&str> = programs
        .iter()
        .copied()
        .filter(|program| !installed(program))
        .collect();
    let why = if !rustix::process::geteuid().is_root() {
        "needs root".to_owned()
    } else if missing.is_empty() {
        return true;
    } else {
        format!("needs {}", missing.join(" "))
    };
    naru_testkit::skip(test, &why);
    false
}

fn installed(program: &str) -> bool {
    ["/usr/bin", "/usr/sbin", "/bin", "/sbin"]
        .iter()
        .any(|place| Path::new(place).join(program).exists())
}

/// Runs a program and gives its standard output; it must succeed.
pub(crate) fn run(program: &str, arguments: &[&str]) -> String {
    let output = std::process::Command::new(program)
        .args(arguments)
        .output()
        .unwrap();
    assert!(
        output.status.success(),
        "{program} {arguments:?}: {}",
        String::from_utf8_lossy(&output.stderr)
    );
    String::from_utf8_lossy(&output.stdout).into_owned()
}

/// An account of the host for one test; removed afterwards.
pub(crate) struct TestAccount(pub(crate) String);

impl TestAccount {
    pub(crate) fn new(suffix: &str) -> Self {
        let account = Self(format!("naru-t{}-{suffix}", std::process::id()));
        assert!(account.0.len() <= 32);
        account
    }

    pub(crate) fn uid(&self) -> u32 {
        run("id", &["-u", &self.0]).trim().parse().unwrap()
    }

    /// Processes of the account that are not zombies: pid and command line.
    pub(crate) fn processes(&self) -> Vec<String> {
        let output = std::process::Command::new("ps")
            .args(["-u", &self.0, "-o", "stat=,pid=,args="])
            .output()
            .unwrap();
        let text = String::from_utf8_lossy(&output.stdout).into_owned();
        let living = text.lines().filter(|line| !line.starts_with('Z'));
        living
            .filter_map(|line| line.split_once(' '))
            .map(|(_, rest)| rest.trim().to_owned())
            .collect()
    }
}

impl Drop for TestAccount {
    fn drop(&mut self) {
        drop(
            std::process::Command::new("userdel")
                .args(["--force", "--remove", &self.0])
                .output(),
        );
    }
}

struct Authority {
    certificate: rcgen::Certificate,
    issuer: rcgen::Issuer<'static, rcgen::KeyPair>,
}

impl Authority {
    fn new() -> Self {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::default();
        params.is_ca = rcgen::IsCa::Ca(rcgen::BasicConstraints::Unconstrained);
        params
            .distinguished_name
            .push(rcgen::DnType::CommonName, "test authority");
        let certificate = params.self_signed(&key).unwrap();
        Self {
            certificate,
            issuer: rcgen::Issuer::new(params, key),
        }
    }

    fn node(&self, role: NodeRole, node: HostId) -> NodeIdentity {
        let key = rcgen::KeyPair::generate().unwrap();
        let mut params = rcgen::CertificateParams::new(vec!["host.test".to_owned()]).unwrap();
        params
            .subject_alt_names
            .push(rcgen::SanType::URI(tls::node_uri(role, node).try_into().unwrap()));
        let certificate = params.signed_by(&key, &self.issuer).unwrap();
        NodeIdentity {
            node,
            role,
            certificate_pem: certificate.pem(),
            key_pem: key.serialize_pem(),
            authority_pem: self.certificate.pem(),
            portal: "127.0.0.1:1".to_owned(),
        }
    }
}

/// Ends the xrdp of a test, which an agent that keeps its sessions leaves for the next one.
struct XrdpOf(PathBuf);

impl Drop for XrdpOf {
    fn drop(&mut self) {
        let state = std::fs::read(self.0.join("xrdp.json")).unwrap_or_default();
        let state: serde_json::Value = serde_json::from_slice(&state).unwrap_or_default();
        for program in ["xrdp", "sesman"] {
            if let Some(pid) = state[program]["pid"].as_i64() {
                drop(std::process::Command::new("kill").arg(pid.to_string()).output());
            }
        }
    }
}

/// One running agent and what is needed to reach it.
pub(crate) struct TestHost {
    node: HostNode,
    address: SocketAddr,
    xrdp: XrdpOf,
    place: tempfile::TempDir,
    config: AgentConfig,
    host: HostId,
    authority: Arc<Authority>,
    key: Arc<Ed25519KeyPair>,
    tasks: Tasks,
    served: tokio::task::JoinHandle<Result<(), naru_agent::Error>>,
    tickets: AtomicU64,
}

impl TestHost {
    pub(crate) async fn start(change: impl FnOnce(&mut AgentConfig)) -> Self {
        let place = tempfile::Builder::new()
            .prefix("naru-agent-")
            .tempdir_in("/tmp")
            .unwrap();
        // The people must be able to pass through.
        std::fs::set_permissions(place.path(), std::os::unix::fs::PermissionsExt::from_mode(0o711)).unwrap();
        let mut config = AgentConfig {
            state_directory: Some(place.path().join("state")),
            run_directory: Some(place.path().join("run")),
            keep_sessions: false,
            ..AgentConfig::default()
        };
        change(&mut config);
        let key = Ed25519KeyPair::from_seed_unchecked(&[7; 32]).unwrap();
        Self::boot(
            XrdpOf(place.path().join("state")),
            place,
            config,
            Arc::new(Authority::new()),
            Arc::new(key),
        )
        .await
    }

    async fn boot(
        xrdp: XrdpOf,
        place: tempfile::TempDir,
        config: AgentConfig,
        authority: Arc<Authority>,
        key: Arc<Ed25519KeyPair>,
    ) -> Self {
        let host = HostId::from_bits(42);
        let tasks = Tasks::new();
        let agent = Agent::new(
            config.clone(),
            host,
            &Zone::business(),
            Machine::system(),
            tasks.clone(),
        )
        .await
        .unwrap();
        let node = HostNode(Arc::clone(&agent));
        node.apply(&Orders {
            ticket_keys: vec![PublicKey::of(&key).unwrap().to_hex()],
            ..Orders::default()
        });
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let address = listener.local_addr().unwrap();
        let identity = authority.node(NodeRole::Host, host);
        let clients = tls::demand_client(&identity.authority_pem).unwrap();
        let server = tls::server(identity.credentials().unwrap(), Some(clients), &[]).unwrap();
        let served = tasks.spawn(naru_agent::serve(Arc::clone(&agent), listener, server));
        let tickets = AtomicU64::new(u64::from(std::process::id()) << 32 | u64::from(address.port()) << 16);
        Self {
            node,
            address,
            xrdp,
            place,
            config,
            host,
            authority,
            key,
            tasks,
            served,
            tickets,
        }
    }

    /// Stops the agent and starts another in its place, as an upgrade does.
    pub(crate) async fn restart(self) -> Self {
        let Self {
            xrdp,
            place,
            config,
            authority,
            key,
            tasks,
            served,
            node,
            ..
        } = self;
        assert!(tasks.stop().await);
        served.await.unwrap().unwrap();
        // The last of the old agent: it gives its lock back.
        drop(node);
        Self::boot(xrdp, place, config, authority, key).await
    }

    pub(crate) async fn stop(self) {
        assert!(self.tasks.stop().await);
        self.served.await.unwrap().unwrap();
    }

    pub(crate) fn claims(&self, desktop: DesktopId, account: &str, protocol: Protocol) -> Claims {
        let now = Machine::system().clock.now();
        Claims {
            version: ticket::VERSION,
            id: format!("{:032x}", self.tickets.fetch_add(1, Ordering::Relaxed)),
            desktop,
            logon: LogonId::from_bits(1),
            person: PersonId::from_bits(1),
            ministry: MinistryId::from_bits(1),
            account: account.to_owned(),
            display_name: "홍길동".to_owned(),
            host: self.host,
            host_address: self.address.to_string(),
            host_certificate: "00".repeat(32),
            protocol,
            zone: Zone::business(),
            clipboard: ClipboardPolicy {
                copy_out: false,
                paste_in: true,
            },
            issued_at: now,
            expires_at: now + Seconds(60),
        }
    }

    pub(crate) fn sign(&self, claims: &Claims) -> String {
        ticket::sign(claims, &self.key).unwrap()
    }

    pub(crate) async fn dial(&self, role: NodeRole) -> std::io::Result<Wire> {
        let identity = self.authority.node(role, HostId::from_bits(77));
        let connector = TlsConnector::from(identity.client_tls().unwrap());
        let tcp = TcpStream::connect(self.address).await?;
        connector
            .connect(ServerName::try_from("host.test").unwrap(), tcp)
            .await
    }

    /// Attaches as a gateway does; the last answer, and the connection.
    pub(crate) async fn attach_with(&self, ticket: String) -> (AttachAnswer, Wire) {
        let mut wire = self.dial(NodeRole::Gateway).await.unwrap();
        let request = serde_json::to_vec(&AttachRequest {
            ticket,
            width: 1_280,
            height: 800,
        })
        .unwrap();
        wire.write_u32(u32::try_from(request.len()).unwrap())
            .await
            .unwrap();
        wire.write_all(&request).await.unwrap();
        let answers = async {
            loop {
                let mut message = vec![0; usize::try_from(wire.read_u32().await.unwrap()).unwrap()];
                wire.read_exact(&mut message).await.unwrap();
                match serde_json::from_slice(&message).unwrap() {
                    AttachAnswer::Progress(_) => {}
                    last @ (AttachAnswer::Ready(_) | AttachAnswer::Refused { .. }) => return last,
                }
            }
        };
        let last = tokio::time::timeout(PATIENCE, answers).await.unwrap();
        (last, wire)
    }

    pub(crate) async fn attach(
        &self,
        desktop: DesktopId,
        account: &str,
        protocol: Protocol,
    ) -> (AttachAnswer, Wire) {
        self.attach_with(self.sign(&self.claims(desktop, account, protocol)))
            .await
    }

    pub(crate) fn report(&self) -> Report {
        self.node.report()
    }

    pub(crate) fn apply(&self, orders: &Orders) {
        self.node.apply(orders);
    }

    pub(crate) fn run_directory(&self) -> PathBuf {
        self.place.path().join("run")
    }

    pub(crate) fn state_directory(&self) -> PathBuf {
        self.place.path().join("state")
    }

    pub(crate) fn state_of(&self, desktop: DesktopId) -> Option<HostDesktopState> {
        let told = self.node.report().desktops;
        told.iter()
            .find(|told| told.desktop == desktop)
            .map(|told| told.state)
    }

    pub(crate) fn personal(&self, desktop: DesktopId) -> PathBuf {
        self.run_directory().join("d").join(desktop.to_string()).join("p")
    }

    pub(crate) fn order_end(&self, desktop: DesktopId) {
        self.node.apply(&Orders {
            end_desktops: vec![desktop],
            ..Orders::default()
        });
    }
}

/// Waits until something holds.
pub(crate) async fn until(what: &str, mut holds: impl FnMut() -> bool) {
    let waited = async {
        while !holds() {
            tokio::time::sleep(Duration::from_millis(50)).await;
        }
    };
    assert!(
        tokio::time::timeout(PATIENCE, waited).await.is_ok(),
        "not in time: {what}"
    );
}
