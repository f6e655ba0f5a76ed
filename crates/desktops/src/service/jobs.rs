//! What happens by time alone.

use std::{sync::Arc, time::Duration};

use naru_kernel::Seconds;
use naru_runtime::Tasks;
use naru_store::By;

use super::{Desktops, queue::POLL_SECONDS_MAX};
use crate::{DesktopState, EndReason, Error, rules, store};

/// How often it is looked.
const TIDY_SECONDS: u64 = 5;
/// A desktop that is not up after so long has failed.
const START_SECONDS_MAX: i64 = 60;
/// Closures are kept so long.
const CLOSURE_HOURS: i64 = 24;
/// Tickets and relays are kept so long after they were last seen.
const RELAY_HOURS: i64 = 24;
/// Ended desktops are kept so long.
const ENDED_HOURS: i64 = 30 * 24;

impl Desktops {
    /// Starts the background job.
    pub fn jobs(self: &Arc<Self>, tasks: &Tasks) {
        let (this, shutdown) = (Arc::clone(self), tasks.shutdown());
        drop(tasks.spawn(async move {
            while shutdown.sleep(Duration::from_secs(TIDY_SECONDS)).await {
                if let Err(error) = this.tidy().await {
                    tracing::warn!(%error, "tidying up desktops failed; it is tried again");
                }
            }
        }));
    }

    /// One round of the background job: expires what has expired, ends what never started, sets the gauges.
    ///
    /// # Errors
    /// When the store fails; what was done stays done.
    pub async fn tidy(&self) -> Result<(), Error> {
        let now = self.now();
        // While the portal was down nobody could ask for their place, and no host could report.
        let is_settled = |seconds| self.started_at + Seconds(seconds) <= now;
        let loses_places = is_settled(POLL_SECONDS_MAX);
        let forget = self.parts.db.housekeep("desktops.forget-expired", move |tx| {
            Box::pin(async move {
                store::nodes::forget_tokens(tx, now).await?;
                store::closures::forget_before(tx, now - Seconds::hours(CLOSURE_HOURS)).await?;
                store::relays::forget_before(tx, now - Seconds::hours(RELAY_HOURS)).await?;
                store::desktops::forget_before(tx, now - Seconds::hours(ENDED_HOURS)).await?;
                if loses_places {
                    store::desktops::lose_places(tx, now, now - Seconds(POLL_SECONDS_MAX)).await?;
                }
                Ok::<_, Error>(())
            })
        });
        forget.await?;
        if is_settled(START_SECONDS_MAX) {
            let placed_before = now - Seconds(START_SECONDS_MAX);
            let seen_since = now - Seconds(rules::FRESH_SECONDS_MAX);
            let late = store::desktops::never_started(&self.parts.db, placed_before, seen_since).await?;
            for desktop in late {
                self.end_by(By::Platform("desktops"), desktop, EndReason::NeverStarted)
                    .await?;
            }
        }
        self.refresh_keys().await?;
        self.gauges().await
    }

    async fn gauges(&self) -> Result<(), Error> {
        let states = store::desktops::count_states(&self.parts.db).await?;
        for state in [
            DesktopState::Queued,
            DesktopState::Starting,
            DesktopState::Running,
            DesktopState::Disconnected,
        ] {
            let count = states
                .iter()
                .find(|(one, _)| *one == state)
                .map_or(0, |(_, count)| *count);
            metrics::gauge!("naru_desktops", "state" => state.as_str()).set(gauge(count));
        }
        let queues = store::desktops::count_queues(&self.parts.db).await?;
        for zone in self.parts.config.zones.keys() {
            for protocol in [
                naru_kernel::fleet::Protocol::Rfb,
                naru_kernel::fleet::Protocol::Rdp,
            ] {
                let queue = queues.iter().find(|one| one.0 == *zone && one.1 == protocol);
                let labels = [
                    ("zone", zone.to_string()),
                    ("protocol", protocol.as_str().to_owned()),
                ];
                metrics::gauge!("naru_desktops_queue", &labels).set(gauge(queue.map_or(0, |one| one.2)));
            }
        }
        Ok(())
    }
}

fn gauge(count: i64) -> f64 {
    u32::try_from(count).map_or(f64::from(u32::MAX), f64::from)
}
