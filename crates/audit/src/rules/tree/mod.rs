//! The Merkle tree over a chain (RFC 6962, section 2.1): what proves that an entry is in the record, and that a later
//! record only added to an earlier one.
//!
//! The tree's data are the entries' own hashes, so nothing is computed while entries are written. A tree is kept as its
//! *frontier*: the roots of the perfect subtrees it is made of, one per bit of its size.

use aws_lc_rs::digest;

/// A SHA-256 hash.
pub type Hash = [u8; 32];

/// A perfect subtree of 256 leaves: the lowest whose root is stored.
pub(crate) const STORED_LEVEL: u32 = 8;
/// Levels whose roots are stored: each holds 256 of the one below.
pub(crate) const STORED_LEVELS: [u32; 3] = [24, 16, STORED_LEVEL];
/// Hashes a proof may have: a tree of 2^63 leaves needs no more.
pub(crate) const PROOF_HASHES_MAX: usize = 64;

fn sha256(parts: &[&[u8]]) -> Hash {
    let mut context = digest::Context::new(&digest::SHA256);
    for part in parts {
        context.update(part);
    }
    let mut hash = [0; 32];
    hash.copy_from_slice(context.finish().as_ref());
    hash
}

/// The hash of a leaf.
#[must_use]
pub fn leaf_hash(data: &[u8]) -> Hash {
    sha256(&[&[0], data])
}

/// The hash over two subtrees.
#[must_use]
pub fn node_hash(left: &Hash, right: &Hash) -> Hash {
    sha256(&[&[1], left, right])
}

/// The root of a perfect subtree.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Peak {
    /// It has 2^level leaves.
    pub(crate) level: u32,
    pub(crate) hash: Hash,
}

/// A tree, as far as is needed to append to it and to know its root.
#[derive(Clone, Debug, Default, PartialEq, Eq)]
pub struct Frontier {
    size: u64,
    peaks: Vec<Peak>,
}

impl Frontier {
    /// How many leaves.
    #[must_use]
    pub fn size(&self) -> u64 {
        self.size
    }

    pub(crate) fn peaks(&self) -> &[Peak] {
        &self.peaks
    }

    /// Appends a leaf; tells of each subtree this completes: its level, its place among those of its level, its root.
    pub fn push(&mut self, leaf: Hash, completed: impl FnMut(u32, u64, &Hash)) {
        self.push_peak(Peak { level: 0, hash: leaf }, completed);
    }

    /// Appends a perfect subtree; the tree's size must be a multiple of its number of leaves.
    pub(crate) fn push_peak(&mut self, peak: Peak, mut completed: impl FnMut(u32, u64, &Hash)) {
        let Peak { mut level, mut hash } = peak;
        self.size = self.size.saturating_add(1_u64.checked_shl(level).unwrap_or(0));
        while let Some(last) = self.peaks.pop_if(|last| last.level == level) {
            hash = node_hash(&last.hash, &hash);
            level = level.saturating_add(1);
            let place = self.size.checked_shr(level).unwrap_or(0).saturating_sub(1);
            completed(level, place, &hash);
        }
        self.peaks.push(Peak { level, hash });
    }

    /// Appends all of a tree that was built on its own, beginning where this one ends.
    pub(crate) fn append(&mut self, other: &Self) {
        for peak in &other.peaks {
            self.push_peak(peak.clone(), |_, _, _| {});
        }
    }

    /// The root; of an empty tree, the hash of nothing.
    #[must_use]
    pub fn root(&self) -> Hash {
        self.peaks
            .iter()
            .rev()
            .map(|peak| peak.hash)
            .reduce(|right, left| node_hash(&left, &right))
            .unwrap_or_else(|| sha256(&[]))
    }

    /// As stored: the peaks' hashes, largest first; the size's bits tell their levels.
    #[must_use]
    pub fn bytes(&self) -> Vec<u8> {
        self.peaks.iter().flat_map(|peak| peak.hash).collect()
    }

