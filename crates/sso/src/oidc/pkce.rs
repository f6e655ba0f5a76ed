//! Proof key for code exchange (RFC 7636), `S256` alone: `plain` protects against nobody who reads the request.

use crate::jose::{encode, same, sha256};

use super::{Params, Refusal, error::invalid};

/// Characters of a verifier (RFC 7636 4.1).
const VERIFIER_CHARACTERS: core::ops::RangeInclusive<usize> = 43..=128;
/// Characters of an S256 challenge.
const CHALLENGE_CHARACTERS: usize = 43;

/// The challenge of an authorization request; none if it uses no PKCE.
///
/// # Errors
/// `invalid_request` for another method than `S256` (`plain` is also what an absent method means) or what is no SHA-256.
pub fn challenge(params: &Params) -> Result<Option<String>, Refusal> {
    let method = params.get("code_challenge_method")?;
    let Some(challenge) = params.get("code_challenge")? else {
        return match method {
            None => Ok(None),
            Some(_) => Err(invalid("code_challenge is missing")),
        };
    };
    if method != Some("S256") {
        return Err(invalid("code_challenge_method must be S256"));
    }
    if challenge.len() != CHALLENGE_CHARACTERS || crate::jose::decode(challenge).is_err() {
        return Err(invalid("code_challenge is no SHA-256 in base64url"));
    }
    Ok(Some(challenge.to_owned()))
}

/// Whether the verifier of a token request answers the challenge. A verifier without a challenge is refused as well: the
/// challenge was taken away on the way (RFC 9700 4.8.2).
#[must_use]
pub fn is_answered(challenge: Option<&str>, verifier: Option<&str>) -> bool {
    match (challenge, verifier) {
        (None, None) => true,
        (Some(challenge), Some(verifier)) => {
            let is_sound = VERIFIER_CHARACTERS.contains(&verifier.len())
                && verifier
                    .bytes()
                    .all(|byte| byte.is_ascii_alphanumeric() || b"-._~".contains(&byte));
            is_sound
                && same(
                    encode(&sha256(verifier.as_bytes())).as_bytes(),
                    challenge.as_bytes(),
                )
        }
        (Some(_), None) | (None, Some(_)) => false,
    }
}
