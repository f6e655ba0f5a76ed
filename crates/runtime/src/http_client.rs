//! A small HTTPS client for the fleet's own doors: one connection, kept open, JSON both ways.

use std::{sync::Arc, time::Duration};

use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use rustls::ClientConfig;
use rustls_pki_types::ServerName;
use serde::{Serialize, de::DeserializeOwned};
use tokio::net::TcpStream;
use tokio_rustls::TlsConnector;

use crate::Problem;

/// Answers larger than this are refused.
const ANSWER_BYTES_MAX: usize = 4 * 1024 * 1024;

/// Why a request failed.
#[derive(Debug, thiserror::Error)]
pub enum ClientError {
    /// The other side cannot be reached or broke off.
    #[error("{address} cannot be reached: {why}")]
    Unreachable {
        /// Where.
        address: String,
        /// Why.
        why: String,
    },
    /// It took too long.
    #[error("no answer in time")]
    Late,
    /// It answered with a problem.
    #[error("refused: {} ({})", .0.title, .0.code)]
    Refused(Box<Problem>),
    /// It answered what cannot be understood.
    #[error("the answer cannot be understood: {0}")]
    Answer(String),
}

/// One connection to one server.
pub struct HttpsClient {
    address: String,
    server_name: ServerName<'static>,
    tls: Arc<ClientConfig>,
    open: Option<http1::SendRequest<Full<bytes::Bytes>>>,
}

impl HttpsClient {
    /// To `address` (`host:port`), checking its certificate for the host part under `tls`.
    ///
    /// # Errors
    /// When the address has no usable host name.
    pub fn new(address: &str, tls: Arc<ClientConfig>) -> Result<Self, ClientError> {
        let host = address.rsplit_once(':').map_or(address, |(host, _)| host);
        let host = host.trim_start_matches('[').trim_end_matches(']');
        let server_name =
            ServerName::try_from(host.to_owned()).map_err(|error| ClientError::Unreachable {
                address: address.to_owned(),
                why: error.to_string(),
            })?;
        Ok(Self {
            address: address.to_owned(),
            server_name,
            tls,
            open: None,
        })
    }

    /// Posts JSON and reads JSON.
    ///
    /// # Errors
    /// When the server cannot be reached, is late, refuses, or answers nonsense.
    pub async fn post<Q: Serialize + Sync, A: DeserializeOwned>(
        &mut self,
        path: &str,
        question: &Q,
        limit: Duration,
    ) -> Result<A, ClientError> {
        let body = serde_json::to_vec(question).map_err(|error| ClientError::Answer(error.to_string()))?;
        match tokio::time::timeout(limit, self.exchange(path, body)).await {
            Ok(Ok(answer)) => answer,
            Ok(Err(error)) => {
                self.open = None;
                Err(error)
            }
            Err(_) => {
                self.open = None;
                Err(ClientError::Late)
            }
        }
    }

    async fn exchange<A: DeserializeOwned>(
        &mut self,
        path: &str,
        body: Vec<u8>,
    ) -> Result<Result<A, ClientError>, ClientError> {
        let address = self.address.clone();
        let unreachable = |why: &dyn ToString| ClientError::Unreachable {
            address: address.clone(),
            why: why.to_string(),
        };
        let mut sender = match self.open.take() {
            Some(sender) if !sender.is_closed() => sender,
            Some(_) | None => self.connect().await?,
        };
        sender.ready().await.map_err(|error| unreachable(&error))?;
        let request = Request::post(path)
            .header(header::HOST, &self.address)
            .header(header::CONTENT_TYPE, "application/json")
            .body(Full::from(body))
            .map_err(|error| unreachable(&error))?;
        let answer = sender
            .send_request(request)
            .await
            .map_err(|error| unreachable(&error))?;
        let status = answer.status();
        let bytes = Limited::new(answer.into_body(), ANSWER_BYTES_MAX)
            .collect()
            .await
            .map_err(|error| unreachable(&error))?
            .to_bytes();
        self.open = Some(sender);
        if status.is_success() {
            return Ok(serde_json::from_slice(&bytes).map_err(|error| ClientError::Answer(error.to_string())));
        }
        Ok(Err(match serde_json::from_slice::<Problem>(&bytes) {
            Ok(problem) => ClientError::Refused(Box::new(problem)),
            Err(_) => ClientError::Answer(format!("status {status}")),
        }))
    }

    async fn connect(&self) -> Result<http1::SendRequest<Full<bytes::Bytes>>, ClientError> {
        let unreachable = |why: String| ClientError::Unreachable {
            address: self.address.clone(),
            why,
        };
        let stream = TcpStream::connect(&self.address)
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        drop(stream.set_nodelay(true));
        let stream = TlsConnector::from(Arc::clone(&self.tls))
            .connect(self.server_name.clone(), stream)
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        let (sender, connection) = http1::handshake(TokioIo::new(stream))
            .await
            .map_err(|error| unreachable(error.to_string()))?;
        #[expect(clippy::disallowed_methods, reason = "ends with its sender")]
        drop(tokio::spawn(connection));
        Ok(sender)
    }
}
