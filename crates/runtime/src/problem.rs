//! Errors as people and programs see them: RFC 9457 problem details.

use axum::{
    extract::{Request, State},
    http::{HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse, Response},
};
use naru_kernel::Kind;
use serde::{Deserialize, Serialize};

use std::sync::Arc;

/// An answer that is not what was asked for.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Problem {
    /// Always `about:blank`: the code tells more.
    #[serde(rename = "type")]
    pub type_uri: String,
    /// HTTP status.
    pub status: u16,
    /// Stable name, `domain.word-word`; pages have a text for each.
    pub code: String,
    /// What happened, one sentence in English.
    pub title: String,
    /// What to do about it, where that is not the same every time.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub detail: Option<String>,
    /// The field that is wrong.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub field: Option<String>,
    /// Seconds until trying again makes sense.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub retry_after_seconds: Option<i64>,
    /// For the help desk; stands in the log as well.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reference: Option<String>,
}

/// An error that knows what it is to the outside.
pub trait Fails: std::error::Error {
    /// What sort of failure.
    fn kind(&self) -> Kind;
    /// Its stable name.
    fn code(&self) -> &'static str;
}

impl Problem {
    /// A problem of this sort, with a stable code and one sentence.
    #[must_use]
    pub fn new(kind: Kind, code: &str, title: impl Into<String>) -> Self {
        Self {
            type_uri: "about:blank".to_owned(),
            status: status_of(kind).as_u16(),
            code: code.to_owned(),
            title: title.into(),
            detail: None,
            field: None,
            retry_after_seconds: None,
            reference: None,
        }
    }

    /// Names the field that is wrong.
    #[must_use]
    pub fn field(mut self, field: impl Into<String>) -> Self {
        self.field = Some(field.into());
        self
    }

    /// Says what to do.
    #[must_use]
    pub fn detail(mut self, detail: impl Into<String>) -> Self {
        self.detail = Some(detail.into());
        self
    }

    /// Says when to try again.
    #[must_use]
    pub fn retry_after(mut self, seconds: i64) -> Self {
        self.retry_after_seconds = Some(seconds);
        self
    }
}

/// The status for a sort of failure.
fn status_of(kind: Kind) -> StatusCode {
    match kind {
        Kind::NotFound => StatusCode::NOT_FOUND,
        Kind::Conflict => StatusCode::CONFLICT,
        Kind::Invalid => StatusCode::UNPROCESSABLE_ENTITY,
        Kind::Forbidden => StatusCode::FORBIDDEN,
        Kind::Unauthenticated => StatusCode::UNAUTHORIZED,
        Kind::TooMany => StatusCode::TOO_MANY_REQUESTS,
        Kind::Unavailable => StatusCode::SERVICE_UNAVAILABLE,
        Kind::Internal => StatusCode::INTERNAL_SERVER_ERROR,
    }
}

impl<E: Fails> From<E> for Problem {
    /// Internal failures are logged here with their chain and told to nobody.
    fn from(error: E) -> Self {
        let kind = error.kind();
        if matches!(kind, Kind::Internal | Kind::Unavailable) {
            let mut chain = error.to_string();
            let mut source = error.source();
            while let Some(inner) = source {
                chain.push_str(": ");
                chain.push_str(&inner.to_string());
                source = inner.source();
            }
            tracing::error!(code = error.code(), error = chain, "a request failed");
        }
        let title = match kind {
            Kind::Internal => "something went wrong on our side".to_owned(),
            Kind::NotFound
            | Kind::Conflict
            | Kind::Invalid
            | Kind::Forbidden
            | Kind::Unauthenticated
            | Kind::TooMany
            | Kind::Unavailable => error.to_string(),
        };
        Self::new(kind, error.code(), title)
    }
}

impl IntoResponse for Problem {
    fn into_response(self) -> Response {
        let status = StatusCode::from_u16(self.status).unwrap_or(StatusCode::INTERNAL_SERVER_ERROR);
        let body = serde_json::to_vec(&self).unwrap_or_default();
        let mut response = (status, body).into_response();
        let headers = response.headers_mut();
        headers.insert(
            header::CONTENT_TYPE,
            HeaderValue::from_static("application/problem+json"),
        );
        headers.insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
        if let Some(seconds) = self.retry_after_seconds {
            headers.insert(header::RETRY_AFTER, HeaderValue::from(seconds));
        }
        response.extensions_mut().insert(self);
        response
    }
}

/// Middleware: gives each request a reference, puts it in the log line and into a problem answer.
pub async fn reference_layer(
    State(entropy): State<Arc<dyn naru_kernel::Entropy>>,
    request: Request,
    next: Next,
) -> Response {
    let mut bits = [0_u8; 5];
    entropy.fill(&mut bits);
    let reference = hex::encode(bits).to_uppercase();
    let method = request.method().clone();
    let path = request.uri().path().to_owned();
    let started = crate::clock::instant();
    let response = next.run(request).await;
    let status = response.status().as_u16();
    let micros = u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX);
    let Some(mut problem) = response.extensions().get::<Problem>().cloned() else {
        tracing::debug!(reference, %method, path, status, micros, "answered");
        return response;
    };
    tracing::info!(reference, %method, path, status, micros, code = problem.code, "refused");
    problem.reference = Some(reference);
    with_headers_of(&response, problem.into_response())
}

/// What the layers below added stays: cookies, and the headers that fence a page in. The body is a new one.
fn with_headers_of(inner: &Response, mut answer: Response) -> Response {
    let own = answer.headers().clone();
    let about_the_body = [header::CONTENT_LENGTH, header::CONTENT_ENCODING];
    for (name, value) in inner.headers() {
        if !own.contains_key(name) && !about_the_body.contains(name) {
            answer.headers_mut().append(name, value.clone());
        }
    }
    answer
}
