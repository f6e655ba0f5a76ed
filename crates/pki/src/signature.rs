//! Which signatures count: SHA-2 with RSA (PKCS#1 v1.5 or PSS) or ECDSA on P-256 and P-384, by aws-lc.

use aws_lc_rs::{digest, signature as aws};
use const_oid::ObjectIdentifier;

use crate::{
    asn1::{self, Element, Reader},
    oid,
    refusal::Malformed,
};

/// The SHA-2 family.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Hash {
    Sha256,
    Sha384,
    Sha512,
}

impl Hash {
    /// From a digest algorithm.
    pub(crate) fn of(number: ObjectIdentifier) -> Option<Self> {
        match number {
            oid::SHA256 => Some(Self::Sha256),
            oid::SHA384 => Some(Self::Sha384),
            oid::SHA512 => Some(Self::Sha512),
            _ => None,
        }
    }

    pub(crate) fn digest(self, bytes: &[u8]) -> digest::Digest {
        let algorithm = match self {
            Self::Sha256 => &digest::SHA256,
            Self::Sha384 => &digest::SHA384,
            Self::Sha512 => &digest::SHA512,
        };
        digest::digest(algorithm, bytes)
    }

    const fn length(self) -> u32 {
        match self {
            Self::Sha256 => 32,
            Self::Sha384 => 48,
            Self::Sha512 => 64,
        }
    }
}

/// How a signature was made.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Scheme {
    RsaPkcs1(Hash),
    RsaPss(Hash),
    Ecdsa(Hash),
}

impl Scheme {
    /// From a signature algorithm of a certificate or revocation list. `None`: weak or unknown.
    pub(crate) fn of(number: ObjectIdentifier, parameters: Option<Element<'_>>) -> Option<Self> {
        let scheme = match number {
            oid::SHA256_RSA => Self::RsaPkcs1(Hash::Sha256),
            oid::SHA384_RSA => Self::RsaPkcs1(Hash::Sha384),
            oid::SHA512_RSA => Self::RsaPkcs1(Hash::Sha512),
            oid::ECDSA_SHA256 => Self::Ecdsa(Hash::Sha256),
            oid::ECDSA_SHA384 => Self::Ecdsa(Hash::Sha384),
            oid::ECDSA_SHA512 => Self::Ecdsa(Hash::Sha512),
            oid::RSA_PSS => return pss(parameters?).ok().map(Self::RsaPss),
            _ => return None,
        };
        // RSA has NULL here (RFC 4055 5), ECDSA nothing (RFC 5758 3.2); some write the other.
        match parameters {
            None => Some(scheme),
            Some(element) if element.tag == asn1::NULL && element.value.is_empty() => Some(scheme),
            Some(_) => None,
        }
    }

    /// From a CMS signer, where `rsaEncryption` leaves the hash to the digest algorithm (RFC 3370 3.2).
    pub(crate) fn of_signer(
        number: ObjectIdentifier,
        parameters: Option<Element<'_>>,
        hash: Hash,
    ) -> Option<Self> {
        if number == oid::RSA {
            return Some(Self::RsaPkcs1(hash));
        }
        Self::of(number, parameters).filter(|scheme| scheme.hash() == hash)
    }

    const fn hash(self) -> Hash {
        match self {
            Self::RsaPkcs1(hash) | Self::RsaPss(hash) | Self::Ecdsa(hash) => hash,
        }
    }
}

/// `RSASSA-PSS-params` (RFC 4055 3.1): only one hash in all places and a salt as long as the hash.
fn pss(parameters: Element<'_>) -> Result<Hash, Malformed> {
    let hash_in = |element: Element<'_>| {
        let (number, _) = asn1::algorithm(asn1::single(element.value, asn1::SEQUENCE)?)?;
        Hash::of(number).ok_or(Malformed)
    };
    if parameters.tag != asn1::SEQUENCE {
        return Err(Malformed);
    }
    let mut inside = parameters.inside();
    let hash = hash_in(inside.expect(asn1::context(0))?)?;
    let mask = inside.expect(asn1::context(1))?;
    let (generator, mask_hash) = asn1::algorithm(asn1::single(mask.value, asn1::SEQUENCE)?)?;
    let (mask_hash, _) = asn1::algorithm(mask_hash.ok_or(Malformed)?)?;
    let salt = inside.expect(asn1::context(2))?;
    let salt = asn1::small(asn1::single(salt.value, asn1::INTEGER)?.value)?;
    if let Some(trailer) = inside.optional(asn1::context(3))?
        && asn1::small(asn1::single(trailer.value, asn1::INTEGER)?.value)? != 1
    {
        return Err(Malformed);
    }
    inside.finish()?;
    if generator == oid::MGF1 && Hash::of(mask_hash) == Some(hash) && salt == hash.length() {
        Ok(hash)
    } else {
        Err(Malformed)
    }
}

