//! What a change changed, for the record: only the fields that differ, never a picture or a secret.

use serde_json::{Map, Value as Json};

/// A text in an entry of the record is cut there, in characters.
const TEXT_CHARACTERS_MAX: usize = 400;

/// The fields that differ, before and after. Of objects, only their own fields that differ.
#[must_use]
pub fn difference(before: &Json, after: &Json) -> (Json, Json) {
    let (Json::Object(old), Json::Object(new)) = (before, after) else {
        return (shortened(before), shortened(after));
    };
    let (mut was, mut is) = (Map::new(), Map::new());
    let names: std::collections::BTreeSet<&String> = old.keys().chain(new.keys()).collect();
    for name in names {
        let (one, other) = (
            old.get(name).unwrap_or(&Json::Null),
            new.get(name).unwrap_or(&Json::Null),
        );
        if one == other {
            continue;
        }
        let (one, other) = if one.is_object() && other.is_object() {
            difference(one, other)
        } else {
            (shortened(one), shortened(other))
        };
        was.insert(name.clone(), one);
        is.insert(name.clone(), other);
    }
    (Json::Object(was), Json::Object(is))
}

fn shortened(value: &Json) -> Json {
    let text = match value {
        Json::String(text) => text.clone(),
        Json::Null | Json::Bool(_) | Json::Number(_) => return value.clone(),
        Json::Array(_) | Json::Object(_) => value.to_string(),
    };
    if text.chars().count() <= TEXT_CHARACTERS_MAX {
        return value.clone();
    }
    let mut short: String = text.chars().take(TEXT_CHARACTERS_MAX).collect();
    short.push('…');
    Json::String(short)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn only_what_differs_is_told() {
        let before = json!({"name": {"ko": "가", "en": "A"}, "place": 1, "state": "active"});
        let after = json!({"name": {"ko": "나", "en": "A"}, "place": 1, "state": "paused", "new": true});
        let (was, is) = difference(&before, &after);
        assert_eq!(was, json!({"name": {"ko": "가"}, "state": "active", "new": null}));
        assert_eq!(is, json!({"name": {"ko": "나"}, "state": "paused", "new": true}));
        assert_eq!(difference(&before, &before), (json!({}), json!({})));
    }

    #[test]
    fn long_values_are_cut() {
        let (_, is) = difference(&json!({"keys": null}), &json!({"keys": "x".repeat(1_000)}));
        assert_eq!(
            is["keys"].as_str().unwrap().chars().count(),
            TEXT_CHARACTERS_MAX + 1
        );
    }
}
