//! Enrolling second factors, and taking them away.

use naru_kernel::{Actor, FactorId, LogonId, MinistryId, PersonId, Timestamp};
use naru_runtime::{Caller, Client, FirstFactor};
use naru_store::{Act, By, Tx};
use webauthn_rs::prelude::{RegisterPublicKeyCredential, Uuid};

use super::{
    Identity, Opened, Tools, Verdict, granted,
    logon::{raise, step_in},
    second_factor::{Started, at_first_factor, complete, passkey_of, totp_step},
    visits::Visitor,
};
use crate::{
    Error, Refusal,
    answers::{FactorRow, TotpOffer},
    model::{Factor, FactorKind, Logon, LogonState, Person},
    rules::{Next, next_step},
    store,
};

/// Second factors of one person.
const FACTORS_MAX: usize = 10;
/// The longest name of a factor, in characters.
const NAME_CHARACTERS_MAX: usize = 60;
/// A TOTP key, as RFC 4226 recommends.
const TOTP_KEY_BYTES: usize = 20;

/// Who enrols: someone whose first factor was activated, or someone signed in.
#[derive(Clone, Copy)]
struct Enroller {
    person: PersonId,
    ministry: MinistryId,
    logon: LogonId,
    first: Option<FirstFactor>,
}

fn enroller(caller: &Caller) -> Result<Enroller, Error> {
    match caller {
        Caller::FirstFactor(first) => Ok(Enroller {
            person: first.person,
            ministry: first.ministry,
            logon: first.logon,
            first: Some(*first),
        }),
        Caller::SignedIn(actor) => Ok(Enroller {
            person: actor.person,
            ministry: actor.ministry,
            logon: actor.logon,
            first: None,
        }),
        Caller::Anyone => Err(Refusal::WrongStep.into()),
    }
}

impl Identity {
    fn enrol_act(&self, enroller: Enroller, client: &Client) -> Act {
        let by = match enroller.first {
            Some(_) => By::Claimed(enroller.person),
            None => By::Person(enroller.person, enroller.logon),
        };
        self.act_for("identity.enrol-factor", by, enroller.ministry, client)
    }

    /// The person and their factors, if this caller may enrol one more now.
    async fn may_start(&self, enroller: Enroller) -> Result<(Person, Vec<Factor>), Error> {
        let logon = store::logons::by_id(&self.db, enroller.logon)
            .await?
            .ok_or(Refusal::WrongStep)?;
        let person = store::people::person(&self.db, enroller.person)
            .await?
            .ok_or(Refusal::WrongStep)?;
        let factors = store::factors::of_person(&self.db, enroller.person).await?;
        may_enrol(&logon, &factors)?;
        Ok((person, factors))
    }

    /// Offers to make a passkey.
    ///
    /// # Errors
    /// [`Refusal::NotActivated`], [`Refusal::AlreadyEnrolled`] or [`Refusal::TooManyFactors`].
    pub async fn start_passkey_enrolment(&self, caller: &Caller) -> Result<serde_json::Value, Error> {
        let enroller = enroller(caller)?;
        let (person, factors) = self.may_start(enroller).await?;
        let known = factors
            .iter()
            .filter_map(passkey_of)
            .map(|passkey| passkey.cred_id().clone())
            .collect();
        let (options, state) = self
            .webauthn
            .start_passkey_registration(user_handle(person.id), &person.name, &person.name, Some(known))
            .map_err(|error| Error::Passkey(error.into()))?;
        self.start(enroller.logon, Started::EnrolPasskey(state)).await?;
        serde_json::to_value(options).map_err(|error| Error::Passkey(error.into()))
    }

    /// Keeps the passkey that was made; a log-on is complete by that.
    ///
    /// # Errors
    /// [`Refusal::PasskeyRefused`], [`Refusal::NothingStarted`], or as for the start.
    pub async fn finish_passkey_enrolment(
        &self,
        caller: &Caller,
        (credential, name): (serde_json::Value, &str),
        visitor: &Visitor,
    ) -> Result<Opened, Error> {
        let enroller = enroller(caller)?;
        let act = self.enrol_act(enroller, &visitor.client);
        let now = act.at;
        let (text, started) = self.started(enroller.logon, now).await?;
        let Started::EnrolPasskey(state) = started else {
            return Err(Refusal::NothingStarted.into());
        };
        let made = serde_json::from_value::<RegisterPublicKeyCredential>(credential)
            .ok()
            .and_then(|credential| {
                self.webauthn
                    .finish_passkey_registration(&credential, &state)
                    .ok()
            });
        let Some(passkey) = made else {
            return Err(self
                .refuse(act, Refusal::PasskeyRefused, serde_json::Value::Null)
                .await);
        };
        let json = serde_json::to_string(&passkey).map_err(|error| Error::Passkey(error.into()))?;
        let factor = Factor {
            name: factor_name(name, "Passkey"),
            passkey: Some(json),
            ..self.new_factor(FactorKind::Passkey, now)
        };
        let credential = hex::encode(passkey.cred_id());
        self.keep(act, (enroller, visitor), text, (factor, Some(credential)))
            .await
    }

