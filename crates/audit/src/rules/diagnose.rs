//! What became of an entry that does not fit its chain: found by trying what would make it, and those after it, fit.

use naru_store::{Entry, entry_hash};

use super::tree::Hash;

/// What was done to the record.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Damage {
    /// Columns of the entry were changed.
    Changed,
    /// The entry's hash was changed, its columns were not.
    HashChanged,
    /// The entry was changed together with its hash; whether the next one was cannot be told.
    Replaced,
    /// Entries were taken out, their places are empty.
    Missing,
    /// Entries were taken out, and those after them renumbered.
    TakenOut,
    /// Entries were put in, and those after them renumbered.
    Inserted,
    /// Two neighbours have changed places.
    Exchanged,
    /// The entry that belongs here stands elsewhere.
    Moved,
    /// The newest entries were taken away.
    TailMissing,
    /// The head says less than there is.
    HeadMovedBack,
    /// The head has another hash than the newest entry.
    HeadChanged,
    /// The chain has no head.
    HeadMissing,
    /// Each entry fits the one before, but not what was signed: somewhere here, all from an entry on were written anew.
    Rewritten,
    /// The entries are as signed, but a stored part of the tree is not.
    TreeChanged,
    /// A stored checkpoint was not signed by this installation's key.
    CheckpointForged,
    /// A checkpoint that must be there is not.
    CheckpointMissing,
    /// The beginning is gone, and no recorded act says that it was retired.
    RetiredUnsaid,
}

impl Damage {
    /// In words.
    #[must_use]
    pub const fn why(self) -> &'static str {
        match self {
            Self::Changed => "the entry was changed",
            Self::HashChanged => "the entry's hash was changed",
            Self::Replaced => "the entry and its hash were changed",
            Self::Missing => "an entry is missing",
            Self::TakenOut => "entries were taken out and those after them renumbered",
            Self::Inserted => "entries were inserted",
            Self::Exchanged => "two entries have changed places",
            Self::Moved => "the entry that belongs here stands elsewhere",
            Self::TailMissing => "entries at the end are missing",
            Self::HeadMovedBack => "the head was moved back",
            Self::HeadChanged => "the head was changed",
            Self::HeadMissing => "the head is missing",
            Self::Rewritten => "entries were written anew after a checkpoint was signed",
            Self::TreeChanged => "a stored part of the tree was changed",
            Self::CheckpointForged => "a stored checkpoint is not signed by this installation",
            Self::CheckpointMissing => "the newest checkpoint is missing",
            Self::RetiredUnsaid => "the beginning is gone without a recorded act",
        }
    }

    /// Whether those after it can still be checked against the entry's stored hash.
    const fn leaves_order(self) -> bool {
        matches!(self, Self::Changed | Self::HashChanged | Self::Replaced)
    }
}

/// What was found about entries `sequence` to `last`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Diagnosis {
    pub(crate) sequence: i64,
    pub(crate) last: i64,
    pub(crate) damage: Damage,
    /// How to go on: the hash the first entry really had, if the order is whole.
    pub(crate) goes_on: Option<Hash>,
}

/// Entries looked at behind the one that does not fit.
const LOOK_AHEAD_ENTRIES: usize = 100;

fn fits(previous: &[u8], entry: &Entry, sequence: i64) -> bool {
    if entry.sequence == sequence {
        return entry_hash(previous, entry) == entry.hash;
    }
    let mut renumbered = entry.clone();
    renumbered.sequence = sequence;
    entry_hash(previous, &renumbered) == entry.hash
}

/// What became of the first of `window`, which does not fit after `previous`; `earlier` is the hash before that.
pub(crate) fn diagnose(previous: &Hash, earlier: Option<&Hash>, window: &[Entry]) -> Option<Diagnosis> {
    let (first, rest) = window.split_first()?;
    let rest = rest.get(..LOOK_AHEAD_ENTRIES).unwrap_or(rest);
    let place = first.sequence;
    let at = |damage, last| Diagnosis {
        sequence: place,
        last,
        damage,
        goes_on: None,
    };
    let stored = Hash::try_from(first.hash.as_slice()).unwrap_or_default();
    if rest.first().is_none_or(|next| fits(&stored, next, next.sequence)) {
        return Some(Diagnosis {
            goes_on: Some(stored),
            ..at(Damage::Changed, place)
        });
    }
    let true_hash = Hash::try_from(entry_hash(previous, first).as_slice()).unwrap_or_default();
    if rest
        .first()
        .is_some_and(|next| fits(&true_hash, next, next.sequence))
    {
        return Some(Diagnosis {
            goes_on: Some(true_hash),
            ..at(Damage::HashChanged, place)
        });
    }
    let before = place.saturating_sub(1);
    if earlier.is_some_and(|earlier| fits(earlier, first, before)) {
        // What stands before was made to fit: it is the stranger.
        return Some(Diagnosis {
            sequence: before,
            ..at(Damage::Inserted, before)
        });
    }
    if let Some(found) = displaced(previous, first, rest) {
        return Some(at(found.0, found.1));
    }
    if let Some(count) = taken_out(first, rest) {
        return Some(at(
            Damage::TakenOut,
            place.saturating_add(count).saturating_sub(1),
        ));
    }
    Some(Diagnosis {
        goes_on: Some(stored),
        ..at(Damage::Replaced, place)
    })
}

/// The entry that belongs to this place, if it stands further behind.
fn displaced(previous: &Hash, first: &Entry, rest: &[Entry]) -> Option<(Damage, i64)> {
    let place = first.sequence;
    let behind = rest.iter().position(|entry| fits(previous, entry, place))?;
    let found = rest.get(behind)?;
    if behind == 0 && fits(&found.hash, first, place.saturating_add(1)) {
        return Some((Damage::Exchanged, found.sequence));
    }
    let follower = rest.get(behind.saturating_add(1));
    if follower.is_none_or(|next| fits(&found.hash, next, place.saturating_add(1))) {
        return Some((Damage::Inserted, found.sequence.saturating_sub(1)));
    }
    Some((Damage::Moved, found.sequence))
}

/// How many entries were taken out before this one, if those behind it were renumbered.
fn taken_out(first: &Entry, rest: &[Entry]) -> Option<i64> {
    let next = rest.first()?;
    let many = i64::try_from(LOOK_AHEAD_ENTRIES).unwrap_or(i64::MAX);
    (1..=many).find(|by| fits(&first.hash, next, next.sequence.saturating_add(*by)))
}

impl Diagnosis {
    /// Whether what comes after can be checked.
    pub(crate) fn leaves_order(&self) -> bool {
        self.damage.leaves_order()
    }
}
