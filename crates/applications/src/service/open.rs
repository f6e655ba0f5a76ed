//! An OpenID Connect sign-on in front of the person: what must still be shown, then the grant and its code.

use naru_kernel::{
    Actor, Seconds,
    access::{AccessDecision, Assurance},
};
use naru_runtime::{Caller, Client};
use naru_sso::oidc::{
    Code, Refusal as Wrong,
    scope::{OFFLINE_ACCESS, OPENID, Scopes},
};
use naru_store::By;

use super::{
    Applications,
    asking::Asker,
    grant::Writing,
    pending::{FormAnswer, OidcPending, Pending, Waiting},
    random,
    step::{ConsentAnswer, signed_in},
};
use crate::{
    Error, Refusal,
    model::{NamedScope, SsoStep, StepUpReason, TokenKind},
    store::{self, tokens::NewToken},
};

/// A code is good for so long.
const CODE_LIFE: Seconds = Seconds(60);

/// What stands between a request and its answer.
enum Obstacle {
    /// The page can remove it.
    Show(SsoStep, Code),
    /// Nobody can.
    Refuse(Wrong),
}

impl Applications {
    pub(crate) async fn oidc_step(
        &self,
        waiting: &Waiting,
        pending: &OidcPending,
        caller: &Caller,
        client: &Client,
    ) -> Result<SsoStep, Error> {
        let request = &pending.request;
        let Some(actor) = signed_in(caller) else {
            if request.prompt.none {
                let wrong = Wrong::new(Code::LoginRequired, "nobody is signed in");
                return self.end_with(waiting, pending, None, wrong, client).await;
            }
            return self.sign_on_first(waiting, request.language.clone()).await;
        };
        let asker = match self.asker(actor).await {
            Ok(asker) => asker,
            // The session ended a moment ago.
            Err(Error::Refused(Refusal::Denied)) if !request.prompt.none => {
                return self.sign_on_first(waiting, request.language.clone()).await;
            }
            Err(Error::Refused(Refusal::Denied)) => {
                let wrong = Wrong::new(Code::LoginRequired, "nobody is signed in");
                return self.end_with(waiting, pending, None, wrong, client).await;
            }
            Err(error) => return Err(error),
        };
        match self.obstacle(waiting, pending, &asker, client).await? {
            None => self.grant_code(waiting, pending, &asker, client).await,
            Some(Obstacle::Refuse(wrong)) => {
                self.end_with(waiting, pending, Some(actor), wrong, client).await
            }
            Some(Obstacle::Show(_, code)) if request.prompt.none => {
                let wrong = Wrong::new(code, "this needs the person, and prompt=none forbids to ask");
                self.end_with(waiting, pending, Some(actor), wrong, client).await
            }
            Some(Obstacle::Show(step, _)) => Ok(step),
        }
    }

    async fn obstacle(
        &self,
        waiting: &Waiting,
        pending: &OidcPending,
        asker: &Asker,
        client: &Client,
    ) -> Result<Option<Obstacle>, Error> {
        if self.is_another(waiting, pending, asker).await? {
            let why = "somebody else is signed in than the request names";
            return Ok(Some(Obstacle::Refuse(Wrong::new(Code::LoginRequired, why))));
        }
        if let Some(reason) = self.must_show_factor(waiting, pending, asker) {
            let step = SsoStep::StepUp {
                assurance: asker.logon.assurance,
                reason,
            };
            return Ok(Some(Obstacle::Show(step, Code::LoginRequired)));
        }
        if let Some(obstacle) = missing_assurance(waiting, pending, asker) {
            return Ok(Some(obstacle));
        }
        let application = waiting.application()?;
        let denied = |because: Vec<String>| async {
            let named = self.named(application, &asker.subject.language).await?;
            let step = SsoStep::Denied {
                because,
                application: named,
            };
            Ok::<_, Error>(Some(Obstacle::Show(step, Code::AccessDenied)))
        };
        match self.may_open(asker, application, client).await {
            Ok(AccessDecision::Allowed { .. }) => {}
            Ok(AccessDecision::Denied {
                step_up: Some(assurance),
                ..
            }) => {
                let reason = StepUpReason::Acr;
                let step = SsoStep::StepUp { assurance, reason };
                return Ok(Some(Obstacle::Show(step, Code::InteractionRequired)));
            }
            Ok(AccessDecision::Denied { because, .. }) => {
                self.record_denied(waiting, asker, &because, client).await?;
                return denied(because).await;
            }
            Err(Error::Refused(Refusal::NoSuchApplication | Refusal::Paused)) => {
                self.record_denied(waiting, asker, &[], client).await?;
                return denied(Vec::new()).await;
            }
            Err(error) => return Err(error),
        }
        self.missing_consent(waiting, pending, asker).await
    }

