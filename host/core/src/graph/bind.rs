//! From a pipeline to a graph, in one pass that reports everything it finds.
//!
//! Each stage works on what the stages before could make out, and keeps quiet about what follows from a mistake that
//! has already been reported.

use serde_json::{Map, Value};

use crate::config::{BuiltInStep, Pipeline, Policy, Root, Step, fill, span_inside};
use crate::diagnostics::{Diagnostics, Problems};
use crate::graph::links::{self, Links};
use crate::graph::matrix::{self, Axes};
use crate::graph::options::{Options, Sources, check_reference};
use crate::graph::plugins::{self, Chosen, PluginInfo};
use crate::graph::search::{self, BoundSearch, Pipelines};
use crate::graph::step::{self, Cells, Shared};
use crate::graph::{BoundStep, Graph, Output, StepKind, desugar, grants, order, params, ports};

/// Steps of one run, all cells of matrices counted.
pub const MAX_STEPS: usize = 10_000;

/// References between steps of one run: more than a plan can be read with, and what two wide matrices that need each
/// other would make.
const MAX_DEPENDENCIES: usize = 1_000_000;

/// What a pipeline is bound to.
#[derive(Clone, Copy, Debug)]
pub struct Bindings<'a> {
    /// The values that this run gives to parameters.
    pub params: &'a Map<String, Value>,
    /// Every plugin that may be used, in any order.
    pub plugins: &'a [PluginInfo],
    pub policy: &'a Policy,
    /// What `search` steps may run.
    pub pipelines: &'a Pipelines,
}

/// Binds every step to a plugin and checks all that can be known before running. Errors: every mistake at once, each at
/// its place in the pipeline file; values given from outside have no place.
pub fn bind(pipeline: &Pipeline, given: Bindings<'_>) -> Result<Graph, Diagnostics> {
    let mut problems = Problems::new(&pipeline.source);
    let pipeline = &*desugar::desugar(pipeline, &mut problems);
    let params = params::resolve(pipeline, given.params, &mut problems);
    let bound = Binder { pipeline, given, params: &params }.bind(&mut problems);
    Diagnostics::check(problems.found)?;
    Ok(Graph {
        pipeline: pipeline.name.value.clone(),
        file: pipeline.source.file.clone(),
        params,
        steps: bound.expect("a pipeline without mistakes has a graph"),
    })
}

struct Binder<'a> {
    pipeline: &'a Pipeline,
    given: Bindings<'a>,
    params: &'a Map<String, Value>,
}

/// What is known of each step before it is bound, in the order of the file; absent where a mistake has been reported.
struct Resolved<'a> {
    chosen: Vec<Option<Chosen<'a>>>,
    searches: Vec<Option<BoundSearch>>,
    outputs: Vec<Option<Vec<Output>>>,
    links: Vec<Links>,
}

