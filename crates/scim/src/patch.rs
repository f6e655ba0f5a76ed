//! Patches (RFC 7644, 3.5.2), applied to a resource's JSON. What the result may be is for whoever keeps the resource to
//! judge; here only what cannot be changed at all is refused.

use serde_json::{Map, Value};

use crate::{
    Refusal,
    evaluate::lookup,
    path::{AttributePath, PatchPath},
};

/// How many operations one patch has at most.
pub const OPERATIONS_MAX: usize = 1_000;

#[derive(Clone, Copy, PartialEq, Eq)]
enum Kind {
    Add,
    Replace,
    Remove,
}

/// Applies a patch's body to a resource. `fixed` are attributes that cannot be changed. When an operation is refused, the
/// resource may be half changed: throw it away.
///
/// # Errors
/// The first operation that is refused, or a body that is no patch.
pub fn patch(resource: &mut Value, body: &Value, fixed: &[&str]) -> Result<(), Refusal> {
    let body = body.as_object().ok_or(Refusal::Syntax("it is no object"))?;
    let operations = lookup(body, "Operations")
        .and_then(Value::as_array)
        .ok_or(Refusal::Syntax("Operations are missing"))?;
    if operations.is_empty() || operations.len() > OPERATIONS_MAX {
        return Err(Refusal::Syntax("there are 1 to 1000 operations"));
    }
    for operation in operations {
        let operation = operation
            .as_object()
            .ok_or(Refusal::Syntax("an operation is no object"))?;
        apply(resource, operation, fixed)?;
    }
    Ok(())
}

fn apply(resource: &mut Value, operation: &Map<String, Value>, fixed: &[&str]) -> Result<(), Refusal> {
    let word = lookup(operation, "op").and_then(Value::as_str);
    let kind = match word.map(str::to_ascii_lowercase).as_deref() {
        Some("add") => Kind::Add,
        Some("replace") => Kind::Replace,
        Some("remove") => Kind::Remove,
        _ => return Err(Refusal::Syntax("an operation is add, replace or remove")),
    };
    let value = lookup(operation, "value");
    let path = match lookup(operation, "path") {
        None | Some(Value::Null) => None,
        Some(Value::String(path)) => Some(PatchPath::parse(path)?),
        Some(_) => return Err(Refusal::Path("it is no text")),
    };
    match (kind, path, value) {
        (Kind::Remove, None, _) => Err(Refusal::NoTarget),
        (Kind::Remove, Some(path), value) => remove(resource, &path, value, fixed),
        (_, _, None) => Err(Refusal::Value("it is missing")),
        (kind, Some(path), Some(value)) => set(resource, &path, (kind, value), fixed),
        (kind, None, Some(value)) => {
            let value = value
                .as_object()
                .ok_or(Refusal::Value("without a path it is an object"))?;
            for (key, value) in value {
                set_key(resource, key, (kind, value), fixed)?;
            }
            Ok(())
        }
    }
}

/// A key of an object without a path: an attribute, a dotted part of one, or a schema with its attributes.
fn set_key(
    resource: &mut Value,
    key: &str,
    (kind, value): (Kind, &Value),
    fixed: &[&str],
) -> Result<(), Refusal> {
    if key.eq_ignore_ascii_case("schemas") {
        return Ok(());
    }
    if let (true, Some(inside)) = (key.contains(':'), value.as_object()) {
        for (name, value) in inside {
            set_key(resource, &format!("{key}:{name}"), (kind, value), fixed)?;
        }
        return Ok(());
    }
    let path = PatchPath {
        attribute: AttributePath::parse(key)?,
        filter: None,
    };
    set(resource, &path, (kind, value), fixed)
}

fn may_change(path: &AttributePath, fixed: &[&str]) -> Result<(), Refusal> {
    if fixed.iter().any(|name| path.name.eq_ignore_ascii_case(name)) {
        return Err(Refusal::Mutability);
    }
    Ok(())
}

/// The object that holds the attribute: the resource, or its extension, which is made if `make` says so.
fn holder<'v>(
    resource: &'v mut Value,
    path: &AttributePath,
    make: bool,
) -> Result<Option<&'v mut Map<String, Value>>, Refusal> {
    let object = resource
        .as_object_mut()
        .ok_or(Refusal::Syntax("the resource is no object"))?;
    let Some(schema) = &path.schema else {
        return Ok(Some(object));
    };
    // The schemas of the standard's own resources name the resource itself.
    if schema.to_ascii_lowercase().contains(":core:2.0:") {
        return Ok(Some(object));
    }
    let key = real_key(object, schema);
    if !make && !object.contains_key(&key) {
        return Ok(None);
    }
    let extension = object.entry(key).or_insert_with(|| Value::Object(Map::new()));
    extension
        .as_object_mut()
        .map(Some)
        .ok_or(Refusal::Path("this is no extension"))
}

