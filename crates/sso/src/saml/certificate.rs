//! The key inside a service provider's certificate. Metadata pins keys: dates and issuers of these certificates mean
//! nothing (SAML Metadata Interoperability Profile, 2.6.1).

use aws_lc_rs::signature::{ECDSA_P256_SHA256_FIXED, RSA_PKCS1_2048_8192_SHA256, UnparsedPublicKey};
use der::{Decode as _, Encode as _};
use x509_cert::der::oid::ObjectIdentifier;

use super::Refusal;

const RSA: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.113549.1.1.1");
const EC: ObjectIdentifier = ObjectIdentifier::new_unwrap("1.2.840.10045.2.1");

/// What a detached signature was made with (XML Signature 1.1, 6.4).
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum SignatureAlgorithm {
    RsaSha256,
    EcdsaSha256,
}

pub(crate) const RSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#rsa-sha256";
const ECDSA_SHA256: &str = "http://www.w3.org/2001/04/xmldsig-more#ecdsa-sha256";

impl SignatureAlgorithm {
    pub(crate) fn of(uri: &str) -> Result<Self, Refusal> {
        match uri {
            RSA_SHA256 => Ok(Self::RsaSha256),
            ECDSA_SHA256 => Ok(Self::EcdsaSha256),
            _ => Err(Refusal::Algorithm),
        }
    }
}

/// A public key as certificates carry it.
#[derive(Clone, Debug)]
pub(crate) struct CertifiedKey {
    /// `SubjectPublicKeyInfo`, DER.
    pub(crate) info: Vec<u8>,
    algorithm: ObjectIdentifier,
    bits: Vec<u8>,
}

impl CertifiedKey {
    /// The key of a certificate in DER; RSA or elliptic curves.
    pub(crate) fn of_certificate(der: &[u8]) -> Result<Self, Refusal> {
        let certificate = x509_cert::Certificate::from_der(der).map_err(|_| Refusal::Key)?;
        let info = certificate.tbs_certificate().subject_public_key_info();
        let algorithm = info.algorithm.oid;
        if algorithm != RSA && algorithm != EC {
            return Err(Refusal::Key);
        }
        Ok(Self {
            info: info.to_der().map_err(|_| Refusal::Key)?,
            algorithm,
            bits: info.subject_public_key.as_bytes().ok_or(Refusal::Key)?.to_vec(),
        })
    }

    pub(crate) fn is_rsa(&self) -> bool {
        self.algorithm == RSA
    }

    /// Whether this key made the signature. ECDSA signatures are the two numbers side by side (XML Signature 1.1, 6.4.3).
    pub(crate) fn signed(&self, algorithm: SignatureAlgorithm, message: &[u8], signature: &[u8]) -> bool {
        match (algorithm, self.is_rsa()) {
            (SignatureAlgorithm::RsaSha256, true) => {
                UnparsedPublicKey::new(&RSA_PKCS1_2048_8192_SHA256, &self.bits)
                    .verify(message, signature)
                    .is_ok()
            }
            (SignatureAlgorithm::EcdsaSha256, false) => {
                UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, &self.bits)
                    .verify(message, signature)
                    .is_ok()
            }
            (SignatureAlgorithm::RsaSha256, false) | (SignatureAlgorithm::EcdsaSha256, true) => false,
        }
    }
}
