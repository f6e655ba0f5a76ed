//! The second factor: activation codes, TOTP and passkeys.

use naru_kernel::{LogonId, Seconds, Timestamp, access::Assurance};
use naru_runtime::FirstFactor;
use naru_store::{By, Tx};
use serde::{Deserialize, Serialize};
use totp_rs::{Secret, Totp};
use webauthn_rs::prelude::{
    AuthenticationResult, Passkey, PasskeyAuthentication, PasskeyRegistration, PublicKeyCredential,
};

use super::{
    Identity, Opened, Tools, Verdict, count_logon, granted,
    logon::{fail, name_person, step_in},
    visits::{self, SIGNED_IN, Tried, Visitor},
};
use crate::{
    Error, Refusal,
    answers::LogonStep,
    model::{Factor, FactorKind, Logon, LogonState, Person},
    rules::{self, idle_deadline},
    secret, store,
};

/// Wrong tries after which an activation code is dead.
const ACTIVATION_TRIES_MAX: i64 = 5;
/// How long a passkey or an enrolment may take.
const CEREMONY_LENGTH: Seconds = Seconds::minutes(5);

/// Words for what was shown.
pub(super) const TOTP: &str = FactorKind::Totp.as_str();
pub(super) const PASSKEY: &str = FactorKind::Passkey.as_str();

/// What was started and must be finished.
#[derive(Serialize, Deserialize)]
pub(super) enum Started {
    UsePasskey(PasskeyAuthentication),
    EnrolPasskey(PasskeyRegistration),
    StepUp(PasskeyAuthentication),
    EnrolTotp { sealed: String },
}

#[derive(Serialize, Deserialize)]
struct Ceremony {
    at: Timestamp,
    started: Started,
}

/// The time-based codes of a key (RFC 6238): SHA-1, six digits, 30 seconds, one step either way.
fn totp(key: &[u8]) -> Result<Totp, Error> {
    totp_rs::Builder::new()
        .with_secret(Secret::from(key))
        .build()
        .map_err(|_| Error::Secret)
}

/// The step at which a code is right, if any.
pub(super) fn totp_step(key: &[u8], code: &str, now: Timestamp) -> Result<Option<i64>, Error> {
    let seconds = u64::try_from(now.as_seconds()).unwrap_or(0);
    let code = code.trim();
    if code.len() != 6 {
        return Ok(None);
    }
    Ok(totp(key)?
        .check(code, seconds)
        .and_then(|step| i64::try_from(step).ok()))
}

impl Identity {
    /// Checks the activation code; the log-on may then enrol the person's first factor. The code is used up by that.
    ///
    /// # Errors
    /// [`Refusal::ActivationWrong`] or [`Refusal::ActivationExpired`], counted; or the log-on is not at this step.
    pub async fn activate(
        &self,
        first: FirstFactor,
        code: &str,
        visitor: &Visitor,
    ) -> Result<LogonStep, Error> {
        let act = self.act_for(
            "identity.activate",
            By::Claimed(first.person),
            first.ministry,
            &visitor.client,
        );
        let now = act.at;
        let hash = self.tools.keys.code_hash(&first.person.to_string(), code);
        let (tools, visitor) = (self.tools.clone(), visitor.clone());
        let result = self.decide(act, move |tx| {
            Box::pin(async move {
                let (person, logon) = granted!(at_first_factor(tx, first, &visitor, now).await?);
                if !store::factors::of_person_in(tx, person.id).await?.is_empty() {
                    return Ok(Err(Refusal::AlreadyEnrolled));
                }
                let wrong = match store::factors::activation(tx, person.id).await? {
                    None => Some(Refusal::ActivationWrong),
                    Some(known) if now > known.expires_at || known.tries >= ACTIVATION_TRIES_MAX => {
                        Some(Refusal::ActivationExpired)
                    }
                    Some(known) => {
                        store::factors::try_activation(tx, person.id).await?;
                        let same = aws_lc_rs::constant_time::verify_slices_are_equal(&known.hash, &hash);
                        same.err().map(|_| Refusal::ActivationWrong)
                    }
                };
                if let Some(refusal) = wrong {
                    return fail(tx, &tools, &person, (&visitor, now), ("activation_code", refusal))
                        .await
                        .map(Err);
                }
                store::logons::activated(tx, logon.id).await?;
                step_in(tx, &person, (logon.state, true)).await.map(Ok)
            })
        });
        let result = result.await;
        if result.is_err() {
            count_logon(&result);
        }
        result
    }

