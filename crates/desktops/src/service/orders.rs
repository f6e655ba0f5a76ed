//! What should be, as a node is told it.

use std::{collections::BTreeSet, time::Duration};

use naru_kernel::{
    DesktopId, Seconds, Timestamp,
    fleet::{Closure, NodeRole, Orders},
};
use naru_runtime::NodeCaller;

use super::Desktops;
use crate::{Error, store};

/// Closures in one answer; the rest follows at once with the next.
const CLOSURES_MAX: usize = 1_000;
/// A node that starts anew is told the closures of this time: longer than any ticket lives.
const FIRST_CLOSURES_SECONDS: i64 = 600;
/// While a sync is held, the database is asked this often: another portal may have written.
const LOOK_AGAIN_MS: u64 = 1_000;

/// What a node was last told.
#[derive(Default)]
pub(super) struct Told {
    /// By which start of its process: the next one knows nothing.
    boot: String,
    ticket_keys: Vec<String>,
    ends: BTreeSet<DesktopId>,
}

impl Desktops {
    /// Answers once there is something new, or after the hold.
    pub(super) async fn orders(
        &self,
        caller: NodeCaller,
        boot: &str,
        cursor: i64,
        unwanted: BTreeSet<DesktopId>,
    ) -> Result<Orders, Error> {
        let mut news = self.news.subscribe();
        let longest = u64::try_from(Orders::HOLD_SECONDS_MAX)
            .unwrap_or_default()
            .saturating_mul(1_000);
        let hold = tokio::time::sleep(Duration::from_millis(
            self.parts.config.sync_hold_ms_max.min(longest),
        ));
        tokio::pin!(hold);
        let mut held_enough = false;
        loop {
            // Marked as seen before reading: news that come while reading are looked at again.
            news.borrow_and_update();
            let orders = self.orders_now(caller, cursor, &unwanted).await?;
            if self.is_news(caller, boot, &orders) || held_enough {
                return Ok(orders);
            }
            tokio::select! {
                _ = news.changed() => {}
                () = tokio::time::sleep(Duration::from_millis(LOOK_AGAIN_MS)) => {}
                () = &mut hold => held_enough = true,
            }
        }
    }

    async fn orders_now(
        &self,
        caller: NodeCaller,
        cursor: i64,
        unwanted: &BTreeSet<DesktopId>,
    ) -> Result<Orders, Error> {
        let (cursor, closures) = self.closures_after(cursor).await?;
        let mut ends = unwanted.clone();
        if caller.role == NodeRole::Host {
            ends.extend(store::desktops::unwanted(&self.parts.db, caller.node).await?);
        }
        Ok(Orders {
            cursor,
            ticket_keys: self.ticket_keys()?,
            closures,
            end_desktops: ends.into_iter().collect(),
        })
    }

    async fn closures_after(&self, cursor: i64) -> Result<(i64, Vec<Closure>), Error> {
        let db = &self.parts.db;
        let head = store::closures::head(db).await?;
        // A cursor beyond the head is of another history (a restored backup): begin anew.
        let begins = cursor <= 0 || cursor > head;
        let (from, since) = if begins {
            (0, self.now() - Seconds(FIRST_CLOSURES_SECONDS))
        } else {
            (cursor, Timestamp::from_micros(0))
        };
        let limit = i64::try_from(CLOSURES_MAX).unwrap_or(i64::MAX);
        let closures = store::closures::after(db, from, since, limit).await?;
        let cursor = match closures.last() {
            Some(last) if closures.len() >= CLOSURES_MAX => last.sequence,
            Some(last) => last.sequence.max(head),
            None => head,
        };
        Ok((cursor, closures))
    }

    /// Whether the orders say what the node was not told before. Remembers what it is told: an order that takes
    /// the host a while is not repeated without pause. Ticket keys are news to a node that has just started, or it
    /// would refuse every ticket for as long as its first sync is held.
    fn is_news(&self, caller: NodeCaller, boot: &str, orders: &Orders) -> bool {
        let now = Told {
            boot: boot.to_owned(),
            ticket_keys: orders.ticket_keys.clone(),
            ends: orders.end_desktops.iter().copied().collect(),
        };
        let Ok(mut told) = self.told.lock() else {
            return true;
        };
        let last = told.entry(caller.node).or_default();
        let is_news = !orders.closures.is_empty()
            || !now.ends.is_subset(&last.ends)
            || now.ticket_keys != last.ticket_keys
            || now.boot != last.boot;
        *last = now;
        is_news
    }
}
