//! For the administrator at the command line, and for the other domains by way of the portal.

use std::collections::{BTreeMap, BTreeSet};

use naru_kernel::{LogonId, MinistryId, PersonId, Tenant};
use naru_runtime::Client;
use naru_store::{Act, By};
use serde::Serialize;

use super::{Identity, PersonForm, granted, people::revoke_held};
use crate::{
    Error, Refusal,
    answers::ActivationCode,
    members::MembershipState,
    model::{LogonState, Ministry, PersonState},
    store,
};

/// A ministry's data.
#[derive(Clone, Debug)]
pub struct NewMinistry {
    /// Name in Korean.
    pub name_ko: String,
    /// Name in English.
    pub name_en: String,
    /// Digits by which certificates name it.
    pub agency_code: String,
    /// Whether it runs the platform.
    pub is_platform: bool,
}

impl NewMinistry {
    /// Whether names and code may be used.
    pub(super) fn check(&self) -> Result<(), Refusal> {
        for (field, text) in [
            ("name_ko", &self.name_ko),
            ("name_en", &self.name_en),
            ("agency_code", &self.agency_code),
        ] {
            if text.trim().is_empty() || text.chars().count() > 100 || text.chars().any(char::is_control) {
                let problem = "needs 1 to 100 characters";
                return Err(Refusal::Field { field, problem });
            }
        }
        Ok(())
    }
}

/// What a desktop needs to know of the person it belongs to.
#[derive(Clone, Debug, PartialEq, Eq, Serialize)]
pub struct PersonCard {
    /// Who.
    pub person: PersonId,
    /// Name.
    pub name: String,
    /// Ministry.
    pub ministry: MinistryId,
    /// The ministry's name in the person's language.
    pub ministry_name: String,
    /// The ministry's digits.
    pub agency_code: String,
    /// POSIX login name on hosts.
    pub account: String,
    /// `ko` or `en`.
    pub language: String,
}

impl Identity {
    pub(super) fn platform_act(&self, action: &'static str) -> Act {
        let nobody = Client {
            address: String::new(),
            user_agent: String::new(),
        };
        self.act(action, By::Platform("admin"), &nobody)
    }

