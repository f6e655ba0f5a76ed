//! Trying: would this person be let in, and which rules make it so.

use std::collections::BTreeSet;

use naru_kernel::{
    Actor, ApplicationId, LogonId, PersonId, Timestamp, Zone,
    access::{AccessQuestion, Assurance, Device, Resource},
};
use naru_runtime::Client;
use serde::{Deserialize, Serialize};

use super::{Policies, may};
use crate::{
    Error, PersonFacts,
    cedar::Compiled,
    model::{Because, Policy, Words},
    rules::Refusal,
};

/// What is tried.
#[derive(Clone, Debug, Deserialize, Serialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct TryForm {
    /// For whom, of the administrator's ministry.
    pub person: PersonId,
    /// Opening this application …
    #[serde(default)]
    pub application: Option<ApplicationId>,
    /// … or a desktop in this zone.
    #[serde(default)]
    pub zone: Option<Zone>,
    /// By way of which network zone; unknown if absent.
    #[serde(default)]
    pub via_zone: Option<Zone>,
    /// When; now if absent.
    #[serde(default)]
    pub at: Option<Timestamp>,
    /// On which device.
    #[serde(default)]
    pub device: Device,
    /// From which network address; unknown if empty.
    #[serde(default)]
    pub address: String,
    /// With which log-on; certificate and one-time code if absent.
    #[serde(default)]
    pub assurance: Option<Assurance>,
    /// A rule that is not saved yet, as if it held.
    #[serde(default)]
    pub draft: Option<String>,
}

/// Who was tried.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct Subject {
    /// Name.
    pub name: String,
    /// Unit.
    pub unit: String,
    /// Groups.
    pub groups: Vec<String>,
    /// Roles.
    pub roles: Vec<naru_kernel::Role>,
}

/// What came of it.
#[derive(Clone, Debug, Serialize, Deserialize, schemars::JsonSchema)]
pub struct TryAnswer {
    /// Whether it would be opened.
    pub allowed: bool,
    /// The rules that make it so; empty when no rule allows it.
    pub because: Vec<Because>,
    /// The assurance with which it would be opened, if that is all that is missing.
    pub step_up: Option<Assurance>,
    /// What went wrong while judging; that refuses.
    pub errors: Vec<String>,
    /// As rules saw the person.
    pub person: Subject,
    /// The hour rules saw, 0–23 in Korea.
    pub hour: i64,
    /// The weekday rules saw, 1 (Monday)–7.
    pub weekday: i64,
}

impl Policies {
    /// Judges a question about somebody else without opening anything. It tells of a person, so it stands in the record.
    ///
    /// # Errors
    /// When the actor may not, the ministry does not know the person or what is to be opened, or the draft has mistakes.
    pub async fn try_out(&self, actor: &Actor, form: &TryForm, client: &Client) -> Result<TryAnswer, Error> {
        may(actor)?;
        let draft = form.draft.as_deref().map(|text| self.draft(text)).transpose()?;
        let facts = self.parts.people.person(actor.ministry, form.person).await?;
        let facts = facts.ok_or(Refusal::NoSuchPerson)?;
        let question = self.question(actor, form, &facts).await?;
        let verdict = self.verdict(&question, draft.as_ref()).await?;
        let mut act = self.act("policies.try", actor, form.person.to_string(), client);
        act.at = self.parts.clock.now();
        let (asked, allowed) = (serde_json::json!(form), verdict.is_allowed);
        let because: Vec<String> = verdict.because.iter().map(|one| one.rule.clone()).collect();
        self.settle(act, move |tx| {
            Box::pin(async move {
                tx.note("asked", asked);
                tx.note("allowed", allowed);
                tx.note("because", because);
                Ok(Ok(()))
            })
        })
        .await?;
        let (hour, weekday) = crate::cedar::korean(question.at);
        Ok(TryAnswer {
            allowed: verdict.is_allowed,
            because: verdict.because,
            step_up: verdict.step_up,
            errors: verdict.errors,
            person: Subject {
                name: facts.name,
                unit: facts.unit,
                groups: facts.groups,
                roles: facts.roles,
            },
            hour,
            weekday,
        })
    }

    fn draft(&self, text: &str) -> Result<Compiled, Error> {
        self.language.check(text).map_err(Refusal::Text)?;
        let draft = Policy {
            id: naru_kernel::PolicyId::from_bits(0),
            ministry: naru_kernel::MinistryId::from_bits(0),
            name: Words {
                ko: "초안".to_owned(),
                en: "Draft".to_owned(),
            },
            text: text.to_owned(),
            has_forbid: true,
            is_on: true,
            version: 0,
            created_at: Timestamp::from_micros(0),
            changed_at: Timestamp::from_micros(0),
            changed_by: None,
        };
        self.language.compile(&[draft])
    }

    async fn question(
        &self,
        actor: &Actor,
        form: &TryForm,
        facts: &PersonFacts,
    ) -> Result<AccessQuestion, Error> {
        let resource = match (form.application, &form.zone) {
            (Some(id), None) => {
                let found = self.parts.opens.application(id, actor.ministry).await?;
                // What is neither theirs nor offered to them is not theirs to know of.
                let found = found.filter(|found| found.offered || found.ministry == actor.ministry);
                let found = found.ok_or(Refusal::NoSuchResource)?;
                Resource::Application {
                    id,
                    ministry: found.ministry,
                    label: found.label,
                }
            }
            (None, Some(zone)) => Resource::Desktop {
                zone: zone.clone(),
                label: self.parts.opens.zone(zone).ok_or(Refusal::NoSuchResource)?,
            },
            (Some(_), Some(_)) | (None, None) => {
                return Err(Refusal::Field {
                    field: "application",
                    why: "name either an application or a zone",
                }
                .into());
            }
        };
        // No session of theirs is used: the question carries a log-on that is nobody's.
        let nobodys = LogonId::from_bits(0);
        let person = Actor::with_roles(form.person, actor.ministry, nobodys, facts.roles.iter().copied());
        Ok(AccessQuestion {
            actor: person,
            groups: facts.groups.iter().cloned().collect::<BTreeSet<_>>(),
            unit: facts.unit.clone(),
            assurance: form.assurance.unwrap_or(Assurance::CertificateTotp),
            resource,
            zone: form.via_zone.clone(),
            device: form.device,
            address: form.address.clone(),
            at: form.at.unwrap_or_else(|| self.parts.clock.now()),
        })
    }
}
