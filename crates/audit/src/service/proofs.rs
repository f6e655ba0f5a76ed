//! Proofs: that an entry is in the record, and that the record was only added to.

use naru_kernel::Actor;
use naru_store::{Db, GENESIS};

use super::Audit;
use crate::{
    ConsistencyProof, EntryProof, Error,
    offline::PROOF_FORMAT,
    rules::tree::{Frontier, Hash, Peak, STORED_LEVELS, Span, consistency, inclusion, leaf_hash},
    store::{self, Retired},
};

/// What is stored of a tree.
pub(super) struct StoredTree<'a> {
    db: &'a Db,
    stream: &'a str,
    retired: Frontier,
}

fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

impl<'a> StoredTree<'a> {
    pub(super) async fn open(db: &'a Db, stream: &'a str) -> Result<Self, Error> {
        let retired = store::retired(db, stream).await?;
        Ok(Self {
            db,
            stream,
            retired: retired.as_ref().and_then(Retired::tree).unwrap_or_default(),
        })
    }

    /// The roots of these subtrees.
    async fn roots(&self, spans: Vec<Span>) -> Result<Vec<Hash>, Error> {
        let mut roots = Vec::with_capacity(spans.len());
        for span in spans {
            roots.push(self.tree(span).await?.root());
        }
        Ok(roots)
    }

    /// The tree over a span, from the largest stored parts it is made of.
    pub(super) async fn tree(&self, span: Span) -> Result<Frontier, Error> {
        let mut tree = Frontier::default();
        let mut from = span.from;
        while from < span.to {
            let before = from;
            if let Some(peak) = self.retired_peak(from, span.to) {
                from = from.saturating_add(1 << peak.level);
                tree.push_peak(peak, |_, _, _| {});
                continue;
            }
            let (level, end) = run(from, span.to);
            if level == 0 && from < self.retired.size() {
                return Err(Error::Retired);
            }
            for hash in self.hashes(level, from, end).await? {
                from = from.saturating_add(1 << level);
                tree.push_peak(Peak { level, hash }, |_, _, _| {});
            }
            if from == before {
                return Err(Error::NotWhole);
            }
        }
        Ok(tree)
    }

    /// Roots of `level` from leaf `from` up to but not with leaf `end`, as far as they are there.
    async fn hashes(&self, level: u32, from: u64, end: u64) -> Result<Vec<Hash>, Error> {
        if level > 0 {
            return Ok(store::nodes(self.db, self.stream, level, from >> level, end >> level).await?);
        }
        let hashes = store::hashes(self.db, self.stream, signed(from), signed(end)).await?;
        Ok(hashes.iter().map(|hash| leaf_hash(hash)).collect())
    }

    /// The root kept when entries were retired, if one begins here and lies before `to`.
    fn retired_peak(&self, from: u64, to: u64) -> Option<Peak> {
        let mut at = 0_u64;
        for peak in self.retired.peaks() {
            let end = at.saturating_add(1 << peak.level);
            if at == from && end <= to {
                return Some(peak.clone());
            }
            at = end;
        }
        None
    }
}

/// The largest stored level that fits at `from`, and how far parts of it go on.
fn run(from: u64, to: u64) -> (u32, u64) {
    let mut above = u64::MAX;
    for level in STORED_LEVELS {
        let length = 1_u64 << level;
        if from.is_multiple_of(length) && to.saturating_sub(from) >= length {
            return (level, (to - to % length).min(above));
        }
        // Where the next larger part could begin.
        above = (from / length).saturating_add(1).saturating_mul(length);
    }
    (0, to.min(above))
}

fn texts(hashes: &[Hash]) -> Vec<String> {
    hashes.iter().map(hex::encode).collect()
}

impl Audit {
    /// That an entry is in the record, for whoever has the log's key; of the newest entry if none is named.
    ///
    /// # Errors
    /// When the actor may not, there is no such entry, or it was retired.
    pub async fn proof(
        &self,
        actor: &Actor,
        stream: Option<&str>,
        sequence: Option<i64>,
    ) -> Result<EntryProof, Error> {
        let stream = self.one_stream(actor, stream).await?;
        let checkpoint = self.newest(&stream).await?;
        let sequence = sequence.unwrap_or(checkpoint.size);
        if sequence < 1 || sequence > checkpoint.size {
            return Err(Error::NoSuchEntry);
        }
        let entry = store::entry(&self.db, &stream, sequence).await?;
        let tree = StoredTree::open(&self.db, &stream).await?;
        let entry = entry.ok_or(if sequence <= signed(tree.retired.size()) {
            Error::Retired
        } else {
            Error::NotWhole
        })?;
        let before = sequence.saturating_sub(1);
        let previous = if before == 0 {
            GENESIS.to_vec()
        } else if signed(tree.retired.size()) == before {
            store::retired(&self.db, &stream)
                .await?
                .ok_or(Error::NotWhole)?
                .hash
        } else {
            store::entry(&self.db, &stream, before)
                .await?
                .ok_or(Error::NotWhole)?
                .hash
        };
        let number = |n: i64| u64::try_from(n).unwrap_or(0);
        let spans = inclusion(number(before), number(checkpoint.size)).ok_or(Error::NoSuchEntry)?;
        let proof = tree.roots(spans).await?;
        Ok(EntryProof {
            format: PROOF_FORMAT.to_owned(),
            entry: entry.into(),
            previous: hex::encode(previous),
            proof: texts(&proof),
            checkpoint: checkpoint.note,
            key: self.log_key().to_string(),
        })
    }

    /// That the chain with `to` entries only adds to the chain with `from`; to the newest checkpoint, if none is named.
    ///
    /// # Errors
    /// When the actor may not, there is no such checkpoint, or what is needed was retired.
    pub async fn consistency(
        &self,
        actor: &Actor,
        stream: Option<&str>,
        from: Option<i64>,
        to: Option<i64>,
    ) -> Result<ConsistencyProof, Error> {
        let stream = self.one_stream(actor, stream).await?;
        let newest = match to {
            Some(to) => store::checkpoint_at(&self.db, &stream, to)
                .await?
                .ok_or(Error::NoSuchEntry)?,
            None => self.newest(&stream).await?,
        };
        let from = from.unwrap_or(newest.size);
        let proof = self.consistency_of(&stream, from, newest.size).await?;
        Ok(ConsistencyProof {
            stream,
            from,
            to: newest.size,
            proof: texts(&proof),
            checkpoint: newest.note,
        })
    }

    pub(super) async fn consistency_of(&self, stream: &str, from: i64, to: i64) -> Result<Vec<Hash>, Error> {
        let number = |n: i64| u64::try_from(n).map_err(|_| Error::NoSuchEntry);
        let spans = consistency(number(from)?, number(to)?).ok_or(Error::NoSuchEntry)?;
        StoredTree::open(&self.db, stream).await?.roots(spans).await
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_run_takes_the_largest_parts_that_fit() {
        assert_eq!(run(0, 255), (0, 255));
        assert_eq!(run(0, 256), (8, 256));
        assert_eq!(run(0, 1_000), (8, 768));
        assert_eq!(run(768, 1_000), (0, 1_000));
        assert_eq!(run(0, 70_000), (16, 65_536));
        assert_eq!(run(65_536, 70_000), (8, 69_888));
        assert_eq!(run(10, 1_000), (0, 256));
        assert_eq!(run(256, 200_000), (8, 65_536));
        assert_eq!(run(0, 1 << 25), (24, 1 << 25));
    }
}
