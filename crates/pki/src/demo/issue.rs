//! Writes certificates and revocation lists (RFC 5280 4, 5) the way GPKI does.

use aws_lc_rs::digest;
use const_oid::ObjectIdentifier;
use naru_kernel::{Entropy, Seconds, Timestamp};

use super::{
    AUTHORITY_DAYS, CIVIL_SERVANT_POLICY, DemoAuthority, DemoKey, DemoOptions, DemoPerson, ISSUING_NAME,
    KeyKind, ROOT_NAME, Revoked,
};
use crate::{Error, asn1, certificate::Certificate, oid, refusal::Malformed, write};

const COUNTRY: &str = "2.5.4.6";
const ORGANIZATION: &str = "2.5.4.10";
const UNIT: &str = "2.5.4.11";
const COMMON_NAME: &str = "2.5.4.3";
const GOVERNMENT: &str = "Government of Korea";
const PART: &str = "crl1p1dp1";

// keyUsage bits (RFC 5280 4.2.1.3): the first byte, and how many bits of it are unused.
const SIGNING_USE: [u8; 2] = [6, 0b1100_0000];
const ENCRYPTION_USE: [u8; 2] = [4, 0b0011_0000];
const AUTHORITY_USE: [u8; 2] = [1, 0b0000_0110];

/// What a certificate says, apart from key, serial number and issuer.
#[derive(Clone, Debug)]
pub(crate) struct Body {
    pub(crate) subject: Vec<u8>,
    pub(crate) not_before: Timestamp,
    pub(crate) not_after: Timestamp,
    pub(crate) usage: [u8; 2],
    /// `Some(n)`: an authority above `n` others; `None`: a person.
    pub(crate) path_length: Option<Option<u8>>,
    pub(crate) policy: Option<&'static str>,
    critical_policies: bool,
    /// Where revocations will be published.
    pub(crate) distribution: Option<String>,
    /// Added at the end as they are.
    pub(crate) more: Vec<Vec<u8>>,
}

/// A person's subject, country first.
pub(crate) fn person_name(person: &DemoPerson) -> Vec<u8> {
    let common_name = person.common_name();
    write::name(&[
        (COUNTRY, "KR"),
        (ORGANIZATION, GOVERNMENT),
        (UNIT, &person.ministry),
        (UNIT, "people"),
        (COMMON_NAME, &common_name),
    ])
}

pub(crate) fn authority_name(common_name: &str) -> Vec<u8> {
    write::name(&[
        (COUNTRY, "KR"),
        (ORGANIZATION, GOVERNMENT),
        (UNIT, "GPKI"),
        (COMMON_NAME, common_name),
    ])
}

/// The LDAP address of the part of an authority's list in which everybody is.
pub(crate) fn part_address(authority: &str) -> String {
    format!(
        "ldap://localhost:389/cn={PART},cn={authority},ou=GPKI,o={GOVERNMENT},c=KR?certificateRevocationList;binary"
    )
}

impl Body {
    pub(crate) fn person(person: &DemoPerson, now: Timestamp, options: DemoOptions) -> Result<Self, Error> {
        let is_text = |text: &str| {
            !text.trim().is_empty() && text.len() <= 128 && !text.chars().any(|c| c.is_control() || c == '/')
        };
        if !is_text(&person.name) {
            return Err(Error::DemoText("name"));
        }
        if !is_text(&person.ministry) {
            return Err(Error::DemoText("ministry"));
        }
        if person.agency_code.len() != 3 || !person.agency_code.bytes().all(|byte| byte.is_ascii_digit()) {
            return Err(Error::DemoText("agency code"));
        }
        if person.sequence > 999 {
            return Err(Error::DemoText("sequence"));
        }
        Ok(Self {
            subject: person_name(person),
            not_before: now - Seconds::minutes(5),
            not_after: now + Seconds::hours(24 * i64::from(options.person_days)),
            usage: SIGNING_USE,
            path_length: None,
            policy: Some(CIVIL_SERVANT_POLICY),
            critical_policies: options.critical_policies,
            distribution: Some(part_address(ISSUING_NAME)),
            more: Vec::new(),
        })
    }

    /// The other half of the pair.
    pub(crate) fn for_encryption(&self) -> Self {
        Self {
            usage: ENCRYPTION_USE,
            ..self.clone()
        }
    }

    /// Claims to be an authority.
    pub(crate) const fn be_authority(&mut self) {
        self.path_length = Some(None);
    }

    /// Signs a certificate over a new random serial number of 20 bytes.
    pub(crate) fn certificate(
        &self,
        key: &DemoKey,
        issuer: &DemoAuthority,
        entropy: &dyn Entropy,
    ) -> Result<Vec<u8>, Error> {
        let parsed = Certificate::read(&issuer.certificate).map_err(|Malformed| Error::Crypto)?;
        let issuer_name = crate::certificate::name_der(&parsed.subject);
        let identifier = parsed.extensions.subject_key_id;
        self.signed(
            key,
            (&issuer_name, identifier.as_deref(), &issuer.key),
            &random_serial(entropy),
        )
    }

