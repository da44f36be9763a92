//! Every key of the pipeline and project files, once: the parser refuses what is not listed here, and the published
//! schema is made from the same lists.

mod access;
mod concurrency;
mod endpoint;
mod monitor;
mod retention;
mod schedule;
mod search;
mod trigger;

use serde_json::{Value, json};
use wasmlops_package::Kind;

pub(super) use access::{ACCESS, OIDC, OIDC_ROLES};
pub(super) use concurrency::CONCURRENCY;
pub(super) use endpoint::{BATCH, CANARY, ENDPOINT, LABELS, LOG, ROLLBACK, SCORE};
pub(super) use monitor::{LIMIT, MONITOR, RULE, RUN, WEBHOOK, WINDOW};
pub(super) use retention::RETENTION;
pub(super) use schedule::{CATCH_UP, SCHEDULE};
pub(crate) use search::options as search_options;
pub(super) use trigger::{EVENT, HOOK, NOTIFICATION, TRIGGER};

/// A key of a map.
pub(super) struct Key {
    pub name: &'static str,
    pub required: bool,
    /// One sentence: shown by editors, and as a hint where the key is missing.
    pub about: &'static str,
    /// The JSON Schema of its value, without the description.
    pub schema: fn() -> Value,
}

const fn required(name: &'static str, about: &'static str, schema: fn() -> Value) -> Key {
    Key { name, required: true, about, schema }
}

const fn optional(name: &'static str, about: &'static str, schema: fn() -> Value) -> Key {
    Key { name, required: false, about, schema }
}

pub(super) const PIPELINE: &[Key] = &[
    required("pipeline", "the pipeline's name, lower-case words joined by `-` or `_`", name),
    optional("description", "what the pipeline is for, in a sentence", text),
    optional("params", "values that a run may set; `${{ params.NAME }}` uses one", || {
        json!({"type": "object", "propertyNames": name(), "additionalProperties": {"anyOf": [
            object(PARAM),
            {"type": ["string", "number", "boolean"], "description": "the default, from which the type follows"},
        ]}})
    }),
    required("steps", "the steps by name; they run in the order of their inputs and needs", || {
        let step = json!({"anyOf": [object(STEP), object(MODEL_STEP), object(ARTIFACT_STEP), object(APPROVAL_STEP), object(SEARCH_STEP)]});
        json!({"type": "object", "minProperties": 1, "propertyNames": name(), "additionalProperties": step})
    }),
];

pub(super) const PARAM: &[Key] = &[
    optional(
        "type",
        "`string`, `integer`, `number` or `boolean`; without it the default's type",
        || json!({"enum": ["string", "integer", "number", "boolean"]}),
    ),
    optional("default", "the value where a run gives none; without it a run must give one", scalar),
    optional("enum", "the values that are allowed", || json!({"type": "array", "minItems": 1, "items": scalar()})),
    optional("minimum", "the least number that is allowed", number),
    optional("maximum", "the greatest number that is allowed", number),
    optional("description", "what the parameter does, in a sentence", text),
];

pub(super) const STEP: &[Key] = &[
    required("uses", "the plugin with the versions that will do: `csv-source@^0.1`", text),
    optional(
        "kind",
        "which of the plugin's kinds runs, where it has several",
        || json!({"enum": Kind::ALL.map(Kind::as_str)}),
    ),
    optional(
        "with",
        "the plugin's configuration; text may hold `${{ params.NAME }}` and `${{ matrix.NAME }}`",
        || json!({"type": "object"}),
    ),
    optional(
        "inputs",
        "what the step reads: the input's name and `step.output`, or for a model `NAME@ALIAS` or an alias",
        || json!({"type": "object", "additionalProperties": text()}),
    ),
    optional("needs", "steps that must have succeeded first, beyond those whose output is read", one_or_many),
    optional(
        "when",
        "a CEL expression over `params`, `matrix` and `steps`; the step is skipped where it is false",
        || json!({"type": ["string", "boolean"]}),
    ),
    optional("matrix", "values by name; the step runs once for each combination", || {
        let values = json!({"type": "array", "minItems": 1, "items": scalar()});
        json!({"type": "object", "minProperties": 1, "propertyNames": name(), "additionalProperties": values})
    }),
    optional("retry", "how often to try again after faults that may pass", || object(RETRY)),
    optional("limits", "the most that one attempt may use", || object(LIMITS)),
    optional("grants", "what the step may touch besides its inputs", || object(GRANTS)),
    optional("strict", "canonicalise NaNs at every operation: slower, and the same bits on every machine", boolean),
    optional("cache", "`false` runs the step every time", boolean),
    optional("description", "what the step does, in a sentence", text),
];

