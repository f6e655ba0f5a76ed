//! Serving more than one ministry: asked for, agreed to by the other, left, and switched between.

use naru_kernel::{
    Action, Actor, LogonId, MinistryId, PersonId, Scope, Tenant, Timestamp, fleet::CloseReason,
};
use naru_runtime::Client;
use naru_store::{Act, Tx};
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, json};

use super::{
    Identity, Tools, Verdict, granted,
    grants::{Wish, by, give},
    reach::{Of, hold_reached},
    sessions::end_logon,
};
use crate::{
    Agreed, Ask, ClosureTarget, CurrentLogon, Error, Leaver, Refusal,
    answers::{Approved, MyMinistry},
    asking::ADD_MEMBERSHIP,
    members::MembershipState,
    model::{EndReason, Ministry, PersonState},
    rules::clean_unit,
    secret,
    store::{self, members::Details},
};

/// A ministry a person should serve as well.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MembershipForm {
    /// Its identifier or its agency code.
    #[serde(default)]
    pub ministry: String,
    /// In which unit there.
    #[serde(default)]
    pub unit: String,
}

/// A ministry to serve in this session.
#[derive(Clone, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct SwitchForm {
    /// Which.
    pub ministry: MinistryId,
}

/// What waits for the other ministry's administrator, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Serving {
    person: PersonId,
    home: MinistryId,
    unit: String,
}

impl Identity {
    /// A ministry by its identifier or its agency code.
    pub(super) async fn ministry_named(&self, name: &str) -> Result<Ministry, Error> {
        let found = match name.trim().parse::<MinistryId>() {
            Ok(id) => store::people::ministry(&self.db, id).await?,
            Err(_) => store::people::ministry_by_agency(&self.db, name.trim()).await?,
        };
        Ok(found.ok_or(Refusal::Field {
            field: "ministry",
            problem: "there is no ministry with this agency code",
        })?)
    }

    /// The ministries the person serves, their home first.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn my_ministries(&self, actor: &Actor) -> Result<Vec<MyMinistry>, Error> {
        let person = store::people::person(&self.db, actor.person).await?;
        let language = person.map_or_else(|| "ko".to_owned(), |person| person.language);
        let serves = store::members::serves(&self.db, actor.person).await?;
        let rows = serves.into_iter().map(|ministry| MyMinistry {
            ministry: ministry.id,
            name: ministry.name(&language).to_owned(),
            current: ministry.id == actor.ministry,
        });
        Ok(rows.collect())
    }

    /// Lets the session serve another of the person's ministries. What is open in it closes, the token is a new one, and
    /// both ministries find it in their records.
    ///
    /// # Errors
    /// [`Refusal::NoSuch`] when the person does not serve that ministry; [`Refusal::WrongStep`] when the session is over.
    pub async fn switch_ministry(
        &self,
        actor: &Actor,
        current: CurrentLogon,
        wanted: MinistryId,
        client: &Client,
    ) -> Result<String, Error> {
        super::enrol::own(actor)?;
        let (first, second) = (actor.ministry.min(wanted), actor.ministry.max(wanted));
        let act = self.act_for("identity.switch-ministry", by(actor), first, client);
        let other = Act {
            ministry: Some(second),
            subject: current.logon.to_string(),
            ..act.clone()
        };
        let (tools, now, actor) = (self.tools.clone(), act.at, actor.clone());
        let token = self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(actor.logon);
                let mut detail = Map::new();
                for (word, ministry) in [("before", actor.ministry), ("after", wanted)] {
                    tx.note(word, ministry.to_string());
                    detail.insert(word.to_owned(), ministry.to_string().into());
                }
                store::people::hold_anywhere(tx, actor.person).await?;
                let serves = store::members::of_in(tx, actor.person, Tenant::of(wanted)).await?;
                let active = serves.filter(|known| known.state == MembershipState::Active);
                granted!(active.ok_or(Refusal::NoSuch("ministry")));
                if !store::members::switch(tx, actor.logon, wanted, now).await? {
                    return Ok(Err(Refusal::WrongStep));
                }
                let target = ClosureTarget::Logon(actor.logon);
                tools.desktops.close(tx, target, CloseReason::Left, now).await?;
                store::sessions::forget(tx, actor.logon).await?;
                let (token, hash) = secret::token(tools.entropy.as_ref());
                store::sessions::insert(tx, hash, actor.logon, now).await?;
                if first != second {
                    tx.also(other, detail);
                }
                Ok(Ok(token))
            })
        });
        let token = token.await?;
        self.tools.desktops.wake();
        Ok(token)
    }

    /// Asks another ministry to let a person of the actor's serve it as well.
    ///
    /// # Errors
    /// When the actor may not, the person's home is not the actor's ministry, or they serve it already.
    pub async fn ask_for_membership(
        &self,
        actor: &Actor,
        id: PersonId,
        form: &MembershipForm,
        client: &Client,
    ) -> Result<Approved, Error> {
        let act = self.admin_act("identity.ask-for-membership", actor, client)?;
        // Who is not there is not told apart by what else is wrong.
        self.person(actor, id).await?;
        let ministry = self.ministry_named(&form.ministry).await?;
        let unit = clean_unit(&form.unit).map_err(Refusal::from)?;
        let (tools, now, actor) = (self.tools.clone(), act.at, actor.clone());
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.across_ministries().await?;
                tx.about(id);
                tx.note("ministry", ministry.id.to_string());
                tx.note("unit", unit.as_str());
                let reached = granted!(hold_reached(tx, &actor, id, (Of::Home, now)).await?);
                let known = store::members::of_in(tx, id, Tenant::of(ministry.id)).await?;
                if known.is_some_and(|known| known.state == MembershipState::Active) {
                    return Ok(Err(Refusal::AlreadyMember));
                }
                let second = granted!(tools.second.get().ok_or(Refusal::NobodyToAsk));
                let serving = Serving {
                    person: id,
                    home: actor.ministry,
                    unit: unit.clone(),
                };
                let ask = Ask {
                    ministry: ministry.id,
                    kind: ADD_MEMBERSHIP,
                    asked_by: actor.person,
                    about: Some(id),
                    subject: id.to_string(),
                    summary: json!({
                        "name": reached.person.name, "subject_name": reached.person.subject_name, "unit": unit,
                        "from": actor.ministry,
                    }),
                    payload: serde_json::to_value(serving).map_err(|_| Error::Broken)?,
                };
                let approval = Some(second.ask(tx, ask).await?);
                Ok(Ok(Approved {
                    done: false,
                    approval,
                }))
            })
        })
        .await
    }

    /// Ends a person's service in a ministry that is not their home: their home's administrators may, and the ministry's
    /// own. What they have open there ends at once.
    ///
    /// # Errors
    /// When the actor may not, or there is no such membership in their reach.
    pub async fn end_membership(
        &self,
        actor: &Actor,
        (id, ministry): (PersonId, MinistryId),
        client: &Client,
    ) -> Result<(), Error> {
        let act = self.people_act("identity.end-membership", actor, client)?;
        let (tools, now, actor) = (self.tools.clone(), act.at, actor.clone());
        let done = self.decide(act, move |tx| {
            Box::pin(async move {
                tx.across_ministries().await?;
                tx.about(id);
                tx.note("ministry", ministry.to_string());
                let of = if ministry == actor.ministry {
                    Of::Ministry
                } else {
                    Of::Home
                };
                granted!(hold_reached(tx, &actor, id, (of, now)).await?);
                let tenant = Tenant::of(ministry);
                let known = store::members::of_in(tx, id, tenant).await?;
                let known = known.filter(|known| known.state == MembershipState::Active);
                let known = granted!(known.ok_or(Refusal::NoSuch("membership")));
                if known.is_home {
                    return Ok(Err(Refusal::HomeStays));
                }
                tx.note("before", json!({ "unit": known.unit, "state": "active" }));
                tx.note("after", json!({ "state": "ended" }));
                leave(tx, &tools, (id, tenant), now).await?;
                Ok(Ok(()))
            })
        });
        done.await?;
        self.tools.desktops.wake();
        Ok(())
    }
}

