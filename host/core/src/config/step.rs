//! Steps as the pipeline file writes them.

mod limits;
mod special;

use std::collections::BTreeMap;
use std::time::Duration;

use serde::{Deserialize, Serialize};
use serde_json::Value;
use wasmlops_package::{Kind, PluginRef};

use crate::config::expression::templates;
use crate::config::reader::{Fields, Reader};
use crate::config::reference::{OutputReference, StepReference, is_step_name};
use crate::config::secret::{read_http, read_secrets};
use crate::config::when::{When, WhenProblem};
use crate::config::yaml::{Entry, Node, NodeValue};
use crate::config::{Credential, Origin, ProjectPath, Spanned, keys, parse_duration};
use crate::diagnostics::{Source, Span};

use limits::read_limits;

pub use limits::LimitChoices;
pub(crate) use special::hidden;
pub use special::{BuiltInStep, ModelInput, ModelSource};

/// A step, before anything is known of its plugin.
#[derive(Clone, PartialEq, Debug)]
pub struct Step {
    pub name: Spanned<String>,
    /// Of a built-in step the word `model`, `artifact` or `approval`.
    pub uses: Spanned<PluginRef>,
    /// `uses` as written.
    pub uses_text: String,
    /// Absent for the steps that run a plugin.
    pub built_in: Option<BuiltInStep>,
    pub kind: Option<Spanned<Kind>>,
    /// A map; its texts may hold expressions, all well-formed.
    pub with: Option<Entry>,
    pub inputs: Vec<Input>,
    /// Inputs that registered models feed.
    pub models: Vec<ModelInput>,
    pub needs: Vec<Spanned<StepReference>>,
    pub when: Option<Spanned<When>>,
    /// Empty: no matrix of its own.
    pub matrix: Vec<Axis>,
    pub retry: Retry,
    pub limits: LimitChoices,
    /// Where each limit that the step sets stands.
    pub limit_spans: BTreeMap<String, Span>,
    pub grants: GrantChoices,
    pub strict: bool,
    pub cache: bool,
    pub description: Option<String>,
}

/// An input and the output that feeds it.
#[derive(Clone, PartialEq, Debug)]
pub struct Input {
    pub name: Spanned<String>,
    pub from: Spanned<OutputReference>,
}

/// A name of a matrix with its values: scalars, none twice.
#[derive(Clone, PartialEq, Debug)]
pub struct Axis {
    pub name: Spanned<String>,
    pub values: Vec<Value>,
}

/// What the pipeline grants a step.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct GrantChoices {
    /// Files and folders.
    pub read: Vec<Spanned<ProjectPath>>,
    pub http: Vec<Spanned<Origin>>,
    pub endpoints: Vec<Spanned<String>>,
    /// Headers with secrets in them; their origins stand under `http` as well.
    pub credentials: Vec<Spanned<Credential>>,
    /// Secrets that the configuration may name.
    pub secrets: Vec<Spanned<String>>,
}

/// How often and at what distance a step is tried.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Retry {
    /// The first attempt included.
    pub attempts: u32,
    /// Before the second attempt.
    pub backoff: Duration,
    /// How much longer each wait is than the one before.
    pub factor: f64,
    pub max: Duration,
}

impl Default for Retry {
    /// One attempt.
    fn default() -> Self {
        Self { attempts: 1, backoff: Duration::from_secs(1), factor: 2.0, max: Duration::from_secs(60) }
    }
}

/// Reads one entry of `steps`.
pub(super) fn read(reader: &mut Reader<'_>, entry: &Entry) -> Option<Step> {
    let what = format!("step `{}`", entry.key);
    if let Some(built_in) = special::which(entry) {
        return special::read(reader, entry, built_in);
    }
    let fields = reader.fields(&entry.node, &what, entry.key_span, keys::STEP)?;
    let (inputs, models) = read_inputs(reader, &fields, &what);
    let uses = fields.get("uses");
    let plugin = uses.and_then(|node| reader.parsed(node, "`uses`", "invalid-plugin", str::parse::<PluginRef>));
    let (limits, limit_spans) = read_limits(reader, &fields);
    Some(Step {
        name: Spanned::new(entry.key.clone(), entry.key_span),
        kind: fields.get("kind").and_then(|node| reader.parsed(node, "`kind`", "invalid-kind", str::parse::<Kind>)),
        with: fields.entry("with").and_then(|with| read_with(reader, with)),
        built_in: None,
        inputs,
        models,
        needs: read_needs(reader, &fields),
        when: fields.get("when").and_then(|node| read_when(reader, node)),
        matrix: read_matrix(reader, &fields, &what),
        retry: fields.entry("retry").and_then(|entry| read_retry(reader, entry)).unwrap_or_default(),
        limits,
        limit_spans,
        grants: read_grants(reader, &fields),
        strict: fields.get("strict").and_then(|node| reader.boolean(node, "`strict`")).unwrap_or(false),
        cache: fields.get("cache").and_then(|node| reader.boolean(node, "`cache`")).unwrap_or(true),
        description: fields.get("description").and_then(|node| reader.text(node, "`description`")).map(str::to_owned),
        // Last, so that whatever else is wrong with the step has been said.
        uses_text: uses.and_then(text_of)?,
        uses: plugin?,
    })
}

