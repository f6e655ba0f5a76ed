//! A request comes in: checked as far as it can be without knowing the person, and kept.

use naru_kernel::Seconds;
use naru_runtime::Client;
use naru_sso::saml::{
    self, AuthnRequest, Expectation, Incoming, LogoutRequest, MESSAGE_MINUTES_MAX, check_request,
};

use super::{super::pending, Applications, SamlPending};
use crate::{
    Error, Refusal,
    model::{Application, ApplicationState},
    rules::saml::service_provider,
    service::{pending::Pending, random},
    store,
};

/// How long the number of a message is remembered: from before it is valid until after.
const REMEMBERED: Seconds = Seconds::minutes(2 * MESSAGE_MINUTES_MAX + 1);
pub(super) const SIGN_ON: &str = "applications.saml-sign-on";

impl Applications {
    /// Takes a request and keeps it; gives the page of ours where it goes on.
    ///
    /// # Errors
    /// Why the request is refused; nothing is sent to the address in it then.
    pub(crate) async fn saml_begin(
        &self,
        incoming: Result<Incoming, saml::Refusal>,
        client: &Client,
    ) -> Result<String, Error> {
        let read =
            incoming.and_then(|incoming| AuthnRequest::read(&incoming).map(|request| (incoming, request)));
        let (incoming, request) = match read {
            Ok(read) => read,
            Err(why) => return Err(self.refuse_saml(SIGN_ON, why, None, &client.address).await),
        };
        let application = self.saml_application(SIGN_ON, request.issuer(), client).await?;
        let settings = application.saml().ok_or(Refusal::SamlUnknown)?;
        let provider = service_provider(settings);
        let here = self.saml_sign_on_url();
        let expected = Expectation {
            service_provider: &provider,
            here: &here,
            now: self.now(),
        };
        let taken = match check_request(&incoming, &request, &expected) {
            Ok(taken) => taken,
            Err(why) => {
                return Err(self
                    .refuse_saml(SIGN_ON, why, Some(&application), &client.address)
                    .await);
            }
        };
        self.saml_once(SIGN_ON, &application, request.id(), client)
            .await?;
        let pending = SamlPending {
            request_id: Some(request.id().to_owned()),
            answer_url: taken.answer_url,
            relay_state: incoming.relay_state().map(str::to_owned),
            force: request.force(),
            passive: request.passive(),
            name_id: request.name_id().cloned(),
            context: request.context().cloned(),
            agreed_in: None,
        };
        let pending = Pending::Saml {
            request: serde_json::to_value(pending)?,
        };
        let handle = self
            .keep_request(Some(application.id), &pending, pending::REQUEST_LIFE)
            .await?;
        Ok(format!("/#/sso/{handle}"))
    }

    /// The application with this entity identifier, which may be of any ministry.
    pub(super) async fn saml_application(
        &self,
        action: &'static str,
        entity_id: &str,
        client: &Client,
    ) -> Result<Application, Error> {
        let found = store::applications::application_by_entity_id(&self.parts.db, entity_id).await?;
        match found {
            Some(application) if application.state == ApplicationState::Active => Ok(application),
            Some(application) => Err(self
                .refuse_saml_as(
                    action,
                    Refusal::Paused,
                    "paused",
                    Some(&application),
                    &client.address,
                )
                .await),
            None => Err(self
                .refuse_saml_as(
                    action,
                    Refusal::SamlUnknown,
                    "issuer-unknown",
                    None,
                    &client.address,
                )
                .await),
        }
    }

    /// Remembers a message's identifier; refuses one that was seen before.
    pub(super) async fn saml_once(
        &self,
        action: &'static str,
        application: &Application,
        id: &str,
        client: &Client,
    ) -> Result<(), Error> {
        let hash = random::hash(&format!("saml {} {id}", application.id));
        let until = self.now() + REMEMBERED;
        let fresh = self
            .parts
            .db
            .housekeep("applications.keep-request", move |tx| {
                Box::pin(async move { Ok::<_, Error>(store::tokens::remember(tx, hash, until).await?) })
            })
            .await?;
        if fresh {
            return Ok(());
        }
        Err(self
            .refuse_saml_as(
                action,
                Refusal::SamlReplayed,
                "message-replayed",
                Some(application),
                &client.address,
            )
            .await)
    }

    /// Reads a logout request of a service provider, checked and seen for the first time.
    pub(super) async fn saml_logout_request(
        &self,
        incoming: &Incoming,
        client: &Client,
    ) -> Result<(Application, LogoutRequest), Error> {
        const ACTION: &str = super::leaving::LOGOUT;
        let request = match LogoutRequest::read(incoming) {
            Ok(request) => request,
            Err(why) => return Err(self.refuse_saml(ACTION, why, None, &client.address).await),
        };
        let application = self.saml_application(ACTION, request.issuer(), client).await?;
        let provider = service_provider(application.saml().ok_or(Refusal::SamlUnknown)?);
        if let Err(why) = request.check(incoming, &provider, &self.saml_logout_url(), self.now()) {
            return Err(self
                .refuse_saml(ACTION, why, Some(&application), &client.address)
                .await);
        }
        self.saml_once(ACTION, &application, request.id(), client).await?;
        Ok((application, request))
    }
}
