//! Use cases.

mod change;
mod decide;
mod dry_run;
mod look;

use std::sync::{Arc, OnceLock};

use naru_kernel::{Action, Actor, Clock, Entropy, MinistryId, Scope};
use naru_runtime::Client;
use naru_store::{Act, BoxFuture, By, Db, Outcome, Tx};

use crate::{
    AsksSecondPerson, Error, KnowsPeople, KnowsWhatOpens, cache::Cache, cedar::Language, rules::Refusal,
};

pub use dry_run::{Subject, TryAnswer, TryForm};

/// What the domain is made of.
pub struct Parts {
    /// The database.
    pub db: Db,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Who knows people.
    pub people: Arc<dyn KnowsPeople>,
    /// Who knows what can be opened.
    pub opens: Arc<dyn KnowsWhatOpens>,
}

/// The site's rules.
pub struct Policies {
    parts: Parts,
    language: Arc<Language>,
    cache: Cache,
    second: OnceLock<Arc<dyn AsksSecondPerson>>,
    /// Which ministry runs the platform, once there is one: that stays.
    platform: OnceLock<MinistryId>,
}

/// What a change answers: done, or refused by the rules.
type Settled<T> = Result<T, Refusal>;

impl Policies {
    /// The domain.
    ///
    /// # Errors
    /// [`Error::Language`] when the built-in rules do not work, which is a defect.
    pub fn new(parts: Parts) -> Result<Self, Error> {
        Ok(Self {
            parts,
            language: Arc::new(Language::new()?),
            cache: Cache::default(),
            second: OnceLock::new(),
            platform: OnceLock::new(),
        })
    }

    /// Says who keeps what needs a second person. Once, before any door opens; until then nothing that needs one is done.
    pub fn ask_by(&self, second: Arc<dyn AsksSecondPerson>) {
        // A second call changes nothing.
        drop(self.second.set(second));
    }

    async fn platform(&self) -> Result<Option<MinistryId>, Error> {
        if let Some(platform) = self.platform.get() {
            return Ok(Some(*platform));
        }
        let found = self.parts.people.platform().await?;
        Ok(found.map(|platform| *self.platform.get_or_init(|| platform)))
    }

    fn db(&self) -> &Db {
        &self.parts.db
    }

    /// An act of an administrator who may manage the rules of their ministry.
    fn act(&self, action: &'static str, actor: &Actor, subject: String, client: &Client) -> Act {
        Act {
            at: self.parts.clock.now(),
            action,
            by: By::Person(actor.person, actor.logon),
            ministry: Some(actor.ministry),
            subject,
            address: Some(client.address.clone()).filter(|address| !address.is_empty()),
        }
    }

    /// Changes something; what the rules refuse stands in the record as refused.
    async fn settle<T, W>(&self, act: Act, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<Settled<T>, Error>> + Send + 'static,
    {
        let again = act.clone();
        let settled = self
            .db()
            .change(act, move |tx| {
                Box::pin(async move {
                    let settled = work(tx).await?;
                    if let Err(refusal) = &settled {
                        tx.refused(refusal.code());
                    }
                    Ok::<_, Error>(settled)
                })
            })
            .await;
        match settled {
            Ok(settled) => Ok(settled?),
            // What undid the transaction undid its entry as well.
            Err(Error::Refused(refusal)) => {
                let outcome = Outcome::Refused(refusal.code());
                self.db().record(again, outcome, serde_json::json!({})).await?;
                Err(refusal.into())
            }
            Err(error) => Err(error),
        }
    }
}

/// Whether the actor may manage the rules of the ministry they serve.
fn may(actor: &Actor) -> Result<(), Error> {
    Ok(actor.may(Action::ManagePolicies, Scope::Ministry(actor.ministry))?)
}
