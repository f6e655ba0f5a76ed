//! The two directions of a relay. Each reads only when its last bytes were taken: a slow end stalls the other.

use std::{
    future::poll_fn,
    pin::Pin,
    sync::{Arc, atomic::Ordering},
    task::{Poll, ready},
    time::{Duration, Instant},
};

use naru_kernel::fleet::CloseReason;
use naru_relay::{HOLD_BYTES_MAX, Output, Scanner, scan};
use naru_runtime::clock::instant;
use tokio::{
    io::{AsyncRead, AsyncWrite, AsyncWriteExt as _, ReadBuf, ReadHalf, WriteHalf},
    sync::watch,
    time::{MissedTickBehavior, timeout},
};

use crate::{
    ahead::{CHUNK_BYTES, Chunk},
    seat::{GOODBYE_SECONDS_MAX, Heard, Seat, SeatReader, SeatWriter},
    state::Relay,
};

/// What is passed on at a time: with its frame's head (RFC 6455 §5.2) three whole TLS records (RFC 8446 §5.1). Four
/// would be a little more than the 64 KiB that Linux sends as one packet, and a small packet would follow each.
const PASS_BYTES_MAX: usize = 3 * 16 * 1024 - 10;
const _: () = assert!(
    HOLD_BYTES_MAX < PASS_BYTES_MAX && PASS_BYTES_MAX <= CHUNK_BYTES,
    "a scanner that holds all it may leaves room to read"
);

/// How often the way to the browser and back is measured.
const PING_SECONDS: u64 = 5;
/// A host that takes none of its bytes for this long is given up.
const HOST_WRITE_SECONDS_MAX: u64 = 30;
/// How long a closed host connection waits to be told why: a sync is held for up to 2 s.
const REASON_SECONDS_MAX: u64 = 3;
/// How long a relay that is told to close waits for the frame under way, so that a goodbye can follow it.
const FRAME_SECONDS_MAX: u64 = 1;

/// Relays until one end closes or the relay is told to; says goodbye to the browser and gives the reason.
pub(crate) async fn run<H, C, S>(
    relay: &Arc<Relay>,
    seat: Seat,
    host: H,
    closing: &mut watch::Receiver<Option<CloseReason>>,
    (mut from_browser, mut from_host): (C, S),
) -> CloseReason
where
    H: AsyncRead + AsyncWrite,
    C: Scanner,
    S: Scanner,
{
    let reason = converse(relay, seat, host, closing, (&mut from_browser, &mut from_host)).await;
    note_blocked(relay, from_browser.blocked(), from_host.blocked());
    reason
}

async fn converse<H, C, S>(
    relay: &Relay,
    seat: Seat,
    host: H,
    closing: &mut watch::Receiver<Option<CloseReason>>,
    (from_browser, from_host): (&mut C, &mut S),
) -> CloseReason
where
    H: AsyncRead + AsyncWrite,
    C: Scanner,
    S: Scanner,
{
    let (host_read, host_write) = tokio::io::split(host);
    let Seat {
        mut reading,
        mut writing,
        ..
    } = seat;
    let (stop, stopping) = watch::channel(false);
    let clock = (instant(), stopping);
    let mut inward = Box::pin(browser_to_host(
        relay,
        &mut reading,
        host_write,
        from_browser,
        clock.clone(),
    ));
    let mut outward = Box::pin(host_to_browser(relay, &mut writing, host_read, from_host, clock));
    let (mut inward_end, mut outward_end) = (None, None);
    let mut reason = tokio::select! {
        reason = &mut inward => *inward_end.insert(reason),
        reason = &mut outward => *outward_end.insert(reason),
        reason = told_to_close(closing) => reason,
    };
    if reason == CloseReason::HostLost {
        // The host's end often arrives before the portal's word on why.
        let told = timeout(Duration::from_secs(REASON_SECONDS_MAX), told_to_close(closing));
        reason = told.await.unwrap_or(reason);
    }
    stop.send_replace(true);
    if outward_end.is_none() {
        outward_end = timeout(Duration::from_secs(FRAME_SECONDS_MAX), &mut outward)
            .await
            .ok();
    }
    drop(outward);
    // A goodbye cannot follow a frame that was written in part, nor reach a browser that is gone.
    if outward_end.is_some_and(|end| !matches!(end, CloseReason::Left | CloseReason::TooSlow)) {
        writing.close(reason).await;
        let limit = Duration::from_secs(GOODBYE_SECONDS_MAX);
        let answered = if inward_end.is_none() {
            timeout(limit, inward).await.is_ok()
        } else {
            drop(inward);
            inward_end == Some(CloseReason::Left) || timeout(limit, reading.discard()).await.is_ok()
        };
        tracing::trace!(answered, "said goodbye");
    }
    reason
}

/// Waits until the relay is told to close.
pub(crate) async fn told_to_close(closing: &mut watch::Receiver<Option<CloseReason>>) -> CloseReason {
    match closing.wait_for(Option::is_some).await {
        Ok(reason) => reason.unwrap_or(CloseReason::Draining),
        Err(_) => CloseReason::Draining,
    }
}

async fn stopped(stopping: &mut watch::Receiver<bool>) {
    // An error means that the relay itself is gone.
    drop(stopping.wait_for(|stop| *stop).await);
}

