//! Whom an administrator may administer: people of the ministry, of their units if the grant says so.

use naru_kernel::{Action, Actor, PersonId, Reach, Role, Scope, Timestamp};
use naru_store::Tx;

use super::{Verdict, granted};
use crate::{
    Error, Refusal,
    members::{Membership, MembershipState},
    model::Person,
    store,
};

/// A person in an administrator's reach.
pub(super) struct Reached {
    pub(super) person: Person,
    pub(super) membership: Membership,
}

/// Which people are meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(super) enum Of {
    /// Those whose home the ministry is: their certificates, factors and state are its business.
    Home,
    /// All who serve it.
    Ministry,
}

/// Finds a person in the actor's reach; a person of the ministry itself is held. Who is out of reach is not there.
pub(super) async fn hold_reached(
    tx: &mut Tx,
    actor: &Actor,
    id: PersonId,
    (of, now): (Of, Timestamp),
) -> Result<Verdict<Reached>, Error> {
    let held = store::people::hold_in(tx, id, actor.ministry).await?;
    let membership = store::members::of_in(tx, id, actor.tenant()).await?;
    let serves = membership.filter(|membership| membership.state == MembershipState::Active);
    let membership = granted!(serves.ok_or(Refusal::NoSuch("person")));
    let person = match (held, of) {
        (Some(person), _) => person,
        (None, Of::Home) => return Ok(Err(Refusal::NoSuch("person"))),
        (None, Of::Ministry) => {
            let read = store::people::read_in(tx, id).await?;
            granted!(read.ok_or(Refusal::NoSuch("person")))
        }
    };
    granted!(in_reach(actor, &membership.unit));
    if actor.reach(Action::ManagePeople) != Reach::Ministry && id != actor.person {
        // Else an administrator of a unit could make themselves the ministry's through someone in their unit.
        let holds = store::grants::of_person_in(tx, (id, actor.tenant()), now).await?;
        if holds.iter().any(|held| held.grant.role != Role::Worker) {
            return Ok(Err(Refusal::Denied));
        }
    }
    Ok(Ok(Reached { person, membership }))
}

/// Whether the actor administers people of this unit; else they are not there.
pub(super) fn in_reach(actor: &Actor, unit: &str) -> Verdict<()> {
    let scope = Scope::Unit {
        ministry: actor.ministry,
        unit,
    };
    actor
        .may(Action::ManagePeople, scope)
        .map_err(|_| Refusal::NoSuch("person"))
}
