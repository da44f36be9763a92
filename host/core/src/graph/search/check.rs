//! What a search and its trial must be like, checked as far as it can be before anything runs.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use super::{Binding, BoundSearch, Pipelines, is_pure, named_params};
use crate::config::{BuiltInStep, NodeValue, ParamType, Pipeline, Root, Step, Template, listed};
use crate::diagnostics::{Problems, Span, suggest};
use crate::graph::links::Link;
use crate::graph::options::nearest;
use crate::graph::{ArtifactType, BoundStep, Graph, StepKind};
use crate::search::{MetricRef, Search};

/// Reports matrix values in the options: all cells of a search search the same.
pub(super) fn uses_matrix(step: &Step, problems: &mut Problems<'_>) -> bool {
    let uses = named_params(step).any(|(root, _)| root == Root::Matrix);
    if uses {
        let span = step.with.as_ref().map_or(step.name.span, |with| with.key_span);
        let message = format!("step `{}` is a search, which knows no matrix values", step.name.value);
        problems.add_with_hint("unknown-matrix-value", span, message, "use `${{ params.NAME }}`");
    }
    uses
}

/// Whether a parameter of the options has no value: that has been reported, or will be.
pub(super) fn lacks_params(step: &Step, params: &Map<String, Value>) -> bool {
    named_params(step).any(|(root, name)| root == Root::Params && !params.contains_key(&name))
}

/// The pipeline that the step names; reports that there is none.
pub(super) fn pipeline<'p>(
    step: &Step,
    config: &Value,
    spans: &BTreeMap<String, Span>,
    pipelines: &'p Pipelines,
    problems: &mut Problems<'_>,
) -> Option<&'p Pipeline> {
    let name = config["search"].as_str()?;
    let found = pipelines.read.get(name);
    if found.is_none() {
        let names = || pipelines.names.iter().map(String::as_str);
        let hint = match suggest(name, names()) {
            Some(near) => format!("did you mean `{near}`?"),
            None if pipelines.names.is_empty() => "write it to a file under `pipelines/`".to_owned(),
            None => format!("pipelines are {}", listed(names())),
        };
        let span = nearest(spans, "search").unwrap_or(step.name.span);
        let message = format!("step `{}`: there is no pipeline `{name}`", step.name.value);
        problems.add_with_hint("unknown-pipeline", span, message, hint);
    }
    found
}

impl Binding<'_> {
    /// Every input is a parameter that an `artifact` step of the trial brings in.
    pub(super) fn check_inputs(&self, problems: &mut Problems<'_>) -> bool {
        let before = problems.found.len();
        for input in &self.step.inputs {
            let (name, span) = (&input.name.value, input.name.span);
            let own = format!("step `{}`: ", self.name());
            let Some(param) = self.pipeline.param(name) else {
                let texts = self.pipeline.params.iter().filter(|param| param.kind == ParamType::String);
                let names: Vec<&str> = texts.map(|param| param.name.value.as_str()).collect();
                let hint = match suggest(name, names.iter().copied()) {
                    Some(near) => format!("did you mean `{near}`?"),
                    None => format!("add `{name}: {{ type: string, default: \"\" }}` to its `params`"),
                };
                let message = format!("{own}the trial `{}` has no parameter `{name}` for this input", self.trial());
                problems.add_with_hint("unknown-input", span, message, hint);
                continue;
            };
            if param.kind != ParamType::String {
                let message = format!(
                    "{own}parameter `{name}` of the trial is a {} and cannot be given the digest of an input",
                    param.kind.as_str()
                );
                problems.add_with_hint("wrong-type", span, message, "declare it as `{ type: string, default: \"\" }`");
            } else if !self.pipeline.steps.iter().any(|step| brings_in(step, name)) {
                let message = format!("{own}no step of the trial `{}` brings in `{name}`", self.trial());
                let hint = format!("add a step `data: {{ artifact: \"${{{{ params.{name} }}}}\" }}` to it");
                problems.add_with_hint("unused-input", span, message, hint);
            }
        }
        problems.found.len() == before
    }

    /// Reports steps that have an effect, or whose result may change by itself.
    pub(super) fn check_steps(&self, problems: &mut Problems<'_>) -> bool {
        let before = problems.found.len();
        for step in &self.pipeline.steps {
            let what = match step.built_in {
                Some(BuiltInStep::Model) => "registers a model",
                Some(BuiltInStep::Approval) => "asks a person",
                Some(BuiltInStep::Search) => "is a search itself",
                _ if !step.models.is_empty() => {
                    self.refuse(&step.name.value, "reads a registered model", problems);
                    continue;
                }
                _ => continue,
            };
            self.refuse(&step.name.value, what, problems);
        }
        problems.found.len() == before
    }

    fn refuse(&self, step: &str, what: &str, problems: &mut Problems<'_>) {
        let message = format!(
            "step `{}`: a trial must be a pure function of its parameters, and step `{step}` of `{}` {what}",
            self.name(),
            self.trial()
        );
        let hint = match what.contains("registered") {
            true => "hand the model to the search as an input, and bring it in with `as: model`",
            false => "leave it to the pipeline that searches",
        };
        problems.add_with_hint("impure-trial", self.span_of("search"), message, hint);
    }

    /// What can only be said once the trial's plugins are known.
    pub(super) fn check_bound(&self, search: &Search, trial: &Graph, problems: &mut Problems<'_>) -> bool {
        let before = problems.found.len();
        for step in &trial.steps {
            if !is_pure(step.kind) {
                self.refuse(&step.name, "deploys", problems);
            } else if names_a_model(step) {
                self.refuse(&step.name, "reads a registered model", problems);
            }
        }
        self.check_metric("objective", &search.objective, trial, problems);
        if let Some(stop) = &search.stop {
            self.check_metric("stop", &stop.metric, trial, problems);
        }
        problems.found.len() == before
    }

    fn check_metric(&self, key: &str, metric: &MetricRef, trial: &Graph, problems: &mut Problems<'_>) {
        let measures = |step: &&BoundStep| step.kind.plugin().is_some();
        if trial.steps.iter().filter(measures).any(|step| step.key.as_str() == metric.step) {
            return;
        }
        let names = || trial.steps.iter().filter(measures).map(|step| step.key.as_str());
        let hint = match suggest(&metric.step, names()) {
            Some(near) => format!("did you mean `{near}.{}`?", metric.metric),
            None => format!("steps that measure are {}", listed(names())),
        };
        let what = if trial.step(&crate::graph::StepKey::new(metric.step.clone())).is_some() {
            format!("step `{}` of the trial `{}` measures nothing", metric.step, self.trial())
        } else {
            format!("the trial `{}` has no step `{}`", self.trial(), metric.step)
        };
        let message = format!("step `{}`: {what}", self.name());
        problems.add_with_hint("invalid-metric", self.span_of(&format!("{key}.metric")), message, hint);
    }
}

