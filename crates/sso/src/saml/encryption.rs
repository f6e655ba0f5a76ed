//! Encrypts an element for one service provider (XML Encryption 1.1): AES-256-GCM, its key by RSA-OAEP.

use aws_lc_rs::{
    aead::{AES_256_GCM, Aad, LessSafeKey, NONCE_LEN, Nonce, UnboundKey},
    rsa::{OAEP_SHA1_MGF1SHA1, OAEP_SHA256_MGF1SHA256, OaepPublicEncryptingKey, PublicEncryptingKey},
};
use base64::{Engine as _, engine::general_purpose::STANDARD};
use naru_kernel::Entropy;
use zeroize::Zeroizing;

use super::{
    Refusal,
    canonical::{Canonical, Space},
    certificate::CertifiedKey,
    signature::{SHA256, key_info},
};

const ELEMENT: &str = "http://www.w3.org/2001/04/xmlenc#Element";
const AES: &str = "http://www.w3.org/2009/xmlenc11#aes256-gcm";
const OAEP_MGF1P: &str = "http://www.w3.org/2001/04/xmlenc#rsa-oaep-mgf1p";
const OAEP: &str = "http://www.w3.org/2009/xmlenc11#rsa-oaep";
const SHA1: &str = "http://www.w3.org/2000/09/xmldsig#sha1";
const MGF1_SHA256: &str = "http://www.w3.org/2009/xmlenc11#mgf1sha256";

/// Which hash pads the key.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Padding {
    /// SHA-1, which every service provider can; its weakness to collisions is none here.
    Sha1,
    /// SHA-256, where the metadata says so.
    Sha256,
}

/// `xenc:EncryptedData` that holds `element`, readable by the holder of the certificate's key (DER) alone.
///
/// Key and initialisation vector are drawn from `entropy`; the padding's own randomness is the cryptographic library's.
///
/// # Errors
/// [`Refusal::Key`] when the certificate holds no usable RSA key.
pub fn encrypt_element(
    element: &str,
    certificate: &[u8],
    padding: Padding,
    entropy: &dyn Entropy,
) -> Result<String, Refusal> {
    const XENC: Space = Space::Encryption;
    const DS: Space = Space::Signature;
    let mut key = Zeroizing::new([0_u8; 32]);
    entropy.fill(key.as_mut());
    let data = STANDARD.encode(seal(element.as_bytes(), &key, entropy)?);
    let wrapped = STANDARD.encode(wrap(key.as_ref(), certificate, padding)?);

    let mut out = Canonical::new();
    out.start(XENC, "EncryptedData", &[("Type", ELEMENT)])
        .leaf(XENC, "EncryptionMethod", &[("Algorithm", AES)], "")
        .start(DS, "KeyInfo", &[])
        .start(XENC, "EncryptedKey", &[]);
    match padding {
        Padding::Sha1 => out
            .start(XENC, "EncryptionMethod", &[("Algorithm", OAEP_MGF1P)])
            .leaf(DS, "DigestMethod", &[("Algorithm", SHA1)], "")
            .end(),
        Padding::Sha256 => out
            .start(XENC, "EncryptionMethod", &[("Algorithm", OAEP)])
            .leaf(DS, "DigestMethod", &[("Algorithm", SHA256)], "")
            .leaf(Space::Encryption11, "MGF", &[("Algorithm", MGF1_SHA256)], "")
            .end(),
    };
    key_info(&mut out, certificate);
    cipher_data(&mut out, &wrapped);
    out.end().end();
    cipher_data(&mut out, &data);
    Ok(out.finish())
}

fn cipher_data(out: &mut Canonical, base64: &str) {
    out.start(Space::Encryption, "CipherData", &[])
        .leaf(Space::Encryption, "CipherValue", &[], base64)
        .end();
}

/// Vector, ciphertext and tag, one after another (XML Encryption 1.1, 5.2.4).
fn seal(plain: &[u8], key: &[u8; 32], entropy: &dyn Entropy) -> Result<Vec<u8>, Refusal> {
    let key = UnboundKey::new(&AES_256_GCM, key).map_err(|_| Refusal::Key)?;
    let mut vector = [0_u8; NONCE_LEN];
    entropy.fill(&mut vector);
    let mut sealed = plain.to_vec();
    LessSafeKey::new(key)
        .seal_in_place_append_tag(Nonce::assume_unique_for_key(vector), Aad::empty(), &mut sealed)
        .map_err(|_| Refusal::Key)?;
    Ok([vector.as_slice(), &sealed].concat())
}

fn wrap(key: &[u8], certificate: &[u8], padding: Padding) -> Result<Vec<u8>, Refusal> {
    let public = CertifiedKey::of_certificate(certificate)?;
    let public = PublicEncryptingKey::from_der(&public.info).map_err(|_| Refusal::Key)?;
    let public = OaepPublicEncryptingKey::new(public).map_err(|_| Refusal::Key)?;
    let algorithm = match padding {
        Padding::Sha1 => &OAEP_SHA1_MGF1SHA1,
        Padding::Sha256 => &OAEP_SHA256_MGF1SHA256,
    };
    let mut wrapped = vec![0_u8; public.ciphertext_size()];
    let length = public
        .encrypt(algorithm, key, &mut wrapped, None)
        .map_err(|_| Refusal::Key)?
        .len();
    wrapped.truncate(length);
    Ok(wrapped)
}
