//! Plugins made by hand, with schemas as the SDK's derive writes them.

use serde_json::{Value, json};
use wasmlops_core::graph::PluginInfo;
use wasmlops_package::{Digest, Manifest};

pub fn plugins() -> Vec<PluginInfo> {
    vec![
        plugin("csv-source", "0.1.0", json!({"data-source": csv_source()}), READ),
        plugin("csv-source", "0.1.3", json!({"data-source": csv_source()}), READ),
        plugin("csv-source", "0.2.0", json!({"data-source": csv_source()}), READ),
        plugin("split", "0.1.0", json!({"processor": split()}), &[]),
        plugin("join", "0.1.0", json!({"processor": join()}), &[]),
        plugin("tabular-features", "0.1.0", json!({"transform": tabular_features()}), &[]),
        plugin("linear-model", "0.1.0", json!({"trainer": trainer(), "predictor": predictor()}), &[]),
        plugin("data-quality", "0.1.0", json!({"validator": data_quality()}), &[]),
        plugin("model-gate", "0.1.0", json!({"validator": model_gate()}), &[]),
        plugin("everything", "0.1.0", json!({"processor": join(), "validator": data_quality()}), &[]),
        plugin("pusher", "0.1.0", json!({"deployer": pusher()}), &["http", "endpoints"]),
        plugin("quiet-pusher", "0.1.0", json!({"deployer": pusher()}), &[]),
        plugin("drift", "0.1.0", json!({"monitor": kind(json!({}), json!([]), json!([]))}), &[]),
    ]
}

const READ: &[&str] = &["read"];

fn plugin(name: &str, version: &str, kinds: Value, capabilities: &[&str]) -> PluginInfo {
    let capabilities: Vec<_> = capabilities.iter().map(|name| json!({"name": name, "why": "to do its work"})).collect();
    let manifest: Manifest = serde_json::from_value(json!({
        "name": name, "version": version, "contract": "0.1.0", "description": "for tests",
        "kinds": kinds, "capabilities": capabilities,
    }))
    .unwrap();
    PluginInfo {
        name: manifest.name.clone(),
        version: manifest.version.clone(),
        digest: Digest::sha256(format!("{name} {version}").as_bytes()),
        kinds: manifest.kinds.keys().copied().collect(),
        needs_files: manifest.capabilities.iter().any(|capability| capability.name == "read"),
        manifest,
    }
}

fn kind(config: Value, inputs: Value, outputs: Value) -> Value {
    let dialect = "https://json-schema.org/draft/2020-12/schema";
    let mut schema = json!({"$schema": dialect, "type": "object", "additionalProperties": false});
    let members = schema.as_object_mut().unwrap();
    members.extend(config.as_object().unwrap().clone());
    json!({"config": schema, "inputs": inputs, "outputs": outputs})
}

fn csv_source() -> Value {
    kind(
        json!({
            "properties": {
                "path": {"type": "string", "description": "The file to read.", "x-wasmlops-path": "read"},
                "delimiter": {"type": ["string", "null"], "minLength": 1, "maxLength": 1, "default": null},
                "header": {"type": "boolean", "default": true},
                "on_error": {"$ref": "#/$defs/OnError", "default": "fail"},
                "null_values": {"type": "array", "items": {"type": "string"}, "default": []},
            },
            "required": ["path"],
            "$defs": {"OnError": {"oneOf": [
                {"const": "fail", "type": "string", "description": "Stop at the first bad row."},
                {"const": "skip", "type": "string", "description": "Pass over bad rows."},
            ]}},
        }),
        json!([]),
        json!([{"name": "table"}]),
    )
}

fn split() -> Value {
    kind(
        json!({
            "properties": {
                "test": {
                    "type": "number", "exclusiveMinimum": 0.0, "exclusiveMaximum": 1.0,
                    "description": "The share of rows held out.",
                },
                "validation": {"type": ["number", "null"], "minimum": 0.0, "maximum": 1.0},
                "stratify": {"type": ["string", "null"]},
                "seed": {"type": "integer", "minimum": 0},
            },
            "required": ["test"],
        }),
        json!([{"name": "table"}]),
        json!([{"name": "train"}, {"name": "test"}, {"name": "validation", "optional": true}]),
    )
}

fn join() -> Value {
    kind(json!({"properties": {"on": {"type": "string"}}}), json!([{"name": "*"}]), json!([{"name": "joined"}]))
}

fn tabular_features() -> Value {
    kind(
        json!({
            "properties": {
                "target": {"type": ["string", "null"]},
                "scale": {"enum": ["standard", "minmax", "none"], "type": "string"},
            },
        }),
        json!([{"name": "table"}]),
        json!([{"name": "state"}]),
    )
}

fn trainer() -> Value {
    kind(
        json!({
            "properties": {
                "task": {"type": "string", "enum": ["binary", "multiclass", "regression"]},
                "target": {"type": "string", "description": "The column to predict."},
                "alpha": {"type": "number", "minimum": 0.0},
                "depth": {"type": "integer", "minimum": 1, "maximum": 32},
                "label": {"type": "string"},
            },
            "required": ["task", "target"],
        }),
        json!([{"name": "train"}, {"name": "validation", "optional": true}]),
        json!([{"name": "model"}, {"name": "coefficients", "optional": true}]),
    )
}

fn predictor() -> Value {
    kind(json!({}), json!([{"name": "model"}, {"name": "table"}]), json!([{"name": "predictions"}]))
}

fn data_quality() -> Value {
    kind(
        json!({
            "properties": {"rules": {"type": "array", "minItems": 1, "items": {"$ref": "#/$defs/Rule"}}},
            "required": ["rules"],
            "$defs": {"Rule": {"anyOf": [
                {
                    "type": "object", "additionalProperties": false, "required": ["column", "between"],
                    "properties": {
                        "column": {"type": "string"},
                        "between": {"type": "array", "items": {"type": "number"}, "minItems": 2, "maxItems": 2},
                    },
                },
                {
                    "type": "object", "additionalProperties": false, "required": ["no_nulls"],
                    "properties": {"no_nulls": {"type": "string"}},
                },
            ]}},
        }),
        json!([{"name": "table"}]),
        json!([{"name": "report"}]),
    )
}

fn pusher() -> Value {
    kind(json!({"properties": {"endpoint": {"type": "string"}}}), json!([]), json!([{"name": "log", "optional": true}]))
}

fn model_gate() -> Value {
    kind(
        json!({
            "properties": {
                "min": {"type": "object", "additionalProperties": {"type": "number"}},
                "max": {"type": "object", "additionalProperties": {"type": "number"}},
            },
        }),
        json!([{"name": "table"}, {"name": "model"}, {"name": "baseline", "optional": true}]),
        json!([{"name": "report"}]),
    )
}
