//! Searches: the pipeline that each trial runs, bound as any other and then kept with its expressions, so that each
//! trial's graph follows from the run's own graph and the trial's values alone.
//!
//! A trial is a pure function of its parameters: what registers, asks, deploys or searches has no place in it.

mod check;

use std::collections::BTreeMap;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use wasmlops_package::{Digest, Kind};

use crate::config::{OutputReference, Pipeline, Policy, Step, fill, fill_value, templates};
use crate::diagnostics::{Problems, Span};
use crate::graph::bind::{Bindings, bind};
use crate::graph::options::{nearest, span_of_with};
use crate::graph::plugins::PluginInfo;
use crate::graph::{ArtifactType, BoundStep, Graph, Mode, Output, OutputRef, StepKey, StepKind};
use crate::search::{Reading, Search, Trial};

pub(super) use check::input_types;

/// Outputs of every search: the best trial, and the table of all.
pub const BEST: &str = "best";
pub const TRIALS: &str = "trials";

/// More sets of values than this are not tried against the trial's plugins before anything runs.
const MOST_SAMPLES: usize = 16;

/// The pipelines of a project that others may run.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Pipelines {
    /// The names of all, as files under `pipelines/`.
    pub names: Vec<String>,
    /// Those that a search names, by that name.
    pub read: BTreeMap<String, Pipeline>,
}

/// A search of a bound step.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct BoundSearch {
    pub search: Search,
    /// The graph of a trial; its parameters that are searched or inputs have some value, which means nothing.
    pub trial: Graph,
    /// By step of the trial: its options with their expressions.
    pub options: BTreeMap<String, Value>,
    /// By output of the search: the output of the best trial that becomes it.
    pub outputs: Vec<(String, OutputRef)>,
}

impl BoundSearch {
    /// The graph of one trial. `inputs` are the digests of what the search was given, by parameter.
    pub fn trial_graph(&self, trial: &Trial, inputs: &[(String, Digest)]) -> Graph {
        let mut graph = self.trial.clone();
        let given = inputs.iter().map(|(name, digest)| (name.clone(), Value::from(digest.to_string())));
        for (name, value) in trial.params.clone().into_iter().chain(given) {
            graph.params.insert(name, value);
        }
        for step in &mut graph.steps {
            if let Some(options) = self.options.get(&step.name) {
                step.config = fill_value(options, &graph.params, &step.matrix);
            }
        }
        graph
    }

    /// All that the result depends on beside the inputs, the granted files and the seed of the run. Where things stand
    /// in files is not part of it, and neither is how long a step may take.
    pub fn essence(&self, inputs: &[&str]) -> Value {
        let changes = |name: &str| inputs.contains(&name) || self.search.space.iter().any(|known| known.name == name);
        let params: Map<String, Value> =
            self.trial.params.iter().filter(|(name, _)| !changes(name)).map(|(k, v)| (k.clone(), v.clone())).collect();
        let step = |step: &BoundStep| {
            let inputs: Vec<Value> = step
                .inputs
                .iter()
                .map(|(name, from)| json!([name, format!("{}.{}", from.step, from.output), from.artifact]))
                .collect();
            let limits = &step.limits;
            let value = json!({
                "plugin": step.plugin.digest,
                "function": step.kind,
                "applies": step.mode == Mode::Apply,
                "with": self.options.get(&step.name),
                "inputs": inputs,
                "needs": step.needs,
                "when": step.when.as_ref().map(|when| when.text()),
                "matrix": step.matrix,
                "read": step.read,
                "strict": step.strict,
                "limits": [
                    limits.memory, limits.host_calls, limits.host_bytes, limits.log_bytes, limits.output_bytes,
                    limits.metric_points, limits.fuel.unwrap_or_default(),
                ],
                "outputs": step.outputs,
            });
            (step.key.to_string(), value)
        };
        json!({
            "search": self.search,
            "params": params,
            "steps": self.trial.steps.iter().map(step).collect::<Map<_, _>>(),
            "outputs": self.outputs,
        })
    }

