//! What runs by itself: sessions that idled out, rows that expired, revocation lists.

use std::{sync::Arc, time::Duration};

use futures_util::future::join_all;
use naru_kernel::Seconds;
use naru_runtime::{Fails as _, Tasks};
use naru_store::{Act, By};

use super::{Identity, sessions::end_logon, visits::KEPT};
use crate::{
    Error,
    model::{EndReason, Logon},
    store,
};

/// How long an ended session stays in the tables.
const ENDED_KEPT: Seconds = Seconds::hours(30 * 24);
/// Sessions that are ended side by side.
const ENDED_AT_ONCE_MAX: usize = 32;
/// How often expired rows are removed.
const FORGET_SECONDS: u64 = 60;

impl Identity {
    /// Starts the jobs; they end with `tasks`.
    pub fn start_jobs(self: &Arc<Self>, tasks: &Tasks) {
        let refresh = u64::try_from(self.config.revocation_refresh_seconds)
            .unwrap_or(600)
            .max(10);
        self.every("end idle sessions", Duration::from_secs(1), tasks, |identity| {
            Box::pin(async move { identity.end_idle().await.map(drop) })
        });
        self.every(
            "forget what expired",
            Duration::from_secs(FORGET_SECONDS),
            tasks,
            |identity| Box::pin(async move { identity.forget_expired().await }),
        );
        self.every(
            "refresh revocation lists",
            Duration::from_secs(refresh),
            tasks,
            |identity| Box::pin(async move { identity.refresh_revocations().await }),
        );
    }

    fn every<F>(self: &Arc<Self>, name: &'static str, pause: Duration, tasks: &Tasks, job: F)
    where
        F: Fn(Arc<Self>) -> naru_store::BoxFuture<'static, Result<(), Error>> + Send + 'static,
    {
        let (identity, shutdown) = (Arc::clone(self), tasks.shutdown());
        drop(tasks.spawn(async move {
            loop {
                if let Err(error) = job(Arc::clone(&identity)).await {
                    tracing::error!(job = name, code = error.code(), %error, "a job failed");
                }
                if !shutdown.sleep(pause).await {
                    return;
                }
            }
        }));
    }

    /// Ends sessions whose time is over, at most 200 at once; gives how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_idle(&self) -> Result<usize, Error> {
        let now = self.clock.now();
        let due = store::logons::due(&self.db, now).await?;
        let mut ended = 0_usize;
        // Side by side, so that they share commits.
        for group in due.chunks(ENDED_AT_ONCE_MAX) {
            for result in join_all(group.iter().cloned().map(|logon| self.end_due(logon))).await {
                ended = ended.saturating_add(usize::from(result?));
            }
        }
        if ended > 0 {
            self.tools.desktops.wake();
        }
        Ok(ended)
    }

    async fn end_due(&self, logon: Logon) -> Result<bool, Error> {
        let (tools, now) = (self.tools.clone(), self.clock.now());
        let reason = if now >= logon.expires_at {
            EndReason::Expired
        } else {
            EndReason::Idle
        };
        let act = Act {
            at: now,
            action: "identity.end-idle",
            by: By::Platform("identity"),
            ministry: Some(logon.ministry),
            subject: logon.id.to_string(),
            address: None,
        };
        self.db
            .change(act, move |tx| {
                Box::pin(async move {
                    tx.note("person", logon.person.to_string());
                    tx.note("reason", reason.as_str());
                    tx.note("was", logon.state.as_str());
                    // It may have been used, or ended, since it was found.
                    let still = store::logons::open_by_id(tx, logon.id).await?;
                    if still.is_none_or(|still| still.idle_expires_at > now) {
                        return Err(Error::Broken);
                    }
                    end_logon(tx, &tools, logon.id, reason, now).await
                })
            })
            .await
            // Rolled back: there was nothing to end, so nothing is recorded.
            .or_else(|error| {
                if matches!(error, Error::Broken) {
                    Ok(false)
                } else {
                    Err(error)
                }
            })
    }

    /// Removes what expired by time alone.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn forget_expired(&self) -> Result<(), Error> {
        let now = self.clock.now();
        self.db
            .housekeep("identity.forget-expired", move |tx| {
                Box::pin(async move {
                    store::certificates::forget_expired(tx, now).await?;
                    store::factors::forget_expired(tx, now).await?;
                    store::attempts::forget(tx, now - KEPT).await?;
                    store::devices::forget(tx, now - KEPT).await?;
                    store::logons::forget_ended(tx, now - ENDED_KEPT).await?;
                    store::grants::forget_expired(tx, now - ENDED_KEPT).await?;
                    Ok(())
                })
            })
            .await
    }
}
