//! Triggers: what starts a pipeline without a person and without a time.

use serde_json::Value;

use crate::config::pipeline::{check_name, read_name};
use crate::config::reader::{Fields, Reader};
use crate::config::reference::is_step_name;
use crate::config::yaml::{Entry, Node, NodeValue};
use crate::config::{ModelRef, OutputReference, Selector, Spanned, is_secret_name, keys};
use crate::event::{Glob, ParamTemplate};

/// A trigger of the project file.
#[derive(Clone, PartialEq, Debug)]
pub struct TriggerConfig {
    pub name: Spanned<String>,
    /// The pipeline that is started; whether there is such a one is not known here.
    pub pipeline: Spanned<String>,
    pub cause: Cause,
    /// By name, in the order of the file.
    pub params: Vec<(String, ParamValue)>,
    /// From -100 to 100.
    pub priority: i32,
    pub description: Option<String>,
}

/// What a trigger waits for.
#[derive(Clone, PartialEq, Debug)]
pub enum Cause {
    /// A message to the trigger's own path, signed with the secret of this name.
    Webhook { style: WebhookStyle, secret: String },
    /// An event from outside.
    Event { kind: Glob, source: Option<Glob>, subject: Option<Glob> },
    /// The alias names another version than before.
    Alias { model: String, alias: String },
    /// The model has a new version.
    Version { model: String },
    /// A run of the pipeline made an output with other bytes than the run before; the text is `PIPELINE/STEP.OUTPUT`.
    Dataset(String),
    /// A run of the pipeline has succeeded.
    Succeeded { pipeline: String },
}

impl Cause {
    /// The key that it stands under in the project file.
    pub fn as_str(&self) -> &'static str {
        match self {
            Cause::Webhook { .. } => "webhook",
            Cause::Event { .. } => "event",
            Cause::Alias { .. } => "alias",
            Cause::Version { .. } => "version",
            Cause::Dataset(_) => "dataset",
            Cause::Succeeded { .. } => "succeeded",
        }
    }
}

/// How the sender of a webhook signs, see [`crate::event::Signature`].
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum WebhookStyle {
    Generic,
    Github,
}

/// The value of a parameter.
#[derive(Clone, PartialEq, Debug)]
pub enum ParamValue {
    Fixed(Value),
    /// Taken from the event.
    Template(ParamTemplate),
}

/// The keys that say what a trigger waits for.
const CAUSES: [&str; 6] = ["webhook", "event", "alias", "version", "dataset", "succeeded"];

/// Reads one entry of `triggers`.
pub(super) fn read(reader: &mut Reader<'_>, entry: &Entry) -> Option<TriggerConfig> {
    check_name(reader, entry, "trigger");
    let what = format!("trigger `{}`", entry.key);
    let fields = reader.fields(&entry.node, &what, entry.key_span, keys::TRIGGER)?;
    let pipeline = fields.get("pipeline").and_then(|node| read_name(reader, node, "pipeline"));
    let cause = read_cause(reader, &fields, &what, entry);
    let params = fields.get("params").and_then(|node| reader.entries(node, "`params`")).unwrap_or_default();
    let params = params.iter().filter_map(|entry| read_param(reader, entry)).collect();
    let priority = fields.get("priority").and_then(|node| read_priority(reader, node));
    let description = fields.get("description").and_then(|node| reader.text(node, "`description`")).map(str::to_owned);
    Some(TriggerConfig {
        name: Spanned::new(entry.key.clone(), entry.key_span),
        pipeline: pipeline?,
        cause: cause?,
        params,
        priority: priority.unwrap_or(0),
        description,
    })
}

fn read_cause(reader: &mut Reader<'_>, fields: &Fields<'_>, what: &str, entry: &Entry) -> Option<Cause> {
    let given: Vec<&Entry> = CAUSES.iter().filter_map(|name| fields.entry(name)).collect();
    match given.as_slice() {
        [] => {
            let hint = "write `webhook`, `event`, `alias`, `version`, `dataset` or `succeeded`";
            let message = format!("{what} says nothing that starts it");
            reader.problem_with_hint("missing-key", entry.key_span, message, hint);
        }
        [_] => {}
        [first, others @ ..] => {
            for other in others {
                let message = format!("{what} has both `{}` and `{}`", first.key, other.key);
                reader.problem_with_hint("wrong-value", other.key_span, message, "write a trigger for each");
            }
        }
    }
    // Each is read, so that all mistakes are known.
    let causes: Vec<Option<Cause>> = given.into_iter().map(|entry| read_one(reader, entry)).collect();
    causes.into_iter().next().flatten()
}