    /// What the trial's steps were granted, the search is granted: so that a plan shows it, and what reaches outside
    /// makes the search captured.
    pub(super) fn grant(&self, step: &mut BoundStep) {
        fn add<T: Clone + PartialEq>(to: &mut Vec<T>, from: &[T]) {
            for item in from {
                if !to.contains(item) {
                    to.push(item.clone());
                }
            }
        }
        for trial in &self.trial.steps {
            add(&mut step.read, &trial.read);
            add(&mut step.http, &trial.http);
            add(&mut step.endpoints, &trial.endpoints);
            add(&mut step.credentials, &trial.credentials);
            add(&mut step.secrets, &trial.secrets);
        }
    }

    /// The outputs of the step.
    pub(super) fn gives(&self) -> Vec<Output> {
        let output = |name: &str, artifact| Output { name: name.to_owned(), artifact, optional: false };
        let own = [output(BEST, ArtifactType::Report), output(TRIALS, ArtifactType::Table)];
        own.into_iter().chain(self.outputs.iter().map(|(name, from)| output(name, from.artifact))).collect()
    }
}

/// A search step that is being bound.
struct Binding<'a> {
    step: &'a Step,
    config: Value,
    pipeline: &'a Pipeline,
    spans: BTreeMap<String, Span>,
}

/// What the step searches, as far as it can be known before its inputs are. Reports everything that is wrong with it.
pub(super) fn prepare(
    step: &Step,
    given: Bindings<'_>,
    params: &Map<String, Value>,
    problems: &mut Problems<'_>,
) -> Option<BoundSearch> {
    let with = step.with.as_ref()?;
    if check::uses_matrix(step, problems) || check::lacks_params(step, params) {
        return None;
    }
    let config = fill(&with.node, params, &Map::new());
    let spans = with.node.spans();
    let pipeline = check::pipeline(step, &config, &spans, given.pipelines, problems)?;
    let binding = Binding { step, config, pipeline, spans };
    let inputs_fit = binding.check_inputs(problems);
    let read = binding.read(problems);
    let is_pure = binding.check_steps(problems);
    let (search, fixed) = read?;
    if !inputs_fit || !is_pure {
        return None;
    }
    let trial = binding.bind(&search, &fixed, given.plugins, given.policy, problems)?;
    let fits = binding.check_bound(&search, &trial, problems);
    let outputs = binding.outputs(&trial, problems)?;
    let options = |step: &Step| {
        let options = step.with.as_ref().map_or_else(|| json!({}), |with| with.node.to_json());
        (step.name.value.clone(), options)
    };
    let options = pipeline.steps.iter().map(options).collect();
    fits.then_some(BoundSearch { search, trial, options, outputs })
}

