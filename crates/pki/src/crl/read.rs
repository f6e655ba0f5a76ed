//! Reads a list without making an object of every entry's every field.

use der::Decode as _;
use x509_cert::{ext::pkix::crl::dp::IssuingDistributionPoint, name::Name};

use super::{Crl, Entry, Scope, Serial};
use crate::{
    asn1::{self, Element, Reader},
    name, oid,
    refusal::Malformed,
    signature::Scheme,
};

/// No list names more certificates.
const ENTRIES_MAX: usize = 4_000_000;

pub(super) fn crl(der: Vec<u8>) -> Result<Crl, Malformed> {
    let outer = asn1::signed(&der)?;
    let (number, parameters) = asn1::algorithm(outer.algorithm)?;
    let scheme = Scheme::of(number, parameters).ok_or(Malformed)?;
    let mut body = outer.body.inside();
    // Version 2 is required, because the scope stands in an extension.
    if asn1::small(body.expect(asn1::INTEGER)?.value)? != 1 {
        return Err(Malformed);
    }
    if body.expect(asn1::SEQUENCE)?.whole != outer.algorithm.whole {
        return Err(Malformed);
    }
    let issuer = Name::from_der(body.expect(asn1::SEQUENCE)?.whole)?;
    let this_update = asn1::time(body.next()?)?;
    // RFC 5280 5.1.2.5: nextUpdate is required; without it nobody could say when a list is stale.
    let next_update = asn1::time(body.next()?)?;
    let entries = match body.optional(asn1::SEQUENCE)? {
        Some(list) => entries(list)?,
        None => Vec::new(),
    };
    let scope = match body.optional(asn1::context(0))? {
        Some(extensions) => scope(asn1::single(extensions.value, asn1::SEQUENCE)?)?,
        None => Scope::default(),
    };
    body.finish()?;
    if next_update <= this_update {
        return Err(Malformed);
    }
    Ok(Crl {
        issuer_key: name::fold(&issuer),
        this_update,
        next_update,
        scope,
        entries,
        scheme,
        der,
    })
}

fn entries(list: Element<'_>) -> Result<Vec<Entry>, Malformed> {
    let mut out = Vec::new();
    let mut reader = list.inside();
    while !reader.is_empty() {
        if out.len() >= ENTRIES_MAX {
            return Err(Malformed);
        }
        let mut fields = reader.expect(asn1::SEQUENCE)?.inside();
        let serial = Serial::of(fields.expect(asn1::INTEGER)?.value).ok_or(Malformed)?;
        let at = asn1::time(fields.next()?)?;
        let reason = match fields.optional(asn1::SEQUENCE)? {
            Some(extensions) => reason(extensions)?,
            None => 0,
        };
        fields.finish()?;
        out.push(Entry { serial, at, reason });
    }
    // A serial named twice keeps its earliest revocation.
    out.sort_unstable();
    out.dedup_by(|later, earlier| later.serial == earlier.serial);
    out.shrink_to_fit();
    Ok(out)
}

/// One extension: its OID, whether it is critical, its value.
fn extension(reader: &mut Reader<'_>) -> Result<(const_oid::ObjectIdentifier, bool, Vec<u8>), Malformed> {
    let mut fields = reader.expect(asn1::SEQUENCE)?.inside();
    let number = asn1::oid(fields.expect(asn1::OID)?.value)?;
    let critical = match fields.optional(asn1::BOOLEAN)? {
        Some(flag) if flag.value == [0xff] => true,
        Some(flag) if flag.value == [0] => false,
        Some(_) => return Err(Malformed),
        None => false,
    };
    let value = fields.expect(asn1::OCTET_STRING)?.value.to_vec();
    fields.finish()?;
    Ok((number, critical, value))
}

/// An entry's reason. A critical extension that is not known, such as certificateIssuer of an indirect list,
/// makes the whole list unusable (RFC 5280 5.3).
fn reason(extensions: Element<'_>) -> Result<u8, Malformed> {
    let mut reason = 0;
    let mut reader = extensions.inside();
    while !reader.is_empty() {
        let (number, critical, value) = extension(&mut reader)?;
        if number == oid::CRL_REASON {
            let given = asn1::small(asn1::single(&value, asn1::ENUMERATED)?.value)?;
            reason = u8::try_from(given).map_err(|_| Malformed)?;
        } else if critical {
            return Err(Malformed);
        }
    }
    Ok(reason)
}

/// The list's scope. Delta lists, indirect lists and lists of some reasons only are not supported; each of them
/// shows itself by a critical extension.
fn scope(extensions: Element<'_>) -> Result<Scope, Malformed> {
    let mut scope = None;
    let mut reader = extensions.inside();
    while !reader.is_empty() {
        let (number, critical, value) = extension(&mut reader)?;
        if number == oid::ISSUING_DISTRIBUTION_POINT {
            if scope.is_some() {
                return Err(Malformed);
            }
            scope = Some(Scope::of(&IssuingDistributionPoint::from_der(&value)?).ok_or(Malformed)?);
        } else if critical {
            return Err(Malformed);
        }
    }
    Ok(scope.unwrap_or_default())
}
