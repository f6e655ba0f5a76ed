//! Where applications meet the other domains.

use std::collections::BTreeMap;

use naru_applications::{KnowsPeople, LogonFacts, LogonMethod, MinistryFacts, SubjectFacts};
use naru_identity::KnownPerson;
use naru_kernel::{LogonId, MinistryId, PersonId};
use naru_store::{BoxFuture, Error, Tx};

use crate::wiring::People;

fn subject_of(known: KnownPerson) -> SubjectFacts {
    SubjectFacts {
        person: known.person,
        ministry: known.ministry.id,
        ministry_name_ko: known.ministry.name_ko,
        ministry_name_en: known.ministry.name_en,
        agency_code: known.ministry.agency_code,
        name: known.name,
        unit: known.unit,
        email: known.email,
        groups: known.groups,
        roles: known.roles,
        language: known.language,
        account: known.account,
    }
}

impl KnowsPeople for People {
    fn subject(
        &self,
        ministry: MinistryId,
        person: PersonId,
    ) -> BoxFuture<'_, Result<Option<SubjectFacts>, Error>> {
        Box::pin(async move {
            let Some(identity) = self.identity() else {
                return Ok(None);
            };
            Ok(identity.known_person(ministry, person).await?.map(subject_of))
        })
    }

    fn logon(&self, logon: LogonId) -> BoxFuture<'_, Result<Option<LogonFacts>, Error>> {
        Box::pin(async move {
            let Some(identity) = self.identity() else {
                return Ok(None);
            };
            Ok(identity.proof(logon).await?.map(|proof| LogonFacts {
                person: proof.person,
                ministry: proof.ministry,
                method: match proof.method.as_str() {
                    "certificate" => LogonMethod::Certificate,
                    "tls" => LogonMethod::Tls,
                    _ => LogonMethod::Upstream,
                },
                assurance: proof.assurance,
                amr: proof.methods,
                authenticated_at: proof.authenticated_at,
                alive: proof.is_alive,
            }))
        })
    }

    fn ministries(
        &self,
        ministries: Vec<MinistryId>,
    ) -> BoxFuture<'_, Result<BTreeMap<MinistryId, MinistryFacts>, Error>> {
        Box::pin(async move {
            let Some(identity) = self.identity() else {
                return Ok(BTreeMap::new());
            };
            let found = identity.ministries_by_id(&ministries).await?.into_iter();
            Ok(found
                .map(|ministry| {
                    let facts = MinistryFacts {
                        name_ko: ministry.name_ko,
                        name_en: ministry.name_en,
                        agency_code: ministry.agency_code,
                    };
                    (ministry.id, facts)
                })
                .collect())
        })
    }

    fn rename_ministry<'t>(
        &'t self,
        tx: &'t mut Tx,
        ministry: MinistryId,
        name_ko: String,
        name_en: String,
    ) -> BoxFuture<'t, Result<(), Error>> {
        Box::pin(async move {
            let Some(identity) = self.identity() else {
                return Err(Error::NoRow);
            };
            if identity
                .rename_ministry_in(tx, ministry, name_ko, name_en)
                .await?
            {
                Ok(())
            } else {
                Err(Error::NoRow)
            }
        })
    }
}
