//! What this domain asks of whoever keeps something open for people: desktops, single sign-on.

use std::collections::BTreeMap;

use naru_kernel::{LogonId, MinistryId, PersonId, Timestamp, fleet::CloseReason};
use naru_store::{BoxFuture, Error, Tx};

/// What is closed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum ClosureTarget {
    /// What was opened in one session.
    Logon(LogonId),
    /// All a person has open.
    Person(PersonId),
}

/// Who must have nothing running any more.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Leaver {
    /// A person, in every ministry they serve.
    Everywhere(PersonId),
    /// A person, in one ministry they serve no more.
    From(PersonId, MinistryId),
}

/// Closes what is open; wired by the portal to desktops and single sign-on.
pub trait ClosesWhatIsOpen: Send + Sync + 'static {
    /// Writes down, in the transaction that ends a session or revokes a person, that what they have open must close.
    fn close<'t>(
        &'t self,
        tx: &'t mut Tx,
        target: ClosureTarget,
        reason: CloseReason,
        at: Timestamp,
    ) -> BoxFuture<'t, Result<(), Error>>;

    /// Writes down, in the transaction in which a person leaves, that their desktops must not go on running and that
    /// their tokens are worth nothing.
    fn end<'t>(&'t self, tx: &'t mut Tx, leaver: Leaver, at: Timestamp) -> BoxFuture<'t, Result<(), Error>>;

    /// How many desktops each person of a ministry has running; who has none is left out.
    fn running(&self, ministry: MinistryId) -> BoxFuture<'_, Result<BTreeMap<PersonId, i64>, Error>>;

    /// Called after the commit: gateways that wait for orders are answered at once.
    fn wake(&self);
}

/// For an installation where nothing can be opened.
#[derive(Clone, Copy, Debug, Default)]
pub struct NothingOpen;

impl ClosesWhatIsOpen for NothingOpen {
    fn close<'t>(
        &'t self,
        _: &'t mut Tx,
        _: ClosureTarget,
        _: CloseReason,
        _: Timestamp,
    ) -> BoxFuture<'t, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }

    fn end<'t>(&'t self, _: &'t mut Tx, _: Leaver, _: Timestamp) -> BoxFuture<'t, Result<(), Error>> {
        Box::pin(async { Ok(()) })
    }

    fn running(&self, _: MinistryId) -> BoxFuture<'_, Result<BTreeMap<PersonId, i64>, Error>> {
        Box::pin(async { Ok(BTreeMap::new()) })
    }

    fn wake(&self) {}
}
