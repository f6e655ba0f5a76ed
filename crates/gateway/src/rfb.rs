//! A desktop by RFB: ticket, host, bytes (`docs/fleet.md`, "Browser ↔ gateway").

use std::sync::Arc;

use naru_kernel::fleet::{AttachReady, AttachRequest, CloseReason, Protocol};
use naru_relay::rfb;
use serde::Deserialize;
use serde_json::json;

use crate::{
    Gateway, pipe,
    seat::{Heard, Seat},
};

/// The first message of the page.
#[derive(Deserialize)]
#[serde(deny_unknown_fields)]
struct Hello {
    ticket: String,
    width: u16,
    height: u16,
}

/// The smallest and largest picture a desktop is opened with; the page may resize later.
const PICTURE_PIXELS: std::ops::RangeInclusive<u16> = 200..=8_192;

/// Serves one seat from its first message to its last.
pub(crate) async fn relay(gateway: Arc<Gateway>, mut seat: Seat) {
    let Some(Heard::Text(text)) = seat.reading.first().await else {
        return seat.close(CloseReason::ProtocolError).await;
    };
    let Ok(hello) = serde_json::from_str::<Hello>(&text) else {
        return seat.close(CloseReason::ProtocolError).await;
    };
    let mut admitted = match gateway.admit(&hello.ticket, Protocol::Rfb) {
        Ok(admitted) => admitted,
        Err(_) => return seat.close(CloseReason::TicketRefused).await,
    };
    seat.admit();
    let request = AttachRequest {
        ticket: hello.ticket,
        width: hello.width.clamp(*PICTURE_PIXELS.start(), *PICTURE_PIXELS.end()),
        height: hello.height.clamp(*PICTURE_PIXELS.start(), *PICTURE_PIXELS.end()),
    };
    let reached = admitted.attach(&request, Some(&mut seat.writing)).await;
    let reached = match reached {
        Ok((host, AttachReady::Rfb)) => seat
            .writing
            .json(&json!({ "ready": true }))
            .await
            .map(|()| host)
            .map_err(|_| CloseReason::Left),
        Ok((_, AttachReady::Rdp { .. })) => Err(CloseReason::HostLost),
        Err(reason) => Err(reason),
    };
    let reason = match reached {
        Ok(host) => {
            let scanners = rfb::pair(admitted.relay.claims.clipboard);
            pipe::run(&admitted.relay, seat, host, &mut admitted.closing, scanners).await
        }
        Err(reason) => {
            seat.close(reason).await;
            reason
        }
    };
    admitted.end(reason);
}