fn read_one(reader: &mut Reader<'_>, entry: &Entry) -> Option<Cause> {
    let node = &entry.node;
    match entry.key.as_str() {
        "webhook" => read_webhook(reader, entry),
        "event" => read_event(reader, entry),
        "alias" => {
            let alias = reader.parsed(node, "`alias`", "invalid-reference", alias)?.value;
            Some(Cause::Alias { model: alias.0, alias: alias.1 })
        }
        "version" => Some(Cause::Version { model: read_name(reader, node, "model")?.value }),
        "dataset" => Some(Cause::Dataset(reader.parsed(node, "`dataset`", "invalid-reference", dataset)?.value)),
        _ => Some(Cause::Succeeded { pipeline: read_name(reader, node, "pipeline")?.value }),
    }
}

fn read_webhook(reader: &mut Reader<'_>, entry: &Entry) -> Option<Cause> {
    let fields = reader.fields(&entry.node, "`webhook`", entry.key_span, keys::HOOK)?;
    let style = match fields.get("style") {
        None => Some(WebhookStyle::Generic),
        Some(node) => match reader.text(node, "`style`") {
            Some("generic") => Some(WebhookStyle::Generic),
            Some("github") => Some(WebhookStyle::Github),
            Some(other) => {
                let message = format!("`{other}` is no way to sign a webhook");
                reader.problem_with_hint("wrong-value", node.span, message, "write `generic` or `github`");
                None
            }
            None => None,
        },
    };
    let secret = fields.get("secret").and_then(|node| read_secret(reader, node));
    Some(Cause::Webhook { style: style?, secret: secret? })
}

fn read_event(reader: &mut Reader<'_>, entry: &Entry) -> Option<Cause> {
    let fields = reader.fields(&entry.node, "`event`", entry.key_span, keys::EVENT)?;
    let mut glob = |key: &str| read_glob(reader, fields.get(key)?, &format!("`{key}`"));
    let (kind, source, subject) = (glob("type"), glob("source"), glob("subject"));
    Some(Cause::Event { kind: kind?, source, subject })
}

/// A pattern over an attribute.
pub(super) fn read_glob(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Glob> {
    let text = reader.text(node, what)?;
    if text.is_empty() || text.len() > 1024 {
        reader.problem("wrong-value", node.span, format!("{what} must have 1 to 1024 bytes"));
        return None;
    }
    Some(Glob::new(text))
}

/// The name of a secret.
pub(super) fn read_secret(reader: &mut Reader<'_>, node: &Node) -> Option<String> {
    let name = reader.text(node, "`secret`")?;
    if is_secret_name(name) {
        return Some(name.to_owned());
    }
    // What stands here may be a secret itself: it is not repeated.
    let message = "`secret` is not the name of a secret: expected a letter, then letters, digits, `_` and `-`";
    let hint = "keep the secret with `wasmlops secret set NAME`, and write the name here";
    reader.problem_with_hint("invalid-name", node.span, message, hint);
    None
}

fn read_param(reader: &mut Reader<'_>, entry: &Entry) -> Option<(String, ParamValue)> {
    check_name(reader, entry, "parameter");
    let what = format!("parameter `{}`", entry.key);
    let value = match &entry.node.value {
        NodeValue::Text(text) if text.contains("${{") => {
            ParamValue::Template(reader.parsed(&entry.node, &what, "invalid-expression", str::parse)?.value)
        }
        NodeValue::Bool(_) | NodeValue::Number(_) | NodeValue::Text(_) => ParamValue::Fixed(entry.node.to_json()),
        _ => {
            reader.wrong_type(&entry.node, &what, "text, a number or a boolean");
            return None;
        }
    };
    Some((entry.key.clone(), value))
}

fn read_priority(reader: &mut Reader<'_>, node: &Node) -> Option<i32> {
    let number = node.to_json().as_i64().filter(|number| (-100..=100).contains(number));
    if number.is_none() {
        reader.wrong_type(node, "`priority`", "a whole number from -100 to 100");
    }
    number.and_then(|number| i32::try_from(number).ok())
}

fn alias(text: &str) -> Result<(String, String), String> {
    match text.parse::<ModelRef>().map_err(|error| error.to_string())? {
        ModelRef { name, selector: Selector::Alias(alias) } => Ok((name, alias)),
        ModelRef { .. } => Err(format!("`{text}` is a version, which never changes: expected `NAME@ALIAS`")),
    }
}

fn dataset(text: &str) -> Result<String, String> {
    let wrong = || {
        let text: String = text.chars().take(200).collect();
        format!("`{text}` is not an output of a pipeline: expected `PIPELINE/STEP.OUTPUT`")
    };
    let (pipeline, output) = text.split_once('/').ok_or_else(wrong)?;
    if !is_step_name(pipeline) {
        return Err(wrong());
    }
    // Written as it is elsewhere, so that equal outputs are equal texts.
    let OutputReference { step, output } = output.parse().map_err(|_| wrong())?;
    Ok(format!("{pipeline}/{step}.{output}"))
}