impl Binding<'_> {
    fn name(&self) -> &str {
        &self.step.name.value
    }

    fn trial(&self) -> &str {
        self.config["search"].as_str().unwrap_or_default()
    }

    fn span_of(&self, path: &str) -> Span {
        nearest(&self.spans, path).unwrap_or_else(|| span_of_with(self.step))
    }

    fn read(&self, problems: &mut Problems<'_>) -> Option<(Search, Map<String, Value>)> {
        let inputs: Vec<&str> = self.step.inputs.iter().map(|input| input.name.value.as_str()).collect();
        let reading =
            Reading { config: &self.config, trial: self.trial(), params: &self.pipeline.params, inputs: &inputs };
        match Search::read(reading) {
            Ok(read) => Some(read),
            Err(all) => {
                for wrong in all {
                    let message = format!("step `{}`: {}", self.name(), wrong.message);
                    problems.add_with_hint(wrong.code, self.span_of(&wrong.path), message, wrong.hint);
                }
                None
            }
        }
    }

    /// The trial with values from all over the space, so that a value that a plugin will not take is known before
    /// anything runs. The first of these graphs stands for all.
    fn bind(
        &self,
        search: &Search,
        fixed: &Map<String, Value>,
        plugins: &[PluginInfo],
        policy: &Policy,
        problems: &mut Problems<'_>,
    ) -> Option<Graph> {
        let extremes: Vec<(&String, Vec<Value>)> =
            search.space.iter().map(|dimension| (&dimension.name, dimension.values.extremes())).collect();
        let samples = extremes.iter().map(|(_, values)| values.len()).max().unwrap_or(1).min(MOST_SAMPLES);
        let inputs = self.step.inputs.iter().map(|input| (input.name.value.clone(), Value::from("")));
        let fixed: Map<String, Value> = fixed.clone().into_iter().chain(inputs).collect();
        let mut first = None;
        for sample in 0..samples {
            let searched =
                extremes.iter().map(|(name, values)| ((*name).clone(), values[sample % values.len()].clone()));
            let params: Map<String, Value> = fixed.clone().into_iter().chain(searched).collect();
            match bind(self.pipeline, Bindings { params: &params, plugins, policy, pipelines: &Pipelines::default() }) {
                Ok(graph) => drop(first.get_or_insert(graph)),
                Err(wrong) => {
                    problems.found.extend(wrong.0);
                    return None;
                }
            }
        }
        first
    }

    fn outputs(&self, trial: &Graph, problems: &mut Problems<'_>) -> Option<Vec<(String, OutputRef)>> {
        let asked = self.config.get("outputs").and_then(Value::as_object).into_iter().flatten();
        let outputs: Vec<_> = asked.map(|(name, from)| self.output(name, from.as_str()?, trial, problems)).collect();
        outputs.into_iter().collect()
    }

    fn output(
        &self,
        name: &str,
        from: &str,
        trial: &Graph,
        problems: &mut Problems<'_>,
    ) -> Option<(String, OutputRef)> {
        let span = self.span_of(&format!("outputs.{name}"));
        let mut wrong = |code: &str, message: String, hint: String| {
            problems.add_with_hint(code, span, format!("step `{}`: {message}", self.name()), hint);
        };
        if [BEST, TRIALS].contains(&name) {
            let message = format!("every search has an output `{name}` of its own");
            wrong("invalid-name", message, "give the trial's output another name".to_owned());
            return None;
        }
        let reference: OutputReference = match from.parse() {
            Ok(reference) => reference,
            Err(error) => {
                let error: crate::config::ReferenceError = error;
                wrong("invalid-reference", error.to_string(), format!("name an output of `{}`", self.trial()));
                return None;
            }
        };
        let key = StepKey::new(reference.step.to_string());
        let step = trial.step(&key);
        let found = step.and_then(|step| step.output(&reference.output));
        let Some(output) = found else {
            let all = trial
                .steps
                .iter()
                .flat_map(|step| step.outputs.iter().map(move |output| format!("{}.{}", step.key, output.name)));
            let all: Vec<String> = all.collect();
            let known = crate::config::listed(all.iter().map(String::as_str));
            let message = format!("the trial `{}` has no output `{from}`", self.trial());
            wrong("unknown-output", message, format!("it has {known}"));
            return None;
        };
        let from = OutputRef { step: key, output: output.name.clone(), artifact: output.artifact };
        Some((name.to_owned(), from))
    }
}

/// Whether a trial may have steps of this kind.
fn is_pure(kind: StepKind) -> bool {
    kind != Kind::Deployer && (kind.plugin().is_some() || kind == StepKind::Artifact)
}

/// The parameters that an expression of the step names.
fn named_params(step: &Step) -> impl Iterator<Item = (crate::config::Root, String)> + '_ {
    let found = step.with.iter().flat_map(|with| templates(&with.node));
    found
        .filter_map(|(_, template)| template.ok())
        .flat_map(|template| template.references().map(|(root, name)| (root, name.to_owned())).collect::<Vec<_>>())
}
