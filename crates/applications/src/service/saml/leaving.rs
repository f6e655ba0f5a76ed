//! Logout through the browser: from one service provider to the next, each told and each answering, and back to who asked.

use naru_kernel::{Actor, ApplicationId, LogonId, Seconds};
use naru_runtime::{Caller, Client};
use naru_sso::saml::{
    self, Answer, Incoming, LogoutBinding, LogoutResponse, MessageKind, OutgoingLogoutRequest,
    OutgoingLogoutResponse, Status, redirect_address,
};
use naru_store::By;
use serde::{Deserialize, Serialize};
use serde_json::Value;

use super::Applications;
use crate::{
    Error, Refusal,
    model::{Application, SsoStep},
    rules::saml::service_provider,
    service::{
        pending::{Pending, REQUEST_LIFE, Waiting},
        random,
        step::signed_in,
    },
    store::{self, saml::SessionRow},
};

pub(super) const LOGOUT: &str = "applications.saml-log-out";
/// How long a logout request means something to a service provider.
pub(super) const REQUEST_MINUTES: i64 = 5;
/// Service providers told in one chain.
const STEPS_MAX: usize = 64;

/// A logout under way, as it is kept.
#[derive(Clone, Debug, Default, Serialize, Deserialize)]
pub(crate) struct Leaving {
    /// The request of the service provider that began; `None` when the person began in the portal.
    asked: Option<Asked>,
    /// Whose end it is.
    logon: Option<LogonId>,
    /// Who is being told: sessions and our request's identifier.
    current: Option<(Vec<String>, String)>,
    /// Sessions that were told, or tried.
    visited: Vec<String>,
    /// Applications that did not confirm.
    untold: Vec<ApplicationId>,
    /// The page of the portal sent the browser on; before that, nobody is told anything.
    begun: bool,
    /// SHA-256 of the cookie of the browser that goes from one service provider to the next. The handle is known to them all,
    /// as the relay state, and must not show one of them what another calls the person.
    browser: Option<Vec<u8>>,
}

#[derive(Clone, Debug, Serialize, Deserialize)]
struct Asked {
    request_id: String,
    relay_state: Option<String>,
}

/// Where the browser goes next.
pub(crate) enum Onward {
    /// To a service provider, or to the portal.
    To(String),
    /// Nowhere: a page that tells who did not confirm, by name in Korean and English.
    Partial(Vec<[String; 2]>),
}

impl Applications {
    /// A message to the logout service: a request, or the answer to one of ours.
    ///
    /// # Errors
    /// Why it is refused.
    pub(crate) async fn saml_logout(
        &self,
        incoming: Result<Incoming, saml::Refusal>,
        client: &Client,
    ) -> Result<Onward, Error> {
        let incoming = match incoming {
            Ok(incoming) => incoming,
            Err(why) => return Err(self.refuse_saml(LOGOUT, why, None, &client.address).await),
        };
        match incoming.kind() {
            MessageKind::Request => self.saml_asked_to_leave(&incoming, client).await.map(Onward::To),
            MessageKind::Response => self.saml_left(&incoming, client).await,
        }
    }

    /// A service provider asks: its own session is over at once, the rest goes on in the page.
    async fn saml_asked_to_leave(&self, incoming: &Incoming, client: &Client) -> Result<String, Error> {
        let (application, request) = self.saml_logout_request(incoming, client).await?;
        let act = self.act(LOGOUT, By::Anyone, Some(application.ministry), &client.address);
        let (id, name, indexes) = (
            application.id,
            request.name_id().clone(),
            request.session_indexes().to_vec(),
        );
        let logon = self
            .decide(act, move |tx| {
                Box::pin(async move {
                    tx.about(id);
                    let mut logon = None;
                    let sessions = store::saml::sessions_of_name(tx, id, &name).await?;
                    let meant = sessions
                        .into_iter()
                        .filter(|session| indexes.is_empty() || indexes.contains(&session.session_index));
                    for session in meant {
                        store::saml::settle(tx, &session.session_index, true).await?;
                        logon = Some(session.logon);
                    }
                    tx.note("known", logon.is_some());
                    Ok(Ok(logon))
                })
            })
            .await?;
        let leaving = Leaving {
            asked: Some(Asked {
                request_id: request.id().to_owned(),
                relay_state: incoming.relay_state().map(str::to_owned),
            }),
            logon,
            ..Leaving::default()
        };
        let handle = self.keep_leaving(Some(id), &leaving).await?;
        Ok(format!("/#/sso/{handle}"))
    }

