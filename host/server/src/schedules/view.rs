//! Schedules as people and programs see them.

use std::collections::HashMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};
use wasmlops_core::config::{ScheduleConfig, format_duration};
use wasmlops_store::{BackfillRow, ScheduleRow, ScheduledTimeRow};

use super::{configured, known};
use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::host::Host;

/// Times to come that `show` names.
const TO_COME: usize = 5;
/// Times that have passed, and backfills, that `show` names.
const PASSED: u32 = 20;

/// A schedule of the project.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ScheduleView {
    pub schedule: String,
    pub pipeline: String,
    /// Its times: `30 2 * * * in Europe/Berlin`, `every 6h`.
    pub when: String,
    pub params: Map<String, Value>,
    /// `skip`, `queue` or `replace`.
    pub overlap: String,
    /// `skip`, `latest` or `all N`.
    pub catch_up: String,
    /// How much later than its time a run is submitted at the most.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub jitter: Option<String>,
    pub priority: i32,
    /// By the file or by a person.
    pub paused: bool,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub description: Option<String>,
    /// Why no run can be started.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub problem: Option<String>,
    /// The nominal times to come, RFC 3339; none while it is paused.
    pub next: Vec<String>,
    /// The latest nominal times and what became of them; of a list the last one alone.
    pub times: Vec<ScheduledTimeView>,
    /// The newest first; not in a list.
    #[serde(default, skip_serializing_if = "Vec::is_empty")]
    pub backfills: Vec<BackfillView>,
}

/// A nominal time that has passed.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ScheduledTimeView {
    /// RFC 3339.
    pub nominal_time: String,
    /// `waiting`, `started`, `skipped`, or how its run ended.
    pub state: String,
    pub run: Option<String>,
    /// Why there is no run.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub reason: Option<String>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub backfill: Option<String>,
    pub decided: String,
}

#[derive(Clone, PartialEq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct BackfillView {
    pub backfill: String,
    pub schedule: String,
    /// Nominal times from this one on, RFC 3339,
    pub from: String,
    /// and before this one.
    pub to: String,
    /// Runs at once.
    pub parallelism: i64,
    /// `running`, `done` or `cancelled`.
    pub state: String,
    /// The nominal time that it has come to.
    pub reached: Option<String>,
    /// Runs submitted so far.
    pub submitted: i64,
    pub actor: String,
    pub created: String,
    pub ended: Option<String>,
}

/// Every schedule of the file, in its order, each with its next time and the last that was decided.
pub async fn list(host: &Host) -> Result<Vec<ScheduleView>> {
    page(host, 0, usize::MAX).await
}

/// `limit` schedules of the file from number `from` on.
pub async fn page(host: &Host, from: usize, limit: usize) -> Result<Vec<ScheduleView>> {
    let rows: HashMap<String, ScheduleRow> =
        host.store.schedules().await?.into_iter().map(|row| (row.name.clone(), row)).collect();
    let pipelines = host.project.pipeline_names();
    let mut views = Vec::new();
    for schedule in host.project.schedules.iter().skip(from).take(limit) {
        let name = &schedule.name.value;
        let times = host.store.scheduled_times(name, 1).await?;
        views.push(view(host, schedule, rows.get(name), &pipelines, Shown { to_come: 1, times })?);
    }
    Ok(views)
}

/// A schedule with its next times, those that have passed, and its backfills.
///
/// # Errors
/// `unknown-schedule`.
pub async fn show(host: &Host, name: &str) -> Result<ScheduleView> {
    let schedule = configured(host, name)?;
    let row = host.store.schedule(name).await?;
    let times = host.store.scheduled_times(name, PASSED).await?;
    let backfills = host.store.backfills(name, PASSED).await?;
    let pipelines = host.project.pipeline_names();
    let view = view(host, schedule, row.as_ref(), &pipelines, Shown { to_come: TO_COME, times })?;
    Ok(ScheduleView { backfills: backfills.into_iter().map(of_backfill).collect(), ..view })
}

/// # Errors
/// `unknown-backfill`.
pub async fn backfill(host: &Host, id: &str) -> Result<BackfillView> {
    host.store.backfill(id).await?.map(of_backfill).ok_or_else(|| unknown_backfill(id))
}

pub(super) fn unknown_backfill(id: &str) -> Error {
    let id: String = id.chars().take(64).collect();
    let hint = "`wasmlops schedule show NAME` shows a schedule's backfills";
    Error::user("unknown-backfill", format!("there is no backfill `{id}`"), hint)
}

struct Shown {
    to_come: usize,
    times: Vec<ScheduledTimeRow>,
}

fn view(
    host: &Host,
    schedule: &ScheduleConfig,
    row: Option<&ScheduleRow>,
    pipelines: &[String],
    shown: Shown,
) -> Result<ScheduleView> {
    let paused = schedule.paused || row.is_some_and(|row| row.paused);
    // A schedule that changed begins anew with the next start of the service.
    let cursor = row.filter(|row| row.timing == known::words(schedule)).map(|row| row.cursor);
    let cursor = cursor.unwrap_or_else(|| host.clock.now());
    let to_come = if paused { 0 } else { shown.to_come };
    let next = known::calendar(schedule)?.after(cursor).take(to_come).map(rfc3339).collect();
    let pipeline = schedule.pipeline.value.clone();
    let problem = (!pipelines.contains(&pipeline)).then(|| format!("there is no pipeline `{pipeline}`"));
    Ok(ScheduleView {
        schedule: schedule.name.value.clone(),
        pipeline,
        when: schedule.timing.to_string(),
        params: schedule.params.clone(),
        overlap: schedule.policy.overlap.as_str().to_owned(),
        catch_up: schedule.policy.catch_up.to_string(),
        jitter: (!schedule.policy.jitter.is_zero()).then(|| format_duration(schedule.policy.jitter)),
        priority: schedule.priority,
        paused,
        description: schedule.description.clone(),
        problem,
        next,
        times: shown.times.into_iter().map(time).collect(),
        backfills: Vec::new(),
    })
}

fn time(row: ScheduledTimeRow) -> ScheduledTimeView {
    ScheduledTimeView {
        nominal_time: rfc3339(row.nominal_time),
        state: row.status.map_or_else(|| row.state.to_string(), |status| status.to_string()),
        run: row.run,
        reason: row.reason,
        backfill: row.backfill,
        decided: rfc3339(row.decided),
    }
}

fn of_backfill(row: BackfillRow) -> BackfillView {
    BackfillView {
        backfill: row.id,
        schedule: row.schedule,
        from: rfc3339(row.from_time),
        to: rfc3339(row.to_time),
        parallelism: row.parallelism,
        state: row.state.to_string(),
        reached: (row.cursor >= row.from_time).then(|| rfc3339(row.cursor)),
        submitted: row.submitted,
        actor: row.actor,
        created: rfc3339(row.created),
        ended: row.ended.map(rfc3339),
    }
}
