//! A host's door: mutual TLS, the attach handshake, then a desktop of some behaviour.

use std::{
    net::SocketAddr,
    path::PathBuf,
    sync::{
        Arc, Mutex,
        atomic::{AtomicU64, AtomicUsize, Ordering},
    },
};

use naru_kernel::fleet::{AttachAnswer, AttachReady, AttachRequest, AttachStep, CloseReason, NodeRole};
use naru_relay::ticket::Claims;
use naru_runtime::{fleet::NodeIdentity, tls};
use rustls::pki_types::{CertificateDer, pem::PemObject as _};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, copy_bidirectional},
    net::{TcpListener, TcpStream, UnixStream},
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use crate::stage::{Authority, Stage};

pub(crate) type Wire = TlsStream<TcpStream>;

/// What the RFB server of a scripted desktop says until pictures begin.
pub(crate) fn rfb_greeting() -> Vec<u8> {
    let mut bytes = b"RFB 003.008\n\x01\x01\0\0\0\0".to_vec();
    bytes.extend([
        5, 0xa0, 3, 0x84, 32, 24, 0, 1, 0, 255, 0, 255, 0, 255, 16, 8, 0, 0, 0, 0, 0, 0, 0, 4,
    ]);
    bytes.extend(b"desk");
    bytes
}

/// What a browser answers to it.
pub(crate) const RFB_ANSWER: &[u8] = b"RFB 003.008\n\x01\x01";

/// How a desktop behaves once attached.
#[derive(Clone)]
pub(crate) enum Desk {
    /// The host refuses.
    Refuse(CloseReason),
    /// Greets, says these bytes, and then only listens.
    Say(Vec<u8>),
    /// Greets and sends pictures without end.
    Pictures,
    /// Greets and goes.
    HangUp,
    /// A real RFB server.
    Rfb(PathBuf),
    /// A real RDP server, with these credentials.
    Rdp(SocketAddr, String, String),
}

/// What a host saw.
#[derive(Default)]
pub(crate) struct Seen {
    pub(crate) requests: Mutex<Vec<AttachRequest>>,
    pub(crate) received: Mutex<Vec<u8>>,
    pub(crate) sent_bytes: AtomicU64,
    pub(crate) opened: AtomicUsize,
    pub(crate) closed: AtomicUsize,
}

impl Seen {
    pub(crate) fn closed(&self) -> usize {
        self.closed.load(Ordering::Relaxed)
    }

    pub(crate) fn received(&self) -> Vec<u8> {
        self.received.lock().unwrap().clone()
    }
}

pub(crate) struct Host {
    pub(crate) address: SocketAddr,
    pub(crate) certificate: String,
    pub(crate) seen: Arc<Seen>,
}

impl Host {
    pub(crate) async fn start(stage: &Stage, desk: Desk) -> Self {
        Self::of(stage, &stage.authority, desk).await
    }

    /// A host with a certificate of any authority.
    pub(crate) async fn of(stage: &Stage, authority: &Authority, desk: Desk) -> Self {
        let identity = authority.node(NodeRole::Host);
        let clients = tls::demand_client(&stage.authority.pem).unwrap();
        let server = tls::server(identity.credentials().unwrap(), Some(clients), &[]).unwrap();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let host = Self {
            address: listener.local_addr().unwrap(),
            certificate: fingerprint(&identity),
            seen: Arc::default(),
        };
        let (seen, tasks) = (Arc::clone(&host.seen), stage.tasks.clone());
        stage.tasks.spawn(async move {
            let acceptor = TlsAcceptor::from(server);
            while let Ok((stream, _)) = listener.accept().await {
                let (seen, desk, acceptor) = (Arc::clone(&seen), desk.clone(), acceptor.clone());
                tasks.spawn(async move {
                    if let Ok(wire) = acceptor.accept(stream).await {
                        seen.opened.fetch_add(1, Ordering::Relaxed);
                        drop(serve(wire, desk, &seen).await);
                        seen.closed.fetch_add(1, Ordering::Relaxed);
                    }
                });
            }
        });
        host
    }

    pub(crate) fn claims(&self, stage: &Stage, desktop: u128) -> Claims {
        stage.claims(desktop, self.address, &self.certificate)
    }
}

fn fingerprint(identity: &NodeIdentity) -> String {
    let certificate = CertificateDer::from_pem_slice(identity.certificate_pem.as_bytes()).unwrap();
    hex::encode(aws_lc_rs::digest::digest(
        &aws_lc_rs::digest::SHA256,
        &certificate,
    ))
}

async fn answer(wire: &mut Wire, answer: &AttachAnswer) -> std::io::Result<()> {
    let body = serde_json::to_vec(answer).unwrap();
    wire.write_u32(u32::try_from(body.len()).unwrap()).await?;
    wire.write_all(&body).await?;
    wire.flush().await
}

async fn serve(mut wire: Wire, desk: Desk, seen: &Seen) -> std::io::Result<()> {
    let length = usize::try_from(wire.read_u32().await?).unwrap();
    let mut body = vec![0; length];
    wire.read_exact(&mut body).await?;
    seen.requests
        .lock()
        .unwrap()
        .push(serde_json::from_slice(&body).unwrap());
    answer(&mut wire, &AttachAnswer::Progress(AttachStep::OpeningSession)).await?;
    answer(&mut wire, &AttachAnswer::Progress(AttachStep::StartingDesktop)).await?;
    let ready = match &desk {
        Desk::Refuse(reason) => AttachAnswer::Refused {
            reason: *reason,
            detail: "scripted".to_owned(),
        },
        Desk::Rdp(_, account, one_time_password) => AttachAnswer::Ready(AttachReady::Rdp {
            account: account.clone(),
            one_time_password: one_time_password.clone(),
        }),
        Desk::Say(_) | Desk::Pictures | Desk::HangUp | Desk::Rfb(_) => AttachAnswer::Ready(AttachReady::Rfb),
    };
    answer(&mut wire, &ready).await?;
    match desk {
        Desk::Refuse(_) => wire.shutdown().await,
        Desk::HangUp => {
            wire.write_all(&rfb_greeting()).await?;
            wire.shutdown().await
        }
        Desk::Say(words) => {
            wire.write_all(&[rfb_greeting(), words].concat()).await?;
            wire.flush().await?;
            let mut buffer = vec![0; 4_096];
            loop {
                match wire.read(&mut buffer).await? {
                    0 => return Ok(()),
                    read => seen.received.lock().unwrap().extend_from_slice(&buffer[..read]),
                }
            }
        }
        Desk::Pictures => {
            wire.write_all(&rfb_greeting()).await?;
            // One raw rectangle of 128 x 128.
            let mut picture = vec![0, 0, 0, 1, 0, 0, 0, 0, 0, 128, 0, 128, 0, 0, 0, 0];
            picture.resize(16 + 128 * 128 * 4, 7);
            loop {
                wire.write_all(&picture).await?;
                wire.flush().await?;
                seen.sent_bytes
                    .fetch_add(u64::try_from(picture.len()).unwrap(), Ordering::Relaxed);
            }
        }
        Desk::Rfb(path) => {
            let mut server = UnixStream::connect(path).await?;
            copy_bidirectional(&mut wire, &mut server).await.map(drop)
        }
        Desk::Rdp(address, ..) => {
            let mut server = TcpStream::connect(address).await?;
            copy_bidirectional(&mut wire, &mut server).await.map(drop)
        }
    }
}
