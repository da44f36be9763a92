//! A step's configuration: expressions filled in, and checked against the schema that the plugin publishes.

mod errors;
mod forms;

use std::collections::{BTreeMap, HashMap};

use jsonschema::Validator;
use serde_json::{Map, Value};
use wasmlops_package::Digest;

use crate::config::{Pipeline, Root, Step, fill, listed, secret_references, templates, with_stand_ins};
use crate::diagnostics::{Problems, Span, suggest};
use crate::graph::matrix::Axes;
use crate::graph::options::errors::explain;
use crate::graph::plugins::Chosen;
use crate::graph::{Mode, StepKind, built_in, grants, ports};

/// Checks configurations; keeps each plugin's compiled schema.
#[derive(Default)]
pub(super) struct Options {
    validators: HashMap<(Digest, StepKind), Option<Validator>>,
}

/// What a step is configured from.
pub(super) struct Sources<'a> {
    pub pipeline: &'a Pipeline,
    pub params: &'a Map<String, Value>,
    pub axes: &'a Axes,
    pub cells: &'a [Map<String, Value>],
}

impl Options {
    /// One configuration for each cell. Reports all that the plugin will not take; then the result is of no use.
    pub fn configure(
        &mut self,
        step: &Step,
        chosen: &Chosen<'_>,
        from: &Sources<'_>,
        problems: &mut Problems<'_>,
    ) -> Vec<Value> {
        let Some(references) = check_references(step, from, problems) else { return Vec::new() };
        let empty = Map::new();
        let config = |cell: &Map<String, Value>| match &step.with {
            Some(with) => fill(&with.node, from.params, cell),
            None => Value::Object(empty.clone()),
        };
        // Without `matrix` in it, the configuration of one cell is that of all.
        let different = if references.contains(&Root::Matrix) { from.cells.len() } else { 1 };
        let mut configs: Vec<_> = from.cells.iter().take(different).map(config).collect();
        for config in &configs {
            self.check(step, chosen, config, problems);
        }
        if let Some(first) = configs.first().cloned() {
            configs.resize(from.cells.len(), first);
        }
        configs
    }

    fn check(&mut self, step: &Step, chosen: &Chosen<'_>, config: &Value, problems: &mut Problems<'_>) {
        if ports::mode(chosen.kind, step) == Mode::Apply {
            if let Some(with) = step.with.as_ref().filter(|_| config.as_object().is_some_and(|map| !map.is_empty())) {
                let message = format!("step `{}` applies a state and takes no configuration", step.name.value);
                let hint = "configure the step that fits the state, or remove `inputs.state`";
                problems.add_with_hint("unknown-option", with.key_span, message, hint);
            }
            return;
        }
        let spans = step.with.as_ref().map(|with| with.node.spans()).unwrap_or_default();
        let span_of = |path: &str| nearest(&spans, path).unwrap_or_else(|| span_of_with(step));
        let Some(validator) = self.validator(step, chosen, problems) else { return };
        let subject = format!("step `{}`: `{}`", step.name.value, chosen.plugin.name);
        let stand_ins = with_stand_ins(config);
        let secrets: Vec<String> = secret_references(config).into_iter().map(|(path, _)| path).collect();
        let errors: Vec<_> =
            validator.iter_errors(&stand_ins).filter(|error| !errors::is_of_stand_in(error, &secrets)).collect();
        for wrong in explain(&subject, &chosen.manifest.config, &errors) {
            let span = span_of(&wrong.path);
            match wrong.hint {
                Some(hint) => problems.add_with_hint(wrong.code, span, wrong.message, hint),
                None => problems.add(wrong.code, span, wrong.message),
            }
        }
        match chosen.kind.is_built_in() {
            true => built_in::check(chosen.kind, &step.name.value, config, &span_of, problems),
            false => {
                grants::check_paths(step, chosen, config, &span_of, problems);
                grants::check_secrets(step, config, &span_of, problems);
            }
        }
    }

    /// Compiles the schema once. A schema that reaches outside the manifest is refused, not fetched.
    fn validator(&mut self, step: &Step, chosen: &Chosen<'_>, problems: &mut Problems<'_>) -> Option<&Validator> {
        let key = (chosen.plugin.digest, chosen.kind);
        let validator = self.validators.entry(key).or_insert_with(|| {
            let built = jsonschema::options()
                .with_draft(jsonschema::Draft::Draft202012)
                .offline()
                .build(&chosen.manifest.config);
            built
                .map_err(|error| {
                    let plugin = chosen.plugin;
                    let message = format!(
                        "the manifest of `{}` {} has a schema that cannot be used: {error}",
                        plugin.name, plugin.version
                    );
                    problems.add_with_hint("invalid-manifest", step.uses.span, message, "tell the plugin's author");
                })
                .ok()
        });
        validator.as_ref()
    }
}

/// The roots that the step's expressions use; nothing where one of them has no value (reported here, or, for a
/// parameter without a usable value, before).
fn check_references(step: &Step, from: &Sources<'_>, problems: &mut Problems<'_>) -> Option<Vec<Root>> {
    let mut roots = Vec::new();
    let mut usable = true;
    let found = step.with.iter().flat_map(|with| templates(&with.node));
    for (span, template) in found.filter_map(|(span, template)| Some((span, template.ok()?))) {
        for (root, name) in template.references() {
            usable &= check_reference(step, from, (root, name, span), problems);
            roots.push(root);
        }
    }
    usable.then_some(roots)
}

/// Whether a name stands for a value; reports names that do not exist.
pub(super) fn check_reference(
    step: &Step,
    from: &Sources<'_>,
    (root, name, span): (Root, &str, Span),
    problems: &mut Problems<'_>,
) -> bool {
    let (exists, known): (bool, Vec<&str>) = match root {
        Root::Params => (
            from.pipeline.param(name).is_some(),
            from.pipeline.params.iter().map(|param| param.name.value.as_str()).collect(),
        ),
        Root::Matrix => (from.axes.has(name), from.axes.names().collect()),
    };
    if exists {
        return root == Root::Matrix || from.params.contains_key(name);
    }
    let (code, message, none) = match root {
        Root::Params => ("unknown-param", format!("there is no parameter `{name}`"), "the pipeline has no `params`"),
        Root::Matrix => (
            "unknown-matrix-value",
            format!("step `{}` has no matrix value `{name}`", step.name.value),
            "the step has no `matrix` and reads from no step that has one",
        ),
    };
    let hint = match (suggest(name, known.iter().copied()), known.as_slice()) {
        (Some(near), _) => format!("did you mean `{near}`?"),
        (None, []) => none.to_owned(),
        (None, known) => format!("known are {}", listed(known.iter().copied())),
    };
    problems.add_with_hint(code, span, message, hint);
    false
}

/// The place of a dotted path, or of the nearest thing around it that the file has.
pub(super) fn nearest(spans: &BTreeMap<String, Span>, mut path: &str) -> Option<Span> {
    loop {
        if let Some(span) = spans.get(path) {
            return Some(*span);
        }
        path = path.rsplit_once('.')?.0;
    }
}

pub(super) fn span_of_with(step: &Step) -> Span {
    step.with.as_ref().map_or(step.name.span, |with| with.key_span)
}
