//! The plan of a pipeline: what a run would do, and why, before anything runs.

use serde_json::{Map, Value};
use wasmlops_core::cache_key::KeyParts;
use wasmlops_core::config::Pipeline;
use wasmlops_core::graph::{Bindings, BoundSearch, BoundStep, Graph, StepKind, bind};
use wasmlops_core::plan::{Planner, Verdict};
use wasmlops_core::run::Micros;

use crate::error::{Error, Result};
use crate::host::Host;
use crate::lookup::{Known, Lookup};
use crate::plugins::locked;
use crate::project::{LOCK_FILE, Lock};
use crate::registration::{self, Facts, StepFacts};
use crate::view::{GrantsView, PlanSearchView, PlanStepView, PlanView};

/// What to do where the lock does not say what the pipeline needs.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum LockPolicy {
    /// Write it.
    Update,
    /// Refuse.
    Keep,
}

/// Binds a pipeline to the host's plugins, and brings the lock up to date.
pub fn bound(host: &Host, pipeline: &Pipeline, params: &Map<String, Value>, policy: LockPolicy) -> Result<Graph> {
    let plugins = host.plugins.infos();
    let pipelines = host.project.searched(pipeline)?;
    let given = Bindings { params, plugins: &plugins, policy: &host.project.policy, pipelines: &pipelines };
    let graph = bind(pipeline, given)?;
    if host.project.has_file() {
        let mut lock = Lock::read(&host.project.root)?;
        let before = lock.clone();
        lock.plugins.extend(locked(&graph).plugins);
        if lock != before {
            if policy == LockPolicy::Keep {
                let hint = "run without `--locked` and commit the lock";
                return Err(Error::user("lock-changed", format!("`{LOCK_FILE}` does not fit the pipeline"), hint));
            }
            lock.write(&host.project.root)?;
        }
    }
    Ok(graph)
}

/// Judges every step. Nothing is run, nothing but the lock is written.
pub async fn plan(host: &Host, graph: &Graph, seed: u64, nominal_time: Micros) -> Result<PlanView> {
    let durations = host.store.step_durations(&graph.pipeline).await?;
    let mut planner = Planner::default();
    let mut facts = Facts::new();
    let mut steps = Vec::with_capacity(graph.steps.len());
    for step in &graph.steps {
        // What a model step registers depends on all that came before it, not on its inputs alone.
        let unknown = (step.kind == StepKind::Model)
            .then(|| registration::upstream(graph, step).into_iter().find(|step| !facts.contains_key(&step.key)))
            .flatten();
        let inputs = match unknown {
            Some(unknown) => Err(planner.waits(step, &unknown.key)),
            None => planner.inputs(step),
        };
        let verdict = match inputs {
            Err(verdict) => verdict,
            Ok(inputs) => {
                let known = Known::Here(&facts);
                let lookup = Lookup { host, graph, step: &step.key, inputs, seed, keep_files: false, known };
                let found = lookup.find().await?.found;
                let parts = found.parts.clone();
                let verdict = planner.judge(step, found, &graph.params, nominal_time);
                facts.extend(known_facts(&verdict, parts).map(|known| (step.key.clone(), known)));
                verdict
            }
        };
        let estimate = match (durations.get(step.key.as_str()), &step.search) {
            (Some(millis), _) => Some(*millis as f64),
            (None, Some(search)) => estimated(host, search).await?,
            (None, None) => None,
        };
        steps.push(view(step, verdict, estimate));
    }
    let misses = steps.iter().filter(|step| step.cache != "hit");
    let estimated_ms = misses.clone().map(|step| step.estimated_ms).sum();
    Ok(PlanView {
        pipeline: graph.pipeline.clone(),
        file: graph.file.clone(),
        params: graph.params.clone(),
        hits: steps.len() - misses.clone().count(),
        misses: misses.count(),
        estimated_ms,
        steps,
    })
}

/// What a search that has never run may take: its rounds, each as long as a trial was when it ran by itself or in
/// another search. Stops are not foreseen.
async fn estimated(host: &Host, search: &BoundSearch) -> Result<Option<f64>> {
    let durations = host.store.step_durations(&search.trial.pipeline).await?;
    let plugins = search.trial.steps.iter().filter(|step| step.kind.plugin().is_some());
    let trial: Option<i64> = plugins.map(|step| durations.get(step.key.as_str()).copied()).sum();
    let rounds = search.search.trials.div_ceil(search.search.parallel);
    Ok(trial.map(|millis| millis as f64 * rounds as f64))
}

/// The names of the secrets that the step is given, or that are sent for it.
fn secrets_of(step: &BoundStep) -> Vec<String> {
    let sent = step.credentials.iter().map(|credential| &credential.secret);
    step.secrets.iter().chain(sent).cloned().collect::<std::collections::BTreeSet<_>>().into_iter().collect()
}

/// What a step that need not run is known to have made.
fn known_facts(verdict: &Verdict, parts: KeyParts) -> Option<StepFacts> {
    let (outputs, metrics) = match verdict {
        Verdict::Hit(entry) => (entry.outputs.clone(), entry.metrics.clone()),
        Verdict::Resolved(resolution) => (resolution.outputs.clone(), Default::default()),
        Verdict::Miss(_) | Verdict::Off(_) => return None,
    };
    Some(StepFacts { outputs, metrics, parts: Some(parts) })
}

fn view(step: &BoundStep, verdict: Verdict, estimated_ms: Option<f64>) -> PlanStepView {
    let (cache, reason, outputs) = match verdict {
        Verdict::Hit(entry) => {
            let run = crate::driver::short(&entry.run);
            ("hit", format!("unchanged since run {run}"), entry.outputs)
        }
        Verdict::Miss(reason) => ("miss", reason.text, Default::default()),
        Verdict::Off(reason) => ("off", reason.text, Default::default()),
        Verdict::Resolved(resolution) => ("hit", resolution.reason(), resolution.outputs),
    };
    let input = |(name, from): &(String, wasmlops_core::graph::OutputRef)| {
        (name.clone(), format!("{}.{}", from.step, from.output))
    };
    PlanStepView {
        step: step.key.to_string(),
        uses: step.uses.clone(),
        plugin: step.plugin.to_string(),
        kind: step.kind.to_string(),
        digest: step.plugin.digest.to_string(),
        cache: cache.to_owned(),
        reason,
        grants: GrantsView {
            read: step.read.iter().map(|path| path.as_str().to_owned()).collect(),
            http: step.http.iter().map(ToString::to_string).collect(),
            endpoints: step.endpoints.clone(),
            secrets: secrets_of(step),
        },
        inputs: step.inputs.iter().map(input).collect(),
        needs: step.needs.iter().map(ToString::to_string).collect(),
        when: step.when.as_ref().map(|when| when.text().to_owned()),
        search: step.search.as_ref().map(|search| PlanSearchView {
            pipeline: search.trial.pipeline.clone(),
            trials: search.search.trials,
            parallel: search.search.parallel,
        }),
        estimated_ms: if cache == "hit" { Some(0.0) } else { estimated_ms },
        outputs,
    }
}
