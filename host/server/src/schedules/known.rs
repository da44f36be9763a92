//! What the project's file says against what the store knows: new schedules begin now, changed ones begin anew, those
//! that are gone rest.

use std::collections::HashMap;

use wasmlops_core::config::ScheduleConfig;
use wasmlops_core::run::Micros;
use wasmlops_core::schedule::{Calendar, Schedule, first_look};
use wasmlops_store::{ScheduleRow, Stamp};

use crate::error::{Error, Result};
use crate::host::Host;

/// Brings the store's schedules up to date with the file. Whatever calls it may be called by several at once.
pub(super) async fn bring_up_to_date(host: &Host, actor: &str) -> Result<()> {
    let now = host.clock.now();
    let rows = host.store.schedules().await?;
    let mut known: HashMap<&str, &ScheduleRow> = rows.iter().map(|row| (row.name.as_str(), row)).collect();
    let (mut added, mut changed) = (Vec::new(), Vec::new());
    for schedule in &host.project.schedules {
        match known.remove(schedule.name.value.as_str()) {
            None => added.push(new_row(schedule, now)?),
            Some(row) => changed.extend(changed_row(schedule, row, now)?),
        }
    }
    let gone = known.into_values().filter(|row| row.next_due.is_some() || !row.timing.is_empty());
    let gone: Vec<_> =
        gone.map(|row| ScheduleRow { timing: String::new(), next_due: None, changed: now, ..row.clone() }).collect();
    let stamp = || Stamp { time: now, actor: actor.to_owned() };
    for (rows, action) in [(added, "schedule.added"), (changed, "schedule.changed"), (gone, "schedule.removed")] {
        if !rows.is_empty() {
            host.store.put_schedules(rows, action, stamp()).await?;
        }
    }
    Ok(())
}

fn new_row(schedule: &ScheduleConfig, now: Micros) -> Result<ScheduleRow> {
    Ok(ScheduleRow {
        name: schedule.name.value.clone(),
        timing: words(schedule),
        cursor: now,
        paused: false,
        next_due: look(schedule, now, false)?,
        created: now,
        changed: now,
    })
}

/// A schedule whose times are others than before: what passed under the old ones is not made up for.
fn changed_row(schedule: &ScheduleConfig, row: &ScheduleRow, now: Micros) -> Result<Option<ScheduleRow>> {
    let timing = words(schedule);
    if timing == row.timing {
        return Ok(None);
    }
    let cursor = row.cursor.max(now);
    let next_due = look(schedule, cursor, row.paused)?;
    Ok(Some(ScheduleRow { timing, cursor, next_due, changed: now, ..row.clone() }))
}

/// Everything that says when to look at the schedule.
pub(super) fn words(schedule: &ScheduleConfig) -> String {
    let jitter = schedule.policy.jitter.as_millis();
    let held = if schedule.paused { ", paused" } else { "" };
    format!("{}, jitter {jitter} ms{held}", schedule.timing)
}

/// When to look at a schedule again that was decided up to `cursor`; never at one that is held.
pub(super) fn look(schedule: &ScheduleConfig, cursor: Micros, paused: bool) -> Result<Option<Micros>> {
    if paused || schedule.paused {
        return Ok(None);
    }
    let calendar = calendar(schedule)?;
    Ok(first_look(of(schedule, &calendar), cursor))
}

pub(super) fn calendar(schedule: &ScheduleConfig) -> Result<Calendar> {
    schedule.timing.calendar().map_err(Error::bug)
}

pub(super) fn of<'a>(schedule: &'a ScheduleConfig, calendar: &'a Calendar) -> Schedule<'a> {
    Schedule { name: &schedule.name.value, calendar, policy: schedule.policy }
}
