//! What every answer of the public door carries, and which name may be asked for what.

use std::sync::Arc;

use axum::{
    extract::{Request, State},
    http::{HeaderName, HeaderValue, StatusCode, header},
    middleware::Next,
    response::{IntoResponse as _, Response},
};
use naru_runtime::Peer;

/// Headers for the browser, made once at start.
#[derive(Clone)]
pub(crate) struct BrowserHeaders(Arc<[(HeaderName, HeaderValue)]>);

impl BrowserHeaders {
    /// `gateways` are the origins that pages may open a WebSocket to.
    pub(crate) fn new(gateways: &str) -> Self {
        // `wasm-unsafe-eval` lets the RDP client compile its WebAssembly; nothing is ever loaded from elsewhere.
        let policy = format!(
            "default-src 'none'; script-src 'self' 'wasm-unsafe-eval'; style-src 'self'; img-src 'self' data: blob:; \
             font-src 'self'; connect-src 'self' {gateways}; worker-src 'self' blob:; manifest-src 'self'; \
             base-uri 'none'; form-action 'self'; frame-ancestors 'none'"
        );
        let fixed = [
            (header::X_CONTENT_TYPE_OPTIONS, "nosniff"),
            (header::REFERRER_POLICY, "no-referrer"),
            (header::STRICT_TRANSPORT_SECURITY, "max-age=31536000"),
            (
                HeaderName::from_static("cross-origin-opener-policy"),
                "same-origin",
            ),
            (
                HeaderName::from_static("cross-origin-resource-policy"),
                "same-origin",
            ),
            (
                HeaderName::from_static("permissions-policy"),
                "camera=(), microphone=(), geolocation=(), payment=(), usb=(), clipboard-read=(self), clipboard-write=(self)",
            ),
        ];
        let mut all: Vec<_> = fixed
            .into_iter()
            .map(|(name, value)| (name, HeaderValue::from_static(value)))
            .collect();
        if let Ok(value) = HeaderValue::from_str(&policy) {
            all.push((header::CONTENT_SECURITY_POLICY, value));
        }
        Self(all.into())
    }
}

/// Middleware: adds the browser's headers; API answers are never kept by caches.
pub(crate) async fn add(State(headers): State<BrowserHeaders>, request: Request, next: Next) -> Response {
    let api = request.uri().path().starts_with("/api/");
    let mut response = next.run(request).await;
    for (name, value) in headers.0.iter() {
        // A page that posts an answer to an application has a policy of its own, narrower but for its one form.
        if *name == header::CONTENT_SECURITY_POLICY && response.headers().contains_key(name) {
            continue;
        }
        response.headers_mut().insert(name, value.clone());
    }
    if api && !response.headers().contains_key(header::CACHE_CONTROL) {
        response
            .headers_mut()
            .insert(header::CACHE_CONTROL, HeaderValue::from_static("no-store"));
    }
    response
}

/// The path that is served under the certificate door's name alone.
const CERTIFICATE_PATH: &str = "/api/v1/logon/tls";
/// What programs may ask at either door: at the certificate door they prove themselves by theirs (RFC 8705).
const PROGRAM_PATHS: &[&str] = &[
    "/sso/token",
    "/sso/par",
    "/sso/introspect",
    "/sso/revoke",
    "/sso/device",
];

/// Middleware: a connection opened for one name must not be used for the other (HTTP/2 coalescing would carry a
/// client certificate where none was asked, or miss it where it is): 421, and the browser opens a new connection.
pub(crate) async fn keep_doors_apart(
    State(certificate_host): State<Arc<str>>,
    request: Request,
    next: Next,
) -> Response {
    let by_certificate_name = request
        .extensions()
        .get::<Peer>()
        .and_then(|peer| peer.server_name.as_deref())
        .is_some_and(|name| name == &*certificate_host);
    let path = request.uri().path();
    let for_certificates = path == CERTIFICATE_PATH;
    if by_certificate_name == for_certificates
        || PROGRAM_PATHS.contains(&path)
        || request.extensions().get::<Peer>().is_none()
    {
        next.run(request).await
    } else {
        StatusCode::MISDIRECTED_REQUEST.into_response()
    }
}
