//! Keys of the demo's people and authorities.

use core::fmt;
use std::sync::Arc;

use aws_lc_rs::{
    encoding::{AsDer, Pkcs8V1Der},
    rand::SystemRandom,
    rsa::KeySize,
    signature::{
        ECDSA_P256_SHA256_ASN1_SIGNING, EcdsaKeyPair, KeyPair as _, RSA_PKCS1_SHA256, RSA_PKCS1_SHA512,
        RSA_PSS_SHA256, RsaKeyPair,
    },
};
use zeroize::Zeroizing;

use crate::{Error, asn1, oid, refusal::Malformed, write};

/// Which kind of key to make.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum KeyKind {
    /// RSA with 2,048 bits, as GPKI has.
    Rsa2048,
    /// ECDSA on P-256: made in well under a millisecond.
    P256,
}

/// A key pair: PKCS#8 and its public half.
#[derive(Clone)]
pub struct DemoKey {
    pkcs8: Zeroizing<Vec<u8>>,
    /// `SubjectPublicKeyInfo`.
    public: Vec<u8>,
    kind: KeyKind,
    /// The RSA pair as it was read: to read one takes as long as to sign, for the library checks it.
    rsa: Option<Arc<RsaKeyPair>>,
}

impl fmt::Debug for DemoKey {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.debug_struct("DemoKey")
            .field("kind", &self.kind)
            .finish_non_exhaustive()
    }
}

impl DemoKey {
    /// Makes a new pair by the library's own randomness.
    ///
    /// # Errors
    /// [`Error::Crypto`].
    pub fn generate(kind: KeyKind) -> Result<Self, Error> {
        let pkcs8 = match kind {
            KeyKind::Rsa2048 => {
                let pair = RsaKeyPair::generate(KeySize::Rsa2048).map_err(|_| Error::Crypto)?;
                let der = AsDer::<Pkcs8V1Der<'_>>::as_der(&pair).map_err(|_| Error::Crypto)?;
                Zeroizing::new(der.as_ref().to_vec())
            }
            KeyKind::P256 => {
                let pair = EcdsaKeyPair::generate(&ECDSA_P256_SHA256_ASN1_SIGNING);
                let der = pair
                    .and_then(|pair| pair.to_pkcs8v1())
                    .map_err(|_| Error::Crypto)?;
                Zeroizing::new(der.as_ref().to_vec())
            }
        };
        Self::from_pkcs8(&pkcs8)
    }

    /// Reads PKCS#8: RSA of at least 2,048 bits or P-256. Attributes, such as GPKI's R, are left out.
    ///
    /// # Errors
    /// [`Error::KeyFileMalformed`].
    pub fn from_pkcs8(pkcs8: &[u8]) -> Result<Self, Error> {
        let pkcs8 = without_attributes(pkcs8).map_err(|Malformed| Error::KeyFileMalformed)?;
        if let Ok(pair) = RsaKeyPair::from_pkcs8(&pkcs8) {
            let algorithm = write::algorithm(oid::RSA, &write::null());
            let public = write::sequence(&[&algorithm, &write::bits(pair.public_key().as_ref())]);
            return Ok(Self {
                pkcs8,
                public,
                kind: KeyKind::Rsa2048,
                rsa: Some(Arc::new(pair)),
            });
        }
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &pkcs8)
            .map_err(|_| Error::KeyFileMalformed)?;
        let algorithm = write::algorithm(oid::EC_KEY, &write::oid(oid::P256));
        let public = write::sequence(&[&algorithm, &write::bits(pair.public_key().as_ref())]);
        Ok(Self {
            pkcs8,
            public,
            kind: KeyKind::P256,
            rsa: None,
        })
    }

    /// The fixed key of 1,024 bits that stands for certificates too old to be trusted. It cannot sign here.
    pub(super) fn weak() -> Result<Self, Error> {
        let pkcs8 = Zeroizing::new(include_bytes!("weak-rsa-1024.pk8").to_vec());
        let public = weak_public(&pkcs8).map_err(|Malformed| Error::KeyFileMalformed)?;
        Ok(Self {
            pkcs8,
            public,
            kind: KeyKind::Rsa2048,
            rsa: None,
        })
    }

    /// The private key, PKCS#8, not encrypted.
    #[must_use]
    pub fn pkcs8(&self) -> &[u8] {
        &self.pkcs8
    }

    /// The public key, `SubjectPublicKeyInfo`.
    #[must_use]
    pub fn public(&self) -> &[u8] {
        &self.public
    }

    /// RSA or P-256.
    #[must_use]
    pub const fn kind(&self) -> KeyKind {
        self.kind
    }

    /// The way in which this kind of key signs by default.
    pub(super) const fn style(&self) -> super::SignStyle {
        match self.kind {
            KeyKind::Rsa2048 => super::SignStyle::RsaSha256,
            KeyKind::P256 => super::SignStyle::EcdsaSha256,
        }
    }

    /// Signs in the given style, which must go with the kind of key.
    pub(crate) fn sign(&self, style: super::SignStyle, message: &[u8]) -> Result<Vec<u8>, Error> {
        let encoding: &'static dyn aws_lc_rs::signature::RsaEncoding = match style {
            super::SignStyle::RsaSha256 => &RSA_PKCS1_SHA256,
            super::SignStyle::RsaSha512 => &RSA_PKCS1_SHA512,
            super::SignStyle::RsaPssSha256 => &RSA_PSS_SHA256,
            super::SignStyle::EcdsaSha256 => {
                let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_ASN1_SIGNING, &self.pkcs8)
                    .map_err(|_| Error::Crypto)?;
                let signature = pair
                    .sign(&SystemRandom::new(), message)
                    .map_err(|_| Error::Crypto)?;
                return Ok(signature.as_ref().to_vec());
            }
        };
        let pair = self.rsa.as_deref().ok_or(Error::Crypto)?;
        let mut signature = vec![0; pair.public_modulus_len()];
        pair.sign(encoding, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| Error::Crypto)?;
        Ok(signature)
    }
}

/// Keeps version, algorithm and key of a `PrivateKeyInfo`.
fn without_attributes(pkcs8: &[u8]) -> Result<Zeroizing<Vec<u8>>, Malformed> {
    let mut inside = asn1::single(pkcs8, asn1::SEQUENCE)?.inside();
    let version = asn1::small(inside.expect(asn1::INTEGER)?.value)?;
    let algorithm = inside.expect(asn1::SEQUENCE)?;
    let key = inside.expect(asn1::OCTET_STRING)?;
    if version > 1 {
        return Err(Malformed);
    }
    Ok(Zeroizing::new(write::sequence(&[
        &write::small(0),
        algorithm.whole,
        key.whole,
    ])))
}

/// The public half of an RSA key: modulus and exponent of its `RSAPrivateKey`.
fn weak_public(pkcs8: &[u8]) -> Result<Vec<u8>, Malformed> {
    let mut inside = asn1::single(pkcs8, asn1::SEQUENCE)?.inside();
    inside.expect(asn1::INTEGER)?;
    let algorithm = inside.expect(asn1::SEQUENCE)?;
    let key = inside.expect(asn1::OCTET_STRING)?;
    let mut fields = asn1::single(key.value, asn1::SEQUENCE)?.inside();
    fields.expect(asn1::INTEGER)?;
    let (modulus, exponent) = (fields.expect(asn1::INTEGER)?, fields.expect(asn1::INTEGER)?);
    let public = write::sequence(&[modulus.whole, exponent.whole]);
    Ok(write::sequence(&[algorithm.whole, &write::bits(&public)]))
}
