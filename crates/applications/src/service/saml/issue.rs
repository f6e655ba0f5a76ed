//! Answers: an assertion, or why there is none. Both wait a minute behind a one-time page that posts them.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use naru_kernel::Seconds;
use naru_runtime::{Caller, Client};
use naru_sso::saml::{
    self, Answer, Assertion, LogoutBinding, NameId, NameIdFormat, Padding, Status, choose_name_id,
    failure_response, message_id, success_response,
};
use naru_store::By;

use super::{Applications, SamlPending, begin::SIGN_ON};
use crate::{
    Error, Refusal,
    model::{Application, SamlSettings, SsoStep},
    rules::saml::{MEANINGLESS_NAMES, preferred_name, released, service_provider},
    service::{
        asking::Asker,
        pending::{ANSWER_LIFE, FormAnswer, Pending, Waiting},
        random,
        step::signed_in,
    },
    store::{self, saml::NewSession},
};

/// How long a session at a service provider is remembered; longer than any log-on lives.
const SESSION_LIFE: Seconds = Seconds::hours(24);
/// Sessions of one log-on at one service provider; more share the newest.
const SESSIONS_MAX: usize = 16;

/// Who the person is for this service provider.
struct Named {
    name_id: NameId,
    session_index: String,
}

impl Applications {
    /// Issues an assertion; gives the page that posts it, or the status to answer with instead. `waiting` is taken with it,
    /// so that one request has one answer.
    pub(super) async fn saml_issue(
        &self,
        (asker, client): (&Asker, &Client),
        application: &Application,
        pending: &SamlPending,
        (context, because): (String, Vec<String>),
        waiting: Option<Vec<u8>>,
    ) -> Result<Result<String, Status>, Error> {
        let settings = application.saml().ok_or(Refusal::NoSuchRequest)?;
        let format = match choose_name_id(
            pending.name_id.as_ref(),
            &settings.entity_id,
            preferred_name(settings),
            &MEANINGLESS_NAMES,
        ) {
            Ok(format) => format,
            Err(status) => return Ok(Err(status)),
        };
        // Unless a request insists on a lasting name, one may be made: the administrators chose it.
        let may_create = pending
            .name_id
            .as_ref()
            .is_none_or(|policy| policy.allow_create || policy.format != Some(NameIdFormat::Persistent));
        let by = By::Person(asker.actor.person, asker.actor.logon);
        let act = self.act(SIGN_ON, by, Some(asker.actor.ministry), &client.address);
        let name = NameToBe {
            asker: asker.clone(),
            application: application.clone(),
            format,
            may_create,
            by_browser: service_provider(settings)
                .logout_address(LogoutBinding::Soap)
                .is_none(),
            fresh: [
                message_id(self.parts.entropy.as_ref()),
                random::name(self.parts.entropy.as_ref()),
            ],
        };
        let now = act.at;
        let attributes = released(&settings.attributes, &asker.subject, asker.logon.assurance);
        let told: Vec<String> = attributes
            .iter()
            .map(|attribute| attribute.name.clone())
            .collect();
        let asked = pending.request_id.is_some();
        let id = application.id;
        let (tenant, person) = (asker.actor.tenant(), asker.actor.person);
        let named = self
            .decide(act, move |tx| {
                Box::pin(async move {
                    tx.about(id);
                    tx.note("asked", asked);
                    tx.note("attributes", told);
                    tx.note("because", because);
                    if let Some(hash) = waiting
                        && store::requests::take(tx, hash, now).await?.is_none()
                    {
                        return Ok(Err(Refusal::NoSuchRequest));
                    }
                    let named = name.begin(tx, now).await?;
                    if named.is_none() {
                        tx.refused(Refusal::SamlNotAsAsked.code());
                    } else {
                        store::tiles::opened(tx, tenant, (person, id), now).await?;
                    }
                    Ok(Ok(named))
                })
            })
            .await?;
        let Some(named) = named else {
            return Ok(Err(Status::InvalidNameIdPolicy));
        };
        let assertion = Assertion {
            issuer: self.saml_entity_id(),
            audience: settings.entity_id.clone(),
            recipient: pending.answer_url.clone(),
            in_response_to: pending.request_id.clone(),
            issued_at: now,
            authenticated_at: asker.logon.authenticated_at,
            session_until: None,
            session_index: named.session_index,
            context,
            name_id: named.name_id,
            attributes,
        };
        let xml = self.saml_response(&assertion, settings).await?;
        self.keep_answer(application, pending, &xml).await.map(Ok)
    }

