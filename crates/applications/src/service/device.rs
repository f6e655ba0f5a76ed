//! Devices without a keyboard (RFC 8628).

use naru_kernel::{Actor, MinistryId, Seconds, access::AccessDecision};
use naru_runtime::Client;
use naru_sso::oidc::{
    Code, Params, Refusal as Wrong, device,
    dpop::Proof,
    scope::{OPENID, Scopes},
};
use naru_store::{BoxFuture, By, Tx};
use serde::Serialize;

use super::{
    Applications,
    asking::Asker,
    authorize::OidcClient,
    client::{Fault, Presented},
    grant::Writing,
    open::named_scope,
    random,
    token::{Given, Giving, give, note_whose, spend},
};
use crate::{
    Error, Refusal,
    model::{DeviceState, GrantType, WaitingDevice},
    store::{self, devices::DeviceRow},
};

/// A device waits so long for its person.
const DEVICE_LIFE: Seconds = Seconds(600);
/// Devices of one application that wait at once.
const DEVICES_PER_APPLICATION_MAX: i64 = 1_000;
/// What a device is made to wait longer when it asks too often.
const SLOWER_SECONDS: i64 = 5;
/// The longest time between two questions.
const INTERVAL_SECONDS_MAX: i64 = 60;

/// What a device is told (RFC 8628 3.2).
#[derive(Clone, Debug, Serialize)]
pub(crate) struct DeviceAnswer {
    device_code: String,
    user_code: String,
    verification_uri: String,
    verification_uri_complete: String,
    expires_in: i64,
    interval: i64,
}

impl Applications {
    /// Lets a device wait for a person.
    pub(crate) async fn begin_device(
        &self,
        presented: &Presented,
        form: &Params,
        client: &Client,
    ) -> Result<DeviceAnswer, Fault> {
        let known = self.authenticate_client(presented, form, client).await?;
        if !known.settings.may(GrantType::DeviceCode) {
            let wrong = Wrong::new(Code::UnauthorizedClient, "this client is no device");
            self.record_wrong("applications.begin-device", &known.application, wrong, client)
                .await?;
            return Err(wrong.into());
        }
        let asked = Scopes::parse(form.get("scope")?.unwrap_or(OPENID))?;
        let scopes = asked.narrowed_to(&known.allowed());
        if scopes.is_empty() {
            return Err(Wrong::new(Code::InvalidScope, "no scope that this client may have").into());
        }
        let (device_code, hash) = random::token(self.parts.entropy.as_ref());
        let user_code = self.user_code()?;
        let now = self.now();
        let row = DeviceRow {
            hash,
            application: known.application.id,
            scopes: scopes.to_string(),
            key_thumbprint: None,
            state: DeviceState::Waiting,
            grant: None,
            interval_seconds: device::INTERVAL_SECONDS,
            asked_at: None,
            expires_at: now + DEVICE_LIFE,
        };
        let code_hash = random::hash(&user_code);
        let mut act = self.act("applications.begin-device", By::Anyone, None, &client.address);
        act.subject = known.application.id.to_string();
        let owner = known.application.ministry;
        let keep = keep_device(row, code_hash, owner);
        // Whoever knows the name of a public client can ask for it: recorded up to so many in a minute.
        let is_recorded = !known.settings.is_public() || self.sign_on.may_record(known.application.id, now);
        let kept = if is_recorded {
            self.parts.db.change(act, keep).await?
        } else {
            self.parts.db.housekeep("applications.keep-request", keep).await?
        };
        if !kept {
            return Err(Wrong::new(Code::TemporarilyUnavailable, "too many devices wait").into());
        }
        let page = format!("{}/#/device", self.config().issuer());
        let shown = device::shown(&user_code);
        Ok(DeviceAnswer {
            device_code,
            verification_uri_complete: format!("{page}/{shown}"),
            user_code: shown,
            verification_uri: page,
            expires_in: DEVICE_LIFE.0,
            interval: device::INTERVAL_SECONDS,
        })
    }

