//! Moving: to another unit, under another certificate name, to another ministry. The person stays the same.

use naru_kernel::{Actor, MinistryId, PersonId, Role, Tenant};
use naru_runtime::Client;
use naru_store::Tx;
use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Identity, Tools, Verdict, granted,
    grants::{Wish, give},
    memberships::leave,
    reach::{Of, hold_reached},
    sessions::end_all,
};
use crate::{
    Agreed, Ask, Error, Leaver, Refusal,
    answers::Approved,
    asking::MOVE_PERSON,
    members::MembershipState,
    model::PersonState,
    rules::{NewPerson, clean_unit, search_text, unit_of_subject},
    secret,
    store::{
        self,
        members::{Details, NewHome},
    },
};

/// Where a person goes.
#[derive(Clone, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct MoveForm {
    /// The receiving ministry's identifier or agency code; absent when they stay in theirs.
    #[serde(default)]
    pub ministry: Option<String>,
    /// The subject of their new certificate; absent when it stays the same, which it cannot in another ministry.
    #[serde(default)]
    pub subject_name: Option<String>,
    /// Their unit; absent means where the new certificate says.
    #[serde(default)]
    pub unit: Option<String>,
}

/// What waits for the receiving ministry's administrator, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Moving {
    person: PersonId,
    from: MinistryId,
    subject_name: String,
    unit: String,
}

