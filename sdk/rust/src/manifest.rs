//! Writes the manifest, from a plugin's build script.

use std::path::PathBuf;

use schemars::JsonSchema;
use serde_json::{Map, Value, json};

/// The contract's version, as in `wit/`.
const CONTRACT: &str = "0.1.0";

/// A manifest for the crate whose build script calls this: name, version, description, licence and repository are
/// Cargo's. Add the kinds, then [`ManifestBuilder::write`].
pub fn manifest() -> ManifestBuilder {
    let mut manifest = Map::new();
    manifest.insert("name".into(), cargo("CARGO_PKG_NAME").into());
    manifest.insert("version".into(), cargo("CARGO_PKG_VERSION").into());
    manifest.insert("contract".into(), CONTRACT.into());
    manifest.insert("description".into(), cargo("CARGO_PKG_DESCRIPTION").into());
    for (key, variable) in [("license", "CARGO_PKG_LICENSE"), ("source", "CARGO_PKG_REPOSITORY")] {
        let value = cargo(variable);
        if !value.is_empty() {
            manifest.insert(key.into(), value.into());
        }
    }
    ManifestBuilder { manifest, kinds: Map::new(), capabilities: Vec::new(), limits: Map::new() }
}

fn cargo(variable: &str) -> String {
    std::env::var(variable).unwrap_or_default()
}

/// A manifest in the making.
#[must_use]
pub struct ManifestBuilder {
    manifest: Map<String, Value>,
    kinds: Map<String, Value>,
    capabilities: Vec<Value>,
    limits: Map<String, Value>,
}

impl ManifestBuilder {
    /// A kind with its typed configuration, whose JSON Schema goes into the manifest. The doc comments of the type are
    /// the descriptions that users see.
    pub fn kind<Config: JsonSchema>(mut self, kind: &str, describe: impl FnOnce(KindBuilder) -> KindBuilder) -> Self {
        let config = schemars::schema_for!(Config).to_value();
        let ports = describe(KindBuilder::default());
        self.kinds.insert(kind.into(), json!({ "config": config, "inputs": ports.inputs, "outputs": ports.outputs }));
        self
    }

    /// A kind without configuration.
    pub fn kind_without_config(mut self, kind: &str, describe: impl FnOnce(KindBuilder) -> KindBuilder) -> Self {
        let config = json!({ "type": "object", "additionalProperties": false });
        let ports = describe(KindBuilder::default());
        self.kinds.insert(kind.into(), json!({ "config": config, "inputs": ports.inputs, "outputs": ports.outputs }));
        self
    }

    /// Something that the plugin asks for, and why: `read` for files that the pipeline grants, `http` for requests to
    /// origins that it grants, `endpoints` for the host's endpoints that it grants.
    pub fn capability(mut self, name: &str, why: &str) -> Self {
        self.capabilities.push(json!({ "name": name, "why": why }));
        self
    }

    /// A limit that the author advises, as a pipeline would write it: `memory`, `2GiB`.
    pub fn limit(mut self, name: &str, value: impl Into<Value>) -> Self {
        self.limits.insert(name.into(), value.into());
        self
    }

    /// Writes the manifest where [`crate::export!`] looks for it.
    ///
    /// # Panics
    /// Outside a build script, and where the file cannot be written: the build stops with the reason.
    pub fn write(mut self) {
        self.manifest.insert("kinds".into(), Value::Object(self.kinds));
        self.manifest.insert("capabilities".into(), Value::Array(self.capabilities));
        self.manifest.insert("limits".into(), Value::Object(self.limits));
        let folder = std::env::var_os("OUT_DIR").expect("a manifest is written by a build script, which has OUT_DIR");
        let path = PathBuf::from(folder).join("wasmlops-manifest.json");
        let text = Value::Object(self.manifest).to_string();
        if let Err(error) = std::fs::write(&path, text) {
            panic!("cannot write {}: {error}", path.display());
        }
        println!("cargo::rerun-if-changed=build.rs");
        println!("cargo::rerun-if-changed=src/config.rs");
    }
}

/// The inputs and outputs of a kind in the making.
#[derive(Default)]
#[must_use]
pub struct KindBuilder {
    inputs: Vec<Value>,
    outputs: Vec<Value>,
}

impl KindBuilder {
    /// `*` takes inputs under any name.
    pub fn input(mut self, name: &str, description: &str) -> Self {
        self.inputs.push(json!({ "name": name, "description": description }));
        self
    }

    pub fn optional_input(mut self, name: &str, description: &str) -> Self {
        self.inputs.push(json!({ "name": name, "description": description, "optional": true }));
        self
    }

    pub fn output(mut self, name: &str, description: &str) -> Self {
        self.outputs.push(json!({ "name": name, "description": description }));
        self
    }

    pub fn optional_output(mut self, name: &str, description: &str) -> Self {
        self.outputs.push(json!({ "name": name, "description": description, "optional": true }));
        self
    }
}