    /// Signs in with six digits.
    ///
    /// # Errors
    /// [`Refusal::CodeWrong`] or [`Refusal::CodeUsed`], counted; or the log-on is not at this step.
    pub async fn use_totp(&self, first: FirstFactor, code: &str, visitor: &Visitor) -> Result<Opened, Error> {
        let act = self.act_for(
            "identity.sign-in",
            By::Claimed(first.person),
            first.ministry,
            &visitor.client,
        );
        let now = act.at;
        let (tools, code, visitor) = (self.tools.clone(), code.to_owned(), visitor.clone());
        let result = self.decide(act, move |tx| {
            Box::pin(async move {
                let (person, logon) = granted!(at_first_factor(tx, first, &visitor, now).await?);
                tx.note("factor", FactorKind::Totp.as_str());
                let factors = store::factors::of_person_in(tx, person.id).await?;
                match right_totp(&tools, &factors, &code, now)? {
                    None => fail(tx, &tools, &person, (&visitor, now), (TOTP, Refusal::CodeWrong))
                        .await
                        .map(Err),
                    Some((factor, step)) => {
                        if !store::factors::use_totp(tx, factor.id, step, now).await? {
                            return fail(tx, &tools, &person, (&visitor, now), (TOTP, Refusal::CodeUsed))
                                .await
                                .map(Err);
                        }
                        complete(tx, &tools, (&person, &logon), &visitor, (FactorKind::Totp, now))
                            .await
                            .map(Ok)
                    }
                }
            })
        });
        let result = result.await;
        count_logon(&result);
        result
    }

    /// Asks for a passkey.
    ///
    /// # Errors
    /// [`Refusal::WrongStep`] when the person has none, or the log-on is not at this step.
    pub async fn start_passkey(&self, first: FirstFactor) -> Result<serde_json::Value, Error> {
        let factors = store::factors::of_person(&self.db, first.person).await?;
        let passkeys: Vec<Passkey> = factors.iter().filter_map(passkey_of).collect();
        if passkeys.is_empty() {
            return Err(Refusal::WrongStep.into());
        }
        let (options, state) = self
            .webauthn
            .start_passkey_authentication(&passkeys)
            .map_err(|error| Error::Passkey(error.into()))?;
        self.start(first.logon, Started::UsePasskey(state)).await?;
        serde_json::to_value(options).map_err(|error| Error::Passkey(error.into()))
    }

    /// Signs in with a passkey.
    ///
    /// # Errors
    /// [`Refusal::PasskeyRefused`], counted; [`Refusal::NothingStarted`]; or the log-on is not at this step.
    pub async fn finish_passkey(
        &self,
        first: FirstFactor,
        credential: serde_json::Value,
        visitor: &Visitor,
    ) -> Result<Opened, Error> {
        let act = self.act_for(
            "identity.sign-in",
            By::Claimed(first.person),
            first.ministry,
            &visitor.client,
        );
        let now = act.at;
        let (text, started) = self.started(first.logon, now).await?;
        let Started::UsePasskey(state) = started else {
            return Err(Refusal::NothingStarted.into());
        };
        // The signature is checked before the transaction begins, so that others do not wait for it.
        let checked = serde_json::from_value::<PublicKeyCredential>(credential)
            .ok()
            .and_then(|credential| {
                self.webauthn
                    .finish_passkey_authentication(&credential, &state)
                    .ok()
            });
        let (tools, visitor) = (self.tools.clone(), visitor.clone());
        let result = self.decide(act, move |tx| {
            Box::pin(async move {
                let (person, logon) = granted!(at_first_factor(tx, first, &visitor, now).await?);
                tx.note("factor", FactorKind::Passkey.as_str());
                if !store::logons::take_ceremony(tx, logon.id, &text).await? {
                    return Ok(Err(Refusal::NothingStarted));
                }
                let factors = store::factors::of_person_in(tx, person.id).await?;
                match checked.and_then(|result| used_passkey(&factors, &result)) {
                    None => fail(
                        tx,
                        &tools,
                        &person,
                        (&visitor, now),
                        (PASSKEY, Refusal::PasskeyRefused),
                    )
                    .await
                    .map(Err),
                    Some((factor, passkey)) => {
                        let json =
                            serde_json::to_string(&passkey).map_err(|error| Error::Passkey(error.into()))?;
                        store::factors::use_passkey(tx, factor.id, json, now).await?;
                        complete(
                            tx,
                            &tools,
                            (&person, &logon),
                            &visitor,
                            (FactorKind::Passkey, now),
                        )
                        .await
                        .map(Ok)
                    }
                }
            })
        });
        let result = result.await;
        count_logon(&result);
        result
    }

