//! Texts of forms: trimmed, bounded, without control characters.

use crate::model::Words;

/// A field that cannot be taken, and why.
#[derive(Clone, Copy, Debug, PartialEq, Eq, thiserror::Error)]
#[error("{field}: {problem}")]
pub struct Wrong {
    /// Which.
    pub field: &'static str,
    /// What is wrong with it, for people.
    pub problem: &'static str,
}

impl Wrong {
    /// A field, and what is wrong with it.
    #[must_use]
    pub const fn new(field: &'static str, problem: &'static str) -> Self {
        Self { field, problem }
    }
}

impl From<Wrong> for crate::Refusal {
    fn from(wrong: Wrong) -> Self {
        Self::Field {
            field: wrong.field,
            problem: wrong.problem,
        }
    }
}

/// Whether empty is good.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Needed {
    /// At least the Korean text.
    Yes,
    /// No.
    No,
}

/// One line.
///
/// # Errors
/// When it is empty but needed, too long or holds control characters.
pub fn line(field: &'static str, text: &str, characters_max: usize, needed: Needed) -> Result<String, Wrong> {
    if text.chars().any(char::is_control) {
        return Err(Wrong::new(field, "holds characters that cannot be shown"));
    }
    bounded(field, text, characters_max, needed)
}

/// Text of several lines.
///
/// # Errors
/// As [`line`], but line ends are good.
pub fn text(field: &'static str, text: &str, characters_max: usize, needed: Needed) -> Result<String, Wrong> {
    let text = text.replace("\r\n", "\n");
    if text.chars().any(|letter| letter.is_control() && letter != '\n') {
        return Err(Wrong::new(field, "holds characters that cannot be shown"));
    }
    bounded(field, &text, characters_max, needed)
}

fn bounded(field: &'static str, text: &str, characters_max: usize, needed: Needed) -> Result<String, Wrong> {
    let text = text.trim();
    if needed == Needed::Yes && text.is_empty() {
        return Err(Wrong::new(field, "must not be empty"));
    }
    if text.chars().count() > characters_max {
        return Err(Wrong::new(field, "is too long"));
    }
    Ok(text.to_owned())
}

/// A line in both languages.
///
/// # Errors
/// As [`line`]; only the Korean one is ever needed.
pub fn words(
    field: &'static str,
    words: &Words,
    characters_max: usize,
    needed: Needed,
) -> Result<Words, Wrong> {
    Ok(Words {
        ko: line(field, &words.ko, characters_max, needed)?,
        en: line(field, &words.en, characters_max, Needed::No)?,
    })
}

/// A pattern for `LIKE … ESCAPE '\'` that finds `search` anywhere, whatever it holds.
#[must_use]
pub fn pattern(search: Option<&str>) -> String {
    let mut pattern = "%".to_owned();
    for letter in search.unwrap_or_default().trim().to_lowercase().chars().take(100) {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
    if pattern.len() > 1 {
        pattern.push('%');
    }
    pattern
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn texts_are_trimmed_and_bounded() {
        assert_eq!(line("name", "  이름 ", 2, Needed::Yes), Ok("이름".to_owned()));
        assert_eq!(
            line("name", "이름표", 2, Needed::Yes).unwrap_err().problem,
            "is too long"
        );
        assert!(line("name", " ", 2, Needed::Yes).is_err());
        assert_eq!(line("name", " ", 2, Needed::No), Ok(String::new()));
        assert!(line("name", "a\nb", 9, Needed::No).is_err());
        assert_eq!(text("body", "a\r\nb", 9, Needed::No), Ok("a\nb".to_owned()));
        assert!(text("body", "a\u{7}b", 9, Needed::No).is_err());
    }

    #[test]
    fn a_search_cannot_smuggle_wildcards() {
        assert_eq!(pattern(None), "%");
        assert_eq!(pattern(Some(" 전자 ")), "%전자%");
        assert_eq!(pattern(Some("50%_\\")), "%50\\%\\_\\\\%");
    }
}
