//! How far a sign-on is, and what the page does next.

use naru_kernel::{Actor, access::AccessDecision};
use naru_runtime::{Caller, Client};
use naru_sso::saml::{ContextAnswer, Status, judge_context};
use serde_json::Value;

use super::{Applications, SamlPending};
use crate::{
    Error, Refusal,
    model::{Application, AttributeSource, NamedScope, SamlSettings, SsoStep, StepUpReason},
    rules::saml::proof,
    service::{
        asking::Asker,
        pending::{Pending, Waiting},
        step::{ConsentAnswer, signed_in},
    },
    store,
};

/// Before the words of what a person agreed that a service provider is told.
const CONSENT: &str = "saml";

impl Applications {
    /// How far a sign-on is.
    ///
    /// # Errors
    /// When it is over, or the store fails.
    pub(crate) async fn saml_step(
        &self,
        waiting: &Waiting,
        request: &Value,
        caller: &Caller,
        client: &Client,
    ) -> Result<SsoStep, Error> {
        let pending: SamlPending = serde_json::from_value(request.clone())?;
        let application = waiting.application()?;
        let Some(actor) = signed_in(caller) else {
            if pending.passive {
                return self
                    .saml_failure(waiting, &pending, Status::NoPassive, caller, client)
                    .await;
            }
            return self.sign_on_first(waiting, None).await;
        };
        let asker = self.asker(actor).await?;
        if pending.force && asker.logon.authenticated_at < waiting.created_at {
            let assurance = asker.logon.assurance;
            let step = SsoStep::StepUp {
                assurance,
                reason: StepUpReason::Login,
            };
            return self.unless_passive(step, waiting, &pending, caller, client).await;
        }
        let context = match judge_context(pending.context.as_ref(), proof(&asker.logon)) {
            ContextAnswer::Satisfied(class) => class,
            ContextAnswer::StepUp(assurance) => {
                let step = SsoStep::StepUp {
                    assurance,
                    reason: StepUpReason::Acr,
                };
                return self.unless_passive(step, waiting, &pending, caller, client).await;
            }
            ContextAnswer::Impossible => {
                return self
                    .saml_failure(waiting, &pending, Status::NoAuthnContext, caller, client)
                    .await;
            }
        };
        let language = asker.subject.language.clone();
        let because = match self.may_open(&asker, application, client).await {
            Ok(AccessDecision::Allowed { because }) => because,
            Ok(AccessDecision::Denied {
                step_up: Some(assurance),
                ..
            }) => {
                let step = SsoStep::StepUp {
                    assurance,
                    reason: StepUpReason::Acr,
                };
                return self.unless_passive(step, waiting, &pending, caller, client).await;
            }
            Ok(AccessDecision::Denied {
                because,
                step_up: None,
            }) => {
                return self
                    .saml_denied(because, (application, &language), actor, client)
                    .await;
            }
            Err(Error::Refused(Refusal::NoSuchApplication)) => {
                return self
                    .saml_denied(Vec::new(), (application, &language), actor, client)
                    .await;
            }
            Err(error) => return Err(error),
        };
        let settings = application.saml().ok_or(Refusal::NoSuchRequest)?;
        if self
            .saml_must_ask(&asker, application, settings, &pending)
            .await?
        {
            let step = SsoStep::Consent {
                application: self.named(application, &language).await?,
                scopes: scopes(settings, &language),
            };
            return self.unless_passive(step, waiting, &pending, caller, client).await;
        }
        match self
            .saml_issue(
                (&asker, client),
                application,
                &pending,
                (context, because),
                Some(waiting.hash.clone()),
            )
            .await?
        {
            Ok(url) => Ok(SsoStep::Post { url }),
            Err(status) => self.saml_failure(waiting, &pending, status, caller, client).await,
        }
    }

    /// What a request that allows nothing to be shown gets instead.
    async fn unless_passive(
        &self,
        step: SsoStep,
        waiting: &Waiting,
        pending: &SamlPending,
        caller: &Caller,
        client: &Client,
    ) -> Result<SsoStep, Error> {
        if pending.passive {
            self.saml_failure(waiting, pending, Status::NoPassive, caller, client)
                .await
        } else {
            Ok(step)
        }
    }

    async fn saml_denied(
        &self,
        because: Vec<String>,
        (application, language): (&Application, &str),
        actor: &Actor,
        client: &Client,
    ) -> Result<SsoStep, Error> {
        let by = naru_store::By::Person(actor.person, actor.logon);
        let mut act = self.act(super::begin::SIGN_ON, by, Some(actor.ministry), &client.address);
        act.subject = application.id.to_string();
        let refusal = Refusal::Forbidden {
            because: because.clone(),
        };
        let detail = serde_json::json!({ "because": because });
        match self.refuse(act, refusal, detail).await {
            Error::Refused(_) => Ok(SsoStep::Denied {
                because,
                application: self.named(application, language).await?,
            }),
            error @ (Error::Store(_) | Error::Key | Error::Roots(_) | Error::Settings(_)) => Err(error),
        }
    }

