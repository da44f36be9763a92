//! Steps without a plugin: `model:` registers what a trainer made, `artifact:` brings in what is there already,
//! `approval:` asks a person, `search:` runs a pipeline again and again.
//!
//! What they are told becomes a configuration, so that the graph treats them like any other step.

use wasmlops_package::PluginRef;

use super::{GrantChoices, LimitChoices, Retry, Step, read_inputs, read_needs, read_when, read_with};
use crate::config::reader::{Fields, Reader};
use crate::config::reference::is_step_name;
use crate::config::yaml::{Entry, Node, NodeValue};
use crate::config::{ModelRef, ModelRefError, Selector, Spanned, keys, param};

/// What a step without a plugin does.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum BuiltInStep {
    /// Registers a model.
    Model,
    /// Brings in an artifact.
    Artifact,
    /// Waits for a person's decision.
    Approval,
    /// Runs another pipeline with many values of its parameters, and takes the best.
    Search,
}

/// An input that a registered model feeds.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct ModelInput {
    pub name: Spanned<String>,
    pub from: Spanned<ModelSource>,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub enum ModelSource {
    /// `NAME@ALIAS` or `NAME@3`.
    Model(ModelRef),
    /// An alias of the one model that the pipeline registers.
    Alias(String),
}

/// Reads a step with the key `model`, `artifact`, `approval` or `search` and no `uses`. `None` where it is another step,
/// or not to be read.
pub(super) fn which(entry: &Entry) -> Option<BuiltInStep> {
    let NodeValue::Map(entries) = &entry.node.value else { return None };
    let has = |name: &str| entries.iter().any(|entry| entry.key == name);
    match () {
        () if has("uses") => None,
        () if has("model") => Some(BuiltInStep::Model),
        () if has("artifact") => Some(BuiltInStep::Artifact),
        () if has("approval") => Some(BuiltInStep::Approval),
        () if has("search") => Some(BuiltInStep::Search),
        () => None,
    }
}

pub(super) fn read(reader: &mut Reader<'_>, entry: &Entry, built_in: BuiltInStep) -> Option<Step> {
    let what = format!("step `{}`", entry.key);
    let (known, own, as_options) = match built_in {
        BuiltInStep::Model => (keys::MODEL_STEP, "model", ["model", "alias", "tags", "notes"].as_slice()),
        BuiltInStep::Artifact => (keys::ARTIFACT_STEP, "artifact", ["artifact", "as"].as_slice()),
        BuiltInStep::Approval => (keys::APPROVAL_STEP, "approval", ["approval", "role", "expires", "form"].as_slice()),
        BuiltInStep::Search => (keys::SEARCH_STEP, "search", ["search"].as_slice()),
    };
    let fields = reader.fields(&entry.node, &what, entry.key_span, known)?;
    // An empty value means nothing to bring in; any other key without a value counts as absent.
    let span = fields.entry(own).map_or(entry.key_span, |entry| entry.node.span);
    let mut options = options(entry, &fields, as_options);
    if built_in == BuiltInStep::Search {
        read_search(reader, &fields, &mut options);
    }
    let with = read_with(reader, &options)?;
    let (mut inputs, mut needs, mut when) = (Default::default(), Vec::new(), None);
    if built_in == BuiltInStep::Approval {
        read_question(reader, &fields, &what);
    }
    if built_in != BuiltInStep::Artifact {
        inputs = read_inputs(reader, &fields, &what);
        needs = read_needs(reader, &fields);
        when = fields.get("when").and_then(|node| read_when(reader, node));
    }
    let (inputs, models) = inputs;
    Some(Step {
        name: Spanned::new(entry.key.clone(), entry.key_span),
        uses: Spanned::new(reference(own), span),
        uses_text: own.to_owned(),
        built_in: Some(built_in),
        kind: None,
        with: Some(with),
        inputs,
        models,
        needs,
        when,
        matrix: Vec::new(),
        retry: Retry::default(),
        limits: LimitChoices::default(),
        limit_spans: Default::default(),
        grants: GrantChoices::default(),
        strict: false,
        cache: match built_in {
            BuiltInStep::Approval => false,
            BuiltInStep::Search => fields.get("cache").and_then(|node| reader.boolean(node, "`cache`")).unwrap_or(true),
            BuiltInStep::Model | BuiltInStep::Artifact => true,
        },
        description: fields.get("description").and_then(|node| reader.text(node, "`description`")).map(str::to_owned),
    })
}

