//! What nodes report becomes rows.

use std::{collections::BTreeSet, sync::Arc};

use naru_kernel::{
    DesktopId, HostId, LogonId, Seconds, Timestamp,
    fleet::{CloseReason, ClosureTarget, NodeRole, Orders, RelayReport, Report},
};
use naru_runtime::NodeCaller;
use naru_store::{By, Tx};

use super::Desktops;
use crate::{
    Counters, EndReason, Error, NodeState,
    rules::{self, Finding},
    store::{self, nodes::Node},
};

/// Desktops in one report.
const REPORT_DESKTOPS_MAX: usize = 2_000;
/// Relays in one report.
const REPORT_RELAYS_MAX: usize = 20_000;
/// The longest boot mark, in bytes.
const BOOT_BYTES_MAX: usize = 64;
/// Counters of an open relay, and the mark that a desktop was seen, are written no more often than this.
const COUNTERS_SECONDS: i64 = 5;
/// Who typed, pointed or pasted within this is at work: two reports' time.
const AT_WORK_SECONDS: i64 = 2 * COUNTERS_SECONDS;

/// What a report leads to beyond its own rows.
#[derive(Default)]
struct Taken {
    /// Ended by their host.
    over: Vec<(DesktopId, EndReason)>,
    /// On the host although they should not be.
    unwanted: BTreeSet<DesktopId>,
    /// Log-on sessions at work.
    active: Vec<LogonId>,
    /// Whether closures were written.
    closed: bool,
}

impl Desktops {
    /// A node reports and learns what should be; held up to two seconds when there is nothing to say.
    ///
    /// # Errors
    /// When the node was removed or is unknown, or the report is too large.
    pub async fn sync(self: &Arc<Self>, caller: NodeCaller, report: Report) -> Result<Orders, Error> {
        check(&report)?;
        let now = self.now();
        let (cursor, boot) = (report.cursor, report.boot.clone());
        let this = Arc::clone(self);
        let taken = self.parts.db.housekeep("desktops.report", move |tx| {
            Box::pin(async move {
                let node = match this.caller_in(tx, caller).await {
                    Ok(node) => node,
                    // Nothing is written for those who are out; the refusal itself is the gateway's own log's.
                    refused @ Err(_) => return Ok(refused.map(|_| Taken::default())),
                };
                take(tx, &node, report, now).await.map(Ok)
            })
        });
        let taken: Taken = taken.await??;
        for (desktop, reason) in taken.over {
            self.end_by(By::Node(caller.node), desktop, reason).await?;
        }
        if taken.closed {
            self.wake();
        }
        if !taken.active.is_empty() {
            self.parts.sessions.active(taken.active).await;
        }
        self.orders(caller, &boot, cursor, taken.unwanted).await
    }

    async fn caller_in(&self, tx: &mut Tx, caller: NodeCaller) -> Result<Node, Error> {
        let node = store::nodes::by_id(tx, caller.node).await?;
        node.filter(|node| node.role == caller.role && node.state != NodeState::Removed)
            .ok_or(Error::NodeRemoved)
    }
}

fn check(report: &Report) -> Result<(), Error> {
    let too_long = |field| Error::Field {
        field,
        why: "too long",
    };
    if report.desktops.len() > REPORT_DESKTOPS_MAX {
        return Err(too_long("desktops"));
    }
    if report.relays.len() > REPORT_RELAYS_MAX {
        return Err(too_long("relays"));
    }
    if report.boot.len() > BOOT_BYTES_MAX {
        return Err(too_long("boot"));
    }
    Ok(())
}

async fn take(tx: &mut Tx, node: &Node, report: Report, now: Timestamp) -> Result<Taken, Error> {
    let open = report
        .relays
        .iter()
        .filter(|relay| relay.closed.is_none())
        .count();
    let open = i64::try_from(open).unwrap_or(i64::MAX);
    store::nodes::seen(tx, node.id, now, &report.boot, report.load, open).await?;
    match node.role {
        NodeRole::Host => take_desktops(tx, node, &report, now).await,
        NodeRole::Gateway => take_relays(tx, node.id, report.relays, now).await,
    }
}

async fn take_desktops(tx: &mut Tx, node: &Node, report: &Report, now: Timestamp) -> Result<Taken, Error> {
    let desktops = store::desktops::of_host(tx, node.id).await?;
    let known: Vec<_> = desktops.iter().map(store::desktops::Desktop::known).collect();
    let found = rules::reconcile(&known, &report.desktops, report.boot != node.boot, now);
    let mut taken = Taken {
        unwanted: found.unwanted,
        ..Taken::default()
    };
    for (desktop, finding) in found.findings {
        match finding {
            Finding::Stands(state) => store::desktops::stands(tx, desktop, state, now).await?,
            Finding::Missing => store::desktops::missing(tx, desktop, now).await?,
            Finding::Gone => store::desktops::gone(tx, desktop).await?,
            // A change of its own, for it stands in the record.
            Finding::Over(reason) => taken.over.push((desktop, reason)),
        }
    }
    store::desktops::seen_on(tx, node.id, now, now - Seconds(COUNTERS_SECONDS)).await?;
    Ok(taken)
}

async fn take_relays(
    tx: &mut Tx,
    gateway: HostId,
    mut reports: Vec<RelayReport>,
    now: Timestamp,
) -> Result<Taken, Error> {
    // Rows are always locked in this order, so that two gateways never wait for each other.
    reports.sort_by_key(|report| (report.desktop, report.opened_at));
    let mut taken = Taken::default();
    let mut active = BTreeSet::new();
    for report in reports {
        let Some(relay) = store::relays::of_ticket(tx, &report.ticket).await? else {
            tracing::warn!(%gateway, desktop = %report.desktop, "a relay by a ticket that was not issued here");
            continue;
        };
        if relay.desktop != report.desktop || relay.closed.is_some() {
            continue;
        }
        let is_due = relay
            .last_seen_at
            .is_none_or(|seen| seen + Seconds(COUNTERS_SECONDS) <= now);
        if !is_due && report.closed.is_none() {
            continue;
        }
        let is_at_work = report.idle_seconds.is_some_and(|idle| idle <= AT_WORK_SECONDS);
        if is_at_work && report.closed.is_none() {
            active.insert(relay.logon);
        }
        store::relays::reported(tx, gateway, &report, now).await?;
        let more = Counters {
            bytes_in: report.bytes_in.saturating_sub(relay.bytes_in).max(0),
            bytes_out: report.bytes_out.saturating_sub(relay.bytes_out).max(0),
            round_trip_us: report.round_trip_us,
        };
        store::desktops::count_bytes(tx, relay.desktop, more).await?;
        if relay.opened_at.is_none() && report.closed.is_none() {
            taken.closed |= take_over(tx, &relay, gateway).await?;
        }
    }
    taken.active = active.into_iter().collect();
    Ok(taken)
}

/// A new relay of the desktop on this gateway: an older one on another gateway comes down.
async fn take_over(tx: &mut Tx, relay: &store::relays::Relay, gateway: HostId) -> Result<bool, Error> {
    let older = store::relays::elsewhere(tx, relay.desktop, gateway, relay.issued_at).await?;
    let Some(older) = older else {
        return Ok(false);
    };
    tracing::info!(desktop = %relay.desktop, from = %older.gateway, to = %gateway, "taken over");
    // Tickets up to that one, and none later.
    let target = ClosureTarget::Desktop(relay.desktop);
    store::closures::add(tx, target, CloseReason::TakenOver, older.issued_at).await?;
    Ok(true)
}
