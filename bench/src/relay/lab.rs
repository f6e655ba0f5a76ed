//! Certificates, stand-ins, and the three relays, each on a free port.

use std::{
    fs,
    net::TcpListener,
    path::{Path, PathBuf},
    process::Command,
    sync::Arc,
    time::Duration,
};

use anyhow::{Context as _, Result, bail};
use aws_lc_rs::signature::Ed25519KeyPair;
use naru_gateway::GatewayConfig;
use naru_kernel::{
    Clock as _, DesktopId, HostId, LogonId, MinistryId, PersonId, Seconds, Zone,
    fleet::{ClipboardPolicy, NodeRole, Protocol},
};
use naru_relay::ticket::{self, Claims, PublicKey};
use naru_runtime::{
    Tasks,
    clock::SystemClock,
    fleet::NodeIdentity,
    tls::{self, Credentials},
};
use rcgen::{BasicConstraints, CertificateParams, DnType, IsCa, Issuer, KeyPair, SanType};
use rustls::ClientConfig;
use serde::{Deserialize, Serialize};

use super::{host, portal};
use crate::process::Measured;

const START_SECONDS_MAX: u64 = 20;
const GATEWAY: HostId = HostId::from_bits(1);
const HOST: HostId = HostId::from_bits(2);

/// What is compared.
#[derive(Clone, Copy, PartialEq, Eq)]
pub(super) enum Product {
    Naru,
    Websockify,
    Haproxy,
}

impl Product {
    pub(super) const ALL: [Self; 3] = [Self::Naru, Self::Websockify, Self::Haproxy];

    pub(super) const fn name(self) -> &'static str {
        match self {
            Self::Naru => "naru gateway",
            Self::Websockify => "websockify",
            Self::Haproxy => "haproxy (TCP)",
        }
    }

    /// Connections that are open and silent while memory is read; websockify has a process for each.
    pub(super) const fn idle_connections(self) -> u32 {
        match self {
            Self::Naru | Self::Haproxy => 500,
            Self::Websockify => 40,
        }
    }

    pub(super) const fn speaks_web_socket(self) -> bool {
        !matches!(self, Self::Haproxy)
    }

    pub(super) const fn path(self) -> &'static str {
        match self {
            Self::Naru => "/relay/v1/rfb",
            Self::Websockify | Self::Haproxy => "/",
        }
    }
}

/// A relay that runs.
pub(super) struct Relay {
    pub(super) process: Measured,
    pub(super) port: u16,
}

/// What the gateway's process is told, in a file.
#[derive(Serialize, Deserialize)]
struct Order {
    config: GatewayConfig,
    identity: NodeIdentity,
}

/// Everything around the relays.
pub(super) struct Lab {
    directory: tempfile::TempDir,
    identity: NodeIdentity,
    key: Ed25519KeyPair,
    host_certificate: String,
    /// Asked as our gateway asks.
    host_with_attach: String,
    /// RFB from the first byte.
    host_plain: String,
    pub(super) browser_tls: Arc<ClientConfig>,
    pub(super) bytes_each: u64,
    pub(super) load: host::Load,
    _tasks: Tasks,
}