/// Ends all a person is and has in one ministry: membership, roles, groups, sessions, desktops, tokens.
pub(super) async fn leave(
    tx: &mut Tx,
    tools: &Tools,
    (person, tenant): (PersonId, Tenant),
    now: Timestamp,
) -> Result<(), Error> {
    store::members::end(tx, person, tenant, now).await?;
    store::grants::remove_all(tx, person, tenant.ministry()).await?;
    store::groups::remove_everywhere(tx, person, tenant).await?;
    let open: Vec<LogonId> = store::members::open_in(tx, person, tenant).await?;
    for logon in &open {
        end_logon(tx, tools, *logon, EndReason::Revoked, now).await?;
    }
    tx.note("sessions_ended", open.len());
    let leaver = Leaver::From(person, tenant.ministry());
    Ok(tools.desktops.end(tx, leaver, now).await?)
}

/// Lets a person serve a ministry both of whose sides agreed.
pub(super) async fn carry_out_membership(
    tx: &mut Tx,
    tools: &Tools,
    agreed: &Agreed,
) -> Result<Verdict<()>, Error> {
    let Ok(serving) = serde_json::from_value::<Serving>(agreed.payload.clone()) else {
        return Ok(Err(Refusal::NoSuch("wish")));
    };
    let tenant = Tenant::of(agreed.ministry);
    let person = store::people::hold_in(tx, serving.person, serving.home).await?;
    let person = granted!(person.ok_or(Refusal::NoSuch("person")));
    if person.state == PersonState::Revoked {
        return Ok(Err(Refusal::PersonIs("revoked")));
    }
    let known = store::members::of_in(tx, person.id, tenant).await?;
    if known.is_some_and(|known| known.state == MembershipState::Active) {
        return Ok(Err(Refusal::AlreadyMember));
    }
    let details = Details {
        unit: serving.unit,
        ..Details::default()
    };
    let account = secret::account(tools.entropy.as_ref());
    store::members::insert(tx, (person.id, tenant), &details, (&account, false), agreed.at).await?;
    let wish = Wish::everywhere(person.id, naru_kernel::Role::Worker);
    let by = (agreed.asked_by.to_string(), Some(agreed.agreed_by));
    give(tx, tools, (&wish, tenant), by, agreed.at).await
}

/// Whether the actor administers the whole ministry they serve.
pub(super) fn whole(actor: &Actor) -> Result<(), Error> {
    Ok(actor.may(Action::ManagePeople, Scope::Ministry(actor.ministry))?)
}
