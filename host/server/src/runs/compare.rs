//! Runs side by side: what they were given, what they measured, and where they came to other bytes. What differs stands
//! first.

use std::collections::{BTreeMap, BTreeSet};

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wasmlops_store::RunRow;

use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::view::StepView;

/// More runs than a search has trials are not laid side by side.
const MOST: usize = 1_000;

/// Several runs; each list of values is in their order.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ComparisonView {
    pub runs: Vec<ComparedRun>,
    pub params: Vec<ComparedParam>,
    pub metrics: Vec<ComparedMetric>,
    pub steps: Vec<ComparedStep>,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ComparedRun {
    pub run: String,
    /// `trial 7` for a trial of a search.
    pub name: String,
    pub pipeline: String,
    pub status: String,
    pub origin: String,
    pub parent: Option<String>,
    pub created: String,
    pub duration_ms: Option<f64>,
    /// The steps that were stopped early or skipped, with the reason.
    pub reasons: BTreeMap<String, String>,
}

/// A parameter; null where a run has none of that name.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ComparedParam {
    pub name: String,
    pub differs: bool,
    pub values: Vec<Value>,
}

/// A metric of a step; null where a run did not measure it, or measured no number.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ComparedMetric {
    pub step: String,
    pub metric: String,
    pub differs: bool,
    pub values: Vec<Option<f64>>,
}

/// A step; null where a run has none of that name.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ComparedStep {
    pub step: String,
    /// By the component or an output.
    pub differs: bool,
    pub values: Vec<Option<StepResult>>,
}

/// What a step was, and what it made.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct StepResult {
    pub status: String,
    /// Name and version.
    pub plugin: String,
    /// Of the component.
    pub digest: String,
    /// Digests of the outputs, by name.
    pub outputs: BTreeMap<String, String>,
}

/// Which runs.
#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub struct Compared {
    /// Ids, in the order in which they are to be shown.
    pub runs: Vec<String>,
    /// All trials of this run's searches as well.
    pub children: Option<String>,
}

/// Lays runs side by side.
///
/// # Errors
/// The user's: fewer than two runs, too many, a run that is not there.
pub async fn compare(host: &Host, compared: &Compared) -> Result<ComparisonView> {
    let mut rows = Vec::new();
    for id in &compared.runs {
        let row = super::loaded(host, id).await?;
        if !rows.iter().any(|known: &RunRow| known.id == row.id) {
            rows.push(row);
        }
    }
    if let Some(parent) = &compared.children {
        super::loaded(host, parent).await?;
        let mut children = host.store.children_of(parent).await?;
        // `trial 10` comes after `trial 9`.
        children.sort_by_cached_key(|run| (run.origin.clone(), number(&run.name), run.created));
        rows.extend(children);
    }
    if !(2..=MOST).contains(&rows.len()) {
        let message = format!("{} runs cannot be compared: it takes 2 to {MOST}", rows.len());
        return Err(Error::user("wrong-value", message, "name several runs, or a run that searched as `children`"));
    }
    let mut all = Vec::with_capacity(rows.len());
    for row in rows {
        all.push((super::step_views(host, &row.id).await?, row));
    }
    side_by_side(&all)
}

fn number(name: &str) -> u64 {
    name.rsplit(' ').next().and_then(|number| number.parse().ok()).unwrap_or_default()
}

fn side_by_side(all: &[(Vec<StepView>, RunRow)]) -> Result<ComparisonView> {
    let given: Vec<Map<String, Value>> =
        all.iter().map(|(_, row)| serde_json::from_str(&row.params).map_err(Error::bug)).collect::<Result<_>>()?;
    Ok(ComparisonView {
        runs: all.iter().map(|(steps, row)| run(row, steps)).collect(),
        params: params(&given),
        metrics: metrics(all),
        steps: steps(all),
    })
}

fn run(row: &RunRow, steps: &[StepView]) -> ComparedRun {
    let ended_early = steps.iter().filter(|step| matches!(step.status.as_str(), "skipped" | "cancelled"));
    ComparedRun {
        run: row.id.clone(),
        name: row.name.clone(),
        pipeline: row.pipeline.clone(),
        status: row.status.to_string(),
        origin: row.origin.clone(),
        parent: row.parent.clone(),
        created: rfc3339(row.created),
        duration_ms: row.started.zip(row.ended).map(|(started, ended)| (ended - started) as f64 / 1e3),
        reasons: ended_early.filter_map(|step| Some((step.step.clone(), step.reason.clone()?))).collect(),
    }
}

fn params(given: &[Map<String, Value>]) -> Vec<ComparedParam> {
    let names: BTreeSet<&String> = given.iter().flat_map(Map::keys).collect();
    let param = |name: &String| {
        let values: Vec<Value> = given.iter().map(|params| params.get(name).cloned().unwrap_or_default()).collect();
        ComparedParam { name: name.clone(), differs: differ(&values), values }
    };
    differences_first(names.into_iter().map(param).collect(), |param| param.differs)
}

fn metrics(all: &[(Vec<StepView>, RunRow)]) -> Vec<ComparedMetric> {
    let of_step =
        |step: &StepView| step.metrics.0.keys().map(|name| (step.step.clone(), name.clone())).collect::<Vec<_>>();
    let names: BTreeSet<(String, String)> = all.iter().flat_map(|(steps, _)| steps.iter().flat_map(of_step)).collect();
    let metric = |(step, metric): (String, String)| {
        let value = |(steps, _): &(Vec<StepView>, RunRow)| {
            let step = steps.iter().find(|known| known.step == step)?;
            step.metrics.0.get(&metric).copied().filter(|value| value.is_finite())
        };
        let values: Vec<Option<f64>> = all.iter().map(value).collect();
        ComparedMetric { differs: differ(&values), step, metric, values }
    };
    differences_first(names.into_iter().map(metric).collect(), |metric| metric.differs)
}

fn steps(all: &[(Vec<StepView>, RunRow)]) -> Vec<ComparedStep> {
    let mut names: Vec<&str> = Vec::new();
    for step in all.iter().flat_map(|(steps, _)| steps) {
        if !names.contains(&step.step.as_str()) {
            names.push(&step.step);
        }
    }
    let step = |name: &str| {
        let values: Vec<Option<StepResult>> =
            all.iter().map(|(steps, _)| steps.iter().find(|step| step.step == name).map(result)).collect();
        let made: Vec<_> =
            values.iter().map(|value| value.as_ref().map(|value| (&value.digest, &value.outputs))).collect();
        ComparedStep { step: name.to_owned(), differs: differ(&made), values }
    };
    differences_first(names.into_iter().map(step).collect(), |step| step.differs)
}

fn result(step: &StepView) -> StepResult {
    StepResult {
        status: step.status.clone(),
        plugin: step.plugin.clone(),
        digest: step.digest.clone(),
        outputs: step.outputs.iter().map(|(name, output)| (name.clone(), output.digest.to_string())).collect(),
    }
}

fn differ<T: PartialEq>(values: &[T]) -> bool {
    values.windows(2).any(|pair| pair[0] != pair[1])
}

fn differences_first<T>(mut all: Vec<T>, differs: impl Fn(&T) -> bool) -> Vec<T> {
    all.sort_by_key(|one| !differs(one));
    all
}
