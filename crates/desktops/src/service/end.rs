//! Ending desktops, and what closes relays.

use std::{collections::BTreeMap, sync::Arc};

use naru_kernel::{
    Action, Actor, DesktopId, MinistryId, Page, PageRequest, PersonId, Scope, Timestamp,
    fleet::{CloseReason, ClosureTarget},
};
use naru_store::{Act, By, Tx};

use super::{Desktops, access::ruled, settle};
use crate::{
    DesktopState, EndReason, Error, Opening, RunningDesktop,
    store::{self, desktops::Desktop},
};

impl Desktops {
    /// Writes a closure in the caller's transaction: relays opened before `at` that fit the target come down at
    /// the nodes' next sync. Call it last in the transaction (all closures wait for one row) and
    /// [`Desktops::wake`] after the commit.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn close_in(
        &self,
        tx: &mut Tx,
        target: ClosureTarget,
        reason: CloseReason,
        at: Timestamp,
    ) -> Result<(), naru_store::Error> {
        store::closures::add(tx, target, reason, at).await
    }

    /// Ends every desktop of a person, in the caller's transaction: for one who is revoked, whose programs must not
    /// go on running in their name. Their relays are closed by [`Desktops::close_in`].
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_all_in(
        &self,
        tx: &mut Tx,
        person: PersonId,
        at: Timestamp,
    ) -> Result<(), naru_store::Error> {
        let ended = store::desktops::end_all(tx, person, at, EndReason::Revoked).await?;
        tx.note("desktops_ended", ended);
        Ok(())
    }

    /// Ends every desktop a person has in one ministry and closes their relays, in the caller's transaction: for one
    /// who serves that ministry no more.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn end_in_ministry(
        &self,
        tx: &mut Tx,
        person: PersonId,
        ministry: MinistryId,
        at: Timestamp,
    ) -> Result<(), naru_store::Error> {
        let live = store::desktops::live_ids(tx, person, ministry).await?;
        tx.note("desktops_ended", live.len());
        for id in live {
            if store::desktops::end(tx, id, at, EndReason::Revoked, true).await? {
                store::closures::add(tx, ClosureTarget::Desktop(id), CloseReason::Revoked, at).await?;
            }
        }
        Ok(())
    }

    /// How many desktops each person of a ministry has that have not ended; who has none is left out.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn open_by_person(
        &self,
        ministry: MinistryId,
    ) -> Result<BTreeMap<PersonId, i64>, naru_store::Error> {
        Ok(store::desktops::open_by_person(&self.parts.db, ministry)
            .await?
            .collect())
    }

    /// Ends a desktop and closes its relays; `false` if it had ended before.
    pub(super) async fn end_in(
        tx: &mut Tx,
        id: DesktopId,
        now: Timestamp,
        reason: EndReason,
        closed: CloseReason,
    ) -> Result<bool, Error> {
        let host_is_to_be_told = !matches!(
            reason,
            EndReason::HostEnded | EndReason::HostRestarted | EndReason::Vanished | EndReason::HostRemoved
        );
        let ended = store::desktops::end(tx, id, now, reason, host_is_to_be_told).await?;
        if ended {
            tx.note("reason", reason.as_str());
            store::closures::add(tx, ClosureTarget::Desktop(id), closed, now).await?;
        }
        Ok(ended)
    }

    /// The person ends their desktop. Ending an ended one is harmless.
    ///
    /// # Errors
    /// When it is another's, or the store fails.
    pub async fn end(self: &Arc<Self>, actor: &Actor, address: &str, id: DesktopId) -> Result<(), Error> {
        actor.may(Action::OpenDesktop, Scope::Person(actor.person))?;
        self.own_zone(actor, id).await?;
        let act = self.act(
            actor,
            address,
            "desktops.end",
            id.to_string(),
            Some(actor.ministry),
        );
        let now = act.at;
        let end = self.parts.db.change(act, move |tx| {
            Box::pin(async move {
                Self::end_in(tx, id, now, EndReason::Person, CloseReason::Ended)
                    .await
                    .map(drop)
            })
        });
        end.await?;
        self.wake();
        Ok(())
    }

    /// Ends the person's desktop and opens a new one of the same kind, queued until the host is rid of the old
    /// one (10 s at most).
    ///
    /// # Errors
    /// As [`Desktops::open`]; and when the desktop is another's.
    pub async fn restart(
        self: &Arc<Self>,
        actor: &Actor,
        address: &str,
        id: DesktopId,
    ) -> Result<Opening, Error> {
        actor.may(Action::OpenDesktop, Scope::Person(actor.person))?;
        let zone = self.own_zone(actor, id).await?;
        let case = self.case(actor, &zone).await?;
        let ruling = self.ruling(actor, address, &zone).await?;
        let act = self.act(
            actor,
            address,
            "desktops.restart",
            id.to_string(),
            Some(actor.ministry),
        );
        let this = Arc::clone(self);
        let opened = self.parts.db.change(act, move |tx| {
            Box::pin(async move {
                if let Err(refusal) = ruled(tx, ruling) {
                    return settle(tx, Err(refusal));
                }
                store::desktops::take_turn(tx, &zone).await?;
                let old = store::desktops::by_id(tx, id)
                    .await?
                    .ok_or(Error::NoSuchDesktop)?;
                Self::end_in(tx, id, case.now, EndReason::Restart, CloseReason::Ended).await?;
                tx.note("ended", id.to_string());
                let opened = this.open_in(tx, &case, &zone, old.protocol).await;
                settle(tx, opened)
            })
        });
        let opened = opened.await?;
        self.wake();
        opened
    }

    /// All desktops that have not ended, by identifier.
    ///
    /// # Errors
    /// When the actor is no operator, or the store fails.
    pub async fn running(&self, actor: &Actor, page: &PageRequest) -> Result<Page<RunningDesktop>, Error> {
        actor.may(Action::ManageHosts, Scope::Platform)?;
        let after = page.after.clone().unwrap_or_default();
        let rows = store::desktops::live(&self.parts.db, &after, page.rows()).await?;
        let is_full = i64::try_from(rows.len()).is_ok_and(|count| count == page.rows());
        Ok(Page {
            next: rows.last().filter(|_| is_full).map(|row| row.id.to_string()),
            items: rows.into_iter().map(Desktop::into_running).collect(),
            total: store::desktops::live_count(&self.parts.db).await?,
        })
    }

    /// An operator ends a desktop; it stands in the record of its person's ministry.
    ///
    /// # Errors
    /// When the actor is no operator, there is no such desktop, or the store fails.
    pub async fn end_as_operator(
        self: &Arc<Self>,
        actor: &Actor,
        address: &str,
        id: DesktopId,
    ) -> Result<(), Error> {
        actor.may(Action::ManageHosts, Scope::Platform)?;
        let desktop = store::desktops::read(&self.parts.db, id).await?;
        let ministry = desktop.ok_or(Error::NoSuchDesktop)?.ministry;
        let act = self.act(
            actor,
            address,
            "desktops.end-as-operator",
            id.to_string(),
            Some(ministry),
        );
        let now = act.at;
        let end = self.parts.db.change(act, move |tx| {
            Box::pin(async move {
                Self::end_in(tx, id, now, EndReason::Operator, CloseReason::Ended)
                    .await
                    .map(drop)
            })
        });
        end.await?;
        self.wake();
        Ok(())
    }

    /// Ends what a node or the passing of time has ended; recorded once.
    pub(super) async fn end_by(&self, by: By, id: DesktopId, reason: EndReason) -> Result<(), Error> {
        let Some(desktop) = store::desktops::read(&self.parts.db, id).await? else {
            return Ok(());
        };
        if desktop.state == DesktopState::Ended {
            return Ok(());
        }
        let now = self.now();
        let act = Act {
            at: now,
            action: "desktops.end",
            by,
            ministry: Some(desktop.ministry),
            subject: id.to_string(),
            address: None,
        };
        let end = self.parts.db.change(act, move |tx| {
            Box::pin(async move {
                Self::end_in(tx, id, now, reason, CloseReason::Ended)
                    .await
                    .map(drop)
            })
        });
        end.await?;
        self.wake();
        Ok(())
    }
}
