//! Who comes from where: browsers a person is known by, what they see of their log-ons, and the alarms about both.

use naru_kernel::{PersonId, Seconds, Timestamp, access::Assurance};
use naru_runtime::Client;
use naru_store::Tx;
use serde_json::json;

use super::{Tools, Verdict, logon::raise};
use crate::{
    Error, Refusal,
    model::{AttemptId, Person},
    rules::{self, AfterFailure, is_impossible_travel},
    secret,
    store::{self, attempts::Attempt},
};

/// Browsers a person is known by; a further one takes the place of the longest unused.
const DEVICES_PER_PERSON_MAX: i64 = 20;
/// A browser not used for so long is a new one. What people see of their log-ons is kept as long.
pub(super) const KEPT: Seconds = Seconds::hours(365 * 24);
/// The same alarm about a person is raised once in this time; the attempts themselves are all listed.
const ALARM_PAUSE: Seconds = Seconds::minutes(10);
/// Attempts of one person that did not sign in and are listed, in a day; the record has all.
const LISTED_PER_DAY_MAX: i64 = 500;
/// Characters of a browser's token.
const TOKEN_CHARACTERS: usize = 43;

/// A browser that asks, and the token by which it was known before.
#[derive(Clone, Debug)]
pub struct Visitor {
    /// Where the request comes from.
    pub(super) client: Client,
    device: Option<Vec<u8>>,
}

impl From<Client> for Visitor {
    fn from(client: Client) -> Self {
        Self { client, device: None }
    }
}

impl Visitor {
    /// A browser that shows this token; what cannot be one is none.
    #[must_use]
    pub fn new(client: Client, token: Option<&str>) -> Self {
        let token = token.filter(|token| token.len() == TOKEN_CHARACTERS);
        Self {
            client,
            device: token.map(|token| secret::sha256(token.as_bytes())),
        }
    }

    async fn known(&self, tx: &mut Tx, person: PersonId) -> Result<Option<Known<'_>>, Error> {
        let Some(hash) = &self.device else { return Ok(None) };
        let device = store::devices::known(tx, person, hash).await?;
        Ok(device.map(|device| Known { hash, device }))
    }
}

/// A browser the person is known by.
struct Known<'v> {
    hash: &'v [u8],
    device: store::devices::Device,
}

/// Whether the person may take the next step of a log-on from there. A lock that failures elsewhere brought does not count
/// in a browser they are known by: who holds a stolen certificate cannot lock them out of it.
pub(super) async fn standing(
    tx: &mut Tx,
    person: &Person,
    visitor: &Visitor,
    now: Timestamp,
) -> Result<Verdict<()>, Error> {
    Ok(match visitor.known(tx, person.id).await? {
        Some(known) => rules::may_log_on_known(person, known.device.locked_until, now),
        None => rules::may_log_on(person, now),
    })
}

/// Counts a failure where it happened; `Some` says until when it locks.
pub(super) async fn count(
    tx: &mut Tx,
    person: &Person,
    visitor: &Visitor,
    now: Timestamp,
) -> Result<Option<(Timestamp, bool)>, Error> {
    if let Some(known) = visitor.known(tx, person.id).await? {
        let of = (person.id, known.hash);
        return Ok(match rules::after_failure(known.device.failures, now) {
            AfterFailure::Counted(failures) => {
                store::devices::count_failure(tx, of, failures).await?;
                None
            }
            AfterFailure::Locked { until } => {
                store::devices::lock(tx, of, until).await?;
                Some((until, true))
            }
        });
    }
    Ok(match rules::after_failure(person.failures, now) {
        AfterFailure::Counted(failures) => {
            store::people::count_failure(tx, person.id, failures).await?;
            None
        }
        AfterFailure::Locked { until } => {
            store::people::lock(tx, person.id, until).await?;
            Some((until, false))
        }
    })
}

/// What came of an attempt.
#[derive(Clone, Copy, Debug)]
pub(super) struct Tried<'a> {
    /// What was shown: `certificate`, `tls`, `passkey`, `totp` or `activation_code`.
    pub(super) method: &'static str,
    /// What it proved, if it signed in.
    pub(super) assurance: Option<Assurance>,
    /// `first_factor`, `signed_in` or the code of a refusal.
    pub(super) outcome: &'a str,
}

impl<'a> Tried<'a> {
    /// A refused attempt.
    pub(super) fn refused(method: &'static str, refusal: &'a Refusal) -> Self {
        Self {
            method,
            assurance: None,
            outcome: refusal.code(),
        }
    }
}

