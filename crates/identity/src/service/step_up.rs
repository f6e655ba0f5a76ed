//! A second factor shown again in a running session: it renews when the person was last seen to be there, and can raise
//! what the session proves.

use naru_kernel::{Actor, LogonId, Timestamp, access::Assurance};
use naru_store::{By, Tx};
use webauthn_rs::prelude::{Passkey, PublicKeyCredential};

use super::{
    Identity, Verdict, granted,
    logon::fail,
    second_factor::{PASSKEY, Started, TOTP, passkey_of, right_totp, used_passkey},
    visits::{self, Visitor},
};
use crate::{
    Error, Refusal,
    answers::SteppedUp,
    model::{FactorKind, LogonState, Person},
    rules, store,
};

/// What a session proved, for the other domains.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct LogonProof {
    /// Whose.
    pub person: naru_kernel::PersonId,
    /// In which ministry they work in it.
    pub ministry: naru_kernel::MinistryId,
    /// How the first factor was shown: a word of the table.
    pub method: String,
    /// How much it proved.
    pub assurance: Assurance,
    /// Methods, words of RFC 8176.
    pub methods: Vec<&'static str>,
    /// When a factor was shown last.
    pub authenticated_at: Timestamp,
    /// Whether it is signed in and not over.
    pub is_alive: bool,
}

impl Identity {
    /// What a session proved; `None` for one that is forgotten.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn proof(&self, logon: LogonId) -> Result<Option<LogonProof>, naru_store::Error> {
        let now = self.clock.now();
        let proof = store::proofs::of(&self.db, logon).await?;
        Ok(proof.map(|proof| LogonProof {
            person: proof.person,
            ministry: proof.ministry,
            assurance: proof.assurance,
            methods: rules::methods(proof.assurance, proof.method == "tls"),
            method: proof.method,
            authenticated_at: proof.authenticated_at,
            is_alive: proof.state == LogonState::SignedIn && now < proof.idle_expires_at,
        }))
    }

    /// Shows six digits again.
    ///
    /// # Errors
    /// [`Refusal::CodeWrong`] or [`Refusal::CodeUsed`], counted; or the person is locked.
    pub async fn step_up_by_totp(
        &self,
        actor: &Actor,
        code: &str,
        visitor: &Visitor,
    ) -> Result<SteppedUp, Error> {
        let by = By::Person(actor.person, actor.logon);
        let act = self.act_for("identity.step-up", by, actor.ministry, &visitor.client);
        let now = act.at;
        let (tools, code) = (self.tools.clone(), code.to_owned());
        let (actor, visitor) = (actor.clone(), visitor.clone());
        self.decide(act, move |tx| {
            Box::pin(async move {
                let person = granted!(held(tx, &actor, &visitor, now).await?);
                tx.note("factor", FactorKind::Totp.as_str());
                let factors = store::factors::of_person_in(tx, person.id).await?;
                let Some((factor, step)) = right_totp(&tools, &factors, &code, now)? else {
                    return fail(tx, &tools, &person, (&visitor, now), (TOTP, Refusal::CodeWrong))
                        .await
                        .map(Err);
                };
                if !store::factors::use_totp(tx, factor.id, step, now).await? {
                    return fail(tx, &tools, &person, (&visitor, now), (TOTP, Refusal::CodeUsed))
                        .await
                        .map(Err);
                }
                stepped_up(tx, actor.logon, FactorKind::Totp, now).await
            })
        })
        .await
    }

    /// Asks for a passkey again.
    ///
    /// # Errors
    /// [`Refusal::WrongStep`] when the person has none.
    pub async fn start_step_up(&self, actor: &Actor) -> Result<serde_json::Value, Error> {
        let factors = store::factors::of_person(&self.db, actor.person).await?;
        let passkeys: Vec<Passkey> = factors.iter().filter_map(passkey_of).collect();
        if passkeys.is_empty() {
            return Err(Refusal::WrongStep.into());
        }
        let (options, state) = self
            .webauthn
            .start_passkey_authentication(&passkeys)
            .map_err(|error| Error::Passkey(error.into()))?;
        self.start(actor.logon, Started::StepUp(state)).await?;
        serde_json::to_value(options).map_err(|error| Error::Passkey(error.into()))
    }

    /// Takes the passkey's answer.
    ///
    /// # Errors
    /// [`Refusal::PasskeyRefused`], counted; [`Refusal::NothingStarted`]; or the person is locked.
    pub async fn finish_step_up(
        &self,
        actor: &Actor,
        credential: serde_json::Value,
        visitor: &Visitor,
    ) -> Result<SteppedUp, Error> {
        let by = By::Person(actor.person, actor.logon);
        let act = self.act_for("identity.step-up", by, actor.ministry, &visitor.client);
        let now = act.at;
        let (text, started) = self.started(actor.logon, now).await?;
        let Started::StepUp(state) = started else {
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
        let (tools, actor, visitor) = (self.tools.clone(), actor.clone(), visitor.clone());
        self.decide(act, move |tx| {
            Box::pin(async move {
                let person = granted!(held(tx, &actor, &visitor, now).await?);
                tx.note("factor", FactorKind::Passkey.as_str());
                if !store::logons::take_ceremony(tx, actor.logon, &text).await? {
                    return Ok(Err(Refusal::NothingStarted));
                }
                let factors = store::factors::of_person_in(tx, person.id).await?;
                let Some((factor, passkey)) = checked.and_then(|result| used_passkey(&factors, &result))
                else {
                    return fail(
                        tx,
                        &tools,
                        &person,
                        (&visitor, now),
                        (PASSKEY, Refusal::PasskeyRefused),
                    )
                    .await
                    .map(Err);
                };
                let json = serde_json::to_string(&passkey).map_err(|error| Error::Passkey(error.into()))?;
                store::factors::use_passkey(tx, factor.id, json, now).await?;
                stepped_up(tx, actor.logon, FactorKind::Passkey, now).await
            })
        })
        .await
    }
}

/// The person, held, if they may show a factor now: tries are counted as at a log-on.
async fn held(
    tx: &mut Tx,
    actor: &Actor,
    visitor: &Visitor,
    now: Timestamp,
) -> Result<Verdict<Person>, Error> {
    tx.about(actor.logon);
    // The person and their factors are their home ministry's, wherever they serve in this session.
    tx.across_ministries().await?;
    let person = store::people::hold_anywhere(tx, actor.person).await?;
    let person = granted!(person.ok_or(Refusal::UnknownPerson));
    granted!(visits::standing(tx, &person, visitor, now).await?);
    Ok(Ok(person))
}

async fn stepped_up(
    tx: &mut Tx,
    logon: LogonId,
    kind: FactorKind,
    now: Timestamp,
) -> Result<Verdict<SteppedUp>, Error> {
    let proof = store::proofs::of_in(tx, logon).await?;
    let proof = granted!(proof.ok_or(Refusal::WrongStep));
    let assurance = rules::raised(proof.assurance, kind);
    if !store::proofs::proved(tx, logon, assurance, now).await? {
        return Ok(Err(Refusal::WrongStep));
    }
    tx.note("before", proof.assurance.as_str());
    tx.note("after", assurance.as_str());
    Ok(Ok(SteppedUp {
        assurance,
        authenticated_at: now,
    }))
}
