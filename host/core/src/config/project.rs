//! The project file `wasmlops.yaml`.

use std::time::Duration;

use semver::VersionReq;
use wasmlops_package::PluginName;

use crate::config::pipeline::read_name;
use crate::config::reader::Reader;
use crate::config::secret::{read_http, read_secrets};
use crate::config::step::{LimitChoices, one_or_many, read_paths};
use crate::config::yaml::{Entry, Node, NodeValue};
use crate::config::{
    AccessConfig, Concurrency, Credential, EndpointConfig, MonitorConfig, NotificationConfig, Origin, ProjectPath,
    Retention, ScheduleConfig, Spanned, TriggerConfig, access, concurrency, endpoint, keys, listed, monitor,
    notification, retention, schedule, trigger, yaml,
};
use crate::diagnostics::{Diagnostics, Source, Span, suggest};

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
    /// In the order of the file, as are the monitors.
    pub endpoints: Vec<EndpointConfig>,
    pub monitors: Vec<MonitorConfig>,
    pub schedules: Vec<ScheduleConfig>,
    pub triggers: Vec<TriggerConfig>,
    pub notifications: Vec<NotificationConfig>,
    pub concurrency: Concurrency,
    pub retention: Option<Retention>,
    pub access: AccessConfig,
}

/// A plugin that the project wants, and where it is from.
#[derive(Clone, PartialEq, Debug)]
pub struct PluginRequirement {
    pub name: Spanned<PluginName>,
    pub version: VersionReq,
    /// The component's file in the project. Absent: the plugin is one that is installed or built in.
    pub path: Option<Spanned<ProjectPath>>,
}

/// What steps of this project can have at the most. The default allows everything inside the project folder, and
/// nothing outside.
#[derive(Clone, PartialEq, Debug)]
pub struct Policy {
    /// What steps may be granted for reading.
    pub read: Vec<ProjectPath>,
    /// What steps may be granted for calling.
    pub http: Vec<Origin>,
    /// Headers that every step's requests to an origin get.
    pub credentials: Vec<Credential>,
    /// Secrets that pipelines may use, in configurations and in headers.
    pub secrets: Vec<String>,
    /// The endpoints that steps may be granted; those of the project where its file names no others.
    pub endpoints: Vec<String>,
    /// Bytes.
    pub memory: Option<u64>,
    pub timeout: Option<Duration>,
}

impl Default for Policy {
    fn default() -> Self {
        Self {
            read: vec![ProjectPath::root()],
            http: Vec::new(),
            credentials: Vec::new(),
            secrets: Vec::new(),
            endpoints: Vec::new(),
            memory: None,
            timeout: None,
        }
    }
}

/// Reads a project file. `file` is its name as the user knows it, for messages. Errors: every mistake in the file, each
/// with its place; broken YAML is one mistake.
pub fn parse_project(file: &str, text: &str) -> Result<Project, Diagnostics> {
    let source = Source::new(file, text);
    let root = yaml::parse(&source)?;
    let mut reader = Reader::new(&source);
    let project = read(&mut reader, &root, &source);
    Diagnostics::check(reader.finish())?;
    Ok(project.expect("what could not be read has been reported"))
}

