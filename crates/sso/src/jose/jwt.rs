//! Claims that every token has (RFC 7519 4.1).

use naru_kernel::{Seconds, Timestamp};
use serde_json::{Map, Value};

use super::Refusal;

/// Clocks of honest programs differ by no more.
pub const CLOCK_TOLERANCE: Seconds = Seconds(60);
/// Audiences in a token.
const AUDIENCES_MAX: usize = 8;

/// What a token must say.
#[derive(Clone, Copy, Debug)]
pub struct Checks<'c> {
    /// Who must have made it.
    pub issuer: &'c str,
    /// One of these must be meant.
    pub audiences: &'c [&'c str],
    /// It must expire, no later than so long from now.
    pub life_max: Seconds,
    /// Now.
    pub now: Timestamp,
}

impl Checks<'_> {
    /// Checks `iss`, `aud`, `exp`, `nbf` and `iat`.
    ///
    /// # Errors
    /// The first claim that is wrong.
    pub fn check(&self, claims: &Map<String, Value>) -> Result<(), Refusal> {
        if claims.get("iss").and_then(Value::as_str) != Some(self.issuer) {
            return Err(Refusal::Issuer);
        }
        if !audiences(claims)?
            .iter()
            .any(|audience| self.audiences.contains(audience))
        {
            return Err(Refusal::Audience);
        }
        check_times(claims, self.life_max, self.now)
    }
}

/// The audiences of a token: one text or a list.
///
/// # Errors
/// [`Refusal::Claim`] when there is none or it is of another type.
pub fn audiences(claims: &Map<String, Value>) -> Result<Vec<&str>, Refusal> {
    match claims.get("aud") {
        Some(Value::String(audience)) => Ok(vec![audience]),
        Some(Value::Array(list)) if (1..=AUDIENCES_MAX).contains(&list.len()) => list
            .iter()
            .map(|audience| audience.as_str().ok_or(Refusal::Claim))
            .collect(),
        Some(_) | None => Err(Refusal::Claim),
    }
}

fn time(claims: &Map<String, Value>, name: &str) -> Result<Option<Timestamp>, Refusal> {
    match claims.get(name) {
        None => Ok(None),
        Some(value) => {
            // Fractions of a second are allowed by RFC 7519 2 and mean nothing here.
            let seconds = value.as_i64().or_else(|| {
                let whole = format!("{:.0}", value.as_f64()?.trunc());
                whole.parse().ok()
            });
            seconds
                .map(Timestamp::from_seconds)
                .map(Some)
                .ok_or(Refusal::Claim)
        }
    }
}

/// Checks `exp` (demanded), `nbf` and `iat`, with [`CLOCK_TOLERANCE`].
///
/// # Errors
/// [`Refusal::Expired`] also when it would live longer than `life_max`; [`Refusal::NotYet`]; [`Refusal::Claim`].
pub fn check_times(claims: &Map<String, Value>, life_max: Seconds, now: Timestamp) -> Result<(), Refusal> {
    let expires = time(claims, "exp")?.ok_or(Refusal::Claim)?;
    if expires + CLOCK_TOLERANCE <= now || expires > now + life_max + CLOCK_TOLERANCE {
        return Err(Refusal::Expired);
    }
    for name in ["nbf", "iat"] {
        if time(claims, name)?.is_some_and(|at| at > now + CLOCK_TOLERANCE) {
            return Err(Refusal::NotYet);
        }
    }
    Ok(())
}

/// When a token says it was made.
///
/// # Errors
/// [`Refusal::Claim`] when it does not say.
pub(crate) fn issued_at(claims: &Map<String, Value>) -> Result<Timestamp, Refusal> {
    time(claims, "iat")?.ok_or(Refusal::Claim)
}