    /// Whether the person must agree first: an application of another ministry, and not agreed to all of this before.
    pub(super) async fn saml_must_ask(
        &self,
        asker: &Asker,
        application: &Application,
        settings: &SamlSettings,
        pending: &SamlPending,
    ) -> Result<bool, Error> {
        let actor = &asker.actor;
        if application.ministry == actor.ministry || pending.agreed_in == Some(actor.logon) {
            return Ok(false);
        }
        let agreed = store::grants::consent(&self.parts.db, actor.person, application.id).await?;
        let agreed = agreed.unwrap_or_default();
        Ok(words(settings)
            .iter()
            .any(|word| !agreed.split_whitespace().any(|known| known == word)))
    }

    /// The person agrees, or does not, to what the service provider is told.
    ///
    /// # Errors
    /// When the sign-on is over, or the store fails.
    pub(crate) async fn saml_consent(
        &self,
        waiting: &Waiting,
        request: &Value,
        (actor, answer): (&Actor, ConsentAnswer),
        client: &Client,
    ) -> Result<SsoStep, Error> {
        let mut pending: SamlPending = serde_json::from_value(request.clone())?;
        let caller = Caller::SignedIn(actor.clone());
        if !answer.agree {
            return self
                .saml_failure(waiting, &pending, Status::RequestDenied, &caller, client)
                .await;
        }
        pending.agreed_in = Some(actor.logon);
        let request = serde_json::to_value(pending)?;
        if answer.remember {
            let application = waiting.application()?;
            let settings = application.saml().ok_or(Refusal::NoSuchRequest)?;
            let by = naru_store::By::Person(actor.person, actor.logon);
            let act = self.act("applications.consent", by, Some(actor.ministry), &client.address);
            let (id, person, now, agreed) = (
                application.id,
                actor.person,
                self.now(),
                words(settings).join(" "),
            );
            self.decide(act, move |tx| {
                Box::pin(async move {
                    tx.about(id);
                    tx.note("scopes", agreed.as_str());
                    store::grants::keep_consent(tx, person, id, agreed, now).await?;
                    Ok(Ok(()))
                })
            })
            .await?;
        }
        let kept = Pending::Saml {
            request: request.clone(),
        };
        self.change_request(waiting.hash.clone(), &kept).await?;
        self.saml_step(waiting, &request, &caller, client).await
    }

    /// The person does not want to go on.
    ///
    /// # Errors
    /// When the sign-on is over, or the store fails.
    pub(crate) async fn saml_refused(
        &self,
        waiting: &Waiting,
        request: &Value,
        caller: &Caller,
        client: &Client,
    ) -> Result<SsoStep, Error> {
        let pending: SamlPending = serde_json::from_value(request.clone())?;
        self.saml_failure(waiting, &pending, Status::RequestDenied, caller, client)
            .await
    }
}

/// What is agreed to, as words.
fn words(settings: &SamlSettings) -> Vec<String> {
    let sources = settings
        .attributes
        .iter()
        .map(|attribute| attribute.source.as_str().to_owned());
    std::iter::once(CONSENT.to_owned()).chain(sources).collect()
}

fn scopes(settings: &SamlSettings, language: &str) -> Vec<NamedScope> {
    let mut sources: Vec<AttributeSource> = settings
        .attributes
        .iter()
        .map(|attribute| attribute.source)
        .collect();
    sources.sort_unstable();
    sources.dedup();
    sources
        .into_iter()
        .map(|source| NamedScope {
            name: source.as_str().to_owned(),
            meaning: meaning(source, language == "en").to_owned(),
        })
        .collect()
}

const fn meaning(source: AttributeSource, english: bool) -> &'static str {
    let [korean, english_text] = match source {
        AttributeSource::Person => ["식별 번호", "Your identifier"],
        AttributeSource::Name => ["이름", "Your name"],
        AttributeSource::Email => ["전자우편 주소", "Your e-mail address"],
        AttributeSource::Account => ["데스크톱 계정 이름", "Your account name on desktops"],
        AttributeSource::Unit => ["소속 부서", "Your unit"],
        AttributeSource::Ministry
        | AttributeSource::MinistryNameKo
        | AttributeSource::MinistryNameEn
        | AttributeSource::AgencyCode => ["소속 기관", "Your ministry"],
        AttributeSource::Groups => ["속한 그룹", "Groups you are in"],
        AttributeSource::Roles => ["역할", "Your roles"],
        AttributeSource::Assurance => ["로그인 방법의 강도", "How strongly you logged on"],
    };
    if english { english_text } else { korean }
}
