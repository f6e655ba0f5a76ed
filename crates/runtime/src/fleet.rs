//! The node's side of the fleet: enrolment with a one-time token, then syncing over mutual TLS (`docs/fleet.md`).

use std::{
    fs,
    io::Write as _,
    os::unix::fs::OpenOptionsExt as _,
    path::{Path, PathBuf},
    sync::Arc,
    time::Duration,
};

use naru_kernel::{
    HostId, Zone,
    fleet::{EnrolAnswer, EnrolRequest, NodeRole, Orders, Protocol, Report},
};
use rustls::{
    ClientConfig, DigitallySignedStruct, SignatureScheme,
    client::danger::{HandshakeSignatureValid, ServerCertVerified, ServerCertVerifier},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, ServerName, UnixTime, pem::PemObject as _};
use serde::{Deserialize, Serialize};

use crate::{
    Shutdown,
    http_client::{ClientError, HttpsClient},
    tls::{self, Credentials, TlsError},
};

/// An enrolment that takes longer has failed.
const ENROL_SECONDS_MAX: u64 = 15;
/// A sync that takes longer has failed.
const SYNC_SECONDS_MAX: u64 = 10;
/// Pause after a failed sync.
const RETRY_SECONDS: u64 = 1;

/// Why a node has no place in the fleet.
#[derive(Debug, thiserror::Error)]
pub enum FleetError {
    /// The token is not of the form the portal prints.
    #[error("the token is malformed: copy it whole, with the part after the dot")]
    MalformedToken,
    /// The portal refused or cannot be reached.
    #[error(transparent)]
    Client(#[from] ClientError),
    /// Key or certificate trouble.
    #[error(transparent)]
    Tls(#[from] TlsError),
    /// The key could not be made.
    #[error("a key could not be made: {0}")]
    Key(#[from] rcgen::Error),
    /// The identity could not be read or kept.
    #[error("{path}: {source}")]
    File {
        /// Which file.
        path: PathBuf,
        /// Why.
        source: std::io::Error,
    },
    /// The kept identity does not parse.
    #[error("{0} is damaged: remove it and enrol again")]
    Damaged(PathBuf),
}

/// What a node keeps after enrolment: who it is, its key, whom it trusts.
#[derive(Clone, Serialize, Deserialize)]
pub struct NodeIdentity {
    /// Its identifier.
    pub node: HostId,
    /// Gateway or host.
    pub role: NodeRole,
    /// Its certificate.
    pub certificate_pem: String,
    /// Its private key; never leaves the node.
    pub key_pem: String,
    /// The platform's authority.
    pub authority_pem: String,
    /// The portal's fleet door, `host:port`.
    pub portal: String,
}

/// What a node says of itself at enrolment.
#[derive(Clone, Debug)]
pub struct Enrolment {
    /// The one-time token.
    pub token: String,
    /// The portal's fleet door, `host:port`.
    pub portal: String,
    /// Gateway or host.
    pub role: NodeRole,
    /// What people call it.
    pub name: String,
    /// Where others reach it.
    pub address: String,
    /// Its zone.
    pub zone: Zone,
    /// Hosts: what it serves.
    pub protocols: Vec<Protocol>,
}

impl NodeIdentity {
    /// The kept identity, if the node enrolled before.
    ///
    /// # Errors
    /// When the file is there and cannot be read.
    pub fn load(path: &Path) -> Result<Option<Self>, FleetError> {
        match fs::read(path) {
            Ok(bytes) => serde_json::from_slice(&bytes)
                .map(Some)
                .map_err(|_| FleetError::Damaged(path.to_owned())),
            Err(error) if error.kind() == std::io::ErrorKind::NotFound => Ok(None),
            Err(source) => Err(FleetError::File {
                path: path.to_owned(),
                source,
            }),
        }
    }

    /// Keeps it, readable by the owner alone.
    ///
    /// # Errors
    /// When the file cannot be written.
    pub fn save(&self, path: &Path) -> Result<(), FleetError> {
        let fail = |source| FleetError::File {
            path: path.to_owned(),
            source,
        };
        let text = serde_json::to_vec_pretty(self).map_err(|error| fail(error.into()))?;
        let draft = path.with_extension("draft");
        drop(fs::remove_file(&draft));
        let mut file = fs::OpenOptions::new()
            .write(true)
            .create_new(true)
            .mode(0o600)
            .open(&draft)
            .map_err(fail)?;
        file.write_all(&text)
            .and_then(|()| file.sync_all())
            .map_err(fail)?;
        fs::rename(&draft, path).map_err(fail)
    }

    /// Its certificate and key.
    ///
    /// # Errors
    /// When the kept texts are damaged.
    pub fn credentials(&self) -> Result<Credentials, FleetError> {
        Ok(Credentials::from_pem(&self.certificate_pem, &self.key_pem)?)
    }

    /// TLS towards other parts of the fleet: trusts the platform's authority and shows the own certificate.
    ///
    /// # Errors
    /// When the kept texts are damaged.
    pub fn client_tls(&self) -> Result<Arc<ClientConfig>, FleetError> {
        let credentials = self.credentials()?;
        let config = ClientConfig::builder_with_provider(tls::provider())
            .with_safe_default_protocol_versions()
            .map_err(TlsError::from)?
            .with_root_certificates(tls::roots(&self.authority_pem)?)
            .with_client_auth_cert(credentials.chain, credentials.key)
            .map_err(TlsError::from)?;
        Ok(Arc::new(config))
    }
}

/// Enrols: makes a key, shows the token to the portal whose authority the token names, gets a certificate.
///
/// # Errors
/// When the token is malformed, used or expired, or the portal is not the one the token names.
pub async fn enrol(enrolment: Enrolment) -> Result<NodeIdentity, FleetError> {
    let (_, fingerprint) = enrolment
        .token
        .split_once('.')
        .ok_or(FleetError::MalformedToken)?;
    let fingerprint = hex::decode(fingerprint).map_err(|_| FleetError::MalformedToken)?;
    let config = ClientConfig::builder_with_provider(tls::provider())
        .with_safe_default_protocol_versions()
        .map_err(TlsError::from)?
        .dangerous()
        .with_custom_certificate_verifier(Arc::new(NamedAuthority {
            fingerprint: fingerprint.clone(),
        }))
        .with_no_client_auth();
    let key = rcgen::KeyPair::generate_for(&rcgen::PKCS_ECDSA_P256_SHA256)?;
    let request = rcgen::CertificateParams::default()
        .serialize_request(&key)?
        .pem()?;
    let question = EnrolRequest {
        token: enrolment.token,
        role: enrolment.role,
        name: enrolment.name,
        address: enrolment.address,
        zone: enrolment.zone,
        protocols: enrolment.protocols,
        certificate_request_pem: request,
    };
    let mut client = HttpsClient::new(&enrolment.portal, Arc::new(config))?;
    let answer: EnrolAnswer = client
        .post(
            "/fleet/v1/enrol",
            &question,
            Duration::from_secs(ENROL_SECONDS_MAX),
        )
        .await?;
    let authority =
        CertificateDer::from_pem_slice(answer.authority_pem.as_bytes()).map_err(TlsError::from)?;
    if sha256(&authority) != fingerprint {
        return Err(FleetError::MalformedToken);
    }
    Ok(NodeIdentity {
        node: answer.node,
        role: enrolment.role,
        certificate_pem: answer.certificate_pem,
        key_pem: key.serialize_pem(),
        authority_pem: answer.authority_pem,
        portal: enrolment.portal,
    })
}

/// A node as its shell lives it: what it reports, how it obeys.
pub trait Node: Send + Sync + 'static {
    /// What it sees now. `cursor` is filled in by the loop.
    fn report(&self) -> Report;
    /// Obeys; must be harmless when repeated.
    fn apply(&self, orders: &Orders);
}

/// Syncs until shutdown. A lost portal is tried again each second; what is open stays open.
///
/// # Errors
/// When the identity is damaged; never because the portal is away.
pub async fn sync_loop<N: Node>(
    node: Arc<N>,
    identity: &NodeIdentity,
    boot: String,
    shutdown: Shutdown,
) -> Result<(), FleetError> {
    let mut client = HttpsClient::new(&identity.portal, identity.client_tls()?)?;
    let mut cursor = 0;
    let mut lost = false;
    while !shutdown.is_requested() {
        let mut report = node.report();
        report.cursor = cursor;
        report.boot.clone_from(&boot);
        let synced = tokio::select! {
            synced = client.post::<_, Orders>("/fleet/v1/sync", &report, Duration::from_secs(SYNC_SECONDS_MAX)) => synced,
            () = shutdown.requested() => break,
        };
        match synced {
            Ok(orders) => {
                if lost {
                    tracing::info!(portal = identity.portal, "the portal is back");
                    lost = false;
                }
                cursor = orders.cursor;
                node.apply(&orders);
            }
            Err(error) => {
                if !lost {
                    tracing::warn!(portal = identity.portal, %error, "the portal cannot be reached; what is open stays open");
                    lost = true;
                }
                shutdown.sleep(Duration::from_secs(RETRY_SECONDS)).await;
            }
        }
    }
    Ok(())
}

fn sha256(bytes: &[u8]) -> Vec<u8> {
    aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes)
        .as_ref()
        .to_vec()
}

/// Trusts exactly the authority whose certificate has this SHA-256, as the enrolment token says.
#[derive(Debug)]
struct NamedAuthority {
    fingerprint: Vec<u8>,
}

impl ServerCertVerifier for NamedAuthority {
    fn verify_server_cert(
        &self,
        end_entity: &CertificateDer<'_>,
        intermediates: &[CertificateDer<'_>],
        server_name: &ServerName<'_>,
        ocsp_response: &[u8],
        now: UnixTime,
    ) -> Result<ServerCertVerified, rustls::Error> {
        let authority = intermediates
            .iter()
            .find(|certificate| sha256(certificate) == self.fingerprint)
            .ok_or(rustls::Error::InvalidCertificate(
                rustls::CertificateError::UnknownIssuer,
            ))?;
        let mut roots = rustls::RootCertStore::empty();
        roots.add(authority.clone().into_owned())?;
        let verifier =
            rustls::client::WebPkiServerVerifier::builder_with_provider(Arc::new(roots), tls::provider())
                .build()
                .map_err(|error| rustls::Error::General(error.to_string()))?;
        verifier.verify_server_cert(end_entity, intermediates, server_name, ocsp_response, now)
    }

    fn verify_tls12_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = tls::provider().signature_verification_algorithms;
        rustls::crypto::verify_tls12_signature(message, certificate, signature, &algorithms)
    }

    fn verify_tls13_signature(
        &self,
        message: &[u8],
        certificate: &CertificateDer<'_>,
        signature: &DigitallySignedStruct,
    ) -> Result<HandshakeSignatureValid, rustls::Error> {
        let algorithms = tls::provider().signature_verification_algorithms;
        rustls::crypto::verify_tls13_signature(message, certificate, signature, &algorithms)
    }

    fn supported_verify_schemes(&self) -> Vec<SignatureScheme> {
        tls::provider()
            .signature_verification_algorithms
            .supported_schemes()
    }
}

/// The private key of a PEM text, for shells that serve with the node's own certificate.
///
/// # Errors
/// When there is none.
pub fn private_key(pem: &str) -> Result<PrivateKeyDer<'static>, TlsError> {
    Ok(PrivateKeyDer::from_pem_slice(pem.as_bytes())?)
}
