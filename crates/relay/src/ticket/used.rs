//! The bounded memory that makes a ticket good once.

use std::collections::BTreeSet;

use naru_kernel::Timestamp;

use super::{Claims, TicketRefusal};

/// How many used tickets are remembered at once. At 60 s each this allows 1,000 new relays a second,
/// five times what one gateway process was seen to open.
pub const USED_TICKETS_MAX: usize = 65_536;

/// Remembers every accepted ticket until it expires.
///
/// INVARIANT: both sets hold the same tickets; when the memory is full nothing is forgotten early, new
/// tickets are refused instead.
#[derive(Debug, Default)]
pub struct UsedTickets {
    ids: BTreeSet<u128>,
    by_expiry: BTreeSet<(Timestamp, u128)>,
}

impl UsedTickets {
    /// Accepts the ticket if it was not used before, and remembers it.
    ///
    /// # Errors
    /// [`TicketRefusal::Used`], [`TicketRefusal::MemoryFull`], or [`TicketRefusal::Malformed`] for an id
    /// that is not hexadecimal (never so after [`super::verify`]).
    pub fn spend(&mut self, claims: &Claims, now: Timestamp) -> Result<(), TicketRefusal> {
        self.forget_expired(now);
        let id = u128::from_str_radix(&claims.id, 16).map_err(|_| TicketRefusal::Malformed)?;
        if self.ids.contains(&id) {
            return Err(TicketRefusal::Used);
        }
        if self.ids.len() >= USED_TICKETS_MAX {
            return Err(TicketRefusal::MemoryFull);
        }
        self.ids.insert(id);
        self.by_expiry.insert((claims.expires_at, id));
        Ok(())
    }

    /// How many are remembered.
    #[must_use]
    pub fn len(&self) -> usize {
        self.ids.len()
    }

    /// Whether none is remembered.
    #[must_use]
    pub fn is_empty(&self) -> bool {
        self.ids.is_empty()
    }

    fn forget_expired(&mut self, now: Timestamp) {
        while let Some(&(expires_at, id)) = self.by_expiry.first() {
            if expires_at > now {
                break;
            }
            self.by_expiry.pop_first();
            self.ids.remove(&id);
        }
    }
}
