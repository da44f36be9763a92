//! What people ask of schedules.

use wasmlops_core::config::ScheduleConfig;
use wasmlops_core::run::Micros;
use wasmlops_core::schedule::day_in;
use wasmlops_store::schedules::{claim, end_backfill};
use wasmlops_store::{BackfillRow, BackfillState, ScheduleRow, Stamp};

use super::view::{BackfillView, ScheduleView};
use super::{configured, known, submission, view};
use crate::clock::{new_id, parse_rfc3339, rfc3339};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::runs::{self, Submission, prepare, submit_in};
use crate::view::RunView;

/// Runs of one backfill at once at the most.
pub const MOST_PARALLEL: u32 = 100;

/// The most nominal times of one backfill.
const MOST_TIMES: usize = 100_000;

/// Holds a schedule. Times that pass meanwhile are not made up for. One that is held already stays so.
///
/// # Errors
/// `unknown-schedule`.
pub async fn pause(host: &Host, name: &str, actor: &str) -> Result<ScheduleView> {
    let (schedule, row) = row_of(host, name, actor).await?;
    if !row.paused {
        let row = ScheduleRow { paused: true, next_due: None, changed: host.clock.now(), ..row };
        put(host, row, "schedule.paused", actor).await?;
    }
    view::show(host, &schedule.name.value).await
}

/// Lets a schedule go on from now.
///
/// # Errors
/// `unknown-schedule`; `paused-by-file` where the project file holds it.
pub async fn resume(host: &Host, name: &str, actor: &str) -> Result<ScheduleView> {
    let (schedule, row) = row_of(host, name, actor).await?;
    if schedule.paused {
        let message = format!("schedule `{name}` is paused in wasmlops.yaml");
        return Err(Error::user("paused-by-file", message, "remove `paused: true` there"));
    }
    if row.paused {
        let now = host.clock.now();
        let cursor = row.cursor.max(now);
        let next_due = known::look(schedule, cursor, false)?;
        let row = ScheduleRow { paused: false, cursor, next_due, changed: now, ..row };
        put(host, row, "schedule.resumed", actor).await?;
    }
    view::show(host, name).await
}

/// Submits a run of the schedule now, whatever its times and policies say; its nominal time is now.
///
/// # Errors
/// `unknown-schedule`; those of [`runs::submit`].
pub async fn trigger(host: &Host, name: &str, actor: &str) -> Result<RunView> {
    let (schedule, _) = row_of(host, name, actor).await?;
    let now = host.clock.now();
    let submission: Submission = submission(schedule, now, format!("schedule:{name}"));
    let prepared = prepare(host, &submission).await?;
    let (name, stamp) = (name.to_owned(), Stamp { time: now, actor: actor.to_owned() });
    let run = prepared.id().to_owned();
    let written = host.store.with_tx(move |tx| {
        Box::pin(async move {
            claim(tx, &name, now, prepared.id(), None, &stamp).await?;
            submit_in(tx, prepared, stamp.clone()).await
        })
    });
    written.await?;
    host.store.barrier().await?;
    runs::wake(host);
    runs::show(host, &run).await
}

/// What is to be made up for.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct BackfillRequest {
    pub schedule: String,
    /// From this nominal time on, RFC 3339 or a day such as `2026-03-01`, which begins in the schedule's zone.
    pub from: String,
    /// Before this one.
    pub to: String,
    /// Runs at once, 1 to [`MOST_PARALLEL`].
    pub parallelism: u32,
}

