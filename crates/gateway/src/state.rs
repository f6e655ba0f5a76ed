//! What a gateway knows: keys that sign tickets, tickets that were used, closures, and open relays.

use std::{
    collections::{BTreeMap, VecDeque},
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicI64, Ordering},
    },
    time::Instant,
};

use naru_kernel::{
    Clock, DesktopId, Seconds, Timestamp,
    fleet::{AttachReady, AttachRequest, CloseReason, Closure, Orders, Protocol, RelayReport, Report},
};
use naru_relay::ticket::{self, Claims, PublicKey, TicketRefusal, UsedTickets};
use naru_runtime::{
    Tasks,
    clock::instant,
    fleet::{FleetError, Node, NodeIdentity},
};
use tokio::sync::{Semaphore, watch};

use crate::{
    GatewayConfig,
    host::{HostDialer, HostStream},
    pipe::told_to_close,
    seat::SeatWriter,
};

/// Closures remembered, so that a ticket issued before one is refused after it. Tickets live 60 s; the portal closes
/// far fewer than this in that time.
const CLOSURES_MAX: usize = 10_000;
/// A closure older than the oldest ticket that is still good has nothing left to close.
const CLOSURE_LIFE: Seconds = Seconds(ticket::LIFE_SECONDS_MAX + ticket::CLOCK_TOLERANCE_SECONDS);
/// Browsers that have not shown their ticket yet.
const WAITING_MAX: usize = 1_024;
/// Closed relays kept for the next report; the portal learns of older ones by their absence.
const CLOSED_REPORTS_MAX: usize = 4_000;

/// One open relay.
pub(crate) struct Relay {
    pub(crate) claims: Claims,
    pub(crate) opened_at: Timestamp,
    pub(crate) close: watch::Sender<Option<CloseReason>>,
    pub(crate) counters: Counters,
    /// On the monotonic clock.
    pub(crate) began: Instant,
}

/// What moved through a relay.
#[derive(Debug, Default)]
pub(crate) struct Counters {
    pub(crate) bytes_in: AtomicI64,
    pub(crate) bytes_out: AtomicI64,
    /// Browser and back; 0 until measured.
    pub(crate) round_trip_us: AtomicI64,
    /// Seconds from the relay's beginning to the person's last input; negative until there is one.
    pub(crate) last_input_seconds: AtomicI64,
}

impl Relay {
    /// Closes it, unless it is closing for another reason already.
    pub(crate) fn end(&self, reason: CloseReason) {
        self.close.send_if_modified(|current| {
            let first = current.is_none();
            if first {
                *current = Some(reason);
            }
            first
        });
    }

    /// Notes that the person typed, pointed or pasted just now.
    pub(crate) fn note_input(&self) {
        self.counters
            .last_input_seconds
            .store(self.age_seconds(), Ordering::Relaxed);
    }

    fn age_seconds(&self) -> i64 {
        i64::try_from(self.began.elapsed().as_secs()).unwrap_or(i64::MAX)
    }

    fn idle_seconds(&self) -> Option<i64> {
        let last = self.counters.last_input_seconds.load(Ordering::Relaxed);
        (last >= 0).then(|| self.age_seconds().saturating_sub(last))
    }

    fn report(&self, closed: Option<CloseReason>) -> RelayReport {
        let round_trip_us = self.counters.round_trip_us.load(Ordering::Relaxed);
        RelayReport {
            desktop: self.claims.desktop,
            ticket: self.claims.id.clone(),
            opened_at: self.opened_at,
            bytes_out: self.counters.bytes_out.load(Ordering::Relaxed),
            bytes_in: self.counters.bytes_in.load(Ordering::Relaxed),
            round_trip_us: (round_trip_us > 0).then_some(round_trip_us),
            idle_seconds: self.idle_seconds(),
            closed,
        }
    }
}

/// A relay from its ticket to its end; however its task ends, it is forgotten and reported.
pub(crate) struct Admitted {
    gateway: Arc<Gateway>,
    pub(crate) relay: Arc<Relay>,
    pub(crate) closing: watch::Receiver<Option<CloseReason>>,
    reason: CloseReason,
}

impl Admitted {
    /// Reaches the desktop's host, unless the relay is told to close first.
    pub(crate) async fn attach(
        &mut self,
        request: &AttachRequest,
        seat: Option<&mut SeatWriter>,
    ) -> Result<(HostStream, AttachReady), CloseReason> {
        let claims = &self.relay.claims;
        let attached = tokio::select! {
            attached = self.gateway.dialer.attach(claims, request, seat) => attached,
            reason = told_to_close(&mut self.closing) => return Err(reason),
        };
        attached.map_err(|unreached| {
            let (desktop, host, detail) = (claims.desktop, claims.host, unreached.detail);
            tracing::warn!(%desktop, %host, detail, reason = unreached.reason.as_str(), "a desktop was not reached");
            unreached.reason
        })
    }

    /// It has ended for this reason.
    pub(crate) fn end(mut self, reason: CloseReason) {
        self.reason = reason;
    }
}

impl Drop for Admitted {
    fn drop(&mut self) {
        tracing::info!(desktop = %self.relay.claims.desktop, reason = self.reason.as_str(), "a relay closed");
        self.gateway.forget(&self.relay, self.reason);
    }
}

#[derive(Default)]
struct Open {
    keys: Vec<PublicKey>,
    used: UsedTickets,
    closures: VecDeque<Closure>,
    by_desktop: BTreeMap<DesktopId, Arc<Relay>>,
    closed: Vec<RelayReport>,
}

