//! Experiments, metrics, params and tags of runs at the door, with MLflow's semantics.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wasmlops_core::run::Micros;
use wasmlops_store::{ExperimentRow, MetricPoint, Stamp, StoreError};

use crate::clock::{parse_rfc3339, rfc3339};
use crate::error::{Error, Result};
use crate::host::Host;

/// Points of one call.
pub const POINTS: usize = 1_000;

/// What runs are grouped by.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ExperimentView {
    /// A decimal number.
    pub experiment: String,
    pub name: String,
    /// RFC 3339.
    pub created: String,
}

/// Metrics of a run, all recorded or none.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewMetrics {
    #[schemars(length(min = 1, max = 1000))]
    pub points: Vec<NewPoint>,
}

/// A value of a metric.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct NewPoint {
    /// Letters, digits, `_`, `-`, `.`, `/`, `:` and space.
    #[schemars(length(min = 1, max = 250))]
    pub key: String,
    pub value: f64,
    /// The x axis: epoch, iteration.
    #[serde(default)]
    pub step: i64,
    /// RFC 3339; now where absent.
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub time: Option<String>,
}

/// A metric's point as it is shown.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PointView {
    /// Of the pipeline; empty for the run as a whole.
    pub step: String,
    pub key: String,
    /// The x axis.
    pub at: i64,
    pub time: String,
    /// Null where it is no number.
    pub value: Option<f64>,
}

/// What was recorded.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct RecordedView {
    pub run: String,
    pub recorded: usize,
}

/// Texts by name.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PairsView {
    pub run: String,
    pub values: BTreeMap<String, String>,
}

/// The experiments, oldest first.
pub async fn experiments(host: &Host) -> Result<Vec<ExperimentView>> {
    Ok(host.store.experiments().await?.into_iter().map(experiment).collect())
}

/// The experiment of this name, made where there is none.
///
/// # Errors
/// The user's: a name that is not allowed.
pub async fn ensure_experiment(host: &Host, name: &str, actor: &str) -> Result<ExperimentView> {
    let row = host.store.ensure_experiment(name, stamp(host, actor)).await?;
    host.store.barrier().await?;
    Ok(experiment(row))
}

fn experiment(row: ExperimentRow) -> ExperimentView {
    ExperimentView { experiment: row.id, name: row.name, created: rfc3339(row.created) }
}

/// Adds points to a run. The same point again changes nothing. Durable when it returns.
///
/// # Errors
/// The user's: no such run, too many points, a key or time that is not allowed.
pub async fn record_metrics(host: &Host, run: &str, metrics: NewMetrics) -> Result<RecordedView> {
    let recorded = metrics.points.len();
    if !(1..=POINTS).contains(&recorded) {
        let message = format!("`points` has {recorded} points and not 1 to {POINTS}");
        return Err(Error::user("too-many-points", message, "send them in several requests"));
    }
    known(host, run).await?;
    let now = host.clock.now();
    let points: Vec<MetricPoint> = metrics.points.into_iter().map(|new| point(new, now)).collect::<Result<_>>()?;
    host.store.append_metric_points(run, points).await?;
    host.store.barrier().await?;
    Ok(RecordedView { run: run.to_owned(), recorded })
}

fn point(new: NewPoint, now: Micros) -> Result<MetricPoint> {
    let time = match &new.time {
        None => now,
        Some(text) => time(text)?,
    };
    Ok(MetricPoint { step_key: String::new(), key: new.key, step: new.step, time, value: new.value })
}

/// A time as clients write it.
///
/// # Errors
/// The user's: it is no RFC 3339 time.
pub fn time(text: &str) -> Result<Micros> {
    parse_rfc3339(text).ok_or_else(|| {
        let shown: String = text.chars().take(64).collect();
        Error::user("invalid-time", format!("`{shown}` is no time"), "write it as RFC 3339: `2026-03-01T02:30:00Z`")
    })
}

/// The latest point of each metric.
///
/// # Errors
/// The user's: no such run.
pub async fn metrics(host: &Host, run: &str) -> Result<Vec<PointView>> {
    known(host, run).await?;
    Ok(host.store.metrics(run).await?.into_iter().map(point_view).collect())
}

/// All points of one metric, by time.
///
/// # Errors
/// The user's: no such run.
pub async fn history(host: &Host, run: &str, step: &str, key: &str) -> Result<Vec<PointView>> {
    known(host, run).await?;
    Ok(host.store.metric_history(run, step, key).await?.into_iter().map(point_view).collect())
}

fn point_view(point: MetricPoint) -> PointView {
    PointView {
        step: point.step_key,
        key: point.key,
        at: point.step,
        time: rfc3339(point.time),
        value: point.value.is_finite().then_some(point.value),
    }
}

/// Params and tags: which of the two.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Pairs {
    /// Never change once they are set.
    Params,
    Tags,
}

/// The params or tags of a run.
///
/// # Errors
/// The user's: no such run.
pub async fn pairs(host: &Host, run: &str, which: Pairs) -> Result<PairsView> {
    known(host, run).await?;
    let values = match which {
        Pairs::Params => host.store.params(run).await?,
        Pairs::Tags => host.store.tags(run).await?,
    };
    Ok(PairsView { run: run.to_owned(), values })
}

/// Adds params or tags to a run, all or none. Durable when it returns.
///
/// # Errors
/// The user's: no such run, a key or value that is not allowed, a param that has another value.
pub async fn set_pairs(
    host: &Host,
    run: &str,
    which: Pairs,
    values: BTreeMap<String, String>,
    actor: &str,
) -> Result<PairsView> {
    known(host, run).await?;
    let (values, stamp) = (values.into_iter().collect(), stamp(host, actor));
    match which {
        Pairs::Params => host.store.set_params(run, values, stamp).await?,
        Pairs::Tags => host.store.set_tags(run, values, stamp).await?,
    }
    host.store.barrier().await?;
    pairs(host, run, which).await
}

async fn known(host: &Host, run: &str) -> Result<()> {
    match host.store.load_run(run).await? {
        Some(_) => Ok(()),
        None => Err(StoreError::RunNotFound(run.to_owned()).into()),
    }
}

fn stamp(host: &Host, actor: &str) -> Stamp {
    Stamp { time: host.clock.now(), actor: actor.to_owned() }
}
