//! Reads a CMS `SignedData` (RFC 5652 5) as browsers write it.
//!
//! The order inside SETs is not checked and the content may be a constructed OCTET STRING, because common
//! JavaScript libraries write them so; lengths must be definite. What was signed is taken byte for byte.

use der::Decode as _;
use x509_cert::name::Name;

use crate::{
    Refusal,
    asn1::{self, Element, Reader},
    certificate::Certificate,
    name, oid,
    path::PRESENTED_MAX,
    refusal::Malformed,
    signature::{Hash, Scheme},
};

/// Attributes of one signer, certificates in one message.
const ATTRIBUTES_MAX: usize = 16;

/// A message with one signer, whose certificate was found.
#[derive(Debug)]
pub(crate) struct SignedMessage {
    pub(crate) content: Vec<u8>,
    pub(crate) certificate: Certificate,
    /// The other certificates of the message.
    pub(crate) others: Vec<Certificate>,
    pub(crate) hash: Hash,
    pub(crate) scheme: Scheme,
    /// The digest the signer claims for the content.
    pub(crate) message_digest: Vec<u8>,
    /// The signed attributes as they were signed: with the tag of a SET (RFC 5652 5.4).
    pub(crate) signed_attributes: Vec<u8>,
    pub(crate) signature: Vec<u8>,
}

impl From<Malformed> for Refusal {
    fn from(_: Malformed) -> Self {
        Self::Malformed
    }
}

/// Reads the message and finds its signer's certificate.
pub(crate) fn read(bytes: &[u8]) -> Result<SignedMessage, Refusal> {
    let mut outer = asn1::single(bytes, asn1::SEQUENCE)?.inside();
    if asn1::oid(outer.expect(asn1::OID)?.value)? != oid::SIGNED_DATA {
        return Err(Refusal::Malformed);
    }
    let body = outer.expect(asn1::context(0))?;
    outer.finish()?;
    let mut body = asn1::single(body.value, asn1::SEQUENCE)?.inside();
    let _version = body.expect(asn1::INTEGER)?;
    let _digests = body.expect(asn1::SET)?;
    let content = content(body.expect(asn1::SEQUENCE)?)?;
    let certificates = body.optional(asn1::context(0))?;
    // Revocation lists in the message are not asked for and not read.
    let _lists = body.optional(asn1::context(1))?;
    let mut signers = body.expect(asn1::SET)?.inside();
    body.finish()?;
    if signers.is_empty() {
        return Err(Refusal::SignerNotSingle);
    }
    let signer = signers.expect(asn1::SEQUENCE)?;
    if !signers.is_empty() {
        return Err(Refusal::SignerNotSingle);
    }
    let certificates = match certificates {
        Some(set) => read_certificates(set)?,
        None => return Err(Refusal::CertificateMissing),
    };
    read_signer(signer, content, certificates)
}

/// `EncapsulatedContentInfo`: only `id-data`, and the content must be there.
fn content(element: Element<'_>) -> Result<Vec<u8>, Malformed> {
    let mut inside = element.inside();
    if asn1::oid(inside.expect(asn1::OID)?.value)? != oid::DATA {
        return Err(Malformed);
    }
    let explicit = inside.expect(asn1::context(0))?;
    inside.finish()?;
    let mut reader = Reader::new(explicit.value);
    let octets = reader.next()?;
    reader.finish()?;
    match octets.tag {
        asn1::OCTET_STRING => Ok(octets.value.to_vec()),
        // Constructed: pieces, one level deep.
        constructed if constructed == asn1::OCTET_STRING | 0x20 => {
            let mut pieces = octets.inside();
            let mut out = Vec::new();
            while !pieces.is_empty() {
                out.extend_from_slice(pieces.expect(asn1::OCTET_STRING)?.value);
            }
            Ok(out)
        }
        _ => Err(Malformed),
    }
}

