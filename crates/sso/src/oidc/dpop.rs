//! Proofs of possession (RFC 9449): a token is worth something only together with its key.

use naru_kernel::{Seconds, Timestamp};
use serde_json::Value;

use super::{Code, Refusal, assertion};
use crate::jose::{self, Algorithm, Unverified, encode, same, sha256};

/// A proof is good for so long, in both directions of clocks that differ.
pub const LIFE: Seconds = Seconds(120);
/// Bytes of a proof.
const PROOF_BYTES_MAX: usize = 4 * 1024;

/// What a proof must be about.
#[derive(Clone, Copy, Debug)]
pub struct Request<'r> {
    /// The method of the request it came with.
    pub method: &'r str,
    /// Its address, without query and fragment.
    pub address: &'r str,
    /// The access token it came with, if any.
    pub token: Option<&'r str>,
    /// Now.
    pub now: Timestamp,
}

/// A proof that holds.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Proof {
    /// The thumbprint of its key (`jkt`).
    pub thumbprint: String,
    /// Its number, with the key's thumbprint before it: good once.
    pub number: String,
    /// Until when the number must be remembered.
    pub remember_until: Timestamp,
}

/// Checks a proof (RFC 9449 4.3, but for its number, which the caller remembers).
///
/// # Errors
/// `invalid_dpop_proof`.
pub fn check(proof: &str, request: Request<'_>) -> Result<Proof, Refusal> {
    checked(proof, request).map_err(|refusal| {
        let why = if matches!(refusal, jose::Refusal::Expired | jose::Refusal::NotYet) {
            "the proof is too old or from the future"
        } else if refusal == jose::Refusal::Audience {
            "the proof is for another request"
        } else {
            "the proof does not hold"
        };
        Refusal::new(Code::InvalidDpopProof, why)
    })
}

fn checked(proof: &str, request: Request<'_>) -> Result<Proof, jose::Refusal> {
    if proof.len() > PROOF_BYTES_MAX {
        return Err(jose::Refusal::TooLong);
    }
    let token = Unverified::parse(proof)?;
    if token.header().kind.as_deref() != Some("dpop+jwt") {
        return Err(jose::Refusal::Type);
    }
    let (claims, key) = token.verified_by_own_key(&Algorithm::ALL)?;
    let text = |name: &str| {
        claims
            .get(name)
            .and_then(Value::as_str)
            .ok_or(jose::Refusal::Claim)
    };
    if text("htm")? != request.method || !is_same_address(text("htu")?, request.address) {
        return Err(jose::Refusal::Audience);
    }
    let issued = jose::issued_at(&claims)?;
    if issued + LIFE < request.now {
        return Err(jose::Refusal::Expired);
    }
    if issued > request.now + LIFE {
        return Err(jose::Refusal::NotYet);
    }
    if let Some(token) = request.token {
        let hash = encode(&sha256(token.as_bytes()));
        if !same(text("ath")?.as_bytes(), hash.as_bytes()) {
            return Err(jose::Refusal::Audience);
        }
    }
    let thumbprint = key.thumbprint();
    Ok(Proof {
        number: format!("{thumbprint} {}", assertion::number(&claims)?),
        thumbprint,
        remember_until: issued + LIFE + LIFE,
    })
}

fn is_same_address(one: &str, other: &str) -> bool {
    let plain = |text: &str| {
        let mut url = url::Url::parse(text).ok()?;
        url.set_query(None);
        url.set_fragment(None);
        Some(url)
    };
    plain(one).is_some_and(|one| plain(other) == Some(one))
}
