//! The people of a ministry, as its administrators see and change them. What belongs to another ministry is not there.

use naru_kernel::{
    Action, Actor, CertificateId, GroupId, LogonId, MinistryId, PageRequest, PersonId, Reach, Scope, Seconds,
    Timestamp,
};
use naru_runtime::Client;
use naru_store::{Act, BoxFuture, Tx};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Identity, Tools, Verdict, granted,
    grants::by,
    reach::{Of, hold_reached},
    sessions::{end_all, end_logon},
};
use crate::{
    Error, Leaver, Refusal,
    answers::{ActivationCode, PersonDetail},
    model::{EndReason, Ministry, Person, PersonState},
    rules::{Wrong, effective_state},
    secret, store,
};

/// How long an activation code is good.
pub(super) const ACTIVATION_LENGTH: Seconds = Seconds::hours(7 * 24);

/// A person's data, as a form sends it.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct PersonForm {
    /// Name.
    pub name: String,
    /// Certificate subject, RFC 4514.
    pub subject_name: String,
    /// Role words; empty means worker.
    #[serde(default)]
    pub roles: Vec<String>,
    /// `ko` or `en`; empty means Korean.
    #[serde(default)]
    pub language: String,
    /// Names from the ministry down with `/` between; empty means where the certificate's subject says.
    #[serde(default)]
    pub unit: String,
}

/// Which people are listed.
#[derive(Clone, Debug, Default, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct PeopleQuery {
    /// At most so many rows.
    pub limit: Option<i64>,
    /// The `next` of the page before.
    pub after: Option<String>,
    /// In name or certificate subject.
    pub search: Option<String>,
    /// In this state only.
    pub state: Option<PersonState>,
    /// Of this unit and those below it only.
    pub unit: Option<String>,
    /// Of this group only.
    pub group: Option<GroupId>,
    /// `name`, `unit`, `created_at` or `last_logon_at`; with a minus in front the other way.
    pub sort: Option<String>,
}

impl From<Wrong> for Refusal {
    fn from(wrong: Wrong) -> Self {
        Self::Field {
            field: wrong.field,
            problem: wrong.problem,
        }
    }
}

/// Whether an administrator may do a thing to themselves.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Oneself {
    Allowed,
    Forbidden,
}

/// What is done to one person.
type Work = Box<
    dyn for<'t> FnOnce(&'t mut Tx, Tools, Person, Timestamp) -> BoxFuture<'t, Result<Verdict<()>, Error>>
        + Send,
>;

impl Identity {
    pub(super) fn admin_act(
        &self,
        action: &'static str,
        actor: &Actor,
        client: &Client,
    ) -> Result<Act, Error> {
        actor.may(Action::ManagePeople, Scope::Ministry(actor.ministry))?;
        Ok(self.act_for(action, by(actor), actor.ministry, client))
    }

    /// The act of an administrator of the ministry or of units of it; whom they reach is asked for each person.
    pub(super) fn people_act(
        &self,
        action: &'static str,
        actor: &Actor,
        client: &Client,
    ) -> Result<Act, Error> {
        if actor.reach(Action::ManagePeople) == Reach::Nothing {
            return Err(Refusal::Denied.into());
        }
        Ok(self.act_for(action, by(actor), actor.ministry, client))
    }

    pub(super) async fn own_ministry(&self, actor: &Actor) -> Result<Ministry, Error> {
        let ministry = store::people::ministry(&self.db, actor.ministry).await?;
        Ok(ministry.ok_or(Refusal::NoSuch("ministry"))?)
    }

    /// Hands out an activation code; an earlier one is dead by that.
    ///
    /// # Errors
    /// When the actor may not, there is no such person, or it is the actor.
    pub async fn activation_code(
        &self,
        actor: &Actor,
        id: PersonId,
        client: &Client,
    ) -> Result<ActivationCode, Error> {
        let act = self.people_act("identity.hand-out-activation-code", actor, client)?;
        if id == actor.person {
            return Err(self
                .refuse(act, Refusal::NotYourself, serde_json::Value::Null)
                .await);
        }
        self.new_code(act, id, (actor.ministry, Some(actor.clone())))
            .await
    }

