//! Filters (RFC 7644, 3.4.2.2): read by descent with a limit on length and depth, so that no filter costs more than its
//! length.

use core::fmt;

use serde_json::Value;

use crate::{Refusal, path::AttributePath};

/// The longest filter, in bytes.
pub const FILTER_BYTES_MAX: usize = 4 * 1024;
/// How deep brackets of any kind nest.
pub const FILTER_DEPTH_MAX: usize = 16;

/// How two values are compared.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Operator {
    /// Equal.
    Equal,
    /// Not equal.
    NotEqual,
    /// Contains.
    Contains,
    /// Starts with.
    StartsWith,
    /// Ends with.
    EndsWith,
    /// Greater.
    Greater,
    /// Greater or equal.
    GreaterOrEqual,
    /// Less.
    Less,
    /// Less or equal.
    LessOrEqual,
}

const OPERATORS: [(&str, Operator); 9] = [
    ("eq", Operator::Equal),
    ("ne", Operator::NotEqual),
    ("co", Operator::Contains),
    ("sw", Operator::StartsWith),
    ("ew", Operator::EndsWith),
    ("gt", Operator::Greater),
    ("ge", Operator::GreaterOrEqual),
    ("lt", Operator::Less),
    ("le", Operator::LessOrEqual),
];

/// A filter.
#[derive(Clone, Debug, PartialEq)]
pub enum Filter {
    /// The attribute has a value.
    Present(AttributePath),
    /// The attribute compares so with a value: text, number, truth or null.
    Compare(AttributePath, Operator, Value),
    /// One value of a multi-valued attribute is so.
    Values(AttributePath, Box<Filter>),
    /// All are so.
    All(Vec<Filter>),
    /// One is so.
    Any(Vec<Filter>),
    /// It is not so.
    Not(Box<Filter>),
}

impl Filter {
    /// Reads a filter.
    ///
    /// # Errors
    /// [`Refusal::Filter`] when it is none, longer than [`FILTER_BYTES_MAX`] or deeper than [`FILTER_DEPTH_MAX`].
    pub fn parse(text: &str) -> Result<Self, Refusal> {
        if text.len() > FILTER_BYTES_MAX {
            return Err(Refusal::Filter("it is longer than 4 KiB"));
        }
        let mut reader = Reader { rest: text };
        let filter = reader.any(0)?;
        reader.space();
        if reader.rest.is_empty() {
            Ok(filter)
        } else {
            Err(Refusal::Filter("it goes on after its end"))
        }
    }

    /// What must be so for all of it to be so: a filter that is a conjunction in parts, any other alone.
    #[must_use]
    pub fn conjuncts(&self) -> &[Filter] {
        if let Self::All(all) = self {
            all
        } else {
            std::slice::from_ref(self)
        }
    }
}

struct Reader<'t> {
    rest: &'t str,
}

impl<'t> Reader<'t> {
    fn space(&mut self) {
        self.rest = self.rest.trim_start_matches([' ', '\t']);
    }

    /// Takes one letter if it is there.
    fn takes(&mut self, letter: char) -> bool {
        self.space();
        match self.rest.strip_prefix(letter) {
            Some(rest) => {
                self.rest = rest;
                true
            }
            None => false,
        }
    }