fn read_certificates(set: Element<'_>) -> Result<Vec<Certificate>, Refusal> {
    let mut out: Vec<Certificate> = Vec::new();
    let mut reader = set.inside();
    while !reader.is_empty() {
        let element = reader.expect(asn1::SEQUENCE)?;
        if out.len() > PRESENTED_MAX {
            return Err(Refusal::PathTooLong);
        }
        if out.iter().all(|known| known.der != element.whole) {
            out.push(Certificate::read(element.whole).map_err(|Malformed| Refusal::CertificateMalformed)?);
        }
    }
    Ok(out)
}

fn read_signer(
    signer: Element<'_>,
    content: Vec<u8>,
    mut certificates: Vec<Certificate>,
) -> Result<SignedMessage, Refusal> {
    let mut inside = signer.inside();
    let _version = inside.expect(asn1::INTEGER)?;
    let at = signer_position(inside.next()?, &certificates)?;
    let (digest, _) = asn1::algorithm(inside.expect(asn1::SEQUENCE)?)?;
    let hash = Hash::of(digest).ok_or(Refusal::AlgorithmRefused)?;
    let attributes = inside
        .optional(asn1::context(0))?
        .ok_or(Refusal::SignedAttributesMissing)?;
    let (number, parameters) = asn1::algorithm(inside.expect(asn1::SEQUENCE)?)?;
    let scheme = Scheme::of_signer(number, parameters, hash).ok_or(Refusal::AlgorithmRefused)?;
    let signature = inside.expect(asn1::OCTET_STRING)?.value.to_vec();
    let _unsigned = inside.optional(asn1::context(1))?;
    inside.finish()?;
    let message_digest = read_attributes(attributes)?;
    let mut signed_attributes = attributes.whole.to_vec();
    if let Some(tag) = signed_attributes.first_mut() {
        *tag = asn1::SET;
    }
    let certificate = certificates.swap_remove(at);
    Ok(SignedMessage {
        content,
        certificate,
        others: certificates,
        hash,
        scheme,
        message_digest,
        signed_attributes,
        signature,
    })
}

/// Where the signer's certificate is, by issuer and serial number or by key identifier.
fn signer_position(id: Element<'_>, certificates: &[Certificate]) -> Result<usize, Refusal> {
    let position = if id.tag == asn1::SEQUENCE {
        let mut inside = id.inside();
        let issuer = Name::from_der(inside.expect(asn1::SEQUENCE)?.whole).map_err(|_| Malformed)?;
        let serial = inside.expect(asn1::INTEGER)?.value;
        inside.finish()?;
        let issuer_key = name::fold(&issuer);
        certificates
            .iter()
            .position(|certificate| certificate.serial == serial && certificate.issuer_key == issuer_key)
    } else if id.tag == asn1::context_simple(0) {
        certificates
            .iter()
            .position(|certificate| certificate.extensions.subject_key_id.as_deref() == Some(id.value))
    } else {
        return Err(Refusal::Malformed);
    };
    position.ok_or(Refusal::CertificateMissing)
}

/// Checks the signed attributes' shape (RFC 5652 5.3, 11) and gives the message digest.
fn read_attributes(set: Element<'_>) -> Result<Vec<u8>, Refusal> {
    let mut reader = set.inside();
    let mut seen = Vec::new();
    let mut has_content_type = false;
    let mut message_digest = None;
    while !reader.is_empty() {
        let mut attribute = reader.expect(asn1::SEQUENCE)?.inside();
        let number = asn1::oid(attribute.expect(asn1::OID)?.value)?;
        let mut values = attribute.expect(asn1::SET)?.inside();
        attribute.finish()?;
        if seen.contains(&number) || seen.len() >= ATTRIBUTES_MAX {
            return Err(Refusal::Malformed);
        }
        seen.push(number);
        match number {
            oid::CONTENT_TYPE => {
                let is_data = asn1::oid(values.expect(asn1::OID)?.value)? == oid::DATA;
                values.finish()?;
                if !is_data {
                    return Err(Refusal::Malformed);
                }
                has_content_type = true;
            }
            oid::MESSAGE_DIGEST => {
                message_digest = Some(values.expect(asn1::OCTET_STRING)?.value.to_vec());
                values.finish()?;
            }
            _ => {}
        }
    }
    message_digest
        .filter(|_| has_content_type)
        .ok_or(Refusal::SignedAttributesMissing)
}
