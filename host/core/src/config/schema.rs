//! The JSON Schemas of the pipeline and project files, for editors and other tools.

use serde_json::{Value, json};

use crate::config::keys::{self, Key};

/// JSON Schema (2020-12) of `pipelines/NAME.yaml`.
pub fn pipeline_schema() -> Value {
    document(
        "Wasmlops pipeline",
        "The steps that turn data into a model, each a plugin in its sandbox.",
        keys::PIPELINE,
    )
}

/// JSON Schema (2020-12) of `wasmlops.yaml`.
pub fn project_schema() -> Value {
    document("Wasmlops project", "A folder with pipelines, their plugins, and what they may touch.", keys::PROJECT)
}

fn document(title: &str, description: &str, known: &[Key]) -> Value {
    let mut schema = json!({
        "$schema": "https://json-schema.org/draft/2020-12/schema",
        "title": title,
        "description": description,
    });
    if let (Some(schema), Value::Object(body)) = (schema.as_object_mut(), keys::object(known)) {
        schema.extend(body);
    }
    schema
}
