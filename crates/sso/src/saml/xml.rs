//! A strict, bounded XML reader: bytes in, a small tree out.
//!
//! No document type, no entity but XML's five and characters by number, no processing instruction; every name in its
//! namespace. Comments are refused in messages; in metadata, where people write them, they may stand between elements
//! but not inside a text, so that no text can be cut in two by one.

use std::collections::BTreeSet;

use quick_xml::{
    NsReader, XmlVersion,
    events::{BytesRef, BytesStart, Event},
    name::{NamespaceResolver, QName, ResolveResult},
};

use super::Refusal;

/// Elements inside one another.
const DEPTH_MAX: usize = 32;
/// Attributes of one element, declarations of namespaces among them.
const ATTRIBUTES_MAX: usize = 64;
/// Elements of a document.
const ELEMENTS_MAX: usize = 2_048;
/// Bytes of an attribute's value.
const ATTRIBUTE_BYTES_MAX: usize = 8 * 1024;

/// What to do with comments.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub(crate) enum Comments {
    /// Messages are made by programs: there are none.
    Refuse,
    /// Metadata is edited by people.
    BetweenElements,
}

/// An element, all of it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub(crate) struct Element {
    namespace: String,
    name: String,
    attributes: Vec<Attribute>,
    children: Vec<Self>,
    text: String,
    /// A comment stood inside.
    commented: bool,
}

#[derive(Clone, Debug, PartialEq, Eq)]
struct Attribute {
    namespace: String,
    name: String,
    value: String,
}

impl Element {
    /// Whether it has this name.
    pub(crate) fn is(&self, namespace: &str, name: &str) -> bool {
        self.namespace == namespace && self.name == name
    }

    /// The value of an attribute without a namespace.
    pub(crate) fn attribute(&self, name: &str) -> Option<&str> {
        self.attributes
            .iter()
            .find(|attribute| attribute.namespace.is_empty() && attribute.name == name)
            .map(|attribute| attribute.value.as_str())
    }

    /// An `xs:boolean`; absent is `false`.
    pub(crate) fn flag(&self, name: &'static str) -> Result<bool, Refusal> {
        match self.attribute(name) {
            None | Some("false" | "0") => Ok(false),
            Some("true" | "1") => Ok(true),
            Some(_) => Err(Refusal::Unexpected(name)),
        }
    }

    /// Its children of this name.
    pub(crate) fn children<'e>(
        &'e self,
        namespace: &'e str,
        name: &'e str,
    ) -> impl Iterator<Item = &'e Self> + 'e {
        self.children
            .iter()
            .filter(move |child| child.is(namespace, name))
    }

    /// Its only child of this name, if it has one; two are one too many.
    pub(crate) fn child(&self, namespace: &str, name: &'static str) -> Result<Option<&Self>, Refusal> {
        let mut found = self.children.iter().filter(|child| child.is(namespace, name));
        match (found.next(), found.next()) {
            (first, None) => Ok(first),
            (_, Some(_)) => Err(Refusal::Unexpected(name)),
        }
    }

    /// Its text, if it holds nothing but one text; without blanks at its ends.
    pub(crate) fn text(&self) -> Option<&str> {
        (self.children.is_empty() && !self.commented).then(|| self.text.trim())
    }
}

/// Reads a document of at most `bytes_max`.
pub(crate) fn read(bytes: &[u8], bytes_max: usize, comments: Comments) -> Result<Element, Refusal> {
    if bytes.len() > bytes_max {
        return Err(Refusal::TooLarge);
    }
    let text = core::str::from_utf8(bytes).map_err(|_| Refusal::Encoding)?;
    let text = text.strip_prefix('\u{feff}').unwrap_or(text);
    if !text.chars().all(is_character) {
        return Err(Refusal::Malformed);
    }
    Tree::new(comments).read(text)
}

struct Tree {
    comments: Comments,
    open: Vec<Element>,
    root: Option<Element>,
    elements: usize,
}

impl Tree {
    const fn new(comments: Comments) -> Self {
        Self {
            comments,
            open: Vec::new(),
            root: None,
            elements: 0,
        }
    }

    fn read(mut self, text: &str) -> Result<Element, Refusal> {
        let mut reader = NsReader::from_str(text);
        let config = reader.config_mut();
        config.check_comments = true;
        config.check_end_names = true;
        let mut first = true;
        loop {
            let event = reader.read_event().map_err(|_| Refusal::Malformed)?;
            match event {
                Event::Start(start) => {
                    let element = element(&start, reader.resolver())?;
                    self.begin(element)?;
                }
                Event::Empty(start) => {
                    let element = element(&start, reader.resolver())?;
                    self.begin(element)?;
                    self.end()?;
                }
                Event::End(_) => self.end()?,
                Event::Text(text) => self.text(&text.xml10_content())?,
                Event::CData(text) => self.text(&text.xml10_content())?,
                Event::GeneralRef(reference) => self.reference(&reference)?,
                Event::Comment(_) => self.comment()?,
                Event::Decl(declaration) => {
                    let plain = declaration
                        .encoding()
                        .is_none_or(|name| name.is_ok_and(|name| name.eq_ignore_ascii_case("utf-8")));
                    if !first || !plain {
                        return Err(Refusal::Malformed);
                    }
                }
                Event::PI(_) => return Err(Refusal::Comment),
                Event::DocType(_) => return Err(Refusal::DocumentType),
                Event::Eof => break,
            }
            first = false;
        }
        if self.open.is_empty() {
            self.root.ok_or(Refusal::Malformed)
        } else {
            Err(Refusal::Malformed)
        }
    }

