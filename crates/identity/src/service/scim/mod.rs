//! SCIM 2.0: a ministry's directory makes, changes and removes the ministry's people and groups.
//!
//! A person's `userName` is the subject of their certificate: by that they log on, so a directory can set it once and not
//! change it (that is moving, and needs two administrators). Roles beyond a worker's are not a directory's to give.

mod groups;
mod resource;
mod users;

use std::sync::PoisonError;

use naru_kernel::{Kind, Tenant};
use naru_runtime::{Client, Fails as _};
use naru_scim::Filter;
use naru_store::{Act, By, Outcome, Tx};
use serde_json::{Value, json};

use super::{Identity, Verdict};
use crate::{
    Error, Refusal,
    members::{ScimAccess, ScimToken},
};

pub(crate) use resource::{Attributes, RESOURCE_TYPES, SCHEMAS, configuration};

/// Resources of one page.
pub(crate) const PAGE_ROWS_MAX: i64 = 200;
const PAGE_ROWS: i64 = 100;
/// Rows that are read at most to answer a filter that has no column.
pub(crate) const SCANNED_ROWS_MAX: i64 = 20_000;
/// Rows that are read at once for that.
const SCAN_ROWS: i64 = 1_000;

/// Why a directory's request is refused, in SCIM's words.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct ScimRefusal {
    /// HTTP status.
    pub(crate) status: u16,
    /// The `scimType`, where the standard has one.
    pub(crate) scim_type: Option<&'static str>,
    /// What is wrong.
    pub(crate) detail: String,
}

impl ScimRefusal {
    pub(crate) fn new(status: u16, scim_type: Option<&'static str>, detail: impl Into<String>) -> Self {
        let detail = detail.into();
        Self {
            status,
            scim_type,
            detail,
        }
    }

    pub(super) fn not_found() -> Self {
        Self::new(404, None, "there is no such resource")
    }

    pub(super) fn stale() -> Self {
        Self::new(412, None, "the resource was changed meanwhile")
    }
}

impl From<naru_scim::Refusal> for ScimRefusal {
    fn from(refusal: naru_scim::Refusal) -> Self {
        Self::new(400, Some(refusal.scim_type()), refusal.to_string())
    }
}

/// What a directory's request ends with when it does not succeed.
#[derive(Debug)]
pub(crate) enum ScimError {
    Refused(ScimRefusal),
    Failed(Error),
}

impl From<ScimRefusal> for ScimError {
    fn from(refusal: ScimRefusal) -> Self {
        Self::Refused(refusal)
    }
}

impl From<naru_scim::Refusal> for ScimError {
    fn from(refusal: naru_scim::Refusal) -> Self {
        Self::Refused(refusal.into())
    }
}

impl From<naru_store::Error> for ScimError {
    fn from(error: naru_store::Error) -> Self {
        Self::from(Error::from(error))
    }
}

impl From<Error> for ScimError {
    fn from(error: Error) -> Self {
        let Error::Refused(refusal) = error else {
            return Self::Failed(error);
        };
        let scim_type = if matches!(refusal, Refusal::SubjectTaken | Refusal::NameTaken) {
            Some("uniqueness")
        } else if matches!(refusal, Refusal::TooMany | Refusal::ListTooLong) {
            Some("tooMany")
        } else {
            (refusal.kind() == Kind::Invalid).then_some("invalidValue")
        };
        let status = match refusal.kind() {
            Kind::NotFound => return Self::Refused(ScimRefusal::not_found()),
            Kind::Invalid => 400,
            Kind::Forbidden | Kind::Unauthenticated => 403,
            Kind::Conflict if scim_type == Some("tooMany") => 400,
            Kind::Conflict | Kind::TooMany | Kind::Unavailable | Kind::Internal => 409,
        };
        let refused = ScimRefusal::new(status, scim_type, refusal.to_string());
        Self::Refused(refused)
    }
}

/// A directory that proved itself.
#[derive(Clone, Debug)]
pub(crate) struct Directory {
    pub(crate) token: ScimToken,
}

impl Directory {
    pub(crate) const fn tenant(&self) -> Tenant {
        Tenant::of(self.token.ministry)
    }
}

/// Which resources a directory asks for.
#[derive(Clone, Debug, Default)]
pub(crate) struct ScimQuery {
    pub(crate) filter: Option<String>,
    pub(crate) start_index: Option<i64>,
    pub(crate) count: Option<i64>,
    pub(crate) sort_by: Option<String>,
    pub(crate) descending: bool,
    pub(crate) attributes: Attributes,
}

impl ScimQuery {
    /// How many rows, and how many before them (RFC 7644, 3.4.2.4).
    fn range(&self) -> (i64, i64) {
        let rows = self.count.unwrap_or(PAGE_ROWS).clamp(0, PAGE_ROWS_MAX);
        (rows, self.start_index.unwrap_or(1).max(1).saturating_sub(1))
    }

    fn parsed(&self) -> Result<Option<Filter>, naru_scim::Refusal> {
        let text = self
            .filter
            .as_deref()
            .map(str::trim)
            .filter(|text| !text.is_empty());
        text.map(Filter::parse).transpose()
    }

