//! Asking, agreeing, refusing.

use std::{sync::Arc, time::Duration};

use naru_kernel::{Action, Actor, ApprovalId, Clock, Entropy, Page, Scope, Seconds, Tenant, Timestamp};
use naru_runtime::{Client, Tasks};
use naru_store::{Act, BoxFuture, By, Db, Tx};

use crate::{
    Error,
    http::{ApprovalRow, ListQuery},
    model::{Approval, ApprovalState, Ask},
    rules::{self, Refusal},
    store,
};

/// How often expired requests are marked.
const EXPIRE_SECONDS: u64 = 300;
const DAY_SECONDS: i64 = 86_400;

/// Who does what was agreed to; wired by the portal.
pub trait CarriesOut: Send + Sync + 'static {
    /// The kinds it carries out.
    fn kinds(&self) -> &'static [&'static str];

    /// Does it, in the transaction of the agreement. `false`: it can no longer be done as it was asked, and nothing was
    /// written.
    fn carry_out<'t>(
        &'t self,
        tx: &'t mut Tx,
        approval: &'t Approval,
        approver: &'t Actor,
        at: Timestamp,
    ) -> BoxFuture<'t, Result<bool, naru_store::Error>>;

    /// Called after the commit of what was carried out.
    fn done(&self) {}
}

/// The domain.
pub struct Approvals {
    db: Db,
    clock: Arc<dyn Clock>,
    entropy: Arc<dyn Entropy>,
    hands: Vec<Arc<dyn CarriesOut>>,
}

impl Approvals {
    /// The domain, and who carries out which kinds.
    #[must_use]
    pub fn new(
        db: Db,
        clock: Arc<dyn Clock>,
        entropy: Arc<dyn Entropy>,
        hands: Vec<Arc<dyn CarriesOut>>,
    ) -> Self {
        Self {
            db,
            clock,
            entropy,
            hands,
        }
    }

    fn hand(&self, kind: &str) -> Result<Arc<dyn CarriesOut>, Error> {
        let hand = self.hands.iter().find(|hand| hand.kinds().contains(&kind));
        hand.map(Arc::clone)
            .ok_or_else(|| Error::UnknownKind(kind.to_owned()))
    }

    /// Writes down what is asked, in the asker's transaction.
    ///
    /// # Errors
    /// When the same waits already, too much waits, nobody carries out the kind, or the store fails.
    pub async fn ask_in(&self, tx: &mut Tx, ask: Ask) -> Result<ApprovalId, Error> {
        self.hand(ask.kind)?;
        let now = self.clock.now();
        let tenant = Tenant::of(ask.ministry);
        store::expire_same(tx, tenant, ask.kind, &ask.subject, now).await?;
        if store::waiting(tx, tenant).await? >= rules::WAITING_MAX {
            return Err(Error::TooMany);
        }
        let approval = Approval {
            id: ApprovalId::new(now, self.entropy.as_ref()),
            ministry: ask.ministry,
            kind: ask.kind.to_owned(),
            subject: ask.subject,
            about: ask.about,
            summary: ask.summary,
            payload: ask.payload,
            state: ApprovalState::Waiting,
            asked_by: ask.asked_by,
            asked_at: now,
            expires_at: now + Seconds(rules::WAIT_DAYS.saturating_mul(DAY_SECONDS)),
            decided_by: None,
            decided_at: None,
            note: String::new(),
        };
        match store::insert(tx, &approval).await {
            Ok(()) => {}
            Err(naru_store::Error::Clash(_)) => return Err(Error::AlreadyAsked),
            Err(error) => return Err(error.into()),
        }
        tx.note("approval", approval.id.to_string());
        Ok(approval.id)
    }

    /// What was asked in the actor's ministry, newest first.
    ///
    /// # Errors
    /// When the actor may not, or the store fails.
    pub async fn list(&self, actor: &Actor, query: &ListQuery) -> Result<Page<ApprovalRow>, Error> {
        actor.may(Action::Approve, Scope::Ministry(actor.ministry))?;
        let rows = query.rows();
        let (mut found, total) =
            store::list(&self.db, actor.tenant(), query.state, query.after, rows).await?;
        let wanted = usize::try_from(rows).unwrap_or(usize::MAX);
        let has_more = found.len() > wanted;
        found.truncate(wanted);
        let next = found.last().filter(|_| has_more).map(|last| last.id.to_string());
        let now = self.clock.now();
        let items = found
            .into_iter()
            .map(|approval| ApprovalRow::of(approval, actor, now))
            .collect();
        Ok(Page { items, next, total })
    }

