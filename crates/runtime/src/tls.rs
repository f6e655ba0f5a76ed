//! TLS doors: who is asked for a certificate, what a node's certificate says, and serving HTTP behind it.

use std::{sync::Arc, time::Duration};

use axum::Router;
use hyper_util::{
    rt::{TokioExecutor, TokioIo, TokioTimer},
    server::{conn::auto, graceful::GracefulShutdown},
    service::TowerToHyperService,
};
use naru_kernel::{HostId, fleet::NodeRole};
use rustls::{
    ClientConfig, RootCertStore, ServerConfig,
    crypto::CryptoProvider,
    server::{WebPkiClientVerifier, danger::ClientCertVerifier},
};
use rustls_pki_types::{CertificateDer, PrivateKeyDer, pem::PemObject as _};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::Semaphore,
};
use tokio_rustls::LazyConfigAcceptor;
use x509_cert::der::Decode as _;

use crate::{Peer, Shutdown};

/// TLS handshakes that take longer are dropped.
const HANDSHAKE_SECONDS_MAX: u64 = 10;
/// Requests whose head takes longer are dropped.
const HEAD_SECONDS_MAX: u64 = 15;
/// Open connections per door.
const CONNECTIONS_MAX: usize = 20_000;
/// How long open requests have once it is time to stop.
const DRAIN_SECONDS_MAX: u64 = 10;