/// Reports inputs that the trial brings in as something else than they are.
pub(in crate::graph) fn input_types(
    step: &Step,
    links: &[Option<Link>],
    bound: &BoundSearch,
    problems: &mut Problems<'_>,
) {
    for (input, link) in step.inputs.iter().zip(links) {
        let Some(given) = link.as_ref().and_then(|link| link.artifact) else { continue };
        let name = &input.name.value;
        let readers = bound.trial.steps.iter().filter(|trial| {
            trial.kind == StepKind::Artifact
                && bound.options.get(&trial.name).and_then(|options| param_of(options.get("from")?.as_str()?))
                    == Some(name.clone())
        });
        for reader in readers {
            let Some(wanted) = reader.outputs.first().map(|output| output.artifact).filter(|kind| *kind != given)
            else {
                continue;
            };
            let message = format!(
                "step `{}`: input `{name}` is a {given}, and step `{}` of `{}` brings it in as a {wanted}",
                step.name.value, reader.key, bound.trial.pipeline
            );
            let hint = match given {
                ArtifactType::Version => "hand over the model itself, such as `train.model`".to_owned(),
                ArtifactType::Table => format!("leave `as` out at `{}`", reader.key),
                given => format!("write `as: {given}` at `{}`", reader.key),
            };
            problems.add_with_hint("wrong-input-type", input.from.span, message, hint);
        }
    }
}

/// Whether the step brings in what the parameter names.
fn brings_in(step: &Step, param: &str) -> bool {
    if step.built_in != Some(BuiltInStep::Artifact) {
        return false;
    }
    let Some(NodeValue::Map(options)) = step.with.as_ref().map(|with| &with.node.value) else { return false };
    options.iter().any(|option| match &option.node.value {
        NodeValue::Text(text) => option.key == "from" && param_of(text).as_deref() == Some(param),
        _ => false,
    })
}

/// The parameter that a text is, where it is nothing else.
fn param_of(text: &str) -> Option<String> {
    let template: Template = text.parse().ok()?;
    let mut references = template.references();
    let (root, name) = references.next()?;
    let is_whole = text.trim_start().starts_with("${{") && text.trim_end().ends_with("}}");
    (root == Root::Params && is_whole && references.next().is_none()).then(|| name.to_owned())
}

fn names_a_model(step: &BoundStep) -> bool {
    step.kind == StepKind::Artifact && step.config["from"].as_str().is_some_and(|from| from.contains('@'))
}
