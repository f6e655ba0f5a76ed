//! Requests to programs outside the platform: HTTPS under configured roots, bounded in time and size.
//!
//! `http://` goes to this machine alone. Redirects are not followed: whoever configured the address meant that one.

use std::{path::Path, sync::Arc, time::Duration};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Method, Request, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use rustls::{ClientConfig, RootCertStore};
use rustls_pki_types::{CertificateDer, ServerName, pem::PemObject as _};
use tokio::{
    io::{AsyncRead, AsyncWrite},
    net::TcpStream,
};
use tokio_rustls::TlsConnector;

use crate::tls::{self, TlsError};

/// A request takes no longer, connecting included.
const REQUEST_SECONDS_MAX: u64 = 10;
/// Larger answers are refused.
const ANSWER_BYTES_MAX: usize = 256 * 1024;
/// Where Debian keeps the certificates that all programs trust.
const SYSTEM_ROOTS: &str = "/etc/ssl/certs/ca-certificates.crt";

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum OutboundError {
    /// No address, or one that is neither `https://` nor on this machine.
    #[error("the address is not https, nor on this machine")]
    Address,
    /// No answer in time.
    #[error("no answer within {REQUEST_SECONDS_MAX} seconds")]
    Late,
    /// It cannot be reached, or its certificate is not trusted.
    #[error("cannot be reached: {0}")]
    Unreachable(#[from] std::io::Error),
    /// It broke off.
    #[error("the exchange broke off: {0}")]
    Http(#[from] hyper::Error),
    /// The request cannot be written.
    #[error("the request cannot be written: {0}")]
    Request(#[from] http::Error),
    /// The answer is larger than allowed, or broke off.
    #[error("the answer broke off or is too large")]
    Body,
}

/// What came back.
#[derive(Clone, Debug)]
pub struct OutboundAnswer {
    /// HTTP status.
    pub status: u16,
    /// The body.
    pub body: bytes::Bytes,
}

/// A client for addresses that administrators configured.
#[derive(Clone)]
pub struct Outbound {
    tls: Arc<ClientConfig>,
}

impl Outbound {
    /// Trusts the system's roots, and those in these PEM files.
    ///
    /// # Errors
    /// When one of the files cannot be read or holds no certificate. That the system has no roots is no error.
    pub fn new(files: &[impl AsRef<Path>]) -> Result<Self, TlsError> {
        let mut roots = RootCertStore::empty();
        if let Ok(pem) = std::fs::read(SYSTEM_ROOTS) {
            let system = CertificateDer::pem_slice_iter(&pem).filter_map(Result::ok);
            roots.add_parsable_certificates(system);
        }
        for file in files {
            for certificate in CertificateDer::pem_file_iter(file)? {
                roots.add(certificate?)?;
            }
        }
        let mut config = ClientConfig::builder_with_provider(tls::provider())
            .with_safe_default_protocol_versions()?
            .with_root_certificates(roots)
            .with_no_client_auth();
        config.alpn_protocols = vec![b"http/1.1".to_vec()];
        Ok(Self {
            tls: Arc::new(config),
        })
    }

    /// Posts a form that is encoded already; gives the status.
    ///
    /// # Errors
    /// When there is no whole answer in time.
    pub async fn post_form(&self, address: &str, form: String) -> Result<u16, OutboundError> {
        let kind = (header::CONTENT_TYPE, "application/x-www-form-urlencoded");
        let answer = self
            .send(Method::POST, address, &[kind], form.into_bytes())
            .await?;
        Ok(answer.status)
    }

    /// Sends a request.
    ///
    /// # Errors
    /// When there is no whole answer in time.
    pub async fn send(
        &self,
        method: Method,
        address: &str,
        headers: &[(header::HeaderName, &str)],
        body: Vec<u8>,
    ) -> Result<OutboundAnswer, OutboundError> {
        let limit = Duration::from_secs(REQUEST_SECONDS_MAX);
        tokio::time::timeout(limit, self.exchange(method, address, headers, body))
            .await
            .map_err(|_| OutboundError::Late)?
    }

    async fn exchange(
        &self,
        method: Method,
        address: &str,
        headers: &[(header::HeaderName, &str)],
        body: Vec<u8>,
    ) -> Result<OutboundAnswer, OutboundError> {
        let uri: http::Uri = address.parse().map_err(|_| OutboundError::Address)?;
        let authority = uri.authority().ok_or(OutboundError::Address)?;
        let host = authority.host().trim_matches(['[', ']']).to_owned();
        let is_tls = match uri.scheme_str() {
            Some("https") => true,
            Some("http") => false,
            Some(_) | None => return Err(OutboundError::Address),
        };
        let port = authority.port_u16().unwrap_or(if is_tls { 443 } else { 80 });
        let stream = TcpStream::connect((host.as_str(), port)).await?;
        // Asked of the connection, not of the name: what a name stands for is not ours to say.
        if !is_tls && !stream.peer_addr()?.ip().is_loopback() {
            return Err(OutboundError::Address);
        }
        let mut request = Request::builder()
            .method(method)
            .uri(uri.path_and_query().map_or("/", |path| path.as_str()))
            .header(header::HOST, authority.as_str());
        for (name, value) in headers {
            request = request.header(name, *value);
        }
        let request = request.body(Full::from(body))?;
        if is_tls {
            let name = ServerName::try_from(host).map_err(|_| OutboundError::Address)?;
            let stream = TlsConnector::from(Arc::clone(&self.tls))
                .connect(name, stream)
                .await?;
            over(stream, request).await
        } else {
            over(stream, request).await
        }
    }
}

async fn over(
    stream: impl AsyncRead + AsyncWrite + Unpin + Send + 'static,
    request: Request<Full<bytes::Bytes>>,
) -> Result<OutboundAnswer, OutboundError> {
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let asking = async {
        let answer = sender.send_request(request).await?;
        let status = answer.status().as_u16();
        let body = Limited::new(answer.into_body(), ANSWER_BYTES_MAX)
            .collect()
            .await
            .map_err(|_| OutboundError::Body)?
            .to_bytes();
        Ok(OutboundAnswer { status, body })
    };
    // Both in this task: dropped together, nothing is left behind.
    let mut asking = std::pin::pin!(asking);
    let mut connection = std::pin::pin!(connection);
    tokio::select! {
        answer = &mut asking => answer,
        ended = &mut connection => {
            ended?;
            asking.await
        }
    }
}
