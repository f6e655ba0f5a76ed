//! Units: names from the ministry down with `/` between, as certificates nest them or as someone types them.

use super::Wrong;

/// The longest unit, in characters.
pub const UNIT_CHARACTERS_MAX: usize = 200;
/// How deep units nest.
pub const UNIT_LEVELS_MAX: usize = 8;
/// An organisational unit that says only that its entries are people.
const PEOPLE: &str = "people";

/// Reads a unit as it is typed: `감사단/제1과`. Empty is the ministry itself.
///
/// # Errors
/// When it is too long, too deep, or has a level without a name.
pub fn clean_unit(text: &str) -> Result<String, Wrong> {
    let wrong = |problem| Wrong {
        field: "unit",
        problem,
    };
    if text.chars().any(char::is_control) {
        return Err(wrong("a unit has no control characters"));
    }
    if text.trim().is_empty() {
        return Ok(String::new());
    }
    let levels: Vec<&str> = text.split('/').map(str::trim).collect();
    if levels.len() > UNIT_LEVELS_MAX {
        return Err(wrong("units nest at most 8 deep"));
    }
    if levels.iter().any(|level| level.is_empty()) {
        return Err(wrong("a level of a unit has no name"));
    }
    let unit = levels.join("/");
    if unit.chars().count() > UNIT_CHARACTERS_MAX {
        return Err(wrong("a unit has at most 200 characters"));
    }
    Ok(unit)
}

/// The unit a certificate's subject names: of its nested organisational units the topmost is the ministry, the others
/// are units of it. `CN=…,OU=제1과,OU=감사단,OU=감사원,O=Government of Korea,C=KR` is `감사단/제1과`.
#[must_use]
pub fn unit_of_subject(subject: &str) -> String {
    let mut units: Vec<String> = attributes(subject)
        .into_iter()
        .filter_map(|attribute| {
            let (word, value) = attribute.split_once('=')?;
            let is_unit = word.trim().eq_ignore_ascii_case("ou");
            let value = value.trim();
            (is_unit && !value.is_empty() && !value.eq_ignore_ascii_case(PEOPLE))
                // A slash in a name is no level.
                .then(|| value.replace('/', "·"))
        })
        .collect();
    // Most specific first in the text; the last is the ministry.
    units.pop();
    units.reverse();
    clean_unit(&units.join("/")).unwrap_or_default()
}

/// The parts of an RFC 4514 text between commas that are not escaped, without their escapes.
fn attributes(subject: &str) -> Vec<String> {
    let mut parts = Vec::new();
    let mut part = String::new();
    let mut letters = subject.chars();
    while let Some(letter) = letters.next() {
        match letter {
            '\\' => part.extend(letters.next()),
            ',' | ';' => parts.push(std::mem::take(&mut part)),
            other => part.push(other),
        }
    }
    parts.push(part);
    parts
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nested_units_of_a_subject_are_read_from_the_ministry_down() {
        let nested = "cn=085홍길동001, ou=제1과, ou=IT감사단, ou=감사원, o=Government of Korea, c=KR";
        assert_eq!(unit_of_subject(nested), "IT감사단/제1과");
        let flat = "CN=085홍길동001,OU=people,OU=행정안전부,O=Government of Korea,C=KR";
        assert_eq!(unit_of_subject(flat), "");
        assert_eq!(unit_of_subject("CN=a,C=KR"), "");
        assert_eq!(
            unit_of_subject("CN=a,OU=연구\\,개발/과,OU=부처,C=KR"),
            "연구,개발·과"
        );
    }

    #[test]
    fn a_typed_unit_is_cleaned_or_refused() {
        assert_eq!(clean_unit(" 감사단 / 제1과 ").unwrap(), "감사단/제1과");
        assert_eq!(clean_unit("  ").unwrap(), "");
        for wrong in [
            "감사단//제1과",
            "/감사단",
            "감사단/",
            "a/b/c/d/e/f/g/h/i",
            "감\u{7}사",
        ] {
            assert_eq!(
                clean_unit(wrong).map_err(|wrong| wrong.field),
                Err("unit"),
                "{wrong}"
            );
        }
        assert!(clean_unit(&"가".repeat(201)).is_err());
    }

    proptest::proptest! {
        #[test]
        fn any_subject_gives_a_unit_that_is_clean(subject in ".{0,400}") {
            let unit = unit_of_subject(&subject);
            proptest::prop_assert_eq!(clean_unit(&unit).unwrap(), unit);
        }
    }
}
