//! Puts a step's parts together, once for each of its cells.

use std::collections::BTreeMap;

use serde_json::{Map, Value};

use crate::config::{LimitChoices, Policy, Spanned, Step, cell_suffix, format_duration, format_size};
use crate::diagnostics::Problems;
use crate::graph::grants::Grants;
use crate::graph::links::Links;
use crate::graph::matrix::{Axes, pick};
use crate::graph::plugins::Chosen;
use crate::graph::ports::Takes;
use crate::graph::search::BoundSearch;
use crate::graph::{BoundStep, Output, OutputRef, PluginId, StepKey, StepSpans, ports};
use crate::limits::Limits;

/// The cells of one step.
pub(super) struct Cells {
    pub axes: Axes,
    pub values: Vec<Map<String, Value>>,
    pub keys: Vec<StepKey>,
}

impl Cells {
    pub fn new(name: &str, axes: Axes) -> Self {
        let values = axes.cells();
        let keys = values.iter().map(|cell| StepKey::new(format!("{name}{}", cell_suffix(cell)))).collect();
        Self { axes, values, keys }
    }
}

/// What all cells of a step share.
pub(super) struct Shared<'a> {
    pub step: &'a Step,
    pub chosen: &'a Chosen<'a>,
    pub links: &'a Links,
    pub outputs: &'a [Output],
    pub limits: Limits,
    pub grants: Grants,
    pub search: Option<&'a BoundSearch>,
}

/// The step's limits: its own, else those that the plugin advises, else the defaults; the project's policy is the
/// ceiling. Reports limits of the step's own above the policy.
pub(super) fn limits(step: &Step, chosen: &Chosen<'_>, policy: &Policy, problems: &mut Problems<'_>) -> Limits {
    let mut limits = Limits::default();
    LimitChoices::from_manifest(&chosen.plugin.manifest.limits).apply(&mut limits);
    step.limits.apply(&mut limits);
    let mut beyond = |name: &str, asked: String, allowed: String| {
        let message =
            format!("step `{}` sets `{name}` to {asked}, and the project's policy allows {allowed}", step.name.value);
        let span = step.limit_spans.get(name).copied().unwrap_or(step.name.span);
        problems.add_with_hint(
            "limit-beyond-policy",
            span,
            message,
            "lower the limit, or raise `policy.limits` in the project file",
        );
    };
    if let Some(most) = policy.memory {
        if step.limits.memory.is_some_and(|asked| asked > most) {
            beyond("memory", format_size(limits.memory), format_size(most));
        }
        limits.memory = limits.memory.min(most);
    }
    if let Some(most) = policy.timeout {
        if step.limits.timeout.is_some_and(|asked| asked > most) {
            beyond("timeout", format_duration(limits.timeout), format_duration(most));
        }
        limits.timeout = limits.timeout.min(most);
    }
    limits
}