    fn begin(&mut self, element: Element) -> Result<(), Refusal> {
        self.elements = self.elements.saturating_add(1);
        if self.open.len() >= DEPTH_MAX || self.elements > ELEMENTS_MAX {
            return Err(Refusal::TooComplex);
        }
        if self.open.is_empty() && self.root.is_some() {
            return Err(Refusal::Malformed);
        }
        self.open.push(element);
        Ok(())
    }

    fn end(&mut self) -> Result<(), Refusal> {
        let done = self.open.pop().ok_or(Refusal::Malformed)?;
        match self.open.last_mut() {
            Some(parent) => parent.children.push(done),
            None => self.root = Some(done),
        }
        Ok(())
    }

    fn text(&mut self, text: &str) -> Result<(), Refusal> {
        match self.open.last_mut() {
            Some(element) => {
                element.text.push_str(text);
                Ok(())
            }
            None if text.trim().is_empty() => Ok(()),
            None => Err(Refusal::Malformed),
        }
    }

    fn reference(&mut self, reference: &BytesRef<'_>) -> Result<(), Refusal> {
        if self.open.is_empty() {
            return Err(Refusal::Malformed);
        }
        let character = if reference.is_char_ref() {
            reference.resolve_char_ref().map_err(|_| Refusal::Malformed)?
        } else {
            match reference.as_ref() {
                "amp" => Some('&'),
                "lt" => Some('<'),
                "gt" => Some('>'),
                "apos" => Some('\''),
                "quot" => Some('"'),
                _ => None,
            }
        };
        let character = character.ok_or(Refusal::Entity)?;
        if !is_character(character) {
            return Err(Refusal::Malformed);
        }
        let mut bytes = [0_u8; 4];
        self.text(character.encode_utf8(&mut bytes))
    }

    fn comment(&mut self) -> Result<(), Refusal> {
        match self.comments {
            Comments::Refuse => Err(Refusal::Comment),
            Comments::BetweenElements => {
                if let Some(element) = self.open.last_mut() {
                    element.commented = true;
                }
                Ok(())
            }
        }
    }
}

fn element(start: &BytesStart<'_>, names: &NamespaceResolver) -> Result<Element, Refusal> {
    let name = start.name();
    check_name(name)?;
    let (namespace, local) = names.resolve_element(name);
    let mut element = Element {
        namespace: namespace_of(&namespace)?,
        name: local.into_inner().to_owned(),
        attributes: Vec::new(),
        children: Vec::new(),
        text: String::new(),
        commented: false,
    };
    let mut seen = BTreeSet::new();
    for (index, attribute) in start.attributes().enumerate() {
        if index >= ATTRIBUTES_MAX {
            return Err(Refusal::TooComplex);
        }
        // The reader refuses an attribute written twice; two prefixes of one namespace are compared below.
        let attribute = attribute.map_err(|_| Refusal::Malformed)?;
        check_name(attribute.key)?;
        if attribute.value.len() > ATTRIBUTE_BYTES_MAX {
            return Err(Refusal::TooComplex);
        }
        if attribute.value.contains('<') {
            return Err(Refusal::Malformed);
        }
        if attribute.key.as_namespace_binding().is_some() {
            // The resolver compares namespaces as written: no second way of writing one.
            if attribute.value.contains('&') {
                return Err(Refusal::Malformed);
            }
            continue;
        }
        let (namespace, local) = names.resolve_attribute(attribute.key);
        let namespace = namespace_of(&namespace)?;
        let name = local.into_inner().to_owned();
        if !seen.insert((namespace.clone(), name.clone())) {
            return Err(Refusal::Malformed);
        }
        let value = attribute
            .normalized_value(XmlVersion::Implicit1_0)
            .map_err(|_| Refusal::Entity)?;
        if !value.chars().all(is_character) {
            return Err(Refusal::Malformed);
        }
        element.attributes.push(Attribute {
            namespace,
            name,
            value: value.into_owned(),
        });
    }
    Ok(element)
}

fn namespace_of(found: &ResolveResult<'_>) -> Result<String, Refusal> {
    match found {
        ResolveResult::Unbound => Ok(String::new()),
        ResolveResult::Bound(namespace) => Ok(namespace.into_inner().to_owned()),
        ResolveResult::Unknown(_) => Err(Refusal::Malformed),
    }
}

/// A name with at most one prefix (Namespaces in XML 1.0, 3); letters beyond ASCII are not told apart.
fn check_name(name: QName<'_>) -> Result<(), Refusal> {
    let part = |text: &str| {
        let begins = |letter: char| letter.is_ascii_alphabetic() || letter == '_' || !letter.is_ascii();
        text.starts_with(begins)
            && text
                .chars()
                .all(|letter| begins(letter) || letter.is_ascii_digit() || matches!(letter, '.' | '-'))
    };
    let good = match name.into_inner().split_once(':') {
        Some((prefix, local)) => part(prefix) && part(local),
        None => part(name.into_inner()),
    };
    if good { Ok(()) } else { Err(Refusal::Malformed) }
}

/// XML 1.0, 2.2.
pub(crate) const fn is_character(letter: char) -> bool {
    matches!(letter, '\t' | '\n' | '\r' | ' '..='\u{d7ff}' | '\u{e000}'..='\u{fffd}' | '\u{10000}'..)
}