    async fn keep_leaving(
        &self,
        application: Option<ApplicationId>,
        leaving: &Leaving,
    ) -> Result<String, Error> {
        let pending = Pending::SamlLogout {
            request: serde_json::to_value(leaving)?,
        };
        self.keep_request(application, &pending, REQUEST_LIFE).await
    }

    /// What the page does about a logout: log off, if it is this browser's session, and go on.
    pub(crate) async fn saml_logout_step(
        &self,
        waiting: &Waiting,
        request: &Value,
        caller: &Caller,
    ) -> Result<SsoStep, Error> {
        let mut leaving: Leaving = serde_json::from_value(request.clone())?;
        let actor = signed_in(caller).filter(|actor| leaving.logon == Some(actor.logon));
        if actor.is_none() {
            // Not this browser's session: its owner's other service providers are not for this one to hear of.
            leaving.logon = None;
        }
        // The service provider may know the handle of its own request; the one that goes on is this browser's alone.
        leaving.begun = true;
        let application = waiting.application.as_ref().map(|application| application.id);
        let handle = self.keep_leaving(application, &leaving).await?;
        let url = format!("/sso/saml/logout/{handle}");
        match actor {
            Some(actor) => {
                let language = self.asker(actor).await?.subject.language;
                let application = match &waiting.application {
                    Some(application) => Some(self.named(application, &language).await?),
                    None => None,
                };
                Ok(SsoStep::LogOut {
                    ask: false,
                    application,
                    url,
                })
            }
            // Signed off already, or this browser's session is another one: that stays.
            None => Ok(SsoStep::Go { url }),
        }
    }

