//! The keys of a monitor in the project file.

use serde_json::json;

use super::{Key, count, duration, name, object, one_or_many_of, optional, required, text};

pub(in crate::config) const MONITOR: &[Key] = &[
    required("uses", "the plugin with the versions that will do: `drift@^0.1`", text),
    required("endpoint", "the endpoint whose traffic it looks at", name),
    required(
        "window",
        "the traffic that one look covers: `{ rows: 200 }`, `{ time: 1h, min_rows: 100 }` or `{ labels: 100 }`",
        || object(WINDOW),
    ),
    optional(
        "reference",
        "what the window is compared with: `training` data, or the `previous` window",
        || json!({"enum": ["training", "previous"]}),
    ),
    optional("with", "the plugin's configuration", || json!({"type": "object"})),
    optional("rules", "what is done about findings", || json!({"type": "array", "items": object(RULE)})),
    optional("description", "what the monitor watches, in a sentence", text),
];

pub(in crate::config) const WINDOW: &[Key] = &[
    optional("rows", "so many predictions", count),
    optional("time", "the predictions of so long: `1h`", duration),
    optional("min_rows", "fewer predictions than this are not judged; with `time`", count),
    optional("labels", "as many predictions as it takes for so many labels", count),
];

pub(in crate::config) const RULE: &[Key] = &[
    required("name", "the rule's name, in audit records and alerts", name),
    required(
        "when",
        "a CEL expression over `findings`, `found`, `share`, `window` and `version`",
        || json!({"type": ["string", "boolean"]}),
    ),
    required("do", "what is done when it holds, in this order", || {
        let words = json!({"enum": ["alert", "pause-canary", "rollback"]});
        one_or_many_of(json!({"anyOf": [words, object(WEBHOOK), object(RUN)]}))
    }),
    optional("cooldown", "how long the rule rests after it acted: `10m`", duration),
    optional("limit", "the most pipeline runs that the rule starts", || object(LIMIT)),
];

pub(in crate::config) const WEBHOOK: &[Key] = &[
    required("webhook", "the URL that the alert is posted to", || json!({"type": "string", "pattern": "^https?://"})),
    optional("secret", "the name of the secret that the message is signed with", text),
];

pub(in crate::config) const RUN: &[Key] = &[
    required("run", "the pipeline that is started", name),
    optional("window", "the pipeline's parameter that gets the digest of the window's labelled rows", name),
    optional("labels", "how many of the window's rows must have a label before the run starts; 1 if left out", count),
    optional(
        "params",
        "further parameters of the run",
        || json!({"type": "object", "additionalProperties": super::scalar()}),
    ),
];

pub(in crate::config) const LIMIT: &[Key] =
    &[required("runs", "how many runs", count), required("per", "in how long: `1d`", duration)];
