//! A reader for JSON (RFC 8259): what `cargo metadata` and `package.json` files are written in.

use std::collections::BTreeMap;

/// Deeper nesting is refused.
const DEPTH_MAX: usize = 64;

/// A JSON value; numbers are kept as text, which is all that is needed here.
#[derive(Debug, Clone, PartialEq)]
pub(crate) enum Json {
    /// `null`, `true`, `false` or a number.
    Plain(String),
    /// A string.
    Text(String),
    /// An array.
    List(Vec<Json>),
    /// An object.
    Object(BTreeMap<String, Json>),
}

impl Json {
    /// The value under a key; null if there is none.
    pub(crate) fn get(&self, key: &str) -> &Self {
        static NULL: Json = Json::Plain(String::new());
        match self {
            Self::Object(map) => map.get(key).unwrap_or(&NULL),
            Self::Plain(_) | Self::Text(_) | Self::List(_) => &NULL,
        }
    }

    /// The text, if it is one.
    pub(crate) fn text(&self) -> Option<&str> {
        match self {
            Self::Text(text) => Some(text),
            Self::Plain(_) | Self::List(_) | Self::Object(_) => None,
        }
    }

    /// The elements; none if it is no list.
    pub(crate) fn items(&self) -> &[Self] {
        match self {
            Self::List(items) => items,
            Self::Plain(_) | Self::Text(_) | Self::Object(_) => &[],
        }
    }

    /// The keys and values; none if it is no object.
    pub(crate) fn fields(&self) -> impl Iterator<Item = (&String, &Self)> {
        match self {
            Self::Object(map) => Some(map.iter()),
            Self::Plain(_) | Self::Text(_) | Self::List(_) => None,
        }
        .into_iter()
        .flatten()
    }
}

/// Reads one value; `None` if the text is no JSON.
pub(crate) fn read(text: &str) -> Option<Json> {
    let mut reader = Reader {
        bytes: text.as_bytes(),
        at: 0,
    };
    let value = reader.value(0)?;
    reader.space();
    (reader.at == reader.bytes.len()).then_some(value)
}

struct Reader<'a> {
    bytes: &'a [u8],
    at: usize,
}

impl Reader<'_> {
    fn peek(&self) -> Option<u8> {
        self.bytes.get(self.at).copied()
    }

    fn take(&mut self, wanted: u8) -> Option<()> {
        (self.peek()? == wanted).then(|| self.at += 1)
    }

    fn space(&mut self) {
        while self.peek().is_some_and(|byte| byte.is_ascii_whitespace()) {
            self.at += 1;
        }
    }

    fn value(&mut self, depth: usize) -> Option<Json> {
        if depth > DEPTH_MAX {
            return None;
        }
        self.space();
        match self.peek()? {
            b'{' => self.object(depth),
            b'[' => self.list(depth),
            b'"' => self.string().map(Json::Text),
            _ => self.plain(),
        }
    }

    fn object(&mut self, depth: usize) -> Option<Json> {
        self.take(b'{')?;
        let mut map = BTreeMap::new();
        self.space();
        if self.take(b'}').is_some() {
            return Some(Json::Object(map));
        }
        loop {
            self.space();
            let key = self.string()?;
            self.space();
            self.take(b':')?;
            map.insert(key, self.value(depth + 1)?);
            self.space();
            if self.take(b'}').is_some() {
                return Some(Json::Object(map));
            }
            self.take(b',')?;
        }
    }

    fn list(&mut self, depth: usize) -> Option<Json> {
        self.take(b'[')?;
        let mut items = Vec::new();
        self.space();
        if self.take(b']').is_some() {
            return Some(Json::List(items));
        }
        loop {
            items.push(self.value(depth + 1)?);
            self.space();
            if self.take(b']').is_some() {
                return Some(Json::List(items));
            }
            self.take(b',')?;
        }
    }

    fn plain(&mut self) -> Option<Json> {
        let start = self.at;
        while self
            .peek()
            .is_some_and(|byte| byte.is_ascii_alphanumeric() || b"+-.".contains(&byte))
        {
            self.at += 1;
        }
        let word = std::str::from_utf8(self.bytes.get(start..self.at)?).ok()?;
        (!word.is_empty()).then(|| Json::Plain(word.to_owned()))
    }

    fn string(&mut self) -> Option<String> {
        self.take(b'"')?;
        let mut bytes = Vec::new();
        loop {
            let byte = self.peek()?;
            self.at += 1;
            match byte {
                b'"' => return String::from_utf8(bytes).ok(),
                b'\\' => {
                    let mut buffer = [0; 4];
                    bytes.extend(self.escape()?.encode_utf8(&mut buffer).as_bytes());
                }
                other => bytes.push(other),
            }
        }
    }

    fn escape(&mut self) -> Option<char> {
        let byte = self.peek()?;
        self.at += 1;
        Some(match byte {
            b'n' => '\n',
            b't' => '\t',
            b'r' => '\r',
            b'b' => '\u{8}',
            b'f' => '\u{c}',
            b'u' => {
                let digits = std::str::from_utf8(self.bytes.get(self.at..self.at + 4)?).ok()?;
                self.at += 4;
                // Halves of surrogate pairs do not occur in what is read here; shown as what they are: unreadable.
                char::from_u32(u32::from_str_radix(digits, 16).ok()?).unwrap_or('\u{fffd}')
            }
            other => char::from(other),
        })
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn values_are_read() {
        let value = read(r#" {"a": [1, true, null, "x\n\u00e9 나루"], "b": {}} "#).unwrap();
        assert_eq!(value.get("a").items().len(), 4);
        assert_eq!(value.get("a").items()[3].text(), Some("x\né 나루"));
        assert_eq!(value.get("b").fields().count(), 0);
        assert_eq!(value.get("c").text(), None);
    }

    #[test]
    fn what_is_no_json_is_refused() {
        for text in [
            "",
            "{",
            "[1,]",
            "{\"a\"}",
            "\"open",
            "1 2",
            "[[",
            &"[".repeat(5_000),
        ] {
            assert_eq!(read(text), None, "{text}");
        }
    }
}