    pub(crate) fn signed(
        &self,
        key: &DemoKey,
        (issuer_name, issuer_id, issuer_key): (&[u8], Option<&[u8]>, &DemoKey),
        serial: &[u8],
    ) -> Result<Vec<u8>, Error> {
        let algorithm = signature_algorithm(issuer_key);
        let validity = write::sequence(&[&write::time(self.not_before), &write::time(self.not_after)]);
        let extensions = self.extensions(key, issuer_id);
        let extensions = write::sequence(&extensions.iter().map(Vec::as_slice).collect::<Vec<_>>());
        let body = write::sequence(&[
            &write::element(asn1::context(0), &[&write::small(2)]),
            &write::integer(serial),
            &algorithm,
            issuer_name,
            &validity,
            &self.subject,
            key.public(),
            &write::element(asn1::context(3), &[&extensions]),
        ]);
        signed(&body, &algorithm, issuer_key)
    }

    fn extensions(&self, key: &DemoKey, issuer_id: Option<&[u8]>) -> Vec<Vec<u8>> {
        let mut out = Vec::new();
        if let Some(issuer_id) = issuer_id {
            let value = write::sequence(&[&write::element(asn1::context_simple(0), &[issuer_id])]);
            out.push(extension(oid::AUTHORITY_KEY_ID, false, &value));
        }
        out.push(extension(
            oid::SUBJECT_KEY_ID,
            false,
            &write::octets(&key_id(key)),
        ));
        let usage = write::element(asn1::BIT_STRING, &[&self.usage]);
        out.push(extension(oid::KEY_USAGE, true, &usage));
        if let Some(policy) = self.policy.and_then(|policy| ObjectIdentifier::new(policy).ok()) {
            let value = write::sequence(&[&write::sequence(&[&write::oid(policy)])]);
            out.push(extension(
                oid::CERTIFICATE_POLICIES,
                self.critical_policies,
                &value,
            ));
        }
        if let Some(path_length) = self.path_length {
            let length = path_length.map_or_else(Vec::new, |length| write::small(u32::from(length)));
            let value = write::sequence(&[&write::boolean(true), &length]);
            out.push(extension(oid::BASIC_CONSTRAINTS, true, &value));
        }
        if let Some(address) = &self.distribution {
            let point = write::sequence(&[&part_name(address)]);
            out.push(extension(
                oid::CRL_DISTRIBUTION_POINTS,
                false,
                &write::sequence(&[&point]),
            ));
        }
        out.extend(self.more.iter().cloned());
        out
    }
}

/// `[0] DistributionPointName { [0] fullName { [6] address } }`.
pub(crate) fn part_name(address: &str) -> Vec<u8> {
    let address = write::element(asn1::context_simple(6), &[address.as_bytes()]);
    write::element(
        asn1::context(0),
        &[&write::element(asn1::context(0), &[&address])],
    )
}

pub(crate) fn extension(number: ObjectIdentifier, critical: bool, value: &[u8]) -> Vec<u8> {
    let flag = if critical {
        write::boolean(true)
    } else {
        Vec::new()
    };
    write::sequence(&[&write::oid(number), &flag, &write::octets(value)])
}

/// SHA-1 of the public key's bits, the usual identifier (RFC 5280 4.2.1.2); it protects nothing.
fn key_id(key: &DemoKey) -> Vec<u8> {
    let bits = || {
        let mut inside = asn1::single(key.public(), asn1::SEQUENCE)?.inside();
        inside.expect(asn1::SEQUENCE)?;
        asn1::whole_bits(inside.expect(asn1::BIT_STRING)?.value)
    };
    let bits = bits().unwrap_or_default();
    digest::digest(&digest::SHA1_FOR_LEGACY_USE_ONLY, bits)
        .as_ref()
        .to_vec()
}

fn signature_algorithm(key: &DemoKey) -> Vec<u8> {
    match key.kind() {
        KeyKind::Rsa2048 => write::algorithm(oid::SHA256_RSA, &write::null()),
        KeyKind::P256 => write::algorithm(oid::ECDSA_SHA256, &[]),
    }
}

fn signed(body: &[u8], algorithm: &[u8], key: &DemoKey) -> Result<Vec<u8>, Error> {
    let signature = key.sign(key.style(), body)?;
    Ok(write::sequence(&[body, algorithm, &write::bits(&signature)]))
}

/// 20 bytes, positive and of full length, as GPKI's are.
pub(crate) fn random_serial(entropy: &dyn Entropy) -> [u8; 20] {
    let mut serial = [0; 20];
    entropy.fill(&mut serial);
    if let Some(first) = serial.first_mut() {
        *first = *first & 0x3f | 0x40;
    }
    serial
}

