//! Group commit: on `SQLite` the changes that are waiting share one transaction and one sync to disk.
//!
//! Each change runs inside a savepoint, so a failed one takes nothing with it and spoils nothing of the others.
//! Nobody is answered before the shared commit is on disk.
//!
//! The writer has a thread of its own: statements and syncs are calls that block it, and as a task among the portal's
//! others it would stand in their queue, while all who wait for a commit wait with it.

use std::{panic::AssertUnwindSafe, sync::Mutex, thread};

use futures_util::FutureExt as _;
use naru_kernel::Tenant;
use tokio::{
    runtime::Handle,
    sync::{mpsc, oneshot},
};

use crate::{BoxFuture, Error, Tx, change::Connection, embedded::Embedded, record};

/// Changes waiting for the writer; more wait to get in.
const QUEUE_CHANGES_MAX: usize = 1_024;
/// Changes that share one commit.
const GROUP_CHANGES_MAX: usize = 128;
const BEGIN: &str = "BEGIN IMMEDIATE";
const SAVEPOINT: &str = "SAVEPOINT change";
/// The change before is done.
const RELEASE: &str = "RELEASE change";
/// The change is undone; its savepoint stays until it is released.
const UNDO: &str = "ROLLBACK TO change";

/// Answers one waiting caller, once the commit's fate is known.
type Answer = Box<dyn FnOnce(Result<(), Error>) + Send>;
/// How a change came out.
enum Ran {
    /// There is something to commit; the caller waits for it.
    Keep(Answer),
    /// It failed by its own reason, which the caller knows already.
    Undo,
}
type Job = Box<dyn for<'t> FnOnce(Result<&'t mut Tx, Error>) -> BoxFuture<'t, Ran> + Send>;

pub(crate) struct Writer {
    jobs: Mutex<Option<mpsc::Sender<Job>>>,
    ended: Mutex<Option<oneshot::Receiver<()>>>,
}

impl Writer {
    /// Starts the thread; what changes await runs in the runtime of the caller.
    pub(crate) fn start(connection: Embedded) -> Result<Self, Error> {
        let (jobs, waiting) = mpsc::channel(QUEUE_CHANGES_MAX);
        let (end, ended) = oneshot::channel();
        let runtime = Handle::current();
        thread::Builder::new()
            .name("naru-writer".to_owned())
            .spawn(move || {
                runtime.block_on(run(connection, waiting));
                drop(end);
            })
            .map_err(sqlx::Error::Io)?;
        Ok(Self {
            jobs: Mutex::new(Some(jobs)),
            ended: Mutex::new(Some(ended)),
        })
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
                let result = match tx {
                    Ok(tx) => work(tx).await,
                    Err(error) => Err(E::from(error)),
                };
                if result.is_err() {
                    drop(reply.send(result));
                    return Ran::Undo;
                }
                Ran::Keep(Box::new(move |committed| {
                    // A good change learns here that it was not kept.
                    drop(reply.send(committed.map_err(E::from).and(result)));
                }))
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
        let ended = self.ended.lock().ok().and_then(|mut ended| ended.take());
        if let Some(ended) = ended {
            drop(ended.await);
        }
    }
}

async fn run(connection: Embedded, mut waiting: mpsc::Receiver<Job>) {
    let mut tx = Tx::new(Connection::Sqlite(connection));
    while let Some(first) = waiting.recv().await {
        let mut answers = Vec::new();
        let mut outcome = share(&mut tx, first, &mut waiting, &mut answers).await;
        if outcome.is_ok() {
            outcome = commit(&mut tx).await;
        }
        match outcome {
            Ok(()) => answers.into_iter().for_each(|answer| answer(Ok(()))),
            Err(error) => {
                tracing::error!(error = %error, "a commit failed; {} changes were not kept", answers.len());
                drop(tx.control("ROLLBACK").await);
                for answer in answers {
                    answer(Err(not_kept(&error)));
                }
            }
        }
    }
}

/// Begins a transaction and runs the changes that wait, each in its savepoint; those to keep leave their answers.
///
/// # Errors
/// When the transaction cannot begin or is not there any more (the engine itself gives it up on a full disk): then
/// nothing of it may be kept.
async fn share(
    tx: &mut Tx,
    first: Job,
    waiting: &mut mpsc::Receiver<Job>,
    answers: &mut Vec<Answer>,
) -> Result<(), Error> {
    let mut next = Some(first);
    let mut taken = 0_usize;
    tx.heads = Some(record::Heads::new());
    while let Some(job) = next.take() {
        if let Err(error) = next_change(tx, taken == 0).await {
            job(Err(not_kept(&error))).await;
            return Err(error);
        }
        tx.forget_notes();
        // What a change that is undone appended must not be the next one's predecessor.
        let heads = tx.heads.clone();
        match AssertUnwindSafe(job(Ok(tx))).catch_unwind().await {
            Ok(Ran::Keep(answer)) => answers.push(answer),
            // Its own failure, or a panic: undo it, keep the others.
            Ok(Ran::Undo) | Err(_) => {
                tx.heads = heads;
                tx.control(UNDO).await?;
            }
        }
        taken = taken.saturating_add(1);
        if taken < GROUP_CHANGES_MAX {
            next = waiting.try_recv().ok();
        }
    }
    Ok(())
}

/// Begins a change, and with the first one the transaction.
async fn next_change(tx: &mut Tx, is_first: bool) -> Result<(), Error> {
    tx.control(if is_first { BEGIN } else { RELEASE }).await?;
    tx.control(SAVEPOINT).await
}

/// What those are told whose change was lost with the others of its transaction.
const fn not_kept(error: &Error) -> Error {
    if matches!(error, Error::DiskFull) {
        Error::DiskFull
    } else {
        Error::Commit
    }
}

/// Makes it last; a commit also releases the savepoint of the last change.
async fn commit(tx: &mut Tx) -> Result<(), Error> {
    record::move_heads(tx).await?;
    tx.control("COMMIT").await
}

/// `PostgreSQL`: one change, one transaction on its own connection; as one ministry, or as the platform.
pub(crate) async fn run_alone<T, E, W>(mut tx: Tx, tenant: Option<Tenant>, work: W) -> Result<T, E>
where
    E: From<Error>,
    W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<T, E>>,
{
    tx.begin(tenant).await?;
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