    fn user_code(&self) -> Result<String, Error> {
        // 64 bytes hold eight usable ones but for less than once in 10^60 times.
        let mut bits = [0_u8; 64];
        self.parts.entropy.fill(&mut bits);
        device::user_code(&bits).ok_or(Error::Key)
    }

    /// The device whose code a person typed.
    async fn typed_device(&self, actor: &Actor, code: &str) -> Result<DeviceRow, Error> {
        let now = self.now();
        if self.sign_on.tries_codes(actor.person, now) {
            return Err(Refusal::TooManyCodes.into());
        }
        let found = match device::typed(code) {
            Some(code) => store::devices::by_code(&self.parts.db, random::hash(&code), now).await?,
            None => None,
        };
        if found.is_none() {
            self.sign_on.wrong_code(actor.person, now);
        }
        Ok(found.ok_or(Refusal::NoSuchDevice)?)
    }

    /// What a device that waits asks for.
    pub(crate) async fn waiting_device(&self, actor: &Actor, code: &str) -> Result<WaitingDevice, Error> {
        let row = self.typed_device(actor, code).await?;
        let asker = self.asker(actor).await?;
        let client = self.oidc_client(&row.application.to_string()).await?;
        let client = client.ok_or(Refusal::NoSuchDevice)?;
        let language = &asker.subject.language;
        Ok(WaitingDevice {
            application: self.named(&client.application, language).await?,
            scopes: row
                .scopes
                .split(' ')
                .map(|scope| named_scope(scope, language))
                .collect(),
            expires_at: row.expires_at,
        })
    }

    /// A person allows a device, or refuses it.
    ///
    /// # Errors
    /// [`Refusal::NoSuchDevice`]; [`Refusal::Forbidden`] or [`Refusal::StepUp`] as the rules say.
    pub(crate) async fn answer_device(
        &self,
        actor: &Actor,
        code: &str,
        agree: bool,
        client: &Client,
    ) -> Result<(), Error> {
        let row = self.typed_device(actor, code).await?;
        let by = By::Person(actor.person, actor.logon);
        if !agree {
            let mut act = self.act("applications.refuse-device", by, None, &client.address);
            act.subject = row.application.to_string();
            let (hash, ministry) = (row.hash, actor.ministry);
            return self
                .decide(act, move |tx| {
                    Box::pin(async move {
                        tx.by(by, Some(ministry));
                        let refused = store::devices::refuse(tx, hash).await?;
                        Ok(if refused {
                            Ok(())
                        } else {
                            Err(Refusal::NoSuchDevice)
                        })
                    })
                })
                .await;
        }
        let asker = self.asker(actor).await?;
        let known = self.oidc_client(&row.application.to_string()).await?;
        let known = known.ok_or(Refusal::NoSuchDevice)?;
        if let Err(Error::Refused(refusal)) = self.allowed(&asker, &known, client).await {
            let mut act = self.act(
                "applications.allow-device",
                by,
                Some(actor.ministry),
                &client.address,
            );
            act.subject = row.application.to_string();
            return Err(self.refuse(act, refusal, serde_json::Value::Null).await);
        }
        self.allowed(&asker, &known, client).await?;
        let scopes = Scopes::of(row.scopes.split(' '));
        let grant = self.new_grant(&known.application, &asker, &scopes).await?;
        let writing = Writing {
            grant,
            token: None,
            request: None,
            device: Some(row.hash),
        };
        self.write_grant("applications.allow-device", writing, client)
            .await
    }

    /// Whether the rules let the person open the application, as an error if not.
    pub(crate) async fn allowed(
        &self,
        asker: &Asker,
        known: &OidcClient,
        client: &Client,
    ) -> Result<(), Error> {
        if let Some(floor) = known
            .settings
            .assurance
            .filter(|floor| asker.logon.assurance < *floor)
        {
            return Err(Refusal::StepUp(floor).into());
        }
        match self.may_open(asker, &known.application, client).await? {
            AccessDecision::Allowed { .. } => Ok(()),
            AccessDecision::Denied {
                step_up: Some(assurance),
                ..
            } => Err(Refusal::StepUp(assurance).into()),
            AccessDecision::Denied { because, .. } => Err(Refusal::Forbidden { because }.into()),
        }
    }