    /// The next word without taking it: everything up to a space, bracket or quote.
    fn peek(&mut self) -> &'t str {
        self.space();
        let end = self.rest.find([' ', '\t', '(', ')', '[', ']', '"']);
        let rest: &'t str = self.rest;
        rest.get(..end.unwrap_or(rest.len())).unwrap_or_default()
    }

    fn word(&mut self) -> &'t str {
        let word = self.peek();
        self.rest = self.rest.get(word.len()..).unwrap_or_default();
        word
    }

    fn takes_word(&mut self, wanted: &str) -> bool {
        let found = self.peek().eq_ignore_ascii_case(wanted);
        if found {
            self.word();
        }
        found
    }

    fn any(&mut self, depth: usize) -> Result<Filter, Refusal> {
        let mut parts = vec![self.all(depth)?];
        while self.takes_word("or") {
            parts.push(self.all(depth)?);
        }
        Ok(single(parts, Filter::Any))
    }

    fn all(&mut self, depth: usize) -> Result<Filter, Refusal> {
        let mut parts = vec![self.one(depth)?];
        while self.takes_word("and") {
            parts.push(self.one(depth)?);
        }
        Ok(single(parts, Filter::All))
    }

    /// What stands in brackets, one level deeper.
    fn inside(&mut self, close: char, depth: usize) -> Result<Filter, Refusal> {
        if depth >= FILTER_DEPTH_MAX {
            return Err(Refusal::Filter("it nests deeper than 16"));
        }
        let filter = self.any(depth.saturating_add(1))?;
        if self.takes(close) {
            Ok(filter)
        } else {
            Err(Refusal::Filter("a bracket is not closed"))
        }
    }

    fn one(&mut self, depth: usize) -> Result<Filter, Refusal> {
        if self.takes('(') {
            return self.inside(')', depth);
        }
        let word = self.word();
        if word.eq_ignore_ascii_case("not") {
            if !self.takes('(') {
                return Err(Refusal::Filter("after not comes a bracket"));
            }
            return Ok(Filter::Not(Box::new(self.inside(')', depth)?)));
        }
        let path = AttributePath::parse(word).map_err(|_| Refusal::Filter("an attribute is missing"))?;
        if self.rest.starts_with('[') {
            self.takes('[');
            return Ok(Filter::Values(path, Box::new(self.inside(']', depth)?)));
        }
        let word = self.word();
        if word.eq_ignore_ascii_case("pr") {
            return Ok(Filter::Present(path));
        }
        let operator = OPERATORS
            .into_iter()
            .find(|(known, _)| word.eq_ignore_ascii_case(known))
            .ok_or(Refusal::Filter("an operator is missing"))?
            .1;
        Ok(Filter::Compare(path, operator, self.value()?))
    }

    /// A JSON text, number, truth or null.
    fn value(&mut self) -> Result<Value, Refusal> {
        self.space();
        let wrong = Refusal::Filter("a value is missing");
        let length = match self.rest.strip_prefix('"') {
            Some(inside) => quoted(inside).ok_or(wrong)?,
            None => self.peek().len(),
        };
        let text = self.rest.get(..length).ok_or(wrong)?;
        let value: Value = serde_json::from_str(text).map_err(|_| wrong)?;
        self.rest = self.rest.get(length..).unwrap_or_default();
        if value.is_array() || value.is_object() {
            Err(wrong)
        } else {
            Ok(value)
        }
    }
}

/// The length of a quoted text with both its quotes, from what follows the first.
fn quoted(inside: &str) -> Option<usize> {
    let mut escaped = false;
    for (place, letter) in inside.char_indices() {
        match letter {
            _ if escaped => escaped = false,
            '\\' => escaped = true,
            '"' => return place.checked_add(2),
            _ => {}
        }
    }
    None
}

fn single(mut parts: Vec<Filter>, many: fn(Vec<Filter>) -> Filter) -> Filter {
    if parts.len() == 1
        && let Some(only) = parts.pop()
    {
        return only;
    }
    many(parts)
}

