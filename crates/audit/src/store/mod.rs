//! The record's tables: what the store writes, and what is made of it.

mod entries;
mod reviews;
mod trees;
mod walk;
mod witnessed;

pub(crate) use entries::{count, entries, entry, forget, forget_retired, personal, streams};
pub(crate) use reviews::{Reviewed, Tally, add_review, alarms, refusals, reviews, tallies};
pub(crate) use trees::{
    Delivery, Growth, KeptCheckpoint, Retired, Undelivered, add_checkpoint, add_node, advance, checkpoint_at,
    checkpoint_before, checkpoints, checkpoints_between, delete_checkpoints, delete_entries, deliveries,
    grown, growth, hashes, keep_key, kept_key, last_before, newest_checkpoint, nodes, retire, retired, tree,
    undelivered, write_delivery,
};
pub(crate) use walk::{Extent, PACKED_ROWS, Packed, acts_of_retiring, extent, packed, window};
pub(crate) use witnessed::{Known, keep_witnessed, witnessed};

/// Every SQL text of this crate.
pub(crate) fn statements() -> impl Iterator<Item = &'static str> {
    entries::ALL
        .iter()
        .chain(reviews::ALL)
        .chain(trees::ALL)
        .chain(walk::ALL)
        .chain(witnessed::ALL)
        .copied()
}
