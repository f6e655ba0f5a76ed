//! Metadata, ours and theirs.

use naru_kernel::{Action, Actor, Scope};
use naru_sso::saml::{IdentityProvider, identity_provider_metadata, read_service_provider};

use super::Applications;
use crate::{Error, Refusal, model::SamlSettings, rules::saml::settings_of};

const PLATFORM_NAME: &str = "나루 Naru";

impl Applications {
    /// Our metadata, as service providers read it.
    ///
    /// # Errors
    /// When the keys cannot be read or made.
    pub(crate) async fn saml_metadata(&self) -> Result<String, Error> {
        let keys = self.saml_keys().await?;
        Ok(identity_provider_metadata(&IdentityProvider {
            entity_id: &self.saml_entity_id(),
            sign_on_url: &self.saml_sign_on_url(),
            logout_url: &self.saml_logout_url(),
            certificates: &keys.certificates(),
            name: PLATFORM_NAME,
        }))
    }

    /// Fills a form from a service provider's metadata; nothing is stored.
    ///
    /// # Errors
    /// [`Refusal::Denied`], or [`Refusal::SamlMetadata`] when it is no metadata we can use.
    pub(crate) fn read_saml_metadata(actor: &Actor, xml: &str) -> Result<SamlSettings, Error> {
        actor.may(Action::ManageApplications, Scope::Ministry(actor.ministry))?;
        let provider =
            read_service_provider(xml.as_bytes()).map_err(|why| Refusal::SamlMetadata(why.to_string()))?;
        Ok(settings_of(&provider))
    }
}
