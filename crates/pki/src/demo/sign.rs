//! Signs a challenge as a browser does: CMS `SignedData` with signed attributes (RFC 5652 5).

use aws_lc_rs::digest;
use naru_kernel::Timestamp;

use super::DemoKey;
use crate::{Error, asn1, certificate::Certificate, oid, refusal::Malformed, write};

/// How to sign.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignStyle {
    /// RSA PKCS#1 v1.5 with SHA-256: what browsers' libraries do unless told otherwise.
    RsaSha256,
    /// RSA PKCS#1 v1.5 with SHA-512.
    RsaSha512,
    /// RSA-PSS with SHA-256 and a salt of 32 bytes.
    RsaPssSha256,
    /// ECDSA on P-256 with SHA-256.
    EcdsaSha256,
}

/// Signs `content` in the key's usual style. `chain` is added to the certificates, for authorities the server may
/// not know.
///
/// # Errors
/// [`Error::Crypto`] if the certificate cannot be read or the key does not sign.
pub fn sign_cms(
    content: &[u8],
    certificate: &[u8],
    chain: &[&[u8]],
    key: &DemoKey,
    signing_time: Timestamp,
) -> Result<Vec<u8>, Error> {
    sign_cms_as(key.style(), content, (certificate, chain), key, signing_time)
}

/// Signs in a given style.
///
/// # Errors
/// As [`sign_cms`], and when key and style do not go together.
pub fn sign_cms_as(
    style: SignStyle,
    content: &[u8],
    (certificate, chain): (&[u8], &[&[u8]]),
    key: &DemoKey,
    signing_time: Timestamp,
) -> Result<Vec<u8>, Error> {
    let parsed = Certificate::read(certificate).map_err(|Malformed| Error::Crypto)?;
    let (hash, hash_number) = match style {
        SignStyle::RsaSha512 => (&digest::SHA512, oid::SHA512),
        SignStyle::RsaSha256 | SignStyle::RsaPssSha256 | SignStyle::EcdsaSha256 => {
            (&digest::SHA256, oid::SHA256)
        }
    };
    let hash_algorithm = write::algorithm(hash_number, &write::null());
    let attribute =
        |number, value: Vec<u8>| write::sequence(&[&write::oid(number), &write::set_of(vec![value])]);
    let attributes = write::set_of(vec![
        attribute(oid::CONTENT_TYPE, write::oid(oid::DATA)),
        attribute(oid::SIGNING_TIME, write::time(signing_time)),
        attribute(
            oid::MESSAGE_DIGEST,
            write::octets(digest::digest(hash, content).as_ref()),
        ),
    ]);
    let signature = key.sign(style, &attributes)?;
    let mut tagged_attributes = attributes;
    if let Some(tag) = tagged_attributes.first_mut() {
        *tag = asn1::context(0);
    }
    let serial = write::element(asn1::INTEGER, &[&parsed.serial]);
    let signer = write::sequence(&[
        &write::small(1),
        &write::sequence(&[&crate::certificate::name_der(&parsed.issuer), &serial]),
        &hash_algorithm,
        &tagged_attributes,
        &signature_algorithm(style),
        &write::octets(&signature),
    ]);
    let content = write::element(asn1::context(0), &[&write::octets(content)]);
    let certificates = [&[certificate], chain].concat();
    let signed_data = write::sequence(&[
        &write::small(1),
        &write::set_of(vec![hash_algorithm]),
        &write::sequence(&[&write::oid(oid::DATA), &content]),
        &write::element(asn1::context(0), &certificates),
        &write::set_of(vec![signer]),
    ]);
    let signed_data = write::element(asn1::context(0), &[&signed_data]);
    Ok(write::sequence(&[&write::oid(oid::SIGNED_DATA), &signed_data]))
}

fn signature_algorithm(style: SignStyle) -> Vec<u8> {
    match style {
        SignStyle::RsaSha256 => write::algorithm(oid::SHA256_RSA, &write::null()),
        SignStyle::RsaSha512 => write::algorithm(oid::SHA512_RSA, &write::null()),
        SignStyle::EcdsaSha256 => write::algorithm(oid::ECDSA_SHA256, &[]),
        SignStyle::RsaPssSha256 => {
            let hash = write::algorithm(oid::SHA256, &write::null());
            let mask = write::algorithm(oid::MGF1, &hash);
            let parameters = write::sequence(&[
                &write::element(asn1::context(0), &[&hash]),
                &write::element(asn1::context(1), &[&mask]),
                &write::element(asn1::context(2), &[&write::small(32)]),
            ]);
            write::algorithm(oid::RSA_PSS, &parameters)
        }
    }
}
