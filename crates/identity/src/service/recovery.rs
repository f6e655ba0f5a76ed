//! Recovery: who lost their factors gets rid of them by two administrators. One alone, whose own account may be in other
//! hands, cannot clear the way for a stolen certificate.

use naru_kernel::{Actor, PersonId};
use naru_runtime::Client;
use naru_store::Tx;
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::{
    Identity, Tools, Verdict, granted,
    logon::raise,
    reach::{Of, hold_reached},
    sessions::end_all,
};
use crate::{
    Agreed, Ask, Error, Refusal, answers::Approved, asking::RECOVER_FACTORS, model::PersonState, store,
};

/// What waits for the second administrator, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
struct Recovering {
    person: PersonId,
}

impl Identity {
    /// Asks a second administrator to take all second factors of a person away; an activation code lets them begin anew.
    ///
    /// # Errors
    /// When the actor may not, there is no such person in their reach, it is the actor, or the person has none.
    pub async fn recover(&self, actor: &Actor, id: PersonId, client: &Client) -> Result<Approved, Error> {
        let act = self.people_act("identity.ask-recovery", actor, client)?;
        let (tools, now, actor) = (self.tools.clone(), act.at, actor.clone());
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(id);
                let reached = granted!(hold_reached(tx, &actor, id, (Of::Home, now)).await?);
                if id == actor.person {
                    return Ok(Err(Refusal::NotYourself));
                }
                if reached.person.state == PersonState::Revoked {
                    return Ok(Err(Refusal::PersonIs("revoked")));
                }
                let factors = store::factors::of_person_in(tx, id).await?;
                if factors.is_empty() {
                    return Ok(Err(Refusal::PersonIs("without second factors")));
                }
                tx.note("asked", json!({ "factors_removed": factors.len() }));
                let second = granted!(tools.second.get().ok_or(Refusal::NobodyToAsk));
                let payload = serde_json::to_value(Recovering { person: id }).map_err(|_| Error::Broken)?;
                let ask = Ask {
                    ministry: actor.ministry,
                    kind: RECOVER_FACTORS,
                    asked_by: actor.person,
                    about: Some(id),
                    subject: id.to_string(),
                    summary: json!({ "name": reached.person.name, "factors": factors.len() }),
                    payload,
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

/// Takes the factors away that two administrators agreed on, ends what is open, and forgets the browsers.
pub(super) async fn carry_out_recovery(
    tx: &mut Tx,
    tools: &Tools,
    agreed: &Agreed,
) -> Result<Verdict<()>, Error> {
    let Ok(recovering) = serde_json::from_value::<Recovering>(agreed.payload.clone()) else {
        return Ok(Err(Refusal::NoSuch("wish")));
    };
    let now = agreed.at;
    let person = store::people::hold_in(tx, recovering.person, agreed.ministry).await?;
    let person = granted!(person.ok_or(Refusal::NoSuch("person")));
    if person.state == PersonState::Revoked {
        return Ok(Err(Refusal::PersonIs("revoked")));
    }
    let removed = store::factors::remove_all(tx, person.id).await?;
    store::devices::forget_all(tx, person.id).await?;
    tx.note("before", json!({ "factors": removed }));
    tx.note("after", json!({ "factors": 0 }));
    end_all(tx, tools, person.id, now).await?;
    let detail = json!({ "asked_by": agreed.asked_by, "agreed_by": agreed.agreed_by, "factors": removed });
    let alarm = ("identity.factors-recovered", detail);
    raise(tx, tools, (person.id, person.ministry), alarm, now).await?;
    Ok(Ok(()))
}
