//! What SCIM clients may learn of kinds and schemas (RFC 7643, 6 and 7).

use serde_json::{Value, json};

use crate::service::{RESOURCE_TYPES, SCHEMAS};

/// The kinds of resources.
pub(super) fn resource_types() -> Value {
    let kinds = RESOURCE_TYPES.into_iter().zip(SCHEMAS).map(|(name, schema)| {
        json!({
            "schemas": ["urn:ietf:params:scim:schemas:core:2.0:ResourceType"], "id": name, "name": name,
            "endpoint": format!("/{name}s"), "schema": schema,
            "meta": { "resourceType": "ResourceType", "location": format!("/scim/v2/ResourceTypes/{name}") },
        })
    });
    all(kinds.collect())
}

/// The schemas.
pub(super) fn schemas() -> Value {
    all(SCHEMAS.into_iter().map(schema).collect())
}

fn all(resources: Vec<Value>) -> Value {
    json!({
        "schemas": ["urn:ietf:params:scim:api:messages:2.0:ListResponse"], "totalResults": resources.len(),
        "startIndex": 1, "itemsPerPage": resources.len(), "Resources": resources,
    })
}

/// What we keep of a schema: name, whether it is many, and whether a directory may change it.
fn schema(id: &str) -> Value {
    let attributes: &[(&str, &str, bool, &str)] = if id.ends_with("core:2.0:User") {
        &[
            ("userName", "string", false, "immutable"),
            ("displayName", "string", false, "readWrite"),
            ("name", "complex", false, "readWrite"),
            ("preferredLanguage", "string", false, "readWrite"),
            ("active", "boolean", false, "readWrite"),
            ("emails", "complex", true, "readWrite"),
            ("groups", "complex", true, "readOnly"),
        ]
    } else if id.ends_with("Group") {
        &[
            ("displayName", "string", false, "readWrite"),
            ("members", "complex", true, "readWrite"),
        ]
    } else {
        &[("department", "string", false, "readWrite")]
    };
    let attributes: Vec<Value> = attributes
        .iter()
        .map(|(name, kind, many, mutability)| {
            json!({
                "name": name, "type": kind, "multiValued": many, "mutability": mutability, "returned": "default",
                "required": *mutability == "immutable", "caseExact": false,
                "uniqueness": if *mutability == "immutable" { "global" } else { "none" },
            })
        })
        .collect();
    let name = id.rsplit(':').next().unwrap_or_default();
    json!({
        "schemas": ["urn:ietf:params:scim:schemas:core:2.0:Schema"], "id": id, "name": name, "attributes": attributes,
        "meta": { "resourceType": "Schema", "location": format!("/scim/v2/Schemas/{id}") },
    })
}
