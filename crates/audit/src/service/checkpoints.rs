//! Trees that follow their chains, and checkpoints of them. Entries are written without knowing of it: a tree takes up the
//! hashes that are stored, a thousand or a minute later.

use std::{sync::Arc, time::Duration};

use naru_kernel::{Actor, Seconds};
use naru_runtime::Tasks;

use super::Audit;
use crate::{
    Error,
    rules::{
        note::Checkpoint,
        tree::{Frontier, Peak, STORED_LEVELS, leaf_hash},
    },
    store::{self, Growth, KeptCheckpoint},
};

/// How often chains are looked at.
const LOOK_INTERVAL: Duration = Duration::from_secs(5);
/// Entries a tree takes up in one transaction.
const STEP_ENTRIES_MAX: i64 = 262_144;
/// Checkpoints of one page.
const PAGE_ROWS_MAX: i64 = 200;

impl Audit {
    pub(super) fn start_checkpoints(self: &Arc<Self>, tasks: &Tasks) {
        let audit = Arc::clone(self);
        let shutdown = tasks.shutdown();
        tasks.spawn(async move {
            while shutdown.sleep(LOOK_INTERVAL).await {
                if let Err(error) = audit.checkpoint_grown().await {
                    tracing::error!(
                        %error,
                        "no checkpoint of the record"
                    );
                }
            }
        });
    }

    /// Makes a checkpoint of each chain that has grown enough, or has waited long enough; gives how many.
    ///
    /// # Errors
    /// When the store fails, or a chain has a gap: the others are done nevertheless.
    pub async fn checkpoint_grown(&self) -> Result<usize, Error> {
        let now = self.clock.now();
        let mut made = 0_usize;
        let mut failed = None;
        for growth in store::grown(&self.db).await? {
            let entries = growth.sequence.saturating_sub(growth.size);
            let is_due = entries >= self.config.checkpoint_entries
                || growth.at + Seconds(self.config.checkpoint_seconds) <= now;
            if !is_due {
                continue;
            }
            match self.grow(&growth.stream).await {
                Ok(()) => made = made.saturating_add(1),
                Err(error) => failed = Some(error),
            }
        }
        failed.map_or(Ok(made), Err)
    }

    /// Takes up all entries a chain has now, and signs how it stands.
    ///
    /// # Errors
    /// [`Error::NotWhole`] when the chain has a gap: nothing is signed then.
    pub(crate) async fn grow(&self, stream: &str) -> Result<(), Error> {
        let _turn = self.growing.lock().await;
        while let Some(growth) = store::growth(&self.db, stream).await? {
            if growth.sequence <= growth.size {
                break;
            }
            self.step(growth).await?;
        }
        Ok(())
    }

    async fn step(&self, growth: Growth) -> Result<(), Error> {
        let Growth {
            stream,
            sequence,
            size,
            ..
        } = growth;
        let to = sequence.min(size.saturating_add(STEP_ENTRIES_MAX));
        let mut tree = match store::tree(&self.db, &stream).await? {
            Some(tree) if tree.size == size => tree.frontier().ok_or(Error::NotWhole)?,
            // Another portal has moved it on: look again.
            Some(_) => return Ok(()),
            None => Frontier::default(),
        };
        let mut nodes = Vec::new();
        let mut taken = size;
        while taken < to {
            let hashes = store::hashes(&self.db, &stream, taken, to).await?;
            if hashes.is_empty() {
                return Err(Error::NotWhole);
            }
            for hash in hashes {
                tree.push(leaf_hash(&hash), |level, place, root| {
                    if STORED_LEVELS.contains(&level) {
                        let peak = Peak { level, hash: *root };
                        nodes.push((i64::try_from(place).unwrap_or(i64::MAX), peak));
                    }
                });
                taken = taken.saturating_add(1);
            }
        }
        let root = tree.root();
        let note = self.signer.sign(&Checkpoint {
            origin: format!("{}/{stream}", self.config.name),
            size: tree.size(),
            root,
        });
        let checkpoint = KeptCheckpoint {
            stream,
            size: to,
            root: root.to_vec(),
            note,
            at: self.clock.now(),
        };
        self.db
            .housekeep("audit.checkpoint", move |tx| {
                Box::pin(async move {
                    let stream = checkpoint.stream.clone();
                    if store::advance(tx, &stream, size, &tree, checkpoint.at).await? {
                        for (place, peak) in &nodes {
                            store::add_node(tx, &stream, *place, peak).await?;
                        }
                        store::add_checkpoint(tx, checkpoint).await?;
                    }
                    Ok::<(), naru_store::Error>(())
                })
            })
            .await?;
        Ok(())
    }

    /// The newest checkpoint of a chain, with all its entries until now.
    pub(super) async fn newest(&self, stream: &str) -> Result<KeptCheckpoint, Error> {
        self.grow(stream).await?;
        let newest = store::newest_checkpoint(&self.db, stream).await?;
        newest.ok_or(Error::NoSuchEntry)
    }

    /// Signs how every chain stands now: their notes; for `naru audit checkpoint`.
    ///
    /// # Errors
    /// When the store fails, or a chain has a gap.
    pub async fn checkpoint_all(&self) -> Result<String, Error> {
        let mut notes = String::new();
        for stream in store::streams(&self.db).await? {
            notes.push_str(&self.newest(&stream).await?.note);
            notes.push('\n');
        }
        Ok(notes)
    }

    /// How a chain stands, signed: now, or when it had `size` entries and a checkpoint was made.
    ///
    /// # Errors
    /// When the actor may not, the chain is empty or had no checkpoint of that size, or the store fails.
    pub async fn checkpoint(
        &self,
        actor: &Actor,
        stream: Option<&str>,
        size: Option<i64>,
    ) -> Result<String, Error> {
        let stream = self.one_stream(actor, stream).await?;
        let kept = match size {
            Some(size) => store::checkpoint_at(&self.db, &stream, size).await?,
            None => Some(self.newest(&stream).await?),
        };
        kept.map(|kept| kept.note).ok_or(Error::NoSuchEntry)
    }

    /// Signed notes of checkpoints of a chain, the newest first, at most 200 below a size; to be kept elsewhere.
    ///
    /// # Errors
    /// When the actor may not, or the store fails.
    pub async fn checkpoint_notes(
        &self,
        actor: &Actor,
        stream: Option<&str>,
        below: Option<i64>,
    ) -> Result<String, Error> {
        let stream = self.one_stream(actor, stream).await?;
        let below = below.unwrap_or(i64::MAX);
        let kept = store::checkpoints(&self.db, &stream, below, PAGE_ROWS_MAX).await?;
        Ok(kept.iter().map(|kept| format!("{}\n", kept.note)).collect())
    }
}