fn text_of(node: &Node) -> Option<String> {
    match &node.value {
        NodeValue::Text(text) => Some(text.clone()),
        _ => None,
    }
}

fn read_with(reader: &mut Reader<'_>, with: &Entry) -> Option<Entry> {
    reader.entries(&with.node, "`with`")?;
    for (span, template) in templates(&with.node) {
        if let Err(error) = template {
            let hint = "write `${{ params.NAME }}` or `${{ matrix.NAME }}`";
            reader.problem_with_hint("invalid-expression", span, error.to_string(), hint);
        }
    }
    Some(with.clone())
}

fn read_inputs(reader: &mut Reader<'_>, fields: &Fields<'_>, what: &str) -> (Vec<Input>, Vec<ModelInput>) {
    let (mut inputs, mut models) = (Vec::new(), Vec::new());
    let Some(node) = fields.get("inputs") else { return (inputs, models) };
    for entry in reader.entries(node, &format!("`inputs` of {what}")).unwrap_or_default() {
        let name = Spanned::new(entry.key.clone(), entry.key_span);
        if !is_step_name(&entry.key) {
            let message = format!(
                "`{}` is not the name of an input: expected lower-case letters, digits, `_` and `-`",
                entry.key
            );
            reader.problem("invalid-name", entry.key_span, message);
        } else if let NodeValue::Text(text) = &entry.node.value
            && let Some(from) = special::model_source(text)
        {
            match from {
                Ok(from) => models.push(ModelInput { name, from: Spanned::new(from, entry.node.span) }),
                Err(error) => reader.problem("invalid-model", entry.node.span, error.to_string()),
            }
        } else {
            let what = format!("input `{}`", entry.key);
            let from = reader.parsed(&entry.node, &what, "invalid-reference", str::parse);
            inputs.extend(from.map(|from| Input { name, from }));
        }
    }
    (inputs, models)
}

fn read_needs(reader: &mut Reader<'_>, fields: &Fields<'_>) -> Vec<Spanned<StepReference>> {
    let nodes = fields.get("needs").map(one_or_many).unwrap_or_default();
    nodes.iter().filter_map(|node| reader.parsed(node, "an item of `needs`", "invalid-reference", str::parse)).collect()
}

pub(super) fn one_or_many(node: &Node) -> &[Node] {
    match &node.value {
        NodeValue::List(items) => items,
        _ => std::slice::from_ref(node),
    }
}

fn read_when(reader: &mut Reader<'_>, node: &Node) -> Option<Spanned<When>> {
    let text = match &node.value {
        NodeValue::Bool(value) => value.to_string(),
        _ => reader.text(node, "`when`")?.to_owned(),
    };
    match When::parse(&text) {
        Ok(when) => Some(Spanned::new(when, node.span)),
        Err(problems) => {
            report_condition(reader, node.span, &text, problems);
            None
        }
    }
}

/// Reports what is wrong with a condition whose text starts at `start`.
pub(super) fn report_condition(reader: &mut Reader<'_>, start: Span, text: &str, problems: Vec<WhenProblem>) {
    for WhenProblem { message, hint, offset } in problems {
        let span = span_inside(reader.source(), start, text, offset);
        match hint {
            Some(hint) => reader.problem_with_hint("invalid-when", span, message, hint),
            None => reader.problem("invalid-when", span, message),
        }
    }
}

/// The place `offset` characters into a text that starts at `start`. Where the file writes the text in another way
/// (escapes, several lines), the place of the text itself.
pub(crate) fn span_inside(source: &Source, start: Span, text: &str, offset: usize) -> Span {
    let rest: String = source.line(start.line).unwrap_or("").chars().skip(start.column as usize - 1).collect();
    let quote = usize::from(rest.starts_with(['"', '\'']));
    if rest.get(quote..).is_some_and(|rest| rest.starts_with(text)) {
        Span { line: start.line, column: start.column + u32::try_from(quote + offset).unwrap_or(0) }
    } else {
        start
    }
}

