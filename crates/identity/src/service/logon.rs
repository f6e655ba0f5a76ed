//! The first factor: a certificate, shown by a signed challenge or at the TLS door.

use naru_kernel::{CertificateId, LogonId, MinistryId, PersonId, Seconds, Timestamp};
use naru_pki::{VerifiedCertificate, challenge, challenge::Issued};
use naru_runtime::Client;
use naru_store::{By, Tx};

use super::{
    Identity, Tools, Verdict, count_logon, granted,
    sessions::end_logon,
    visits::{self, Tried, Visitor},
};
use crate::{
    Error, Refusal,
    answers::{LogonStep, StepPerson},
    model::{
        Alarm, AlarmId, CertificateState, EndReason, FactorKind, Logon, LogonState, Method, Person,
        PersonState,
    },
    rules::next_step,
    secret,
    store::{self, certificates::Handover},
};

/// How long a log-on may take from the certificate to the second factor.
const FIRST_FACTOR_LENGTH: Seconds = Seconds::minutes(10);
/// How long the code between the two doors is good.
const HANDOVER_LENGTH: Seconds = Seconds(60);
/// Open sessions of one person; a further one ends the longest unused.
const SESSIONS_PER_PERSON_MAX: i64 = 16;

/// A log-on that moved on: where it stands, and the cookie's new token.
#[derive(Clone, Debug)]
pub struct Opened {
    /// The new token, if the step changed it.
    pub token: Option<String>,
    /// The token by which the browser is known from now on, if it is a new one.
    pub device: Option<String>,
    /// Where the log-on stands.
    pub step: LogonStep,
}

/// Whose certificate it was.
struct Admitted {
    person: Person,
    certificate: CertificateId,
}

impl Identity {
    /// A challenge for a browser to sign. Nothing is stored.
    #[must_use]
    pub fn challenge(&self) -> Option<Issued> {
        let key = self.challenge_keys.first()?;
        let now = self.clock.now();
        Some(challenge::issue(
            key,
            &self.config.origin,
            now,
            self.tools.entropy.as_ref(),
        ))
    }

    /// Begins a log-on with a signed challenge.
    ///
    /// # Errors
    /// A refusal about the certificate, the challenge or the person; each is recorded and counted.
    pub async fn log_on(&self, signed: &[u8], visitor: &Visitor) -> Result<Opened, Error> {
        let started = naru_runtime::clock::instant();
        let result = self.log_on_by_message(signed, visitor).await;
        metrics::histogram!("naru_logon_seconds", "step" => "certificate").record(started.elapsed());
        if result.is_err() {
            count_logon(&result);
        }
        result
    }

    async fn log_on_by_message(&self, signed: &[u8], visitor: &Visitor) -> Result<Opened, Error> {
        let act = self.act("identity.log-on", By::Anyone, &visitor.client);
        let now = act.at;
        let verified = naru_pki::verify_cms(
            signed,
            &self.challenge_keys,
            &self.config.origin,
            &self.trust(),
            now,
        );
        let verified = match verified {
            Ok(verified) => verified,
            Err(refusal) => {
                return Err(self
                    .refuse(act, Refusal::Certificate(refusal), serde_json::Value::Null)
                    .await);
            }
        };
        let (tools, visitor) = (self.tools.clone(), visitor.clone());
        let opened = self.decide(act, move |tx| {
            Box::pin(async move {
                let nonce = verified.nonce.to_string();
                if !store::certificates::use_nonce(tx, &nonce, verified.nonce_expires_at).await? {
                    let refusal = Refusal::Certificate(naru_pki::Refusal::ChallengeUsed);
                    return fail_by_subject(tx, &tools, &verified.certificate, (&visitor, now), refusal)
                        .await
                        .map(Err);
                }
                let admitted =
                    granted!(admit(tx, &tools, &verified.certificate, (Door::Main, &visitor), now).await?);
                begin(
                    tx,
                    &tools,
                    &admitted.person,
                    admitted.certificate,
                    (Method::Certificate, visitor, now),
                )
                .await
                .map(Ok)
            })
        });
        opened.await
    }

    /// Takes a client certificate that TLS has proven, and gives a code for the main door: 60 seconds, once.
    ///
    /// # Errors
    /// A refusal about the certificate or the person; each is recorded and counted.
    pub async fn log_on_by_tls(&self, chain: &[&[u8]], client: &Client) -> Result<String, Error> {
        let result = self.hand_over(chain, client).await;
        if result.is_err() {
            count_logon(&result);
        }
        result
    }

