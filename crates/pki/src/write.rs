//! Writes DER: for the demo's authority, signed messages and key files.

use const_oid::ObjectIdentifier;
use naru_kernel::Timestamp;

use crate::asn1;

/// Tag, minimal length, and the parts one after another.
pub(crate) fn element(tag: u8, parts: &[&[u8]]) -> Vec<u8> {
    let length: usize = parts.iter().map(|part| part.len()).sum();
    let mut out = Vec::with_capacity(length + 6);
    out.push(tag);
    let bytes = length.to_be_bytes();
    let significant = bytes
        .iter()
        .skip_while(|byte| **byte == 0)
        .copied()
        .collect::<Vec<u8>>();
    match significant.as_slice() {
        [] => out.push(0),
        [short] if *short < 0x80 => out.push(*short),
        long => {
            // At most eight bytes of length.
            out.push(0x80 | u8::try_from(long.len()).unwrap_or(0x7f));
            out.extend_from_slice(long);
        }
    }
    for part in parts {
        out.extend_from_slice(part);
    }
    out
}

pub(crate) fn sequence(parts: &[&[u8]]) -> Vec<u8> {
    element(asn1::SEQUENCE, parts)
}

/// A SET OF: DER wants its elements sorted (X.690 11.6).
pub(crate) fn set_of(mut parts: Vec<Vec<u8>>) -> Vec<u8> {
    parts.sort();
    element(asn1::SET, &parts.iter().map(Vec::as_slice).collect::<Vec<_>>())
}

pub(crate) fn oid(number: ObjectIdentifier) -> Vec<u8> {
    element(asn1::OID, &[number.as_bytes()])
}

/// A non-negative INTEGER from big-endian bytes.
pub(crate) fn integer(bytes: &[u8]) -> Vec<u8> {
    let start = bytes.iter().position(|byte| *byte != 0).unwrap_or(bytes.len());
    let magnitude = bytes.get(start..).unwrap_or_default();
    match magnitude.first() {
        None => element(asn1::INTEGER, &[&[0]]),
        Some(first) if first & 0x80 != 0 => element(asn1::INTEGER, &[&[0], magnitude]),
        Some(_) => element(asn1::INTEGER, &[magnitude]),
    }
}

pub(crate) fn small(value: u32) -> Vec<u8> {
    integer(&value.to_be_bytes())
}

pub(crate) fn boolean(value: bool) -> Vec<u8> {
    element(asn1::BOOLEAN, &[&[if value { 0xff } else { 0 }]])
}

pub(crate) fn octets(bytes: &[u8]) -> Vec<u8> {
    element(asn1::OCTET_STRING, &[bytes])
}

pub(crate) fn bits(bytes: &[u8]) -> Vec<u8> {
    element(asn1::BIT_STRING, &[&[0], bytes])
}

pub(crate) fn null() -> Vec<u8> {
    element(asn1::NULL, &[])
}

pub(crate) fn algorithm(number: ObjectIdentifier, parameters: &[u8]) -> Vec<u8> {
    sequence(&[&oid(number), parameters])
}

/// `UTCTime` up to 2049, `GeneralizedTime` after (RFC 5280 4.1.2.5). Times before 1970 become 1970.
pub(crate) fn time(at: Timestamp) -> Vec<u8> {
    let seconds = u64::try_from(at.as_seconds()).unwrap_or(0);
    let moment = der::DateTime::from_unix_duration(core::time::Duration::from_secs(seconds))
        .unwrap_or(der::DateTime::INFINITY);
    let rest = format!(
        "{:02}{:02}{:02}{:02}{:02}Z",
        moment.month(),
        moment.day(),
        moment.hour(),
        moment.minutes(),
        moment.seconds()
    );
    if moment.year() < 2050 {
        element(
            asn1::UTC_TIME,
            &[format!("{:02}", moment.year() % 100).as_bytes(), rest.as_bytes()],
        )
    } else {
        element(
            asn1::GENERALIZED_TIME,
            &[format!("{:04}", moment.year()).as_bytes(), rest.as_bytes()],
        )
    }
}

/// A name in certificate order (country first). The country is a `PrintableString`, as RFC 5280 wants;
/// all else is UTF-8.
pub(crate) fn name(attributes: &[(&str, &str)]) -> Vec<u8> {
    let rdns: Vec<Vec<u8>> = attributes
        .iter()
        .filter_map(|(number, value)| {
            let tag = if *number == "2.5.4.6" {
                asn1::PRINTABLE_STRING
            } else {
                asn1::UTF8_STRING
            };
            let number = ObjectIdentifier::new(number).ok()?;
            Some(set_of(vec![sequence(&[
                &oid(number),
                &element(tag, &[value.as_bytes()]),
            ])]))
        })
        .collect();
    sequence(&rdns.iter().map(Vec::as_slice).collect::<Vec<_>>())
}
