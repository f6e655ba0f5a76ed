//! A small HTTPS client for the fleet's own doors: one connection, kept open, JSON both ways.

use std::{sync::Arc, time::Duration};

use bytes::Bytes;
use http_body_util::{BodyExt as _, Full, Limited};
use hyper::{Request, StatusCode, client::conn::http1, header};
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
    open: Option<http1::SendRequest<Full<Bytes>>>,
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
        let (status, bytes) = self.in_time(path, "application/json", body, limit).await?;
        if status.is_success() {
            return serde_json::from_slice(&bytes).map_err(|error| ClientError::Answer(error.to_string()));
        }
        Err(match serde_json::from_slice::<Problem>(&bytes) {
            Ok(problem) => ClientError::Refused(Box::new(problem)),
            Err(_) => ClientError::Answer(format!("status {status}")),
        })
    }

    /// Posts a text and gives status and text of the answer, whatever it is.
    ///
    /// # Errors
    /// When the server cannot be reached, is late, or answers with what is no text.
    pub async fn post_text(
        &mut self,
        path: &str,
        text: String,
        limit: Duration,
    ) -> Result<(u16, String), ClientError> {
        let (status, bytes) = self
            .in_time(path, "text/plain; charset=utf-8", text.into_bytes(), limit)
            .await?;
        let text =
            String::from_utf8(bytes.to_vec()).map_err(|error| ClientError::Answer(error.to_string()))?;
        Ok((status.as_u16(), text))
    }

    /// One exchange; a connection that failed is not used again.
    async fn in_time(
        &mut self,
        path: &str,
        kind: &'static str,
        body: Vec<u8>,
        limit: Duration,
    ) -> Result<(StatusCode, Bytes), ClientError> {
        let answer = match tokio::time::timeout(limit, self.exchange(path, kind, body)).await {
            Ok(answer) => answer,
            Err(_) => Err(ClientError::Late),
        };
        if answer.is_err() {
            self.open = None;
        }
        answer
    }

    async fn exchange(
        &mut self,
        path: &str,
        kind: &'static str,
        body: Vec<u8>,
    ) -> Result<(StatusCode, Bytes), ClientError> {
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
            .header(header::CONTENT_TYPE, kind)
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
        Ok((status, bytes))
    }

    async fn connect(&self) -> Result<http1::SendRequest<Full<Bytes>>, ClientError> {
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
