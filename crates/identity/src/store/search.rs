//! What lists share: patterns, bounded counts.

/// How far rows are counted; one more means "more than that".
pub(crate) const COUNTED_ROWS_MAX: i64 = 10_000;
/// The longest text that is searched for, in characters.
const SEARCH_CHARACTERS_MAX: usize = 100;

/// A pattern for `LIKE … ESCAPE '\'` that finds the text anywhere, whatever it contains.
pub(crate) fn anywhere(search: Option<&str>) -> String {
    let mut pattern = "%".to_owned();
    escape_into(&mut pattern, search.unwrap_or_default().trim());
    if pattern.len() > 1 {
        pattern.push('%');
    }
    pattern
}

fn escape_into(pattern: &mut String, text: &str) {
    for letter in text.to_lowercase().chars().take(SEARCH_CHARACTERS_MAX) {
        if matches!(letter, '%' | '_' | '\\') {
            pattern.push('\\');
        }
        pattern.push(letter);
    }
}

#[cfg(test)]
mod tests {
    use super::anywhere;

    #[test]
    fn a_search_cannot_smuggle_wildcards() {
        assert_eq!(anywhere(None), "%");
        assert_eq!(anywhere(Some(" 홍 ")), "%홍%");
        assert_eq!(anywhere(Some("50%_\\")), "%50\\%\\_\\\\%");
    }
}