/// The key as the object spells it.
fn real_key(object: &Map<String, Value>, key: &str) -> String {
    object
        .keys()
        .find(|known| known.eq_ignore_ascii_case(key))
        .cloned()
        .unwrap_or_else(|| key.to_owned())
}

fn set(
    resource: &mut Value,
    path: &PatchPath,
    (kind, value): (Kind, &Value),
    fixed: &[&str],
) -> Result<(), Refusal> {
    may_change(&path.attribute, fixed)?;
    let object = holder(resource, &path.attribute, true)?.ok_or(Refusal::NoTarget)?;
    let key = real_key(object, &path.attribute.name);
    let Some(filter) = &path.filter else {
        return match &path.attribute.sub {
            None => put(object, key, (kind, value)),
            Some(sub) => {
                let target = object.entry(key).or_insert_with(|| Value::Object(Map::new()));
                set_sub(target, sub, (kind, value))
            }
        };
    };
    let all = object
        .get_mut(&key)
        .and_then(Value::as_array_mut)
        .ok_or(Refusal::NoTarget)?;
    let mut found = false;
    for one in all.iter_mut().filter(|one| filter.fits(one)) {
        found = true;
        match &path.attribute.sub {
            Some(sub) => set_sub(one, sub, (kind, value))?,
            None => merge(one, (kind, value))?,
        }
    }
    if found { Ok(()) } else { Err(Refusal::NoTarget) }
}

fn set_sub(target: &mut Value, sub: &str, (kind, value): (Kind, &Value)) -> Result<(), Refusal> {
    match target {
        Value::Object(object) => {
            let key = real_key(object, sub);
            put(object, key, (kind, value))
        }
        Value::Array(all) => all
            .iter_mut()
            .try_for_each(|one| set_sub(one, sub, (kind, value))),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {
            Err(Refusal::Path("this attribute has no parts"))
        }
    }
}

fn put(object: &mut Map<String, Value>, key: String, (kind, value): (Kind, &Value)) -> Result<(), Refusal> {
    match (object.get_mut(&key), kind) {
        (Some(Value::Array(all)), Kind::Add) => {
            extend(all, value);
            Ok(())
        }
        (Some(known @ Value::Object(_)), _) if value.is_object() => merge(known, (kind, value)),
        _ => {
            object.insert(key, value.clone());
            Ok(())
        }
    }
}

fn merge(target: &mut Value, (kind, value): (Kind, &Value)) -> Result<(), Refusal> {
    match (target, value) {
        (Value::Object(object), Value::Object(value)) => {
            for (name, value) in value {
                let key = real_key(object, name);
                put(object, key, (kind, value))?;
            }
            Ok(())
        }
        (target, value) => {
            *target = value.clone();
            Ok(())
        }
    }
}

/// What makes a value of a multi-valued attribute one of a kind.
fn identity(value: &Value) -> Option<&str> {
    match value {
        Value::Object(object) => lookup(object, "value").and_then(Value::as_str),
        Value::String(text) => Some(text),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::Array(_) => None,
    }
}

/// Adds values that are not there yet.
fn extend(all: &mut Vec<Value>, value: &Value) {
    let new = value
        .as_array()
        .map_or(std::slice::from_ref(value), Vec::as_slice);
    let mut known: std::collections::BTreeSet<String> =
        all.iter().filter_map(identity).map(str::to_owned).collect();
    for one in new {
        match identity(one) {
            Some(name) if !known.insert(name.to_owned()) => {}
            Some(_) | None => all.push(one.clone()),
        }
    }
}

fn remove(
    resource: &mut Value,
    path: &PatchPath,
    value: Option<&Value>,
    fixed: &[&str],
) -> Result<(), Refusal> {
    may_change(&path.attribute, fixed)?;
    let Some(object) = holder(resource, &path.attribute, false)? else {
        return Ok(());
    };
    let key = real_key(object, &path.attribute.name);
    let Some(target) = object.get_mut(&key) else {
        return Ok(());
    };
    match (&path.filter, &path.attribute.sub) {
        (None, None) => match (target, value) {
            // Some directories name what goes in the value instead of in the path.
            (Value::Array(all), Some(Value::Array(gone))) => {
                let gone: std::collections::BTreeSet<&str> = gone.iter().filter_map(identity).collect();
                all.retain(|one| identity(one).is_none_or(|name| !gone.contains(name)));
            }
            _ => {
                object.remove(&key);
            }
        },
        (None, Some(sub)) => remove_sub(target, sub),
        (Some(filter), sub) => {
            let all = target.as_array_mut().ok_or(Refusal::NoTarget)?;
            match sub {
                None => all.retain(|one| !filter.fits(one)),
                Some(sub) => all
                    .iter_mut()
                    .filter(|one| filter.fits(one))
                    .for_each(|one| remove_sub(one, sub)),
            }
        }
    }
    Ok(())
}