    async fn hand_over(&self, chain: &[&[u8]], client: &Client) -> Result<String, Error> {
        let act = self.act("identity.log-on-tls", By::Anyone, client);
        let now = act.at;
        let verified = match naru_pki::verify_certificate(chain, &self.trust(), now) {
            Ok(verified) => verified,
            Err(refusal) => {
                return Err(self
                    .refuse(act, Refusal::Certificate(refusal), serde_json::Value::Null)
                    .await);
            }
        };
        let tools = self.tools.clone();
        let visitor = Visitor::from(client.clone());
        let user_agent_hash = secret::sha256(client.user_agent.as_bytes());
        self.decide(act, move |tx| {
            Box::pin(async move {
                let admitted =
                    granted!(admit(tx, &tools, &verified, (Door::Certificates, &visitor), now).await?);
                let (code, hash) = secret::token(tools.entropy.as_ref());
                let handover = Handover {
                    person: admitted.person.id,
                    ministry: admitted.person.ministry,
                    certificate: admitted.certificate,
                    user_agent_hash,
                    expires_at: now + HANDOVER_LENGTH,
                };
                store::certificates::hand_over(tx, hash, &handover).await?;
                Ok(Ok(code))
            })
        })
        .await
    }

    /// Begins a log-on with a code of the certificate door.
    ///
    /// # Errors
    /// [`Refusal::HandoverInvalid`], or a refusal about the person.
    pub async fn take_over(&self, code: &str, visitor: &Visitor) -> Result<Opened, Error> {
        let act = self.act("identity.take-over", By::Anyone, &visitor.client);
        let now = act.at;
        let hash = secret::sha256(code.as_bytes());
        let (tools, visitor) = (self.tools.clone(), visitor.clone());
        let result = self.decide(act, move |tx| {
            Box::pin(async move {
                let handover = store::certificates::take_over(tx, hash).await?;
                let user_agent_hash = secret::sha256(visitor.client.user_agent.as_bytes());
                let good = handover.filter(|handover| {
                    now <= handover.expires_at && handover.user_agent_hash == user_agent_hash
                });
                let handover = granted!(good.ok_or(Refusal::HandoverInvalid));
                let person = store::people::hold(tx, handover.person).await?;
                let person = granted!(person.ok_or(Refusal::UnknownPerson));
                name_person(tx, &person);
                if let Err(refusal) = visits::standing(tx, &person, &visitor, now).await? {
                    let tried = Tried::refused(Method::Tls.as_str(), &refusal);
                    visits::list(tx, &tools, person.id, (&visitor, tried), now).await?;
                    return Ok(Err(refusal));
                }
                begin(
                    tx,
                    &tools,
                    &person,
                    handover.certificate,
                    (Method::Tls, visitor, now),
                )
                .await
                .map(Ok)
            })
        });
        let result = result.await;
        if result.is_err() {
            count_logon(&result);
        }
        result
    }

    /// Where a log-on stands.
    ///
    /// # Errors
    /// When the store fails.
    pub async fn step(&self, logon: Option<LogonId>) -> Result<LogonStep, Error> {
        let Some(logon) = logon else {
            return Ok(LogonStep::begin());
        };
        let Some(logon) = store::logons::by_id(&self.db, logon).await? else {
            return Ok(LogonStep::begin());
        };
        if logon.state == LogonState::Ended {
            return Ok(LogonStep::begin());
        }
        let Some(person) = store::people::person(&self.db, logon.person).await? else {
            return Ok(LogonStep::begin());
        };
        let factors = store::factors::of_person(&self.db, person.id).await?;
        let kinds: Vec<FactorKind> = factors.iter().map(|factor| factor.kind).collect();
        let ministry = store::people::ministry(&self.db, person.ministry).await?;
        let name = ministry.map(|ministry| ministry.name(&person.language).to_owned());
        Ok(step_of(
            &person,
            name.unwrap_or_default(),
            (logon.state, logon.is_activated),
            &kinds,
        ))
    }
}

/// The step of a log-on in words.
pub(super) fn step_of(
    person: &Person,
    ministry: String,
    (state, is_activated): (LogonState, bool),
    kinds: &[FactorKind],
) -> LogonStep {
    LogonStep {
        next: next_step(state, is_activated, kinds),
        factors: kinds.iter().copied().collect(),
        person: Some(StepPerson {
            name: person.name.clone(),
            ministry,
        }),
    }
}