/// Records a backfill: each nominal time in the range that has no run gets one. The service of `serve` goes on with it.
///
/// # Errors
/// [`Error::User`] with every problem of the request; `unknown-schedule`.
pub async fn backfill(host: &Host, request: &BackfillRequest, actor: &str) -> Result<BackfillView> {
    let (schedule, _) = row_of(host, &request.schedule, actor).await?;
    let (from, to) = range(host, schedule, request)?;
    let calendar = known::calendar(schedule)?;
    let times = calendar.after(from - 1).take_while(|nominal| *nominal < to).take(MOST_TIMES + 1).count();
    if times == 0 || times > MOST_TIMES {
        let many = if times == 0 { "no time" } else { "more than 100000 times" };
        let message = format!("schedule `{}` has {many} from {} to {}", request.schedule, rfc3339(from), rfc3339(to));
        return Err(Error::user("wrong-range", message, format!("its times are `{}`", schedule.timing)));
    }
    let now = host.clock.now();
    let row = BackfillRow {
        id: new_id(&*host.clock),
        schedule: request.schedule.clone(),
        from_time: from,
        to_time: to,
        parallelism: i64::from(request.parallelism),
        state: BackfillState::Running,
        cursor: from - 1,
        submitted: 0,
        actor: actor.to_owned(),
        created: now,
        ended: None,
    };
    let id = row.id.clone();
    host.store.create_backfill(row, Stamp { time: now, actor: actor.to_owned() }).await?;
    host.store.barrier().await?;
    view::backfill(host, &id).await
}

/// Stops a backfill: no further runs; those that were submitted go on.
///
/// # Errors
/// `unknown-backfill`; `backfill-ended`.
pub async fn cancel_backfill(host: &Host, id: &str, actor: &str) -> Result<BackfillView> {
    let row = host.store.backfill(id).await?.ok_or_else(|| view::unknown_backfill(id))?;
    let stamp = Stamp { time: host.clock.now(), actor: actor.to_owned() };
    let ended = host
        .store
        .with_tx(move |tx| Box::pin(async move { end_backfill(tx, &row, BackfillState::Cancelled, &stamp).await }));
    if !ended.await? {
        let message = format!("backfill `{id}` has ended already");
        return Err(Error::user("backfill-ended", message, "`wasmlops runs cancel` stops a run of it"));
    }
    view::backfill(host, id).await
}

/// The schedule in the file and in the store, which learns of it if it does not know it.
async fn row_of<'h>(host: &'h Host, name: &str, actor: &str) -> Result<(&'h ScheduleConfig, ScheduleRow)> {
    let schedule = configured(host, name)?;
    known::bring_up_to_date(host, actor).await?;
    let row = host.store.schedule(name).await?;
    Ok((schedule, row.ok_or_else(|| Error::bug(format!("schedule `{name}` was made known and is not")))?))
}

async fn put(host: &Host, row: ScheduleRow, action: &'static str, actor: &str) -> Result<()> {
    let stamp = Stamp { time: row.changed, actor: actor.to_owned() };
    host.store.put_schedules(vec![row], action, stamp).await?;
    host.store.barrier().await?;
    Ok(())
}

fn range(host: &Host, schedule: &ScheduleConfig, request: &BackfillRequest) -> Result<(Micros, Micros)> {
    use wasmlops_core::diagnostics::{Diagnostic, Diagnostics};
    let zone = schedule.timing.zone();
    let mut problems = Vec::new();
    let mut read = |text: &str, which: &str| {
        let at = parse_rfc3339(text).or_else(|| day_in(&zone, text));
        if at.is_none() {
            let shown: String = text.chars().take(100).collect();
            let message = format!("`{which}` is no time: `{shown}`");
            problems.push(Diagnostic::new("wrong-value", message).hint("write `2026-03-29T02:00:00Z` or `2026-03-29`"));
        }
        at
    };
    let (from, to) = (read(&request.from, "from"), read(&request.to, "to"));
    if let (Some(from), Some(to)) = (from, to)
        && from >= to
    {
        problems.push(Diagnostic::new("wrong-value", "`from` must be before `to`").hint("`to` itself is left out"));
    }
    if to.is_some_and(|to| to > host.clock.now()) {
        let hint = "times that are to come are for the schedule itself";
        problems.push(Diagnostic::new("wrong-value", "`to` lies in the future").hint(hint));
    }
    if !(1..=MOST_PARALLEL).contains(&request.parallelism) {
        let message = format!("`parallel` must be from 1 to {MOST_PARALLEL}, not {}", request.parallelism);
        problems.push(Diagnostic::new("wrong-value", message).hint("leave it out for one run at a time"));
    }
    match (problems.is_empty(), from, to) {
        (true, Some(from), Some(to)) => Ok((from, to)),
        _ => Err(Error::User(Diagnostics(problems))),
    }
}