    /// Agrees: what was asked is done in the same transaction.
    ///
    /// # Errors
    /// When the rules refuse, it can no longer be done, or the store fails.
    pub async fn agree(&self, actor: &Actor, id: ApprovalId, client: &Client) -> Result<(), Error> {
        let now = self.clock.now();
        let (deciding, hands) = (actor.clone(), self.hands.clone());
        let verdict: Result<usize, Refusal> = self
            .db
            .change(self.act("approvals.agree", actor, id, client), move |tx| {
                Box::pin(async move {
                    let approval = match load(tx, &deciding, id, now).await? {
                        Ok(approval) => approval,
                        Err(refusal) => return Ok(Err(refusal)),
                    };
                    let hand = hands
                        .iter()
                        .position(|hand| hand.kinds().contains(&approval.kind.as_str()));
                    let Some((place, hand)) = hand.and_then(|place| Some((place, hands.get(place)?))) else {
                        return Err(Error::UnknownKind(approval.kind));
                    };
                    if !hand.carry_out(tx, &approval, &deciding, now).await? {
                        tx.refused(Refusal::CannotBeDone.code());
                        return Ok(Err(Refusal::CannotBeDone));
                    }
                    let decision = decision(ApprovalState::Agreed, &deciding, now, String::new());
                    store::decide(tx, deciding.tenant(), id, decision).await?;
                    describe(tx, &approval);
                    Ok(Ok(place))
                })
            })
            .await?;
        let place = verdict?;
        if let Some(hand) = self.hands.get(place) {
            hand.done();
        }
        Ok(())
    }

    /// Refuses: nothing of it happens.
    ///
    /// # Errors
    /// When the rules refuse that, or the store fails.
    pub async fn refuse(
        &self,
        actor: &Actor,
        id: ApprovalId,
        note: &str,
        client: &Client,
    ) -> Result<(), Error> {
        let (now, note, deciding) = (self.clock.now(), rules::note(note)?, actor.clone());
        let verdict: Result<(), Refusal> = self
            .db
            .change(self.act("approvals.refuse", actor, id, client), move |tx| {
                Box::pin(async move {
                    let approval = match load(tx, &deciding, id, now).await? {
                        Ok(approval) => approval,
                        Err(refusal) => return Ok(Err(refusal)),
                    };
                    let decision = decision(ApprovalState::Refused, &deciding, now, note);
                    store::decide(tx, deciding.tenant(), id, decision).await?;
                    describe(tx, &approval);
                    Ok::<_, Error>(Ok(()))
                })
            })
            .await?;
        Ok(verdict?)
    }

    /// Takes back what the actor asked.
    ///
    /// # Errors
    /// When it is another's or no longer waits, or the store fails.
    pub async fn withdraw(&self, actor: &Actor, id: ApprovalId, client: &Client) -> Result<(), Error> {
        let (now, asker) = (self.clock.now(), actor.clone());
        let verdict: Result<(), Refusal> = self
            .db
            .change(self.act("approvals.withdraw", actor, id, client), move |tx| {
                Box::pin(async move {
                    let ministry = store::ministry_of(tx, id, asker.person).await?;
                    let tenant = ministry.map_or(asker.tenant(), Tenant::of);
                    let verdict = match store::take(tx, tenant, id).await? {
                        Some(approval) => rules::withdraw(&approval, &asker, now).map(|()| approval),
                        None => Err(Refusal::NotFound),
                    };
                    match verdict {
                        Ok(approval) => {
                            let decision = decision(ApprovalState::Withdrawn, &asker, now, String::new());
                            store::decide(tx, tenant, id, decision).await?;
                            describe(tx, &approval);
                            Ok::<_, Error>(Ok(()))
                        }
                        Err(refusal) => {
                            tx.refused(refusal.code());
                            Ok(Err(refusal))
                        }
                    }
                })
            })
            .await?;
        Ok(verdict?)
    }

    /// Marks what nobody decided in time; gives how many.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn expire(&self) -> Result<u64, Error> {
        let now = self.clock.now();
        self.db
            .housekeep("approvals.expire", move |tx| {
                Box::pin(async move { Ok(store::expire(tx, now).await?) })
            })
            .await
    }

    /// Starts what runs by itself.
    pub fn start_jobs(self: &Arc<Self>, tasks: &Tasks) {
        let (approvals, shutdown) = (Arc::clone(self), tasks.shutdown());
        drop(tasks.spawn(async move {
            loop {
                if let Err(error) = approvals.expire().await {
                    tracing::error!(%error, "requests that expired could not be marked");
                }
                if !shutdown.sleep(Duration::from_secs(EXPIRE_SECONDS)).await {
                    return;
                }
            }
        }));
    }

    fn act(&self, action: &'static str, actor: &Actor, id: ApprovalId, client: &Client) -> Act {
        Act {
            at: self.clock.now(),
            action,
            by: By::Person(actor.person, actor.logon),
            ministry: Some(actor.ministry),
            subject: id.to_string(),
            address: Some(client.address.clone()).filter(|address| !address.is_empty()),
        }
    }
}

/// The approval if the actor may decide it; a refusal is noted in the record.
async fn load(
    tx: &mut Tx,
    actor: &Actor,
    id: ApprovalId,
    now: Timestamp,
) -> Result<Result<Approval, Refusal>, Error> {
    let verdict = match store::take(tx, actor.tenant(), id).await? {
        Some(approval) => rules::decide(&approval, actor, now).map(|()| approval),
        None => Err(Refusal::NotFound),
    };
    if let Err(refusal) = &verdict {
        tx.refused(refusal.code());
    }
    Ok(verdict)
}

fn decision(state: ApprovalState, actor: &Actor, at: Timestamp, note: String) -> store::Decision {
    store::Decision {
        state,
        by: actor.person,
        at,
        note,
    }
}

fn describe(tx: &mut Tx, approval: &Approval) {
    tx.note("kind", approval.kind.clone());
    tx.note("to", approval.subject.clone());
    tx.note("asked_by", approval.asked_by.to_string());
    tx.note("summary", approval.summary.clone());
}
