//! Our own keys.

use core::fmt;

use aws_lc_rs::{
    digest,
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RsaKeyPair},
};

use super::{Algorithm, PublicKey, Refusal};

enum Pair {
    Rsa(Box<RsaKeyPair>),
    P256(Box<EcdsaKeyPair>),
}

/// A private key with its name.
pub struct SigningKey {
    name: String,
    pair: Pair,
    public: PublicKey,
}

impl fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("SigningKey")
            .field("name", &self.name)
            .finish_non_exhaustive()
    }
}

impl SigningKey {
    /// Reads PKCS#8; its name is the public half's thumbprint (RFC 7638), so that it cannot name another key.
    ///
    /// # Errors
    /// [`Refusal::Key`] for what is no RSA key of 2,048 bits or more (`RS256`) or P-256 key (`ES256`).
    pub fn from_pkcs8(algorithm: Algorithm, pkcs8: &[u8]) -> Result<Self, Refusal> {
        let (pair, public) = match algorithm {
            Algorithm::Rs256 => {
                let pair = RsaKeyPair::from_pkcs8(pkcs8).map_err(|_| Refusal::Key)?;
                let (modulus, exponent) = halves(pair.public_key().as_ref()).ok_or(Refusal::Key)?;
                let public = PublicKey::of_rsa(modulus, exponent, String::new());
                (Pair::Rsa(Box::new(pair)), public)
            }
            Algorithm::Es256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, pkcs8)
                    .map_err(|_| Refusal::Key)?;
                let public = PublicKey::of_p256(pair.public_key().as_ref(), String::new());
                (Pair::P256(Box::new(pair)), public)
            }
            Algorithm::Ps256 => return Err(Refusal::Algorithm),
        };
        let name = public.thumbprint();
        let public = PublicKey::parse(&public.to_json()).map(|public| public.named(&name))?;
        Ok(Self { name, pair, public })
    }

    /// Its name (`kid`).
    #[must_use]
    pub fn name(&self) -> &str {
        &self.name
    }

    /// What it signs with.
    #[must_use]
    pub const fn algorithm(&self) -> Algorithm {
        match self.pair {
            Pair::Rsa(_) => Algorithm::Rs256,
            Pair::P256(_) => Algorithm::Es256,
        }
    }

    /// Its public half.
    #[must_use]
    pub const fn public(&self) -> &PublicKey {
        &self.public
    }

    /// Signs. The one random number of an ECDSA signature is the library's own; RSA needs none.
    ///
    /// # Errors
    /// [`Refusal::Signing`].
    pub fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Refusal> {
        match &self.pair {
            Pair::Rsa(pair) => {
                let mut signature = vec![0; pair.public_modulus_len()];
                pair.sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
                    .map_err(|_| Refusal::Signing)?;
                Ok(signature)
            }
            Pair::P256(pair) => {
                let digest = digest::digest(&digest::SHA256, message);
                let signature = pair.sign_digest(&digest).map_err(|_| Refusal::Signing)?;
                Ok(signature.as_ref().to_vec())
            }
        }
    }
}

/// Modulus and exponent of the library's `RSAPublicKey` (RFC 8017 A.1.1): a sequence of two positive integers.
fn halves(der: &[u8]) -> Option<(&[u8], &[u8])> {
    let (body, _) = element(der, 0x30)?;
    let (modulus, rest) = element(body, 0x02)?;
    let (exponent, _) = element(rest, 0x02)?;
    let positive = |integer: &'_ [u8]| integer.iter().take_while(|byte| **byte == 0).count();
    Some((
        modulus.get(positive(modulus)..)?,
        exponent.get(positive(exponent)..)?,
    ))
}

/// The content of a DER element of this tag, and what follows it.
fn element(der: &[u8], tag: u8) -> Option<(&[u8], &[u8])> {
    let (found, rest) = der.split_first()?;
    let (first, rest) = rest.split_first()?;
    let (length, rest) = if *first < 0x80 {
        (usize::from(*first), rest)
    } else {
        let (bytes, rest) = rest.split_at_checked(usize::from(first & 0x7f))?;
        let length = bytes.iter().try_fold(0_usize, |sum, byte| {
            sum.checked_mul(256)?.checked_add(usize::from(*byte))
        })?;
        (length, rest)
    };
    (*found == tag).then(|| rest.split_at_checked(length)).flatten()
}
