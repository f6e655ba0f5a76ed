//! Handles, codes and tokens: random texts, stored only as their SHA-256.

use naru_kernel::Entropy;
use naru_sso::jose;

/// A random text of 256 bits, and its hash for the table.
pub(crate) fn token(entropy: &dyn Entropy) -> (String, Vec<u8>) {
    let mut bits = [0_u8; 32];
    entropy.fill(&mut bits);
    let text = jose::encode(&bits);
    let hash = hash(&text);
    (text, hash)
}

/// A random name of 128 bits.
pub(crate) fn name(entropy: &dyn Entropy) -> String {
    let mut bits = [0_u8; 16];
    entropy.fill(&mut bits);
    jose::encode(&bits)
}

/// The hash of a text that was presented.
pub(crate) fn hash(text: &str) -> Vec<u8> {
    jose::sha256(text.as_bytes()).to_vec()
}
