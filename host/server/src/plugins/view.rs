//! Plugins as people and programs see them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

use super::{Origin, Plugin};
use crate::error::{Error, Result};
use crate::host::Host;

/// A row of the list of plugins.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PluginSummary {
    pub name: String,
    pub version: String,
    pub kinds: Vec<String>,
    /// SHA-256 of the component.
    pub digest: String,
    /// `built in`, `artifact store`, or the project's file.
    pub from: String,
    pub description: String,
}

/// A plugin with all that its component says of itself.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PluginView {
    #[serde(flatten)]
    pub summary: PluginSummary,
    /// Bytes.
    pub size: u64,
    /// The version of the contract.
    pub contract: String,
    pub imports: Vec<String>,
    #[schemars(with = "Map<String, Value>")]
    pub manifest: Value,
}

/// The plugins that the project can use, by name.
pub fn list(host: &Host) -> Vec<PluginSummary> {
    let mut plugins: Vec<PluginSummary> = host.plugins.iter().map(summary).collect();
    plugins.sort_by(|one, other| one.name.cmp(&other.name));
    plugins
}

/// The plugin of this name; absent where the project can use none.
pub fn show(host: &Host, name: &str) -> Result<Option<PluginView>> {
    let Some(plugin) = host.plugins.iter().find(|plugin| plugin.info.name.as_str() == name) else { return Ok(None) };
    let component = &plugin.component;
    Ok(Some(PluginView {
        summary: summary(plugin),
        size: component.size,
        contract: component.contract.to_string(),
        imports: component.imports.iter().map(ToString::to_string).collect(),
        manifest: serde_json::to_value(&component.manifest).map_err(Error::bug)?,
    }))
}

fn summary(plugin: &Plugin) -> PluginSummary {
    PluginSummary {
        name: plugin.info.name.to_string(),
        version: plugin.info.version.to_string(),
        kinds: plugin.info.kinds.iter().map(ToString::to_string).collect(),
        digest: plugin.info.digest.to_string(),
        from: match &plugin.origin {
            Origin::BuiltIn => "built in".to_owned(),
            Origin::File(path) => path.as_str().to_owned(),
            Origin::Kept => "artifact store".to_owned(),
        },
        description: plugin.info.manifest.description.clone(),
    }
}