/// Reports what is wrong with a question whatever its expressions stand for. It stays as it is written, for the step's
/// configuration.
fn read_question(reader: &mut Reader<'_>, fields: &Fields<'_>, what: &str) {
    for key in ["approval", "role", "expires"] {
        if let Some(node) = fields.get(key) {
            reader.text(node, &format!("`{key}`"));
        }
    }
    if let Some(form) = fields.get("form") {
        read_form(reader, form, what);
    }
}

/// What stands under `with` becomes the step's options, beside the name of the pipeline, which the file alone must say.
fn read_search(reader: &mut Reader<'_>, fields: &Fields<'_>, options: &mut Entry) {
    if let Some(node) = fields.get("search")
        && let Some(name) = reader.text(node, "`search`")
        && !is_step_name(name)
    {
        let shown: String = name.chars().take(100).collect();
        let message = format!("`{shown}` names no pipeline");
        let hint = "write the name of a file under `pipelines/`, without `.yaml` and without an expression";
        reader.problem_with_hint("invalid-name", node.span, message, hint);
    }
    let Some(with) = fields.get("with").and_then(|node| reader.entries(node, "`with`")) else { return };
    if let NodeValue::Map(all) = &mut options.node.value {
        all.extend(with.iter().filter(|option| option.key != "search").cloned());
    }
}

fn read_form(reader: &mut Reader<'_>, form: &Node, what: &str) {
    for field in reader.entries(form, &format!("`form` of {what}")).unwrap_or_default() {
        if !is_step_name(&field.key) {
            let message =
                format!("`{}` cannot name a field: expected lower-case letters, digits, `_` and `-`", field.key);
            reader.problem("invalid-name", field.key_span, message);
        }
        param::read_field(reader, field);
    }
}

/// The step that `NAME@ALIAS` at an input stands for.
pub(crate) fn hidden(name: &str, span: crate::diagnostics::Span) -> Step {
    let node = Node { value: NodeValue::Text(name.to_owned()), span };
    let from = Entry { key: "from".to_owned(), key_span: span, node };
    let with = Entry { key: "with".to_owned(), key_span: span, node: Node { value: NodeValue::Map(vec![from]), span } };
    Step {
        name: Spanned::new(name.to_owned(), span),
        uses: Spanned::new(reference("artifact"), span),
        uses_text: "artifact".to_owned(),
        built_in: Some(BuiltInStep::Artifact),
        kind: None,
        with: Some(with),
        inputs: Vec::new(),
        models: Vec::new(),
        needs: Vec::new(),
        when: None,
        matrix: Vec::new(),
        retry: Retry::default(),
        limits: LimitChoices::default(),
        limit_spans: Default::default(),
        grants: GrantChoices::default(),
        strict: false,
        cache: true,
        description: None,
    }
}

/// The keys of the step that are its configuration.
fn options(entry: &Entry, fields: &Fields<'_>, names: &[&str]) -> Entry {
    let option = |name: &&str| {
        let mut option = fields.entry(name)?.clone();
        match *name {
            "artifact" => "from".clone_into(&mut option.key),
            "approval" => "message".clone_into(&mut option.key),
            _ => {}
        }
        Some(option)
    };
    let value = NodeValue::Map(names.iter().filter_map(option).collect());
    Entry { key: "with".to_owned(), key_span: entry.key_span, node: Node { value, span: entry.node.span } }
}

fn reference(name: &str) -> PluginRef {
    name.parse().expect("a lower-case word names a plugin")
}

/// What an input says that is no `step.output`: a registered model, or the alias of one.
pub(super) fn model_source(text: &str) -> Option<Result<ModelSource, ModelRefError>> {
    if text.contains('@') && !text.contains(['[', '.']) {
        return Some(text.parse().map(ModelSource::Model));
    }
    match text.parse() {
        Ok(Selector::Alias(alias)) => Some(Ok(ModelSource::Alias(alias))),
        _ => None,
    }
}
