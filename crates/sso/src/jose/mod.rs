//! Signed JSON: keys (RFC 7517), signatures (RFC 7515), tokens (RFC 7519); the cryptography is the library's.
//!
//! What attacks on it need is absent: no `none`, no HMAC (so no public key can be taken for a secret), no key from a
//! message's own header except where `DPoP` demands it, no header that would have to be understood.

mod jwk;
mod jws;
mod jwt;
mod key;
#[cfg(test)]
mod tests;

use core::fmt;

use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use serde::{Deserialize, Serialize};

pub use jwk::{KEYS_MAX, PublicKey, PublicKeys};
pub use jws::{Header, TOKEN_BYTES_MAX, Unverified, sign};
pub(crate) use jwt::issued_at;
pub use jwt::{CLOCK_TOLERANCE, Checks, audiences, check_times};
pub use key::SigningKey;

/// A signature algorithm (RFC 7518 3.1).
#[derive(
    Clone, Copy, Debug, PartialEq, Eq, PartialOrd, Ord, Hash, Serialize, Deserialize, schemars::JsonSchema,
)]
pub enum Algorithm {
    /// RSASSA-PKCS1-v1_5 with SHA-256.
    #[serde(rename = "RS256")]
    Rs256,
    /// RSASSA-PSS with SHA-256.
    #[serde(rename = "PS256")]
    Ps256,
    /// ECDSA on P-256 with SHA-256.
    #[serde(rename = "ES256")]
    Es256,
}

impl Algorithm {
    /// All.
    pub const ALL: [Self; 3] = [Self::Rs256, Self::Ps256, Self::Es256];

    /// Its registered name.
    #[must_use]
    pub const fn as_str(self) -> &'static str {
        match self {
            Self::Rs256 => "RS256",
            Self::Ps256 => "PS256",
            Self::Es256 => "ES256",
        }
    }

    /// The algorithm of this name; none for `none`, HMAC and all others.
    #[must_use]
    pub fn of(name: &str) -> Option<Self> {
        Self::ALL.into_iter().find(|algorithm| algorithm.as_str() == name)
    }
}

impl fmt::Display for Algorithm {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(self.as_str())
    }
}

/// Why a key, signature or token is not taken.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[non_exhaustive]
pub enum Refusal {
    /// Longer than anything honest.
    #[error("the token is too long")]
    TooLong,
    /// Not three parts of base64url and JSON.
    #[error("the token is malformed")]
    Malformed,
    /// `none`, an HMAC, or an algorithm that is not for this use.
    #[error("the algorithm is not allowed here")]
    Algorithm,
    /// A header that demands to be understood (`crit`), or `b64`.
    #[error("the token has a critical header")]
    Critical,
    /// `typ` is not what it must be.
    #[error("the token is of another type")]
    Type,
    /// No key of this `kid`, or none of this algorithm.
    #[error("there is no such key")]
    NoKey,
    /// The key is too short, private, symmetric or malformed.
    #[error("the key cannot be used")]
    Key,
    /// The signature is wrong.
    #[error("the signature is wrong")]
    Signature,
    /// A claim is absent or of another type.
    #[error("a claim is missing")]
    Claim,
    /// It has expired, or lives longer than allowed.
    #[error("the token has expired")]
    Expired,
    /// It is not good yet, or was made in the future.
    #[error("the token is not valid yet")]
    NotYet,
    /// It is meant for somebody else.
    #[error("the token is meant for another")]
    Audience,
    /// It was made by somebody else.
    #[error("the token is another's")]
    Issuer,
    /// The library could not make the signature.
    #[error("the signature could not be made")]
    Signing,
}

/// Base64url without padding (RFC 7515 2).
#[must_use]
pub fn encode(bytes: &[u8]) -> String {
    URL_SAFE_NO_PAD.encode(bytes)
}

/// Reads base64url without padding; nothing else, no stray bits.
///
/// # Errors
/// [`Refusal::Malformed`].
pub fn decode(text: &str) -> Result<Vec<u8>, Refusal> {
    URL_SAFE_NO_PAD.decode(text).map_err(|_| Refusal::Malformed)
}

/// SHA-256.
#[must_use]
pub fn sha256(bytes: &[u8]) -> [u8; 32] {
    let mut out = [0; 32];
    let digest = aws_lc_rs::digest::digest(&aws_lc_rs::digest::SHA256, bytes);
    for (to, from) in out.iter_mut().zip(digest.as_ref()) {
        *to = *from;
    }
    out
}

/// Whether two secrets are the same, in a time that does not tell where they differ.
#[must_use]
pub fn same(one: &[u8], other: &[u8]) -> bool {
    aws_lc_rs::constant_time::verify_slices_are_equal(one, other).is_ok()
}