    /// From what [`Frontier::bytes`] gave; nothing if there are not as many hashes as the size has bits.
    #[must_use]
    pub fn read(size: u64, bytes: &[u8]) -> Option<Self> {
        let (hashes, rest) = bytes.as_chunks::<32>();
        let count = usize::try_from(size.count_ones()).ok()?;
        if !rest.is_empty() || hashes.len() != count {
            return None;
        }
        let levels = (0..u64::BITS).rev().filter(|level| size & (1 << level) != 0);
        let peaks = levels
            .zip(hashes)
            .map(|(level, hash)| Peak { level, hash: *hash })
            .collect();
        Some(Self { size, peaks })
    }
}

/// Leaves from `from` up to but not with `to`, as a proof needs them: one subtree of the whole.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) struct Span {
    pub(crate) from: u64,
    pub(crate) to: u64,
}

/// The largest power of two below `size`, which is at least 2.
fn split(size: u64) -> u64 {
    1_u64.checked_shl(size.saturating_sub(1).ilog2()).unwrap_or(1)
}

/// The subtrees whose roots prove that leaf `index` is in the tree of `size` leaves, from the leaf upwards
/// (RFC 6962, 2.1.1); nothing if it is not.
pub(crate) fn inclusion(index: u64, size: u64) -> Option<Vec<Span>> {
    if index >= size {
        return None;
    }
    let mut spans = Vec::new();
    let (mut from, mut to) = (0, size);
    while to - from > 1 {
        let middle = from + split(to - from);
        if index < middle {
            spans.push(Span { from: middle, to });
            to = middle;
        } else {
            spans.push(Span { from, to: middle });
            from = middle;
        }
    }
    spans.reverse();
    Some(spans)
}

/// The subtrees whose roots prove that the tree of `new` leaves begins with that of `old` (RFC 6962, 2.1.2); nothing if
/// it cannot.
pub(crate) fn consistency(old: u64, new: u64) -> Option<Vec<Span>> {
    if old == 0 || old > new {
        return None;
    }
    let mut spans = Vec::new();
    let (mut from, mut to) = (0, new);
    let mut is_whole = true;
    // `old` always lies within (from, to].
    while old != to {
        let middle = from + split(to - from);
        if old <= middle {
            spans.push(Span { from: middle, to });
            to = middle;
        } else {
            spans.push(Span { from, to: middle });
            from = middle;
            is_whole = false;
        }
    }
    if !is_whole {
        spans.push(Span { from, to });
    }
    spans.reverse();
    Some(spans)
}

/// Whether `proof` shows that a tree of `size` leaves with this root has `leaf` at `index` (RFC 9162, 2.1.3.2).
#[must_use]
pub fn includes(root: &Hash, size: u64, index: u64, leaf: &Hash, proof: &[Hash]) -> bool {
    if index >= size || proof.len() > PROOF_HASHES_MAX {
        return false;
    }
    let (mut place, mut last) = (index, size - 1);
    let mut hash = *leaf;
    for step in proof {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            hash = node_hash(step, &hash);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            hash = node_hash(&hash, step);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && hash == *root
}

/// Whether `proof` shows that the tree of `new` leaves only added to that of `old` (RFC 9162, 2.1.4.2). Every tree adds
/// to the empty one.
#[must_use]
pub fn extends(old: u64, old_root: &Hash, new: u64, new_root: &Hash, proof: &[Hash]) -> bool {
    if old > new || proof.len() > PROOF_HASHES_MAX {
        return false;
    }
    if old == 0 {
        return proof.is_empty() && *old_root == sha256(&[]);
    }
    if old == new {
        return proof.is_empty() && old_root == new_root;
    }
    let mut steps = proof.iter();
    let first = if old.is_power_of_two() {
        Some(old_root)
    } else {
        steps.next()
    };
    let Some(first) = first else { return false };
    let (mut place, mut last) = (old - 1, new - 1);
    while place & 1 == 1 {
        place >>= 1;
        last >>= 1;
    }
    let (mut older, mut newer) = (*first, *first);
    for step in steps {
        if last == 0 {
            return false;
        }
        if place & 1 == 1 || place == last {
            older = node_hash(step, &older);
            newer = node_hash(step, &newer);
            while place & 1 == 0 && place != 0 {
                place >>= 1;
                last >>= 1;
            }
        } else {
            newer = node_hash(&newer, step);
        }
        place >>= 1;
        last >>= 1;
    }
    last == 0 && older == *old_root && newer == *new_root
}

#[cfg(test)]
mod tests;