/// A step that registers a model.
pub(super) const MODEL_STEP: &[Key] = &[
    required("model", "the registered model's name", text),
    required("inputs", "the model to register: `{ model: train.model }`", inputs),
    optional("alias", "an alias that moves to the new version: `challenger`", text),
    optional(
        "tags",
        "texts by name, kept with the version",
        || json!({"type": "object", "additionalProperties": scalar()}),
    ),
    optional("notes", "what people should know of the version", text),
    optional("needs", "steps that must have succeeded first: the gates", one_or_many),
    optional(
        "when",
        "a CEL expression over `params`, `matrix` and `steps`; the step is skipped where it is false",
        || json!({"type": ["string", "boolean"]}),
    ),
    optional("description", "what the step does, in a sentence", text),
];

/// A step that asks a person.
pub(super) const APPROVAL_STEP: &[Key] = &[
    required("approval", "what is asked, for people; may hold `${{ params.NAME }}`", text),
    optional("role", "the least that may decide: `viewer`, `operator` (without it), `editor` or `admin`", text),
    optional("expires", "how long there is to answer: `24h`; without it `7d`", text),
    optional("inputs", "what is shown, under any name: `{ model: train.model, report: gate.report }`", inputs),
    optional("form", "what whoever approves has to say, by name, declared like parameters", || {
        json!({"type": "object", "propertyNames": name(), "additionalProperties": {"anyOf": [
            form_field(),
            {"type": ["string", "number", "boolean"], "description": "the default, from which the type follows"},
        ]}})
    }),
    optional("needs", "steps that must have succeeded first, beyond those whose output is shown", one_or_many),
    optional(
        "when",
        "a CEL expression over `params`, `matrix` and `steps`; the step is skipped where it is false",
        || json!({"type": ["string", "boolean"]}),
    ),
    optional("description", "what the step does, in a sentence", text),
];

/// A step that brings in an artifact which is there already.
pub(super) const ARTIFACT_STEP: &[Key] = &[
    required("artifact", "`NAME@ALIAS` or `NAME@3` for a model, `blake3:...` for other bytes, empty for nothing", text),
    optional(
        "as",
        "what a digest stands for, which names the output; without it `table`",
        || json!({"enum": ["table", "state", "model", "report", "blob"]}),
    ),
    optional("description", "what the step does, in a sentence", text),
];

/// A step that runs another pipeline with many values of its parameters.
pub(super) const SEARCH_STEP: &[Key] = &[
    required("search", "the pipeline that each trial runs, by the name of its file", name),
    optional("inputs", "what trials read: the parameter that is given the digest, and `step.output`", inputs),
    required("with", "what is searched, and how", search::with),
    optional("needs", "steps that must have succeeded first, beyond those whose output is read", one_or_many),
    optional(
        "when",
        "a CEL expression over `params`, `matrix` and `steps`; the step is skipped where it is false",
        || json!({"type": ["string", "boolean"]}),
    ),
    optional("cache", "`false` searches every time", boolean),
    optional("description", "what the step does, in a sentence", text),
];

pub(super) const RETRY: &[Key] = &[
    required(
        "attempts",
        "how many times in all, the first included",
        || json!({"type": "integer", "minimum": 1, "maximum": 100}),
    ),
    optional("backoff", "the wait before the second attempt: `1s`", duration),
    optional(
        "factor",
        "how much longer each wait is than the one before",
        || json!({"type": "number", "minimum": 1, "maximum": 100}),
    ),
    optional("max", "the longest wait: `1m`", duration),
];

pub(super) const LIMITS: &[Key] = &[
    optional("memory", "bytes in all memories and tables of the plugin together: `1GiB`", size),
    optional("timeout", "time on the wall, start-up included: `5m`", duration),
    optional("host-calls", "calls from the plugin into the host", count),
    optional("host-bytes", "bytes through host calls, both ways: `64GiB`", size),
    optional("log-bytes", "bytes of log lines that are kept: `16MiB`", size),
    optional("output-bytes", "bytes of tables and blobs written: `4GiB`", size),
    optional("metric-points", "metric points", count),
    optional("fuel", "instructions, roughly; metering them costs 10 to 50 % of speed", count),
];

pub(super) const GRANTS: &[Key] = &[
    optional("read", "files and folders of the project", one_or_many),
    optional("http", "origins that the step may call: `https://api.example.org`", one_or_many_http),
    optional("endpoints", "endpoints of the project that the step may drive", one_or_many),
    optional("secrets", "secrets that `with` may name: `password: { secret: NAME }`", one_or_many),
];

/// An origin together with a header that the broker puts into each request to it.
pub(super) const CREDENTIAL: &[Key] = &[
    required("origin", "the origin that may be called: `https://api.example.org`", text),
    required("header", "the header that carries the secret: `authorization`", text),
    optional("value", "the header's text with `{secret}` in it: `Bearer {secret}`", text),
    required("secret", "the name of a secret that `wasmlops secret set` keeps", text),
];