    async fn saml_response(&self, assertion: &Assertion, settings: &SamlSettings) -> Result<String, Error> {
        let keys = self.saml_keys().await?;
        let certificate = match (&settings.encryption_certificate, settings.wants_encrypted) {
            (Some(text), true) => Some(STANDARD.decode(text).map_err(|_| Error::Key)?),
            (None, true) => return Err(Error::Key),
            (_, false) => None,
        };
        let seal_for = certificate.as_deref().map(|der| (der, Padding::Sha1));
        success_response(assertion, seal_for, keys.signing()?, self.parts.entropy.as_ref()).map_err(unusable)
    }

    /// Keeps an answer for its page.
    async fn keep_answer(
        &self,
        application: &Application,
        pending: &SamlPending,
        xml: &str,
    ) -> Result<String, Error> {
        let relay = pending
            .relay_state
            .iter()
            .map(|state| ("RelayState".to_owned(), state.clone()));
        let answer = FormAnswer {
            address: pending.answer_url.clone(),
            fields: std::iter::once(("SAMLResponse".to_owned(), STANDARD.encode(xml)))
                .chain(relay)
                .collect(),
        };
        let handle = self
            .keep_request(Some(application.id), &Pending::Answer(answer), ANSWER_LIFE)
            .await?;
        Ok(format!("/sso/answer/{handle}"))
    }

    /// Answers that there is no assertion, and why; the request is over.
    pub(super) async fn saml_failure(
        &self,
        waiting: &Waiting,
        pending: &SamlPending,
        status: Status,
        caller: &Caller,
        client: &Client,
    ) -> Result<SsoStep, Error> {
        let application = waiting.application()?;
        let (by, ministry) = match signed_in(caller) {
            Some(actor) => (By::Person(actor.person, actor.logon), actor.ministry),
            None => (By::Anyone, application.ministry),
        };
        let act = self.act(SIGN_ON, by, Some(ministry), &client.address);
        let (id, hash, now) = (application.id, waiting.hash.clone(), act.at);
        let taken: bool = self
            .parts
            .db
            .change(act, move |tx| {
                Box::pin(async move {
                    tx.about(id);
                    tx.note("status", format!("{status:?}"));
                    tx.refused(Refusal::SamlNotAsAsked.code());
                    // It may be gone with an attempt to answer it just before.
                    Ok::<_, Error>(store::requests::take(tx, hash, now).await?.is_some())
                })
            })
            .await?;
        if !taken && status != Status::InvalidNameIdPolicy {
            return Err(Refusal::NoSuchRequest.into());
        }
        let keys = self.saml_keys().await?;
        let issuer = self.saml_entity_id();
        let answer = Answer {
            issuer: &issuer,
            destination: &pending.answer_url,
            in_response_to: pending.request_id.as_deref(),
            at: now,
        };
        let xml = failure_response(&answer, status, keys.signing()?, self.parts.entropy.as_ref())
            .map_err(unusable)?;
        let url = self.keep_answer(application, pending, &xml).await?;
        Ok(SsoStep::Post { url })
    }