/// A gateway.
pub struct Gateway {
    pub(crate) config: GatewayConfig,
    pub(crate) clock: Arc<dyn Clock>,
    pub(crate) tasks: Tasks,
    pub(crate) dialer: HostDialer,
    pub(crate) waiting: Arc<Semaphore>,
    open: Mutex<Open>,
}

impl Gateway {
    pub(crate) fn new(
        config: GatewayConfig,
        identity: &NodeIdentity,
        clock: Arc<dyn Clock>,
        tasks: Tasks,
    ) -> Result<Self, FleetError> {
        let dialer = HostDialer::new(identity)?;
        Ok(Self {
            config,
            clock,
            tasks,
            dialer,
            waiting: Arc::new(Semaphore::new(WAITING_MAX)),
            open: Mutex::default(),
        })
    }

    fn open(&self) -> std::sync::MutexGuard<'_, Open> {
        // A panic while it was held cannot leave it half changed: every change is one insertion or removal.
        self.open.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// How many relays are open.
    #[must_use]
    pub fn relays(&self) -> usize {
        self.open().by_desktop.len()
    }

    /// Admits a ticket: verifies it, spends it, and opens its relay, taking over from an older one.
    pub(crate) fn admit(self: &Arc<Self>, text: &str, protocol: Protocol) -> Result<Admitted, TicketRefusal> {
        let admitted = self.try_admit(text, protocol);
        if let Err(refusal) = &admitted {
            tracing::info!(%refusal, "a ticket was refused");
            metrics::counter!("naru_gateway_tickets_refused_total").increment(1);
        }
        let (relay, closing) = admitted?;
        // Should the task be dropped before it can say why it ends, the gateway is going down.
        Ok(Admitted {
            gateway: Arc::clone(self),
            relay,
            closing,
            reason: CloseReason::Draining,
        })
    }

    fn try_admit(
        &self,
        text: &str,
        protocol: Protocol,
    ) -> Result<(Arc<Relay>, watch::Receiver<Option<CloseReason>>), TicketRefusal> {
        let now = self.clock.now();
        let mut open = self.open();
        let claims = ticket::verify(text, &open.keys, now)?;
        claims.check_protocol(protocol)?;
        if open.closures.iter().any(|closure| claims.is_closed_by(closure)) {
            return Err(TicketRefusal::Closed);
        }
        let of_person = open
            .by_desktop
            .values()
            .filter(|relay| relay.claims.person == claims.person)
            .count();
        let replaces = open.by_desktop.contains_key(&claims.desktop);
        let full = open.by_desktop.len() >= self.config.relays_max;
        if !replaces && (full || of_person >= self.config.relays_per_person_max) {
            return Err(TicketRefusal::MemoryFull);
        }
        open.used.spend(&claims, now)?;
        let (close, closing) = watch::channel(None);
        let relay = Arc::new(Relay {
            claims,
            opened_at: now,
            close,
            counters: Counters {
                last_input_seconds: AtomicI64::new(-1),
                ..Counters::default()
            },
            began: instant(),
        });
        if let Some(older) = open.by_desktop.insert(relay.claims.desktop, Arc::clone(&relay)) {
            older.end(CloseReason::TakenOver);
        }
        metrics::gauge!("naru_gateway_relays").set(count(open.by_desktop.len()));
        Ok((relay, closing))
    }

    /// Forgets a relay that has ended and keeps its last figures for the next report.
    fn forget(&self, relay: &Arc<Relay>, reason: CloseReason) {
        let mut open = self.open();
        let current = open.by_desktop.get(&relay.claims.desktop);
        if current.is_some_and(|current| Arc::ptr_eq(current, relay)) {
            open.by_desktop.remove(&relay.claims.desktop);
        }
        if open.closed.len() < CLOSED_REPORTS_MAX {
            open.closed.push(relay.report(Some(reason)));
        }
        metrics::gauge!("naru_gateway_relays").set(count(open.by_desktop.len()));
        metrics::counter!("naru_gateway_closed_total", "reason" => reason.as_str()).increment(1);
        for (direction, bytes) in [
            ("in", &relay.counters.bytes_in),
            ("out", &relay.counters.bytes_out),
        ] {
            let bytes = u64::try_from(bytes.load(Ordering::Relaxed)).unwrap_or_default();
            metrics::counter!("naru_gateway_bytes_total", "direction" => direction).increment(bytes);
        }
    }

    /// Closes every relay.
    pub(crate) fn close_all(&self, reason: CloseReason) {
        for relay in self.open().by_desktop.values() {
            relay.end(reason);
        }
    }
}

fn count(length: usize) -> f64 {
    u32::try_from(length).map_or(f64::MAX, f64::from)
}

impl Node for Gateway {
    fn report(&self) -> Report {
        let mut open = self.open();
        let mut relays: Vec<_> = open.by_desktop.values().map(|relay| relay.report(None)).collect();
        relays.append(&mut open.closed);
        Report {
            relays,
            ..Report::default()
        }
    }

    fn apply(&self, orders: &Orders) {
        let now = self.clock.now();
        let mut open = self.open();
        open.closures.retain(|closure| closure.at + CLOSURE_LIFE > now);
        let keys: Vec<_> = orders
            .ticket_keys
            .iter()
            .filter_map(|key| PublicKey::from_hex(key).ok())
            .collect();
        if !keys.is_empty() {
            open.keys = keys;
        }
        for closure in &orders.closures {
            if open
                .closures
                .iter()
                .any(|known| known.sequence == closure.sequence)
            {
                continue;
            }
            for relay in open
                .by_desktop
                .values()
                .filter(|relay| relay.claims.is_closed_by(closure))
            {
                relay.end(closure.reason);
            }
            if open.closures.len() >= CLOSURES_MAX {
                open.closures.pop_front();
            }
            open.closures.push_back(*closure);
        }
    }
}