    fn listed(&self, total: i64, resources: Vec<Value>) -> Value {
        let (_, before) = self.range();
        let resources: Vec<Value> = resources
            .into_iter()
            .map(|resource| self.attributes.of(resource))
            .collect();
        json!({
            "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"],
            "totalResults": total, "startIndex": before.saturating_add(1), "itemsPerPage": resources.len(),
            "Resources": resources,
        })
    }
}

/// What a change is conditioned on: the versions of `If-Match`, none for any.
#[derive(Clone, Debug, Default)]
pub(crate) struct IfMatch(pub(crate) Option<String>);

impl IfMatch {
    /// Whether a resource of this version may be changed.
    fn admits(&self, version: &str) -> bool {
        match self.0.as_deref() {
            None => true,
            Some(wanted) => wanted
                .split(',')
                .map(str::trim)
                .any(|wanted| wanted == "*" || wanted == version),
        }
    }
}

impl Identity {
    /// The directory that shows this bearer token.
    ///
    /// # Errors
    /// [`ScimError::Refused`] when the token is unknown, over, or may not do this; it is recorded, strangers' up to ten
    /// times a minute for each address.
    pub(crate) async fn directory(
        &self,
        shown: Option<&str>,
        access: ScimAccess,
        client: &Client,
    ) -> Result<Directory, ScimError> {
        let token = match shown {
            Some(shown) => self.scim_token(shown).await?,
            None => None,
        };
        let Some(token) = token else {
            let act = self.act("identity.scim", By::Anyone, client);
            metrics::counter!("naru_scim_strangers_total").increment(1);
            let may_record = self
                .strangers
                .lock()
                .unwrap_or_else(PoisonError::into_inner)
                .admit(client.address.clone(), act.at);
            if may_record {
                let outcome = Outcome::Refused("identity.scim-token-wrong");
                self.db.record(act, outcome, Value::Null).await?;
            }
            return Err(ScimRefusal::new(401, None, "a good bearer token is needed").into());
        };
        if access == ScimAccess::Write && token.access == ScimAccess::Read {
            let refusal = ScimRefusal::new(403, None, "this token may only read");
            self.record_scim_refusal(&Directory { token }, &refusal, client)
                .await?;
            return Err(refusal.into());
        }
        Ok(Directory { token })
    }

    /// Writes down what a directory was refused.
    pub(crate) async fn record_scim_refusal(
        &self,
        directory: &Directory,
        refusal: &ScimRefusal,
        client: &Client,
    ) -> Result<(), Error> {
        let act = self.scim_act("identity.scim", directory, client);
        let detail = json!({
            "token": directory.token.id.to_string(), "status": refusal.status, "scim_type": refusal.scim_type,
        });
        let outcome = Outcome::Refused("identity.scim-refused");
        Ok(self.db.record(act, outcome, detail).await?)
    }

    fn scim_act(&self, action: &'static str, directory: &Directory, client: &Client) -> Act {
        self.act_for(action, By::Platform("scim"), directory.token.ministry, client)
    }

    /// Runs a directory's change; what it wrote before it was refused is not kept, for a directory tries again.
    async fn scim_change<T, W>(&self, act: Act, directory: &Directory, work: W) -> Result<T, ScimError>
    where
        T: Send + 'static,
        W: for<'t> FnOnce(&'t mut Tx) -> naru_store::BoxFuture<'t, Result<T, Changing>> + Send + 'static,
    {
        let token = directory.token.id.to_string();
        let done: Result<T, Changing> = self
            .db
            .change(act, move |tx| {
                Box::pin(async move {
                    let value = work(tx).await?;
                    tx.note("token", token);
                    Ok(value)
                })
            })
            .await;
        done.map_err(|changing| changing.0)
    }
}

/// The error of a change under way; its refusals give the change up.
#[derive(Debug)]
pub(super) struct Changing(ScimError);

impl From<naru_store::Error> for Changing {
    fn from(error: naru_store::Error) -> Self {
        Self(error.into())
    }
}

impl From<Error> for Changing {
    fn from(error: Error) -> Self {
        Self(error.into())
    }
}

impl From<ScimRefusal> for Changing {
    fn from(refusal: ScimRefusal) -> Self {
        Self(refusal.into())
    }
}

impl From<naru_scim::Refusal> for Changing {
    fn from(refusal: naru_scim::Refusal) -> Self {
        Self(refusal.into())
    }
}

/// A verdict's value, or the refusal that gives a change up.
fn kept<T>(verdict: Verdict<T>) -> Result<T, Changing> {
    verdict.map_err(|refusal| Changing(Error::Refused(refusal).into()))
}

impl ScimError {
    /// The refusal a directory is told.
    pub(crate) fn told(self) -> ScimRefusal {
        match self {
            Self::Refused(refusal) => refusal,
            Self::Failed(error) => {
                tracing::error!(code = error.code(), %error, "a directory's request failed");
                ScimRefusal::new(500, None, "something went wrong on our side")
            }
        }
    }
}