/// What can be wrong with TLS material.
#[derive(Debug, thiserror::Error)]
pub enum TlsError {
    /// A PEM text holds no certificate or key.
    #[error("no usable PEM: {0}")]
    Pem(#[from] rustls_pki_types::pem::Error),
    /// rustls refuses it.
    #[error("unusable for TLS: {0}")]
    Rustls(#[from] rustls::Error),
    /// The authority cannot be used to check clients.
    #[error("unusable authority: {0}")]
    Verifier(#[from] rustls::server::VerifierBuilderError),
}

/// The one crypto provider of the program.
#[must_use]
pub fn provider() -> Arc<CryptoProvider> {
    Arc::new(rustls::crypto::aws_lc_rs::default_provider())
}

/// A certificate chain with its key.
#[derive(Debug)]
pub struct Credentials {
    /// The certificate, then its issuers.
    pub chain: Vec<CertificateDer<'static>>,
    /// The private key.
    pub key: PrivateKeyDer<'static>,
}

impl Credentials {
    /// From PEM texts.
    ///
    /// # Errors
    /// When there is no certificate or no key in them.
    pub fn from_pem(chain: &str, key: &str) -> Result<Self, TlsError> {
        Ok(Self {
            chain: CertificateDer::pem_slice_iter(chain.as_bytes()).collect::<Result<_, _>>()?,
            key: PrivateKeyDer::from_pem_slice(key.as_bytes())?,
        })
    }
}

impl Clone for Credentials {
    fn clone(&self) -> Self {
        Self {
            chain: self.chain.clone(),
            key: self.key.clone_key(),
        }
    }
}

/// Certificates to trust, from PEM.
///
/// # Errors
/// When there is no usable certificate.
pub fn roots(pem: &str) -> Result<Arc<RootCertStore>, TlsError> {
    let mut store = RootCertStore::empty();
    for certificate in CertificateDer::pem_slice_iter(pem.as_bytes()) {
        store.add(certificate?)?;
    }
    Ok(Arc::new(store))
}

/// A verifier that demands a certificate of this authority: for doors between nodes.
///
/// # Errors
/// When the authority is unusable.
pub fn demand_client(authority_pem: &str) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    Ok(WebPkiClientVerifier::builder_with_provider(roots(authority_pem)?, provider()).build()?)
}

/// A verifier that takes a certificate of this authority if there is one.
///
/// # Errors
/// When the authority is unusable.
pub fn allow_client(authority_pem: &str) -> Result<Arc<dyn ClientCertVerifier>, TlsError> {
    Ok(
        WebPkiClientVerifier::builder_with_provider(roots(authority_pem)?, provider())
            .allow_unauthenticated()
            .build()?,
    )
}

/// A client's TLS: trusts this authority, shows no certificate.
///
/// # Errors
/// When the authority is unusable.
pub fn client(authority_pem: &str) -> Result<Arc<ClientConfig>, TlsError> {
    let config = ClientConfig::builder_with_provider(provider())
        .with_safe_default_protocol_versions()?
        .with_root_certificates(roots(authority_pem)?)
        .with_no_client_auth();
    Ok(Arc::new(config))
}

/// A server's TLS; `clients` judges client certificates, none asked if absent. `http` offers HTTP/2 and 1.1.
///
/// # Errors
/// When certificate and key do not fit.
pub fn server(
    credentials: Credentials,
    clients: Option<Arc<dyn ClientCertVerifier>>,
    protocols: &[&str],
) -> Result<Arc<ServerConfig>, TlsError> {
    let builder = ServerConfig::builder_with_provider(provider()).with_safe_default_protocol_versions()?;
    let builder = match clients {
        Some(verifier) => builder.with_client_cert_verifier(verifier),
        None => builder.with_no_client_auth(),
    };
    let mut config = builder.with_single_cert(credentials.chain, credentials.key)?;
    config.alpn_protocols = protocols.iter().map(|name| name.as_bytes().to_vec()).collect();
    Ok(Arc::new(config))
}

/// The text form of a node's name in its certificate: `naru:node/host/host_…`.
#[must_use]
pub fn node_uri(role: NodeRole, node: HostId) -> String {
    format!("naru:node/{role}/{node}")
}

/// Which node a certificate names. Says nothing about whether it is genuine: the TLS verifier did that.
#[must_use]
pub fn node_of(certificate: &CertificateDer<'_>) -> Option<(NodeRole, HostId)> {
    use x509_cert::ext::pkix::{SubjectAltName, name::GeneralName};
    let certificate = x509_cert::Certificate::from_der(certificate).ok()?;
    let (_, names) = certificate
        .tbs_certificate()
        .get_extension::<SubjectAltName>()
        .ok()??;
    names.0.iter().find_map(|name| {
        let GeneralName::UniformResourceIdentifier(uri) = name else {
            return None;
        };
        let (role, node) = uri.as_str().strip_prefix("naru:node/")?.split_once('/')?;
        Some((role.parse().ok()?, node.parse().ok()?))
    })
}

/// Chooses the TLS configuration by the name the client asks for.
pub type ChooseConfig = Arc<dyn Fn(Option<&str>) -> Arc<ServerConfig> + Send + Sync>;

/// Serves HTTP behind TLS until shutdown, then lets open requests finish. Each request carries a [`Peer`].
pub async fn serve(listener: TcpListener, choose: ChooseConfig, router: Router, shutdown: Shutdown) {
    let graceful = GracefulShutdown::new();
    let connections = Arc::new(Semaphore::new(CONNECTIONS_MAX));
    loop {
        let Ok(permit) = Arc::clone(&connections).acquire_owned().await else {
            break;
        };
        let accepted = tokio::select! {
            accepted = listener.accept() => accepted,
            () = shutdown.requested() => break,
        };
        let (stream, address) = match accepted {
            Ok(accepted) => accepted,
            Err(error) => {
                // Out of file descriptors, most likely: give others time to close.
                tracing::warn!(%error, "a connection could not be accepted");
                tokio::time::sleep(Duration::from_millis(100)).await;
                continue;
            }
        };
        let (choose, router, watcher) = (Arc::clone(&choose), router.clone(), graceful.watcher());
        let task = async move {
            let _permit = permit;
            let limit = Duration::from_secs(HANDSHAKE_SECONDS_MAX);
            let Ok(Some((stream, peer))) =
                tokio::time::timeout(limit, handshake(stream, address, &choose)).await
            else {
                return;
            };
            let service = tower::ServiceBuilder::new()
                .layer(axum::Extension(peer))
                .service(router);
            let mut builder = auto::Builder::new(TokioExecutor::new());
            builder
                .http1()
                .timer(TokioTimer::new())
                .header_read_timeout(Duration::from_secs(HEAD_SECONDS_MAX))
                .http2()
                .timer(TokioTimer::new())
                .max_concurrent_streams(64)
                .keep_alive_interval(Duration::from_secs(30));
            let connection = builder
                .serve_connection_with_upgrades(TokioIo::new(stream), TowerToHyperService::new(service))
                .into_owned();
            if let Err(error) = watcher.watch(connection).await {
                tracing::debug!(%address, error, "a connection ended badly");
            }
        };
        #[expect(
            clippy::disallowed_methods,
            reason = "tracked by `graceful`, which is waited for below"
        )]
        drop(tokio::spawn(task));
    }
    drop(listener);
    if tokio::time::timeout(Duration::from_secs(DRAIN_SECONDS_MAX), graceful.shutdown())
        .await
        .is_err()
    {
        tracing::warn!("some requests did not finish in time");
    }
}

async fn handshake(
    stream: TcpStream,
    address: std::net::SocketAddr,
    choose: &ChooseConfig,
) -> Option<(tokio_rustls::server::TlsStream<TcpStream>, Peer)> {
    drop(stream.set_nodelay(true));
    let start = LazyConfigAcceptor::new(rustls::server::Acceptor::default(), stream)
        .await
        .ok()?;
    let server_name: Option<Arc<str>> = start.client_hello().server_name().map(Into::into);
    let config = choose(server_name.as_deref());
    let stream = start
        .into_stream(config)
        .await
        .inspect_err(|error| tracing::debug!(%address, %error, "a TLS handshake failed"))
        .ok()?;
    let certificates = stream.get_ref().1.peer_certificates().unwrap_or_default();
    let certificates = certificates.iter().map(|c| c.clone().into_owned()).collect();
    Some((
        stream,
        Peer {
            address,
            certificates,
            server_name,
        },
    ))
}