impl Identity {
    /// Moves a person. Another unit is a matter of the actor; another certificate name needs a second administrator, of
    /// the receiving ministry if they go to another.
    ///
    /// # Errors
    /// When the actor may not, there is no such person in their reach, it is the actor, or a field is wrong.
    pub async fn move_person(
        &self,
        actor: &Actor,
        id: PersonId,
        form: &MoveForm,
        client: &Client,
    ) -> Result<Approved, Error> {
        let act = self.people_act("identity.move-person", actor, client)?;
        // Who is not there is not told apart by what else is wrong.
        self.person(actor, id).await?;
        let receiving = match form.ministry.as_deref().map(str::trim) {
            None | Some("") => self.own_ministry(actor).await?,
            Some(name) => self.ministry_named(name).await?,
        };
        let (tools, now, actor, form) = (self.tools.clone(), act.at, actor.clone(), form.clone());
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.across_ministries().await?;
                tx.about(id);
                let reached = granted!(hold_reached(tx, &actor, id, (Of::Home, now)).await?);
                if id == actor.person {
                    return Ok(Err(Refusal::NotYourself));
                }
                let unit = form.unit.as_deref().map(clean_unit).transpose();
                let unit = granted!(unit.map_err(Refusal::from));
                let stays = receiving.id == actor.ministry;
                let Some(subject_name) = form.subject_name.filter(|name| !name.trim().is_empty()) else {
                    let (field, problem) =
                        ("subject_name", "another ministry means another certificate name");
                    if !stays {
                        return Ok(Err(Refusal::Field { field, problem }));
                    }
                    let unit = unit.unwrap_or_default();
                    granted!(super::reach::in_reach(&actor, &unit));
                    let before = &reached.membership;
                    tx.note("before", json!({ "unit": before.unit }));
                    tx.note("after", json!({ "unit": unit }));
                    let details = Details {
                        unit,
                        email: before.email.clone(),
                        external_id: before.external_id.clone(),
                    };
                    store::members::set(tx, (id, actor.tenant()), &details, now).await?;
                    return Ok(Ok(Approved {
                        done: true,
                        approval: None,
                    }));
                };
                let person = &reached.person;
                let new = NewPerson::parse(&person.name, &subject_name, &[], &person.language, false);
                let new = granted!(new);
                granted!(super::memberships::whole(&actor).map_err(|_| Refusal::Denied));
                let moving = Moving {
                    person: id,
                    from: actor.ministry,
                    unit: unit.unwrap_or_else(|| unit_of_subject(&new.subject_name)),
                    subject_name: new.subject_name,
                };
                tx.note(
                    "before",
                    json!({ "ministry": actor.ministry, "subject_name": person.subject_name }),
                );
                tx.note(
                    "asked",
                    json!({ "ministry": receiving.id, "subject_name": moving.subject_name }),
                );
                let second = granted!(tools.second.get().ok_or(Refusal::NobodyToAsk));
                let ask = Ask {
                    ministry: receiving.id,
                    kind: MOVE_PERSON,
                    asked_by: actor.person,
                    about: Some(id),
                    subject: id.to_string(),
                    summary: json!({
                        "name": person.name, "subject_name": moving.subject_name, "unit": moving.unit,
                        "from": actor.ministry,
                    }),
                    payload: serde_json::to_value(&moving).map_err(|_| Error::Broken)?,
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
}

/// Moves a person both sides agreed to move: the same person, with another name on their certificate, with their factors
/// and their history, and with nothing open.
pub(super) async fn carry_out_move(
    tx: &mut Tx,
    tools: &Tools,
    agreed: &Agreed,
) -> Result<Verdict<()>, Error> {
    let Ok(moving) = serde_json::from_value::<Moving>(agreed.payload.clone()) else {
        return Ok(Err(Refusal::NoSuch("wish")));
    };
    let now = agreed.at;
    let person = store::people::hold_in(tx, moving.person, moving.from).await?;
    let person = granted!(person.ok_or(Refusal::NoSuch("person")));
    if person.state == PersonState::Revoked {
        return Ok(Err(Refusal::PersonIs("revoked")));
    }
    let new = NewPerson::parse(&person.name, &moving.subject_name, &[], &person.language, false);
    let new = granted!(new);
    let search = search_text(&person.name, &new.subject_name);
    let home = NewHome {
        ministry: agreed.ministry,
        subject_name: &new.subject_name,
        subject_key: &new.subject_key,
        search_text: &search,
    };
    let (from, to) = (Tenant::of(moving.from), Tenant::of(agreed.ministry));
    let old = store::members::of_in(tx, person.id, from).await?;
    tx.note(
        "before",
        json!({ "ministry": moving.from, "subject_name": person.subject_name, "unit": old.as_ref().map(|old| &old.unit) }),
    );
    tx.note(
        "after",
        json!({ "ministry": agreed.ministry, "subject_name": new.subject_name, "unit": moving.unit }),
    );
    if !store::members::move_person(tx, person.id, &home, now).await? {
        return Ok(Err(Refusal::SubjectTaken));
    }
    store::factors::remove_activation(tx, person.id).await?;
    let details = Details {
        unit: moving.unit,
        ..Details::default()
    };
    if moving.from == agreed.ministry {
        let details = Details {
            email: old.as_ref().and_then(|old| old.email.clone()),
            external_id: old.and_then(|old| old.external_id),
            ..details
        };
        store::members::set(tx, (person.id, to), &details, now).await?;
    } else {
        leave(tx, tools, (person.id, from), now).await?;
        let guest = store::members::of_in(tx, person.id, to).await?;
        let was_there = guest.is_some_and(|guest| guest.state == MembershipState::Active);
        let account = secret::account(tools.entropy.as_ref());
        store::members::insert(tx, (person.id, to), &details, (&account, true), now).await?;
        if !was_there {
            let wish = Wish::everywhere(person.id, Role::Worker);
            let by = (agreed.asked_by.to_string(), Some(agreed.agreed_by));
            granted!(give(tx, tools, (&wish, to), by, now).await?);
        }
    }
    store::members::rename(tx, person.id, (&person.name, &person.language), &search, now).await?;
    // The certificate that opened them is worth nothing now.
    tools
        .desktops
        .end(tx, Leaver::From(person.id, moving.from), now)
        .await?;
    end_all(tx, tools, person.id, now).await?;
    Ok(Ok(()))
}
