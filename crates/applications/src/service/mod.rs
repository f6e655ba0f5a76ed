//! Use cases: who may, in one transaction, with its entry in the record.

mod admin;
mod applications;
mod asking;
pub(crate) mod authorize;
pub(crate) mod client;
mod consents;
mod corner;
pub(crate) mod device;
mod ending;
mod exchange;
mod grant;
mod jobs;
mod keys;
mod logout;
pub(crate) mod open;
pub(crate) mod pending;
mod portal_page;
pub(crate) mod random;
pub(crate) mod saml;
mod sign_on;
pub(crate) mod step;
pub(crate) mod token;
pub(crate) mod userinfo;

use std::sync::Arc;

use naru_kernel::{Action, Actor, Clock, Entropy, MinistryId, Scope, Timestamp};
use naru_runtime::Client;
use naru_store::{Act, BoxFuture, By, Db, Outcome, Tx};

pub use ending::Closed;

use crate::{ApplicationsConfig, DecidesAccess, Error, KnowsPeople, Refusal};

/// Gives the value of a verdict, or ends the work of a change with its refusal, which is then recorded.
macro_rules! granted {
    ($verdict:expr) => {
        match $verdict {
            Ok(value) => value,
            Err(refusal) => return Ok(Err(crate::Refusal::from(refusal))),
        }
    };
}
pub(crate) use granted;

/// What a change decides: its value, or why not.
pub(crate) type Verdict<T> = Result<T, Refusal>;

/// What the domain is made of.
#[derive(Clone)]
pub struct Parts {
    /// The `[applications]` section.
    pub config: ApplicationsConfig,
    /// The database.
    pub db: Db,
    /// Time.
    pub clock: Arc<dyn Clock>,
    /// Randomness.
    pub entropy: Arc<dyn Entropy>,
    /// Who knows people.
    pub people: Arc<dyn KnowsPeople>,
    /// Who knows the site's rules.
    pub rules: Arc<dyn DecidesAccess>,
}

/// Applications, and single sign-on into them.
pub struct Applications {
    pub(crate) parts: Parts,
    pub(crate) sign_on: sign_on::SignOn,
    pub(crate) saml: saml::SamlKeys,
}

impl Applications {
    /// Starts.
    ///
    /// # Errors
    /// When the store cannot be read or written.
    #[expect(
        clippy::unused_async,
        reason = "other parts of a portal wait for theirs as well"
    )]
    pub async fn start(parts: Parts) -> Result<Arc<Self>, Error> {
        let sign_on = sign_on::SignOn::new(&parts.config)?;
        Ok(Arc::new(Self {
            parts,
            sign_on,
            saml: saml::SamlKeys::default(),
        }))
    }

    /// The domain's configuration.
    #[must_use]
    pub const fn config(&self) -> &ApplicationsConfig {
        &self.parts.config
    }

    pub(crate) fn now(&self) -> Timestamp {
        self.parts.clock.now()
    }

    /// The first line of what administrators of a ministry do: may they, and what it is in the record.
    pub(crate) fn admin_act(
        &self,
        what: Action,
        name: &'static str,
        actor: &Actor,
        client: &Client,
    ) -> Result<Act, Error> {
        actor.may(what, Scope::Ministry(actor.ministry))?;
        Ok(self.act(
            name,
            By::Person(actor.person, actor.logon),
            Some(actor.ministry),
            &client.address,
        ))
    }

    /// An act; `ministry` says in whose record, the platform's if absent.
    pub(crate) fn act(
        &self,
        action: &'static str,
        by: By,
        ministry: Option<MinistryId>,
        address: &str,
    ) -> Act {
        Act {
            at: self.now(),
            action,
            by,
            ministry,
            subject: String::new(),
            address: Some(address.to_owned()).filter(|address| !address.is_empty()),
        }
    }

    /// Runs a change whose refusal is recorded as well: what the work wrote before it refused is kept.
    pub(crate) async fn decide<T, W>(&self, act: Act, work: W) -> Result<T, Error>
    where
        T: Send + 'static,
        W: for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<Verdict<T>, Error>> + Send + 'static,
    {
        let verdict: Verdict<T> = self
            .parts
            .db
            .change(act, move |tx| {
                Box::pin(async move {
                    let verdict = work(tx).await?;
                    if let Err(refusal) = &verdict {
                        tx.refused(refusal.code());
                    }
                    Ok::<_, Error>(verdict)
                })
            })
            .await?;
        verdict.map_err(Error::Refused)
    }

    /// Records a refusal that changed nothing, and gives it back.
    pub(crate) async fn refuse(&self, act: Act, refusal: Refusal, detail: serde_json::Value) -> Error {
        let outcome = Outcome::Refused(refusal.code());
        match self.parts.db.record(act, outcome, detail).await {
            Ok(()) => refusal.into(),
            Err(error) => error.into(),
        }
    }
}

/// Cuts the row that only tells that there is a next page; gives what asks for it.
pub(crate) fn next_of<T>(rows: &mut Vec<T>, wanted: i64, id: impl Fn(&T) -> String) -> Option<String> {
    let wanted = usize::try_from(wanted).unwrap_or(0);
    if rows.len() <= wanted {
        return None;
    }
    rows.truncate(wanted);
    rows.last().map(id)
}
