//! Short forms spelled out: an input fed by a registered model becomes an input fed by a hidden `artifact` step.

use std::borrow::Cow;

use crate::config::{
    BuiltInStep, Input, ModelSource, NodeValue, OutputReference, Pipeline, Spanned, Step, StepReference, hidden, listed,
};
use crate::diagnostics::{Problems, Span};

/// The pipeline without short forms. A hidden step stands before the first step that reads it, under the name
/// `NAME@ALIAS`. Reports aliases of which the pipeline does not say whose they are.
pub(super) fn desugar<'a>(pipeline: &'a Pipeline, problems: &mut Problems<'_>) -> Cow<'a, Pipeline> {
    if pipeline.steps.iter().all(|step| step.models.is_empty()) {
        return Cow::Borrowed(pipeline);
    }
    let mut steps: Vec<Step> = Vec::with_capacity(pipeline.steps.len() + 1);
    for step in &pipeline.steps {
        let mut plain = step.clone();
        for input in std::mem::take(&mut plain.models) {
            let Some(name) = model(pipeline, step, &input.from, problems) else { continue };
            if !steps.iter().any(|step| step.name.value == name) {
                steps.push(hidden(&name, input.from.span));
            }
            let reference =
                OutputReference { step: StepReference { step: name, cell: None }, output: "model".to_owned() };
            plain.inputs.push(Input { name: input.name, from: Spanned::new(reference, input.from.span) });
        }
        steps.push(plain);
    }
    Cow::Owned(Pipeline { steps, ..pipeline.clone() })
}

/// `NAME@ALIAS`, which also names the hidden step.
fn model(
    pipeline: &Pipeline,
    reader: &Step,
    from: &Spanned<ModelSource>,
    problems: &mut Problems<'_>,
) -> Option<String> {
    let alias = match &from.value {
        ModelSource::Model(model) => return Some(model.to_string()),
        ModelSource::Alias(alias) => alias,
    };
    let names = registered(pipeline);
    match names.as_slice() {
        [Some(name)] => Some(format!("{name}@{alias}")),
        names => {
            report(names, reader, alias, from.span, problems);
            None
        }
    }
}

fn report(names: &[Option<&str>], reader: &Step, alias: &str, span: Span, problems: &mut Problems<'_>) {
    let step = &reader.name.value;
    let (message, hint) = match names {
        [] => (
            format!("`{alias}` is neither an output nor an alias of a model that this pipeline registers"),
            format!("write `step.output`, or the model with its alias: `NAME@{alias}`"),
        ),
        [_] => (
            format!("step `{step}` reads `{alias}` of a model whose name has an expression in it"),
            format!("write the model with its alias: `NAME@{alias}`"),
        ),
        _ => (
            format!("step `{step}` reads `{alias}`, and this pipeline registers several models"),
            format!("write one of {}", listed(with_alias(names, alias).iter().map(String::as_str))),
        ),
    };
    problems.add_with_hint("unknown-model", span, message, hint);
}

fn with_alias(names: &[Option<&str>], alias: &str) -> Vec<String> {
    names.iter().flatten().map(|name| format!("{name}@{alias}")).collect()
}

/// The names of the models that the pipeline registers, each once; nothing for a name with an expression in it.
fn registered(pipeline: &Pipeline) -> Vec<Option<&str>> {
    let mut names = Vec::new();
    for step in pipeline.steps.iter().filter(|step| step.built_in == Some(BuiltInStep::Model)) {
        let name = model_name(step);
        if name.is_none() || !names.contains(&name) {
            names.push(name);
        }
    }
    names
}

fn model_name(step: &Step) -> Option<&str> {
    let NodeValue::Map(options) = &step.with.as_ref()?.node.value else { return None };
    match &options.iter().find(|option| option.key == "model")?.node.value {
        NodeValue::Text(name) if !name.contains("${{") => Some(name),
        _ => None,
    }
}
