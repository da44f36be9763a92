//! Which step each reference means.

use std::collections::HashMap;

use crate::config::{BuiltInStep, Pipeline, Spanned, Step, StepReference, listed, span_inside};
use crate::diagnostics::{Problems, Span, suggest};
use crate::graph::{ArtifactType, Output};

/// A reference that was found, by the producer's place in the file.
#[derive(Clone, Debug)]
pub(super) struct Link {
    pub step: usize,
    /// Unknown where the producer's plugin is.
    pub artifact: Option<ArtifactType>,
    /// Whether an `artifact` step feeds it, which may bring nothing.
    pub may_be_absent: bool,
}

/// All references of one step; `None` where a reference was reported as wrong.
#[derive(Default)]
pub(super) struct Links {
    /// One for each input, in the order of the file.
    pub inputs: Vec<Option<Link>>,
    /// One for each item of `needs`.
    pub needs: Vec<Option<usize>>,
    /// The steps that `when` names.
    pub when: Vec<WhenLink>,
}

pub(super) struct WhenLink {
    /// As `when` writes it.
    pub name: String,
    pub reference: Spanned<StepReference>,
    pub step: usize,
}

impl Links {
    /// What the step waits for, with the place of each reference. May name a step more than once.
    pub fn dependencies<'l>(&'l self, step: &'l Step) -> impl Iterator<Item = (usize, Span)> + 'l {
        let inputs = self.inputs.iter().zip(&step.inputs);
        let inputs = inputs.filter_map(|(link, input)| Some((link.as_ref()?.step, input.from.span)));
        let needs = self.needs.iter().zip(&step.needs).filter_map(|(found, need)| Some(((*found)?, need.span)));
        let when = self.when.iter().map(|link| (link.step, link.reference.span));
        inputs.chain(needs).chain(when)
    }
}

/// Finds what the references of every step mean. `outputs` are those of each step, where they are known.
pub(super) fn resolve(pipeline: &Pipeline, outputs: &[Option<Vec<Output>>], problems: &mut Problems<'_>) -> Vec<Links> {
    let index = pipeline.steps.iter().enumerate().map(|(at, step)| (step.name.value.as_str(), at)).collect();
    let resolver = Resolver { pipeline, outputs, index };
    let steps = pipeline.steps.iter().enumerate();
    steps.map(|(at, step)| resolver.links(at, step, problems)).collect()
}

struct Resolver<'a> {
    pipeline: &'a Pipeline,
    outputs: &'a [Option<Vec<Output>>],
    index: HashMap<&'a str, usize>,
}

impl Resolver<'_> {
    fn links(&self, at: usize, step: &Step, problems: &mut Problems<'_>) -> Links {
        let mut links = Links::default();
        for input in &step.inputs {
            let found = self.step(at, &input.from.value.step, input.from.span, problems);
            let link = found.and_then(|found| self.output(found, &input.from.value.output, input.from.span, problems));
            links.inputs.push(link);
        }
        links.needs = step.needs.iter().map(|need| self.step(at, &need.value, need.span, problems)).collect();
        if let Some(when) = &step.when {
            for mention in when.value.mentions().steps {
                let span = span_inside(&self.pipeline.source, when.span, when.value.text(), mention.offset);
                links.when.extend(self.when_link(at, mention.name, span, problems));
            }
        }
        links
    }

    fn when_link(&self, at: usize, name: String, span: Span, problems: &mut Problems<'_>) -> Option<WhenLink> {
        match name.parse::<StepReference>() {
            Ok(reference) => {
                let step = self.step(at, &reference, span, problems)?;
                Some(WhenLink { name, reference: Spanned::new(reference, span), step })
            }
            Err(error) => {
                problems.add("unknown-step", span, error.to_string());
                None
            }
        }
    }

    fn step(&self, at: usize, reference: &StepReference, span: Span, problems: &mut Problems<'_>) -> Option<usize> {
        let Some(found) = self.index.get(reference.step.as_str()).copied() else {
            let names = || self.pipeline.steps.iter().map(|step| step.name.value.as_str());
            let near = if problems.crowded() { None } else { suggest(&reference.step, names()) };
            let hint = match near {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("steps are {}", listed(names())),
            };
            problems.add_with_hint("unknown-step", span, format!("there is no step `{}`", reference.step), hint);
            return None;
        };
        if found == at {
            let message = format!("step `{}` refers to itself", reference.step);
            problems.add_with_hint("self-reference", span, message, "name the step whose output it should read");
            return None;
        }
        Some(found)
    }

    fn output(&self, step: usize, name: &str, span: Span, problems: &mut Problems<'_>) -> Option<Link> {
        let may_be_absent = self.pipeline.steps[step].built_in == Some(BuiltInStep::Artifact);
        let Some(outputs) = &self.outputs[step] else {
            return Some(Link { step, artifact: None, may_be_absent });
        };
        if let Some(output) = outputs.iter().find(|output| output.name == name) {
            return Some(Link { step, artifact: Some(output.artifact), may_be_absent });
        }
        let names = || outputs.iter().map(|output| output.name.as_str());
        let producer = &self.pipeline.steps[step].name.value;
        let hint = match (suggest(name, names()), outputs.len()) {
            (Some(near), _) => format!("did you mean `{producer}.{near}`?"),
            (None, 0) => format!("`{producer}` has no outputs"),
            (None, _) => format!("`{producer}` produces {}", listed(names())),
        };
        problems.add_with_hint("unknown-output", span, format!("step `{producer}` has no output `{name}`"), hint);
        None
    }
}