/// Says in the record whose log-on it is.
pub(super) fn name_person(tx: &mut Tx, person: &Person) {
    tx.about(person.id);
    tx.by(By::Claimed(person.id), Some(person.ministry));
}

/// At which door a certificate was shown. Browsers do not tell the certificate door who they are, so whether the person is
/// locked is asked when its code is handed over at the main one.
#[derive(Clone, Copy, PartialEq, Eq)]
enum Door {
    Main,
    Certificates,
}

impl Door {
    const fn method(self) -> &'static str {
        match self {
            Self::Main => Method::Certificate.as_str(),
            Self::Certificates => Method::Tls.as_str(),
        }
    }
}

/// Finds the person of a verified certificate, and binds it to them if it is new.
async fn admit(
    tx: &mut Tx,
    tools: &Tools,
    verified: &VerifiedCertificate,
    (door, visitor): (Door, &Visitor),
    now: Timestamp,
) -> Result<Verdict<Admitted>, Error> {
    tx.about(&verified.subject);
    tx.note("profile", verified.profile.as_str());
    tx.note("serial", verified.serial.as_str());
    let person = store::people::hold_by_subject(tx, &verified.subject_key).await?;
    let person = granted!(person.ok_or(Refusal::UnknownPerson));
    name_person(tx, &person);
    let id = person.id;
    let admitted = admit_person(tx, tools, (person, verified), (door, visitor), now).await?;
    if let Err(refusal) = &admitted {
        let tried = Tried::refused(door.method(), refusal);
        visits::list(tx, tools, id, (visitor, tried), now).await?;
    }
    Ok(admitted)
}

async fn admit_person(
    tx: &mut Tx,
    tools: &Tools,
    (person, verified): (Person, &VerifiedCertificate),
    (door, visitor): (Door, &Visitor),
    now: Timestamp,
) -> Result<Verdict<Admitted>, Error> {
    match door {
        Door::Main => granted!(visits::standing(tx, &person, visitor, now).await?),
        Door::Certificates if person.state == PersonState::Revoked => return Ok(Err(Refusal::PersonRevoked)),
        Door::Certificates => {}
    }
    let known = store::certificates::known(tx, verified).await?;
    let certificate = match known {
        Some(known) if known.person != person.id => return Ok(Err(Refusal::CertificateOfAnother)),
        Some(known) => match known.state {
            CertificateState::Active => known.id,
            CertificateState::Revoked => return Ok(Err(Refusal::CertificateWithdrawn)),
        },
        // Every accepted authority could write this person's name into a certificate. Whose word counts for them was
        // settled by their first log-on; moving to another takes an administrator, who revokes the old certificates.
        None if store::certificates::has_of_other_profile(tx, person.id, &verified.profile).await? => {
            let detail = serde_json::json!({ "profile": verified.profile, "serial": verified.serial });
            let alarm = ("identity.other-authority", detail);
            raise(tx, tools, (person.id, person.ministry), alarm, now).await?;
            return Ok(Err(Refusal::OtherAuthority));
        }
        None => bind(tx, tools, &person, verified, now).await?,
    };
    Ok(Ok(Admitted { person, certificate }))
}

async fn bind(
    tx: &mut Tx,
    tools: &Tools,
    person: &Person,
    verified: &VerifiedCertificate,
    now: Timestamp,
) -> Result<CertificateId, Error> {
    let id = CertificateId::new(now, tools.entropy.as_ref());
    let earlier = store::certificates::count(tx, person.id).await?;
    store::certificates::bind(tx, id, (person.id, person.ministry), verified, now).await?;
    tx.note("bound_certificate", id.to_string());
    // A renewed certificate is usual once a year or two; someone should still see it.
    if earlier > 0 {
        let detail = serde_json::json!({ "certificate": id.to_string(), "issuer": verified.issuer });
        raise(
            tx,
            tools,
            (person.id, person.ministry),
            ("identity.new-certificate", detail),
            now,
        )
        .await?;
    }
    Ok(id)
}

