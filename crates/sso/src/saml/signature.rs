//! Signs what we write: enveloped XML signatures over canonical text, and detached ones for the redirect binding.

use aws_lc_rs::{digest, rand::SystemRandom, rsa::KeyPair, signature::RSA_PKCS1_SHA256};
use base64::{Engine as _, engine::general_purpose::STANDARD};

use super::{
    Refusal,
    canonical::{Canonical, Space},
    certificate::{CertifiedKey, RSA_SHA256},
};

const EXCLUSIVE: &str = "http://www.w3.org/2001/10/xml-exc-c14n#";
const ENVELOPED: &str = "http://www.w3.org/2000/09/xmldsig#enveloped-signature";
pub(crate) const SHA256: &str = "http://www.w3.org/2001/04/xmlenc#sha256";

/// The identity provider's RSA key with its certificate.
pub struct SigningKey {
    key: KeyPair,
    certificate: Vec<u8>,
}

impl core::fmt::Debug for SigningKey {
    fn fmt(&self, f: &mut core::fmt::Formatter<'_>) -> core::fmt::Result {
        f.debug_struct("SigningKey").finish_non_exhaustive()
    }
}

impl SigningKey {
    /// From a key in PKCS#8 and its certificate, both DER.
    ///
    /// # Errors
    /// [`Refusal::Key`] when they cannot be used or do not belong together.
    pub fn new(pkcs8: &[u8], certificate: &[u8]) -> Result<Self, Refusal> {
        let key = KeyPair::from_pkcs8(pkcs8).map_err(|_| Refusal::Key)?;
        let this = Self {
            key,
            certificate: certificate.to_vec(),
        };
        let probe = this.sign(b"probe")?;
        let public = CertifiedKey::of_certificate(certificate)?;
        let fits = public.signed(
            super::certificate::SignatureAlgorithm::RsaSha256,
            b"probe",
            &probe,
        );
        if fits { Ok(this) } else { Err(Refusal::Key) }
    }

    /// The certificate, DER.
    #[must_use]
    pub fn certificate(&self) -> &[u8] {
        &self.certificate
    }

    /// RSA with SHA-256, PKCS#1 v1.5: deterministic, so the generator it is handed is not asked.
    pub(crate) fn sign(&self, message: &[u8]) -> Result<Vec<u8>, Refusal> {
        let mut signature = vec![0_u8; self.key.public_modulus_len()];
        self.key
            .sign(&RSA_PKCS1_SHA256, &SystemRandom::new(), message, &mut signature)
            .map_err(|_| Refusal::Key)?;
        Ok(signature)
    }

    /// Puts an enveloped signature over the element with this `ID` between its `head` and `tail`; both together are the
    /// canonical element (XML Signature 1.1, 6.6.4).
    pub(crate) fn envelop(&self, head: &str, tail: &str, id: &str) -> Result<String, Refusal> {
        let mut context = digest::Context::new(&digest::SHA256);
        context.update(head.as_bytes());
        context.update(tail.as_bytes());
        let digest = STANDARD.encode(context.finish());

        // What is signed declares the prefix itself; in its place, inside `Signature`, it is declared above.
        let mut alone = Canonical::new();
        signed_info(&mut alone, id, &digest);
        let signature = STANDARD.encode(self.sign(alone.finish().as_bytes())?);
        let mut in_place = Canonical::within(&[Space::Signature]);
        signed_info(&mut in_place, id, &digest);

        let mut out = Canonical::new();
        out.start(Space::Signature, "Signature", &[])
            .canonical(&in_place.finish())
            .leaf(Space::Signature, "SignatureValue", &[], &signature);
        key_info(&mut out, &self.certificate);
        Ok([head, &out.finish(), tail].concat())
    }
}

fn signed_info(out: &mut Canonical, id: &str, digest: &str) {
    const DS: Space = Space::Signature;
    out.start(DS, "SignedInfo", &[])
        .leaf(DS, "CanonicalizationMethod", &[("Algorithm", EXCLUSIVE)], "")
        .leaf(DS, "SignatureMethod", &[("Algorithm", RSA_SHA256)], "")
        .start(DS, "Reference", &[("URI", &format!("#{id}"))])
        .start(DS, "Transforms", &[])
        .leaf(DS, "Transform", &[("Algorithm", ENVELOPED)], "")
        .leaf(DS, "Transform", &[("Algorithm", EXCLUSIVE)], "")
        .end()
        .leaf(DS, "DigestMethod", &[("Algorithm", SHA256)], "")
        .leaf(DS, "DigestValue", &[], digest)
        .end()
        .end();
}

/// `ds:KeyInfo` with one certificate.
pub(crate) fn key_info(out: &mut Canonical, certificate: &[u8]) {
    const DS: Space = Space::Signature;
    out.start(DS, "KeyInfo", &[])
        .start(DS, "X509Data", &[])
        .leaf(DS, "X509Certificate", &[], &STANDARD.encode(certificate))
        .end()
        .end();
}