impl fmt::Display for Filter {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let joined = |f: &mut fmt::Formatter<'_>, parts: &[Self], word: &str| {
            for (place, part) in parts.iter().enumerate() {
                if place > 0 {
                    write!(f, " {word} ")?;
                }
                if matches!(part, Self::All(_) | Self::Any(_)) {
                    write!(f, "({part})")?;
                } else {
                    write!(f, "{part}")?;
                }
            }
            Ok(())
        };
        match self {
            Self::Present(path) => write!(f, "{path} pr"),
            Self::Compare(path, operator, value) => {
                let known = OPERATORS.into_iter().find(|(_, known)| known == operator);
                write!(f, "{path} {} {value}", known.map_or("eq", |(word, _)| word))
            }
            Self::Values(path, filter) => write!(f, "{path}[{filter}]"),
            Self::All(parts) => joined(f, parts, "and"),
            Self::Any(parts) => joined(f, parts, "or"),
            Self::Not(filter) => write!(f, "not ({filter})"),
        }
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn shown(text: &str) -> String {
        Filter::parse(text).unwrap().to_string()
    }

    #[test]
    fn the_examples_of_the_standard_are_read() {
        for text in [
            r#"userName eq "bjensen""#,
            r#"name.familyName co "O'Malley""#,
            r#"urn:ietf:params:scim:schemas:core:2.0:User:userName sw "J""#,
            "title pr",
            r#"meta.lastModified gt "2011-05-13T04:42:34Z""#,
            r#"title pr and userType eq "Employee""#,
            r#"schemas eq "urn:ietf:params:scim:schemas:extension:enterprise:2.0:User""#,
            r#"userType eq "Employee" and (emails co "example.com" or emails.value co "example.org")"#,
            r#"userType ne "Employee" and not (emails co "example.com" or emails.value co "example.org")"#,
            r#"emails[type eq "work" and value co "@example.com"] or ims[type eq "xmpp" and value co "@foo.com"]"#,
        ] {
            assert_eq!(shown(text), text);
        }
    }

    #[test]
    fn and_binds_closer_than_or_and_letters_case_does_not_matter() {
        assert_eq!(shown("a pr OR b pr And c pr"), "a pr or (b pr and c pr)");
        assert_eq!(shown("active EQ true"), "active eq true");
        assert_eq!(shown("  a  eq  \"x\\\" and b\"  "), r#"a eq "x\" and b""#);
    }

    #[test]
    fn what_is_no_filter_is_refused() {
        for text in [
            "",
            " ",
            "a",
            "a eq",
            "a eq x",
            "a xx 1",
            "a eq \"x",
            "(a pr",
            "a pr)",
            "a pr b pr",
            "not a pr",
            "a eq [1]",
            "a[b pr",
            "a pr and",
            "and a pr",
            "a eq {}",
            "a  ",
            "\"a\" eq 1",
        ] {
            assert!(matches!(Filter::parse(text), Err(Refusal::Filter(_))), "{text}");
        }
    }

    #[test]
    fn what_is_too_deep_or_too_long_is_refused_at_once() {
        let nested = |depth: usize| format!("{}a pr{}", "(".repeat(depth), ")".repeat(depth));
        assert!(Filter::parse(&nested(FILTER_DEPTH_MAX)).is_ok());
        let too_deep = Err(Refusal::Filter("it nests deeper than 16"));
        assert_eq!(Filter::parse(&nested(FILTER_DEPTH_MAX + 1)), too_deep);
        assert_eq!(Filter::parse(&nested(1_000)), too_deep);
        assert_eq!(Filter::parse(&"not (".repeat(800)), too_deep);
        assert_eq!(Filter::parse(&"a[".repeat(1_000)), too_deep);
        let long = format!("a eq \"{}\"", "x".repeat(FILTER_BYTES_MAX));
        assert!(Filter::parse(&long).is_err());
        let wide = vec!["a pr"; 400].join(" or ");
        assert!(Filter::parse(&wide).is_ok());
    }

    fn filters() -> impl Strategy<Value = Filter> {
        let path = prop::sample::select(vec!["userName", "name.formatted", "urn:a:b:User:x", "members"])
            .prop_map(|text| AttributePath::parse(text).unwrap());
        let value = prop_oneof![
            any::<bool>().prop_map(Value::from),
            any::<i64>().prop_map(Value::from),
            ".{0,12}".prop_map(Value::from),
            Just(Value::Null),
        ];
        let leaf = prop_oneof![
            path.clone().prop_map(Filter::Present),
            (path.clone(), prop::sample::select(OPERATORS.to_vec()), value)
                .prop_map(|(path, (_, operator), value)| Filter::Compare(path, operator, value)),
        ];
        leaf.prop_recursive(4, 24, 4, move |inner| {
            prop_oneof![
                prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::All),
                prop::collection::vec(inner.clone(), 2..4).prop_map(Filter::Any),
                inner.clone().prop_map(|filter| Filter::Not(Box::new(filter))),
                (path.clone(), inner).prop_map(|(path, filter)| Filter::Values(path, Box::new(filter))),
            ]
        })
    }

    proptest! {
        #[test]
        fn a_filter_is_read_as_it_was_written(filter in filters()) {
            let text = filter.to_string();
            prop_assume!(text.len() <= FILTER_BYTES_MAX);
            prop_assert_eq!(Filter::parse(&text), Ok(filter));
        }

        #[test]
        fn any_text_is_read_or_refused(text in ".{0,300}") {
            if let Ok(filter) = Filter::parse(&text) {
                prop_assert!(Filter::parse(&filter.to_string()).is_ok());
            }
        }
    }
}
