//! What a browser or a program began: kept for minutes behind a random handle, of which only the hash is stored.

use std::collections::BTreeMap;

use naru_kernel::{ApplicationId, LogonId, Seconds, Timestamp};
use naru_sso::oidc::authorize::AuthorizationRequest;
use serde::{Deserialize, Serialize};

use super::{Applications, random};
use crate::{
    Error, Refusal,
    model::Application,
    store::{self, requests::RequestRow},
};

/// How long a person has to sign on.
pub(crate) const REQUEST_LIFE: Seconds = Seconds(600);
/// How long an answer waits to be posted, and a pushed request to be used.
pub(crate) const ANSWER_LIFE: Seconds = Seconds(60);
/// Requests that wait at once for one application: anybody can begin them. Then the oldest go, so that whoever begins many
/// keeps nobody out who answers soon.
const REQUESTS_PER_APPLICATION_MAX: i64 = 10_000;
/// How many go at once.
const REQUESTS_DROPPED: i64 = 100;

/// An OpenID Connect sign-on under way.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct OidcPending {
    /// What was asked.
    pub(crate) request: AuthorizationRequest,
    /// The subject an ID token hint named; checked.
    pub(crate) hinted: Option<String>,
    /// The session in which consent was given to it.
    pub(crate) agreed_in: Option<LogonId>,
}

/// A log-out that an application asked for.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct LogoutPending {
    /// The session an ID token hint named, as that application knows it; checked.
    pub(crate) session: Option<String>,
    /// The subject it named.
    pub(crate) subject: Option<String>,
    /// Where the browser goes afterwards; registered.
    pub(crate) address: Option<String>,
}

/// An answer that a browser is to post.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct FormAnswer {
    /// Where to.
    pub(crate) address: String,
    /// The fields.
    pub(crate) fields: Vec<(String, String)>,
}

/// What waits.
#[derive(Clone, Debug, Serialize, Deserialize)]
#[serde(tag = "kind", rename_all = "snake_case")]
pub(crate) enum Pending {
    /// A sign-on by OpenID Connect.
    Oidc(Box<OidcPending>),
    /// The parameters of a pushed request (RFC 9126).
    Pushed {
        /// All of them.
        params: BTreeMap<String, String>,
    },
    /// A log-out by OpenID Connect.
    Logout(LogoutPending),
    /// A sign-on by SAML; `saml` knows what is in it.
    Saml {
        /// Its part.
        request: serde_json::Value,
    },
    /// A log-out by SAML; `saml` knows what is in it.
    SamlLogout {
        /// Its part.
        request: serde_json::Value,
    },
    /// An answer to be posted.
    Answer(FormAnswer),
}

/// A request that waits, with its application.
#[derive(Clone, Debug)]
pub(crate) struct Waiting {
    /// The hash of its handle.
    pub(crate) hash: Vec<u8>,
    /// For which application, if it is for one.
    pub(crate) application: Option<Application>,
    /// What it is.
    pub(crate) pending: Pending,
    /// Since when.
    pub(crate) created_at: Timestamp,
}

impl Waiting {
    /// The application, where there must be one.
    pub(crate) fn application(&self) -> Result<&Application, Error> {
        self.application
            .as_ref()
            .ok_or_else(|| Refusal::NoSuchRequest.into())
    }
}

impl Applications {
    /// Keeps a request and gives its handle.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn keep_request(
        &self,
        application: Option<ApplicationId>,
        pending: &Pending,
        life: Seconds,
    ) -> Result<String, Error> {
        let (handle, hash) = random::token(self.parts.entropy.as_ref());
        let now = self.now();
        let row = RequestRow {
            application,
            payload: serde_json::to_string(pending)?,
            created_at: now,
        };
        self.parts
            .db
            .housekeep("applications.keep-request", move |tx| {
                Box::pin(async move {
                    if store::requests::count(tx, application).await? >= REQUESTS_PER_APPLICATION_MAX {
                        store::requests::drop_oldest(tx, application, REQUESTS_DROPPED).await?;
                        metrics::counter!("naru_sso_requests_dropped_total").increment(1);
                    }
                    store::requests::add(tx, hash, row, now + life).await?;
                    Ok::<_, Error>(())
                })
            })
            .await?;
        Ok(handle)
    }

    /// What waits behind a handle.
    ///
    /// # Errors
    /// [`Refusal::NoSuchRequest`] when nothing does, or its time is over.
    pub(crate) async fn waiting(&self, handle: &str) -> Result<Waiting, Error> {
        let hash = random::hash(handle);
        let row = store::requests::find(&self.parts.db, hash.clone(), self.now()).await?;
        self.opened(hash, row).await
    }

    /// Takes what waits behind a handle: good once.
    ///
    /// # Errors
    /// [`Refusal::NoSuchRequest`] when nothing does, or its time is over.
    pub(crate) async fn take_request(&self, handle: &str) -> Result<Waiting, Error> {
        let (hash, now) = (random::hash(handle), self.now());
        let taken = hash.clone();
        let row = self
            .parts
            .db
            .housekeep("applications.keep-request", move |tx| {
                Box::pin(async move { Ok::<_, Error>(store::requests::take(tx, taken, now).await?) })
            })
            .await?;
        self.opened(hash, row).await
    }

    async fn opened(&self, hash: Vec<u8>, row: Option<RequestRow>) -> Result<Waiting, Error> {
        let row = row.ok_or(Refusal::NoSuchRequest)?;
        let application = match row.application {
            Some(id) => store::applications::application_by_id(&self.parts.db, id).await?,
            None => None,
        };
        Ok(Waiting {
            hash,
            application,
            pending: serde_json::from_str(&row.payload)?,
            created_at: row.created_at,
        })
    }

    /// Changes what waits.
    pub(crate) async fn change_request(&self, hash: Vec<u8>, pending: &Pending) -> Result<(), Error> {
        let payload = serde_json::to_string(pending)?;
        self.parts
            .db
            .housekeep("applications.keep-request", move |tx| {
                Box::pin(async move { Ok::<_, Error>(store::requests::change(tx, hash, payload).await?) })
            })
            .await
    }
}
