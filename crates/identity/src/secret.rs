//! Tokens, codes and sealed values: made here, stored only as hashes or ciphertext.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    digest, hmac,
};
use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
use naru_kernel::Entropy;

use crate::Error;

/// Letters and digits that are not taken for one another when read aloud or typed.
const CODE_LETTERS: &[u8; 32] = b"ABCDEFGHJKMNPQRSTVWXYZ0123456789";
const CODE_CHARACTERS: usize = 12;
const ACCOUNT_LETTERS: &[u8; 32] = b"abcdefghijkmnpqrstuvwxyz23456789";
const ACCOUNT_CHARACTERS: usize = 12;

/// The SHA-256 of some bytes.
pub(crate) fn sha256(bytes: &[u8]) -> Vec<u8> {
    digest::digest(&digest::SHA256, bytes).as_ref().to_vec()
}

/// A random text of 256 bits, and its hash for the table.
pub(crate) fn token(entropy: &dyn Entropy) -> (String, Vec<u8>) {
    let mut bits = [0_u8; 32];
    entropy.fill(&mut bits);
    let text = URL_SAFE_NO_PAD.encode(bits);
    let hash = sha256(text.as_bytes());
    (text, hash)
}

fn letters(entropy: &dyn Entropy, alphabet: &[u8; 32], length: usize) -> String {
    let mut bits = vec![0_u8; length];
    entropy.fill(&mut bits);
    // 32 letters: the low five bits choose one without bias.
    bits.iter()
        .filter_map(|byte| alphabet.get(usize::from(byte % 32)))
        .map(|letter| char::from(*letter))
        .collect()
}

/// A POSIX login name for a person's desktops: 60 random bits.
pub(crate) fn account(entropy: &dyn Entropy) -> String {
    format!("naru-{}", letters(entropy, ACCOUNT_LETTERS, ACCOUNT_CHARACTERS))
}

/// An activation code of 60 random bits, in groups of four.
pub(crate) fn activation_code(entropy: &dyn Entropy) -> String {
    let code = letters(entropy, CODE_LETTERS, CODE_CHARACTERS);
    let groups: Vec<String> = code
        .as_bytes()
        .chunks(4)
        .map(|group| group.iter().map(|letter| char::from(*letter)).collect())
        .collect();
    groups.join("-")
}

/// The installation's keys for this domain.
pub(crate) struct Keys {
    code: hmac::Key,
    seal: LessSafeKey,
}

impl Keys {
    pub(crate) fn new(code: &[u8; 32], seal: &[u8; 32]) -> Result<Self, Error> {
        let seal = UnboundKey::new(&AES_256_GCM, seal).map_err(|_| Error::Secret)?;
        Ok(Self {
            code: hmac::Key::new(hmac::HMAC_SHA256, code),
            seal: LessSafeKey::new(seal),
        })
    }

    /// The keyed hash of an activation code, however the person types it.
    pub(crate) fn code_hash(&self, person: &str, code: &str) -> Vec<u8> {
        let plain: String = code
            .chars()
            .filter(char::is_ascii_alphanumeric)
            .map(|letter| letter.to_ascii_uppercase())
            .take(64)
            .collect();
        hmac::sign(&self.code, format!("{person}:{plain}").as_bytes())
            .as_ref()
            .to_vec()
    }

    /// Encrypts; `owner` must be given again to open it.
    pub(crate) fn seal(&self, owner: &str, plain: &[u8], entropy: &dyn Entropy) -> Result<Vec<u8>, Error> {
        let mut nonce = [0_u8; NONCE_LEN];
        entropy.fill(&mut nonce);
        let mut sealed = plain.to_vec();
        self.seal
            .seal_in_place_append_tag(
                Nonce::assume_unique_for_key(nonce),
                Aad::from(owner.as_bytes()),
                &mut sealed,
            )
            .map_err(|_| Error::Secret)?;
        Ok([nonce.as_slice(), &sealed].concat())
    }

    /// Decrypts what [`Self::seal`] made for the same owner.
    pub(crate) fn open(&self, owner: &str, sealed: &[u8]) -> Result<Vec<u8>, Error> {
        let (nonce, sealed) = sealed.split_at_checked(NONCE_LEN).ok_or(Error::Secret)?;
        let nonce = Nonce::try_assume_unique_for_key(nonce).map_err(|_| Error::Secret)?;
        let mut plain = sealed.to_vec();
        let length = self
            .seal
            .open_in_place(nonce, Aad::from(owner.as_bytes()), &mut plain)
            .map_err(|_| Error::Secret)?
            .len();
        plain.truncate(length);
        Ok(plain)
    }
}

#[cfg(test)]
mod tests {
    use super::*;
    use naru_testkit::SeededEntropy;

    #[test]
    fn what_is_sealed_opens_for_its_owner_only() {
        let keys = Keys::new(&[1; 32], &[2; 32]).unwrap();
        let entropy = SeededEntropy::new(1);
        let sealed = keys.seal("a", b"secret", &entropy).unwrap();
        assert_eq!(keys.open("a", &sealed).unwrap(), b"secret");
        assert!(keys.open("b", &sealed).is_err());
        for at in 0..sealed.len() {
            let mut altered = sealed.clone();
            altered[at] ^= 1;
            assert!(keys.open("a", &altered).is_err(), "byte {at}");
        }
        assert!(keys.open("a", &sealed[..11]).is_err());
    }

    #[test]
    fn codes_are_forgiving_to_type_and_bound_to_the_person() {
        let keys = Keys::new(&[1; 32], &[2; 32]).unwrap();
        let code = activation_code(&SeededEntropy::new(2));
        assert_eq!(code.len(), 14);
        let typed = code.to_lowercase().replace('-', " ");
        assert_eq!(keys.code_hash("p", &code), keys.code_hash("p", &typed));
        assert_ne!(keys.code_hash("p", &code), keys.code_hash("q", &code));
    }
}
