//! The people of a ministry, as its administrators see and change them. What belongs to another ministry is not there.

use naru_kernel::{
    Action, Actor, CertificateId, LogonId, Page, PageRequest, PersonId, Scope, Seconds, Timestamp,
};
use naru_runtime::Client;
use naru_store::{Act, BoxFuture, By, Tx};
use schemars::JsonSchema;
use serde::Deserialize;

use super::{
    Identity, Tools, Verdict, granted,
    sessions::{end_all, end_logon},
};
use crate::{
    Error, Refusal,
    answers::{ActivationCode, CertificateRow, FactorRow, PersonDetail, PersonRow, SessionRow},
    model::{EndReason, Ministry, Person, PersonState},
    rules::{NewPerson, Wrong, effective_state},
    secret, store,
};

/// How long an activation code is good.
const ACTIVATION_LENGTH: Seconds = Seconds::hours(7 * 24);

/// A person's data, as a form sends it.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
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
        Ok(self.act_for(
            action,
            By::Person(actor.person, actor.logon),
            actor.ministry,
            client,
        ))
    }

    /// People of the actor's ministry, by name.
    ///
    /// # Errors
    /// When the actor may not, or the store fails.
    pub async fn people(&self, actor: &Actor, page: &PageRequest) -> Result<Page<PersonRow>, Error> {
        actor.may(Action::ManagePeople, Scope::Ministry(actor.ministry))?;
        let now = self.clock.now();
        let (mut listed, total) = store::people::list(&self.db, actor.ministry, page).await?;
        let next = next_of(&mut listed, page, |row| row.person.id.to_string());
        let rows = listed.into_iter().map(|row| PersonRow {
            id: row.person.id,
            name: row.person.name,
            subject_name: row.person.subject_name,
            state: effective_state(row.person.state, row.person.locked_until, now),
            roles: row.person.roles,
            factors: row.factors,
            certificates: row.certificates,
            last_logon_at: row.person.last_logon_at,
        });
        Ok(Page {
            items: rows.collect(),
            next,
            total,
        })
    }

    /// A person of the actor's ministry, whole.
    ///
    /// # Errors
    /// When the actor may not, or there is no such person in the ministry.
    pub async fn person(&self, actor: &Actor, id: PersonId) -> Result<PersonDetail, Error> {
        actor.may(Action::ManagePeople, Scope::Ministry(actor.ministry))?;
        let person = store::people::in_ministry(&self.db, id, actor.ministry).await?;
        self.detail(person.ok_or(Refusal::NoSuch("person"))?).await
    }

    async fn detail(&self, person: Person) -> Result<PersonDetail, Error> {
        let factors = store::factors::of_person(&self.db, person.id).await?;
        let certificates = store::certificates::of_person(&self.db, person.id).await?;
        let sessions = store::logons::shown_of(&self.db, person.id).await?;
        let state = effective_state(person.state, person.locked_until, self.clock.now());
        Ok(PersonDetail {
            id: person.id,
            name: person.name,
            subject_name: person.subject_name,
            state,
            locked_until: person.locked_until.filter(|_| state == PersonState::Locked),
            roles: person.roles,
            language: person.language,
            account: person.account,
            factors: factors.into_iter().map(FactorRow::from).collect(),
            certificates: certificates.into_iter().map(CertificateRow::from).collect(),
            sessions: sessions
                .into_iter()
                .map(|logon| SessionRow::new(logon, None))
                .collect(),
            last_logon_at: person.last_logon_at,
        })
    }

    /// Adds a person to the actor's ministry.
    ///
    /// # Errors
    /// When the actor may not, a field is wrong, or the subject name is taken.
    pub async fn create_person(
        &self,
        actor: &Actor,
        form: &PersonForm,
        client: &Client,
    ) -> Result<PersonDetail, Error> {
        let act = self.admin_act("identity.create-person", actor, client)?;
        let ministry = store::people::ministry(&self.db, actor.ministry).await?;
        let ministry = ministry.ok_or(Refusal::NoSuch("ministry"))?;
        let id = self.create_in(act, ministry, form).await?;
        self.person(actor, id).await
    }

    pub(super) async fn create_in(
        &self,
        act: Act,
        ministry: Ministry,
        form: &PersonForm,
    ) -> Result<PersonId, Error> {
        let roles: Vec<&str> = form.roles.iter().map(String::as_str).collect();
        let new = NewPerson::parse(
            &form.name,
            &form.subject_name,
            &roles,
            &form.language,
            ministry.is_platform,
        )
        .map_err(Refusal::from)?;
        let (tools, now) = (self.tools.clone(), act.at);
        self.decide(act, move |tx| {
            Box::pin(async move {
                let id = PersonId::new(now, tools.entropy.as_ref());
                tx.about(id);
                tx.note("roles", crate::model::roles_text(&new.roles));
                let account = secret::account(tools.entropy.as_ref());
                let added = store::people::insert(tx, id, ministry.id, &new, &account, now).await?;
                Ok(if added { Ok(id) } else { Err(Refusal::SubjectTaken) })
            })
        })
        .await
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
        let act = self.admin_act("identity.hand-out-activation-code", actor, client)?;
        if id == actor.person {
            return Err(self
                .refuse(act, Refusal::NotYourself, serde_json::Value::Null)
                .await);
        }
        self.new_code(act, id, actor.ministry).await
    }

    pub(super) async fn new_code(
        &self,
        act: Act,
        id: PersonId,
        ministry: naru_kernel::MinistryId,
    ) -> Result<ActivationCode, Error> {
        let (tools, now) = (self.tools.clone(), act.at);
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(id);
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
        let act = self.admin_act("identity.revoke-person", actor, client)?;
        self.on_person(actor, (act, Oneself::Forbidden), id, Box::new(revoke_held))
            .await
    }

    /// Gives a revoked person back their access. Factors and certificates stay as they were.
    ///
    /// # Errors
    /// When the actor may not, there is no such person, or they are not revoked.
    pub async fn restore(&self, actor: &Actor, id: PersonId, client: &Client) -> Result<PersonDetail, Error> {
        let act = self.admin_act("identity.restore-person", actor, client)?;
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
        let act = self.admin_act("identity.unlock-person", actor, client)?;
        let work: Work = Box::new(|tx, _, person, now| {
            Box::pin(async move {
                if effective_state(person.state, person.locked_until, now) != PersonState::Locked {
                    return Ok(Err(Refusal::PersonIs("not locked")));
                }
                store::people::set_state(tx, person.id, PersonState::Active).await?;
                Ok(Ok(()))
            })
        });
        self.on_person(actor, (act, Oneself::Forbidden), id, work).await
    }

    /// Takes all second factors away, for one who lost them; they need an activation code again.
    ///
    /// # Errors
    /// When the actor may not, there is no such person, or it is the actor.
    pub async fn reset_factors(
        &self,
        actor: &Actor,
        id: PersonId,
        client: &Client,
    ) -> Result<PersonDetail, Error> {
        let act = self.admin_act("identity.reset-factors", actor, client)?;
        let work: Work = Box::new(|tx, tools, person, now| {
            Box::pin(async move {
                let removed = store::factors::remove_all(tx, person.id).await?;
                tx.note("factors_removed", removed);
                end_all(tx, &tools, person.id, now).await?;
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
        let (ministry, actor_id) = (actor.ministry, actor.person);
        let done = self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(id);
                let person = store::people::hold_in(tx, id, ministry).await?;
                let person = granted!(person.ok_or(Refusal::NoSuch("person")));
                if oneself == Oneself::Forbidden && id == actor_id {
                    return Ok(Err(Refusal::NotYourself));
                }
                work(tx, tools, person, now).await
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
        let act = self.admin_act("identity.end-session", actor, client)?;
        let (tools, now, ministry) = (self.tools.clone(), act.at, actor.ministry);
        let done = self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(logon);
                let known = store::logons::open_by_id(tx, logon).await?;
                if known.is_none_or(|logon| logon.person != person || logon.ministry != ministry) {
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
        let act = self.admin_act("identity.revoke-certificate", actor, client)?;
        let (tools, now, ministry) = (self.tools.clone(), act.at, actor.ministry);
        let done = self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(id);
                let known = store::certificates::in_ministry(tx, id, ministry).await?;
                let known = granted!(known.ok_or(Refusal::NoSuch("certificate")));
                store::people::hold(tx, known.person).await?;
                tx.note("person", known.person.to_string());
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
        store::people::set_state(tx, person.id, PersonState::Revoked).await?;
        store::factors::remove_activation(tx, person.id).await?;
        tools.desktops.end(tx, person.id, now).await?;
        end_all(tx, &tools, person.id, now).await?;
        Ok(Ok(()))
    })
}

/// Cuts the row that was read beyond the page, and says how to ask for the next one.
pub(super) fn next_of<T>(
    rows: &mut Vec<T>,
    page: &PageRequest,
    key: impl Fn(&T) -> String,
) -> Option<String> {
    let wanted = usize::try_from(page.rows()).unwrap_or(usize::MAX);
    if rows.len() <= wanted {
        return None;
    }
    rows.truncate(wanted);
    rows.last().map(key)
}
