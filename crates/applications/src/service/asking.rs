//! May this person open this application, here and now: offered to their ministry, switched on, and the site's rules.

use std::collections::BTreeSet;

use naru_kernel::{
    Actor, ApplicationId, MinistryId,
    access::{AccessDecision, AccessQuestion, Device, Resource},
};
use naru_runtime::Client;

use super::Applications;
use crate::{
    Error, LogonFacts, Refusal, SubjectFacts,
    model::{Application, ApplicationState},
    store,
};

/// Who asks, with all that the answer may depend on.
#[derive(Clone, Debug)]
pub(crate) struct Asker {
    /// Who, in which session.
    pub(crate) actor: Actor,
    /// What is known of them.
    pub(crate) subject: SubjectFacts,
    /// What is known of the session.
    pub(crate) logon: LogonFacts,
}

impl Applications {
    /// What is known of a signed-in caller.
    ///
    /// # Errors
    /// [`Refusal::Denied`] when the person or the session is over; or the store fails.
    pub(crate) async fn asker(&self, actor: &Actor) -> Result<Asker, Error> {
        let people = &self.parts.people;
        let subject = people.subject(actor.ministry, actor.person).await?;
        let logon = people.logon(actor.logon).await?;
        match (subject, logon) {
            (Some(subject), Some(logon)) if logon.alive && logon.person == actor.person => Ok(Asker {
                actor: actor.clone(),
                subject,
                logon,
            }),
            _ => Err(Refusal::Denied.into()),
        }
    }

    /// An application of any ministry, and whether it is offered to the people of this one: for rules that are tried.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn offer(
        &self,
        id: ApplicationId,
        to: MinistryId,
    ) -> Result<Option<(Application, bool)>, naru_store::Error> {
        let Some(application) = store::applications::application_by_id(&self.parts.db, id).await? else {
            return Ok(None);
        };
        let offered = store::applications::is_offered(&self.parts.db, id, to).await?;
        Ok(Some((application, offered)))
    }

    /// Whether the person may open the application now. What is not offered to their ministry is not there.
    ///
    /// # Errors
    /// [`Refusal::NoSuchApplication`], [`Refusal::Paused`]; or the store fails.
    pub(crate) async fn may_open(
        &self,
        asker: &Asker,
        application: &Application,
        client: &Client,
    ) -> Result<AccessDecision, Error> {
        let Asker {
            actor,
            subject,
            logon,
        } = asker;
        if !store::applications::is_offered(&self.parts.db, application.id, actor.ministry).await? {
            return Err(Refusal::NoSuchApplication.into());
        }
        if application.state == ApplicationState::Paused {
            return Err(Refusal::Paused.into());
        }
        let question = AccessQuestion {
            actor: actor.clone(),
            groups: subject.groups.iter().cloned().collect::<BTreeSet<_>>(),
            unit: subject.unit.clone(),
            assurance: logon.assurance,
            resource: Resource::Application {
                id: application.id,
                ministry: application.ministry,
                label: application.label,
            },
            zone: None,
            device: Device::Unknown,
            address: client.address.clone(),
            at: self.now(),
        };
        Ok(self.parts.rules.decide(question).await?)
    }
}