    /// Offers a TOTP key.
    ///
    /// # Errors
    /// As for [`Self::start_passkey_enrolment`].
    pub async fn start_totp_enrolment(&self, caller: &Caller) -> Result<TotpOffer, Error> {
        let enroller = enroller(caller)?;
        let (person, _) = self.may_start(enroller).await?;
        let mut key = [0_u8; TOTP_KEY_BYTES];
        self.tools.entropy.fill(&mut key);
        let owner = enroller.logon.to_string();
        let sealed = self.tools.keys.seal(&owner, &key, self.tools.entropy.as_ref())?;
        let sealed = hex::encode(sealed);
        self.start(enroller.logon, Started::EnrolTotp { sealed }).await?;
        let secret = totp_rs::Secret::from(key.as_slice()).to_base32();
        let uri = totp_uri(&self.config.platform_name, &person.name, &secret);
        Ok(TotpOffer { secret, uri })
    }

    /// Keeps the TOTP key once a code of it was right; a log-on is complete by that.
    ///
    /// # Errors
    /// [`Refusal::CodeWrong`], [`Refusal::NothingStarted`], or as for the start.
    pub async fn finish_totp_enrolment(
        &self,
        caller: &Caller,
        code: &str,
        visitor: &Visitor,
    ) -> Result<Opened, Error> {
        let enroller = enroller(caller)?;
        let act = self.enrol_act(enroller, &visitor.client);
        let now = act.at;
        let (text, started) = self.started(enroller.logon, now).await?;
        let Started::EnrolTotp { sealed } = started else {
            return Err(Refusal::NothingStarted.into());
        };
        let sealed = hex::decode(sealed).map_err(|_| Error::Secret)?;
        let key = self.tools.keys.open(&enroller.logon.to_string(), &sealed)?;
        let Some(step) = totp_step(&key, code, now)? else {
            return Err(self
                .refuse(act, Refusal::CodeWrong, serde_json::Value::Null)
                .await);
        };
        let mut factor = self.new_factor(FactorKind::Totp, now);
        factor.name = factor_name("", "TOTP");
        factor.last_step = step;
        let owner = factor.id.to_string();
        factor.secret = Some(self.tools.keys.seal(&owner, &key, self.tools.entropy.as_ref())?);
        self.keep(act, (enroller, visitor), text, (factor, None)).await
    }

    fn new_factor(&self, kind: FactorKind, now: Timestamp) -> Factor {
        Factor {
            id: FactorId::new(now, self.tools.entropy.as_ref()),
            kind,
            name: String::new(),
            passkey: None,
            secret: None,
            last_step: 0,
            created_at: now,
            last_used_at: None,
        }
    }

    async fn keep(
        &self,
        act: Act,
        (enroller, visitor): (Enroller, &Visitor),
        ceremony: String,
        (factor, credential): (Factor, Option<String>),
    ) -> Result<Opened, Error> {
        let (tools, visitor) = (self.tools.clone(), visitor.clone());
        let now = act.at;
        let result = self.decide(act, move |tx| {
            Box::pin(async move {
                let (person, logon) = granted!(enrolling(tx, enroller, &visitor, now).await?);
                let factors = store::factors::of_person_in(tx, person.id).await?;
                granted!(may_enrol(&logon, &factors));
                if !store::logons::take_ceremony(tx, logon.id, &ceremony).await? {
                    return Ok(Err(Refusal::NothingStarted));
                }
                tx.note("factor", factor.kind.as_str());
                tx.note("factor_id", factor.id.to_string());
                let owner = (person.id, person.ministry);
                if !store::factors::insert(tx, owner, &factor, credential).await? {
                    return Ok(Err(Refusal::PasskeyRefused));
                }
                enrolled(tx, &tools, (&person, &logon), &visitor, (factor.kind, now))
                    .await
                    .map(Ok)
            })
        });
        let result = result.await;
        if enroller.first.is_some() {
            super::count_logon(&result);
        }
        result
    }

    /// The person's own factors.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn factors(&self, actor: &Actor) -> Result<Vec<FactorRow>, Error> {
        let factors = store::factors::of_person(&self.db, actor.person).await?;
        Ok(factors.into_iter().map(FactorRow::from).collect())
    }

    /// Takes away one of the person's own factors, but not the last.
    ///
    /// # Errors
    /// [`Refusal::LastFactor`], or there is no such factor.
    pub async fn remove_factor(&self, actor: &Actor, factor: FactorId, client: &Client) -> Result<(), Error> {
        own(actor)?;
        let by = By::Person(actor.person, actor.logon);
        let act = self.act_for("identity.remove-factor", by, actor.ministry, client);
        let (person, now, tools) = (actor.person, act.at, self.tools.clone());
        self.decide(act, move |tx| {
            Box::pin(async move {
                tx.about(factor);
                let held = store::people::hold_anywhere(tx, person).await?;
                let held = granted!(held.ok_or(Refusal::NoSuch("factor")));
                let factors = store::factors::of_person_in(tx, person).await?;
                if !factors.iter().any(|known| known.id == factor) {
                    return Ok(Err(Refusal::NoSuch("factor")));
                }
                if factors.len() == 1 {
                    return Ok(Err(Refusal::LastFactor));
                }
                store::factors::remove(tx, factor, person).await?;
                let alarm = ("identity.factor-removed", serde_json::json!({ "factor": factor }));
                raise(tx, &tools, (person, held.ministry), alarm, now).await?;
                Ok(Ok(()))
            })
        })
        .await
    }
}

