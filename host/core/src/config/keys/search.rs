//! What stands under `with` of a `search` step: for editors with room for expressions, for the check of a step without.

use serde_json::{Value, json};

use super::name;
use crate::search::{MAX_PARALLEL, MAX_TRIALS};

/// As a file may write it: a value may be an expression.
pub(super) fn with() -> Value {
    let mut schema = options();
    let members = schema["properties"].as_object_mut().expect("an object's schema has properties");
    members.remove("search");
    for member in members.values_mut() {
        if member["type"] != "object" {
            let own = std::mem::take(member);
            let expression = json!({"type": "string", "pattern": "\\$\\{\\{.*\\}\\}"});
            *member = json!({"anyOf": [own, expression]});
        }
    }
    schema["required"] = json!(["space", "objective"]);
    schema
}

/// The options of the step with expressions filled in.
pub(crate) fn options() -> Value {
    let number = json!({"type": ["number", "string"]});
    let goal = json!({"enum": ["maximize", "minimize"]});
    let scalar = json!({"type": ["string", "number", "boolean"]});
    let range = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["between"],
        "properties": {
            "between": {"type": "array", "items": number, "minItems": 2, "maxItems": 2},
            "scale": {"enum": ["linear", "log"]},
            "steps": {"type": "integer", "minimum": 2, "maximum": MAX_TRIALS},
        },
    });
    let choices = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["choices"],
        "properties": {"choices": {"type": "array", "items": scalar, "minItems": 1, "maxItems": MAX_TRIALS}},
    });
    let objective = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["metric", "goal"],
        "properties": {"metric": {"type": "string"}, "goal": goal},
    });
    let stop = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["metric", "first"],
        "properties": {
            "metric": {"type": "string"},
            "goal": goal,
            "first": {"type": "integer", "minimum": 1},
            "factor": {"type": "integer", "minimum": 2, "maximum": 100},
        },
    });
    json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["search", "space", "objective"],
        "properties": {
            "search": {"type": "string"},
            "space": {
                "type": "object",
                "minProperties": 1,
                "maxProperties": 100,
                "additionalProperties": {"anyOf": [range, choices]},
            },
            "params": {"type": "object", "additionalProperties": scalar},
            "objective": objective,
            "method": {"enum": ["grid", "random", "tpe"]},
            "trials": {"type": "integer", "minimum": 1, "maximum": MAX_TRIALS},
            "parallel": {"type": "integer", "minimum": 1, "maximum": MAX_PARALLEL},
            "stop": stop,
            "seed": {"type": "integer", "minimum": 0},
            "outputs": {
                "type": "object",
                "propertyNames": name(),
                "additionalProperties": {"type": "string"},
            },
        },
    })
}