/// A certificate's public key.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) enum PublicKey {
    Rsa {
        /// `RSAPublicKey` (RFC 8017 A.1.1).
        der: Vec<u8>,
        bits: u32,
    },
    P256(Vec<u8>),
    P384(Vec<u8>),
    /// Another algorithm or curve, or RSA with a small exponent.
    Unsupported,
}

/// RSA keys above this cost too much to verify with.
const RSA_BITS_MAX: u32 = 8_192;

impl PublicKey {
    /// From the OIDs and the bits of a `SubjectPublicKeyInfo`.
    pub(crate) fn of(number: ObjectIdentifier, curve: Option<ObjectIdentifier>, bits: &[u8]) -> Self {
        match (number, curve) {
            (oid::RSA, _) => rsa_bits(bits).map_or(Self::Unsupported, |length| Self::Rsa {
                der: bits.to_vec(),
                bits: length,
            }),
            (oid::EC_KEY, Some(oid::P256)) => Self::P256(bits.to_vec()),
            (oid::EC_KEY, Some(oid::P384)) => Self::P384(bits.to_vec()),
            _ => Self::Unsupported,
        }
    }

    /// Whether the key is of an accepted kind and size.
    pub(crate) const fn is_strong(&self, rsa_bits_min: u32) -> bool {
        match self {
            Self::Rsa { bits, .. } => *bits >= rsa_bits_min && *bits <= RSA_BITS_MAX,
            Self::P256(_) | Self::P384(_) => true,
            Self::Unsupported => false,
        }
    }

    /// Whether `signature` over `message` is this key's. False as well when scheme and key do not go together.
    pub(crate) fn signed(&self, scheme: Scheme, message: &[u8], signature: &[u8]) -> bool {
        let (algorithm, key): (&'static dyn aws::VerificationAlgorithm, &[u8]) = match (self, scheme) {
            (Self::Rsa { der, .. }, Scheme::RsaPkcs1(hash)) => match hash {
                Hash::Sha256 => (&aws::RSA_PKCS1_2048_8192_SHA256, der),
                Hash::Sha384 => (&aws::RSA_PKCS1_2048_8192_SHA384, der),
                Hash::Sha512 => (&aws::RSA_PKCS1_2048_8192_SHA512, der),
            },
            (Self::Rsa { der, .. }, Scheme::RsaPss(hash)) => match hash {
                Hash::Sha256 => (&aws::RSA_PSS_2048_8192_SHA256, der),
                Hash::Sha384 => (&aws::RSA_PSS_2048_8192_SHA384, der),
                Hash::Sha512 => (&aws::RSA_PSS_2048_8192_SHA512, der),
            },
            (Self::P256(point), Scheme::Ecdsa(hash)) => match hash {
                Hash::Sha256 => (&aws::ECDSA_P256_SHA256_ASN1, point),
                Hash::Sha384 => (&aws::ECDSA_P256_SHA384_ASN1, point),
                Hash::Sha512 => (&aws::ECDSA_P256_SHA512_ASN1, point),
            },
            (Self::P384(point), Scheme::Ecdsa(hash)) => match hash {
                Hash::Sha256 => (&aws::ECDSA_P384_SHA256_ASN1, point),
                Hash::Sha384 => (&aws::ECDSA_P384_SHA384_ASN1, point),
                Hash::Sha512 => (&aws::ECDSA_P384_SHA512_ASN1, point),
            },
            (Self::Rsa { .. }, Scheme::Ecdsa(_))
            | (Self::P256(_) | Self::P384(_), Scheme::RsaPkcs1(_) | Scheme::RsaPss(_))
            | (Self::Unsupported, _) => return false,
        };
        aws::UnparsedPublicKey::new(algorithm, key)
            .verify(message, signature)
            .is_ok()
    }
}

/// The modulus' length in bits, if the key has the right shape and an exponent of at least 65,537.
fn rsa_bits(key: &[u8]) -> Option<u32> {
    let mut inside = asn1::single(key, asn1::SEQUENCE).ok()?.inside();
    let modulus = inside.expect(asn1::INTEGER).ok()?.value;
    let exponent = inside.expect(asn1::INTEGER).ok()?.value;
    Reader::finish(inside).ok()?;
    let modulus = match modulus {
        [0, rest @ ..] => rest,
        [first, ..] if first & 0x80 == 0 => modulus,
        _ => return None,
    };
    let first = modulus.first()?;
    let exponent = asn1::small(exponent).ok()?;
    if exponent < 65_537 || exponent % 2 == 0 || *first == 0 {
        return None;
    }
    u32::try_from(modulus.len())
        .ok()?
        .checked_mul(8)?
        .checked_sub(first.leading_zeros())
}