fn read_matrix(reader: &mut Reader<'_>, fields: &Fields<'_>, what: &str) -> Vec<Axis> {
    let Some(node) = fields.get("matrix") else { return Vec::new() };
    let entries = reader.entries(node, &format!("`matrix` of {what}")).unwrap_or_default();
    entries.iter().filter_map(|entry| read_axis(reader, entry)).collect()
}

fn read_axis(reader: &mut Reader<'_>, entry: &Entry) -> Option<Axis> {
    let what = format!("matrix value `{}`", entry.key);
    if !is_step_name(&entry.key) {
        let message =
            format!("`{}` cannot name a matrix value: expected lower-case letters, digits, `_` and `-`", entry.key);
        reader.problem("invalid-name", entry.key_span, message);
    }
    let items = reader.items(&entry.node, &what)?;
    if items.is_empty() {
        reader.problem("wrong-value", entry.node.span, format!("{what} has no values"));
    }
    let mut values = Vec::new();
    for item in items {
        let value = item.to_json();
        if !matches!(item.value, NodeValue::Bool(_) | NodeValue::Number(_) | NodeValue::Text(_)) {
            reader.wrong_type(item, &format!("an item of {what}"), "text, a number or a boolean");
        } else if values.contains(&value) {
            reader.problem("wrong-value", item.span, format!("{what} has {} twice", item.describe()));
        } else {
            values.push(value);
        }
    }
    Some(Axis { name: Spanned::new(entry.key.clone(), entry.key_span), values })
}

fn read_retry(reader: &mut Reader<'_>, entry: &Entry) -> Option<Retry> {
    let fields = reader.fields(&entry.node, "`retry`", entry.key_span, keys::RETRY)?;
    let mut retry = Retry::default();
    if let Some(node) = fields.get("attempts") {
        match node.to_json().as_u64().and_then(|n| u32::try_from(n).ok()).filter(|n| (1..=100).contains(n)) {
            Some(attempts) => retry.attempts = attempts,
            None => reader.wrong_type(node, "`attempts`", "a whole number from 1 to 100"),
        }
    }
    if let Some(node) = fields.get("factor") {
        match node.to_json().as_f64().filter(|factor| (1.0..=100.0).contains(factor)) {
            Some(factor) => retry.factor = factor,
            None => reader.wrong_type(node, "`factor`", "a number from 1 to 100"),
        }
    }
    let mut wait = |name| {
        let node = fields.get(name)?;
        reader.parsed(node, &format!("`{name}`"), "wrong-value", parse_duration).map(|wait| wait.value)
    };
    retry.backoff = wait("backoff").unwrap_or(retry.backoff);
    retry.max = wait("max").unwrap_or(retry.max).max(retry.backoff);
    Some(retry)
}

fn read_grants(reader: &mut Reader<'_>, fields: &Fields<'_>) -> GrantChoices {
    let Some(entry) = fields.entry("grants") else {
        return GrantChoices::default();
    };
    let Some(grants) = reader.fields(&entry.node, "`grants`", entry.key_span, keys::GRANTS) else {
        return GrantChoices::default();
    };
    let http = grants.get("http").map(|node| read_http(reader, node)).unwrap_or_default();
    GrantChoices {
        read: grants.get("read").map(|node| read_paths(reader, node)).unwrap_or_default(),
        http: http.origins,
        credentials: http.credentials,
        secrets: grants.get("secrets").map(|node| read_secrets(reader, node)).unwrap_or_default(),
        endpoints: grants.get("endpoints").map(|node| read_endpoints(reader, node)).unwrap_or_default(),
    }
}

fn read_endpoints(reader: &mut Reader<'_>, node: &Node) -> Vec<Spanned<String>> {
    let name = |text: &str| match is_step_name(text) {
        true => Ok(text.to_owned()),
        false => Err(format!("`{text}` is not the name of an endpoint")),
    };
    let parse = |reader: &mut Reader<'_>, node| reader.parsed(node, "an item of `endpoints`", "invalid-name", name);
    one_or_many(node).iter().filter_map(|node| parse(reader, node)).collect()
}

/// One path or a list of them.
pub(super) fn read_paths(reader: &mut Reader<'_>, node: &Node) -> Vec<Spanned<ProjectPath>> {
    let parse = |reader: &mut Reader<'_>, node| reader.parsed(node, "a path under `read`", "invalid-path", str::parse);
    one_or_many(node).iter().filter_map(|node| parse(reader, node)).collect()
}