/// Opens a session that still owes its second factor.
async fn begin(
    tx: &mut Tx,
    tools: &Tools,
    person: &Person,
    certificate: CertificateId,
    (method, visitor, now): (Method, Visitor, Timestamp),
) -> Result<Opened, Error> {
    visits::certificate_shown(tx, tools, person, (&visitor, method.as_str()), now).await?;
    let client = visitor.client;
    // With the one that begins there are as many as there may be.
    for old in store::logons::beyond(tx, person.id, SESSIONS_PER_PERSON_MAX - 1).await? {
        end_logon(tx, tools, old, EndReason::TooMany, now).await?;
    }
    let logon = Logon {
        id: LogonId::new(now, tools.entropy.as_ref()),
        person: person.id,
        ministry: person.ministry,
        certificate,
        method,
        state: LogonState::FirstFactor,
        is_activated: false,
        ceremony: None,
        address: client.address,
        user_agent: client.user_agent,
        created_at: now,
        last_seen_at: now,
        idle_expires_at: now + FIRST_FACTOR_LENGTH,
        expires_at: now + FIRST_FACTOR_LENGTH,
    };
    tx.note("logon", logon.id.to_string());
    store::logons::insert(tx, &logon, secret::sha256(logon.user_agent.as_bytes())).await?;
    let (token, hash) = secret::token(tools.entropy.as_ref());
    store::sessions::insert(tx, hash, logon.id, now).await?;
    let step = step_in(tx, person, (logon.state, false)).await?;
    Ok(Opened {
        token: Some(token),
        device: None,
        step,
    })
}

/// The step of a log-on, read inside its transaction.
pub(super) async fn step_in(
    tx: &mut Tx,
    person: &Person,
    state: (LogonState, bool),
) -> Result<LogonStep, Error> {
    let (ministry, kinds) = store::factors::kinds_in(tx, (person.id, person.ministry)).await?;
    Ok(step_of(
        person,
        ministry.name(&person.language).to_owned(),
        state,
        &kinds,
    ))
}

/// Raises an alarm for the administrators of a ministry.
pub(super) async fn raise(
    tx: &mut Tx,
    tools: &Tools,
    (person, ministry): (PersonId, MinistryId),
    (kind, detail): (&'static str, serde_json::Value),
    now: Timestamp,
) -> Result<(), Error> {
    tracing::warn!(kind, %person, "alarm");
    metrics::counter!("naru_alarms_total", "kind" => kind).increment(1);
    tx.note("alarm", kind);
    let alarm = Alarm {
        id: AlarmId::new(now, tools.entropy.as_ref()),
        at: now,
        kind: kind.to_owned(),
        person: Some(person),
        detail: detail.to_string(),
    };
    Ok(store::alarms::insert(tx, ministry, &alarm).await?)
}

/// Counts a failure of a person whose row is held; gives the refusal to answer with, which is the lock if this was
/// one failure too many.
pub(super) async fn fail(
    tx: &mut Tx,
    tools: &Tools,
    person: &Person,
    (visitor, now): (&Visitor, Timestamp),
    (method, refusal): (&'static str, Refusal),
) -> Result<Refusal, Error> {
    let tried = Tried::refused(method, &refusal);
    visits::list(tx, tools, person.id, (visitor, tried), now).await?;
    match visits::count(tx, person, visitor, now).await? {
        None => Ok(refusal),
        Some((until, is_own_browser)) => {
            let detail = serde_json::json!({
                "last": refusal.code(), "until": until, "only_this_browser": is_own_browser,
                "address": visitor.client.address,
            });
            raise(
                tx,
                tools,
                (person.id, person.ministry),
                ("identity.locked", detail),
                now,
            )
            .await?;
            for logon in store::logons::open_of(tx, person.id).await? {
                if logon.state == LogonState::FirstFactor {
                    end_logon(tx, tools, logon.id, EndReason::Revoked, now).await?;
                }
            }
            Ok(Refusal::Locked {
                until,
                seconds: until.seconds_since(now),
            })
        }
    }
}

async fn fail_by_subject(
    tx: &mut Tx,
    tools: &Tools,
    verified: &VerifiedCertificate,
    (visitor, now): (&Visitor, Timestamp),
    refusal: Refusal,
) -> Result<Refusal, Error> {
    tx.about(&verified.subject);
    match store::people::hold_by_subject(tx, &verified.subject_key).await? {
        Some(person) => {
            name_person(tx, &person);
            if let Err(standing) = visits::standing(tx, &person, visitor, now).await? {
                return Ok(standing);
            }
            let method = Method::Certificate.as_str();
            fail(tx, tools, &person, (visitor, now), (method, refusal)).await
        }
        None => Ok(refusal),
    }
}