    /// Remembers what was started; a later start replaces it.
    pub(super) async fn start(&self, logon: LogonId, started: Started) -> Result<(), Error> {
        let at = self.clock.now();
        let text =
            serde_json::to_string(&Ceremony { at, started }).map_err(|error| Error::Passkey(error.into()))?;
        let kept: bool = self
            .db
            .housekeep("identity.begin-ceremony", move |tx| {
                Box::pin(async move { Ok::<_, Error>(store::logons::set_ceremony(tx, logon, text).await?) })
            })
            .await?;
        if kept {
            Ok(())
        } else {
            Err(Refusal::WrongStep.into())
        }
    }

    /// What was started and is not too old, and its text in the table.
    pub(super) async fn started(&self, logon: LogonId, now: Timestamp) -> Result<(String, Started), Error> {
        let logon = store::logons::by_id(&self.db, logon).await?;
        let text = logon
            .and_then(|logon| logon.ceremony)
            .ok_or(Refusal::NothingStarted)?;
        let ceremony: Ceremony = serde_json::from_str(&text).map_err(|error| Error::Passkey(error.into()))?;
        if now > ceremony.at + CEREMONY_LENGTH {
            return Err(Refusal::NothingStarted.into());
        }
        Ok((text, ceremony.started))
    }
}

/// The person, held, and their log-on, if it waits for its second factor.
pub(super) async fn at_first_factor(
    tx: &mut Tx,
    first: FirstFactor,
    visitor: &Visitor,
    now: Timestamp,
) -> Result<Verdict<(Person, Logon)>, Error> {
    let person = store::people::hold(tx, first.person).await?;
    let person = granted!(person.ok_or(Refusal::UnknownPerson));
    name_person(tx, &person);
    granted!(visits::standing(tx, &person, visitor, now).await?);
    let logon = store::logons::open_by_id(tx, first.logon).await?;
    let waiting = logon.filter(|logon| {
        logon.state == LogonState::FirstFactor && logon.person == person.id && now < logon.expires_at
    });
    Ok(waiting.map(|logon| (person, logon)).ok_or(Refusal::WrongStep))
}

/// Signs in: new token, the old one is gone at once, failures are forgotten.
pub(super) async fn complete(
    tx: &mut Tx,
    tools: &Tools,
    (person, logon): (&Person, &Logon),
    visitor: &Visitor,
    (kind, now): (FactorKind, Timestamp),
) -> Result<Opened, Error> {
    let expires_at = now + tools.lifetimes.longest;
    let idle = idle_deadline(now, expires_at, tools.lifetimes);
    store::logons::step_up(tx, logon.id, now, idle, expires_at).await?;
    let proof = store::proofs::of_in(tx, logon.id).await?;
    let before = proof.map_or(Assurance::Certificate, |proof| proof.assurance);
    let assurance = rules::raised(before, kind);
    store::proofs::proved(tx, logon.id, assurance, now).await?;
    let tried = Tried {
        method: logon.method.as_str(),
        assurance: Some(assurance),
        outcome: SIGNED_IN,
    };
    let device = visits::signed_in(tx, tools, person, (visitor, tried), now).await?;
    store::sessions::forget(tx, logon.id).await?;
    let (token, hash) = secret::token(tools.entropy.as_ref());
    store::sessions::insert(tx, hash, logon.id, now).await?;
    tx.by(By::Person(person.id, logon.id), Some(person.ministry));
    let step = step_in(tx, person, (LogonState::SignedIn, logon.is_activated)).await?;
    Ok(Opened {
        token: Some(token),
        device,
        step,
    })
}

pub(super) fn right_totp<'f>(
    tools: &Tools,
    factors: &'f [Factor],
    code: &str,
    now: Timestamp,
) -> Result<Option<(&'f Factor, i64)>, Error> {
    for factor in factors {
        let Some(sealed) = &factor.secret else { continue };
        let key = tools.keys.open(&factor.id.to_string(), sealed)?;
        if let Some(step) = totp_step(&key, code, now)? {
            return Ok(Some((factor, step)));
        }
    }
    Ok(None)
}

pub(super) fn passkey_of(factor: &Factor) -> Option<Passkey> {
    serde_json::from_str(factor.passkey.as_deref()?).ok()
}

/// The factor that answered, with its counter moved on.
pub(super) fn used_passkey<'f>(
    factors: &'f [Factor],
    result: &AuthenticationResult,
) -> Option<(&'f Factor, Passkey)> {
    factors.iter().find_map(|factor| {
        let mut passkey = passkey_of(factor)?;
        passkey.update_credential(result)?;
        Some((factor, passkey))
    })
}
