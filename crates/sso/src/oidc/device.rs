//! Codes that a person reads from a room system and types into the portal (RFC 8628 6.1).

/// Letters without vowels and without those taken for one another: no word arises, none is misread.
const LETTERS: &[u8; 20] = b"BCDFGHJKLMNPQRSTVWXZ";
/// Letters of a code: 34 bits, good for ten minutes.
pub const CODE_LETTERS: usize = 8;
/// Seconds between two questions of a device.
pub const INTERVAL_SECONDS: i64 = 5;

/// A code from random bytes; those of 240 and above are left out, so that no letter is likelier than another. `None` when
/// too few are left.
#[must_use]
pub fn user_code(random: &[u8]) -> Option<String> {
    let letters: String = random
        .iter()
        .filter(|byte| **byte < 240)
        .filter_map(|byte| LETTERS.get(usize::from(byte % 20)))
        .take(CODE_LETTERS)
        .map(|letter| char::from(*letter))
        .collect();
    (letters.len() == CODE_LETTERS).then_some(letters)
}

/// A code as it is shown: two groups of four.
#[must_use]
pub fn shown(code: &str) -> String {
    let (one, other) = code.split_at_checked(CODE_LETTERS / 2).unwrap_or((code, ""));
    format!("{one}-{other}")
}

/// A code as a person typed it: hyphens, spaces and small letters do not matter. `None` for what cannot be one.
#[must_use]
pub fn typed(text: &str) -> Option<String> {
    if text.len() > 4 * CODE_LETTERS {
        return None;
    }
    let code: String = text
        .chars()
        .filter(|letter| !matches!(letter, '-' | ' '))
        .map(|letter| letter.to_ascii_uppercase())
        .collect();
    (code.len() == CODE_LETTERS && code.bytes().all(|letter| LETTERS.contains(&letter))).then_some(code)
}
