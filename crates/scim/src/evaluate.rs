//! Whether a resource fits a filter. Text is compared without regard to case, save for what identifies (RFC 7643, 2.2).

use core::cmp::Ordering;

use serde_json::{Map, Value};

use crate::{
    filter::{Filter, Operator},
    path::AttributePath,
};

/// Attributes whose letters' case matters.
const EXACT: [&str; 4] = ["id", "externalId", "$ref", "location"];

/// An object's value by its key, whatever the case of the key.
pub(crate) fn lookup<'v>(object: &'v Map<String, Value>, key: &str) -> Option<&'v Value> {
    object.get(key).or_else(|| {
        object
            .iter()
            .find(|(known, _)| known.eq_ignore_ascii_case(key))
            .map(|(_, value)| value)
    })
}

impl Filter {
    /// Whether a resource, or a value of a multi-valued attribute, fits.
    #[must_use]
    pub fn fits(&self, resource: &Value) -> bool {
        match self {
            Self::Present(path) => values(resource, path).into_iter().any(is_something),
            Self::Compare(path, operator, wanted) => {
                let is_exact = |name: &str| EXACT.iter().any(|exact| name.eq_ignore_ascii_case(exact));
                let exact = is_exact(path.sub.as_deref().unwrap_or(&path.name));
                let found = values(resource, path);
                if *operator == Operator::NotEqual {
                    return !found.into_iter().any(|value| equal(value, wanted, exact));
                }
                if found.is_empty() && wanted.is_null() {
                    return *operator == Operator::Equal;
                }
                found
                    .into_iter()
                    .any(|value| compares(value, *operator, wanted, exact))
            }
            Self::Values(path, filter) => match attribute(resource, path) {
                Some(Value::Array(all)) => all.iter().any(|one| filter.fits(one)),
                Some(one) => filter.fits(one),
                None => false,
            },
            Self::All(parts) => parts.iter().all(|part| part.fits(resource)),
            Self::Any(parts) => parts.iter().any(|part| part.fits(resource)),
            Self::Not(filter) => !filter.fits(resource),
        }
    }
}

/// The whole attribute. A schema in front names an extension, or the resource itself.
pub(crate) fn attribute<'v>(resource: &'v Value, path: &AttributePath) -> Option<&'v Value> {
    let object = resource.as_object()?;
    let extension = path.schema.as_deref().and_then(|schema| lookup(object, schema));
    match extension.and_then(Value::as_object) {
        Some(extension) => lookup(extension, &path.name),
        None => lookup(object, &path.name),
    }
}

/// The simple values a path leads to. Of complex values without a part named it is their `value`.
fn values<'v>(resource: &'v Value, path: &AttributePath) -> Vec<&'v Value> {
    let each: Vec<&Value> = match attribute(resource, path) {
        None => Vec::new(),
        Some(Value::Array(all)) => all.iter().collect(),
        Some(one) => vec![one],
    };
    each.into_iter()
        .filter_map(|value| match (value, &path.sub) {
            (Value::Object(object), Some(sub)) => lookup(object, sub),
            (Value::Object(object), None) => lookup(object, "value").or(Some(value)),
            (value, None) => Some(value),
            (_, Some(_)) => None,
        })
        .collect()
}

fn is_something(value: &Value) -> bool {
    match value {
        Value::Null => false,
        Value::String(text) => !text.is_empty(),
        Value::Array(all) => !all.is_empty(),
        Value::Object(object) => !object.is_empty(),
        Value::Bool(_) | Value::Number(_) => true,
    }
}

fn folded(text: &str, exact: bool) -> String {
    if exact {
        text.to_owned()
    } else {
        text.to_lowercase()
    }
}

fn equal(value: &Value, wanted: &Value, exact: bool) -> bool {
    match (value, wanted) {
        (Value::String(value), Value::String(wanted)) => folded(value, exact) == folded(wanted, exact),
        (Value::Number(value), Value::Number(wanted)) => value.as_f64() == wanted.as_f64(),
        (value, wanted) => value == wanted,
    }
}

fn compares(value: &Value, operator: Operator, wanted: &Value, exact: bool) -> bool {
    let texts = match (value, wanted) {
        (Value::String(value), Value::String(wanted)) => Some((folded(value, exact), folded(wanted, exact))),
        _ => None,
    };
    let order = match (value, wanted, &texts) {
        (_, _, Some((value, wanted))) => Some(value.cmp(wanted)),
        (Value::Number(value), Value::Number(wanted), _) => value
            .as_f64()
            .zip(wanted.as_f64())
            .and_then(|(value, wanted)| value.partial_cmp(&wanted)),
        _ => None,
    };
    let by_text =
        |judge: fn(&str, &str) -> bool| texts.as_ref().is_some_and(|(value, wanted)| judge(value, wanted));
    match operator {
        Operator::Equal => equal(value, wanted, exact),
        Operator::NotEqual => !equal(value, wanted, exact),
        Operator::Contains => by_text(|value, wanted| value.contains(wanted)),
        Operator::StartsWith => by_text(|value, wanted| value.starts_with(wanted)),
        Operator::EndsWith => by_text(|value, wanted| value.ends_with(wanted)),
        Operator::Greater => order == Some(Ordering::Greater),
        Operator::GreaterOrEqual => order.is_some_and(Ordering::is_ge),
        Operator::Less => order == Some(Ordering::Less),
        Operator::LessOrEqual => order.is_some_and(Ordering::is_le),
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn a_resource_fits_or_does_not() {
        let user = json!({
            "id": "Person_1", "userName": "CN=Hong", "active": true, "externalId": "E1",
            "name": { "formatted": "홍길동" },
            "emails": [{ "value": "hong@a.go.kr", "type": "work" }, { "value": "h@b.kr", "type": "home" }],
            "urn:x:enterprise:2.0:User": { "department": "감사단" },
            "meta": { "created": "2026-01-02T03:04:05Z" }, "nothing": [],
        });
        for (text, expected) in [
            (r#"userName eq "cn=hong""#, true),
            (r#"id eq "person_1""#, false),
            (r#"externalId eq "e1""#, false),
            (r#"ACTIVE eq true"#, true),
            (r#"active eq "true""#, false),
            (r#"emails co "@b.kr""#, true),
            (r#"emails[type eq "work" and value co "@b.kr"]"#, false),
            (r#"emails.type eq "home""#, true),
            (r#"name.formatted sw "홍""#, true),
            (r#"urn:x:enterprise:2.0:User:department eq "감사단""#, true),
            (r#"meta.created ge "2026-01-01T00:00:00Z""#, true),
            (r#"meta.created lt "2026-01-01T00:00:00Z""#, false),
            ("nothing pr", false),
            ("title eq null", true),
            (r#"title ne "x""#, true),
            (r#"not (active eq true) or userName ew "HONG""#, true),
        ] {
            assert_eq!(Filter::parse(text).unwrap().fits(&user), expected, "{text}");
        }
    }
}