    /// An assertion that nobody asked for, as a tile begins it; gives the page that posts it.
    ///
    /// # Errors
    /// [`Refusal::NotOpenable`] when the application does not take it.
    pub(crate) async fn saml_unasked(
        &self,
        asker: &Asker,
        application: &Application,
        client: &Client,
    ) -> Result<String, Error> {
        let settings = application.saml().ok_or(Refusal::NotOpenable)?;
        let consumer = settings
            .assertion_consumers
            .first()
            .filter(|_| settings.allows_unasked)
            .ok_or(Refusal::NotOpenable)?;
        let pending = SamlPending {
            request_id: None,
            answer_url: consumer.url.clone(),
            relay_state: settings.relay_state.clone(),
            force: false,
            passive: false,
            name_id: None,
            context: None,
            agreed_in: None,
        };
        if self.saml_must_ask(asker, application, settings, &pending).await? {
            // The page asks, as if the service provider had begun.
            let kept = Pending::Saml {
                request: serde_json::to_value(&pending)?,
            };
            let life = crate::service::pending::REQUEST_LIFE;
            let handle = self.keep_request(Some(application.id), &kept, life).await?;
            return Ok(format!("#/sso/{handle}"));
        }
        let proof = crate::rules::saml::proof(&asker.logon);
        let saml::ContextAnswer::Satisfied(context) = saml::judge_context(None, proof) else {
            return Err(Refusal::NotOpenable.into());
        };
        let issued = self
            .saml_issue(
                (asker, client),
                application,
                &pending,
                (context, Vec::new()),
                None,
            )
            .await?;
        issued.map_err(|_| Refusal::SamlNotAsAsked.into())
    }
}

/// The name a session will have.
struct NameToBe {
    asker: Asker,
    application: Application,
    format: NameIdFormat,
    may_create: bool,
    by_browser: bool,
    /// A session index and a name, if they are needed.
    fresh: [String; 2],
}

impl NameToBe {
    /// Begins a session of this log-on at this application; `None` when the name may not be made.
    async fn begin(
        self,
        tx: &mut naru_store::Tx,
        now: naru_kernel::Timestamp,
    ) -> Result<Option<Named>, Error> {
        let (actor, subject, id) = (&self.asker.actor, &self.asker.subject, self.application.id);
        let entity_id = self.application.saml().map(|settings| settings.entity_id.clone());
        let for_service_provider = matches!(self.format, NameIdFormat::Persistent | NameIdFormat::Transient)
            .then_some(entity_id)
            .flatten();
        // Some service providers keep a session for each assertion, so each has an index of its own, up to a bound.
        let open = store::saml::open_sessions(tx, actor.logon, id, self.format).await?;
        if open.len() >= SESSIONS_MAX
            && let Some(newest) = open.into_iter().next()
        {
            return Ok(Some(Named {
                name_id: NameId {
                    format: self.format,
                    value: newest.name_id,
                    for_service_provider,
                },
                session_index: newest.session_index,
            }));
        }
        let [session_index, fresh] = self.fresh;
        let value = match self.format {
            NameIdFormat::Transient => fresh,
            NameIdFormat::EmailAddress => match &subject.email {
                Some(email) => email.clone(),
                None => return Ok(None),
            },
            NameIdFormat::Unspecified => subject.account.clone(),
            NameIdFormat::Persistent => match store::saml::name(tx, id, actor.person).await? {
                Some(name) => name,
                None if self.may_create => {
                    store::saml::add_name(tx, id, actor.person, &fresh, now).await?;
                    store::saml::name(tx, id, actor.person).await?.unwrap_or(fresh)
                }
                None => return Ok(None),
            },
        };
        let name_id = NameId {
            format: self.format,
            value,
            for_service_provider,
        };
        let session = NewSession {
            session_index: session_index.clone(),
            application: id,
            person: actor.person,
            person_ministry: actor.ministry,
            logon: actor.logon,
            name_id: name_id.clone(),
            by_browser: self.by_browser,
            expires_at: now + SESSION_LIFE,
        };
        store::saml::add_session(tx, session, now).await?;
        Ok(Some(Named {
            name_id,
            session_index,
        }))
    }
}

/// A key or certificate that was accepted and does not work now.
fn unusable(why: saml::Refusal) -> Error {
    tracing::error!(%why, "a SAML message could not be written");
    Error::Key
}
