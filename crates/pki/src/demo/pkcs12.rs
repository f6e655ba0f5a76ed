//! A PKCS#12 file (RFC 7292) as OpenSSL 3 writes it: PBES2 with AES-256-CBC, integrity by HMAC-SHA-256.

use aws_lc_rs::{digest, hmac};
use naru_kernel::Entropy;
use zeroize::Zeroizing;

use super::{DemoAuthority, DemoCertificate, DemoPerson};
use crate::{Error, asn1, keyfile, oid, write};

/// The signing certificate with its key, and its issuer's certificate.
pub(super) fn make(
    sign: &DemoCertificate,
    issuer: &DemoAuthority,
    person: &DemoPerson,
    iterations: u32,
    entropy: &dyn Entropy,
) -> Result<Vec<u8>, Error> {
    let password = &person.password;
    let random = || {
        let mut bytes = [0; 16];
        entropy.fill(&mut bytes);
        bytes
    };
    let local_id = digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, &sign.certificate);
    let attributes = attributes(&person.common_name(), local_id.as_ref());
    let certificates = write::sequence(&[
        &certificate_bag(&sign.certificate, &attributes),
        &certificate_bag(&issuer.certificate, &[]),
    ]);
    let (scheme, sealed) = keyfile::seal_aes256(&certificates, password, iterations, &random(), &random())?;
    let sealed = write::element(asn1::context_simple(0), &[&sealed]);
    let sealed = write::sequence(&[&write::oid(oid::DATA), &scheme, &sealed]);
    let encrypted = write::sequence(&[&write::small(0), &sealed]);
    let encrypted = content(oid::ENCRYPTED_DATA, &encrypted);

    let (scheme, sealed) =
        keyfile::seal_aes256(sign.key.pkcs8(), password, iterations, &random(), &random())?;
    let shrouded = write::sequence(&[&scheme, &write::octets(&sealed)]);
    let key = write::sequence(&[&bag(oid::SHROUDED_KEY_BAG, &shrouded, &attributes)]);
    let key = content(oid::DATA, &write::octets(&key));

    let safe = write::sequence(&[&encrypted, &key]);
    let salt = random();
    let mac_key = derive(password, &salt, iterations);
    let tag = hmac::sign(&hmac::Key::new(hmac::HMAC_SHA256, &mac_key), &safe);
    let info = write::sequence(&[
        &write::algorithm(oid::SHA256, &write::null()),
        &write::octets(tag.as_ref()),
    ]);
    let mac = write::sequence(&[&info, &write::octets(&salt), &write::small(iterations)]);
    Ok(write::sequence(&[
        &write::small(3),
        &content(oid::DATA, &write::octets(&safe)),
        &mac,
    ]))
}

fn content(kind: const_oid::ObjectIdentifier, inside: &[u8]) -> Vec<u8> {
    write::sequence(&[&write::oid(kind), &write::element(asn1::context(0), &[inside])])
}

fn bag(kind: const_oid::ObjectIdentifier, value: &[u8], attributes: &[u8]) -> Vec<u8> {
    write::sequence(&[
        &write::oid(kind),
        &write::element(asn1::context(0), &[value]),
        attributes,
    ])
}

fn certificate_bag(certificate: &[u8], attributes: &[u8]) -> Vec<u8> {
    let value = write::element(asn1::context(0), &[&write::octets(certificate)]);
    let value = write::sequence(&[&write::oid(oid::X509_CERTIFICATE), &value]);
    bag(oid::CERTIFICATE_BAG, &value, attributes)
}

fn attributes(name: &str, local_id: &[u8]) -> Vec<u8> {
    let name = write::element(asn1::BMP_STRING, &[&wide(name)]);
    write::set_of(vec![
        write::sequence(&[&write::oid(oid::FRIENDLY_NAME), &write::set_of(vec![name])]),
        write::sequence(&[
            &write::oid(oid::LOCAL_KEY_ID),
            &write::set_of(vec![write::octets(local_id)]),
        ]),
    ])
}

/// UTF-16, big-endian.
fn wide(text: &str) -> Vec<u8> {
    text.encode_utf16().flat_map(u16::to_be_bytes).collect()
}

/// The key of the integrity code (RFC 7292 B.2, identifier 3). SHA-256 gives just the 32 bytes wanted, so one
/// round is enough.
fn derive(password: &str, salt: &[u8], iterations: u32) -> Zeroizing<Vec<u8>> {
    const BLOCK_BYTES: usize = 64;
    let mut password = wide(password);
    password.extend_from_slice(&[0, 0]);
    let filled = |bytes: &[u8]| -> Vec<u8> {
        let length = bytes.len().div_ceil(BLOCK_BYTES) * BLOCK_BYTES;
        bytes.iter().copied().cycle().take(length).collect()
    };
    let input = [vec![3; BLOCK_BYTES], filled(salt), filled(&password)].concat();
    let mut key = digest::digest(&digest::SHA256, &input);
    for _ in 1..iterations {
        key = digest::digest(&digest::SHA256, key.as_ref());
    }
    Zeroizing::new(key.as_ref().to_vec())
}