impl Binder<'_> {
    fn bind(&self, problems: &mut Problems<'_>) -> Option<Vec<BoundStep>> {
        let steps = &self.pipeline.steps;
        let chosen: Vec<_> = steps.iter().map(|step| plugins::choose(step, self.given.plugins, problems)).collect();
        let is_search = |step: &Step| step.built_in == Some(BuiltInStep::Search);
        let searches: Vec<_> = steps
            .iter()
            .map(|step| is_search(step).then(|| search::prepare(step, self.given, self.params, problems)).flatten())
            .collect();
        let outputs: Vec<_> = steps
            .iter()
            .zip(chosen.iter().zip(&searches))
            .map(|(step, (chosen, search))| self.outputs(step, chosen.as_ref()?, search.as_ref()))
            .collect();
        let links = links::resolve(self.pipeline, &outputs, problems);
        let resolved = Resolved { chosen, searches, outputs, links };
        self.check_inputs(&resolved, problems);
        let order = self.order(&resolved.links, problems);
        let axes = order.as_ref().and_then(|order| matrix::axes(self.pipeline, &resolved.links, order, problems));
        // Without an order the cells are unknown; the rest of each step can be checked as if it had none.
        let known = axes.is_some();
        let axes = axes.unwrap_or_else(|| vec![Axes::default(); steps.len()]);
        let cells: Vec<_> = steps.iter().zip(axes).map(|(step, axes)| Cells::new(&step.name.value, axes)).collect();
        let mut bound = self.bind_steps(&resolved, &cells, known, problems);
        let order = order.filter(|_| problems.found.is_empty())?;
        Some(order.into_iter().flat_map(|at| std::mem::take(&mut bound[at])).collect())
    }

    /// Nothing where they are not known, because of a mistake that has been reported.
    fn outputs(&self, step: &Step, chosen: &Chosen<'_>, search: Option<&BoundSearch>) -> Option<Vec<Output>> {
        match chosen.kind {
            StepKind::Artifact => {
                let config = step.with.as_ref().map(|with| fill(&with.node, self.params, &Map::new()));
                Some(vec![ports::artifact_output(config.as_ref())])
            }
            StepKind::Search => Some(search?.gives()),
            kind => Some(ports::outputs(chosen, ports::mode(kind, step))),
        }
    }

    fn check_inputs(&self, resolved: &Resolved<'_>, problems: &mut Problems<'_>) {
        let steps = &self.pipeline.steps;
        let all = resolved
            .outputs
            .iter()
            .enumerate()
            .flat_map(|(at, outputs)| outputs.iter().flatten().map(move |output| (at, output)));
        let names = all.map(|(at, output)| (at, format!("{}.{}", steps[at].name.value, output.name), output.artifact));
        let produced = ports::Produced(names.collect());
        for (at, step) in steps.iter().enumerate() {
            if let Some(chosen) = &resolved.chosen[at] {
                let reader = ports::Reader { at, step, chosen, links: &resolved.links[at].inputs };
                ports::check(&reader, &produced, problems);
            }
        }
    }

    /// The order of the steps in the file; reports every cycle.
    fn order(&self, links: &[Links], problems: &mut Problems<'_>) -> Option<Vec<usize>> {
        let steps = &self.pipeline.steps;
        let dependencies: Vec<Vec<usize>> = steps
            .iter()
            .zip(links)
            .map(|(step, links)| links.dependencies(step).map(|(dependency, _)| dependency).collect())
            .collect();
        let cycles = match order::topological(&dependencies) {
            Ok(order) => return Some(order),
            Err(cycles) => cycles,
        };
        for cycle in cycles {
            let (first, next) = (cycle[0], cycle[1 % cycle.len()]);
            let place = links[first].dependencies(&steps[first]).find(|(dependency, _)| *dependency == next);
            let span = place.map_or(steps[first].name.span, |(_, span)| span);
            let names: Vec<_> = cycle.iter().chain([&first]).map(|at| format!("`{}`", steps[*at].name.value)).collect();
            let message = format!("steps wait for each other: {}", names.join(" needs "));
            problems.add_with_hint("cycle", span, message, "remove one of these references");
        }
        None
    }

    fn bind_steps(
        &self,
        resolved: &Resolved<'_>,
        cells: &[Cells],
        cells_known: bool,
        problems: &mut Problems<'_>,
    ) -> Vec<Vec<BoundStep>> {
        let Resolved { chosen, searches, outputs, links } = resolved;
        let mut options = Options::default();
        let mut edges = 0;
        let mut all = Vec::with_capacity(cells.len());
        for (at, step) in self.pipeline.steps.iter().enumerate() {
            let own = &cells[at];
            let sources = Sources { pipeline: self.pipeline, params: self.params, axes: &own.axes, cells: &own.values };
            if cells_known {
                self.check_when(at, &sources, problems);
            }
            let mut bound = Vec::new();
            if let (Some(chosen), None, true) = (&chosen[at], &outputs[at], cells_known) {
                // A search whose outputs are unknown: what is wrong with its options has not been said yet.
                options.configure(step, chosen, &sources, problems);
            }
            if let (Some(chosen), Some(outputs)) = (&chosen[at], &outputs[at]) {
                let limits = step::limits(step, chosen, self.given.policy, problems);
                let grants = grants::effective(step, chosen, self.given.policy, problems);
                let configs =
                    if cells_known { options.configure(step, chosen, &sources, problems) } else { Vec::new() };
                let search = searches[at].as_ref();
                if let Some(search) = search {
                    search::input_types(step, &links[at].inputs, search, problems);
                }
                let shared = Shared { step, chosen, links: &links[at], outputs, limits, grants, search };
                edges += self.edges(at, &links[at], cells);
                if edges > MAX_DEPENDENCIES {
                    let message =
                        format!("pipeline has more than {MAX_DEPENDENCIES} references between steps with its matrices");
                    problems.add_with_hint(
                        "too-many-steps",
                        step.name.span,
                        message,
                        "use fewer values in the matrices",
                    );
                    break;
                }
                let configs = configs.into_iter().enumerate();
                // What is wrong with one cell is wrong with others too: the first one says it.
                let cell = |(cell, config)| shared.bind(own, cell, config, cells, problems);
                bound = configs.map_while(cell).collect();
            }
            all.push(bound);
        }
        all
    }

    /// At most how many references all cells of a step have.
    fn edges(&self, at: usize, links: &Links, cells: &[Cells]) -> usize {
        let all_cells = links.needs.iter().flatten().map(|step| cells[*step].keys.len()).sum::<usize>();
        cells[at].keys.len().saturating_mul(all_cells + links.inputs.len() + links.when.len())
    }

    /// Reports parameters and matrix values that `when` names and that do not exist.
    fn check_when(&self, at: usize, sources: &Sources<'_>, problems: &mut Problems<'_>) {
        let step = &self.pipeline.steps[at];
        let Some(when) = &step.when else { return };
        let mentions = when.value.mentions();
        let named = mentions.params.iter().map(|mention| (Root::Params, mention));
        for (root, mention) in named.chain(mentions.matrix.iter().map(|mention| (Root::Matrix, mention))) {
            let span = span_inside(&self.pipeline.source, when.span, when.value.text(), mention.offset);
            check_reference(step, sources, (root, &mention.name, span), problems);
        }
    }
}
