//! The project file `wasmlops.yaml`.

use std::time::Duration;

use semver::VersionReq;
use wasmlops_package::PluginName;

use crate::config::pipeline::read_name;
use crate::config::reader::Reader;
use crate::config::step::{LimitChoices, read_paths};
use crate::config::yaml::{Entry, Node, NodeValue};
use crate::config::{ProjectPath, Spanned, keys, yaml};
use crate::diagnostics::{Diagnostics, Source};

/// A project file that is well-formed.
#[derive(Clone, PartialEq, Debug)]
pub struct Project {
    /// The file's name and text.
    pub source: Source,
    pub name: Spanned<String>,
    pub description: Option<String>,
    /// In the order of the file.
    pub plugins: Vec<PluginRequirement>,
    pub policy: Policy,
}

/// A plugin that the project wants, and where it is from.
#[derive(Clone, PartialEq, Debug)]
pub struct PluginRequirement {
    pub name: Spanned<PluginName>,
    pub version: VersionReq,
    /// The component's file in the project. Absent: the plugin is one that is installed or built in.
    pub path: Option<Spanned<ProjectPath>>,
}

/// What steps of this project can have at the most. The default allows everything inside the project folder.
#[derive(Clone, PartialEq, Debug)]
pub struct Policy {
    /// What steps may be granted for reading.
    pub read: Vec<ProjectPath>,
    /// Bytes.
    pub memory: Option<u64>,
    pub timeout: Option<Duration>,
}

impl Default for Policy {
    fn default() -> Self {
        Self { read: vec![ProjectPath::root()], memory: None, timeout: None }
    }
}

/// Reads a project file. `file` is its name as the user knows it, for messages. Errors: every mistake in the file, each
/// with its place; broken YAML is one mistake.
pub fn parse_project(file: &str, text: &str) -> Result<Project, Diagnostics> {
    let source = Source::new(file, text);
    let root = yaml::parse(&source)?;
    let mut reader = Reader::new(&source);
    let parts = read(&mut reader, &root);
    Diagnostics::check(reader.finish())?;
    let (name, description, plugins, policy) = parts.expect("what could not be read has been reported");
    Ok(Project { source, name, description, plugins, policy })
}

type Parts = (Spanned<String>, Option<String>, Vec<PluginRequirement>, Policy);

fn read(reader: &mut Reader<'_>, root: &Node) -> Option<Parts> {
    let root = &without_later_keys(reader, root);
    let fields = reader.fields(root, "a project", root.span, keys::PROJECT)?;
    let name = fields.get("project").and_then(|node| read_name(reader, node, "project"));
    let description = fields.get("description").and_then(|node| reader.text(node, "`description`")).map(str::to_owned);
    let plugins = fields.get("plugins").and_then(|node| reader.entries(node, "`plugins`")).unwrap_or_default();
    let plugins = plugins.iter().filter_map(|entry| read_plugin(reader, entry)).collect();
    let policy = fields.entry("policy");
    let policy = policy.and_then(|entry| read_policy(reader, entry)).unwrap_or_default();
    Some((name?, description, plugins, policy))
}

/// Reports the keys that later versions will know, and takes them out so that they are not unknown as well.
fn without_later_keys(reader: &mut Reader<'_>, root: &Node) -> Node {
    let mut root = root.clone();
    if let NodeValue::Map(entries) = &mut root.value {
        entries.retain(|entry| {
            let later = keys::PROJECT_LATER.contains(&entry.key.as_str());
            if later {
                let message = format!("this version does not support `{}` yet", entry.key);
                reader.problem_with_hint("unsupported-key", entry.key_span, message, "remove the key");
            }
            !later
        });
    }
    root
}

fn read_plugin(reader: &mut Reader<'_>, entry: &Entry) -> Option<PluginRequirement> {
    let name = match entry.key.parse::<PluginName>() {
        Ok(name) => Some(Spanned::new(name, entry.key_span)),
        Err(error) => {
            reader.problem("invalid-plugin", entry.key_span, error.to_string());
            None
        }
    };
    let (version, path) = match &entry.node.value {
        NodeValue::Map(_) => {
            let what = format!("plugin `{}`", entry.key);
            let fields = reader.fields(&entry.node, &what, entry.key_span, keys::PLUGIN)?;
            let path = fields.get("path").and_then(|node| reader.parsed(node, "`path`", "invalid-path", str::parse));
            (fields.get("version").map(|node| read_version(reader, node)), path)
        }
        NodeValue::Null => (None, None),
        _ => (Some(read_version(reader, &entry.node)), None),
    };
    Some(PluginRequirement { name: name?, version: version.unwrap_or(Some(VersionReq::STAR))?, path })
}

fn read_version(reader: &mut Reader<'_>, node: &Node) -> Option<VersionReq> {
    let parse = |text: &str| {
        let wrong = |error| format!("`{text}` is not a version requirement such as `^0.1`: {error}");
        VersionReq::parse(text).map_err(wrong)
    };
    reader.parsed(node, "a version", "invalid-plugin", parse).map(|version| version.value)
}

fn read_policy(reader: &mut Reader<'_>, entry: &Entry) -> Option<Policy> {
    let fields = reader.fields(&entry.node, "`policy`", entry.key_span, keys::POLICY)?;
    let mut policy = Policy::default();
    if let Some(node) = fields.get("read") {
        policy.read = read_paths(reader, node).into_iter().map(|path| path.value).collect();
    }
    let Some(entry) = fields.entry("limits") else {
        return Some(policy);
    };
    let limits = reader.fields(&entry.node, "`limits`", entry.key_span, keys::POLICY_LIMITS)?;
    let mut choices = LimitChoices::default();
    for key in keys::POLICY_LIMITS {
        if let Some(node) = limits.get(key.name)
            && let Err(wrong) = choices.set(key.name, &node.to_json())
        {
            reader.problem("wrong-value", node.span, wrong);
        }
    }
    policy.memory = choices.memory;
    policy.timeout = choices.timeout;
    Some(policy)
}
