//! Background tasks that are told to stop and then waited for.

use std::time::Duration;

use tokio_util::{sync::CancellationToken, task::TaskTracker};

/// Tells a task that it is time to stop. Cheap to clone.
#[derive(Clone, Debug, Default)]
pub struct Shutdown(CancellationToken);

impl Shutdown {
    /// Waits until it is time to stop.
    pub async fn requested(&self) {
        self.0.cancelled().await;
    }

    /// Whether it is time to stop.
    #[must_use]
    pub fn is_requested(&self) -> bool {
        self.0.is_cancelled()
    }

    /// Says that it is time to stop.
    pub fn request(&self) {
        self.0.cancel();
    }

    /// Sleeps; `false` if it became time to stop meanwhile.
    pub async fn sleep(&self, length: Duration) -> bool {
        tokio::select! {
            () = tokio::time::sleep(length) => true,
            () = self.requested() => false,
        }
    }
}

/// The tasks of a process.
#[derive(Clone, Debug, Default)]
pub struct Tasks {
    tracker: TaskTracker,
    shutdown: Shutdown,
}

impl Tasks {
    /// How long tasks have to finish once told.
    pub const DRAIN_SECONDS_MAX: u64 = 20;

    /// No tasks yet.
    #[must_use]
    pub fn new() -> Self {
        Self::default()
    }

    /// The signal to hand to tasks.
    #[must_use]
    pub fn shutdown(&self) -> Shutdown {
        self.shutdown.clone()
    }

    /// Starts a task that is waited for at shutdown.
    pub fn spawn<F>(&self, task: F) -> tokio::task::JoinHandle<F::Output>
    where
        F: Future + Send + 'static,
        F::Output: Send + 'static,
    {
        self.tracker.spawn(task)
    }

    /// Tells all tasks to stop and waits for them; `false` if some did not finish in time.
    pub async fn stop(&self) -> bool {
        self.shutdown.request();
        self.tracker.close();
        tokio::time::timeout(Duration::from_secs(Self::DRAIN_SECONDS_MAX), self.tracker.wait())
            .await
            .is_ok()
    }
}

/// Waits for SIGTERM or SIGINT.
///
/// # Errors
/// When the signals cannot be listened for.
pub async fn termination() -> std::io::Result<()> {
    use tokio::signal::unix::{SignalKind, signal};
    let mut terminate = signal(SignalKind::terminate())?;
    let mut interrupt = signal(SignalKind::interrupt())?;
    tokio::select! {
        _ = terminate.recv() => {}
        _ = interrupt.recv() => {}
    }
    Ok(())
}