fn remove_sub(target: &mut Value, sub: &str) {
    match target {
        Value::Object(object) => {
            let key = real_key(object, sub);
            object.remove(&key);
        }
        Value::Array(all) => all.iter_mut().for_each(|one| remove_sub(one, sub)),
        Value::Null | Value::Bool(_) | Value::Number(_) | Value::String(_) => {}
    }
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;
    use serde_json::json;

    use super::*;

    const FIXED: &[&str] = &["id", "meta"];

    fn patched(operations: Value) -> Result<Value, Refusal> {
        let mut user = json!({
            "id": "1", "userName": "CN=a", "name": { "formatted": "홍" }, "active": true,
            "emails": [{ "value": "a@b", "type": "work" }, { "value": "c@d", "type": "home" }],
        });
        patch(&mut user, &json!({ "Operations": operations }), FIXED)?;
        Ok(user)
    }

    #[test]
    fn values_are_added_replaced_and_removed() {
        let user = patched(json!([
            { "op": "Replace", "path": "active", "value": false },
            { "op": "replace", "value": { "displayName": "길동", "name.formatted": "홍길동" } },
            { "op": "add", "path": "emails", "value": [{ "value": "a@b" }, { "value": "e@f" }] },
            { "op": "replace", "path": "emails[type eq \"home\"].value", "value": "x@y" },
            { "op": "remove", "path": "emails[value eq \"e@f\"]" },
            { "op": "add", "path": "urn:x:enterprise:2.0:User:department", "value": "감사단" },
        ]))
        .unwrap();
        assert_eq!(
            user,
            json!({
                "id": "1", "userName": "CN=a", "name": { "formatted": "홍길동" }, "active": false,
                "displayName": "길동", "urn:x:enterprise:2.0:User": { "department": "감사단" },
                "emails": [{ "value": "a@b", "type": "work" }, { "value": "x@y", "type": "home" }],
            })
        );
        let gone = patched(json!([
            { "op": "remove", "path": "emails", "value": [{ "value": "a@b" }] },
            { "op": "remove", "path": "name.formatted" },
            { "op": "remove", "path": "title" },
        ]))
        .unwrap();
        assert_eq!(gone["emails"], json!([{ "value": "c@d", "type": "home" }]));
        assert_eq!(gone["name"], json!({}));
    }

    #[test]
    fn what_cannot_be_done_is_refused_by_its_word() {
        for (operations, expected) in [
            (
                json!([{ "op": "replace", "path": "id", "value": "2" }]),
                "mutability",
            ),
            (json!([{ "op": "replace", "value": { "ID": "2" } }]), "mutability"),
            (json!([{ "op": "remove" }]), "noTarget"),
            (
                json!([{ "op": "replace", "path": "emails[type eq \"x\"].value", "value": "a" }]),
                "noTarget",
            ),
            (json!([{ "op": "jump", "path": "a" }]), "invalidSyntax"),
            (json!([{ "op": "add", "path": "a" }]), "invalidValue"),
            (json!([{ "op": "add", "path": "a b", "value": 1 }]), "invalidPath"),
            (json!([{ "op": "add", "path": "a[b", "value": 1 }]), "invalidPath"),
            (
                json!([{ "op": "add", "path": "emails[b]", "value": 1 }]),
                "invalidFilter",
            ),
            (json!([]), "invalidSyntax"),
            (json!([1]), "invalidSyntax"),
            (
                json!([{ "op": "replace", "path": "userName.x", "value": 1 }]),
                "invalidPath",
            ),
        ] {
            let found = patched(operations.clone()).map_err(Refusal::scim_type);
            assert_eq!(found, Err(expected), "{operations}");
        }
    }

    proptest! {
        #[test]
        fn any_patch_is_applied_or_refused(path in ".{0,40}", op in "(add|replace|remove)", text in ".{0,20}") {
            let fixed = patched(json!([{ "op": op, "path": path, "value": text }]));
            if let Ok(user) = fixed {
                prop_assert_eq!(&user["id"], "1");
            }
        }
    }
}
