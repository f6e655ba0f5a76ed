//! A reader of DER that keeps the exact bytes.
//!
//! `x509-cert` reads certificates; this reads the containers around them (CMS, CRL, key files), where the signed
//! bytes must be taken as they came and a revocation list of a million entries must not become a million objects.
//! Definite, minimal lengths and tag numbers below 31 only (X.690 10.1).

use crate::refusal::Malformed;

pub(crate) const BOOLEAN: u8 = 0x01;
pub(crate) const INTEGER: u8 = 0x02;
pub(crate) const BIT_STRING: u8 = 0x03;
pub(crate) const OCTET_STRING: u8 = 0x04;
pub(crate) const NULL: u8 = 0x05;
pub(crate) const OID: u8 = 0x06;
pub(crate) const ENUMERATED: u8 = 0x0a;
pub(crate) const UTF8_STRING: u8 = 0x0c;
pub(crate) const SEQUENCE: u8 = 0x30;
pub(crate) const SET: u8 = 0x31;
pub(crate) const PRINTABLE_STRING: u8 = 0x13;
pub(crate) const NUMERIC_STRING: u8 = 0x12;
pub(crate) const TELETEX_STRING: u8 = 0x14;
pub(crate) const IA5_STRING: u8 = 0x16;
pub(crate) const VISIBLE_STRING: u8 = 0x1a;
pub(crate) const UTC_TIME: u8 = 0x17;
pub(crate) const GENERALIZED_TIME: u8 = 0x18;
pub(crate) const BMP_STRING: u8 = 0x1e;

/// `[number]`, constructed.
pub(crate) const fn context(number: u8) -> u8 {
    0xa0 | number
}

/// `[number]`, primitive (an implicitly tagged simple type).
pub(crate) const fn context_simple(number: u8) -> u8 {
    0x80 | number
}

/// One tag, length and value.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Element<'a> {
    pub(crate) tag: u8,
    /// Tag, length and value.
    pub(crate) whole: &'a [u8],
    pub(crate) value: &'a [u8],
}

impl<'a> Element<'a> {
    pub(crate) const fn inside(self) -> Reader<'a> {
        Reader { rest: self.value }
    }
}

/// Reads elements one after another.
#[derive(Clone, Copy, Debug)]
pub(crate) struct Reader<'a> {
    rest: &'a [u8],
}

impl<'a> Reader<'a> {
    pub(crate) const fn new(bytes: &'a [u8]) -> Self {
        Self { rest: bytes }
    }

    pub(crate) const fn is_empty(&self) -> bool {
        self.rest.is_empty()
    }

    /// The next element, whatever its tag.
    pub(crate) fn next(&mut self) -> Result<Element<'a>, Malformed> {
        let (&tag, after_tag) = self.rest.split_first().ok_or(Malformed)?;
        if tag & 0x1f == 0x1f {
            return Err(Malformed);
        }
        let (&first, mut after) = after_tag.split_first().ok_or(Malformed)?;
        let length = if first < 0x80 {
            usize::from(first)
        } else {
            let count = usize::from(first & 0x7f);
            if count == 0 || count > 4 {
                return Err(Malformed);
            }
            let (bytes, rest) = after.split_at_checked(count).ok_or(Malformed)?;
            after = rest;
            let length = bytes
                .iter()
                .fold(0_usize, |sum, &byte| sum << 8 | usize::from(byte));
            let minimal = if count == 1 {
                0x80
            } else {
                1_usize << (8 * (count - 1))
            };
            if length < minimal {
                return Err(Malformed);
            }
            length
        };
        let (value, rest) = after.split_at_checked(length).ok_or(Malformed)?;
        let (whole, _) = self
            .rest
            .split_at_checked(self.rest.len() - rest.len())
            .ok_or(Malformed)?;
        self.rest = rest;
        Ok(Element { tag, whole, value })
    }

    /// The next element, which must have this tag.
    pub(crate) fn expect(&mut self, tag: u8) -> Result<Element<'a>, Malformed> {
        let element = self.next()?;
        if element.tag == tag {
            Ok(element)
        } else {
            Err(Malformed)
        }
    }

    /// The next element if it has this tag.
    pub(crate) fn optional(&mut self, tag: u8) -> Result<Option<Element<'a>>, Malformed> {
        if self.rest.first() == Some(&tag) {
            self.next().map(Some)
        } else {
            Ok(None)
        }
    }

    /// Says that nothing may follow.
    pub(crate) const fn finish(self) -> Result<(), Malformed> {
        if self.rest.is_empty() {
            Ok(())
        } else {
            Err(Malformed)
        }
    }
}

