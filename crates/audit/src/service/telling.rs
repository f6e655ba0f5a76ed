//! Telling witnesses how the record stands. What a witness has not heard of is the queue: it is told the newest checkpoint
//! of each chain, with the proof that it only adds to the one it knew. So nothing piles up while one is away.

use std::{sync::Arc, time::Duration};

use naru_kernel::{Actor, Seconds, Timestamp};
use naru_runtime::Tasks;

use super::{Audit, witness::shown};
use crate::{
    Error, Note, WitnessStatus,
    drivers::{Driver, Outcome, Way},
    store::{self, Delivery, KeptCheckpoint, Undelivered},
};

/// How often a witness is told what is new.
const TELL_INTERVAL: Duration = Duration::from_secs(2);
/// Chains a witness is told of in one round.
const CHAINS_PER_ROUND_MAX: i64 = 256;
/// The longest pause after failures.
const PAUSE_SECONDS_MAX: i64 = 300;
/// The longest reason that is kept.
const PROBLEM_CHARACTERS_MAX: usize = 300;

impl Audit {
    pub(super) fn start_telling(self: &Arc<Self>, tasks: &Tasks) {
        for place in 0..self.witnesses.len() {
            let audit = Arc::clone(self);
            let shutdown = tasks.shutdown();
            tasks.spawn(async move {
                while shutdown.sleep(TELL_INTERVAL).await {
                    let Some(driver) = audit.witnesses.get(place) else {
                        return;
                    };
                    if let Err(error) = audit.tell(driver).await {
                        tracing::error!(
                            %error,
                            witness = driver.name(),
                            "not told"
                        );
                    }
                }
            });
        }
    }

    /// One round for every witness; gives how many checkpoints were taken.
    ///
    /// # Errors
    /// When the store fails; a witness that does not answer is noted.
    pub async fn tell_witnesses(&self) -> Result<usize, Error> {
        let mut told = 0_usize;
        for driver in &self.witnesses {
            told = told.saturating_add(self.tell(driver).await?);
        }
        Ok(told)
    }

    async fn tell(&self, driver: &Driver) -> Result<usize, Error> {
        let mut told = 0_usize;
        for behind in store::undelivered(&self.db, driver.name(), CHAINS_PER_ROUND_MAX).await? {
            if !is_due(&behind, self.clock.now()) {
                continue;
            }
            let Some(newest) = store::newest_checkpoint(&self.db, &behind.stream).await? else {
                continue;
            };
            let outcome = self.tell_one(driver, &behind, &newest).await?;
            let is_told = matches!(outcome, Outcome::Taken { .. });
            self.write_down(driver, &behind, newest.size, outcome).await?;
            if is_told {
                told = told.saturating_add(1);
            } else {
                // It will not take the others either; the one that waited longest comes first next time.
                break;
            }
        }
        Ok(told)
    }

    async fn tell_one(
        &self,
        driver: &Driver,
        behind: &Undelivered,
        newest: &KeptCheckpoint,
    ) -> Result<Outcome, Error> {
        let Ok(note) = Note::read(&newest.note) else {
            return Ok(Outcome::Failed("the checkpoint is damaged".to_owned()));
        };
        let Way::Https(door) = driver.way() else {
            return Ok(driver.hand_over(&note).await);
        };
        let mut old = behind.known;
        // A witness that was told by another portal, or whose knowledge is older than ours of it, says where it stands.
        for _ in 0..2 {
            if old > newest.size {
                return Ok(Outcome::Failed(format!(
                    "the witness has seen {old} entries: the record was cut"
                )));
            }
            let proof = if old == 0 || old == newest.size {
                Vec::new()
            } else {
                self.consistency_of(&newest.stream, old, newest.size).await?
            };
            let body = shown(u64::try_from(old).unwrap_or(0), &proof, note.whole());
            match door.post(body, &note).await {
                Outcome::Knows(size) => old = i64::try_from(size).unwrap_or(i64::MAX),
                outcome @ (Outcome::Taken { .. } | Outcome::Failed(_)) => return Ok(outcome),
            }
        }
        Ok(Outcome::Failed(
            "the witness does not say twice the same".to_owned(),
        ))
    }

    async fn write_down(
        &self,
        driver: &Driver,
        behind: &Undelivered,
        size: i64,
        outcome: Outcome,
    ) -> Result<(), Error> {
        let now = self.clock.now();
        let (size, delivered_at, failures, problem, cosignature) = match outcome {
            Outcome::Taken { cosignature } => (size, Some(now), 0, String::new(), cosignature),
            Outcome::Knows(_) => (behind.known, None, behind.failures, String::new(), String::new()),
            Outcome::Failed(problem) => {
                tracing::warn!(witness = driver.name(), %problem, "a witness was not told");
                let problem = problem.chars().take(PROBLEM_CHARACTERS_MAX).collect();
                let failures = behind.failures.saturating_add(1);
                (behind.known, None, failures, problem, String::new())
            }
        };
        let delivery = Delivery {
            witness: driver.name().to_owned(),
            stream: behind.stream.clone(),
            size,
            delivered_at,
            tried_at: now,
            failures,
            problem,
            cosignature,
        };
        self.db
            .housekeep("audit.deliver", move |tx| {
                Box::pin(async move { store::write_delivery(tx, delivery).await })
            })
            .await?;
        Ok(())
    }

    /// How far each witness knows a chain.
    ///
    /// # Errors
    /// When the actor may not, or the store fails.
    pub async fn witness_status(
        &self,
        actor: &Actor,
        stream: Option<&str>,
    ) -> Result<Vec<WitnessStatus>, Error> {
        let stream = self.one_stream(actor, stream).await?;
        let newest = store::newest_checkpoint(&self.db, &stream)
            .await?
            .map_or(0, |newest| newest.size);
        let known = store::deliveries(&self.db, &stream).await?;
        let mut status: Vec<WitnessStatus> = self
            .witnesses
            .iter()
            .map(|driver| {
                let told = known.iter().find(|delivery| delivery.witness == driver.name());
                WitnessStatus {
                    witness: driver.name().to_owned(),
                    kind: driver.way().kind().to_owned(),
                    size: told.map_or(0, |told| told.size),
                    newest,
                    delivered_at: told.and_then(|told| told.delivered_at),
                    failures: told.map_or(0, |told| told.failures),
                    problem: told.map(|told| told.problem.clone()).unwrap_or_default(),
                }
            })
            .collect();
        let is_gone = |told: &&Delivery| self.witnesses.iter().all(|driver| driver.name() != told.witness);
        status.extend(known.iter().filter(is_gone).map(|told| WitnessStatus {
            witness: told.witness.clone(),
            kind: String::new(),
            size: told.size,
            newest,
            delivered_at: told.delivered_at,
            failures: told.failures,
            problem: told.problem.clone(),
        }));
        Ok(status)
    }
}

/// After a failure a witness is left alone for 2, 4, 8 … seconds, at most five minutes.
fn is_due(behind: &Undelivered, now: Timestamp) -> bool {
    if behind.failures <= 0 {
        return true;
    }
    let shift = u32::try_from(behind.failures.min(16)).unwrap_or(16);
    let pause = 1_i64
        .checked_shl(shift)
        .unwrap_or(PAUSE_SECONDS_MAX)
        .min(PAUSE_SECONDS_MAX);
    behind.tried_at + Seconds(pause) <= now
}