    /// Whether the request names another person than the one who is signed in.
    async fn is_another(
        &self,
        waiting: &Waiting,
        pending: &OidcPending,
        asker: &Asker,
    ) -> Result<bool, Error> {
        let named = [pending.hinted.as_deref(), pending.request.claims.subject()];
        if named.iter().all(Option::is_none) {
            return Ok(false);
        }
        let subject = self
            .keys()
            .await?
            .subjects
            .subject(waiting.application()?.ministry, asker.actor.person);
        Ok(named.into_iter().flatten().any(|named| named != subject))
    }

    fn must_show_factor(
        &self,
        waiting: &Waiting,
        pending: &OidcPending,
        asker: &Asker,
    ) -> Option<StepUpReason> {
        let shown_at = asker.logon.authenticated_at;
        // What was shown since the request came counts for it, however short the age it allows.
        if shown_at >= waiting.created_at {
            return None;
        }
        let request = &pending.request;
        if request.prompt.login || request.prompt.select_account {
            return Some(StepUpReason::Login);
        }
        let is_old = request.max_age().is_some_and(|age| shown_at + age < self.now());
        is_old.then_some(StepUpReason::MaxAge)
    }

    async fn missing_consent(
        &self,
        waiting: &Waiting,
        pending: &OidcPending,
        asker: &Asker,
    ) -> Result<Option<Obstacle>, Error> {
        let application = waiting.application()?;
        let is_foreign = application.ministry != asker.actor.ministry;
        if pending.agreed_in == Some(asker.actor.logon) || !(is_foreign || pending.request.prompt.consent) {
            return Ok(None);
        }
        let scopes = pending.request.scopes();
        if !pending.request.prompt.consent {
            let person = asker.actor.person;
            let kept = store::grants::consent(&self.parts.db, person, application.id).await?;
            let agreed = Scopes::of(kept.unwrap_or_default().split(' '));
            if scopes.clone().without(OPENID).is_within(&agreed) && agreed.has(OPENID) {
                return Ok(None);
            }
        }
        let language = &asker.subject.language;
        let step = SsoStep::Consent {
            application: self.named(application, language).await?,
            scopes: scopes.iter().map(|scope| named_scope(scope, language)).collect(),
        };
        Ok(Some(Obstacle::Show(step, Code::ConsentRequired)))
    }

    pub(crate) async fn oidc_consent(
        &self,
        waiting: &Waiting,
        pending: &OidcPending,
        (actor, answer): (&Actor, ConsentAnswer),
        client: &Client,
    ) -> Result<SsoStep, Error> {
        if !answer.agree {
            let wrong = Wrong::new(Code::AccessDenied, "the person did not agree");
            return self.end_with(waiting, pending, Some(actor), wrong, client).await;
        }
        let application = waiting.application()?;
        let (id, owner, person, now) = (application.id, application.ministry, actor.person, self.now());
        let by = By::Person(actor.person, actor.logon);
        let act = self.act("applications.consent", by, None, &client.address);
        let (ministry, scopes) = (actor.ministry, pending.request.scope.clone());
        let kept = self.parts.db.change(act, move |tx| {
            Box::pin(async move {
                tx.by(by, Some(ministry));
                tx.about(id);
                tx.note("scopes", scopes.as_str());
                tx.note("owner", owner.to_string());
                tx.note("remembered", answer.remember);
                if answer.remember {
                    store::grants::keep_consent(tx, person, id, scopes, now).await?;
                }
                Ok::<_, Error>(())
            })
        });
        kept.await?;
        let agreed = OidcPending {
            agreed_in: Some(actor.logon),
            ..pending.clone()
        };
        self.change_request(waiting.hash.clone(), &Pending::Oidc(Box::new(agreed.clone())))
            .await?;
        self.oidc_step(waiting, &agreed, &Caller::SignedIn(actor.clone()), client)
            .await
    }

    pub(crate) async fn oidc_refused(
        &self,
        waiting: &Waiting,
        pending: &OidcPending,
        caller: &Caller,
        client: &Client,
    ) -> Result<SsoStep, Error> {
        let wrong = Wrong::new(Code::AccessDenied, "the person did not go on");
        self.end_with(waiting, pending, signed_in(caller), wrong, client)
            .await
    }

    /// Ends a request with an error for its application.
    async fn end_with(
        &self,
        waiting: &Waiting,
        pending: &OidcPending,
        actor: Option<&Actor>,
        wrong: Wrong,
        client: &Client,
    ) -> Result<SsoStep, Error> {
        let (hash, now) = (waiting.hash.clone(), self.now());
        let taken = self.parts.db.housekeep("applications.keep-request", move |tx| {
            Box::pin(async move { Ok::<_, Error>(store::requests::take(tx, hash, now).await?) })
        });
        taken.await?.ok_or(Refusal::NoSuchRequest)?;
        let application = waiting.application()?;
        match actor {
            Some(actor) => {
                let by = By::Person(actor.person, actor.logon);
                let mut act = self.act("applications.open", by, Some(actor.ministry), &client.address);
                act.subject = application.id.to_string();
                let outcome = naru_store::Outcome::Refused(wrong.code.as_str());
                let detail = serde_json::json!({ "why": wrong.why });
                self.parts.db.record(act, outcome, detail).await?;
            }
            None => {
                self.record_wrong("applications.authorize", application, wrong, client)
                    .await?
            }
        }
        self.bring_error(&pending.request, wrong).await
    }

