//! One certificate, read once: its exact bytes, names as keys, and the extensions this engine knows.

use const_oid::ObjectIdentifier;
use der::{Decode, Encode as _};
use naru_kernel::Timestamp;
use x509_cert::{
    ext::pkix::{
        BasicConstraints, CertificatePolicies, CrlDistributionPoints, ExtendedKeyUsage, KeyUsage,
        NameConstraints, PolicyConstraints, SubjectAltName,
    },
    name::Name,
};

use crate::{
    asn1, name, oid,
    refusal::Malformed,
    signature::{PublicKey, Scheme},
};

/// Certificates above this are refused unread. A GPKI certificate has 1.3 to 1.8 KiB.
pub(crate) const CERTIFICATE_BYTES_MAX: usize = 16 * 1_024;
const EXTENSIONS_MAX: usize = 32;

/// The extensions of RFC 5280 that change a verdict.
#[derive(Clone, Debug, Default)]
pub(crate) struct Extensions {
    pub(crate) basic: Option<BasicConstraints>,
    pub(crate) key_usage: Option<KeyUsage>,
    pub(crate) extended_usage: Option<Vec<ObjectIdentifier>>,
    pub(crate) policies: Option<Vec<ObjectIdentifier>>,
    pub(crate) policy_constraints: Option<PolicyConstraints>,
    pub(crate) inhibit_any_policy: Option<u32>,
    pub(crate) name_constraints: Option<NameConstraints>,
    pub(crate) distribution: Option<CrlDistributionPoints>,
    pub(crate) alternative_names: Option<SubjectAltName>,
    /// The alternative names are there and could not be read.
    pub(crate) has_unreadable_names: bool,
    pub(crate) subject_key_id: Option<Vec<u8>>,
    pub(crate) authority_key_id: Option<Vec<u8>>,
    /// A critical extension that is not among these.
    pub(crate) unknown_critical: bool,
}

/// A certificate that could be read. Nothing about it is believed yet.
#[derive(Clone, Debug)]
pub(crate) struct Certificate {
    pub(crate) der: Vec<u8>,
    pub(crate) is_version_3: bool,
    pub(crate) serial: Vec<u8>,
    pub(crate) subject: Name,
    pub(crate) issuer: Name,
    /// Folded names ([`name::fold`]).
    pub(crate) subject_key: String,
    pub(crate) issuer_key: String,
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
    pub(crate) key: PublicKey,
    /// `None`: signed with something weak or unknown.
    pub(crate) scheme: Option<Scheme>,
    pub(crate) extensions: Extensions,
}

impl Certificate {
    /// Reads DER.
    pub(crate) fn read(der: &[u8]) -> Result<Self, Malformed> {
        if der.len() > CERTIFICATE_BYTES_MAX {
            return Err(Malformed);
        }
        let outer = asn1::signed(der)?;
        let parsed = x509_cert::Certificate::from_der(der)?;
        let body = parsed.tbs_certificate();
        if body.signature() != parsed.signature_algorithm() {
            return Err(Malformed);
        }
        let (number, parameters) = asn1::algorithm(outer.algorithm)?;
        let spki = body.subject_public_key_info();
        let curve = spki
            .algorithm
            .parameters
            .as_ref()
            .and_then(|any| any.decode_as().ok());
        let bits = spki.subject_public_key.as_bytes().ok_or(Malformed)?;
        let extensions = read_extensions(body.extensions().map_or(&[], |list| list.as_slice()))?;
        let validity = body.validity();
        Ok(Self {
            der: der.to_vec(),
            is_version_3: body.version() == x509_cert::Version::V3,
            serial: body.serial_number().as_bytes().to_vec(),
            subject_key: name::fold(body.subject()),
            issuer_key: name::fold(body.issuer()),
            subject: body.subject().clone(),
            issuer: body.issuer().clone(),
            not_before: timestamp(validity.not_before)?,
            not_after: timestamp(validity.not_after)?,
            key: PublicKey::of(spki.algorithm.oid, curve, bits),
            scheme: Scheme::of(number, parameters),
            extensions,
        })
    }

    /// Reads DER or PEM.
    pub(crate) fn read_any(bytes: &[u8]) -> Result<Self, Malformed> {
        if bytes.trim_ascii_start().starts_with(b"-----BEGIN") {
            let (label, der) = der::pem::decode_vec(bytes.trim_ascii()).map_err(|_| Malformed)?;
            return if label == "CERTIFICATE" {
                Self::read(&der)
            } else {
                Err(Malformed)
            };
        }
        Self::read(bytes)
    }