/// The only element in `bytes`.
pub(crate) fn single(bytes: &[u8], tag: u8) -> Result<Element<'_>, Malformed> {
    let mut reader = Reader::new(bytes);
    let element = reader.expect(tag)?;
    reader.finish()?;
    Ok(element)
}

/// A small unsigned INTEGER or ENUMERATED's value.
pub(crate) fn small(value: &[u8]) -> Result<u32, Malformed> {
    match value {
        [] => Err(Malformed),
        [first, ..] if first & 0x80 != 0 => Err(Malformed),
        [0, second, ..] if second & 0x80 == 0 => Err(Malformed),
        bytes if bytes.len() > 5 || (bytes.len() == 5 && bytes.first() != Some(&0)) => Err(Malformed),
        bytes => Ok(bytes.iter().fold(0_u32, |sum, &byte| sum << 8 | u32::from(byte))),
    }
}

/// A BIT STRING's bytes; unused bits must be none.
pub(crate) fn whole_bits(value: &[u8]) -> Result<&[u8], Malformed> {
    match value.split_first() {
        Some((0, bytes)) => Ok(bytes),
        _ => Err(Malformed),
    }
}

/// An OID's value in dotted form.
pub(crate) fn oid(value: &[u8]) -> Result<const_oid::ObjectIdentifier, Malformed> {
    const_oid::ObjectIdentifier::from_bytes(value).map_err(|_| Malformed)
}

/// An `AlgorithmIdentifier`: its OID and the whole parameters element, if any.
pub(crate) fn algorithm(
    element: Element<'_>,
) -> Result<(const_oid::ObjectIdentifier, Option<Element<'_>>), Malformed> {
    let mut inside = element.inside();
    let number = oid(inside.expect(OID)?.value)?;
    let parameters = if inside.is_empty() {
        None
    } else {
        Some(inside.next()?)
    };
    inside.finish()?;
    Ok((number, parameters))
}

/// A `UTCTime` or `GeneralizedTime` in seconds since 1970 UTC (RFC 5280 4.1.2.5: seconds given, Z).
pub(crate) fn time(element: Element<'_>) -> Result<naru_kernel::Timestamp, Malformed> {
    use der::Decode as _;
    let seconds = match element.tag {
        UTC_TIME => der::asn1::UtcTime::from_der(element.whole)?
            .to_unix_duration()
            .as_secs(),
        GENERALIZED_TIME => der::asn1::GeneralizedTime::from_der(element.whole)?
            .to_unix_duration()
            .as_secs(),
        _ => return Err(Malformed),
    };
    Ok(naru_kernel::Timestamp::from_seconds(
        i64::try_from(seconds).map_err(|_| Malformed)?,
    ))
}

/// `SEQUENCE { signed, AlgorithmIdentifier, BIT STRING }`, the shape of certificates and revocation lists.
pub(crate) struct Signed<'a> {
    /// The exact signed bytes.
    pub(crate) body: Element<'a>,
    pub(crate) algorithm: Element<'a>,
    pub(crate) signature: &'a [u8],
}

/// Splits a certificate or revocation list without changing a byte.
pub(crate) fn signed(bytes: &[u8]) -> Result<Signed<'_>, Malformed> {
    let mut inside = single(bytes, SEQUENCE)?.inside();
    let body = inside.expect(SEQUENCE)?;
    let algorithm = inside.expect(SEQUENCE)?;
    let signature = whole_bits(inside.expect(BIT_STRING)?.value)?;
    inside.finish()?;
    Ok(Signed {
        body,
        algorithm,
        signature,
    })
}
