//! Where the two-person rule meets the domains that ask and do.

use std::sync::{Arc, Weak};

use naru_approvals::{Approval, Approvals, CarriesOut};
use naru_identity::{Agreed, AsksSecondPerson, Error as IdentityError, Identity, NotAsked};
use naru_kernel::{Actor, ApprovalId, Timestamp};
use naru_store::{BoxFuture, Error, Tx};

/// Approvals as identity knows them.
pub(crate) struct SecondPerson(pub(crate) Arc<Approvals>);

impl AsksSecondPerson for SecondPerson {
    fn ask<'t>(
        &'t self,
        tx: &'t mut Tx,
        ask: naru_identity::Ask,
    ) -> BoxFuture<'t, Result<ApprovalId, NotAsked>> {
        let ask = naru_approvals::Ask {
            kind: ask.kind,
            ministry: ask.ministry,
            asked_by: ask.asked_by,
            about: ask.about,
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

/// Identity as approvals know it; kept by the portal, not in a ring.
pub(crate) struct IdentitysHand(pub(crate) Weak<Identity>);

impl CarriesOut for IdentitysHand {
    fn kinds(&self) -> &'static [&'static str] {
        naru_identity::KINDS
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
            let identity = self.0.upgrade().ok_or(Error::WriterGone)?;
            match identity.carry_out(tx, &agreed).await {
                Ok(verdict) => Ok(verdict.is_ok()),
                Err(IdentityError::Store(error)) => Err(error),
                Err(error) => {
                    tracing::error!(%error, "what was agreed to could not be done");
                    Err(Error::NoRow)
                }
            }
        })
    }

    fn done(&self) {
        if let Some(identity) = self.0.upgrade() {
            identity.wake();
        }
    }
}
