//! Pipeline files.

use crate::config::reader::Reader;
use crate::config::reference::is_step_name;
use crate::config::yaml::{Entry, Node, NodeValue};
use crate::config::{BuiltInStep, ModelSource, Param, Spanned, Step, keys, param, step, yaml};
use crate::diagnostics::{Diagnostics, Source};

/// A pipeline file that is well-formed in itself. References between steps, and all that plugins have a say in, are
/// checked by [`crate::graph::bind`].
#[derive(Clone, PartialEq, Debug)]
pub struct Pipeline {
    /// The file's name and text.
    pub source: Source,
    pub name: Spanned<String>,
    pub description: Option<String>,
    /// In the order of the file, as are the steps.
    pub params: Vec<Param>,
    pub steps: Vec<Step>,
}

impl Pipeline {
    /// The pipelines that its searches run, by name.
    pub fn searches(&self) -> impl Iterator<Item = &str> {
        let named = self.steps.iter().filter(|step| step.built_in == Some(BuiltInStep::Search));
        named.filter_map(|step| {
            let NodeValue::Map(options) = &step.with.as_ref()?.node.value else { return None };
            match &options.iter().find(|option| option.key == "search")?.node.value {
                NodeValue::Text(name) => Some(name.as_str()),
                _ => None,
            }
        })
    }

    pub fn param(&self, name: &str) -> Option<&Param> {
        self.params.iter().find(|param| param.name.value == name)
    }
}

/// Reads a pipeline file. `file` is its name as the user knows it, for messages. Errors: every mistake that the file
/// alone shows, each with its place; broken YAML is one mistake.
pub fn parse_pipeline(file: &str, text: &str) -> Result<Pipeline, Diagnostics> {
    let source = Source::new(file, text);
    let root = yaml::parse(&source)?;
    let mut reader = Reader::new(&source);
    let parts = read(&mut reader, &root);
    Diagnostics::check(reader.finish())?;
    let (name, description, params, steps) = parts.expect("what could not be read has been reported");
    Ok(Pipeline { source, name, description, params, steps })
}

type Parts = (Spanned<String>, Option<String>, Vec<Param>, Vec<Step>);

fn read(reader: &mut Reader<'_>, root: &Node) -> Option<Parts> {
    let fields = reader.fields(root, "a pipeline", root.span, keys::PIPELINE)?;
    let name = fields.get("pipeline").and_then(|node| read_name(reader, node, "pipeline"));
    let description = fields.get("description").and_then(|node| reader.text(node, "`description`")).map(str::to_owned);
    let params = fields.get("params").and_then(|node| reader.entries(node, "`params`")).unwrap_or_default();
    let params = params.iter().filter_map(|entry| {
        check_name(reader, entry, "parameter");
        param::read(reader, entry)
    });
    let params = params.collect();
    let entries = fields.get("steps").and_then(|node| reader.entries(node, "`steps`"));
    if let (Some([]), Some(node)) = (entries, fields.get("steps")) {
        reader.problem("missing-key", node.span, "a pipeline needs at least one step");
    }
    let steps = entries.unwrap_or_default().iter().filter_map(|entry| {
        check_name(reader, entry, "step");
        step::read(reader, entry)
    });
    let mut steps: Vec<Step> = steps.collect();
    refuse_bare_steps(reader, entries.unwrap_or_default(), &mut steps);
    Some((name?, description, params, steps))
}

/// Reports inputs that name a step where they should name an output; at an input such a name could be an alias.
fn refuse_bare_steps(reader: &mut Reader<'_>, entries: &[Entry], steps: &mut [Step]) {
    for step in steps {
        step.models.retain(|input| {
            let ModelSource::Alias(name) = &input.from.value else { return true };
            let is_step = entries.iter().any(|entry| entry.key == *name);
            if is_step {
                let message = format!("`{name}` is not an output: expected `step.output`, such as `split.train`");
                let hint = format!("`{name}` is a step: name one of its outputs");
                reader.problem_with_hint("invalid-reference", input.from.span, message, hint);
            }
            !is_step
        });
    }
}

/// The name of a pipeline or a project.
pub(super) fn read_name(reader: &mut Reader<'_>, node: &Node, what: &str) -> Option<Spanned<String>> {
    let name = reader.text(node, &format!("the name of the {what}"))?;
    if !is_step_name(name) {
        reader.problem("invalid-name", node.span, bad_name(name, what));
    }
    Some(Spanned::new(name.to_owned(), node.span))
}

pub(super) fn check_name(reader: &mut Reader<'_>, entry: &Entry, what: &str) {
    if !is_step_name(&entry.key) {
        reader.problem("invalid-name", entry.key_span, bad_name(&entry.key, what));
    }
}

fn bad_name(name: &str, what: &str) -> String {
    let name: String = name.chars().take(100).collect();
    let article = if what.starts_with(['a', 'e', 'i', 'o', 'u']) { "an" } else { "a" };
    format!(
        "`{name}` cannot name {article} {what}: expected a lower-case letter, then letters, digits, `_` and `-`, at most 64"
    )
}
