//! Adding people: by hand, from lists, by a directory, by the platform.

use naru_kernel::{Action, Actor, ApprovalId, PersonId, Role, Scope, Tenant, Timestamp};
use naru_runtime::Client;
use naru_store::{Act, Tx};

use super::{
    Identity, PersonForm, Tools, Verdict, granted,
    grants::{Wish, ask_for, give},
};
use crate::{
    Error, Refusal,
    answers::PersonDetail,
    members::roles_text,
    model::Ministry,
    rules::NewPerson,
    secret,
    store::{self, members::Details},
};

impl Identity {
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
        let act = self.people_act("identity.create-person", actor, client)?;
        let ministry = self.own_ministry(actor).await?;
        let (id, asked) = self.create_in(act, ministry, form, Some(actor.clone())).await?;
        Ok(PersonDetail {
            asked,
            ..self.person(actor, id).await?
        })
    }

    /// Adds a person. Without an actor it is the platform that does, and gives every role at once.
    pub(super) async fn create_in(
        &self,
        act: Act,
        ministry: Ministry,
        form: &PersonForm,
        actor: Option<Actor>,
    ) -> Result<(PersonId, Vec<ApprovalId>), Error> {
        let roles: Vec<&str> = form.roles.iter().map(String::as_str).collect();
        let new = NewPerson::parse(
            &form.name,
            &form.subject_name,
            &roles,
            &form.language,
            ministry.is_platform,
        )
        .and_then(|new| new.in_unit(&form.unit))
        .map_err(Refusal::from)?;
        if let Some(actor) = &actor {
            let unit = new.unit.as_str();
            let ministry = actor.ministry;
            actor.may(Action::ManagePeople, Scope::Unit { ministry, unit })?;
        }
        let (tools, now) = (self.tools.clone(), act.at);
        self.decide(act, move |tx| {
            Box::pin(async move {
                let tenant = Tenant::of(ministry.id);
                let added = granted!(add_person(tx, &tools, tenant, &new, (actor.as_ref(), now)).await?);
                tx.about(added.0);
                tx.note("after", described(&new));
                Ok(Ok(added))
            })
        })
        .await
    }
}

/// Adds a person with their membership and roles; those beyond a worker's are asked for when an administrator adds them.
pub(super) async fn add_person(
    tx: &mut Tx,
    tools: &Tools,
    tenant: Tenant,
    new: &NewPerson,
    (actor, now): (Option<&Actor>, Timestamp),
) -> Result<Verdict<(PersonId, Vec<ApprovalId>)>, Error> {
    let id = PersonId::new(now, tools.entropy.as_ref());
    if !store::people::insert(tx, id, tenant.ministry(), new, now).await? {
        return Ok(Err(Refusal::SubjectTaken));
    }
    let details = Details {
        unit: new.unit.clone(),
        ..Details::default()
    };
    let account = secret::account(tools.entropy.as_ref());
    store::members::insert(tx, (id, tenant), &details, (&account, true), now).await?;
    let mut asked = Vec::new();
    for role in &new.roles {
        let wish = Wish::everywhere(id, *role);
        match actor {
            Some(actor) if *role != Role::Worker => {
                granted!(actor.may(Action::ManagePeople, Scope::Ministry(actor.ministry)));
                asked.push(granted!(ask_for(tx, tools, actor, (&new.name, wish)).await?));
            }
            Some(_) | None => {
                let by = actor.map_or_else(|| "platform".to_owned(), |actor| actor.person.to_string());
                granted!(give(tx, tools, (&wish, tenant), (by, None), now).await?);
            }
        }
    }
    Ok(Ok((id, asked)))
}

/// A new person's data for the record.
pub(super) fn described(new: &NewPerson) -> serde_json::Value {
    serde_json::json!({
        "name": new.name, "subject_name": new.subject_name, "unit": new.unit, "language": new.language,
        "roles": roles_text(&new.roles),
    })
}