fn read(reader: &mut Reader<'_>, root: &Node, source: &Source) -> Option<Project> {
    let fields = reader.fields(root, "a project", root.span, keys::PROJECT)?;
    let name = fields.get("project").and_then(|node| read_name(reader, node, "project"));
    let description = fields.get("description").and_then(|node| reader.text(node, "`description`")).map(str::to_owned);
    let plugins = fields.get("plugins").and_then(|node| reader.entries(node, "`plugins`")).unwrap_or_default();
    let plugins = plugins.iter().filter_map(|entry| read_plugin(reader, entry)).collect();
    // By the file's keys: an endpoint with a mistake in it is not unknown as well.
    let entries = fields.get("endpoints").and_then(|node| reader.entries(node, "`endpoints`")).unwrap_or_default();
    let names: Vec<&str> = entries.iter().map(|entry| entry.key.as_str()).collect();
    let endpoints = entries.iter().filter_map(|entry| endpoint::read(reader, entry)).collect();
    let monitors = fields.get("monitors").and_then(|node| reader.entries(node, "`monitors`")).unwrap_or_default();
    let monitors = monitors.iter().filter_map(|entry| read_monitor(reader, entry, &names)).collect();
    let schedules = fields.get("schedules").and_then(|node| reader.entries(node, "`schedules`")).unwrap_or_default();
    let schedules = schedules.iter().filter_map(|entry| schedule::read(reader, entry)).collect();
    let policy = fields.entry("policy");
    let policy = policy
        .and_then(|entry| read_policy(reader, entry, &names))
        .unwrap_or_else(|| Policy { endpoints: owned(&names), ..Policy::default() });
    let triggers = fields.get("triggers").and_then(|node| reader.entries(node, "`triggers`")).unwrap_or_default();
    let triggers = triggers.iter().filter_map(|entry| trigger::read(reader, entry)).collect();
    let told = fields.get("notifications").and_then(|node| reader.entries(node, "`notifications`")).unwrap_or_default();
    let notifications = told.iter().filter_map(|entry| notification::read(reader, entry, &policy.http)).collect();
    let concurrency =
        fields.entry("concurrency").and_then(|entry| concurrency::read(reader, entry)).unwrap_or_default();
    let retention = fields.entry("retention").and_then(|entry| retention::read(reader, entry));
    let access = fields.entry("access").and_then(|entry| access::read(reader, entry)).unwrap_or_default();
    Some(Project {
        source: source.clone(),
        name: name?,
        description,
        plugins,
        policy,
        endpoints,
        monitors,
        schedules,
        triggers,
        notifications,
        concurrency,
        retention,
        access,
    })
}

fn owned(names: &[&str]) -> Vec<String> {
    names.iter().map(|name| (*name).to_owned()).collect()
}

fn read_monitor(reader: &mut Reader<'_>, entry: &Entry, endpoints: &[&str]) -> Option<MonitorConfig> {
    let monitor = monitor::read(reader, entry)?;
    let span = match &entry.node.value {
        NodeValue::Map(entries) => entries.iter().find(|entry| entry.key == "endpoint").map(|entry| entry.node.span),
        _ => None,
    };
    known_endpoint(reader, &monitor.endpoint, span.unwrap_or(entry.key_span), endpoints);
    Some(monitor)
}

/// Reports a name that is no endpoint of the file.
fn known_endpoint(reader: &mut Reader<'_>, name: &str, span: Span, endpoints: &[&str]) {
    if endpoints.contains(&name) {
        return;
    }
    let hint = match (suggest(name, endpoints.iter().copied()), endpoints) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, []) => format!("declare it: `endpoints: {{ {name}: {{ model: NAME@champion }} }}`"),
        (None, _) => format!("endpoints are {}", listed(endpoints.iter().copied())),
    };
    reader.problem_with_hint("unknown-endpoint", span, format!("there is no endpoint `{name}`"), hint);
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

fn read_policy(reader: &mut Reader<'_>, entry: &Entry, endpoints: &[&str]) -> Option<Policy> {
    let fields = reader.fields(&entry.node, "`policy`", entry.key_span, keys::POLICY)?;
    let mut policy = Policy { endpoints: owned(endpoints), ..Policy::default() };
    if let Some(node) = fields.get("http") {
        let items = read_http(reader, node);
        policy.http = items.origins.into_iter().map(|origin| origin.value).collect();
        policy.credentials = items.credentials.into_iter().map(|credential| credential.value).collect();
    }
    if let Some(node) = fields.get("secrets") {
        policy.secrets = read_secrets(reader, node).into_iter().map(|name| name.value).collect();
    }
    if let Some(node) = fields.get("endpoints") {
        policy.endpoints.clear();
        for node in one_or_many(node) {
            if let Some(name) = reader.text(node, "an item of `policy.endpoints`") {
                known_endpoint(reader, name, node.span, endpoints);
                policy.endpoints.push(name.to_owned());
            }
        }
    }
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
