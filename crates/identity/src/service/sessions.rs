//! Sessions: shown, extended, ended.

use naru_kernel::{Actor, LogonId, PersonId, Timestamp};
use naru_runtime::{Caller, Client};
use naru_store::{By, Tx};

use super::{Identity, Tools, authenticate::CurrentLogon, enrol::own};
use crate::{
    ClosureTarget, Error, Refusal,
    answers::{Me, Session, SessionRow},
    model::EndReason,
    rules::idle_deadline,
    store,
};

impl Identity {
    fn session(&self, current: CurrentLogon) -> Session {
        Session {
            id: current.logon,
            expires_at: current.expires_at,
            idle_expires_at: current.idle_expires_at,
            warn_seconds: self.config.warn_seconds,
        }
    }

    /// Who is signed in, and until when.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn me(&self, actor: &Actor, current: CurrentLogon) -> Result<Me, Error> {
        let person = store::people::person(&self.db, actor.person)
            .await?
            .ok_or(Refusal::NoSuch("person"))?;
        let ministry = store::people::ministry(&self.db, actor.ministry).await?;
        let ministry = ministry.ok_or(Refusal::NoSuch("ministry"))?;
        Ok(Me {
            person: person.id,
            name: person.name,
            ministry: ministry.id,
            ministry_name: ministry.name(&person.language).to_owned(),
            roles: actor.roles.clone(),
            grants: actor.grants.clone(),
            is_home: person.ministry == actor.ministry,
            ministries: store::members::serves(&self.db, actor.person).await?.len(),
            language: person.language,
            session: self.session(current),
        })
    }

    /// Keeps the session alive: the person said they are there.
    ///
    /// # Errors
    /// [`Refusal::WrongStep`] when the session is over.
    pub async fn extend(&self, actor: &Actor, current: CurrentLogon) -> Result<Session, Error> {
        own(actor)?;
        let now = self.clock.now();
        let deadline = idle_deadline(now, current.expires_at, self.tools.lifetimes);
        let logon = actor.logon;
        let alive: bool = self
            .db
            .housekeep("identity.touch-session", move |tx| {
                Box::pin(
                    async move { Ok::<_, Error>(store::sessions::touch(tx, logon, now, deadline).await?) },
                )
            })
            .await?;
        if !alive {
            return Err(Refusal::WrongStep.into());
        }
        Ok(self.session(CurrentLogon {
            idle_expires_at: deadline,
            ..current
        }))
    }

    /// The person's own sessions.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn sessions(&self, actor: &Actor) -> Result<Vec<SessionRow>, Error> {
        let logons = store::logons::shown_of(&self.db, actor.person).await?;
        Ok(logons
            .into_iter()
            .map(|logon| SessionRow::new(logon, Some(actor.logon)))
            .collect())
    }

    /// Ends one of the person's own sessions, and what is open in it.
    ///
    /// # Errors
    /// [`Refusal::NoSuch`] when it is not theirs or over.
    pub async fn end_own(&self, actor: &Actor, logon: LogonId, client: &Client) -> Result<(), Error> {
        own(actor)?;
        let by = By::Person(actor.person, actor.logon);
        let act = self.act_for("identity.end-session", by, actor.ministry, client);
        let (tools, now, person) = (self.tools.clone(), act.at, actor.person);
        let ended = self
            .decide(act, move |tx| {
                Box::pin(async move {
                    // Their other session may serve another ministry.
                    tx.across_ministries().await?;
                    tx.about(logon);
                    let owned = store::logons::open_by_id(tx, logon).await?;
                    if owned.is_none_or(|logon| logon.person != person) {
                        return Ok(Err(Refusal::NoSuch("session")));
                    }
                    end_logon(tx, &tools, logon, EndReason::EndedByPerson, now).await?;
                    Ok(Ok(()))
                })
            })
            .await;
        self.tools.desktops.wake();
        ended
    }

    /// Logs off: the session is over, desktops go on running without a picture.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn log_off(&self, caller: &Caller, client: &Client) -> Result<(), Error> {
        let (by, ministry, logon) = match caller {
            Caller::FirstFactor(first) => (By::Claimed(first.person), first.ministry, first.logon),
            Caller::SignedIn(actor) => (By::Person(actor.person, actor.logon), actor.ministry, actor.logon),
            Caller::Anyone => return Ok(()),
        };
        let act = self.act_for("identity.log-off", by, ministry, client);
        let (tools, now) = (self.tools.clone(), act.at);
        let ended: Result<(), Error> = self
            .db
            .change(act, move |tx| {
                Box::pin(async move {
                    tx.about(logon);
                    end_logon(tx, &tools, logon, EndReason::LoggedOff, now).await?;
                    Ok(())
                })
            })
            .await;
        self.tools.desktops.wake();
        ended
    }
}

/// Ends a session and closes its desktops; `false` if it was over.
pub(super) async fn end_logon(
    tx: &mut Tx,
    tools: &Tools,
    logon: LogonId,
    reason: EndReason,
    now: Timestamp,
) -> Result<bool, Error> {
    let ended = store::logons::end(tx, logon, reason, now).await?;
    if ended {
        let target = ClosureTarget::Logon(logon);
        tools
            .desktops
            .close(tx, target, reason.close_reason(), now)
            .await?;
    }
    Ok(ended)
}

/// Ends all sessions of a person and closes all their desktops; gives the number of sessions.
pub(super) async fn end_all(
    tx: &mut Tx,
    tools: &Tools,
    person: PersonId,
    now: Timestamp,
) -> Result<usize, Error> {
    // Whichever of their ministries they serve in them.
    tx.across_ministries().await?;
    let open = store::logons::open_of(tx, person).await?;
    for logon in &open {
        store::logons::end(tx, logon.id, EndReason::Revoked, now).await?;
    }
    let reason = EndReason::Revoked.close_reason();
    tools
        .desktops
        .close(tx, ClosureTarget::Person(person), reason, now)
        .await?;
    tx.note("sessions_ended", open.len());
    Ok(open.len())
}
