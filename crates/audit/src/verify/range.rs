//! A stretch of a chain, walked: each entry against the one before, and what its tree is made of.

use aws_lc_rs::digest;
use naru_store::{Db, GENESIS};

use crate::{
    Damage, Error,
    rules::{
        diagnose::{Diagnosis, diagnose},
        tree::{Frontier, Hash, STORED_LEVEL, leaf_hash},
    },
    store::{self, PACKED_ROWS, Packed},
};

/// Entries of one stretch: a perfect subtree, so that stretches can be walked side by side.
pub(super) const STRETCH_ENTRIES: u64 = 65_536;
/// More that is wrong with one chain is not listed.
pub(super) const FINDINGS_MAX: usize = 100;

/// What to walk: entries after `base`, up to and with `to`.
pub(super) struct Stretch {
    pub(super) stream: String,
    pub(super) base: u64,
    pub(super) to: u64,
    /// What the tree is before; empty, unless it begins where others were retired.
    pub(super) start: Frontier,
    /// The hash before, where it is not that of a stored entry.
    pub(super) previous: Option<Hash>,
    /// Sizes at which the tree is compared.
    pub(super) sizes: Vec<u64>,
}

/// What was seen.
pub(super) struct Walked {
    pub(super) is_absolute: bool,
    pub(super) tree: Frontier,
    /// Roots of 256 leaves each: place and hash.
    pub(super) nodes: Vec<(u64, Hash)>,
    pub(super) snapshots: Vec<Frontier>,
    pub(super) findings: Vec<Diagnosis>,
    pub(super) last_hash: Option<Hash>,
    /// Up to where the leaves are known.
    pub(super) whole_to: u64,
    /// Nothing behind here can be told.
    pub(super) is_over: bool,
}

struct Walk {
    stretch: Stretch,
    expected: i64,
    previous: Option<Hash>,
    earlier: Option<Hash>,
    buffer: Vec<u8>,
    sizes: std::iter::Peekable<std::vec::IntoIter<u64>>,
    seen: Walked,
}

fn signed(size: u64) -> i64 {
    i64::try_from(size).unwrap_or(i64::MAX)
}

pub(super) async fn walk(db: &Db, mut stretch: Stretch) -> Result<Walked, Error> {
    let is_absolute = stretch.start.size() > 0;
    let base = signed(stretch.base);
    let previous = match stretch.previous {
        Some(previous) => Some(previous),
        None if base == 0 => Some(GENESIS),
        None => store::entry(db, &stretch.stream, base)
            .await?
            .and_then(|entry| Hash::try_from(entry.hash.as_slice()).ok()),
    };
    let sizes = std::mem::take(&mut stretch.sizes).into_iter().peekable();
    let mut walk = Walk {
        expected: base.saturating_add(1),
        previous,
        earlier: None,
        buffer: Vec::with_capacity(4_096),
        sizes,
        seen: Walked {
            is_absolute,
            tree: std::mem::take(&mut stretch.start),
            nodes: Vec::new(),
            snapshots: Vec::new(),
            findings: Vec::new(),
            last_hash: None,
            whole_to: stretch.to,
            is_over: false,
        },
        stretch,
    };
    walk.run(db).await?;
    Ok(walk.seen)
}

impl Walk {
    async fn run(&mut self, db: &Db) -> Result<(), Error> {
        let to = signed(self.stretch.to);
        while self.expected <= to && !self.seen.is_over {
            let after = self.expected.saturating_sub(1);
            let page = store::packed(db, &self.stretch.stream, after, to).await?;
            let is_last = page.len() < PACKED_ROWS;
            for entry in &page {
                if entry.sequence > self.expected {
                    self.missing(entry.sequence.saturating_sub(1));
                }
                if !self.fits(entry) {
                    self.damaged(db, entry).await?;
                }
                if self.seen.is_over {
                    return Ok(());
                }
            }
            if is_last {
                break;
            }
        }
        if self.expected <= to {
            self.missing(to);
        }
        self.seen.last_hash = self.previous;
        Ok(())
    }

