//! What a browser is given to sign: short-lived, bound to an origin, recognised again without being stored.
//!
//! The bytes are JSON with a fixed order of fields, authenticated by HMAC-SHA-256 (RFC 2104) with a key of the
//! server, so that any portal with the key can check what another issued. That a challenge is used once is for
//! the caller: it remembers the [`Nonce`] until [`Checked::expires_at`].

use core::fmt;

use aws_lc_rs::hmac;
use naru_kernel::{Entropy, Seconds, Timestamp};
use serde::{Deserialize, Serialize};

use crate::Refusal;

/// How long a challenge may be answered.
pub const CHALLENGE_LIFETIME: Seconds = Seconds(120);
/// How far the clock of the issuing portal may be ahead of the checking one.
const CLOCK_SKEW_MAX: Seconds = Seconds(30);
/// No challenge of ours is longer.
pub const CHALLENGE_BYTES_MAX: usize = 1_024;
const PURPOSE: &str = "naru-logon";

/// A key that authenticates challenges. All portals of one platform share it; `id` tells old from new.
#[derive(Clone)]
pub struct ChallengeKey {
    id: String,
    key: hmac::Key,
}

impl fmt::Debug for ChallengeKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("ChallengeKey")
            .field("id", &self.id)
            .finish_non_exhaustive()
    }
}

impl ChallengeKey {
    /// A key of 32 random bytes under a short name.
    #[must_use]
    pub fn new(id: &str, secret: &[u8; 32]) -> Self {
        Self {
            id: id.to_owned(),
            key: hmac::Key::new(hmac::HMAC_SHA256, secret),
        }
    }
}

/// The random part of a challenge, by which its single use is kept.
#[derive(Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash)]
pub struct Nonce(pub [u8; 16]);

impl fmt::Display for Nonce {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&hex::encode(self.0))
    }
}

/// A challenge to send to the browser.
#[derive(Clone, Debug)]
pub struct Issued {
    /// The content the browser signs, exactly.
    pub bytes: Vec<u8>,
    /// Its random part.
    pub nonce: Nonce,
    /// The last moment it is accepted.
    pub expires_at: Timestamp,
}

/// A challenge found to be ours, fresh and for this origin.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub struct Checked {
    /// To be remembered until `expires_at`, and refused when seen again.
    pub nonce: Nonce,
    /// The last moment it would be accepted.
    pub expires_at: Timestamp,
}

#[derive(Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
struct Body {
    purpose: String,
    audience: String,
    nonce: String,
    issued_at: Timestamp,
    key: String,
    mac: String,
}

impl Body {
    /// What is authenticated: every field, each ended by a byte that JSON text of these fields cannot confuse.
    fn authenticated(&self) -> Vec<u8> {
        let mut out = Vec::new();
        let at = self.issued_at.as_micros().to_string();
        for field in [&self.purpose, &self.audience, &self.nonce, &at, &self.key] {
            out.extend_from_slice(field.len().to_string().as_bytes());
            out.push(b':');
            out.extend_from_slice(field.as_bytes());
        }
        out
    }
}

/// Makes a challenge for an origin such as `https://portal.example.go.kr`.
#[must_use]
pub fn issue(key: &ChallengeKey, audience: &str, now: Timestamp, entropy: &dyn Entropy) -> Issued {
    let mut random = [0; 16];
    entropy.fill(&mut random);
    let nonce = Nonce(random);
    let mut body = Body {
        purpose: PURPOSE.to_owned(),
        audience: audience.to_owned(),
        nonce: nonce.to_string(),
        issued_at: now,
        key: key.id.clone(),
        mac: String::new(),
    };
    body.mac = hex::encode(hmac::sign(&key.key, &body.authenticated()));
    Issued {
        // Strings and integers always serialise.
        bytes: serde_json::to_vec(&body).unwrap_or_default(),
        nonce,
        expires_at: now + CHALLENGE_LIFETIME,
    }
}

