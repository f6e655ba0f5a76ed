//! The answer to "may this person open this, here, now".

use std::sync::Arc;

use naru_kernel::{
    MinistryId, Tenant,
    access::{AccessDecision, AccessQuestion, Resource},
};

use super::Policies;
use crate::{
    Error,
    cedar::{Asked, Compiled, Verdict},
    model::Origin,
    store,
};

/// What people read when rules cannot be asked.
const UNREADABLE: &str = "규칙을 읽을 수 없음 · the rules cannot be read (policies.language)";

impl Policies {
    /// Answers the question by the rules that hold now. What cannot be judged is refused, and logged.
    ///
    /// # Errors
    /// When the store fails; rules that cannot be read refuse instead.
    pub async fn decide(&self, question: AccessQuestion) -> Result<AccessDecision, Error> {
        match self.verdict(&question, None).await {
            Ok(verdict) => {
                for error in &verdict.errors {
                    tracing::error!(%error, person = %question.actor.person, "rules could not be judged: refused");
                }
                Ok(verdict.decision())
            }
            Err(Error::Language(error)) => {
                tracing::error!(%error, ministry = %question.actor.ministry, "rules could not be read: refused");
                Ok(AccessDecision::Denied {
                    because: vec![UNREADABLE.to_owned()],
                    step_up: None,
                })
            }
            Err(error) => Err(error),
        }
    }

    /// The verdict of all rules that concern the question, and of a draft that would be one of the ministry's.
    pub(super) async fn verdict(
        &self,
        question: &AccessQuestion,
        draft: Option<&Compiled>,
    ) -> Result<Verdict, Error> {
        let own = question.actor.ministry;
        let (owner, is_offered) = match &question.resource {
            Resource::Application { id, ministry, .. } if *ministry != own => {
                let facts = self.parts.opens.application(*id, own).await?;
                (Some(*ministry), facts.is_some_and(|facts| facts.offered))
            }
            Resource::Application { .. } | Resource::Desktop { .. } => (None, true),
        };
        let platform = self.platform().await?.filter(|platform| *platform != own);
        let mut sets = vec![(Origin::Ministry, own, self.rules_of(own).await?)];
        if let Some(platform) = platform {
            sets.push((Origin::Platform, platform, self.rules_of(platform).await?));
        }
        if let Some(owner) = owner.filter(|owner| Some(*owner) != platform) {
            sets.push((Origin::Owner, owner, self.rules_of(owner).await?));
        }
        let mut asked: Vec<Asked<'_>> = sets
            .iter()
            .map(|(origin, ministry, rules)| Asked {
                origin: *origin,
                ministry: Some(*ministry),
                rules,
            })
            .collect();
        asked.extend(draft.map(|rules| Asked {
            origin: Origin::Ministry,
            ministry: Some(own),
            rules,
        }));
        Ok(self.language.judge(question, is_offered, &asked))
    }

    /// The rules of a ministry that hold, made ready once for each version. Reads across ministries where the platform's or
    /// an application owner's rules are asked: that is what they are for.
    async fn rules_of(&self, ministry: MinistryId) -> Result<Arc<Compiled>, Error> {
        let tenant = Tenant::of(ministry);
        let version = store::version(self.db(), tenant).await?;
        if let Some(ready) = self.cache.get(ministry, version) {
            return Ok(ready);
        }
        let policies = if version == 0 {
            Vec::new()
        } else {
            store::holding(self.db(), tenant).await?
        };
        let ready = Arc::new(self.language.compile(&policies)?);
        self.cache.put(ministry, version, &ready);
        Ok(ready)
    }
}
