//! Sign-on and logout by SAML 2.0.

mod begin;
mod issue;
mod keys;
mod leaving;
mod metadata;
mod step;
mod telling;

use naru_kernel::LogonId;
use naru_sso::saml::{self, NameIdPolicy, RequestedContext};
use naru_store::{Act, By};
use serde::{Deserialize, Serialize};
use serde_json::json;

use super::Applications;
use crate::{Error, Refusal, model::Application};

pub(crate) use keys::SamlKeys;
pub(crate) use leaving::Onward;

/// A sign-on under way, as it is kept.
#[derive(Clone, Debug, Serialize, Deserialize)]
pub(crate) struct SamlPending {
    /// The request's identifier; `None` when nobody asked.
    request_id: Option<String>,
    /// Registered.
    answer_url: String,
    relay_state: Option<String>,
    force: bool,
    passive: bool,
    name_id: Option<NameIdPolicy>,
    context: Option<RequestedContext>,
    /// The session in which the person agreed, when they did not want it remembered.
    agreed_in: Option<LogonId>,
}

impl Applications {
    /// Our name in SAML, which is also where our metadata is.
    pub(crate) fn saml_entity_id(&self) -> String {
        format!("{}/sso/saml/metadata", self.config().issuer())
    }

    /// Where requests come.
    pub(crate) fn saml_sign_on_url(&self) -> String {
        format!("{}/sso/saml/sign-on", self.config().issuer())
    }

    /// Where logout messages come.
    pub(crate) fn saml_logout_url(&self) -> String {
        format!("{}/sso/saml/logout", self.config().issuer())
    }

    /// Records that a message was refused, as far as strangers may fill the record, and gives the refusal back.
    pub(crate) async fn refuse_saml(
        &self,
        action: &'static str,
        why: saml::Refusal,
        application: Option<&Application>,
        address: &str,
    ) -> Error {
        let refusal = Refusal::from(why);
        self.refuse_saml_as(action, refusal, why.code(), application, address)
            .await
    }

    async fn refuse_saml_as(
        &self,
        action: &'static str,
        refusal: Refusal,
        why: &'static str,
        application: Option<&Application>,
        address: &str,
    ) -> Error {
        let nobody = naru_kernel::ApplicationId::from_bits(0);
        let known = application.map_or(nobody, |application| application.id);
        if !self.sign_on.may_record(known, self.now()) {
            return refusal.into();
        }
        let ministry = application.map(|application| application.ministry);
        let act = Act {
            subject: application.map_or_else(String::new, |application| application.id.to_string()),
            ..self.act(action, By::Anyone, ministry, address)
        };
        self.refuse(act, refusal, json!({ "why": why })).await
    }
}

impl From<saml::Refusal> for Refusal {
    fn from(why: saml::Refusal) -> Self {
        match why {
            saml::Refusal::TooLarge | saml::Refusal::TooComplex => Self::SamlTooLarge,
            saml::Refusal::Unsigned | saml::Refusal::Signature | saml::Refusal::Algorithm => {
                Self::SamlSignature
            }
            saml::Refusal::Time => Self::SamlTime,
            saml::Refusal::AnswerAddress => Self::SamlAddress,
            saml::Refusal::OtherIssuer => Self::SamlUnknown,
            // A message that is not as it should be; the record says how.
            saml::Refusal::Encoding
            | saml::Refusal::Missing
            | saml::Refusal::Malformed
            | saml::Refusal::DocumentType
            | saml::Refusal::Entity
            | saml::Refusal::Comment
            | saml::Refusal::Unexpected(_)
            | saml::Refusal::OtherDestination
            | saml::Refusal::Key
            | _ => Self::SamlMessage,
        }
    }
}
