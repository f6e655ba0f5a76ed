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
    let (relay, mut closing) = match gateway.admit(&hello.ticket, Protocol::Rfb) {
        Ok(admitted) => admitted,
        Err(refusal) => {
            tracing::info!(%refusal, "a ticket was refused");
            return seat.close(CloseReason::TicketRefused).await;
        }
    };
    let request = AttachRequest {
        ticket: hello.ticket,
        width: hello.width.clamp(*PICTURE_PIXELS.start(), *PICTURE_PIXELS.end()),
        height: hello.height.clamp(*PICTURE_PIXELS.start(), *PICTURE_PIXELS.end()),
    };
    let attach = gateway
        .dialer
        .attach(&relay.claims, &request, Some(&mut seat.writing));
    let attached = tokio::select! {
        attached = attach => attached.map_err(|unreached| {
            tracing::warn!(desktop = %relay.claims.desktop, host = %relay.claims.host, detail = unreached.detail, "a desktop was not reached");
            unreached.reason
        }),
        reason = pipe::told_to_close(&mut closing) => Err(reason),
    };
    let reason = match attached {
        Ok((host, AttachReady::Rfb)) => match seat.writing.json(&json!({ "ready": true })).await {
            Ok(()) => {
                let scanners = rfb::pair(relay.claims.clipboard);
                pipe::run(&relay, seat, host, closing, scanners).await
            }
            Err(reason) => reason,
        },
        Ok((_, AttachReady::Rdp { .. })) => {
            seat.close(CloseReason::ProtocolError).await;
            CloseReason::ProtocolError
        }
        Err(reason) => {
            seat.close(reason).await;
            reason
        }
    };
    tracing::info!(desktop = %relay.claims.desktop, reason = reason.as_str(), "a relay closed");
    gateway.forget(&relay, reason);
}