pub(crate) fn authority_body(
    name: &str,
    path_length: Option<u8>,
    now: Timestamp,
    options: DemoOptions,
) -> Body {
    Body {
        subject: authority_name(name),
        not_before: now - Seconds::hours(24),
        not_after: now + Seconds::hours(24 * AUTHORITY_DAYS),
        usage: AUTHORITY_USE,
        path_length: Some(path_length),
        policy: None,
        critical_policies: options.critical_policies,
        distribution: None,
        more: Vec::new(),
    }
}

/// A root that signs itself: no policies, no authority key identifier, like the government's.
pub(crate) fn root(
    now: Timestamp,
    entropy: &dyn Entropy,
    options: DemoOptions,
) -> Result<DemoAuthority, Error> {
    named_root(ROOT_NAME, now, entropy, options)
}

pub(crate) fn named_root(
    name: &str,
    now: Timestamp,
    entropy: &dyn Entropy,
    options: DemoOptions,
) -> Result<DemoAuthority, Error> {
    let key = DemoKey::generate(options.keys)?;
    let body = authority_body(name, None, now, options);
    let certificate = body.signed(&key, (&body.subject, None, &key), &random_serial(entropy))?;
    Ok(DemoAuthority { certificate, key })
}

/// The authority that issues to people, limited to the civil servants' and the computers' policies.
pub(crate) fn issuing(
    root: &DemoAuthority,
    now: Timestamp,
    entropy: &dyn Entropy,
    options: DemoOptions,
) -> Result<DemoAuthority, Error> {
    let key = DemoKey::generate(options.keys)?;
    let mut body = authority_body(ISSUING_NAME, Some(0), now, options);
    let policies: Vec<Vec<u8>> = [CIVIL_SERVANT_POLICY, super::COMPUTER_POLICY]
        .iter()
        .filter_map(|policy| ObjectIdentifier::new(policy).ok())
        .map(|policy| write::sequence(&[&write::oid(policy)]))
        .collect();
    let policies = write::sequence(&policies.iter().map(Vec::as_slice).collect::<Vec<_>>());
    body.more.push(extension(
        oid::CERTIFICATE_POLICIES,
        options.critical_policies,
        &policies,
    ));
    body.distribution = Some(part_address(ROOT_NAME));
    let certificate = body.certificate(&key, root, entropy)?;
    Ok(DemoAuthority { certificate, key })
}

/// Which certificates a list speaks of.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Part {
    People,
    Authorities,
}

/// Signs a revocation list.
pub(crate) fn crl(
    authority: &DemoAuthority,
    revoked: &[Revoked],
    part: Part,
    now: Timestamp,
    due: Timestamp,
) -> Result<Vec<u8>, Error> {
    let parsed = Certificate::read(&authority.certificate).map_err(|Malformed| Error::Crypto)?;
    let algorithm = signature_algorithm(&authority.key);
    let entries: Vec<Vec<u8>> = revoked
        .iter()
        .map(|entry| {
            let reason = write::element(asn1::ENUMERATED, &[&[entry.reason.number()]]);
            let reason = write::sequence(&[&extension(oid::CRL_REASON, false, &reason)]);
            write::sequence(&[&write::integer(&entry.serial), &write::time(entry.at), &reason])
        })
        .collect();
    // An empty list is left out (RFC 5280 5.1.2.6).
    let entries = if entries.is_empty() {
        Vec::new()
    } else {
        write::sequence(&entries.iter().map(Vec::as_slice).collect::<Vec<_>>())
    };
    // The root's list is whole; the people's is a part, as GPKI's lists are.
    let (name, only) = match part {
        Part::People => (part_name(&part_address(ISSUING_NAME)), 1),
        Part::Authorities => (Vec::new(), 2),
    };
    let only = write::element(asn1::context_simple(only), &[&[0xff]]);
    let point = write::sequence(&[&name, &only]);
    // The list's number: it grows with time, which is all that is asked of it.
    let number = u32::try_from(now.as_seconds()).unwrap_or(0);
    let identifier = parsed.extensions.subject_key_id.unwrap_or_default();
    let identifier = write::sequence(&[&write::element(asn1::context_simple(0), &[&identifier])]);
    let extensions = write::sequence(&[
        &extension(oid::AUTHORITY_KEY_ID, false, &identifier),
        &extension(oid::CRL_NUMBER, false, &write::small(number)),
        &extension(oid::ISSUING_DISTRIBUTION_POINT, true, &point),
    ]);
    let body = write::sequence(&[
        &write::small(1),
        &algorithm,
        &crate::certificate::name_der(&parsed.subject),
        &write::time(now),
        &write::time(due),
        &entries,
        &write::element(asn1::context(0), &[&extensions]),
    ]);
    signed(&body, &algorithm, &authority.key)
}
