//! Monitors: what watches an endpoint's traffic, and what is done about what it finds.

use std::collections::HashSet;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wasmlops_package::PluginRef;

use crate::config::pipeline::check_name;
use crate::config::reader::Reader;
use crate::config::reference::is_step_name;
use crate::config::step::{one_or_many, report_condition};
use crate::config::trigger::read_secret;
use crate::config::yaml::{Entry, Node, NodeValue};
use crate::config::{RuleCondition, Spanned, keys};

/// A monitor of the project file, with defaults filled in.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct MonitorConfig {
    pub name: Spanned<String>,
    pub uses: Spanned<PluginRef>,
    /// One of the project's endpoints.
    pub endpoint: String,
    pub window: WindowConfig,
    pub reference: Reference,
    /// The plugin's configuration, an object; not yet checked against its schema.
    pub with: Value,
    pub rules: Vec<Rule>,
}

/// The traffic that one look covers.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum WindowConfig {
    /// So many predictions.
    Rows(u64),
    /// The predictions of so long; fewer than `min_rows` are not judged.
    Time { length: Duration, min_rows: u64 },
    /// As many predictions as it takes for so many labels.
    Labels(u64),
}

/// What a window is compared with.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Reference {
    /// The rows that the model was trained on.
    Training,
    /// The window before.
    Previous,
}

/// What is done when a condition over findings holds.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Rule {
    /// Once in a monitor.
    pub name: String,
    pub when: RuleCondition,
    /// At least one, in this order.
    pub actions: Vec<Action>,
    /// How long the rule rests after it acted.
    pub cooldown: Duration,
    /// Absent: as many runs as the cool-down lets through.
    pub limit: Option<RunLimit>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Action {
    /// A line in the log and a row among the alerts.
    Alert,
    /// An alert that is posted to a URL.
    Webhook {
        url: String,
        /// The name of the secret that the message is signed with.
        #[serde(default, skip_serializing_if = "Option::is_none")]
        secret: Option<String>,
    },
    /// The canary's share stays as it is until a person goes on.
    PauseCanary,
    /// The release that the findings are about is taken back.
    Rollback,
    /// A pipeline is started.
    Run {
        pipeline: String,
        /// The parameter that gets the digest of the window's labelled rows.
        window_param: Option<String>,
        params: Map<String, Value>,
        /// How many of the window's rows must have a label before the run starts.
        labels: u64,
    },
}

/// At most so many runs in any such span of time.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct RunLimit {
    pub runs: u32,
    pub per: Duration,
}

/// Windows by time with fewer rows are not judged unless the file says otherwise.
const MIN_ROWS: u64 = 100;

const COOLDOWN: Duration = Duration::from_secs(600);

/// Reads one entry of `monitors`.
pub(super) fn read(reader: &mut Reader<'_>, entry: &Entry) -> Option<MonitorConfig> {
    check_name(reader, entry, "monitor");
    let what = format!("monitor `{}`", entry.key);
    let fields = reader.fields(&entry.node, &what, entry.key_span, keys::MONITOR)?;
    let uses = fields.get("uses").and_then(|node| reader.parsed(node, "`uses`", "invalid-plugin", str::parse));
    let endpoint = fields.get("endpoint").and_then(|node| reader.text(node, "`endpoint`"));
    let window = fields.entry("window").and_then(|entry| read_window(reader, entry));
    let reference = fields.get("reference").and_then(|node| read_reference(reader, node));
    let with = fields.get("with").filter(|node| reader.entries(node, "`with`").is_some()).map(Node::to_json);
    let rules = fields.get("rules").and_then(|node| reader.items(node, "`rules`")).unwrap_or_default();
    let rules: Vec<_> = rules.iter().filter_map(|node| read_rule(reader, node)).collect();
    let mut names = HashSet::new();
    for (name, node) in rules.iter().map(|(rule, node)| (&rule.name, node)) {
        if !names.insert(name.as_str()) {
            reader.problem("wrong-value", node.span, format!("{what} has two rules `{name}`"));
        }
    }
    if let Some(node) = fields.get("description") {
        reader.text(node, "`description`");
    }
    // Last, so that whatever else is wrong with the monitor has been said.
    Some(MonitorConfig {
        name: Spanned::new(entry.key.clone(), entry.key_span),
        uses: uses?,
        endpoint: endpoint?.to_owned(),
        window: window?,
        reference: reference.unwrap_or(Reference::Training),
        with: with.unwrap_or_else(|| Value::Object(Map::new())),
        rules: rules.into_iter().map(|(rule, _)| rule).collect(),
    })
}

