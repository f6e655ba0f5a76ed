//! The door for browsers: who may upgrade to a WebSocket, and closing it with a word.

use std::sync::Arc;

use axum::{
    Router,
    extract::State,
    http::{HeaderMap, StatusCode, header},
    response::{IntoResponse as _, Response},
    routing::get,
};
use fastwebsockets::upgrade::IncomingUpgrade;
use naru_kernel::Kind;
use naru_runtime::Problem;

use crate::{Gateway, rdp, rfb, seat::Seat};

pub(crate) fn router(gateway: Arc<Gateway>) -> Router {
    Router::new()
        .route("/relay/v1/rfb", get(open_rfb))
        .route("/relay/v1/rdp", get(open_rdp))
        .with_state(gateway)
}

async fn open_rfb(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    upgrade: IncomingUpgrade,
) -> Response {
    open(gateway, &headers, upgrade, |gateway, seat| {
        Box::pin(rfb::relay(gateway, seat))
    })
}

async fn open_rdp(
    State(gateway): State<Arc<Gateway>>,
    headers: HeaderMap,
    upgrade: IncomingUpgrade,
) -> Response {
    open(gateway, &headers, upgrade, |gateway, seat| {
        Box::pin(rdp::relay(gateway, seat))
    })
}

type Protocol = fn(Arc<Gateway>, Seat) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>>;

/// Upgrades if the page is the portal's and not too many wait already, and hands the socket to its protocol in a
/// task of its own.
fn open(
    gateway: Arc<Gateway>,
    headers: &HeaderMap,
    upgrade: IncomingUpgrade,
    protocol: Protocol,
) -> Response {
    let origin = headers.get(header::ORIGIN).and_then(|value| value.to_str().ok());
    if !origin.is_some_and(|origin| gateway.config.portal_origins.iter().any(|ours| ours == origin)) {
        let (code, text) = ("gateway.foreign-origin", "this page may not open desktops");
        return Problem::new(Kind::Forbidden, code, text).into_response();
    }
    let Ok(waiting) = Arc::clone(&gateway.waiting).try_acquire_owned() else {
        let (code, text) = (
            "gateway.full",
            "too many desktops are being opened; try again in a moment",
        );
        return Problem::new(Kind::Unavailable, code, text).into_response();
    };
    let Ok((response, socket)) = upgrade.upgrade() else {
        return StatusCode::BAD_REQUEST.into_response();
    };
    let tasks = gateway.tasks.clone();
    tasks.spawn(async move {
        match socket.await {
            Ok(socket) => protocol(gateway, Seat::new(socket, waiting)).await,
            Err(error) => tracing::debug!(%error, "an upgrade did not happen"),
        }
    });
    response.map(axum::body::Body::new)
}