/// Checks signed content: ours, unaltered, fresh, and for this origin.
///
/// # Errors
/// [`Refusal::ChallengeForeign`], [`Refusal::ChallengeAltered`], [`Refusal::ChallengeExpired`] or
/// [`Refusal::ChallengeAudience`].
pub fn check(
    bytes: &[u8],
    keys: &[ChallengeKey],
    audience: &str,
    now: Timestamp,
) -> Result<Checked, Refusal> {
    if bytes.len() > CHALLENGE_BYTES_MAX {
        return Err(Refusal::ChallengeForeign);
    }
    let body: Body = serde_json::from_slice(bytes).map_err(|_| Refusal::ChallengeForeign)?;
    if body.purpose != PURPOSE {
        return Err(Refusal::ChallengeForeign);
    }
    let key = keys
        .iter()
        .find(|key| key.id == body.key)
        .ok_or(Refusal::ChallengeForeign)?;
    let mac = hex::decode(&body.mac).map_err(|_| Refusal::ChallengeAltered)?;
    hmac::verify(&key.key, &body.authenticated(), &mac).map_err(|_| Refusal::ChallengeAltered)?;
    // One challenge has one spelling: other white space or an upper-case number is not what was issued.
    if serde_json::to_vec(&body).ok().as_deref() != Some(bytes) || hex::encode(&mac) != body.mac {
        return Err(Refusal::ChallengeAltered);
    }
    if body.audience != audience {
        return Err(Refusal::ChallengeAudience);
    }
    let expires_at = body.issued_at + CHALLENGE_LIFETIME;
    if now > expires_at || body.issued_at > now + CLOCK_SKEW_MAX {
        return Err(Refusal::ChallengeExpired);
    }
    let nonce = hex::decode(&body.nonce)
        .ok()
        .and_then(|bytes| <[u8; 16]>::try_from(bytes).ok());
    Ok(Checked {
        nonce: Nonce(nonce.ok_or(Refusal::ChallengeAltered)?),
        expires_at,
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    struct Fixed;
    impl Entropy for Fixed {
        fn fill(&self, bytes: &mut [u8]) {
            bytes.fill(7);
        }
    }

    const ORIGIN: &str = "https://localhost:8443";
    const NOW: Timestamp = Timestamp::from_seconds(1_800_000_000);

    fn key(id: &str) -> ChallengeKey {
        ChallengeKey::new(id, &[42; 32])
    }

    #[test]
    fn a_challenge_is_known_again_until_it_expires() {
        let issued = issue(&key("a"), ORIGIN, NOW, &Fixed);
        let keys = [key("b"), key("a")];
        let checked = check(&issued.bytes, &keys, ORIGIN, NOW + CHALLENGE_LIFETIME).unwrap();
        assert_eq!(
            checked,
            Checked {
                nonce: issued.nonce,
                expires_at: issued.expires_at
            }
        );
        let late = NOW + Seconds(121);
        assert_eq!(
            check(&issued.bytes, &keys, ORIGIN, late),
            Err(Refusal::ChallengeExpired)
        );
        assert_eq!(
            check(&issued.bytes, &keys, ORIGIN, NOW - Seconds(31)),
            Err(Refusal::ChallengeExpired)
        );
        let elsewhere = "https://localhost.example:8443";
        assert_eq!(
            check(&issued.bytes, &keys, elsewhere, NOW),
            Err(Refusal::ChallengeAudience)
        );
    }

    #[test]
    fn what_was_not_issued_here_is_foreign() {
        let issued = issue(&key("a"), ORIGIN, NOW, &Fixed);
        assert_eq!(
            check(&issued.bytes, &[key("b")], ORIGIN, NOW),
            Err(Refusal::ChallengeForeign)
        );
        assert_eq!(
            check(b"{}", &[key("a")], ORIGIN, NOW),
            Err(Refusal::ChallengeForeign)
        );
        assert_eq!(
            check(&[b' '; 1_025], &[key("a")], ORIGIN, NOW),
            Err(Refusal::ChallengeForeign)
        );
        let other = ChallengeKey::new("a", &[43; 32]);
        assert_eq!(
            check(&issued.bytes, &[other], ORIGIN, NOW),
            Err(Refusal::ChallengeAltered)
        );
    }

    #[test]
    fn every_flipped_bit_is_refused() {
        let issued = issue(&key("a"), ORIGIN, NOW, &Fixed);
        for bit in 0..issued.bytes.len() * 8 {
            let mut altered = issued.bytes.clone();
            altered[bit / 8] ^= 1 << (bit % 8);
            assert!(check(&altered, &[key("a")], ORIGIN, NOW).is_err(), "bit {bit}");
        }
        let spaced = [b" ", issued.bytes.as_slice()].concat();
        assert_eq!(
            check(&spaced, &[key("a")], ORIGIN, NOW),
            Err(Refusal::ChallengeAltered)
        );
    }
}