    pub(super) async fn new_code(
        &self,
        act: Act,
        id: PersonId,
        (ministry, actor): (MinistryId, Option<Actor>),
    ) -> Result<ActivationCode, Error> {
        let (tools, now) = (self.tools.clone(), act.at);
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(id);
                if let Some(actor) = actor {
                    granted!(hold_reached(tx, &actor, id, (Of::Home, now)).await?);
                }
                let person = store::people::hold_in(tx, id, ministry).await?;
                let person = granted!(person.ok_or(Refusal::NoSuch("person")));
                if person.state == PersonState::Revoked {
                    return Ok(Err(Refusal::PersonIs("revoked")));
                }
                let code = secret::activation_code(tools.entropy.as_ref());
                let hash = tools.keys.code_hash(&id.to_string(), &code);
                let expires_at = now + ACTIVATION_LENGTH;
                store::factors::set_activation(tx, (id, ministry), hash, now, expires_at).await?;
                Ok(Ok(ActivationCode { code, expires_at }))
            })
        })
        .await
    }

    /// Revokes a person: they are out of everything at once.
    ///
    /// # Errors
    /// When the actor may not, there is no such person, or it is the actor.
    pub async fn revoke(&self, actor: &Actor, id: PersonId, client: &Client) -> Result<PersonDetail, Error> {
        let act = self.people_act("identity.revoke-person", actor, client)?;
        self.on_person(actor, (act, Oneself::Forbidden), id, Box::new(revoke_held))
            .await
    }

    /// Gives a revoked person back their access. Factors and certificates stay as they were.
    ///
    /// # Errors
    /// When the actor may not, there is no such person, or they are not revoked.
    pub async fn restore(&self, actor: &Actor, id: PersonId, client: &Client) -> Result<PersonDetail, Error> {
        let act = self.people_act("identity.restore-person", actor, client)?;
        let work: Work = Box::new(|tx, _, person, _| {
            Box::pin(async move {
                if person.state != PersonState::Revoked {
                    return Ok(Err(Refusal::PersonIs("not revoked")));
                }
                store::people::set_state(tx, person.id, PersonState::Active).await?;
                Ok(Ok(()))
            })
        });
        self.on_person(actor, (act, Oneself::Allowed), id, work).await
    }

    /// Ends a lock before its time.
    ///
    /// # Errors
    /// When the actor may not, there is no such person, or they are not locked.
    pub async fn unlock(&self, actor: &Actor, id: PersonId, client: &Client) -> Result<PersonDetail, Error> {
        let act = self.people_act("identity.unlock-person", actor, client)?;
        let work: Work = Box::new(|tx, _, person, now| {
            Box::pin(async move {
                let is_locked =
                    effective_state(person.state, person.locked_until, now) == PersonState::Locked;
                if !is_locked && !store::devices::is_locked(tx, person.id, now).await? {
                    return Ok(Err(Refusal::PersonIs("not locked")));
                }
                store::people::set_state(tx, person.id, PersonState::Active).await?;
                store::devices::unlock(tx, person.id).await?;
                Ok(Ok(()))
            })
        });
        self.on_person(actor, (act, Oneself::Forbidden), id, work).await
    }

    async fn on_person(
        &self,
        actor: &Actor,
        (act, oneself): (Act, Oneself),
        id: PersonId,
        work: Work,
    ) -> Result<PersonDetail, Error> {
        let (tools, now) = (self.tools.clone(), act.at);
        let acting = actor.clone();
        let done = self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(id);
                let reached = granted!(hold_reached(tx, &acting, id, (Of::Home, now)).await?);
                if oneself == Oneself::Forbidden && id == acting.person {
                    return Ok(Err(Refusal::NotYourself));
                }
                let before = reached.person.state;
                granted!(work(tx, tools, reached.person, now).await?);
                note_states(tx, before, id).await?;
                Ok(Ok(()))
            })
        });
        done.await?;
        self.tools.desktops.wake();
        self.person(actor, id).await
    }

    /// Ends a session of a person of the ministry.
    ///
    /// # Errors
    /// When the actor may not, or there is no such session.
    pub async fn end_session(
        &self,
        actor: &Actor,
        (person, logon): (PersonId, LogonId),
        client: &Client,
    ) -> Result<(), Error> {
        let act = self.people_act("identity.end-session", actor, client)?;
        let (tools, now, actor) = (self.tools.clone(), act.at, actor.clone());
        let done = self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(logon);
                let reached = hold_reached(tx, &actor, person, (Of::Ministry, now)).await?;
                let reached = granted!(reached.map_err(|_| Refusal::NoSuch("session")));
                // A session of one of ours may serve another ministry now.
                tx.across_ministries().await?;
                let known = store::logons::open_by_id(tx, logon).await?;
                let is_ours = |ministry| ministry == actor.ministry || reached.membership.is_home;
                if known.is_none_or(|logon| logon.person != person || !is_ours(logon.ministry)) {
                    return Ok(Err(Refusal::NoSuch("session")));
                }
                end_logon(tx, &tools, logon, EndReason::EndedByAdmin, now).await?;
                Ok(Ok(()))
            })
        });
        done.await?;
        self.tools.desktops.wake();
        Ok(())
    }

    /// Withdraws a certificate: sessions that began with it end.
    ///
    /// # Errors
    /// When the actor may not, or there is no such certificate.
    pub async fn revoke_certificate(
        &self,
        actor: &Actor,
        id: CertificateId,
        client: &Client,
    ) -> Result<(), Error> {
        let act = self.people_act("identity.revoke-certificate", actor, client)?;
        let (tools, now, actor) = (self.tools.clone(), act.at, actor.clone());
        let done = self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(id);
                let known = store::certificates::in_ministry(tx, id, actor.ministry).await?;
                let known = granted!(known.ok_or(Refusal::NoSuch("certificate")));
                let reached = hold_reached(tx, &actor, known.person, (Of::Home, now)).await?;
                granted!(reached.map_err(|_| Refusal::NoSuch("certificate")));
                tx.across_ministries().await?;
                tx.note("person", known.person.to_string());
                tx.note("before", known.state.as_str());
                tx.note("after", "revoked");
                if !store::certificates::revoke(tx, id, now).await? {
                    return Ok(Ok(()));
                }
                for logon in store::logons::open_of(tx, known.person).await? {
                    if logon.certificate == id {
                        end_logon(tx, &tools, logon.id, EndReason::Revoked, now).await?;
                    }
                }
                Ok(Ok(()))
            })
        });
        done.await?;
        self.tools.desktops.wake();
        Ok(())
    }
}

