//! What happens by time alone.

use std::{sync::Arc, time::Duration};

use naru_kernel::Seconds;
use naru_runtime::Tasks;

use super::Applications;
use crate::{Error, store};

/// How often what expired is removed and keys are read again.
const TIDY_SECONDS: u64 = 60;
/// How often it is looked for log-outs that are due, when nothing said so.
const LOGOUT_SECONDS: u64 = 5;
/// Ended grants are kept so long: the re-use of their codes is still recognised.
const ENDED_HOURS: i64 = 1;

impl Applications {
    /// Starts the background jobs.
    pub fn jobs(self: &Arc<Self>, tasks: &Tasks) {
        let (this, shutdown) = (Arc::clone(self), tasks.shutdown());
        drop(tasks.spawn(async move {
            while shutdown.sleep(Duration::from_secs(TIDY_SECONDS)).await {
                if let Err(error) = this.tidy().await {
                    tracing::warn!(%error, "tidying up sign-ons failed; it is tried again");
                }
            }
        }));
        let (this, shutdown) = (Arc::clone(self), tasks.shutdown());
        drop(tasks.spawn(async move {
            loop {
                if let Err(error) = this.tell_logouts().await {
                    tracing::warn!(%error, "log-outs could not be told; it is tried again");
                }
                if let Err(error) = this.tell_saml_logouts().await {
                    tracing::warn!(%error, "log-outs could not be told by SAML; it is tried again");
                }
                tokio::select! {
                    goes_on = shutdown.sleep(Duration::from_secs(LOGOUT_SECONDS)) => {
                        if !goes_on {
                            break;
                        }
                    }
                    () = this.sign_on.logouts.notified() => {}
                }
            }
        }));
    }

    /// One round: removes what has expired, reads and rotates keys, sets the gauges.
    ///
    /// # Errors
    /// When the store fails; what was done stays done.
    pub async fn tidy(&self) -> Result<(), Error> {
        let now = self.now();
        let forget = self.parts.db.housekeep("applications.forget-expired", move |tx| {
            Box::pin(async move {
                store::requests::forget(tx, now).await?;
                store::saml::forget(tx, now).await?;
                store::tokens::forget(tx, now).await?;
                store::grants::forget_before(tx, now - Seconds::hours(ENDED_HOURS)).await?;
                Ok::<_, Error>(())
            })
        });
        forget.await?;
        self.refresh_keys().await?;
        let owed = store::devices::owed(&self.parts.db).await?;
        metrics::gauge!("naru_sso_logouts_owed")
            .set(u32::try_from(owed).map_or(f64::from(u32::MAX), f64::from));
        Ok(())
    }
}
