//! What this domain asks of whoever runs desktops: close what a session or a person has open.

use naru_kernel::{LogonId, PersonId, Timestamp, fleet::CloseReason};
use naru_store::{BoxFuture, Error, Tx};

/// Whose desktops are closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosureTarget {
    /// Those opened in one session.
    Logon(LogonId),
    /// All of a person's.
    Person(PersonId),
}

/// Closes desktops; wired by the portal.
pub trait ClosesDesktops: Send + Sync + 'static {
    /// Writes down, in the transaction that ends a session or revokes a person, that their desktops must close.
    fn close<'t>(
        &'t self,
        tx: &'t mut Tx,
        target: ClosureTarget,
        reason: CloseReason,
        at: Timestamp,
    ) -> BoxFuture<'t, Result<(), Error>>;

    /// Writes down, in the transaction that revokes a person, that their desktops must not go on running.
    fn end<'t>(&'t self, tx: &'t mut Tx, person: PersonId, at: Timestamp)
    -> BoxFuture<'t, Result<(), Error>>;

    /// Called after the commit: gateways that wait for orders are answered at once.
    fn wake(&self);
}

/// For an installation without desktops.
#[derive(Clone, Copy, Debug, Default)]
pub struct NoDesktops;

impl ClosesDesktops for NoDesktops {
    fn close<'t>(
        &'t self,
        _: &'t mut Tx,
        _: ClosureTarget,
        _: CloseReason,
        _: Timestamp,
    ) -> BoxFuture<'t, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }

    fn end<'t>(&'t self, _: &'t mut Tx, _: PersonId, _: Timestamp) -> BoxFuture<'t, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }

    fn wake(&self) {}
}
