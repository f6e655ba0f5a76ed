//! Reaching a host: mutual TLS to exactly the certificate the ticket names, then the attach handshake.

use std::{
    sync::{
        Arc,
        atomic::{AtomicBool, Ordering},
    },
    time::Duration,
};

use aws_lc_rs::digest;
use naru_kernel::fleet::{AttachAnswer, AttachReady, AttachRequest, AttachStep, CloseReason};
use naru_relay::ticket::Claims;
use naru_runtime::{
    fleet::{FleetError, NodeIdentity},
    tls::{self, Credentials, TlsError},
};
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::{
        WebPkiServerVerifier,
        danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
    },
    pki_types::{CertificateDer, ServerName, UnixTime},
};
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _},
    net::TcpStream,
};
use tokio_rustls::{TlsConnector, client::TlsStream};

use crate::{ahead::ReadAhead, seat::SeatWriter};

/// Connecting and the TLS handshake.
const DIAL_SECONDS_MAX: u64 = 5;
/// Opening a session and starting a desktop on a busy host.
const ATTACH_SECONDS_MAX: u64 = 60;

/// A connection to a host's desktop.
pub(crate) type HostStream = TlsStream<ReadAhead<TcpStream>>;

/// Why a host's desktop was not reached.
#[derive(Debug)]
pub(crate) struct Unreached {
    pub(crate) reason: CloseReason,
    pub(crate) detail: String,
}

fn lost(detail: impl ToString) -> Unreached {
    Unreached {
        reason: CloseReason::HostLost,
        detail: detail.to_string(),
    }
}

/// Dials hosts with the gateway's own certificate.
pub(crate) struct HostDialer {
    credentials: Credentials,
    chain: Arc<WebPkiServerVerifier>,
}

impl HostDialer {
    pub(crate) fn new(identity: &NodeIdentity) -> Result<Self, FleetError> {
        let chain = WebPkiServerVerifier::builder_with_provider(
            tls::roots(&identity.authority_pem)?,
            tls::provider(),
        )
        .build()
        .map_err(TlsError::from)?;
        Ok(Self {
            credentials: identity.credentials()?,
            chain,
        })
    }

    /// Reaches the ticket's host and attaches to its desktop; a seat that can hear it is told what is happening.
    pub(crate) async fn attach(
        &self,
        claims: &Claims,
        request: &AttachRequest,
        mut seat: Option<&mut SeatWriter>,
    ) -> Result<(HostStream, AttachReady), Unreached> {
        tell(&mut seat, AttachStep::Connecting).await;
        let limit = Duration::from_secs(DIAL_SECONDS_MAX);
        let mut stream = match tokio::time::timeout(limit, self.dial(claims)).await {
            Ok(dialled) => dialled?,
            Err(_) => return Err(lost("the host does not answer")),
        };
        let handshake = async {
            send(&mut stream, request).await.map_err(lost)?;
            loop {
                match receive(&mut stream).await? {
                    AttachAnswer::Progress(step) => tell(&mut seat, step).await,
                    AttachAnswer::Ready(ready) => return Ok(ready),
                    AttachAnswer::Refused { reason, detail } => return Err(Unreached { reason, detail }),
                }
            }
        };
        match tokio::time::timeout(Duration::from_secs(ATTACH_SECONDS_MAX), handshake).await {
            Ok(Ok(ready)) => Ok((stream, ready)),
            Ok(Err(unreached)) => Err(unreached),
            Err(_) => Err(lost("the host takes too long to open the desktop")),
        }
    }

    async fn dial(&self, claims: &Claims) -> Result<HostStream, Unreached> {
        let verifier = Arc::new(PinnedHost {
            fingerprint: claims.host_certificate_sha256().map_err(lost)?,
            chain: Arc::clone(&self.chain),
            differs: AtomicBool::new(false),
        });
        let judge: Arc<dyn ServerCertVerifier> = Arc::<PinnedHost>::clone(&verifier);
        let config = ClientConfig::builder_with_provider(tls::provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .map_err(lost)?
            .dangerous()
            .with_custom_certificate_verifier(judge)
            .with_client_auth_cert(self.credentials.chain.clone(), self.credentials.key.clone_key())
            .map_err(lost)?;
        let host = claims.host_address.rsplit_once(':').map_or("", |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let name = ServerName::try_from(host.to_owned()).map_err(lost)?;
        let stream = TcpStream::connect(&claims.host_address).await.map_err(lost)?;
        stream.set_nodelay(true).map_err(lost)?;
        TlsConnector::from(Arc::new(config))
            .connect(name, ReadAhead::new(stream))
            .await
            .map_err(|error| {
                if verifier.differs.load(Ordering::Acquire) {
                    let reason = CloseReason::HostCertificateChanged;
                    Unreached {
                        reason,
                        detail: "the host's certificate is not the one the ticket names".to_owned(),
                    }
                } else {
                    lost(error)
                }
            })
    }
}

async fn tell(seat: &mut Option<&mut SeatWriter>, step: AttachStep) {
    if let Some(seat) = seat
        && seat.json(&serde_json::json!({ "step": step })).await.is_err()
    {
        tracing::debug!("the browser left while its desktop was opened");
    }
}

async fn send(stream: &mut HostStream, request: &AttachRequest) -> std::io::Result<()> {
    let body = serde_json::to_vec(request)?;
    let length = u32::try_from(body.len()).unwrap_or(u32::MAX);
    stream.write_all(&length.to_be_bytes()).await?;
    stream.write_all(&body).await?;
    stream.flush().await
}

async fn receive(stream: &mut HostStream) -> Result<AttachAnswer, Unreached> {
    let length = stream.read_u32().await.map_err(lost)?;
    let length = usize::try_from(length).unwrap_or(usize::MAX);
    if length > AttachRequest::MESSAGE_BYTES_MAX {
        return Err(lost("the host's answer is too long"));
    }
    let mut body = vec![0; length];
    stream.read_exact(&mut body).await.map_err(lost)?;
    serde_json::from_slice(&body).map_err(|_| lost("the host's answer cannot be read"))
}

/// Accepts one certificate: of the authority, and the very one the ticket names.
#[derive(Debug)]
struct PinnedHost {
    fingerprint: [u8; 32],
    chain: Arc<WebPkiServerVerifier>,
    differs: AtomicBool,
}

impl ServerCertVerifier for PinnedHost {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        if digest::digest(&digest::SHA256, end_entity).as_ref() != self.fingerprint.as_slice() {
            self.differs.store(true, Ordering::Release);
            return Err(rustls::Error::General("not the pinned certificate".to_owned()));
        }
        self.chain
            .verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls12_signature(message, certificate, signature)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        self.chain.verify_tls13_signature(message, certificate, signature)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        self.chain.supported_verify_schemes()
    }
}
