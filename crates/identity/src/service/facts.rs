//! What other domains may know of people and ministries, by way of the portal.

use naru_kernel::{MinistryId, PersonId, Role, Tenant};
use naru_store::Tx;

use super::Identity;
use crate::{
    model::{Ministry, PersonState},
    store,
};

/// A person as one ministry knows them, for single sign-on and rules.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct KnownPerson {
    /// Who.
    pub person: PersonId,
    /// The ministry they serve.
    pub ministry: Ministry,
    /// Name.
    pub name: String,
    /// Unit: names from the ministry down, with `/` between; empty if unknown.
    pub unit: String,
    /// Mail address there, if one is known.
    pub email: Option<String>,
    /// Groups of the ministry they are in, by name.
    pub groups: Vec<String>,
    /// What they are there now.
    pub roles: Vec<Role>,
    /// `ko` or `en`.
    pub language: String,
    /// POSIX login name on hosts.
    pub account: String,
}

impl Identity {
    /// A person who may work in this ministry now; `None` for one who is revoked or does not serve it.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn known_person(
        &self,
        ministry: MinistryId,
        person: PersonId,
    ) -> Result<Option<KnownPerson>, naru_store::Error> {
        let tenant = Tenant::of(ministry);
        let Some(subject) = store::facts::subject(&self.db, tenant, person).await? else {
            return Ok(None);
        };
        if subject.state == PersonState::Revoked {
            return Ok(None);
        }
        let Some(ministry) = store::facts::ministries(&self.db, &[ministry]).await?.pop() else {
            return Ok(None);
        };
        Ok(Some(KnownPerson {
            person,
            ministry,
            groups: store::facts::groups(&self.db, tenant, person).await?,
            roles: store::facts::roles(&self.db, tenant, person, self.clock.now()).await?,
            name: subject.name,
            unit: subject.unit,
            email: subject.email,
            language: subject.language,
            account: subject.account,
        }))
    }

    /// These ministries; those that are not there are left out.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn ministries_by_id(&self, ids: &[MinistryId]) -> Result<Vec<Ministry>, naru_store::Error> {
        store::facts::ministries(&self.db, ids).await
    }

    /// The ministry that runs the platform, if there is one yet.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn platform(&self) -> Result<Option<MinistryId>, naru_store::Error> {
        Ok(store::facts::platform(&self.db)
            .await?
            .map(|ministry| ministry.id))
    }

    /// Gives a ministry other names, in the transaction of whoever may; `false` if there is none.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn rename_ministry_in(
        &self,
        tx: &mut Tx,
        ministry: MinistryId,
        name_ko: String,
        name_en: String,
    ) -> Result<bool, naru_store::Error> {
        store::facts::rename(tx, ministry, name_ko, name_en).await
    }
}
