//! The description of this API for programs: OpenAPI 3.1, made from the list of routes and the types of what goes in
//! and out. Nothing is written twice: what is not in the list is not described, and what is cannot be left out.

mod operation;

use std::sync::OnceLock;

use axum::http::HeaderMap;
use axum::http::StatusCode;
use axum::response::Response;
use schemars::SchemaGenerator;
use schemars::generate::SchemaSettings;
use serde_json::{Map, Value, json};

use super::answers;
use super::failure::{Failure, Problem};
use super::route::{JSON, PUBLIC, Route};
use super::routes;

/// Where the schemas of types lie in the document.
const SCHEMAS: &str = "/components/schemas";

pub(super) fn routes() -> Vec<Route> {
    vec![
        Route::get("/openapi.json", PUBLIC, get_openapi)
            .named("get_openapi", "This description")
            .tagged()
            .answers_text(StatusCode::OK, JSON, "OpenAPI 3.1"),
    ]
}

async fn get_openapi(headers: HeaderMap) -> Result<Response, Failure> {
    static DOCUMENT: OnceLock<Value> = OnceLock::new();
    answers::tagged(&headers, DOCUMENT.get_or_init(document))
}

/// The whole document.
pub(crate) fn document() -> Value {
    let settings = || {
        SchemaSettings::draft2020_12().with(|settings| {
            settings.definitions_path = SCHEMAS.into();
            settings.meta_schema = None;
        })
    };
    // What goes in and what comes out of the same type may differ: a field that may be left out is always there.
    let mut taken = settings().for_deserialize().into_generator();
    let mut given = settings().for_serialize().into_generator();
    given.subschema_for::<Problem>();
    let mut paths: Map<String, Value> = Map::new();
    for route in routes::all() {
        let operation = operation::describe(&route, &mut taken, &mut given);
        let path = paths.entry(route.pattern).or_insert_with(|| json!({}));
        path[route.method.as_str().to_ascii_lowercase()] = operation;
    }
    json!({
        "openapi": "3.1.0",
        "info": {
            "title": "Wasmlops",
            "version": env!("CARGO_PKG_VERSION"),
            "summary": "Pipelines of sandboxed plugins, a model registry, serving and monitoring.",
            "license": { "name": "Apache-2.0", "identifier": "Apache-2.0" },
        },
        "servers": [{ "url": "/" }],
        "security": [{ "token": [] }],
        "paths": paths,
        "components": {
            "schemas": schemas(&mut taken, &mut given),
            "securitySchemes": {
                "token": {
                    "type": "http", "scheme": "bearer",
                    "description": "A token of `wasmlops token create`, or a JWT of the identity provider.",
                },
            },
        },
    })
}

/// The types of both directions under their names. One that stands in both with the same name is the answer's: what
/// requests take is named apart.
fn schemas(taken: &mut SchemaGenerator, given: &mut SchemaGenerator) -> Map<String, Value> {
    let mut all: Map<String, Value> = taken.take_definitions(true);
    all.extend(given.take_definitions(true));
    all.sort_keys();
    all
}

#[cfg(test)]
mod tests {
    use std::collections::BTreeSet;
    use std::path::PathBuf;

    use super::*;

    /// `BLESS=1` writes it anew.
    #[test]
    fn the_snapshot_is_what_is_generated() {
        let path = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("../../docs/openapi.json");
        let text = format!("{:#}\n", document());
        if std::env::var_os("BLESS").is_some() {
            std::fs::write(&path, &text).unwrap();
        }
        let kept = std::fs::read_to_string(&path).unwrap_or_default();
        assert!(kept == text, "docs/openapi.json is not what is generated: run this test with BLESS=1");
    }

    #[test]
    fn every_reference_leads_somewhere() {
        fn references(value: &Value, found: &mut BTreeSet<String>) {
            match value {
                Value::Object(map) => {
                    if let Some(Value::String(target)) = map.get("$ref") {
                        found.insert(target.clone());
                    }
                    map.values().for_each(|value| references(value, found));
                }
                Value::Array(items) => items.iter().for_each(|value| references(value, found)),
                _ => {}
            }
        }

        let document = document();
        let mut found = BTreeSet::new();
        references(&document, &mut found);
        for target in found {
            let pointer = target.strip_prefix('#').unwrap();
            assert!(document.pointer(pointer).is_some(), "`{target}` leads nowhere");
        }
    }

    #[test]
    fn operations_are_named_once_and_say_what_they_are() {
        let mut ids = BTreeSet::new();
        for route in routes::all() {
            assert!(!route.summary.is_empty() && ids.insert(route.id), "`{}` of `{}`", route.id, route.pattern);
            assert!(route.answers.iter().any(|answer| answer.status.is_success()), "`{}` answers nothing", route.id);
        }
    }

    /// A type that requests take and answers give must be the same in both, since it has one name.
    #[test]
    fn types_of_both_directions_agree() {
        let settings = || {
            SchemaSettings::draft2020_12().with(|settings| {
                settings.definitions_path = SCHEMAS.into();
                settings.meta_schema = None;
            })
        };
        let (mut taken, mut given) =
            (settings().for_deserialize().into_generator(), settings().for_serialize().into_generator());
        for route in routes::all() {
            operation::describe(&route, &mut taken, &mut given);
        }
        let given = given.take_definitions(true);
        for (name, schema) in taken.take_definitions(true) {
            assert!(given.get(&name).is_none_or(|other| *other == schema), "`{name}` is taken and given differently");
        }
    }
}