/// A person's own factors and sessions are theirs whatever they are: every use case here reads and writes by the
/// actor's own identifier. Only someone without any role has nothing to do here.
pub(super) fn own(actor: &Actor) -> Result<(), Error> {
    if actor.roles.is_empty() {
        Err(Refusal::Denied.into())
    } else {
        Ok(())
    }
}

async fn enrolling(
    tx: &mut Tx,
    enroller: Enroller,
    visitor: &Visitor,
    now: Timestamp,
) -> Result<Verdict<(Person, Logon)>, Error> {
    if let Some(first) = enroller.first {
        return at_first_factor(tx, first, visitor, now).await;
    }
    let person = granted!(
        store::people::hold_anywhere(tx, enroller.person)
            .await?
            .ok_or(Refusal::WrongStep)
    );
    let logon = store::logons::open_by_id(tx, enroller.logon).await?;
    let logon = granted!(logon.ok_or(Refusal::WrongStep));
    tx.about(person.id);
    Ok(Ok((person, logon)))
}

async fn enrolled(
    tx: &mut Tx,
    tools: &Tools,
    (person, logon): (&Person, &Logon),
    visitor: &Visitor,
    (kind, now): (FactorKind, Timestamp),
) -> Result<Opened, Error> {
    // Everybody has a first one once; any other is worth a look.
    if person.last_logon_at.is_some() {
        let detail = serde_json::json!({ "factor": kind, "address": visitor.client.address });
        let alarm = ("identity.factor-added", detail);
        raise(tx, tools, (person.id, person.ministry), alarm, now).await?;
    }
    match logon.state {
        LogonState::FirstFactor => {
            store::factors::remove_activation(tx, person.id).await?;
            complete(tx, tools, (person, logon), visitor, (kind, now)).await
        }
        LogonState::SignedIn | LogonState::Ended => Ok(Opened {
            token: None,
            device: None,
            step: step_in(tx, person, (logon.state, logon.is_activated)).await?,
        }),
    }
}

/// Whether one more factor may be enrolled in this session.
fn may_enrol(logon: &Logon, factors: &[Factor]) -> Result<(), Refusal> {
    if factors.len() >= FACTORS_MAX {
        return Err(Refusal::TooManyFactors);
    }
    let kinds: Vec<FactorKind> = factors.iter().map(|factor| factor.kind).collect();
    match next_step(logon.state, logon.is_activated, &kinds) {
        Next::Enrol | Next::Done => Ok(()),
        Next::Activate => Err(Refusal::NotActivated),
        Next::SecondFactor => Err(Refusal::AlreadyEnrolled),
        Next::Certificate => Err(Refusal::WrongStep),
    }
}

fn factor_name(name: &str, fallback: &str) -> String {
    let name: String = name
        .trim()
        .chars()
        .filter(|c| !c.is_control())
        .take(NAME_CHARACTERS_MAX)
        .collect();
    if name.is_empty() {
        fallback.to_owned()
    } else {
        name
    }
}

/// WebAuthn wants a stable handle that says nothing about the person: their identifier's bits.
fn user_handle(person: PersonId) -> Uuid {
    let text = person.to_string();
    let digits = text.rsplit('_').next().unwrap_or_default();
    Uuid::try_parse(digits).unwrap_or_default()
}

/// The address an authenticator app reads (the "Key Uri Format" apps have agreed on).
fn totp_uri(platform: &str, name: &str, secret: &str) -> String {
    let encoded = |text: &str| {
        let plus: String = url::form_urlencoded::byte_serialize(text.as_bytes()).collect();
        plus.replace('+', "%20")
    };
    let issuer = encoded(platform);
    format!(
        "otpauth://totp/{issuer}:{}?secret={secret}&issuer={issuer}&algorithm=SHA1&digits=6&period=30",
        encoded(name)
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_address_for_apps_is_encoded() {
        assert_eq!(
            totp_uri("Na ru", "a&b", "ABC"),
            "otpauth://totp/Na%20ru:a%26b?secret=ABC&issuer=Na%20ru&algorithm=SHA1&digits=6&period=30"
        );
    }

    #[test]
    fn the_user_handle_is_the_persons_bits() {
        assert_eq!(user_handle(PersonId::from_bits(7)), Uuid::from_u128(7));
    }
}
