//! What is decided, and nothing else: no clock, no store, no randomness of its own.

mod existing;
mod place;
mod reconcile;
#[cfg(test)]
mod storm;

use naru_kernel::{Seconds, Timestamp};

use crate::{NodeState, NodeView};

pub use existing::{Existing, GIVE_UP_SECONDS, existing};
pub use place::{Decision, HostView, LOGONS_AT_ONCE_MAX, NoHost, SESSION_MEMORY_MIB, Wanted, place};
pub use reconcile::{Finding, Known, MISSING_SECONDS_MAX, Reconciled, reconcile};

/// A node that has not synced for so long is lost: it gets nothing new.
pub const FRESH_SECONDS_MAX: i64 = 10;

/// Whether a node that was last seen then is in contact.
#[must_use]
pub fn is_fresh(last_seen_at: Option<Timestamp>, now: Timestamp) -> bool {
    last_seen_at.is_some_and(|seen| seen + Seconds(FRESH_SECONDS_MAX) >= now)
}

/// A node as an operator sees it.
#[must_use]
pub fn view(state: NodeState, last_seen_at: Option<Timestamp>, now: Timestamp) -> NodeView {
    match state {
        NodeState::Removed => NodeView::Removed,
        NodeState::Ready | NodeState::Draining if !is_fresh(last_seen_at, now) => NodeView::Lost,
        NodeState::Ready => NodeView::Ready,
        NodeState::Draining => NodeView::Draining,
    }
}
