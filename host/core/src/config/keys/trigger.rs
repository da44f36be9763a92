//! The keys of triggers and notifications in the project file.

use serde_json::{Value, json};

use super::{Key, name, object, optional, required, scalar, text};

pub(in crate::config) const TRIGGER: &[Key] = &[
    required("pipeline", "the pipeline that is started", name),
    optional("webhook", "starts it when the path `/api/v1/hooks/NAME` is posted to", || object(HOOK)),
    optional("event", "starts it when an event that fits is posted to `/api/v1/events`", || object(EVENT)),
    optional("alias", "starts it when an alias moves: `breast-cancer@champion`", text),
    optional("version", "starts it when a model gets a new version: the model's name", name),
    optional("dataset", "starts it when a pipeline makes other bytes than before: `PIPELINE/STEP.OUTPUT`", text),
    optional("succeeded", "starts it when a pipeline has succeeded: the other pipeline's name", name),
    optional(
        "params",
        "the run's parameters; text may hold `${{ event.PATH }}`",
        || json!({"type": "object", "propertyNames": name(), "additionalProperties": scalar()}),
    ),
    optional("priority", "before which other runs it starts: from -100 to 100, 0 if left out", priority),
    optional("description", "what the trigger is for, in a sentence", text),
];

pub(in crate::config) const HOOK: &[Key] = &[
    required("secret", "the name of the secret that the sender signs with", text),
    optional(
        "style",
        "how the sender signs: `generic` (`Wasmlops-Signature`) or `github` (`X-Hub-Signature-256`)",
        || json!({"enum": ["generic", "github"]}),
    ),
];

pub(in crate::config) const EVENT: &[Key] = &[
    required("type", "the event's type; `*` stands for any text", text),
    optional("source", "the event's source; `*` stands for any text", text),
    optional("subject", "the event's subject; `*` stands for any text", text),
];

pub(in crate::config) const NOTIFICATION: &[Key] = &[
    required(
        "url",
        "where events are posted to; its origin must be among `policy.http`",
        || json!({"type": "string", "pattern": "^https?://"}),
    ),
    required("types", "the types of the events: `dev.wasmlops.run.*`; `*` stands for any text", super::one_or_many),
    optional("secret", "the name of the secret that each message is signed with", text),
    optional("description", "who is told, in a sentence", text),
];

fn priority() -> Value {
    json!({"type": "integer", "minimum": -100, "maximum": 100})
}
