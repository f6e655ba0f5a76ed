//! What the portal's page does next for a request that waits: the one way into every application, whatever its protocol.

use naru_kernel::{Actor, MinistryId};
use naru_runtime::{Caller, Client};

use super::{
    Applications,
    pending::{Pending, Waiting},
};
use crate::{
    Error, Refusal,
    model::{Application, Icon, NamedApplication, SsoStep},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};

/// A signed-in caller, or nobody: who owes a second factor is nobody yet.
pub(crate) fn signed_in(caller: &Caller) -> Option<&Actor> {
    match caller {
        Caller::SignedIn(actor) => Some(actor),
        Caller::FirstFactor(_) | Caller::Anyone => None,
    }
}

impl Applications {
    /// How far a request is.
    ///
    /// # Errors
    /// [`Refusal::NoSuchRequest`] when there is none; or the store fails.
    pub(crate) async fn step(
        &self,
        handle: &str,
        caller: &Caller,
        client: &Client,
    ) -> Result<SsoStep, Error> {
        let waiting = self.waiting(handle).await?;
        match &waiting.pending {
            Pending::Oidc(pending) => self.oidc_step(&waiting, pending, caller, client).await,
            Pending::Logout(pending) => self.logout_step(&waiting, pending, caller).await,
            Pending::Saml { request } => self.saml_step(&waiting, request, caller, client).await,
            Pending::SamlLogout { request } => self.saml_logout_step(&waiting, request, caller).await,
            Pending::Pushed { .. } | Pending::Answer(_) => Err(Refusal::NoSuchRequest.into()),
        }
    }

    /// The person agrees, or does not, to what the application asks to know.
    ///
    /// # Errors
    /// [`Refusal::NoSuchRequest`] when there is none that asks; or the store fails.
    pub(crate) async fn consent(
        &self,
        handle: &str,
        actor: &Actor,
        answer: ConsentAnswer,
        client: &Client,
    ) -> Result<SsoStep, Error> {
        let waiting = self.waiting(handle).await?;
        match &waiting.pending {
            Pending::Oidc(pending) => {
                self.oidc_consent(&waiting, pending, (actor, answer), client)
                    .await
            }
            Pending::Saml { request } => {
                self.saml_consent(&waiting, request, (actor, answer), client)
                    .await
            }
            Pending::SamlLogout { .. } => Err(Refusal::NoSuchRequest.into()),
            Pending::Pushed { .. } | Pending::Answer(_) | Pending::Logout(_) => {
                Err(Refusal::NoSuchRequest.into())
            }
        }
    }

    /// The person does not want to go on.
    ///
    /// # Errors
    /// [`Refusal::NoSuchRequest`] when there is none; or the store fails.
    pub(crate) async fn refuse_request(
        &self,
        handle: &str,
        caller: &Caller,
        client: &Client,
    ) -> Result<SsoStep, Error> {
        let waiting = self.waiting(handle).await?;
        match &waiting.pending {
            Pending::Oidc(pending) => self.oidc_refused(&waiting, pending, caller, client).await,
            Pending::Saml { request } => self.saml_refused(&waiting, request, caller, client).await,
            Pending::SamlLogout { .. } => Err(Refusal::NoSuchRequest.into()),
            Pending::Pushed { .. } | Pending::Answer(_) | Pending::Logout(_) => {
                Err(Refusal::NoSuchRequest.into())
            }
        }
    }

    /// Nobody is signed in: the log-on comes first, and names where it leads.
    pub(crate) async fn sign_on_first(
        &self,
        waiting: &Waiting,
        language: Option<String>,
    ) -> Result<SsoStep, Error> {
        let application = self
            .named(waiting.application()?, language.as_deref().unwrap_or("ko"))
            .await?;
        Ok(SsoStep::SignOn {
            language,
            application,
        })
    }

    /// An application as the page names it.
    pub(crate) async fn named(
        &self,
        application: &Application,
        language: &str,
    ) -> Result<NamedApplication, Error> {
        Ok(NamedApplication {
            name: application.name.of(language).to_owned(),
            ministry_name: self.ministry_name(application.ministry, language).await?,
            logo: match &application.icon {
                Icon::Png(png) => Some(format!("data:image/png;base64,{}", STANDARD.encode(png))),
                Icon::Named(_) => None,
            },
        })
    }

    async fn ministry_name(&self, ministry: MinistryId, language: &str) -> Result<String, Error> {
        let known = self.parts.people.ministries(vec![ministry]).await?;
        Ok(known
            .get(&ministry)
            .map(|facts| facts.name(language).to_owned())
            .unwrap_or_default())
    }
}

/// What a person answers.
#[derive(Clone, Copy, Debug, serde::Deserialize, schemars::JsonSchema)]
#[serde(deny_unknown_fields)]
pub(crate) struct ConsentAnswer {
    /// Whether the application may know it.
    pub(crate) agree: bool,
    /// Whether not to ask again.
    #[serde(default)]
    pub(crate) remember: bool,
}
