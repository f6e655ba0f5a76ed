//! Reads a revocation list from a file or over plain HTTP: the list is signed, the way there need not be.

use std::time::Duration;

use http_body_util::{BodyExt as _, Empty, Limited};
use hyper::{Request, client::conn::http1, header};
use hyper_util::rt::TokioIo;
use naru_pki::Trust;
use tokio::net::TcpStream;

/// How long a source has to give its list.
const FETCH_SECONDS_MAX: u64 = 30;

/// Why a list could not be read.
#[derive(Debug, thiserror::Error)]
pub(super) enum FetchError {
    #[error("cannot read the file: {0}")]
    File(#[from] std::io::Error),
    #[error("the list is larger than {} bytes", Trust::CRL_BYTES_MAX)]
    TooLarge,
    #[error("only files and http:// addresses can be read")]
    Scheme,
    #[error("the address cannot be used")]
    Address,
    #[error("no answer within {FETCH_SECONDS_MAX} seconds")]
    Late,
    #[error("cannot be reached: {0}")]
    Http(#[from] hyper::Error),
    #[error("the answer broke off or is too large: {0}")]
    Body(Box<dyn std::error::Error + Send + Sync>),
    #[error("answered with status {0}")]
    Status(u16),
}

pub(super) async fn read(source: &str) -> Result<Vec<u8>, FetchError> {
    if source.starts_with("http://") {
        let limit = Duration::from_secs(FETCH_SECONDS_MAX);
        return tokio::time::timeout(limit, over_http(source))
            .await
            .map_err(|_| FetchError::Late)?;
    }
    if source.contains("://") {
        return Err(FetchError::Scheme);
    }
    let length = tokio::fs::metadata(source).await?.len();
    if usize::try_from(length).unwrap_or(usize::MAX) > Trust::CRL_BYTES_MAX {
        return Err(FetchError::TooLarge);
    }
    Ok(tokio::fs::read(source).await?)
}

async fn over_http(source: &str) -> Result<Vec<u8>, FetchError> {
    let url = url::Url::parse(source).map_err(|_| FetchError::Address)?;
    let host = url.host_str().ok_or(FetchError::Address)?.to_owned();
    let port = url.port_or_known_default().unwrap_or(80);
    let stream = TcpStream::connect((host.trim_matches(['[', ']']), port)).await?;
    let (mut sender, connection) = http1::handshake(TokioIo::new(stream)).await?;
    #[expect(
        clippy::disallowed_methods,
        reason = "ends with its sender, at the end of this function"
    )]
    drop(tokio::spawn(connection));
    let path = match url.query() {
        Some(query) => format!("{}?{query}", url.path()),
        None => url.path().to_owned(),
    };
    let request = Request::get(path)
        .header(header::HOST, format!("{host}:{port}"))
        .body(Empty::<&[u8]>::new())
        .map_err(|_| FetchError::Address)?;
    let answer = sender.send_request(request).await?;
    if !answer.status().is_success() {
        return Err(FetchError::Status(answer.status().as_u16()));
    }
    let body = Limited::new(answer.into_body(), Trust::CRL_BYTES_MAX)
        .collect()
        .await
        .map_err(FetchError::Body)?;
    Ok(body.to_bytes().to_vec())
}
