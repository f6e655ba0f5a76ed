//! Names of people and authorities: as text (RFC 4514) and as a folded key for comparison.
//!
//! Two names are the same when their attributes are, after case folding and squeezing of white space, whatever
//! string type the authority chose (RFC 5280 7.1). GPKI names are written by some authorities as
//! `PrintableString` and by others as `UTF8String`.

use const_oid::ObjectIdentifier;
use der::{Decode as _, Encode as _, Tagged as _, asn1::Any};
use x509_cert::name::Name;

use crate::asn1;

/// Attribute types that have a short word, in the spelling of RFC 4514 or, below those, of common tools.
const WORDS: [(&str, &str); 14] = [
    ("CN", "2.5.4.3"),
    ("L", "2.5.4.7"),
    ("ST", "2.5.4.8"),
    ("O", "2.5.4.10"),
    ("OU", "2.5.4.11"),
    ("C", "2.5.4.6"),
    ("STREET", "2.5.4.9"),
    ("DC", "0.9.2342.19200300.100.1.25"),
    ("UID", "0.9.2342.19200300.100.1.1"),
    ("serialNumber", "2.5.4.5"),
    ("SN", "2.5.4.4"),
    ("givenName", "2.5.4.42"),
    ("title", "2.5.4.12"),
    ("emailAddress", "1.2.840.113549.1.9.1"),
];

/// How long a name's text may be, in bytes, to be folded.
pub const NAME_TEXT_BYTES_MAX: usize = 4 * 1024;

fn word(number: ObjectIdentifier) -> Option<&'static str> {
    WORDS
        .iter()
        .find(|(_, dotted)| ObjectIdentifier::new(dotted).is_ok_and(|known| known == number))
        .map(|(word, _)| *word)
}

/// The text of a string attribute, if it is one.
fn string(value: &Any) -> Option<String> {
    let bytes = value.value();
    if !value.tag().is_universal() {
        return None;
    }
    match u8::try_from(value.tag().number().value()).unwrap_or(0) {
        asn1::UTF8_STRING
        | asn1::PRINTABLE_STRING
        | asn1::IA5_STRING
        | asn1::VISIBLE_STRING
        | asn1::NUMERIC_STRING => core::str::from_utf8(bytes).ok().map(str::to_owned),
        // Its other characters were never agreed upon.
        asn1::TELETEX_STRING if bytes.is_ascii() => core::str::from_utf8(bytes).ok().map(str::to_owned),
        asn1::BMP_STRING => {
            let (units, rest) = bytes.as_chunks::<2>();
            let units: Vec<u16> = units.iter().map(|unit| u16::from_be_bytes(*unit)).collect();
            if rest.is_empty() {
                String::from_utf16(&units).ok()
            } else {
                None
            }
        }
        _ => None,
    }
}

fn hexadecimal(value: &Any) -> String {
    format!("#{}", hex::encode(value.to_der().unwrap_or_default()))
}

/// RFC 4514 text, most specific part first: `CN=085홍길동001,OU=people,OU=행정안전부,O=Government of Korea,C=KR`.
#[must_use]
pub fn text(name: &Name) -> String {
    let mut parts: Vec<String> = Vec::new();
    for rdn in name.as_ref().iter() {
        let attributes: Vec<String> = rdn
            .iter()
            .map(|attribute| {
                let value = string(&attribute.value);
                match (word(attribute.oid), value) {
                    (Some(word), Some(value)) => format!("{word}={}", escaped(&value)),
                    (Some(word), None) => format!("{word}={}", hexadecimal(&attribute.value)),
                    (None, _) => format!("{}={}", attribute.oid, hexadecimal(&attribute.value)),
                }
            })
            .collect();
        parts.push(attributes.join("+"));
    }
    parts.reverse();
    parts.join(",")
}

/// Escapes a value after RFC 4514 2.4.
fn escaped(value: &str) -> String {
    let mut out = String::with_capacity(value.len());
    let last = value.chars().count().saturating_sub(1);
    for (at, character) in value.chars().enumerate() {
        match character {
            ',' | '+' | '"' | '\\' | '<' | '>' | ';' | '=' => {
                out.push('\\');
                out.push(character);
            }
            '#' if at == 0 => out.push_str("\\#"),
            ' ' if at == 0 || at == last => out.push_str("\\ "),
            control if u32::from(control) < 0x20 || control == '\u{7f}' => {
                out.push_str(&format!("\\{:02x}", u32::from(control)));
            }
            plain => out.push(plain),
        }
    }
    out
}

/// One attribute of a folded name.
fn folded(number: &str, value: &str) -> String {
    let squeezed = value
        .split_whitespace()
        .collect::<Vec<_>>()
        .join(" ")
        .to_lowercase();
    format!("{number}={}", escaped(&squeezed))
}

/// The key under which names are compared: [`text`] with known types in lower case, values folded.
#[must_use]
pub fn fold(name: &Name) -> String {
    parts(name).join(",")
}

/// The folded parts, most specific first.
pub(crate) fn parts(name: &Name) -> Vec<String> {
    let mut parts: Vec<String> = name
        .as_ref()
        .iter()
        .map(|rdn| {
            let mut attributes: Vec<String> = rdn
                .iter()
                .map(|attribute| {
                    let number =
                        word(attribute.oid).map_or_else(|| attribute.oid.to_string(), str::to_lowercase);
                    match string(&attribute.value) {
                        Some(value) => folded(&number, &value),
                        None => format!("{number}={}", hexadecimal(&attribute.value)),
                    }
                })
                .collect();
            attributes.sort();
            attributes.join("+")
        })
        .collect();
    parts.reverse();
    parts
}