fn read_window(reader: &mut Reader<'_>, entry: &Entry) -> Option<WindowConfig> {
    let fields = reader.fields(&entry.node, "`window`", entry.key_span, keys::WINDOW)?;
    let rows = fields.get("rows").map(|node| reader.count(node, "`rows`", 1..=u64::MAX));
    let time = fields.get("time").map(|node| reader.duration(node, "`time`"));
    let min_rows = fields.entry("min_rows").map(|entry| (entry, reader.count(&entry.node, "`min_rows`", 1..=u64::MAX)));
    if let Some(node) = fields.get("labels") {
        if rows.is_some() || time.is_some() || min_rows.is_some() {
            reader.problem("wrong-value", entry.key_span, "a window by `labels` has nothing else");
        }
        return reader.count(node, "`labels`", 1..=u64::MAX).map(WindowConfig::Labels);
    }
    let hint = "write `{ rows: 200 }`, `{ time: 1h, min_rows: 100 }` or `{ labels: 100 }`";
    match (rows, time, min_rows) {
        (Some(rows), None, None) => rows.map(WindowConfig::Rows),
        (None, Some(length), min_rows) => {
            let min_rows = min_rows.map_or(Some(MIN_ROWS), |(_, rows)| rows);
            Some(WindowConfig::Time { length: length?, min_rows: min_rows? })
        }
        (Some(_), None, Some((entry, _))) => {
            let message = "a window of so many `rows` has no `min_rows`";
            reader.problem_with_hint("wrong-value", entry.key_span, message, "remove it, or write `time` for `rows`");
            None
        }
        (rows, _, _) => {
            let which =
                if rows.is_some() { "either by `rows` or by `time`, not both" } else { "by `rows` or by `time`" };
            reader.problem_with_hint("wrong-value", entry.key_span, format!("a window is {which}"), hint);
            None
        }
    }
}

fn read_reference(reader: &mut Reader<'_>, node: &Node) -> Option<Reference> {
    match reader.text(node, "`reference`")? {
        "training" => Some(Reference::Training),
        "previous" => Some(Reference::Previous),
        other => {
            let message = format!("`{other}` is not a reference");
            reader.problem_with_hint("wrong-value", node.span, message, "write `training` or `previous`");
            None
        }
    }
}

fn read_rule<'n>(reader: &mut Reader<'_>, node: &'n Node) -> Option<(Rule, &'n Node)> {
    let fields = reader.fields(node, "a rule", node.span, keys::RULE)?;
    let name = fields.get("name").and_then(|node| Some((node, reader.text(node, "`name`")?.to_owned())));
    if let Some((node, name)) = name.as_ref().filter(|(_, name)| !is_step_name(name)) {
        let message = format!("`{name}` cannot name a rule: expected lower-case letters, digits, `_` and `-`");
        reader.problem("invalid-name", node.span, message);
    }
    let when = fields.get("when").and_then(|node| read_when(reader, node));
    let actions = fields.get("do").map(|node| read_actions(reader, node));
    let cooldown = fields.get("cooldown").and_then(|node| reader.duration(node, "`cooldown`"));
    let limit = fields.entry("limit").and_then(|entry| read_limit(reader, entry));
    let rule = Rule { name: name?.1, when: when?, actions: actions?, cooldown: cooldown.unwrap_or(COOLDOWN), limit };
    Some((rule, node))
}

fn read_when(reader: &mut Reader<'_>, node: &Node) -> Option<RuleCondition> {
    let text = match &node.value {
        NodeValue::Bool(value) => value.to_string(),
        _ => reader.text(node, "`when`")?.to_owned(),
    };
    RuleCondition::parse(&text).map_err(|problems| report_condition(reader, node.span, &text, problems)).ok()
}