    /// Whether `issuer`'s key made this certificate's signature.
    pub(crate) fn is_signed_by(&self, issuer: &PublicKey) -> bool {
        let Ok(outer) = asn1::signed(&self.der) else {
            return false;
        };
        self.scheme
            .is_some_and(|scheme| issuer.signed(scheme, outer.body.whole, outer.signature))
    }

    /// Whether the certificate says it may sign certificates (RFC 5280 6.1.4 k, n).
    pub(crate) fn is_authority(&self) -> bool {
        self.is_version_3
            && self.extensions.basic.as_ref().is_some_and(|basic| basic.ca)
            && self
                .extensions
                .key_usage
                .is_none_or(|usage| usage.key_cert_sign())
    }

    /// Whether the key identifiers, where both are given, allow `issuer` to be the issuer.
    pub(crate) fn may_come_from(&self, issuer: &Self) -> bool {
        match (
            &self.extensions.authority_key_id,
            &issuer.extensions.subject_key_id,
        ) {
            (Some(wanted), Some(given)) => wanted == given,
            _ => true,
        }
    }

    /// The serial number as lower-case hexadecimal of its DER value's bytes, without a leading sign byte.
    pub(crate) fn serial_hex(&self) -> String {
        hex::encode(match self.serial.as_slice() {
            [0, rest @ ..] if !rest.is_empty() => rest,
            all => all,
        })
    }
}

fn timestamp(time: x509_cert::time::Time) -> Result<Timestamp, Malformed> {
    let seconds = i64::try_from(time.to_unix_duration().as_secs()).map_err(|_| Malformed)?;
    Ok(Timestamp::from_seconds(seconds))
}

fn read_extensions(list: &[x509_cert::ext::Extension]) -> Result<Extensions, Malformed> {
    if list.len() > EXTENSIONS_MAX {
        return Err(Malformed);
    }
    let mut out = Extensions::default();
    for (at, extension) in list.iter().enumerate() {
        // RFC 5280 4.2: at most one of each.
        if list
            .iter()
            .take(at)
            .any(|earlier| earlier.extn_id == extension.extn_id)
        {
            return Err(Malformed);
        }
        let value = extension.extn_value.as_bytes();
        match extension.extn_id {
            oid::BASIC_CONSTRAINTS => out.basic = decoded(value)?,
            oid::KEY_USAGE => out.key_usage = decoded(value)?,
            oid::EXTENDED_KEY_USAGE => {
                out.extended_usage = decoded::<ExtendedKeyUsage>(value)?.map(|usage| usage.0);
            }
            oid::CERTIFICATE_POLICIES => {
                let policies = CertificatePolicies::from_der(value)?.0;
                out.policies = Some(policies.iter().map(|policy| policy.policy_identifier).collect());
            }
            oid::POLICY_CONSTRAINTS => out.policy_constraints = decoded(value)?,
            oid::INHIBIT_ANY_POLICY => {
                out.inhibit_any_policy = Some(asn1::small(asn1::single(value, asn1::INTEGER)?.value)?);
            }
            oid::NAME_CONSTRAINTS => out.name_constraints = decoded(value)?,
            // Unreadable points are no points: then only a whole list covers the certificate.
            oid::CRL_DISTRIBUTION_POINTS => match CrlDistributionPoints::from_der(value) {
                Ok(points) => out.distribution = Some(points),
                Err(_) => out.unknown_critical |= extension.critical,
            },
            oid::SUBJECT_ALTERNATIVE_NAME => {
                // A name form that cannot be read (such as x400Address) must not be overlooked when critical.
                match SubjectAltName::from_der(value) {
                    Ok(names) => out.alternative_names = Some(names),
                    Err(_) => {
                        out.has_unreadable_names = true;
                        out.unknown_critical |= extension.critical;
                    }
                }
            }
            oid::SUBJECT_KEY_ID => {
                out.subject_key_id = Some(asn1::single(value, asn1::OCTET_STRING)?.value.to_vec());
            }
            oid::AUTHORITY_KEY_ID => {
                let mut inside = asn1::single(value, asn1::SEQUENCE)?.inside();
                let id = inside.optional(asn1::context_simple(0))?;
                out.authority_key_id = id.map(|element| element.value.to_vec());
            }
            // Among them policyMappings: a path that needs a mapping is refused for its policy.
            _ => out.unknown_critical |= extension.critical,
        }
    }
    Ok(out)
}

fn decoded<'a, T: Decode<'a, Error = der::Error>>(value: &'a [u8]) -> Result<Option<T>, Malformed> {
    Ok(Some(T::from_der(value)?))
}

/// The exact DER of a name.
pub(crate) fn name_der(name: &Name) -> Vec<u8> {
    name.to_der().unwrap_or_default()
}
