//! What a plugin says of itself: the JSON document in the component's custom section [`SECTION`].

use std::collections::{BTreeMap, BTreeSet};

use semver::Version;
use serde::{Deserialize, Serialize};

use crate::component::Kind;
use crate::plugin_ref::PluginName;

/// The custom section that holds the manifest, in the component or in a core module inside it.
pub const SECTION: &str = "wasmlops:manifest";

/// A plugin's manifest, written when the plugin is built.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Manifest {
    pub name: PluginName,
    pub version: Version,
    /// The version of the `wasmlops:plugin` package the component was built against.
    pub contract: Version,
    pub description: String,
    #[serde(default)]
    pub license: Option<String>,
    /// Where the source code is.
    #[serde(default)]
    pub source: Option<String>,
    /// What the component is, kind by kind.
    pub kinds: BTreeMap<Kind, KindManifest>,
    /// What it asks for beyond its inputs, and why.
    #[serde(default)]
    pub capabilities: Vec<Capability>,
    /// Limits that its author advises; a pipeline's own limits win.
    #[serde(default)]
    pub limits: BTreeMap<String, serde_json::Value>,
}

impl Manifest {
    /// What is wrong with a manifest beyond its JSON form; empty for a good one.
    pub(crate) fn problems(&self) -> Vec<String> {
        let mut problems = Vec::new();
        if self.kinds.is_empty() {
            problems.push("`kinds` is empty".to_owned());
        }
        for (kind, manifest) in &self.kinds {
            if manifest.config.get("type").and_then(serde_json::Value::as_str) != Some("object") {
                problems.push(format!("`kinds.{kind}.config` is not a JSON Schema with `\"type\": \"object\"`"));
            }
            for (list, ports) in [("inputs", &manifest.inputs), ("outputs", &manifest.outputs)] {
                let names = ports.iter().map(|port| port.name.as_str());
                problems.extend(bad_names(names).map(|what| format!("`kinds.{kind}.{list}` {what}")));
            }
            if manifest.outputs.iter().any(|port| port.name == "*") {
                problems.push(format!("`kinds.{kind}.outputs` has `*`, which only inputs may have"));
            }
        }
        let names = self.capabilities.iter().map(|capability| capability.name.as_str());
        problems.extend(bad_names(names).map(|what| format!("`capabilities` {what}")));
        problems
    }
}

/// What is wrong with a list of names: one that is empty, one that comes twice.
fn bad_names<'a>(names: impl Iterator<Item = &'a str>) -> impl Iterator<Item = String> {
    let mut seen = BTreeSet::new();
    names.filter_map(move |name| {
        if name.is_empty() {
            Some("has an empty name".to_owned())
        } else if !seen.insert(name) {
            Some(format!("has `{name}` twice"))
        } else {
            None
        }
    })
}

/// One kind of a plugin.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct KindManifest {
    /// JSON Schema (2020-12) of the configuration, an object. A string property with `"x-wasmlops-path": "read"` is the
    /// path of a file that the step must have been granted.
    pub config: serde_json::Value,
    /// The step's inputs by name. Transforms, trainers and predictors also take any number of transform states, which
    /// are not listed.
    #[serde(default)]
    pub inputs: Vec<Port>,
    /// The step's outputs by name.
    #[serde(default)]
    pub outputs: Vec<Port>,
}

/// A named input or output.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Port {
    /// `*` for inputs under any name.
    pub name: String,
    #[serde(default)]
    pub description: String,
    /// An input that may be left out; an output that a run may lack.
    #[serde(default)]
    pub optional: bool,
}

/// Something a plugin asks for beyond its inputs.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Capability {
    /// `read`: files of the project that the pipeline grants; `http`: requests to origins that it grants; `endpoints`:
    /// the host's endpoints that it grants.
    pub name: String,
    /// The author's reason, shown when a person decides.
    pub why: String,
}