fn read_limit(reader: &mut Reader<'_>, entry: &Entry) -> Option<RunLimit> {
    let fields = reader.fields(&entry.node, "`limit`", entry.key_span, keys::LIMIT)?;
    let runs = fields.get("runs").and_then(|node| reader.count(node, "`runs`", 1..=u64::from(u32::MAX)));
    let per = fields.get("per").and_then(|node| reader.duration(node, "`per`"));
    Some(RunLimit { runs: u32::try_from(runs?).ok()?, per: per? })
}

fn read_actions(reader: &mut Reader<'_>, node: &Node) -> Vec<Action> {
    let nodes = one_or_many(node);
    if nodes.is_empty() {
        reader.problem_with_hint("wrong-value", node.span, "the rule does nothing", "write `do: alert`");
    }
    nodes.iter().filter_map(|node| read_action(reader, node)).collect()
}

fn read_action(reader: &mut Reader<'_>, node: &Node) -> Option<Action> {
    let hint = "write `alert`, `pause-canary`, `rollback`, `{ webhook: URL }` or `{ run: PIPELINE }`";
    let has = |entries: &[Entry], name: &str| entries.iter().any(|entry| entry.key == name);
    match &node.value {
        NodeValue::Text(text) => match text.as_str() {
            "alert" => Some(Action::Alert),
            "pause-canary" => Some(Action::PauseCanary),
            "rollback" => Some(Action::Rollback),
            other => {
                let message = format!("`{other}` is nothing that a rule can do");
                reader.problem_with_hint("wrong-value", node.span, message, hint);
                None
            }
        },
        NodeValue::Map(entries) if has(entries, "webhook") => {
            let fields = reader.fields(node, "`webhook`", node.span, keys::WEBHOOK)?;
            let url = reader.parsed(fields.get("webhook")?, "`webhook`", "wrong-value", webhook)?;
            let secret = match fields.get("secret") {
                Some(node) => Some(read_secret(reader, node)?),
                None => None,
            };
            Some(Action::Webhook { url: url.value, secret })
        }
        NodeValue::Map(entries) if has(entries, "run") => read_run(reader, node),
        _ => {
            let message = format!("{} is nothing that a rule can do", node.describe());
            reader.problem_with_hint("wrong-value", node.span, message, hint);
            None
        }
    }
}

fn read_run(reader: &mut Reader<'_>, node: &Node) -> Option<Action> {
    let fields = reader.fields(node, "`run`", node.span, keys::RUN)?;
    let mut name = |key: &str| {
        let node = fields.get(key)?;
        let text = reader.text(node, &format!("`{key}`"))?;
        if !is_step_name(text) {
            let what = if key == "run" { "pipeline" } else { "parameter" };
            reader.problem("invalid-name", node.span, format!("`{text}` is not the name of a {what}"));
        }
        Some(text.to_owned())
    };
    let (pipeline, window_param) = (name("run"), name("window"));
    let mut params = Map::new();
    for entry in fields.get("params").and_then(|node| reader.entries(node, "`params`")).unwrap_or_default() {
        match entry.node.value {
            NodeValue::Bool(_) | NodeValue::Number(_) | NodeValue::Text(_) => {
                params.insert(entry.key.clone(), entry.node.to_json());
            }
            _ => reader.wrong_type(&entry.node, &format!("parameter `{}`", entry.key), "text, a number or a boolean"),
        }
    }
    let labels = fields.get("labels").and_then(|node| reader.count(node, "`labels`", 1..=u64::MAX)).unwrap_or(1);
    Some(Action::Run { pipeline: pipeline?, window_param, params, labels })
}

/// A URL that can be posted to. Where it leads is for the broker to judge.
pub(super) fn webhook(text: &str) -> Result<String, String> {
    let rest = text.strip_prefix("https://").or_else(|| text.strip_prefix("http://"));
    let end = rest.map(|rest| rest.find(['/', '?', '#']).unwrap_or(rest.len()));
    let origin = rest.zip(end).map(|(rest, end)| &text[..text.len() - rest.len() + end]);
    match origin.is_some_and(|origin| origin.parse::<crate::config::Origin>().is_ok())
        && !text.contains(|c: char| c.is_control() || c.is_whitespace())
    {
        true => Ok(text.to_owned()),
        false => Err(format!("`{text}` is not a URL: expected one such as `https://example.org/alerts`")),
    }
}
