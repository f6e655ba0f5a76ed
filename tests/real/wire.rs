//! HTTP over real TLS, behind the same `Browser` that other tests use in front of a router.

use std::sync::Arc;

use axum::{
    Router,
    body::Body,
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    response::{IntoResponse as _, Response},
};
use http_body_util::{BodyExt as _, Full};
use hyper::client::conn::http1;
use hyper_util::rt::TokioIo;
use naru_runtime::tls;
use rustls::{
    ClientConfig,
    pki_types::{CertificateDer, PrivateKeyDer, ServerName},
};
use tokio::net::TcpStream;
use tokio_rustls::{TlsConnector, client::TlsStream};

/// What a request gets that never reached the other side; the product itself never answers so.
pub(crate) const UNREACHED: StatusCode = StatusCode::BAD_GATEWAY;

/// A door of the program, by port and by the name the client asks for.
#[derive(Clone)]
pub(crate) struct Door {
    port: u16,
    name: &'static str,
    tls: Arc<ClientConfig>,
}

impl Door {
    pub(crate) fn new(port: u16, name: &'static str, authority: &str) -> Self {
        Self::with(port, name, authority, None, &[&rustls::version::TLS13])
    }

    /// With a client certificate chain and its key, and these versions of TLS.
    pub(crate) fn with(
        port: u16,
        name: &'static str,
        authority: &str,
        client: Option<(Vec<CertificateDer<'static>>, PrivateKeyDer<'static>)>,
        versions: &[&'static rustls::SupportedProtocolVersion],
    ) -> Self {
        let builder = ClientConfig::builder_with_provider(tls::provider())
            .with_protocol_versions(versions)
            .unwrap()
            .with_root_certificates(tls::roots(authority).unwrap());
        let tls = match client {
            Some((chain, key)) => builder.with_client_auth_cert(chain, key).unwrap(),
            None => builder.with_no_client_auth(),
        };
        Self {
            port,
            name,
            tls: Arc::new(tls),
        }
    }

    /// With whatever client certificate this gives.
    pub(crate) fn resolving(
        port: u16,
        name: &'static str,
        authority: &str,
        resolver: Arc<dyn rustls::client::ResolvesClientCert>,
    ) -> Self {
        let tls = ClientConfig::builder_with_provider(tls::provider())
            .with_protocol_versions(&[&rustls::version::TLS13])
            .unwrap()
            .with_root_certificates(tls::roots(authority).unwrap())
            .with_client_cert_resolver(resolver);
        Self {
            port,
            name,
            tls: Arc::new(tls),
        }
    }

    pub(crate) async fn connect(&self) -> std::io::Result<TlsStream<TcpStream>> {
        let stream = TcpStream::connect(("127.0.0.1", self.port)).await?;
        let name = ServerName::try_from(self.name).unwrap();
        TlsConnector::from(Arc::clone(&self.tls))
            .connect(name, stream)
            .await
    }

    /// Forwards every request to the door, each on a connection of its own.
    pub(crate) fn router(self) -> Router {
        Router::new().fallback(forward).with_state(self)
    }
}

async fn forward(State(door): State<Door>, request: Request) -> Response {
    match exchange(&door, request).await {
        Ok(response) => response,
        Err(error) => (UNREACHED, error.to_string()).into_response(),
    }
}

async fn exchange(
    door: &Door,
    request: Request,
) -> Result<Response, Box<dyn std::error::Error + Send + Sync>> {
    let (mut parts, body) = request.into_parts();
    let body = Full::new(body.collect().await?.to_bytes());
    let host = format!("{}:{}", door.name, door.port);
    parts.headers.insert(header::HOST, HeaderValue::from_str(&host)?);
    let stream = door.connect().await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    let call = async move {
        let (parts, body) = sender
            .send_request(hyper::Request::from_parts(parts, body))
            .await?
            .into_parts();
        let body = body.collect().await?.to_bytes();
        Ok::<_, hyper::Error>(Response::from_parts(parts, Body::from(body)))
    };
    // The connection ends with its sender; how does not matter once the answer is whole.
    let (answer, _) = tokio::join!(call, connection);
    Ok(answer?)
}