    /// The person logs off in the portal: where the browser goes after that, if some service providers can only be told by it.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn saml_leave(&self, actor: &Actor) -> Result<Option<String>, Error> {
        if store::saml::sessions_by_browser(&self.parts.db, actor.logon)
            .await?
            .is_empty()
        {
            return Ok(None);
        }
        let leaving = Leaving {
            logon: Some(actor.logon),
            begun: true,
            ..Leaving::default()
        };
        let handle = self.keep_leaving(None, &leaving).await?;
        Ok(Some(format!("/sso/saml/logout/{handle}")))
    }

    async fn leaving(&self, handle: &str) -> Result<(Waiting, Leaving), Error> {
        let waiting = self.waiting(handle).await?;
        match &waiting.pending {
            Pending::SamlLogout { request } => {
                let leaving = serde_json::from_value(request.clone())?;
                Ok((waiting, leaving))
            }
            Pending::Oidc(_)
            | Pending::Pushed { .. }
            | Pending::Logout(_)
            | Pending::Saml { .. }
            | Pending::Answer(_) => Err(Refusal::NoSuchRequest.into()),
        }
    }

    /// One step on: to the next service provider, or to the end. The first step gives the browser a cookie, the next ones
    /// want it.
    ///
    /// # Errors
    /// [`Refusal::NoSuchRequest`] when there is no such logout, or it is another browser's; or the store fails.
    pub(crate) async fn saml_leave_on(
        &self,
        handle: &str,
        cookie: Option<&str>,
    ) -> Result<(Onward, Option<String>), Error> {
        let (waiting, mut leaving) = self.leaving(handle).await?;
        if !leaving.begun {
            return Err(Refusal::NoSuchRequest.into());
        }
        let mut fresh = None;
        match &leaving.browser {
            Some(known) if cookie.map(random::hash).as_ref() == Some(known) => {}
            Some(_) => return Err(Refusal::NoSuchRequest.into()),
            None => {
                let (text, hash) = random::token(self.parts.entropy.as_ref());
                leaving.browser = Some(hash);
                fresh = Some(text);
            }
        }
        let onward = self.saml_next(handle, waiting, leaving).await?;
        Ok((onward, fresh))
    }

    /// A service provider answered.
    async fn saml_left(&self, incoming: &Incoming, client: &Client) -> Result<Onward, Error> {
        let response = match LogoutResponse::read(incoming) {
            Ok(response) => response,
            Err(why) => return Err(self.refuse_saml(LOGOUT, why, None, &client.address).await),
        };
        // The relay state is our handle: an answer that nobody asked for has none.
        let handle = incoming.relay_state().ok_or(Refusal::NoSuchRequest)?;
        let (waiting, mut leaving) = self.leaving(handle).await?;
        let (indexes, request_id) = leaving.current.take().ok_or(Refusal::NoSuchRequest)?;
        if response.in_response_to() != Some(&request_id) {
            return Err(Refusal::NoSuchRequest.into());
        }
        let first = indexes.first().ok_or(Refusal::NoSuchRequest)?;
        let session = store::saml::session(&self.parts.db, first).await?;
        let application = match &session {
            Some(session) => {
                store::applications::application_by_id(&self.parts.db, session.application).await?
            }
            None => None,
        };
        if let Some(application) = application {
            let provider = service_provider(application.saml().ok_or(Refusal::SamlUnknown)?);
            let here = self.saml_logout_url();
            if let Err(why) = response.check(incoming, &provider, &here, self.now()) {
                return Err(self
                    .refuse_saml(LOGOUT, why, Some(&application), &client.address)
                    .await);
            }
            self.settle_sessions(&application, indexes, response.success())
                .await?;
            if !response.success() {
                leaving.untold.push(application.id);
            }
        }
        let pending = Pending::SamlLogout {
            request: serde_json::to_value(&leaving)?,
        };
        self.change_request(waiting.hash, &pending).await?;
        Ok(Onward::To(format!("/sso/saml/logout/{handle}")))
    }

    /// Writes down whether a service provider ended these sessions.
    pub(super) async fn settle_sessions(
        &self,
        application: &Application,
        indexes: Vec<String>,
        told: bool,
    ) -> Result<(), Error> {
        let by = By::Platform("applications");
        let act = self.act("applications.saml-tell-log-out", by, None, "");
        let (id, owner) = (application.id, application.ministry);
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.by(by, Some(owner));
                tx.about(id);
                tx.note("confirmed", told);
                for index in indexes {
                    store::saml::settle(tx, &index, told).await?;
                }
                Ok(Ok(()))
            })
        })
        .await
    }

    async fn saml_next(&self, handle: &str, waiting: Waiting, mut leaving: Leaving) -> Result<Onward, Error> {
        if let Some((_, _)) = leaving.current.take() {
            // Came back without an answer: by hand, or the service provider lost it. On to the next.
        }
        let sessions = match leaving.logon {
            Some(logon) => store::saml::sessions_by_browser(&self.parts.db, logon).await?,
            None => Vec::new(),
        };
        for session in sessions {
            if leaving.visited.contains(&session.session_index) || leaving.visited.len() >= STEPS_MAX {
                continue;
            }
            leaving.visited.push(session.session_index.clone());
            let found = store::applications::application_by_id(&self.parts.db, session.application).await?;
            let Some(application) = found else { continue };
            if let Some(url) = self
                .saml_send(handle, &session, &application, &mut leaving)
                .await?
            {
                let pending = Pending::SamlLogout {
                    request: serde_json::to_value(&leaving)?,
                };
                self.change_request(waiting.hash, &pending).await?;
                return Ok(Onward::To(url));
            }
            self.settle_sessions(&application, vec![session.session_index], false)
                .await?;
            leaving.untold.push(application.id);
        }
        self.saml_finish(handle, &waiting, leaving).await
    }

    /// The address that tells one service provider; `None` when it has none.
    async fn saml_send(
        &self,
        handle: &str,
        session: &SessionRow,
        application: &Application,
        leaving: &mut Leaving,
    ) -> Result<Option<String>, Error> {
        let Some(settings) = application.saml() else {
            return Ok(None);
        };
        let provider = service_provider(settings);
        let Some(address) = provider.logout_address(LogoutBinding::Redirect) else {
            return Ok(None);
        };
        let now = self.now();
        let name_id = session.name(&provider.entity_id);
        let indexes = store::saml::indexes(&self.parts.db, session).await?;
        let issuer = self.saml_entity_id();
        let request = OutgoingLogoutRequest {
            answer: Answer {
                issuer: &issuer,
                destination: &address.url,
                in_response_to: None,
                at: now,
            },
            name_id: &name_id,
            session_indexes: &indexes,
            not_after: now + Seconds::minutes(REQUEST_MINUTES),
        };
        let (id, xml) = request.unsigned(self.parts.entropy.as_ref());
        let keys = self.saml_keys().await?;
        let url = redirect_address(
            &address.url,
            MessageKind::Request,
            &xml,
            Some(handle),
            keys.signing()?,
        )
        .map_err(|_| Error::Key)?;
        // One request ends all of this name: they are told with it.
        leaving.visited.extend(
            indexes
                .iter()
                .filter(|index| **index != session.session_index)
                .cloned(),
        );
        leaving.current = Some((indexes, id));
        Ok(Some(url))
    }

    async fn saml_finish(&self, handle: &str, waiting: &Waiting, leaving: Leaving) -> Result<Onward, Error> {
        self.take_request(handle).await?;
        let unreached = match leaving.logon {
            Some(logon) => store::saml::unreached(&self.parts.db, logon).await? > 0,
            None => false,
        };
        // Those that were sent for and never answered.
        let silent = match leaving.logon {
            Some(logon) => !store::saml::sessions_by_browser(&self.parts.db, logon)
                .await?
                .is_empty(),
            None => false,
        };
        let is_partial = unreached || silent || !leaving.untold.is_empty();
        let asked = leaving.asked.as_ref().zip(waiting.application.as_ref());
        if let Some((asked, application)) = asked {
            return self
                .saml_answer_asker(asked, application, is_partial)
                .await
                .map(Onward::To);
        }
        if !is_partial {
            return Ok(Onward::To("/#/logon".to_owned()));
        }
        let mut names = Vec::new();
        for id in &leaving.untold {
            if let Some(application) = store::applications::application_by_id(&self.parts.db, *id).await? {
                names.push([
                    application.name.of("ko").to_owned(),
                    application.name.of("en").to_owned(),
                ]);
            }
        }
        Ok(Onward::Partial(names))
    }

    async fn saml_answer_asker(
        &self,
        asked: &Asked,
        application: &Application,
        is_partial: bool,
    ) -> Result<String, Error> {
        let provider = service_provider(application.saml().ok_or(Refusal::SamlUnknown)?);
        let Some(address) = provider.logout_address(LogoutBinding::Redirect) else {
            return Ok("/#/logon".to_owned());
        };
        let destination = address.response_url.as_deref().unwrap_or(&address.url);
        let issuer = self.saml_entity_id();
        let response = OutgoingLogoutResponse {
            answer: Answer {
                issuer: &issuer,
                destination,
                in_response_to: Some(&asked.request_id),
                at: self.now(),
            },
            failure: is_partial.then_some(Status::PartialLogout),
        };
        let xml = response.unsigned(self.parts.entropy.as_ref());
        let keys = self.saml_keys().await?;
        let relay = asked.relay_state.as_deref();
        redirect_address(destination, MessageKind::Response, &xml, relay, keys.signing()?)
            .map_err(|_| Error::Key)
    }
}
