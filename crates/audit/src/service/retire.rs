//! What is old enough is taken away: up to a checkpoint, by a recorded act, and so that what remains still verifies.

use naru_kernel::{MinistryId, Seconds, Timestamp};
use naru_store::{Act, By, PLATFORM_STREAM};

use super::{Audit, proofs::StoredTree};
use crate::{
    Error, Note,
    rules::tree::Span,
    store::{self, Retired},
};

const DAY_SECONDS: i64 = 86_400;

/// What was retired of one chain.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Retirement {
    /// Which chain.
    pub stream: String,
    /// Entries of the chain that are gone, in all.
    pub size: i64,
    /// Entries that were taken away now.
    pub removed: u64,
}

impl Audit {
    /// Before when entries may be retired.
    #[must_use]
    pub fn retention_ends(&self) -> Timestamp {
        self.clock.now() - Seconds(self.config.retention_days.saturating_mul(DAY_SECONDS))
    }

    /// Takes away what is older than `before`, of every chain, each up to its last checkpoint before; at the command line.
    ///
    /// # Errors
    /// When `before` is within the time entries are kept, or a chain does not verify: what does not is kept.
    pub async fn retire(&self, before: Timestamp) -> Result<Vec<Retirement>, Error> {
        if before > self.retention_ends() {
            return Err(Error::Field {
                field: "before",
                problem: "entries are kept for longer than that",
            });
        }
        let mut retired = Vec::new();
        for stream in store::streams(&self.db).await? {
            retired.extend(self.retire_stream(stream, before).await?);
        }
        Ok(retired)
    }

    async fn retire_stream(&self, stream: String, before: Timestamp) -> Result<Option<Retirement>, Error> {
        let gone = store::retired(&self.db, &stream)
            .await?
            .map_or(0, |gone| gone.size);
        let last = store::last_before(&self.db, &stream, before).await?;
        let kept = store::checkpoint_before(&self.db, &stream, last).await?;
        let Some(kept) = kept.filter(|kept| kept.size > gone) else {
            // Left over from an act that was broken off, if anything.
            let removed = self.remove(&stream, gone).await?;
            return Ok((removed > 0).then_some(Retirement {
                stream,
                size: gone,
                removed,
            }));
        };
        let to = u64::try_from(kept.size).unwrap_or(0);
        let tree = StoredTree::open(&self.db, &stream)
            .await?
            .tree(Span { from: 0, to })
            .await?;
        let is_signed = Note::read(&kept.note).is_ok_and(|note| self.log_key().verify(&note).is_ok());
        let entry = store::entry(&self.db, &stream, kept.size).await?;
        let entry = entry.filter(|_| is_signed && tree.root().as_slice() == kept.root);
        let entry = entry.ok_or(Error::NotWhole)?;
        let act = Act {
            at: self.clock.now(),
            action: "audit.retire",
            by: By::Platform("audit"),
            ministry: ministry_of(&stream),
            subject: stream.clone(),
            address: None,
        };
        let what = Retired {
            size: kept.size,
            hash: entry.hash,
            frontier: tree.bytes(),
            note: kept.note,
            at: self.clock.now(),
        };
        let (of, root) = (stream.clone(), hex::encode(tree.root()));
        self.db
            .change(act, move |tx| {
                Box::pin(async move {
                    tx.note("size", what.size);
                    tx.note("root", root);
                    tx.note("before", before.to_string());
                    store::retire(tx, &of, what).await
                })
            })
            .await?;
        let removed = self.remove(&stream, kept.size).await?;
        Ok(Some(Retirement {
            stream,
            size: kept.size,
            removed,
        }))
    }

    /// Deletes what was retired, in small parts so that nobody waits for long.
    async fn remove(&self, stream: &str, size: i64) -> Result<u64, Error> {
        let mut removed = 0_u64;
        loop {
            let of = stream.to_owned();
            let part: u64 = self
                .db
                .housekeep("audit.remove-retired", move |tx| {
                    Box::pin(async move {
                        let part = store::delete_entries(tx, &of, size).await?;
                        if part == 0 {
                            store::forget_retired(tx, &of, size).await?;
                            store::delete_checkpoints(tx, &of, size).await?;
                        }
                        Ok::<_, naru_store::Error>(part)
                    })
                })
                .await?;
            if part == 0 {
                return Ok(removed);
            }
            removed = removed.saturating_add(part);
        }
    }
}

fn ministry_of(stream: &str) -> Option<MinistryId> {
    if stream == PLATFORM_STREAM {
        return None;
    }
    stream.parse().ok()
}
