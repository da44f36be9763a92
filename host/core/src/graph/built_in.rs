//! The steps that the host does itself, described as if they were plugins: so their options are checked, their inputs
//! explained and their keys made like everybody's.

use std::collections::{BTreeMap, BTreeSet};
use std::sync::LazyLock;

use serde_json::{Value, json};
use wasmlops_package::manifest::{KindManifest, Port};
use wasmlops_package::{Digest, Manifest};

use crate::access::Role;
use crate::config::{BuiltInStep, ModelRef, is_step_name, parse_duration, search_options};
use crate::diagnostics::{Problems, Span};
use crate::graph::plugins::{Chosen, PluginInfo};
use crate::graph::{PluginId, StepKind};

struct Description {
    info: PluginInfo,
    kind: StepKind,
    manifest: KindManifest,
}

static MODEL: LazyLock<Description> = LazyLock::new(|| {
    let name = json!({"type": "string"});
    let tags = json!({"type": "object", "additionalProperties": {"type": ["string", "number", "boolean"]}});
    let config = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["model"],
        "properties": {
            "model": name,
            "alias": name,
            "tags": tags,
            "notes": {"type": "string", "maxLength": 10_000},
        },
    });
    describe(StepKind::Model, "registers a model", config, &["model"])
});

static ARTIFACT: LazyLock<Description> = LazyLock::new(|| {
    let config = json!({
        "type": "object",
        "additionalProperties": false,
        "properties": {
            "from": {"type": "string"},
            "as": {"enum": ["table", "state", "model", "report", "blob"]},
        },
    });
    describe(StepKind::Artifact, "brings in an artifact", config, &[])
});

static APPROVAL: LazyLock<Description> = LazyLock::new(|| {
    let config = json!({
        "type": "object",
        "additionalProperties": false,
        "required": ["message"],
        "properties": {
            "message": {"type": "string", "minLength": 1, "maxLength": 2_000},
            "role": {"type": "string"},
            "expires": {"type": "string"},
            // What stands in it was checked when the file was read.
            "form": {"type": "object", "maxProperties": 50},
        },
    });
    describe(StepKind::Approval, "waits for a person's decision", config, &[])
});

static SEARCH: LazyLock<Description> = LazyLock::new(|| {
    describe(StepKind::Search, "runs a pipeline with many values of its parameters", search_options(), &[])
});

/// The identity of a built-in step. Its digest is of its description: there is no component.
pub fn built_in(kind: BuiltInStep) -> PluginId {
    let info = &description(kind).info;
    PluginId { name: info.name.clone(), version: info.version.clone(), digest: info.digest }
}

pub(super) fn chosen(kind: BuiltInStep) -> Chosen<'static> {
    let description = description(kind);
    Chosen { plugin: &description.info, kind: description.kind, manifest: &description.manifest }
}

/// Reports texts that name nothing, which a schema can only show as a pattern.
pub(super) fn check(
    kind: StepKind,
    step: &str,
    config: &Value,
    span_of: &dyn Fn(&str) -> Span,
    problems: &mut Problems<'_>,
) {
    let text = |key: &str| config.get(key).and_then(Value::as_str);
    let mut wrong = |key: &str, message: String, hint: &str| {
        problems.add_with_hint("invalid-option", span_of(key), format!("step `{step}`: {message}"), hint);
    };
    if let Some(name) = text("model").filter(|name| !is_step_name(name)) {
        let hint = "write a lower-case letter, then letters, digits, `_` and `-`, at most 64";
        wrong("model", format!("`{name}` cannot name a model"), hint);
    }
    if let Some(alias) = text("alias").filter(|alias| !is_step_name(alias)) {
        wrong("alias", format!("`{alias}` cannot name an alias"), "write a name such as `challenger`");
    }
    if let Some(Err(error)) = text("role").map(str::parse::<Role>) {
        wrong("role", error.to_string(), "roles are `viewer`, `operator`, `editor` and `admin`");
    }
    if let Some(Err(error)) = text("expires").map(parse_duration) {
        wrong("expires", error, "write how long there is to answer: `24h`");
    }
    let Some(from) = text("from").filter(|from| kind == StepKind::Artifact && !from.is_empty()) else { return };
    let hint = "write `NAME@ALIAS` or `NAME@3` for a model, `blake3:...` for a table, or empty text for nothing";
    if from.contains('@') && text("as").is_some_and(|kind| kind != "model") {
        wrong("as", format!("`{from}` is a model"), "leave `as` out, or name a digest");
    }
    if from.contains('@') {
        if let Err(error) = from.parse::<ModelRef>() {
            wrong("from", error.to_string(), hint);
        }
    } else if from.parse::<Digest>().is_err() {
        wrong("from", format!("`{from}` names no artifact"), hint);
    }
}

fn description(kind: BuiltInStep) -> &'static Description {
    match kind {
        BuiltInStep::Model => &MODEL,
        BuiltInStep::Artifact => &ARTIFACT,
        BuiltInStep::Approval => &APPROVAL,
        BuiltInStep::Search => &SEARCH,
    }
}

fn describe(kind: StepKind, about: &str, config: Value, inputs: &[&str]) -> Description {
    let name = kind.as_str();
    let version: semver::Version = env!("CARGO_PKG_VERSION").parse().expect("Cargo has checked it");
    // Not of the version: a newer host that does the same gives the same keys.
    let digest = Digest::sha256(crate::canonical_json::to_canonical(&json!({"built-in": name, "is": 1})).as_bytes());
    let port = |name: &&str| Port { name: (*name).to_owned(), description: String::new(), optional: false };
    let manifest = Manifest {
        name: name.parse().expect("a lower-case word names a plugin"),
        version: version.clone(),
        contract: semver::Version::new(0, 1, 0),
        description: about.to_owned(),
        license: None,
        source: None,
        kinds: BTreeMap::new(),
        capabilities: Vec::new(),
        limits: BTreeMap::new(),
    };
    let info = PluginInfo {
        name: manifest.name.clone(),
        version,
        digest,
        kinds: BTreeSet::new(),
        manifest,
        needs_files: false,
    };
    let inputs = inputs.iter().map(port).collect();
    Description { info, kind, manifest: KindManifest { config, inputs, outputs: Vec::new() } }
}
