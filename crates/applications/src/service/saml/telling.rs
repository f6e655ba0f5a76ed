//! Logout without the browser: service providers that take it are told by us, also when a person is revoked.

use http::{Method, header};
use naru_kernel::Seconds;
use naru_sso::saml::{
    Answer, LogoutBinding, OutgoingLogoutRequest, logout_status_from_soap, soap_logout_request,
};

use super::{Applications, leaving::REQUEST_MINUTES};
use crate::{
    Error,
    model::Application,
    rules::saml::service_provider,
    store::{self, saml::SessionRow},
};

/// How often it is tried to tell a service provider.
const TRIES_MAX: i64 = 6;
/// The first wait between two tries; each next is four times as long: about an hour and a half in all.
const RETRY_SECONDS: i64 = 5;
const SUCCESS: u16 = 200;

impl Applications {
    /// Tells service providers of sessions that are over, by SOAP; gives how many confirmed.
    ///
    /// # Errors
    /// When the store fails.
    pub(crate) async fn tell_saml_logouts(&self) -> Result<usize, Error> {
        let due = store::saml::due(&self.parts.db, self.now()).await?;
        let telling = due.into_iter().map(|session| self.tell_by_soap(session));
        let mut told = 0;
        for done in futures_util::future::join_all(telling).await {
            told += usize::from(done?);
        }
        Ok(told)
    }

    async fn tell_by_soap(&self, session: SessionRow) -> Result<bool, Error> {
        let found = store::applications::application_by_id(&self.parts.db, session.application).await?;
        let Some(application) = found else {
            return Ok(false);
        };
        let outcome = self.send_by_soap(&session, &application).await?;
        let tries = session.tries.saturating_add(1);
        match outcome {
            Ok(true) => {
                self.settle_sessions(&application, vec![session.session_index], true)
                    .await?;
                Ok(true)
            }
            // It understood and did not: asking again changes nothing.
            Ok(false) => {
                self.settle_sessions(&application, vec![session.session_index], false)
                    .await?;
                Ok(false)
            }
            Err(why) if tries >= TRIES_MAX => {
                tracing::warn!(application = %application.id, why, "a service provider was not told of a log-out");
                self.settle_sessions(&application, vec![session.session_index], false)
                    .await?;
                Ok(false)
            }
            Err(why) => {
                tracing::warn!(application = %application.id, tries, why, "a service provider could not be told yet");
                let wait =
                    RETRY_SECONDS.saturating_mul(4_i64.saturating_pow(u32::try_from(tries - 1).unwrap_or(0)));
                let again = self.now() + Seconds(wait);
                self.parts
                    .db
                    .housekeep("applications.tell-logout", move |tx| {
                        Box::pin(async move {
                            store::saml::tried(tx, &session.session_index, again).await?;
                            Ok::<_, Error>(false)
                        })
                    })
                    .await
            }
        }
    }

    /// Whether the service provider ended the session; the inner error is why it could not be asked.
    async fn send_by_soap(
        &self,
        session: &SessionRow,
        application: &Application,
    ) -> Result<Result<bool, String>, Error> {
        let Some(settings) = application.saml() else {
            return Ok(Ok(false));
        };
        let provider = service_provider(settings);
        let Some(address) = provider.logout_address(LogoutBinding::Soap) else {
            return Ok(Ok(false));
        };
        let now = self.now();
        let issuer = self.saml_entity_id();
        let name_id = session.name(&provider.entity_id);
        let indexes = store::saml::indexes(&self.parts.db, session).await?;
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
        let keys = self.saml_keys().await?;
        let (id, signed) = request
            .signed(keys.signing()?, self.parts.entropy.as_ref())
            .map_err(|_| Error::Key)?;
        let headers = [
            (header::CONTENT_TYPE, "text/xml; charset=utf-8"),
            (
                header::HeaderName::from_static("soapaction"),
                "http://www.oasis-open.org/committees/security",
            ),
        ];
        let body = soap_logout_request(&signed).into_bytes();
        let answer = self
            .sign_on
            .outbound
            .send(Method::POST, &address.url, &headers, body)
            .await;
        Ok(match answer {
            Ok(answer) if answer.status == SUCCESS => {
                logout_status_from_soap(&answer.body, &id).map_err(|why| why.to_string())
            }
            Ok(answer) => Err(format!("status {}", answer.status)),
            Err(error) => Err(error.to_string()),
        })
    }
}
