//! Runs as people and programs see them.

use std::collections::{BTreeMap, HashMap};

use wasmlops_core::artifact::OutputRecord;
use wasmlops_core::call::Usage;
use wasmlops_core::run::Metrics;
use wasmlops_store::{LogQuery, LogRow, RunFilter, RunRow, StepRow, StepStatus};

use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::view::{ChildView, RunSummary, RunView, SourceView, StepView};

/// A run with its steps, in the plan's order.
pub async fn show(host: &Host, id: &str) -> Result<RunView> {
    let run = super::loaded(host, id).await?;
    let steps = step_views(host, id).await?;
    let source = host.store.run_source(id).await?;
    let source = source.and_then(|state| {
        Some(SourceView {
            commit: state.git_commit?,
            branch: state.branch,
            uncommitted: state.patch_digest.map(|digest| digest.to_string()),
        })
    });
    let child = |run: RunRow| ChildView {
        run: run.id,
        name: run.name,
        pipeline: run.pipeline,
        status: run.status.to_string(),
        origin: run.origin,
    };
    let children = host.store.children_of(id).await?.into_iter().map(child).collect();
    Ok(RunView {
        pipeline: run.pipeline.clone(),
        status: run.status.to_string(),
        params: serde_json::from_str(&run.params).map_err(Error::bug)?,
        seed: run.seed,
        nominal_time: rfc3339(run.nominal_time),
        created: rfc3339(run.created),
        started: run.started.map(rfc3339),
        ended: run.ended.map(rfc3339),
        duration_ms: duration(&run),
        error: run.error.as_deref().map(serde_json::from_str).transpose().map_err(Error::bug)?,
        origin: run.origin,
        actor: run.actor,
        parent: run.parent,
        children,
        run: run.id,
        source,
        steps,
    })
}

/// A page of runs.
#[derive(Clone, Debug)]
pub struct RunsPage {
    pub runs: Vec<RunSummary>,
    /// The cursor of the next page; absent on the last.
    pub next: Option<String>,
}

/// The newest runs first.
pub async fn list(host: &Host, filter: &RunFilter) -> Result<RunsPage> {
    let page = host.store.list_runs(filter).await?;
    let summary = |run: RunRow| RunSummary {
        duration_ms: duration(&run),
        run: run.id,
        pipeline: run.pipeline,
        status: run.status.to_string(),
        origin: run.origin,
        actor: run.actor,
        parent: run.parent,
        created: rfc3339(run.created),
        ended: run.ended.map(rfc3339),
    };
    Ok(RunsPage { runs: page.runs.into_iter().map(summary).collect(), next: page.next })
}

/// All lines that the steps of a run said, in the order of time.
pub async fn logs(host: &Host, id: &str, step: Option<String>) -> Result<Vec<LogRow>> {
    super::loaded(host, id).await?;
    let mut lines: Vec<LogRow> = Vec::new();
    loop {
        let after = lines.last().map(LogRow::cursor);
        let query = LogQuery { run: id.to_owned(), step_key: step.clone(), after, limit: 0 };
        let more = host.store.logs(&query).await?;
        if more.is_empty() {
            return Ok(lines);
        }
        lines.extend(more);
    }
}

/// The steps of a run, those that were never reached included.
pub async fn step_views(host: &Host, id: &str) -> Result<Vec<StepView>> {
    let graph = super::graph_of(host, id).await?;
    let rows: HashMap<String, StepRow> =
        host.store.steps(id).await?.into_iter().map(|row| (row.step_key.clone(), row)).collect();
    let mut outputs: HashMap<String, BTreeMap<String, OutputRecord>> = HashMap::new();
    for output in host.store.outputs(id).await? {
        let record = OutputRecord {
            digest: output.digest,
            media_type: output.media_type,
            size: output.size.unsigned_abs(),
            rows: output.rows.map(i64::unsigned_abs),
        };
        outputs.entry(output.step_key).or_default().insert(output.name, record);
    }
    let mut metrics = metrics(host, id).await?;
    let views = graph.steps.iter().map(|step| {
        let key = step.key.as_str();
        let unreached = StepView {
            step: key.to_owned(),
            uses: step.uses.clone(),
            plugin: step.plugin.to_string(),
            kind: step.kind.to_string(),
            digest: step.plugin.digest.to_string(),
            status: "pending".to_owned(),
            cache: None,
            reason: None,
            attempts: 0,
            duration_ms: None,
            cpu_ms: None,
            memory_bytes: None,
            fuel: None,
            metrics: metrics.remove(key).unwrap_or_default(),
            outputs: outputs.remove(key).unwrap_or_default(),
            error: None,
        };
        match rows.get(key) {
            Some(row) => filled(unreached, row),
            None => Ok(unreached),
        }
    });
    views.collect()
}

fn filled(view: StepView, row: &StepRow) -> Result<StepView> {
    let usage: Option<Usage> = row.usage.as_deref().map(serde_json::from_str).transpose().map_err(Error::bug)?;
    let was_reached = !matches!(row.status, StepStatus::Skipped | StepStatus::Pending) && row.started.is_some();
    Ok(StepView {
        status: row.status.to_string(),
        cache: was_reached.then(|| row.cache.to_string()),
        reason: row.reason.clone(),
        attempts: u32::try_from(row.attempts).unwrap_or_default(),
        duration_ms: row.started.zip(row.ended).map(|(started, ended)| (ended - started) as f64 / 1e3),
        cpu_ms: usage.as_ref().map(|usage| usage.cpu.as_secs_f64() * 1e3),
        memory_bytes: usage.as_ref().map(|usage| usage.memory_peak),
        fuel: usage.as_ref().and_then(|usage| usage.fuel),
        error: row.error.as_deref().map(serde_json::from_str).transpose().map_err(Error::bug)?,
        ..view
    })
}

/// The latest metrics by step.
async fn metrics(host: &Host, id: &str) -> Result<HashMap<String, Metrics>> {
    let mut metrics: HashMap<String, Metrics> = HashMap::new();
    for point in host.store.metrics(id).await? {
        metrics.entry(point.step_key).or_default().0.insert(point.key, point.value);
    }
    Ok(metrics)
}

fn duration(run: &RunRow) -> Option<f64> {
    run.started.zip(run.ended).map(|(started, ended)| (ended - started) as f64 / 1e3)
}
