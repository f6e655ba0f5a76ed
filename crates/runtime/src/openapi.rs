//! The OpenAPI 3.1 description, made from the table of routes.

use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use crate::{Access, Problem, RouteEntry};

/// Describes all routes.
#[must_use]
pub fn describe(table: &[RouteEntry], version: &str) -> Value {
    let mut generator = SchemaSettings::draft2020_12()
        .with(|settings| settings.definitions_path = "/components/schemas".into())
        .into_generator();
    let problem = generator.subschema_for::<Problem>();
    let mut paths = Map::new();
    let mut entries: Vec<_> = table.iter().collect();
    entries.sort_by_key(|entry| (entry.path, entry.method.as_str().to_owned()));
    for entry in entries {
        let mut operation = Map::new();
        operation.insert("summary".into(), entry.summary.into());
        operation.insert("x-access".into(), access_text(entry.access).into());
        let parameters: Vec<Value> = entry
            .path
            .split('/')
            .filter_map(|part| part.strip_prefix('{').and_then(|part| part.strip_suffix('}')))
            .map(|name| json!({ "name": name, "in": "path", "required": true, "schema": { "type": "string" } }))
            .collect();
        if !parameters.is_empty() {
            operation.insert("parameters".into(), parameters.into());
        }
        if let Some(takes) = entry.takes {
            let schema = takes(&mut generator);
            operation.insert(
                "requestBody".into(),
                json!({ "required": true, "content": { "application/json": { "schema": schema } } }),
            );
        }
        let good = match entry.answers {
            Some(answers) => {
                let schema = answers(&mut generator);
                json!({ "description": "done", "content": { "application/json": { "schema": schema } } })
            }
            None => json!({ "description": "done" }),
        };
        let bad = json!({ "description": "refused", "content": { "application/problem+json": { "schema": problem } } });
        operation.insert("responses".into(), json!({ "2XX": good, "default": bad }));
        let path = paths
            .entry(entry.path.to_owned())
            .or_insert_with(|| Value::Object(Map::new()));
        if let Value::Object(path) = path {
            path.insert(entry.method.as_str().to_lowercase(), operation.into());
        }
    }
    let schemas = generator.take_definitions(true);
    json!({
        "openapi": "3.1.0",
        "info": { "title": "Naru", "version": version },
        "paths": paths,
        "components": { "schemas": schemas },
    })
}

/// How an access is written in the description.
#[must_use]
pub fn access_text(access: Access) -> &'static str {
    match access {
        Access::Anyone => "anyone",
        Access::FirstFactor => "first_factor",
        Access::SignedIn => "signed_in",
        Access::Role(role) => role.as_str(),
        Access::ClientCertificate => "client_certificate",
        Access::Node => "node",
        Access::Machine => "machine",
    }
}
