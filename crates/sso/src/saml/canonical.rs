//! Writes XML in exclusive canonical form (Exclusive XML Canonicalization 1.0, without comments).
//!
//! An element declares the prefix of its own name unless an ancestor in the same text has; our attributes have no
//! namespace, so nothing else is visibly used. Attributes are sorted by name, empty elements have an end tag. A text made
//! here may be put into another that has not declared its prefixes, and is canonical both ways.

use super::xml::is_character;

/// The namespaces we write, each with its one prefix.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Space {
    Assertion,
    Protocol,
    Metadata,
    Signature,
    Encryption,
    Encryption11,
    Soap,
}

impl Space {
    pub(crate) const fn prefix(self) -> &'static str {
        match self {
            Self::Assertion => "saml",
            Self::Protocol => "samlp",
            Self::Metadata => "md",
            Self::Signature => "ds",
            Self::Encryption => "xenc",
            Self::Encryption11 => "xenc11",
            Self::Soap => "soap",
        }
    }

    pub(crate) const fn uri(self) -> &'static str {
        match self {
            Self::Assertion => "urn:oasis:names:tc:SAML:2.0:assertion",
            Self::Protocol => "urn:oasis:names:tc:SAML:2.0:protocol",
            Self::Metadata => "urn:oasis:names:tc:SAML:2.0:metadata",
            Self::Signature => "http://www.w3.org/2000/09/xmldsig#",
            Self::Encryption => "http://www.w3.org/2001/04/xmlenc#",
            Self::Encryption11 => "http://www.w3.org/2009/xmlenc11#",
            Self::Soap => "http://schemas.xmlsoap.org/soap/envelope/",
        }
    }
}

/// An attribute to write.
pub(crate) type Pair<'a> = (&'static str, &'a str);

/// A canonical text in the making.
#[derive(Debug, Default)]
pub(crate) struct Canonical {
    out: String,
    open: Vec<(Space, &'static str, bool)>,
    declared: Vec<Space>,
}

impl Canonical {
    pub(crate) fn new() -> Self {
        Self::default()
    }

    /// For a fragment of a text that has declared these prefixes already.
    pub(crate) fn within(declared: &[Space]) -> Self {
        Self {
            declared: declared.to_vec(),
            ..Self::default()
        }
    }

    /// Opens an element. Attributes with `None` are left out by [`some`].
    pub(crate) fn start(&mut self, space: Space, name: &'static str, attributes: &[Pair<'_>]) -> &mut Self {
        self.out.push('<');
        self.out.push_str(space.prefix());
        self.out.push(':');
        self.out.push_str(name);
        let declares = !self.declared.contains(&space);
        if declares {
            self.declared.push(space);
            for part in [" xmlns:", space.prefix(), "=\"", space.uri(), "\""] {
                self.out.push_str(part);
            }
        }
        let mut sorted = attributes.to_vec();
        sorted.sort_unstable_by_key(|(name, _)| *name);
        for (name, value) in sorted {
            self.out.push(' ');
            self.out.push_str(name);
            self.out.push_str("=\"");
            escape_attribute(&mut self.out, value);
            self.out.push('"');
        }
        self.out.push('>');
        self.open.push((space, name, declares));
        self
    }

    /// Adds text.
    pub(crate) fn text(&mut self, text: &str) -> &mut Self {
        escape_text(&mut self.out, text);
        self
    }

    /// Adds a text that is canonical already, made by another [`Canonical`].
    pub(crate) fn canonical(&mut self, text: &str) -> &mut Self {
        self.out.push_str(text);
        self
    }

    /// Closes the innermost element.
    pub(crate) fn end(&mut self) -> &mut Self {
        if let Some((space, name, declared)) = self.open.pop() {
            if declared {
                self.declared.retain(|known| *known != space);
            }
            for part in ["</", space.prefix(), ":", name, ">"] {
                self.out.push_str(part);
            }
        }
        self
    }

    /// An element with a text and nothing else.
    pub(crate) fn leaf(
        &mut self,
        space: Space,
        name: &'static str,
        attributes: &[Pair<'_>],
        text: &str,
    ) -> &mut Self {
        self.start(space, name, attributes).text(text).end()
    }

    /// How many bytes are written: where a signature will go.
    pub(crate) fn position(&self) -> usize {
        self.out.len()
    }

    /// The text; what is still open is closed.
    pub(crate) fn finish(mut self) -> String {
        while !self.open.is_empty() {
            self.end();
        }
        self.out
    }
}

/// The attributes that are there.
pub(crate) fn some<'a>(attributes: &[(&'static str, Option<&'a str>)]) -> Vec<Pair<'a>> {
    attributes
        .iter()
        .filter_map(|(name, value)| value.map(|value| (*name, value)))
        .collect()
}

/// What XML cannot carry becomes U+FFFD.
fn carried(letter: char) -> char {
    if is_character(letter) { letter } else { '\u{fffd}' }
}

fn escape_text(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '>' => out.push_str("&gt;"),
            '\r' => out.push_str("&#xD;"),
            other => out.push(carried(other)),
        }
    }
}

fn escape_attribute(out: &mut String, text: &str) {
    for letter in text.chars() {
        match letter {
            '&' => out.push_str("&amp;"),
            '<' => out.push_str("&lt;"),
            '"' => out.push_str("&quot;"),
            '\t' => out.push_str("&#x9;"),
            '\n' => out.push_str("&#xA;"),
            '\r' => out.push_str("&#xD;"),
            other => out.push(carried(other)),
        }
    }
}