    /// A device asks whether it was allowed.
    pub(crate) async fn use_device(
        &self,
        known: &OidcClient,
        code: &str,
        proof: Option<Proof>,
        client: &Client,
    ) -> Result<Given, Fault> {
        let (hash, id, now) = (random::hash(code), known.application.id, self.now());
        // Asking is no decision: only the answer that gives tokens is recorded.
        let asked: Result<Option<String>, Wrong> = self
            .parts
            .db
            .housekeep("applications.poll-device", move |tx| {
                Box::pin(async move {
                    let row = store::devices::by_hash(tx, hash.clone()).await?;
                    let Some(row) = row.filter(|row| row.application == id) else {
                        return Ok(Err(Wrong::new(
                            Code::InvalidGrant,
                            "there is no such device code",
                        )));
                    };
                    if row.expires_at <= now {
                        return Ok(Err(Wrong::new(
                            Code::ExpiredToken,
                            "nobody typed the code in time",
                        )));
                    }
                    match row.state {
                        DeviceState::Refused => {
                            store::devices::remove(tx, hash).await?;
                            Ok(Err(Wrong::new(Code::AccessDenied, "the person refused")))
                        }
                        DeviceState::Allowed => {
                            // Good once.
                            store::devices::remove(tx, hash).await?;
                            Ok::<_, Error>(Ok(row.grant))
                        }
                        DeviceState::Waiting => {
                            let is_hasty = row
                                .asked_at
                                .is_some_and(|asked| asked + Seconds(row.interval_seconds) > now);
                            let slower = (row.interval_seconds + SLOWER_SECONDS).min(INTERVAL_SECONDS_MAX);
                            let interval = if is_hasty { slower } else { row.interval_seconds };
                            store::devices::asked(tx, hash, now, interval).await?;
                            Ok(Err(if is_hasty {
                                Wrong::new(Code::SlowDown, "five seconds longer between two questions")
                            } else {
                                Wrong::new(Code::AuthorizationPending, "nobody has typed the code yet")
                            }))
                        }
                    }
                })
            })
            .await?;
        let grant = asked?.ok_or(Wrong::new(Code::InvalidGrant, "there is no such device code"))?;
        let act = self.act("applications.redeem-device", By::Anyone, None, &client.address);
        let (new, is_public) = (self.new_tokens(), known.settings.is_public());
        let given: Result<Given, Wrong> = self
            .parts
            .db
            .change(act, move |tx| {
                Box::pin(async move {
                    tx.about(id);
                    let row = store::grants::by_id(tx, &grant).await?;
                    let Some(row) = row.filter(|row| row.is_alive(now)) else {
                        tx.refused(Code::InvalidGrant.as_str());
                        return Ok(Err(Wrong::new(Code::InvalidGrant, "the session is over")));
                    };
                    if let Err(wrong) = spend(tx, proof.as_ref()).await? {
                        tx.refused(wrong.code.as_str());
                        return Ok(Err(wrong));
                    }
                    note_whose(tx, &row);
                    let giving = Giving {
                        scopes: row.scopes.clone(),
                        grant: row,
                        proof,
                        is_public,
                    };
                    Ok::<_, Error>(Ok(give(tx, giving, new, now).await?))
                })
            })
            .await?;
        Ok(given?)
    }
}

/// Keeps a device that waits, unless too many do; gives whether it was kept.
fn keep_device(
    row: DeviceRow,
    code_hash: Vec<u8>,
    owner: MinistryId,
) -> impl for<'t> FnOnce(&'t mut Tx) -> BoxFuture<'t, Result<bool, Error>> + Send + 'static {
    move |tx| {
        Box::pin(async move {
            tx.by(By::Anyone, Some(owner));
            let waiting = store::devices::count(tx, row.application).await?;
            let kept =
                waiting < DEVICES_PER_APPLICATION_MAX && store::devices::add(tx, &row, code_hash).await?;
            if !kept {
                tx.refused(Refusal::TooManyRequests.code());
            }
            Ok(kept)
        })
    }
}
