//! Names of attributes, and where an operation of a patch points (RFC 7644, 3.5.2 and 3.10).

use core::fmt;

use crate::{Refusal, filter::Filter};

/// The longest name of an attribute or schema, in bytes.
const NAME_BYTES_MAX: usize = 256;

/// An attribute: `userName`, `name.formatted`, `urn:…:User:department`.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct AttributePath {
    /// The schema in front of it.
    pub schema: Option<String>,
    /// The attribute.
    pub name: String,
    /// A part of it.
    pub sub: Option<String>,
}

/// Where an operation points: an attribute, or some values of one.
#[derive(Clone, Debug, PartialEq)]
pub struct PatchPath {
    /// The attribute; its `sub` is that of the path's end.
    pub attribute: AttributePath,
    /// Which of its values.
    pub filter: Option<Filter>,
}

fn is_name(text: &str) -> bool {
    let mut letters = text.strip_prefix('$').unwrap_or(text).chars();
    letters.next().is_some_and(|first| first.is_ascii_alphabetic())
        && letters.all(|letter| letter.is_ascii_alphanumeric() || matches!(letter, '-' | '_'))
}

impl AttributePath {
    /// Reads an attribute's name.
    ///
    /// # Errors
    /// [`Refusal::Path`] when it is none.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.len() > NAME_BYTES_MAX {
            return Err(Refusal::Path("the name is too long"));
        }
        let is_urn = text
            .get(..4)
            .is_some_and(|start| start.eq_ignore_ascii_case("urn:"));
        let (schema, rest) = match text.rsplit_once(':') {
            Some((schema, rest)) if is_urn => (Some(schema.to_owned()), rest),
            Some(_) => return Err(Refusal::Path("this is no name of an attribute")),
            None => (None, text),
        };
        let (name, sub) = match rest.split_once('.') {
            Some((name, sub)) => (name, Some(sub)),
            None => (rest, None),
        };
        if !is_name(name) || sub.is_some_and(|sub| !is_name(sub)) {
            return Err(Refusal::Path("this is no name of an attribute"));
        }
        Ok(Self {
            schema,
            name: name.to_owned(),
            sub: sub.map(str::to_owned),
        })
    }

    /// Whether it is this attribute, whatever schema stands in front: `is("name.formatted")`.
    #[must_use]
    pub fn is(&self, dotted: &str) -> bool {
        let (name, sub) = match dotted.split_once('.') {
            Some((name, sub)) => (name, Some(sub)),
            None => (dotted, None),
        };
        self.name.eq_ignore_ascii_case(name)
            && match (&self.sub, sub) {
                (None, None) => true,
                (Some(own), Some(sub)) => own.eq_ignore_ascii_case(sub),
                (None, Some(_)) | (Some(_), None) => false,
            }
    }
}

impl fmt::Display for AttributePath {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        if let Some(schema) = &self.schema {
            write!(f, "{schema}:")?;
        }
        f.write_str(&self.name)?;
        match &self.sub {
            Some(sub) => write!(f, ".{sub}"),
            None => Ok(()),
        }
    }
}

impl PatchPath {
    /// Reads a path: `name.formatted`, `members[value eq "…"]`, `emails[type eq "work"].value`.
    ///
    /// # Errors
    /// [`Refusal::Path`] or [`Refusal::Filter`] when it is none.
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        let Some((before, rest)) = text.split_once('[') else {
            let attribute = AttributePath::parse(text.trim())?;
            return Ok(Self {
                attribute,
                filter: None,
            });
        };
        let (inside, after) = rest
            .rsplit_once(']')
            .ok_or(Refusal::Path("a bracket is not closed"))?;
        let mut attribute = AttributePath::parse(before.trim())?;
        if attribute.sub.is_some() {
            return Err(Refusal::Path(
                "a part of an attribute has no values to choose from",
            ));
        }
        attribute.sub = match after.trim() {
            "" => None,
            after => match after.strip_prefix('.') {
                Some(sub) if is_name(sub) => Some(sub.to_owned()),
                Some(_) | None => return Err(Refusal::Path("this is no part of an attribute")),
            },
        };
        Ok(Self {
            attribute,
            filter: Some(Filter::parse(inside)?),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn names_with_schema_and_part_are_read() {
        let path = AttributePath::parse("urn:ietf:params:scim:schemas:core:2.0:User:name.formatted").unwrap();
        assert_eq!(
            (path.schema.as_deref(), path.name.as_str(), path.sub.as_deref()),
            (
                Some("urn:ietf:params:scim:schemas:core:2.0:User"),
                "name",
                Some("formatted")
            )
        );
        assert!(path.is("NAME.formatted") && !path.is("name"));
        for wrong in ["", "1a", "a.b.c", "a:b", "a b", "a.", ".a", "urn:", "$"] {
            assert!(AttributePath::parse(wrong).is_err(), "{wrong}");
        }
        assert!(AttributePath::parse("$ref").is_ok());
    }

    #[test]
    fn paths_with_values_are_read() {
        let path = PatchPath::parse("emails[type eq \"work\"].value").unwrap();
        assert_eq!(path.attribute.to_string(), "emails.value");
        assert!(path.filter.is_some());
        for wrong in [
            "members[",
            "members[]",
            "members[value eq 1]x",
            "a.b[c pr]",
            "[a pr]",
        ] {
            assert!(PatchPath::parse(wrong).is_err(), "{wrong}");
        }
    }

    proptest::proptest! {
        #[test]
        fn any_text_is_read_or_refused(text in ".{0,200}") {
            drop(PatchPath::parse(&text));
            if let Ok(path) = AttributePath::parse(&text) {
                proptest::prop_assert_eq!(AttributePath::parse(&path.to_string()), Ok(path));
            }
        }
    }
}