    async fn record_denied(
        &self,
        waiting: &Waiting,
        asker: &Asker,
        because: &[String],
        client: &Client,
    ) -> Result<(), Error> {
        let by = By::Person(asker.actor.person, asker.actor.logon);
        let mut act = self.act(
            "applications.open",
            by,
            Some(asker.actor.ministry),
            &client.address,
        );
        act.subject = waiting.application()?.id.to_string();
        let refusal = Refusal::Forbidden { because: Vec::new() };
        let detail = serde_json::json!({ "rules": because });
        self.parts
            .db
            .record(act, naru_store::Outcome::Refused(refusal.code()), detail)
            .await?;
        Ok(())
    }

    /// The grant with its code and its entry in the record, in one transaction with the end of the request.
    async fn grant_code(
        &self,
        waiting: &Waiting,
        pending: &OidcPending,
        asker: &Asker,
        client: &Client,
    ) -> Result<SsoStep, Error> {
        let request = &pending.request;
        let application = waiting.application()?;
        let now = self.now();
        let mut grant = self.new_grant(application, asker, &request.scopes()).await?;
        grant.claims = serde_json::to_string(&request.claims)?;
        grant.nonce.clone_from(&request.nonce);
        grant.key_thumbprint.clone_from(&request.dpop_jkt);
        let (code, hash) = random::token(self.parts.entropy.as_ref());
        let token = NewToken {
            hash,
            kind: TokenKind::Code,
            grant: grant.id.clone(),
            scopes: grant.scopes.clone(),
            redirect_uri: Some(request.redirect_uri.clone()),
            challenge: request.code_challenge.clone(),
            key_thumbprint: request.dpop_jkt.clone(),
            created_at: now,
            expires_at: now + CODE_LIFE,
        };
        let writing = Writing {
            grant,
            token: Some(token),
            request: Some(waiting.hash.clone()),
            device: None,
        };
        self.write_grant("applications.open", writing, client).await?;
        let mut fields = vec![("code".to_owned(), code)];
        fields.extend(request.state.clone().map(|state| ("state".to_owned(), state)));
        fields.push(("iss".to_owned(), self.config().issuer().to_owned()));
        let answer = FormAnswer {
            address: request.redirect_uri.clone(),
            fields,
        };
        self.bring(answer, request.response_mode).await
    }
}

/// Whether a stronger log-on was asked for: by the application's own settings, by `acr_values` or by an essential claim.
fn missing_assurance(waiting: &Waiting, pending: &OidcPending, asker: &Asker) -> Option<Obstacle> {
    let has = asker.logon.assurance;
    let floor = waiting
        .application
        .as_ref()?
        .oidc()?
        .assurance
        .filter(|floor| has < *floor);
    let (listed, is_essential) = pending.request.claims.acr().unwrap_or_default();
    let weakest = |list: &[Assurance]| list.iter().copied().min();
    let wished = weakest(&listed).or_else(|| weakest(&pending.request.acr_values));
    if is_essential && wished.is_none() {
        let why = "nobody can log on with the acr that was asked for";
        return Some(Obstacle::Refuse(Wrong::new(
            Code::UnmetAuthenticationRequirements,
            why,
        )));
    }
    let wished = wished.filter(|wished| has < *wished);
    // A wish is no demand: where nothing may be shown, the application gets what there is and reads it in `acr`.
    let wished = wished.filter(|_| is_essential || !pending.request.prompt.none);
    let assurance = floor.into_iter().chain(wished).max()?;
    let step = SsoStep::StepUp {
        assurance,
        reason: StepUpReason::Acr,
    };
    let code = if is_essential {
        Code::UnmetAuthenticationRequirements
    } else {
        Code::InteractionRequired
    };
    Some(Obstacle::Show(step, code))
}

pub(crate) fn named_scope(scope: &str, language: &str) -> NamedScope {
    let (ko, en) = match scope {
        OPENID => (
            "이 기관에서만 쓰는 식별 번호",
            "A number that stands for you in this ministry alone",
        ),
        "profile" => ("이름과 언어", "Your name and language"),
        "email" => ("전자우편 주소", "Your mail address"),
        "groups" => ("속한 그룹", "The groups you are in"),
        "naru" => ("기관, 부서, 역할", "Your ministry, unit and roles"),
        OFFLINE_ACCESS => ("로그오프한 뒤에도 접근", "Access after you log off"),
        _ => ("", ""),
    };
    NamedScope {
        name: scope.to_owned(),
        meaning: if language == "en" { en } else { ko }.to_owned(),
    }
}