impl Shared<'_> {
    /// The step at one of its cells. Nothing where a reference means no cell, which has been reported.
    pub fn bind(
        &self,
        own: &Cells,
        cell: usize,
        config: Value,
        all: &[Cells],
        problems: &mut Problems<'_>,
    ) -> Option<BoundStep> {
        let Shared { step, chosen, .. } = self;
        let values = &own.values[cell];
        // All three before the first `?`: each reports its own mistakes.
        let inputs = self.inputs(values, all, problems);
        let mut needs = self.needs(values, all, problems);
        let when_steps = self.when_steps(values, all, problems);
        let (inputs, when_steps) = (inputs?, when_steps?);
        needs.extend(when_steps.values().cloned());
        needs.retain(|key| !inputs.iter().any(|(_, from)| from.step == *key));
        needs.sort();
        needs.dedup();
        let mut bound = BoundStep {
            key: own.keys[cell].clone(),
            name: step.name.value.clone(),
            uses: step.uses_text.clone(),
            plugin: PluginId {
                name: chosen.plugin.name.clone(),
                version: chosen.plugin.version.clone(),
                digest: chosen.plugin.digest,
            },
            kind: chosen.kind,
            mode: ports::mode(chosen.kind, step),
            config,
            inputs,
            needs,
            when: step.when.as_ref().map(|when| when.value.clone()),
            when_steps,
            matrix: values.clone(),
            retry: step.retry.clone(),
            limits: self.limits.clone(),
            read: self.grants.read.clone(),
            http: self.grants.http.clone(),
            endpoints: self.grants.endpoints.clone(),
            credentials: self.grants.credentials.clone(),
            secrets: self.grants.secrets.clone(),
            optional_inputs: self.optional_inputs(),
            strict: step.strict,
            cache: step.cache,
            outputs: self.outputs.to_vec(),
            search: self.search.cloned().map(Box::new),
            spans: spans(step),
        };
        if let Some(search) = self.search {
            search.grant(&mut bound);
        }
        bound.cache &= !bound.is_captured();
        Some(bound)
    }

    /// The inputs from `artifact` steps that the step's kind does not insist on.
    fn optional_inputs(&self) -> Vec<String> {
        let Shared { step, chosen, .. } = self;
        let takes = Takes::of(chosen, ports::mode(chosen.kind, step));
        let absent = step
            .inputs
            .iter()
            .zip(&self.links.inputs)
            .filter(|(_, link)| link.as_ref().is_some_and(|link| link.may_be_absent));
        let names = absent.map(|(input, _)| &input.name.value);
        names.filter(|name| takes.can_lack(name)).cloned().collect()
    }

    /// Nothing where one of them means no cell; all that do are reported.
    fn inputs(
        &self,
        cell: &Map<String, Value>,
        all: &[Cells],
        problems: &mut Problems<'_>,
    ) -> Option<Vec<(String, OutputRef)>> {
        let pairs = self.step.inputs.iter().zip(&self.links.inputs);
        let bound = pairs.map(|(input, link)| {
            let link = link.as_ref()?;
            let reference = Spanned::new(input.from.value.step.clone(), input.from.span);
            let producer = &all[link.step];
            let from = OutputRef {
                step: producer.keys[pick(&reference, &producer.axes, cell, problems)?].clone(),
                output: input.from.value.output.clone(),
                artifact: link.artifact?,
            };
            Some((input.name.value.clone(), from))
        });
        let bound: Vec<_> = bound.collect();
        bound.into_iter().collect()
    }

    /// `needs` on a matrix step without a cell means all its cells.
    fn needs(&self, cell: &Map<String, Value>, all: &[Cells], problems: &mut Problems<'_>) -> Vec<StepKey> {
        let mut keys = Vec::new();
        for (need, step) in
            self.step.needs.iter().zip(&self.links.needs).filter_map(|(need, step)| Some((need, (*step)?)))
        {
            match need.value.cell {
                None => keys.extend(all[step].keys.iter().cloned()),
                Some(_) => {
                    keys.extend(pick(need, &all[step].axes, cell, problems).map(|cell| all[step].keys[cell].clone()))
                }
            }
        }
        keys
    }

    /// The step behind each name in `when`; nothing where one of them means no cell.
    fn when_steps(
        &self,
        cell: &Map<String, Value>,
        all: &[Cells],
        problems: &mut Problems<'_>,
    ) -> Option<BTreeMap<String, StepKey>> {
        let keys = self.links.when.iter().map(|link| {
            let cell = pick(&link.reference, &all[link.step].axes, cell, problems)?;
            Some((link.name.clone(), all[link.step].keys[cell].clone()))
        });
        keys.collect()
    }
}

fn spans(step: &Step) -> StepSpans {
    StepSpans {
        step: step.name.span,
        uses: step.uses.span,
        with: step.with.as_ref().map(|with| with.node.spans()).unwrap_or_default(),
        inputs: step.inputs.iter().map(|input| (input.name.value.clone(), input.name.span)).collect(),
    }
}
