//! How clients prove themselves: secrets, signed assertions (RFC 7523), TLS certificates (RFC 8705 is compared by the
//! caller, who has the certificate).

use base64::{Engine as _, engine::general_purpose::STANDARD};
use naru_kernel::{Seconds, Timestamp};

use super::{Code, Params, Refusal, error::invalid};
use crate::jose::{self, Algorithm, Checks, PublicKeys, Unverified};

/// The only type of assertion.
pub const TYPE: &str = "urn:ietf:params:oauth:client-assertion-type:jwt-bearer";
/// An assertion lives no longer.
const LIFE_MAX: Seconds = Seconds(600);
/// Bytes of a client identifier or secret.
const SECRET_BYTES_MAX: usize = 256;
/// Characters of an assertion's number.
const NUMBER_CHARACTERS_MAX: usize = 256;

/// What a client shows.
#[derive(Clone, Debug, PartialEq, Eq)]
pub enum Shown {
    /// Nothing: a public client, or one known by its TLS certificate.
    Nothing,
    /// A secret in the header.
    Basic(String),
    /// A secret in the form.
    Post(String),
    /// A signed assertion.
    Assertion(String),
}

/// Who a client says it is, and what it shows for that.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Claimed {
    /// The client.
    pub client_id: String,
    /// Its proof.
    pub shown: Shown,
}

const REFUSED: Refusal = Refusal::new(Code::InvalidClient, "the client could not be authenticated");

/// Reads the `Authorization` header and the form. Only one way at a time (RFC 6749 2.3).
///
/// # Errors
/// `invalid_request` for more than one way; `invalid_client` for none, or a header that cannot be read.
pub fn claimed(authorization: Option<&str>, form: &Params) -> Result<Claimed, Refusal> {
    let in_form = form.get("client_id")?;
    let secret = form.get("client_secret")?;
    let assertion = form.get("client_assertion")?;
    let basic = authorization.and_then(strip_basic);
    let ways = [basic.is_some(), secret.is_some(), assertion.is_some()];
    if ways.iter().filter(|used| **used).count() > 1 {
        return Err(invalid("a client authenticates in one way only"));
    }
    if let Some(encoded) = basic {
        let (client_id, secret) = parse_basic(encoded).ok_or(REFUSED)?;
        if in_form.is_some_and(|other| other != client_id) {
            return Err(invalid("client_id differs from the Authorization header"));
        }
        return Ok(Claimed {
            client_id,
            shown: Shown::Basic(secret),
        });
    }
    if let Some(assertion) = assertion {
        if form.get("client_assertion_type")? != Some(TYPE) {
            return Err(invalid("client_assertion_type is not known"));
        }
        // Believed only after the signature was checked with that client's keys.
        let token = Unverified::parse(assertion).map_err(|_| REFUSED)?;
        let subject = token.unverified_claim("sub").ok_or(REFUSED)?;
        if in_form.is_some_and(|other| other != subject) {
            return Err(invalid("client_id differs from the assertion"));
        }
        return Ok(Claimed {
            client_id: subject.to_owned(),
            shown: Shown::Assertion(assertion.to_owned()),
        });
    }
    let client_id = in_form.ok_or(REFUSED)?.to_owned();
    let shown = match secret {
        Some(secret) if secret.len() <= SECRET_BYTES_MAX => Shown::Post(secret.to_owned()),
        Some(_) => return Err(REFUSED),
        None => Shown::Nothing,
    };
    Ok(Claimed { client_id, shown })
}

fn strip_basic(header: &str) -> Option<&str> {
    let (scheme, rest) = header.split_once(' ')?;
    scheme.eq_ignore_ascii_case("basic").then_some(rest.trim())
}

/// Both halves are form-encoded (RFC 6749 2.3.1).
fn parse_basic(encoded: &str) -> Option<(String, String)> {
    if encoded.len() > 8 * SECRET_BYTES_MAX {
        return None;
    }
    let plain = String::from_utf8(STANDARD.decode(encoded).ok()?).ok()?;
    let (id, secret) = plain.split_once(':')?;
    let decode = |text: &str| {
        let pair = format!("v={text}");
        let mut pairs = url::form_urlencoded::parse(pair.as_bytes());
        let (_, value) = pairs.next()?;
        (pairs.next().is_none() && value.len() <= SECRET_BYTES_MAX).then(|| value.into_owned())
    };
    Some((decode(id)?, decode(secret)?))
}

/// Whether a secret is the one whose SHA-256 is kept.
#[must_use]
pub fn is_secret(shown: &str, sha256: &[u8]) -> bool {
    jose::same(&jose::sha256(shown.as_bytes()), sha256)
}

/// Checks a client's assertion and gives its number, which may be used once until the time given.
///
/// # Errors
/// `invalid_client`.
pub fn check(
    assertion: &str,
    client_id: &str,
    keys: &PublicKeys,
    audiences: &[&str],
    now: Timestamp,
) -> Result<(String, Timestamp), Refusal> {
    let checked = || {
        let token = Unverified::parse(assertion)?;
        let claims = token.verified_by(keys, &Algorithm::ALL)?;
        let checks = Checks {
            issuer: client_id,
            audiences,
            life_max: LIFE_MAX,
            now,
        };
        checks.check(&claims)?;
        if claims.get("sub").and_then(serde_json::Value::as_str) != Some(client_id) {
            return Err(jose::Refusal::Issuer);
        }
        number(&claims)
    };
    let number = checked().map_err(|_: jose::Refusal| REFUSED)?;
    Ok((
        number,
        now + LIFE_MAX + jose::CLOCK_TOLERANCE + jose::CLOCK_TOLERANCE,
    ))
}

/// The number of a token that is good once.
pub(super) fn number(claims: &serde_json::Map<String, serde_json::Value>) -> Result<String, jose::Refusal> {
    let number = claims
        .get("jti")
        .and_then(serde_json::Value::as_str)
        .ok_or(jose::Refusal::Claim)?;
    if number.is_empty() || number.chars().count() > NUMBER_CHARACTERS_MAX {
        return Err(jose::Refusal::Claim);
    }
    Ok(number.to_owned())
}