/// The same key from RFC 4514 text as a person writes it, such as a subject name in a list of people.
///
/// `None` when the text is no distinguished name or longer than [`NAME_TEXT_BYTES_MAX`].
#[must_use]
pub fn fold_text(text: &str) -> Option<String> {
    if text.len() > NAME_TEXT_BYTES_MAX {
        return None;
    }
    let mut parts = Vec::new();
    let mut attributes = Vec::new();
    let mut characters = text.chars().peekable();
    loop {
        let mut kind = String::new();
        loop {
            match characters.next()? {
                '=' => break,
                character => kind.push(character),
            }
        }
        let number = known_type(kind.trim())?;
        let (value, end) = value_until_separator(&mut characters)?;
        attributes.push(match value.trim().strip_prefix('#') {
            Some(digits) if !value.starts_with('\\') => from_hexadecimal(&number, digits)?,
            _ => folded(&number, &unescaped(&value)?),
        });
        if end == Some('+') {
            continue;
        }
        attributes.sort();
        parts.push(attributes.join("+"));
        attributes.clear();
        if end.is_none() {
            return Some(parts.join(","));
        }
    }
}

/// A type's key: the short word in lower case, or the dotted number of one that has none.
fn known_type(kind: &str) -> Option<String> {
    if let Some((word, _)) = WORDS.iter().find(|(word, _)| word.eq_ignore_ascii_case(kind)) {
        return Some(word.to_lowercase());
    }
    if kind.eq_ignore_ascii_case("e") {
        return Some("emailaddress".to_owned());
    }
    let number = ObjectIdentifier::new(kind).ok()?;
    Some(word(number).map_or_else(|| number.to_string(), str::to_lowercase))
}

/// The raw value up to an unescaped separator, and the separator.
fn value_until_separator(
    characters: &mut core::iter::Peekable<core::str::Chars<'_>>,
) -> Option<(String, Option<char>)> {
    let mut value = String::new();
    while let Some(character) = characters.next() {
        match character {
            '\\' => {
                value.push('\\');
                value.push(characters.next()?);
            }
            ',' | ';' | '+' => return Some((value, Some(character))),
            plain => value.push(plain),
        }
    }
    Some((value, None))
}

fn unescaped(value: &str) -> Option<String> {
    let mut bytes = Vec::with_capacity(value.len());
    let mut characters = value.chars();
    let mut buffer = [0; 4];
    while let Some(character) = characters.next() {
        if character != '\\' {
            bytes.extend_from_slice(character.encode_utf8(&mut buffer).as_bytes());
            continue;
        }
        let next = characters.next()?;
        match next.to_digit(16) {
            Some(high) => {
                let low = characters.next()?.to_digit(16)?;
                bytes.push(u8::try_from(high * 16 + low).ok()?);
            }
            None => bytes.extend_from_slice(next.encode_utf8(&mut buffer).as_bytes()),
        }
    }
    String::from_utf8(bytes).ok()
}

fn from_hexadecimal(number: &str, digits: &str) -> Option<String> {
    let value = Any::from_der(&hex::decode(digits.trim()).ok()?).ok()?;
    Some(match string(&value) {
        Some(value) => folded(number, &value),
        None => format!("{number}={}", hexadecimal(&value)),
    })
}

/// The first value of an attribute type, as text.
pub(crate) fn attribute(name: &Name, number: ObjectIdentifier) -> Option<String> {
    name.iter()
        .find(|attribute| attribute.oid == number)
        .and_then(|attribute| string(&attribute.value))
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::write;

    fn name(bytes: Vec<u8>) -> Name {
        Name::from_der(&bytes).unwrap()
    }

    #[test]
    fn a_government_name_reads_as_in_the_directory() {
        let subject = name(write::name(&[
            ("2.5.4.6", "KR"),
            ("2.5.4.10", "Government of Korea"),
            ("2.5.4.11", "행정안전부"),
            ("2.5.4.11", "people"),
            ("2.5.4.3", "085홍길동001"),
        ]));
        assert_eq!(
            text(&subject),
            "CN=085홍길동001,OU=people,OU=행정안전부,O=Government of Korea,C=KR"
        );
        let written = "cn=085홍길동001, ou=people ,ou=행정안전부,o=GOVERNMENT  of korea,c=kr";
        assert_eq!(fold_text(written).as_deref(), Some(fold(&subject).as_str()));
        assert_eq!(fold_text(&text(&subject)), Some(fold(&subject)));
    }

    #[test]
    fn separators_inside_values_do_not_make_another_name() {
        let tricky = name(write::name(&[("2.5.4.10", "A,B"), ("2.5.4.3", "x=1+y\\ #")]));
        let plain = name(write::name(&[
            ("2.5.4.10", "B"),
            ("2.5.4.10", "A"),
            ("2.5.4.3", "x=1+y\\ #"),
        ]));
        assert_ne!(fold(&tricky), fold(&plain));
        assert_eq!(fold_text(&text(&tricky)), Some(fold(&tricky)));
    }

    #[test]
    fn nonsense_is_no_name() {
        for nonsense in [
            "",
            "=",
            "cn",
            "cn=a,",
            "cn=\\",
            "cn=\\g\\4",
            "xyz=1",
            "cn=#zz",
            "cn=\\ff",
        ] {
            assert_eq!(fold_text(nonsense), None, "{nonsense}");
        }
        assert_eq!(
            fold_text(&format!("cn={}", "a".repeat(NAME_TEXT_BYTES_MAX))),
            None
        );
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_folded_or_refused_and_folding_is_stable(text in ".{0,80}") {
            if let Some(once) = fold_text(&format!("cn={text}")) {
                proptest::prop_assert_eq!(fold_text(&once), Some(once));
            }
        }
    }
}
