//! Where the site's rules meet the domains that ask them and those that know.

use std::sync::{Arc, OnceLock, Weak};

use naru_applications::Applications;
use naru_approvals::{Approval, CarriesOut};
use naru_desktops::Desktops;
use naru_kernel::{
    Actor, ApplicationId, ApprovalId, MinistryId, PersonId, Timestamp, Zone,
    access::{AccessDecision, AccessQuestion, Label},
};
use naru_policies::{
    Agreed, ApplicationFacts, AsksSecondPerson, Error as PoliciesError, KnowsPeople, KnowsWhatOpens,
    NotAsked, PersonFacts, Policies,
};
use naru_store::{BoxFuture, Error, Tx};

use crate::{wiring::People, wiring_approvals::SecondPerson};

/// The rules as applications and desktops know them. What is not offered to a ministry is refused before this is asked.
#[derive(Clone)]
pub(crate) struct Rules(pub(crate) Arc<Policies>);

impl Rules {
    async fn answer(&self, question: AccessQuestion) -> Result<AccessDecision, Error> {
        match self.0.decide(question).await {
            Ok(decision) => Ok(decision),
            Err(PoliciesError::Store(error)) => Err(error),
            Err(error) => {
                tracing::error!(%error, "the rules could not be asked: refused");
                Ok(AccessDecision::Denied {
                    because: Vec::new(),
                    step_up: None,
                })
            }
        }
    }
}

impl naru_applications::DecidesAccess for Rules {
    fn decide(&self, question: AccessQuestion) -> BoxFuture<'_, Result<AccessDecision, Error>> {
        Box::pin(self.answer(question))
    }
}

impl naru_desktops::DecidesAccess for Rules {
    fn decide(&self, question: AccessQuestion) -> BoxFuture<'_, Result<AccessDecision, Error>> {
        Box::pin(self.answer(question))
    }
}

impl KnowsPeople for People {
    fn person(
        &self,
        ministry: MinistryId,
        person: PersonId,
    ) -> BoxFuture<'_, Result<Option<PersonFacts>, Error>> {
        Box::pin(async move {
            let Some(identity) = self.identity() else {
                return Ok(None);
            };
            let known = identity.known_person(ministry, person).await?;
            Ok(known.map(|known| PersonFacts {
                name: known.name,
                roles: known.roles,
                groups: known.groups,
                unit: known.unit,
            }))
        })
    }

    fn platform(&self) -> BoxFuture<'_, Result<Option<MinistryId>, Error>> {
        Box::pin(async move {
            match self.identity() {
                Some(identity) => identity.platform().await,
                // Without identity nobody is signed in; were somebody, rules for all must not be forgotten.
                None => Err(Error::NoRow),
            }
        })
    }
}

/// What can be opened, as the rules know it; filled in before any door opens, and not in a ring.
#[derive(Clone, Default)]
pub(crate) struct WhatOpens(Arc<OnceLock<(Weak<Applications>, Weak<Desktops>)>>);

impl WhatOpens {
    pub(crate) fn are(&self, applications: &Arc<Applications>, desktops: &Arc<Desktops>) {
        // Only `Portal::open` calls this, once.
        drop(
            self.0
                .set((Arc::downgrade(applications), Arc::downgrade(desktops))),
        );
    }
}

impl KnowsWhatOpens for WhatOpens {
    fn application(
        &self,
        id: ApplicationId,
        to: MinistryId,
    ) -> BoxFuture<'_, Result<Option<ApplicationFacts>, Error>> {
        Box::pin(async move {
            let Some(applications) = self.0.get().and_then(|(applications, _)| applications.upgrade()) else {
                return Ok(None);
            };
            let found = applications.offer(id, to).await?;
            Ok(found.map(|(application, offered)| ApplicationFacts {
                id,
                name: application.name.ko,
                ministry: application.ministry,
                label: application.label,
                offered,
            }))
        })
    }

    fn zone(&self, zone: &Zone) -> Option<Label> {
        let (_, desktops) = self.0.get()?;
        desktops.upgrade()?.secrecy(zone)
    }
}

impl AsksSecondPerson for SecondPerson {
    fn ask<'t>(
        &'t self,
        tx: &'t mut Tx,
        ask: naru_policies::Ask,
    ) -> BoxFuture<'t, Result<ApprovalId, NotAsked>> {
        let ask = naru_approvals::Ask {
            kind: ask.kind,
            ministry: ask.ministry,
            asked_by: ask.asked_by,
            about: None,
            subject: ask.subject,
            summary: ask.summary,
            payload: ask.payload,
        };
        Box::pin(async move {
            let asked = self.0.ask_in(tx, ask).await;
            asked.map_err(|error| {
                if let naru_approvals::Error::Store(error) = error {
                    return NotAsked::Store(error);
                }
                if matches!(error, naru_approvals::Error::AlreadyAsked) {
                    return NotAsked::Already;
                }
                if matches!(error, naru_approvals::Error::TooMany) {
                    return NotAsked::TooMany;
                }
                tracing::error!(%error, "a second person could not be asked");
                NotAsked::Store(Error::NoRow)
            })
        })
    }
}

/// The rules as approvals know them; kept by the portal, not in a ring.
pub(crate) struct PoliciesHand(pub(crate) Weak<Policies>);

impl CarriesOut for PoliciesHand {
    fn kinds(&self) -> &'static [&'static str] {
        naru_policies::KINDS
    }

    fn carry_out<'t>(
        &'t self,
        tx: &'t mut Tx,
        approval: &'t Approval,
        approver: &'t Actor,
        at: Timestamp,
    ) -> BoxFuture<'t, Result<bool, Error>> {
        Box::pin(async move {
            let agreed = Agreed {
                ministry: approval.ministry,
                kind: approval.kind.clone(),
                asked_by: approval.asked_by,
                agreed_by: approver.person,
                payload: approval.payload.clone(),
                at,
            };
            let policies = self.0.upgrade().ok_or(Error::WriterGone)?;
            match policies.carry_out(tx, &agreed).await {
                Ok(is_done) => Ok(is_done),
                Err(PoliciesError::Store(error)) => Err(error),
                Err(error) => {
                    tracing::error!(%error, "what was agreed to could not be done");
                    Err(Error::NoRow)
                }
            }
        })
    }
}
