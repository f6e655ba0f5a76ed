//! What administrators see.

use naru_kernel::{Actor, PolicyId, Tenant};

use super::{Policies, may};
use crate::{
    Error,
    cedar::{SCHEMA, base::BASE},
    http::{ListQuery, PolicyDetail, PolicyList, PolicyRow},
    rules::Refusal,
    store,
};

/// How many versions of a rule are shown.
const VERSIONS_MAX: i64 = 100;

impl Policies {
    /// The ministry's rules, with what holds besides: the built-in ones and the platform's.
    ///
    /// # Errors
    /// When the actor may not, or the store fails.
    pub async fn list(&self, actor: &Actor, query: &ListQuery) -> Result<PolicyList, Error> {
        may(actor)?;
        let (rows, search) = (query.rows(), query.search());
        let (mut found, total) =
            store::list(self.db(), actor.tenant(), query.after, search.as_deref(), rows).await?;
        let wanted = usize::try_from(rows).unwrap_or(usize::MAX);
        let has_more = found.len() > wanted;
        found.truncate(wanted);
        let platform = self.platform().await?;
        let theirs = match platform.filter(|platform| *platform != actor.ministry) {
            // Every ministry is judged by them, so every ministry's administrators may read those that hold.
            Some(platform) => store::holding(self.db(), Tenant::of(platform)).await?,
            None => Vec::new(),
        };
        Ok(PolicyList {
            built_in: BASE.iter().map(PolicyRow::of_base).collect(),
            platform: theirs.into_iter().map(PolicyRow::of_platform).collect(),
            next: found.last().filter(|_| has_more).map(|last| last.id.to_string()),
            items: found.into_iter().map(PolicyRow::of).collect(),
            total,
            schema: SCHEMA.to_owned(),
        })
    }

    /// One rule with its versions.
    ///
    /// # Errors
    /// When the actor may not, there is none in their ministry, or the store fails.
    pub async fn look(&self, actor: &Actor, id: PolicyId) -> Result<PolicyDetail, Error> {
        may(actor)?;
        let policy = store::one(self.db(), actor.tenant(), id).await?;
        let policy = policy.ok_or(Refusal::NoSuchPolicy)?;
        let versions = store::versions(self.db(), actor.tenant(), id, VERSIONS_MAX).await?;
        Ok(PolicyDetail {
            policy: PolicyRow::of(policy),
            versions,
        })
    }
}