/// Revokes a person whose row is held.
pub(super) fn revoke_held(
    tx: &mut Tx,
    tools: Tools,
    person: Person,
    now: Timestamp,
) -> BoxFuture<'_, Result<Verdict<()>, Error>> {
    Box::pin(async move {
        // What they have open in other ministries ends too.
        tx.across_ministries().await?;
        store::people::set_state(tx, person.id, PersonState::Revoked).await?;
        store::factors::remove_activation(tx, person.id).await?;
        tools.desktops.end(tx, Leaver::Everywhere(person.id), now).await?;
        end_all(tx, &tools, person.id, now).await?;
        Ok(Ok(()))
    })
}

/// Notes a person's state before and after.
async fn note_states(tx: &mut Tx, before: PersonState, id: PersonId) -> Result<(), Error> {
    let after = store::people::read_in(tx, id).await?;
    tx.note("before", before.as_str());
    tx.note("after", after.map_or("gone", |person| person.state.as_str()));
    Ok(())
}

/// Rows of a page, within its limits.
pub(super) fn rows_of(limit: Option<i64>) -> i64 {
    let page = PageRequest {
        limit,
        ..PageRequest::default()
    };
    page.rows()
}

/// Cuts the row that was read beyond the page, and says how to ask for the next one.
pub(super) fn next_of<T>(
    rows: &mut Vec<T>,
    page: &PageRequest,
    key: impl Fn(&T) -> String,
) -> Option<String> {
    next_after(rows, page.rows(), key)
}

/// The same for a number of rows.
pub(super) fn next_after<T>(rows: &mut Vec<T>, wanted: i64, key: impl Fn(&T) -> String) -> Option<String> {
    let wanted = usize::try_from(wanted).unwrap_or(usize::MAX);
    if rows.len() <= wanted {
        return None;
    }
    rows.truncate(wanted);
    rows.last().map(key)
}