/// Lists an attempt for the person to see.
pub(super) async fn list(
    tx: &mut Tx,
    tools: &Tools,
    person: PersonId,
    (visitor, tried): (&Visitor, Tried<'_>),
    now: Timestamp,
) -> Result<(), Error> {
    let is_known = visitor.known(tx, person).await?.is_some();
    list_as(tx, tools, person, (visitor, tried, !is_known), now)
        .await
        .map(drop)
}

async fn list_as(
    tx: &mut Tx,
    tools: &Tools,
    person: PersonId,
    (visitor, tried, is_new_device): (&Visitor, Tried<'_>, bool),
    now: Timestamp,
) -> Result<Attempt, Error> {
    let place = tools.places.of(&visitor.client.address);
    let attempt = Attempt {
        id: AttemptId::new(now, tools.entropy.as_ref()),
        at: now,
        address: visitor.client.address.clone(),
        place: place.map(|place| (place.name_ko.clone(), place.name_en.clone())),
        position: place.and_then(|place| place.position),
        device: rules::device(&visitor.client.user_agent),
        is_new_device,
        method: tried.method.to_owned(),
        assurance: tried.assurance.map(|assurance| assurance.as_str().to_owned()),
        outcome: tried.outcome.to_owned(),
    };
    // Whoever holds the certificate's key could fill the table.
    let yesterday = u128::try_from((now - Seconds::hours(24)).as_millis()).unwrap_or(0);
    // Identifiers begin with 48 bits of milliseconds (RFC 9562, 5.7).
    let yesterday = AttemptId::from_bits(yesterday << 80);
    let is_listed = tried.outcome == SIGNED_IN
        || store::attempts::since(tx, person, yesterday).await? < LISTED_PER_DAY_MAX;
    if is_listed {
        store::attempts::insert(tx, person, attempt.clone()).await?;
    }
    Ok(attempt)
}

/// The outcome of an attempt that succeeded.
pub(super) const SIGNED_IN: &str = "signed_in";
/// The outcome of an attempt that showed a good certificate and owes the second factor.
pub(super) const FIRST_FACTOR: &str = "first_factor";

/// A good certificate was shown: lists it, and raises an alarm if the person has browsers and this is none of them.
pub(super) async fn certificate_shown(
    tx: &mut Tx,
    tools: &Tools,
    person: &Person,
    (visitor, method): (&Visitor, &'static str),
    now: Timestamp,
) -> Result<(), Error> {
    let is_known = visitor.known(tx, person.id).await?.is_some();
    let tried = Tried {
        method,
        assurance: None,
        outcome: FIRST_FACTOR,
    };
    let attempt = list_as(tx, tools, person.id, (visitor, tried, !is_known), now).await?;
    let place = tools.places.of(&visitor.client.address);
    let is_shared = place.is_some_and(|place| place.shared_devices);
    if is_known || is_shared || !store::devices::has(tx, person.id).await? {
        return Ok(());
    }
    let kind = "identity.new-device";
    if store::alarms::was_raised(tx, person.id, kind, now - ALARM_PAUSE).await? {
        return Ok(());
    }
    let detail = json!({ "address": attempt.address, "device": attempt.device, "place": place_of(&attempt) });
    raise(tx, tools, (person.id, person.ministry), (kind, detail), now).await
}

fn place_of(attempt: &Attempt) -> serde_json::Value {
    let names = attempt.place.as_ref();
    names.map_or(serde_json::Value::Null, |(ko, en)| json!({ "ko": ko, "en": en }))
}

/// The person signed in: lists it, raises an alarm if nobody could have come here that fast, and knows the browser from now
/// on. Gives the browser's new token if it had none of ours.
pub(super) async fn signed_in(
    tx: &mut Tx,
    tools: &Tools,
    person: &Person,
    (visitor, tried): (&Visitor, Tried<'_>),
    now: Timestamp,
) -> Result<Option<String>, Error> {
    let known = visitor.known(tx, person.id).await?;
    let before = store::attempts::last_good(tx, person.id).await?;
    let attempt = list_as(tx, tools, person.id, (visitor, tried, known.is_none()), now).await?;
    if let Some(before) = before
        && let (Some(from), Some(to)) = (before.position, attempt.position)
        && is_impossible_travel((before.at, from), (now, to))
    {
        let detail = json!({
            "from": place_of(&before), "to": place_of(&attempt), "seconds": now.seconds_since(before.at),
            "kilometres": from.kilometres_to(to).round(),
            "addresses": [before.address, attempt.address],
        });
        let alarm = ("identity.impossible-travel", detail);
        raise(tx, tools, (person.id, person.ministry), alarm, now).await?;
    }
    if known.is_some() {
        // Who guesses elsewhere goes on being counted.
        store::people::signed_in_known(tx, person.id, now).await?;
    } else {
        store::people::signed_in(tx, person.id, now).await?;
    }
    let ours = match &visitor.device {
        // A browser at a shared desk: the next person keeps its token, so that the first stays known.
        Some(hash) if known.is_some() || store::devices::is_anybodys(tx, hash).await? => Some(hash.clone()),
        Some(_) | None => None,
    };
    let (token, hash) = match ours {
        Some(hash) => (None, hash),
        None => {
            let (token, hash) = secret::token(tools.entropy.as_ref());
            (Some(token), hash)
        }
    };
    store::devices::remember(tx, person.id, &hash, now, DEVICES_PER_PERSON_MAX).await?;
    Ok(token)
}
