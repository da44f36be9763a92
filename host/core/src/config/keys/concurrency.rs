//! The keys of `concurrency` in the project file.

use serde_json::{Value, json};

use super::{Key, name, optional};

pub(in crate::config) const CONCURRENCY: &[Key] = &[
    optional("runs", "runs that go on at once on a server; 4 if left out", most_runs),
    optional(
        "queued",
        "runs that may wait, beyond which further ones are refused; 1000 if left out",
        || json!({"type": "integer", "minimum": 1, "maximum": 100_000}),
    ),
    optional(
        "pipelines",
        "runs at once of a pipeline, by its name",
        || json!({"type": "object", "propertyNames": name(), "additionalProperties": most_runs()}),
    ),
];

fn most_runs() -> Value {
    json!({"type": "integer", "minimum": 1, "maximum": 1000})
}
