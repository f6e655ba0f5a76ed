//! Group commit: on `SQLite` the changes that are waiting share one transaction and one sync to disk.
//!
//! Each change runs inside a savepoint, so a failed one takes nothing with it and spoils nothing of the others.
//! Nobody is answered before the shared commit is on disk.

use std::{panic::AssertUnwindSafe, sync::Mutex};

use futures_util::FutureExt as _;
use sqlx::SqliteConnection;
use tokio::{
    sync::{mpsc, oneshot},
    task::JoinHandle,
};

use crate::{BoxFuture, Error, Tx, change::Connection, record};

/// Changes waiting for the writer; more wait to get in.
const QUEUE_CHANGES_MAX: usize = 1_024;
/// Changes that share one commit.
const GROUP_CHANGES_MAX: usize = 128;

/// Answers one waiting caller, once the commit's fate is known.
type Answer = Box<dyn FnOnce(Result<(), Error>) + Send>;
type Job = Box<dyn for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Option<Answer>> + Send>;

pub(crate) struct Writer {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    task: Mutex<Option<JoinHandle<()>>>,
}

impl Writer {
    pub(crate) fn start(connection: SqliteConnection) -> Self {
        let (jobs, waiting) = mpsc::channel(QUEUE_CHANGES_MAX);
        #[expect(
            clippy::disallowed_methods,
            reason = "the writer is its own task; `stop` awaits it"
        )]
        let task = tokio::spawn(run(connection, waiting));
        Self {
            jobs: Mutex::new(Some(jobs)),
            task: Mutex::new(Some(task)),
        }
    }

    pub(crate) async fn submit<T, E, W>(&self, work: W) -> Result<T, E>
    where
        T: Send + 'static,
        E: From<Error> + Send + 'static,
        W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>> + Send + 'static,
    {
        let (reply, answer) = oneshot::channel();
        let job: Job = Box::new(move |tx| {
            Box::pin(async move {
                let (result, keep) = in_savepoint(tx, work).await;
                let answer: Answer = Box::new(move |committed| {
                    let result = match committed {
                        Ok(()) => result,
                        // A failed change keeps its own reason; a good one learns that it was not kept.
                        Err(error) => result.and(Err(E::from(error))),
                    };
                    drop(reply.send(result));
                });
                if keep {
                    Some(answer)
                } else {
                    answer(Ok(()));
                    None
                }
            })
        });
        let sender = self
            .jobs
            .lock()
            .ok()
            .and_then(|jobs| jobs.clone())
            .ok_or(Error::WriterGone)?;
        sender.send(job).await.map_err(|_| Error::WriterGone)?;
        drop(sender);
        answer.await.map_err(|_| Error::Abandoned)?
    }

    pub(crate) async fn stop(&self) {
        if let Ok(mut jobs) = self.jobs.lock() {
            jobs.take();
        }
        let task = self.task.lock().ok().and_then(|mut task| task.take());
        if let Some(task) = task {
            drop(task.await);
        }
    }
}

async fn run(connection: SqliteConnection, mut waiting: mpsc::Receiver<Job>) {
    let mut tx = Tx::new(Connection::Sqlite(connection));
    while let Some(first) = waiting.recv().await {
        if let Err(error) = tx.control("BEGIN IMMEDIATE").await {
            tracing::error!(error = %error, "a transaction could not begin");
            // Dropping the job answers its caller with `Abandoned`; the next one tries again.
            continue;
        }
        tx.heads = Some(record::Heads::new());
        let mut answers = Vec::new();
        let mut next = Some(first);
        let mut taken = 0_usize;
        while let Some(job) = next.take() {
            tx.forget_notes();
            // What a change that is undone appended must not be the next one's predecessor.
            let heads = tx.heads.clone();
            match AssertUnwindSafe(job(&mut tx)).catch_unwind().await {
                Ok(Some(answer)) => answers.push(answer),
                Ok(None) => tx.heads = heads,
                // The panicking change left its savepoint open: undo it, keep the others.
                Err(_) => {
                    undo(&mut tx).await;
                    tx.heads = heads;
                }
            }
            taken = taken.saturating_add(1);
            if taken < GROUP_CHANGES_MAX {
                next = waiting.try_recv().ok();
            }
        }
        let committed = match record::move_heads(&mut tx).await {
            Ok(()) => tx.control("COMMIT").await,
            Err(error) => Err(error),
        };
        match committed {
            Ok(()) => answers.into_iter().for_each(|answer| answer(Ok(()))),
            Err(error) => {
                tracing::error!(error = %error, "a commit failed; {} changes were not kept", answers.len());
                drop(tx.control("ROLLBACK").await);
                let full = matches!(error, Error::DiskFull);
                for answer in answers {
                    answer(Err(if full { Error::DiskFull } else { Error::Commit }));
                }
            }
        }
    }
    if let Connection::Sqlite(connection) = tx.connection {
        drop(sqlx::Connection::close(connection).await);
    }
}

async fn undo(tx: &mut Tx) {
    drop(tx.control("ROLLBACK TO change").await);
    drop(tx.control("RELEASE change").await);
}

/// Runs `work` in a savepoint; tells whether there is something to commit.
async fn in_savepoint<T, E, W>(tx: &mut Tx, work: W) -> (Result<T, E>, bool)
where
    E: From<Error>,
    W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>>,
{
    if let Err(error) = tx.control("SAVEPOINT change").await {
        return (Err(error.into()), false);
    }
    match work(tx).await {
        Ok(value) => match tx.control("RELEASE change").await {
            Ok(()) => (Ok(value), true),
            Err(error) => {
                undo(tx).await;
                (Err(error.into()), false)
            }
        },
        Err(error) => {
            undo(tx).await;
            (Err(error), false)
        }
    }
}

/// `PostgreSQL`: one change, one transaction on its own connection.
pub(crate) async fn run_alone<T, E, W>(mut tx: Tx, work: W) -> Result<T, E>
where
    E: From<Error>,
    W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>>,
{
    tx.control("BEGIN").await?;
    let mut guard = Unfinished(Some(tx));
    let Some(tx) = guard.0.as_mut() else {
        return Err(Error::Abandoned.into());
    };
    let result = work(tx).await;
    let ended = match &result {
        Ok(_) => tx.control("COMMIT").await,
        Err(_) => tx.control("ROLLBACK").await,
    };
    if ended.is_ok() {
        guard.finished();
    }
    match (result, ended) {
        (Ok(_), Err(error)) => Err(error.into()),
        (result, _) => result,
    }
}

/// A cancelled or panicked change must not hand its open transaction to the next user of the connection.
struct Unfinished(Option<Tx>);

impl Unfinished {
    fn finished(mut self) {
        self.0.take();
    }
}

impl Drop for Unfinished {
    fn drop(&mut self) {
        if let Some(Tx {
            connection: Connection::Postgres(connection),
            ..
        }) = self.0.take()
        {
            // Closing it makes the server roll back.
            drop(connection.detach());
        }
    }
}
