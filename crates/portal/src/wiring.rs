//! Where domains meet: each declares what it needs from others, here it is given.

use std::{
    collections::{BTreeMap, BTreeSet},
    sync::{Arc, OnceLock, Weak},
};

use naru_applications::{Applications, Closed};
use naru_audit::{KnowsMinistries, KnowsNames};
use naru_desktops::{Desktops, KeepsSessionsAlive, KnowsPeople, Seat, Standing};
use naru_identity::{ClosesWhatIsOpen, ClosureTarget, Identity, Leaver};
use naru_kernel::{Actor, LogonId, MinistryId, PersonId, Timestamp, fleet};
use naru_store::{BoxFuture, Tx};

/// Identity as desktops know it. Desktops start first, so it is filled in a moment later, before any door opens. The portal
/// keeps it: held here as well, neither would ever go, nor their connections to the database.
#[derive(Clone, Default)]
pub(crate) struct People(Arc<OnceLock<Weak<Identity>>>);

impl People {
    pub(crate) fn are(&self, identity: &Arc<Identity>) {
        // Only `Portal::open` calls this, once.
        drop(self.0.set(Arc::downgrade(identity)));
    }

    pub(crate) fn identity(&self) -> Option<Arc<Identity>> {
        self.0.get()?.upgrade()
    }
}

impl KnowsPeople for People {
    fn seat(&self, person: PersonId, ministry: MinistryId) -> BoxFuture<'_, Option<Seat>> {
        Box::pin(async move {
            let identity = self.identity()?;
            match identity.person_card(person, ministry).await {
                Ok(card) => card.map(|card| Seat {
                    account: card.account,
                    display_name: card.name,
                    agency_code: card.agency_code,
                }),
                Err(error) => {
                    tracing::error!(%error, "a person could not be looked up");
                    None
                }
            }
        })
    }

    fn standing(&self, actor: Actor) -> BoxFuture<'_, Option<Standing>> {
        Box::pin(async move {
            let identity = self.identity()?;
            match standing(&identity, &actor).await {
                Ok(standing) => standing,
                Err(error) => {
                    tracing::error!(%error, "a session could not be looked up");
                    None
                }
            }
        })
    }
}

/// Who asks and in which session, for the site's rules.
async fn standing(identity: &Identity, actor: &Actor) -> Result<Option<Standing>, naru_store::Error> {
    let known = identity.known_person(actor.ministry, actor.person).await?;
    let proof = identity.proof(actor.logon).await?;
    let proof = proof.filter(|proof| proof.is_alive && proof.person == actor.person);
    Ok(known.zip(proof).map(|(known, proof)| Standing {
        groups: known.groups.into_iter().collect(),
        unit: known.unit,
        assurance: proof.assurance,
    }))
}

impl KeepsSessionsAlive for People {
    fn active(&self, logons: Vec<LogonId>) -> BoxFuture<'_, ()> {
        Box::pin(async move {
            let Some(identity) = self.identity() else { return };
            if let Err(error) = identity.active(&logons).await {
                tracing::error!(%error, "work in desktops could not be counted as activity");
            }
        })
    }
}

impl KnowsMinistries for People {
    fn is_platform(&self, ministry: MinistryId) -> BoxFuture<'_, Result<bool, naru_store::Error>> {
        Box::pin(async move {
            match self.identity() {
                Some(identity) => identity.is_platform(ministry).await,
                None => Ok(false),
            }
        })
    }
}

impl KnowsNames for People {
    fn names(
        &self,
        people: BTreeSet<PersonId>,
        ministry: Option<MinistryId>,
    ) -> BoxFuture<'_, Result<BTreeMap<PersonId, String>, naru_store::Error>> {
        Box::pin(async move {
            match self.identity() {
                Some(identity) => identity.names(&people, ministry).await,
                None => Ok(BTreeMap::new()),
            }
        })
    }
}

/// Desktops and single sign-on as identity knows them.
pub(crate) struct Closer {
    pub(crate) desktops: Arc<Desktops>,
    pub(crate) applications: Arc<Applications>,
}

impl ClosesWhatIsOpen for Closer {
    fn close<'t>(
        &'t self,
        tx: &'t mut Tx,
        target: ClosureTarget,
        reason: fleet::CloseReason,
        at: Timestamp,
    ) -> BoxFuture<'t, Result<(), naru_store::Error>> {
        let (target, closed) = match target {
            ClosureTarget::Logon(logon) => (fleet::ClosureTarget::Logon(logon), Closed::Logon(logon)),
            ClosureTarget::Person(person) => (fleet::ClosureTarget::Person(person), Closed::Person(person)),
        };
        Box::pin(async move {
            self.desktops.close_in(tx, target, reason, at).await?;
            self.applications.logon_ended_in(tx, closed, at).await
        })
    }

    fn end<'t>(
        &'t self,
        tx: &'t mut Tx,
        leaver: Leaver,
        at: Timestamp,
    ) -> BoxFuture<'t, Result<(), naru_store::Error>> {
        Box::pin(async move {
            let closed = match leaver {
                Leaver::Everywhere(person) => {
                    self.desktops.end_all_in(tx, person, at).await?;
                    Closed::Person(person)
                }
                Leaver::From(person, ministry) => {
                    self.desktops.end_in_ministry(tx, person, ministry, at).await?;
                    Closed::Membership(person, ministry)
                }
            };
            self.applications.logon_ended_in(tx, closed, at).await
        })
    }

    fn running(
        &self,
        ministry: MinistryId,
    ) -> BoxFuture<'_, Result<BTreeMap<PersonId, i64>, naru_store::Error>> {
        Box::pin(self.desktops.open_by_person(ministry))
    }

    fn wake(&self) {
        self.desktops.wake();
        self.applications.wake();
    }
}