    /// Adds a ministry.
    ///
    /// # Errors
    /// [`Refusal::AgencyTaken`], or a name or code that is empty or too long.
    pub async fn admin_create_ministry(&self, new: &NewMinistry) -> Result<MinistryId, Error> {
        new.check()?;
        let act = self.platform_act("identity.create-ministry");
        let now = act.at;
        let ministry = Ministry {
            id: MinistryId::new(now, self.tools.entropy.as_ref()),
            name_ko: new.name_ko.trim().to_owned(),
            name_en: new.name_en.trim().to_owned(),
            agency_code: new.agency_code.trim().to_owned(),
            is_platform: new.is_platform,
        };
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(ministry.id);
                tx.note("agency_code", ministry.agency_code.as_str());
                tx.note("is_platform", ministry.is_platform);
                let added = store::people::insert_ministry(tx, &ministry, now).await?;
                Ok(if added {
                    Ok(ministry.id)
                } else {
                    Err(Refusal::AgencyTaken)
                })
            })
        })
        .await
    }

    /// The ministry with this agency code.
    ///
    /// # Errors
    /// When there is none.
    pub async fn ministry_by_agency(&self, code: &str) -> Result<Ministry, Error> {
        let ministry = store::people::ministry_by_agency(&self.db, code).await?;
        Ok(ministry.ok_or(Refusal::NoSuch("ministry"))?)
    }

    /// Whether a ministry runs the platform; `false` for one that is not there.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_platform(&self, ministry: MinistryId) -> Result<bool, naru_store::Error> {
        Ok(store::people::ministry(&self.db, ministry)
            .await?
            .is_some_and(|ministry| ministry.is_platform))
    }

    /// What these people are called, of one ministry or of all; those who are not there are left out.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn names(
        &self,
        people: &BTreeSet<PersonId>,
        ministry: Option<MinistryId>,
    ) -> Result<BTreeMap<PersonId, String>, naru_store::Error> {
        let people: Vec<PersonId> = people.iter().copied().collect();
        let mut names = BTreeMap::new();
        for some in people.chunks(store::people::NAMES_PEOPLE_MAX) {
            names.extend(store::people::names(&self.db, some, ministry).await?);
        }
        Ok(names)
    }

    /// The person with this certificate subject, however it is spelled.
    ///
    /// # Errors
    /// When there is none.
    pub async fn person_by_subject(&self, subject_name: &str) -> Result<PersonId, Error> {
        let key = naru_pki::name::fold_text(subject_name).ok_or(Refusal::NoSuch("person"))?;
        let person = store::people::person_by_subject(&self.db, &key).await?;
        Ok(person.ok_or(Refusal::NoSuch("person"))?.id)
    }

    /// The ministry a person's certificate names.
    ///
    /// # Errors
    /// When there is no such person.
    pub async fn home_of(&self, person: PersonId) -> Result<MinistryId, Error> {
        let person = store::people::person(&self.db, person).await?;
        Ok(person.ok_or(Refusal::NoSuch("person"))?.ministry)
    }

    /// Adds a person to a ministry.
    ///
    /// # Errors
    /// When there is no such ministry, a field is wrong or the subject name is taken.
    pub async fn admin_create_person(
        &self,
        ministry: MinistryId,
        form: &PersonForm,
    ) -> Result<PersonId, Error> {
        let ministry = store::people::ministry(&self.db, ministry).await?;
        let ministry = ministry.ok_or(Refusal::NoSuch("ministry"))?;
        let act = Act {
            ministry: Some(ministry.id),
            ..self.platform_act("identity.create-person")
        };
        let (id, _) = self.create_in(act, ministry, form, None).await?;
        Ok(id)
    }

    /// Whether a person has a second factor.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn has_factor(&self, person: PersonId) -> Result<bool, Error> {
        Ok(!store::factors::of_person(&self.db, person).await?.is_empty())
    }

    /// Hands out an activation code.
    ///
    /// # Errors
    /// When there is no such person, or they are revoked.
    pub async fn admin_activation_code(&self, person: PersonId) -> Result<ActivationCode, Error> {
        let known = store::people::person(&self.db, person)
            .await?
            .ok_or(Refusal::NoSuch("person"))?;
        let act = Act {
            ministry: Some(known.ministry),
            ..self.platform_act("identity.hand-out-activation-code")
        };
        self.new_code(act, person, (known.ministry, None)).await
    }

    /// Revokes a person: they are out of everything at once.
    ///
    /// # Errors
    /// When there is no such person.
    pub async fn admin_revoke_person(&self, person: PersonId) -> Result<(), Error> {
        let known = store::people::person(&self.db, person)
            .await?
            .ok_or(Refusal::NoSuch("person"))?;
        let act = Act {
            ministry: Some(known.ministry),
            ..self.platform_act("identity.revoke-person")
        };
        let (tools, now) = (self.tools.clone(), act.at);
        let done = self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(person);
                let held = granted!(
                    store::people::hold(tx, person)
                        .await?
                        .ok_or(Refusal::NoSuch("person"))
                );
                revoke_held(tx, tools, held, now).await
            })
        });
        done.await?;
        self.tools.desktops.wake();
        Ok(())
    }

    /// What a desktop needs to know of a person who may work in this ministry now; `None` for one who is revoked, does
    /// not serve it or is not there.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn person_card(
        &self,
        person: PersonId,
        ministry: MinistryId,
    ) -> Result<Option<PersonCard>, Error> {
        let tenant = Tenant::of(ministry);
        let membership = store::members::of(self.db.within(tenant), person).await?;
        let serves = membership.filter(|membership| membership.state == MembershipState::Active);
        let (Some(membership), Some(person)) = (serves, store::people::person(&self.db, person).await?)
        else {
            return Ok(None);
        };
        if person.state == PersonState::Revoked {
            return Ok(None);
        }
        let Some(ministry) = store::people::ministry(&self.db, ministry).await? else {
            return Ok(None);
        };
        Ok(Some(PersonCard {
            person: person.id,
            ministry: ministry.id,
            ministry_name: ministry.name(&person.language).to_owned(),
            agency_code: ministry.agency_code,
            name: person.name,
            account: membership.account,
            language: person.language,
        }))
    }

    /// Whether a session is signed in and not over.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn is_signed_in(&self, logon: LogonId) -> Result<bool, Error> {
        let now = self.clock.now();
        let logon = store::logons::by_id(&self.db, logon).await?;
        Ok(logon.is_some_and(|logon| logon.state == LogonState::SignedIn && now < logon.idle_expires_at))
    }
}