impl Lab {
    /// Makes the certificates and opens portal and hosts.
    pub(super) async fn open(bytes_each: u64) -> Result<Self> {
        let directory = tempfile::tempdir()?;
        let authority = Authority::new()?;
        let tasks = Tasks::new();
        let key = Ed25519KeyPair::generate().context("a key")?;
        let public = PublicKey::of(&key)?.to_hex();
        let portal = portal::open(
            authority.issue(None)?.credentials()?,
            &authority.pem,
            public,
            &tasks,
        )
        .await?;

        let host = authority.issue(Some(tls::node_uri(NodeRole::Host, HOST)))?;
        let load = host::Load::default();
        let demanding = Some(tls::demand_client(&authority.pem)?);
        let attach = host::open(
            tls::server(host.credentials()?, demanding, &[])?,
            true,
            (load.clone(), bytes_each),
            &tasks,
        )
        .await?;
        let plain = host::open(
            tls::server(host.credentials()?, None, &[])?,
            false,
            (load.clone(), bytes_each),
            &tasks,
        )
        .await?;
        let digest = host.credentials()?.chain.first().map(|certificate| {
            hex::encode(aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, certificate))
        });
        let gateway = authority.issue(Some(tls::node_uri(NodeRole::Gateway, GATEWAY)))?;
        // websockify and haproxy want files.
        fs::write(
            directory.path().join("front.pem"),
            format!("{}{}", gateway.certificate, gateway.key),
        )?;
        fs::write(directory.path().join("authority.pem"), &authority.pem)?;
        let browser_tls = ClientConfig::builder_with_provider(tls::provider())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(tls::roots(&authority.pem)?)
            .with_no_client_auth();
        Ok(Self {
            directory,
            identity: NodeIdentity {
                node: GATEWAY,
                role: NodeRole::Gateway,
                certificate_pem: gateway.certificate,
                key_pem: gateway.key,
                authority_pem: authority.pem,
                portal: format!("localhost:{}", portal.port()),
            },
            key,
            host_certificate: digest.unwrap_or_default(),
            host_with_attach: format!("localhost:{}", attach.port()),
            host_plain: format!("localhost:{}", plain.port()),
            browser_tls: Arc::new(browser_tls),
            bytes_each,
            load,
            _tasks: tasks,
        })
    }

    /// A ticket for the n-th person's desktop.
    pub(super) fn ticket(&self, number: u32) -> Result<String> {
        let bits = u128::from(number) + 1;
        let mut id = [0; 16];
        aws_lc_rs::rand::fill(&mut id)?;
        let now = SystemClock.now();
        let claims = Claims {
            version: ticket::VERSION,
            id: hex::encode(id),
            desktop: DesktopId::from_bits(bits),
            logon: LogonId::from_bits(bits),
            person: PersonId::from_bits(bits),
            ministry: MinistryId::from_bits(1),
            account: format!("u{number}"),
            display_name: "홍길동".to_owned(),
            host: HOST,
            host_address: self.host_with_attach.clone(),
            host_certificate: self.host_certificate.clone(),
            protocol: Protocol::Rfb,
            zone: Zone::business(),
            clipboard: ClipboardPolicy {
                copy_out: false,
                paste_in: true,
            },
            issued_at: now,
            expires_at: now + Seconds(ticket::LIFE_SECONDS_MAX),
        };
        Ok(ticket::sign(&claims, &self.key)?)
    }

    /// Starts one relay and waits until it listens.
    pub(super) async fn start(&self, product: Product) -> Result<Relay> {
        let port = free_port()?;
        let mut command = match product {
            Product::Naru => self.naru(port)?,
            Product::Websockify => self.websockify(port),
            Product::Haproxy => self.haproxy(port)?,
        };
        let mut process = Measured::start(&mut command)?;
        for _ in 0..START_SECONDS_MAX * 10 {
            tokio::time::sleep(Duration::from_millis(100)).await;
            if !process.runs() {
                bail!("{} ended at once", product.name());
            }
            if tokio::net::TcpStream::connect(("127.0.0.1", port)).await.is_ok() {
                // Our gateway must have heard the ticket key as well.
                tokio::time::sleep(Duration::from_secs(1)).await;
                return Ok(Relay { process, port });
            }
        }
        bail!("{} does not listen", product.name())
    }

    fn naru(&self, port: u16) -> Result<Command> {
        let config = GatewayConfig {
            listen: ([127, 0, 0, 1], port).into(),
            ..GatewayConfig::default()
        };
        let order = Order {
            config,
            identity: self.identity.clone(),
        };
        fs::write(self.path("order.json"), serde_json::to_vec(&order)?)?;
        let mut command = Command::new(std::env::current_exe()?);
        command.arg("relay-gateway").arg(self.directory.path());
        Ok(command)
    }

    fn websockify(&self, port: u16) -> Command {
        let mut command = Command::new("websockify");
        command
            .args(["--ssl-only", "--ssl-target", "--cert"])
            .arg(self.path("front.pem"))
            .arg(format!("127.0.0.1:{port}"))
            .arg(&self.host_plain);
        command
    }

    fn haproxy(&self, port: u16) -> Result<Command> {
        let text = format!(
            "global\n  maxconn 4000\n  nbthread 2\ndefaults\n  mode tcp\n  timeout connect 5s\n  timeout client 1h\n  \
             timeout server 1h\nlisten relay\n  bind 127.0.0.1:{port} ssl crt {front}\n  \
             server host {host} ssl verify required ca-file {authority}\n",
            front = self.path("front.pem").display(),
            authority = self.path("authority.pem").display(),
            host = self.host_plain.replace("localhost", "127.0.0.1"),
        );
        let path = self.path("haproxy.cfg");
        fs::write(&path, text)?;
        let mut command = Command::new("haproxy");
        command.arg("-f").arg(path);
        Ok(command)
    }

    fn path(&self, name: &str) -> PathBuf {
        self.directory.path().join(name)
    }
}

/// The process under test.
pub(super) async fn run_gateway(directory: &Path) -> Result<()> {
    let order: Order = serde_json::from_slice(&fs::read(directory.join("order.json"))?)?;
    let tasks = Tasks::new();
    naru_gateway::start(
        &order.config,
        order.identity,
        Arc::new(SystemClock),
        "bench".to_owned(),
        &tasks,
    )
    .await?;
    naru_runtime::termination().await?;
    tasks.stop().await;
    Ok(())
}

struct Authority {
    issuer: Issuer<'static, KeyPair>,
    pem: String,
}

struct Issued {
    certificate: String,
    key: String,
}

impl Issued {
    fn credentials(&self) -> Result<Credentials> {
        Ok(Credentials::from_pem(&self.certificate, &self.key)?)
    }
}

impl Authority {
    fn new() -> Result<Self> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(Vec::new())?;
        params.is_ca = IsCa::Ca(BasicConstraints::Constrained(0));
        // A name of its own: OpenSSL takes a certificate whose issuer has its own name for self-signed.
        params
            .distinguished_name
            .push(DnType::CommonName, "bench authority");
        let certificate = params.self_signed(&key)?;
        Ok(Self {
            pem: certificate.pem(),
            issuer: Issuer::new(params, key),
        })
    }

    fn issue(&self, uri: Option<String>) -> Result<Issued> {
        let key = KeyPair::generate()?;
        let mut params = CertificateParams::new(vec!["localhost".to_owned(), "127.0.0.1".to_owned()])?;
        if let Some(uri) = uri {
            params.subject_alt_names.push(SanType::URI(uri.try_into()?));
        }
        let certificate = params.signed_by(&key, &self.issuer)?;
        Ok(Issued {
            certificate: certificate.pem(),
            key: key.serialize_pem(),
        })
    }
}

fn free_port() -> Result<u16> {
    Ok(TcpListener::bind("127.0.0.1:0")?.local_addr()?.port())
}