    /// Checks an entry against the hash before and adds it to the tree.
    fn fits(&mut self, entry: &Packed) -> bool {
        let Ok(hash) = Hash::try_from(entry.hash.as_slice()) else {
            return false;
        };
        if let Some(previous) = self.previous
            && packed_hash(&mut self.buffer, &previous, &self.stretch.stream, entry) != Some(hash)
        {
            return false;
        }
        self.take(hash);
        true
    }

    /// Goes on behind an entry with this hash.
    fn take(&mut self, hash: Hash) {
        self.earlier = self.previous;
        self.previous = Some(hash);
        self.expected = self.expected.saturating_add(1);
        let base = if self.seen.is_absolute {
            0
        } else {
            self.stretch.base
        };
        let first = base >> STORED_LEVEL;
        let nodes = &mut self.seen.nodes;
        self.seen.tree.push(leaf_hash(&hash), |level, place, root| {
            if level == STORED_LEVEL {
                nodes.push((first.saturating_add(place), *root));
            }
        });
        let size = base.saturating_add(self.seen.tree.size());
        while self.sizes.next_if(|wanted| *wanted <= size).is_some() {
            self.seen.snapshots.push(self.seen.tree.clone());
        }
    }

    /// Places up to `last` are empty.
    fn missing(&mut self, last: i64) {
        self.find(Diagnosis {
            sequence: self.expected,
            last,
            damage: Damage::Missing,
            goes_on: None,
        });
        self.leaves_end();
        self.previous = None;
        self.expected = last.saturating_add(1);
    }

    /// From here on the tree's leaves are not known.
    fn leaves_end(&mut self) {
        let known = u64::try_from(self.expected.saturating_sub(1)).unwrap_or(0);
        self.seen.whole_to = self.seen.whole_to.min(known);
    }

    fn find(&mut self, diagnosis: Diagnosis) {
        self.seen.findings.push(diagnosis);
        self.seen.is_over |= self.seen.findings.len() >= FINDINGS_MAX;
    }

    async fn damaged(&mut self, db: &Db, entry: &Packed) -> Result<(), Error> {
        let window = store::window(db, &self.stretch.stream, entry.sequence).await?;
        let previous = self.previous.unwrap_or_default();
        let found = diagnose(&previous, self.earlier.as_ref(), &window);
        let Some(found) = found else {
            // Gone between two readings.
            self.missing(entry.sequence);
            return Ok(());
        };
        let goes_on = found.goes_on;
        let (replaced, in_order) = (found.damage == Damage::Replaced, found.leaves_order());
        self.find(found);
        match goes_on {
            Some(hash) if in_order => {
                if replaced {
                    self.leaves_end();
                }
                self.take(hash);
                if replaced {
                    // The next one was made after another hash than this.
                    self.previous = None;
                }
            }
            Some(_) | None => {
                self.leaves_end();
                self.seen.is_over = true;
            }
        }
        Ok(())
    }
}

/// The hash of an entry, as `naru_store::entry_hash` makes it; nothing if its lengths do not fit.
fn packed_hash(buffer: &mut Vec<u8>, previous: &Hash, stream: &str, entry: &Packed) -> Option<Hash> {
    fn field(buffer: &mut Vec<u8>, bytes: &[u8]) {
        let length = u64::try_from(bytes.len()).unwrap_or(u64::MAX);
        buffer.extend_from_slice(&length.to_be_bytes());
        buffer.extend_from_slice(bytes);
    }
    buffer.clear();
    field(buffer, previous);
    field(buffer, stream.as_bytes());
    field(buffer, &entry.sequence.to_be_bytes());
    field(buffer, &entry.at.to_be_bytes());
    let mut count = 0_usize;
    for text in entry.texts() {
        field(buffer, text);
        count = count.saturating_add(1);
    }
    if count != 6 {
        return None;
    }
    digest::digest(&digest::SHA256, buffer).as_ref().try_into().ok()
}