pub(super) const PROJECT: &[Key] = &[
    required("project", "the project's name, lower-case words joined by `-` or `_`", name),
    optional("description", "what the project is for, in a sentence", text),
    optional(
        "plugins",
        "plugins by name with the versions that will do, and where they are from",
        || json!({"type": "object", "additionalProperties": {"anyOf": [text(), object(PLUGIN)]}}),
    ),
    optional("policy", "what pipelines of this project may ask for at the most", || object(POLICY)),
    optional(
        "endpoints",
        "where models answer requests, by name",
        || json!({"type": "object", "propertyNames": name(), "additionalProperties": object(ENDPOINT)}),
    ),
    optional(
        "monitors",
        "what watches the endpoints, by name",
        || json!({"type": "object", "propertyNames": name(), "additionalProperties": object(MONITOR)}),
    ),
    optional("concurrency", "how many runs a server runs at once, and how many may wait", || object(CONCURRENCY)),
    optional("retention", "how long runs and what belongs to them are kept; without it for ever", || object(RETENTION)),
    optional("access", "who may use the server, beside the holders of tokens", || object(ACCESS)),
    optional(
        "schedules",
        "which pipelines are run when, by name",
        || json!({"type": "object", "propertyNames": name(), "additionalProperties": object(SCHEDULE)}),
    ),
    optional(
        "triggers",
        "what starts pipelines without a person and without a time, by name",
        || json!({"type": "object", "propertyNames": name(), "additionalProperties": object(TRIGGER)}),
    ),
    optional(
        "notifications",
        "who is told of what happens, by name",
        || json!({"type": "object", "propertyNames": name(), "additionalProperties": object(NOTIFICATION)}),
    ),
];

pub(super) const PLUGIN: &[Key] = &[
    optional("version", "the versions that will do: `^0.1`", text),
    optional("path", "the component's file in the project: `plugins/x.wasm`", text),
];

pub(super) const POLICY: &[Key] = &[
    optional("read", "files and folders that steps may be granted; without it everything in the project", one_or_many),
    optional("http", "origins that steps may be granted; without it none", one_or_many_http),
    optional("secrets", "secrets that pipelines may use; without it none", one_or_many),
    optional("endpoints", "endpoints that steps may be granted; without it all of this file", one_or_many),
    optional("limits", "the highest limits that a step may have", || object(POLICY_LIMITS)),
];

pub(super) const POLICY_LIMITS: &[Key] = &[
    optional("memory", "bytes in all memories and tables of a plugin together: `4GiB`", size),
    optional("timeout", "time on the wall: `1h`", duration),
];

/// A field of an approval's form: a parameter that may be left out.
fn form_field() -> Value {
    let mut field = object(PARAM);
    field["properties"]["required"] =
        json!({"type": "boolean", "description": "`false` where there need not be a value; without it `true`"});
    field
}

/// The schema of a map with these keys and no others.
pub(super) fn object(keys: &[Key]) -> Value {
    let properties = keys.iter().map(|key| {
        let mut schema = (key.schema)();
        schema["description"] = key.about.into();
        (key.name.to_owned(), schema)
    });
    let required: Vec<_> = keys.iter().filter(|key| key.required).map(|key| key.name).collect();
    json!({
        "type": "object",
        "properties": properties.collect::<serde_json::Map<_, _>>(),
        "required": required,
        "additionalProperties": false,
    })
}

fn text() -> Value {
    json!({"type": "string"})
}

fn name() -> Value {
    json!({"type": "string", "pattern": "^[a-z][a-z0-9_-]*$", "maxLength": 64})
}

fn number() -> Value {
    json!({"type": "number"})
}

fn boolean() -> Value {
    json!({"type": "boolean"})
}

fn count() -> Value {
    json!({"type": "integer", "minimum": 1})
}

fn scalar() -> Value {
    json!({"type": ["string", "number", "boolean"]})
}

fn one_or_many() -> Value {
    one_or_many_of(text())
}

/// Origins, with a header or without.
fn one_or_many_http() -> Value {
    let item = || json!({"anyOf": [text(), object(CREDENTIAL)]});
    json!({"anyOf": [text(), object(CREDENTIAL), {"type": "array", "items": item()}]})
}

fn one_or_many_of(item: Value) -> Value {
    json!({"anyOf": [item.clone(), {"type": "array", "items": item}]})
}

fn inputs() -> Value {
    json!({"type": "object", "additionalProperties": text()})
}

fn size() -> Value {
    json!({"type": ["string", "integer"], "minimum": 1, "pattern": "^[0-9]+(\\.[0-9]+)? ?((k|[KMGT]i?)?B)?$"})
}

fn duration() -> Value {
    json!({"type": "string", "pattern": "^[0-9]+(\\.[0-9]+)? ?(ms|s|m|h|d)$"})
}
