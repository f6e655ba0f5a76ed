//! The two directions of a relay. Each reads only when its last bytes were taken: a slow end stalls the other.

use std::{
    sync::{Arc, atomic::Ordering},
    time::{Duration, Instant},
};

use naru_kernel::fleet::CloseReason;
use naru_relay::{HOLD_BYTES_MAX, Output, Scanner, scan};
use naru_runtime::clock::instant;
use tokio::{
    io::{AsyncReadExt as _, AsyncWriteExt as _, ReadHalf, WriteHalf},
    sync::watch,
    time::MissedTickBehavior,
};

use crate::{
    host::HostStream,
    seat::{Heard, Seat, SeatReader, SeatWriter},
    state::Relay,
};

/// What is read from a host at a time.
const READ_BYTES_MAX: usize = 16 * 1024;
/// How often the way to the browser and back is measured.
const PING_SECONDS: u64 = 5;
/// A host that takes none of its bytes for this long is given up.
const HOST_WRITE_SECONDS_MAX: u64 = 30;
/// How long a closed host connection waits to be told why.
const REASON_SECONDS_MAX: u64 = 3;

/// Relays until one end closes or the relay is told to; gives the reason, and the seat to say it to.
pub(crate) async fn run<C, S>(
    relay: &Arc<Relay>,
    seat: Seat,
    host: HostStream,
    mut closing: watch::Receiver<Option<CloseReason>>,
    (from_browser, from_host): (C, S),
) -> CloseReason
where
    C: Scanner,
    S: Scanner,
{
    let (host_read, host_write) = tokio::io::split(host);
    let Seat { reading, mut writing } = seat;
    let started = instant();
    let reason = tokio::select! {
        reason = browser_to_host(relay, reading, host_write, from_browser, started) => reason,
        reason = host_to_browser(relay, &mut writing, host_read, from_host, started) => reason,
        reason = told_to_close(&mut closing) => reason,
    };
    let reason = if reason == CloseReason::HostLost {
        // The host's end often arrives before the portal's word on why.
        let told = tokio::time::timeout(
            Duration::from_secs(REASON_SECONDS_MAX),
            told_to_close(&mut closing),
        );
        told.await.unwrap_or(reason)
    } else {
        reason
    };
    writing.close(reason).await;
    reason
}

/// Waits until the relay is told to close.
pub(crate) async fn told_to_close(closing: &mut watch::Receiver<Option<CloseReason>>) -> CloseReason {
    match closing.wait_for(Option::is_some).await {
        Ok(reason) => reason.unwrap_or(CloseReason::Draining),
        Err(_) => CloseReason::Draining,
    }
}

async fn host_to_browser<S: Scanner>(
    relay: &Relay,
    seat: &mut SeatWriter,
    mut host: ReadHalf<HostStream>,
    mut scanner: S,
    started: Instant,
) -> CloseReason {
    let mut buffer = vec![0_u8; READ_BYTES_MAX.saturating_add(HOLD_BYTES_MAX)];
    let mut held = 0_usize;
    let mut ping = tokio::time::interval(Duration::from_secs(PING_SECONDS));
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let free = buffer.get_mut(held..).unwrap_or_default();
        let read = tokio::select! {
            read = host.read(free) => read,
            _ = ping.tick() => {
                match seat.ping(&micros_since(started).to_be_bytes()).await {
                    Ok(()) => continue,
                    Err(reason) => return reason,
                }
            }
            Some(payload) = seat.pongs.recv() => {
                match seat.pong(payload).await {
                    Ok(()) => continue,
                    Err(reason) => return reason,
                }
            }
        };
        let Ok(read @ 1..) = read else {
            return CloseReason::HostLost;
        };
        relay
            .counters
            .bytes_out
            .fetch_add(signed(read), Ordering::Relaxed);
        let filled = held.saturating_add(read);
        let input = buffer.get(..filled).unwrap_or_default();
        // A scanner cuts at most a few times per read; what it emits are slices of the buffer itself.
        let mut outputs = Vec::new();
        let scanned = scan(&mut scanner, input, |output| outputs.push(output));
        for output in outputs {
            let sent = match output {
                Output::Slice(bytes) => seat.bytes(bytes).await,
                Output::Owned(bytes) => seat.bytes(&bytes).await,
                Output::Cut => Ok(()),
            };
            if let Err(reason) = sent {
                return reason;
            }
        }
        let Ok(consumed) = scanned else {
            tracing::warn!(desktop = %relay.claims.desktop, "the host sent what cannot be framed");
            return CloseReason::ProtocolError;
        };
        buffer.copy_within(consumed..filled, 0);
        held = filled.saturating_sub(consumed);
    }
}

async fn browser_to_host<C: Scanner>(
    relay: &Relay,
    mut seat: SeatReader,
    mut host: WriteHalf<HostStream>,
    mut scanner: C,
    started: Instant,
) -> CloseReason {
    let mut held = bytes::BytesMut::new();
    loop {
        let fresh = match seat.next().await {
            Ok(Heard::Bytes(bytes)) => bytes,
            Ok(Heard::Pong(payload)) => {
                note_round_trip(relay, &payload, started);
                continue;
            }
            Ok(Heard::Text(_)) => return CloseReason::ProtocolError,
            Ok(Heard::Closed) | Err(_) => return CloseReason::Left,
        };
        relay
            .counters
            .bytes_in
            .fetch_add(signed(fresh.len()), Ordering::Relaxed);
        if held.is_empty() {
            held = fresh;
        } else {
            held.extend_from_slice(&fresh);
        }
        let mut outputs = Vec::new();
        let scanned = scan(&mut scanner, &held, |output| outputs.push(output));
        let write = async {
            for output in outputs {
                match output {
                    Output::Slice(bytes) => host.write_all(bytes).await?,
                    Output::Owned(bytes) => host.write_all(&bytes).await?,
                    Output::Cut => {}
                }
            }
            host.flush().await
        };
        match tokio::time::timeout(Duration::from_secs(HOST_WRITE_SECONDS_MAX), write).await {
            Ok(Ok(())) => {}
            Ok(Err(_)) | Err(_) => return CloseReason::HostLost,
        }
        match scanned {
            Ok(consumed) => bytes::Buf::advance(&mut held, consumed),
            Err(_) => return CloseReason::ProtocolError,
        }
    }
}

fn micros_since(started: Instant) -> u64 {
    u64::try_from(started.elapsed().as_micros()).unwrap_or(u64::MAX)
}

fn note_round_trip(relay: &Relay, payload: &[u8], started: Instant) {
    let Ok(sent) = <[u8; 8]>::try_from(payload) else {
        return;
    };
    let micros = micros_since(started).saturating_sub(u64::from_be_bytes(sent));
    let micros = i64::try_from(micros).unwrap_or(i64::MAX).max(1);
    relay.counters.round_trip_us.store(micros, Ordering::Relaxed);
}

fn signed(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
