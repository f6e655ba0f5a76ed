//! The two ways in: a signed challenge, and a certificate that TLS has already proven.

use aws_lc_rs::digest;
use naru_kernel::Timestamp;

use crate::{
    ChallengeKey, Nonce, Refusal, RevocationState, Trust, certificate::Certificate, challenge, cms, name,
    oid, path, refusal::Malformed,
};

/// A signed challenge above this is refused unread. A usual one has 2 to 6 KiB.
pub const CMS_BYTES_MAX: usize = 64 * 1_024;

/// A certificate found good: whose it is, and what that rests on.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedCertificate {
    /// The exact certificate.
    pub certificate: Vec<u8>,
    /// The subject in RFC 4514 text, most specific part first.
    pub subject: String,
    /// The subject folded for comparison: equal to [`name::fold_text`] of any spelling of it.
    pub subject_key: String,
    /// The issuer in RFC 4514 text.
    pub issuer: String,
    /// The serial number, lower-case hexadecimal.
    pub serial: String,
    /// SHA-256 of the certificate's DER, lower-case hexadecimal. Never an identity: the same certificate can be
    /// written in more than one way; issuer and serial are.
    pub sha256: String,
    /// From when it is valid.
    pub not_before: Timestamp,
    /// Until when it is valid.
    pub not_after: Timestamp,
    /// The profile under which it was accepted.
    pub profile: String,
    /// The policy under which it was accepted, dotted; `None` when the profile asks for none.
    pub policy: Option<String>,
    /// The subject's common name, whole.
    pub common_name: String,
    /// The agency code in the common name, if the profile reads one.
    pub agency_code: Option<String>,
    /// The person's name in the common name.
    pub person_name: String,
    /// How well "not revoked" is founded.
    pub revocation: RevocationState,
}

/// A log-on by signed challenge, good once: the caller refuses a nonce it has seen.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct VerifiedLogon {
    /// Whose certificate signed.
    pub certificate: VerifiedCertificate,
    /// The challenge's random part.
    pub nonce: Nonce,
    /// How long the nonce must be remembered.
    pub nonce_expires_at: Timestamp,
}

/// Checks a CMS `SignedData` whose content is a challenge of ours.
///
/// In this order: size and shape, the challenge (so that foreign messages cost no signature), the content's
/// digest, the key's strength, the signature, the path with its policies, the revocation lists.
///
/// # Errors
/// The first [`Refusal`] in that order.
pub fn verify_cms(
    signed: &[u8],
    keys: &[ChallengeKey],
    audience: &str,
    trust: &Trust,
    now: Timestamp,
) -> Result<VerifiedLogon, Refusal> {
    if signed.len() > CMS_BYTES_MAX {
        return Err(Refusal::TooLarge);
    }
    let message = cms::read(signed)?;
    let checked = challenge::check(&message.content, keys, audience, now)?;
    if message.hash.digest(&message.content).as_ref() != message.message_digest {
        return Err(Refusal::ContentAltered);
    }
    let signer = &message.certificate;
    if !signer.key.is_strong(crate::profile::RSA_BITS_FLOOR) {
        return Err(Refusal::WeakKey);
    }
    if !signer
        .key
        .signed(message.scheme, &message.signed_attributes, &message.signature)
    {
        return Err(Refusal::SignatureWrong);
    }
    let certificate = verify(signer, &message.others, trust, now)?;
    Ok(VerifiedLogon {
        certificate,
        nonce: checked.nonce,
        nonce_expires_at: checked.expires_at,
    })
}

/// Checks a certificate whose key TLS has seen used; `chain` is DER, the person's certificate first.
///
/// # Errors
/// A [`Refusal`] about the certificate or its path.
pub fn verify_certificate(
    chain: &[&[u8]],
    trust: &Trust,
    now: Timestamp,
) -> Result<VerifiedCertificate, Refusal> {
    let (person, others) = chain.split_first().ok_or(Refusal::CertificateMissing)?;
    if others.len() > path::PRESENTED_MAX {
        return Err(Refusal::PathTooLong);
    }
    let read = |der: &&[u8]| Certificate::read(der).map_err(|Malformed| Refusal::CertificateMalformed);
    let person = read(person)?;
    let others = others.iter().map(read).collect::<Result<Vec<_>, _>>()?;
    verify(&person, &others, trust, now)
}

fn verify(
    person: &Certificate,
    others: &[Certificate],
    trust: &Trust,
    now: Timestamp,
) -> Result<VerifiedCertificate, Refusal> {
    let verified = path::verify(person, others, trust, now)?;
    let common_name =
        name::attribute(&person.subject, oid::COMMON_NAME).filter(|name| !name.trim().is_empty());
    let common_name = common_name.ok_or(Refusal::SubjectUnreadable)?;
    let read = verified.profile.profile.common_name.read(&common_name);
    Ok(VerifiedCertificate {
        subject: name::text(&person.subject),
        subject_key: person.subject_key.clone(),
        issuer: name::text(&person.issuer),
        serial: person.serial_hex(),
        sha256: hex::encode(digest::digest(&digest::SHA256, &person.der)),
        not_before: person.not_before,
        not_after: person.not_after,
        profile: verified.profile.profile.name.clone(),
        policy: verified.policy.map(|policy| policy.to_string()),
        common_name,
        agency_code: read.agency_code,
        person_name: read.person_name,
        revocation: verified.revocation,
        certificate: person.der.clone(),
    })
}