/// Bytes of a host, in order: those that were held back, and after them what came since.
struct Fresh {
    chunk: Chunk,
    /// How many there are; what lies behind them in the chunk is not ours.
    filled: usize,
    /// How many of them are new.
    read: usize,
}

/// Waits for a host's bytes and takes along all that have come: TLS hands out one record at a time. A chunk is held
/// only once there is something to put in it, so waiting may be cancelled and costs nothing. An end or error
/// after some bytes shows again at the next read.
async fn fresh<H: AsyncRead>(host: &mut ReadHalf<H>, held: &[u8]) -> std::io::Result<Fresh> {
    poll_fn(|context| {
        let mut chunk = Chunk::take();
        let mut into = ReadBuf::new(chunk.get_mut(..PASS_BYTES_MAX).unwrap_or_default());
        into.put_slice(held);
        let outcome = loop {
            let before = into.filled().len();
            match Pin::new(&mut *host).poll_read(context, &mut into) {
                Poll::Ready(Ok(())) if into.filled().len() > before && into.remaining() > 0 => {}
                outcome @ (Poll::Ready(_) | Poll::Pending) => break outcome,
            }
        };
        let filled = into.filled().len();
        let read = filled.saturating_sub(held.len());
        if read == 0 {
            ready!(outcome)?;
        }
        Poll::Ready(Ok(Fresh { chunk, filled, read }))
    })
    .await
}

/// Ends between two frames when told to stop.
async fn host_to_browser<S: Scanner, H: AsyncRead>(
    relay: &Relay,
    seat: &mut SeatWriter,
    mut host: ReadHalf<H>,
    scanner: &mut S,
    (started, mut stopping): (Instant, watch::Receiver<bool>),
) -> CloseReason {
    // The beginning of what the scanner must see whole: less than `HOLD_BYTES_MAX`.
    let mut held = Vec::new();
    let mut ping = tokio::time::interval(Duration::from_secs(PING_SECONDS));
    ping.set_missed_tick_behavior(MissedTickBehavior::Delay);
    loop {
        let fresh = tokio::select! {
            fresh = fresh(&mut host, &held) => fresh,
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
            () = stopped(&mut stopping) => return CloseReason::Draining,
        };
        let Ok(Fresh {
            chunk,
            filled,
            read: read @ 1..,
        }) = fresh
        else {
            return CloseReason::HostLost;
        };
        relay
            .counters
            .bytes_out
            .fetch_add(signed(read), Ordering::Relaxed);
        let input = chunk.get(..filled).unwrap_or_default();
        // Few outputs per read: most often one slice of the buffer itself.
        let mut outputs = Vec::new();
        let scanned = scan(scanner, input, |output| outputs.push(output));
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
        let consumed = match scanned {
            Ok(consumed) => consumed,
            Err(error) => {
                tracing::warn!(desktop = %relay.claims.desktop, %error, "the host sent what cannot be relayed");
                return CloseReason::ProtocolError;
            }
        };
        held = input.get(consumed..).unwrap_or_default().to_vec();
    }
}

/// Reads to the browser's end; once told to stop it discards what comes, so that the browser's answer to a
/// goodbye can be waited for.
async fn browser_to_host<C: Scanner, H: AsyncWrite>(
    relay: &Relay,
    seat: &mut SeatReader,
    mut host: WriteHalf<H>,
    scanner: &mut C,
    (started, mut stopping): (Instant, watch::Receiver<bool>),
) -> CloseReason {
    let mut held = bytes::BytesMut::new();
    loop {
        let fresh = match seat.next().await {
            Ok(Heard::Bytes(_)) if *stopping.borrow() => continue,
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
        let inputs = scanner.inputs();
        let mut outputs = Vec::new();
        let scanned = scan(scanner, &held, |output| outputs.push(output));
        if scanner.inputs() != inputs {
            relay.note_input();
        }
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
        let written = tokio::select! {
            written = timeout(Duration::from_secs(HOST_WRITE_SECONDS_MAX), write) => written,
            () = stopped(&mut stopping) => continue,
        };
        if !matches!(written, Ok(Ok(()))) {
            return CloseReason::HostLost;
        }
        match scanned {
            Ok(consumed) => bytes::Buf::advance(&mut held, consumed),
            Err(error) => {
                tracing::warn!(desktop = %relay.claims.desktop, %error, "the browser sent what cannot be relayed");
                return CloseReason::ProtocolError;
            }
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
    let length = Duration::from_micros(micros_since(started).saturating_sub(u64::from_be_bytes(sent)));
    let micros = i64::try_from(length.as_micros()).unwrap_or(i64::MAX).max(1);
    relay.counters.round_trip_us.store(micros, Ordering::Relaxed);
    metrics::histogram!("naru_gateway_round_trip_seconds").record(length);
}

fn note_blocked(relay: &Relay, inward: u64, outward: u64) {
    if inward + outward > 0 {
        tracing::info!(desktop = %relay.claims.desktop, inward, outward, "the clipboard policy kept messages back");
    }
    for (direction, count) in [("in", inward), ("out", outward)] {
        metrics::counter!("naru_gateway_clipboard_blocked_total", "direction" => direction).increment(count);
    }
}

fn signed(length: usize) -> i64 {
    i64::try_from(length).unwrap_or(i64::MAX)
}
