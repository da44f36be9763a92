//! From what is due to runs, in one transaction.

use std::time::Duration;

use wasmlops_core::config::ScheduleConfig;
use wasmlops_core::run::Micros;
use wasmlops_core::schedule::{Decision, Load, State, due};
use wasmlops_store::schedules::{advance, claim, leave_out, let_wait, release as let_go, settle};
use wasmlops_store::{AuditEntry, ScheduleRow, ScheduledTimeRow, Stamp, TimeState};

use super::{actor, known, submission};
use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::runs::{self, Prepared, submit_in};

/// A schedule whose time has come.
pub(super) struct Fired<'a> {
    pub schedule: &'a ScheduleConfig,
    pub row: &'a ScheduleRow,
    /// Its run but for the time, or why there can be none.
    pub template: Result<Prepared>,
    /// Since when nothing was missed.
    pub watched: Micros,
    pub now: Micros,
}

/// What a decision becomes.
enum Effect {
    Run { nominal: Micros, prepared: Box<Prepared> },
    Wait { nominal: Micros },
    LeaveOut { nominal: Micros, reason: String },
    Missed { first: Micros, until: Micros },
}

/// Decides a schedule and puts it into effect. Gives how many runs were submitted.
pub(super) async fn decide(host: &Host, fired: Fired<'_>) -> Result<usize> {
    let Fired { schedule, row, template, watched, now } = fired;
    let name = &schedule.name.value;
    let open = Open::of(host, name).await?;
    let calendar = known::calendar(schedule)?;
    let verdict = due(known::of(schedule, &calendar), State { cursor: row.cursor, watched, load: open.load() }, now);
    let mut effects = Vec::new();
    for decision in verdict.decisions {
        if let Decision::Replace { .. } = decision {
            // Before the transaction: a death in between leaves the time to be decided once more.
            open.end(host, name).await?;
        }
        effects.push(effect(host, schedule, decision, &template).await?);
    }
    let late: Vec<Micros> = effects.iter().filter_map(|effect| lateness(effect, now)).collect();
    let (row, ended) = (row.clone(), open.ended);
    let (cursor, next) = (verdict.cursor, verdict.next);
    let stamp = Stamp { time: now, actor: actor(name) };
    let written = host.store.with_tx(move |tx| {
        Box::pin(async move {
            // Somebody else was faster, or the schedule is held by now: then nothing of this is to be.
            if !advance(tx, &row, cursor, next).await? {
                return Ok::<_, Error>(0);
            }
            settle(tx, &row.name, &ended).await?;
            let mut submitted = 0;
            for effect in effects {
                submitted += write(tx, &row.name, effect, &stamp).await?;
            }
            Ok(submitted)
        })
    });
    let submitted = written.await?;
    if submitted > 0 {
        late.into_iter().for_each(|late| host.counts.lateness.observe(Duration::from_micros(late.unsigned_abs())));
    }
    Ok(submitted)
}

fn lateness(effect: &Effect, now: Micros) -> Option<Micros> {
    match effect {
        Effect::Run { nominal, .. } => Some((now - nominal).max(0)),
        _ => None,
    }
}

async fn effect(
    host: &Host,
    schedule: &ScheduleConfig,
    decision: Decision,
    template: &Result<Prepared>,
) -> Result<Effect> {
    Ok(match decision {
        Decision::Fire { nominal } | Decision::Replace { nominal } => match template {
            Ok(template) => {
                let origin = format!("schedule:{}", schedule.name.value);
                let submission = submission(schedule, nominal, origin);
                Effect::Run { nominal, prepared: Box::new(template.at_another_time(host, &submission).await?) }
            }
            Err(error) => Effect::LeaveOut { nominal, reason: hopeless(error)? },
        },
        Decision::Wait { nominal } => Effect::Wait { nominal },
        Decision::Skip { nominal, why } => Effect::LeaveOut { nominal, reason: why.to_string() },
        Decision::Missed { first, until } => Effect::Missed { first, until },
    })
}

/// What a person has to mend is not mended by trying again: the time has no run, and a backfill can give it one.
pub(super) fn hopeless(error: &Error) -> Result<String> {
    match error {
        Error::User(problems) => Ok(problems.first().message.clone()),
        error => Err(Error::Host(error.to_string())),
    }
}

async fn write(tx: &mut wasmlops_store::Tx, schedule: &str, effect: Effect, stamp: &Stamp) -> Result<usize> {
    match effect {
        Effect::Run { nominal, prepared } => {
            if claim(tx, schedule, nominal, prepared.id(), None, stamp).await? {
                submit_in(tx, *prepared, stamp.clone()).await?;
                return Ok(1);
            }
        }
        Effect::Wait { nominal } => let_wait(tx, schedule, nominal, stamp).await?,
        Effect::LeaveOut { nominal, reason } => leave_out(tx, schedule, nominal, &reason, stamp).await?,
        Effect::Missed { first, until } => tx.audit(AuditEntry {
            stamp: stamp.clone(),
            action: "schedule.missed".to_owned(),
            subject: format!("schedule:{schedule}"),
            details: serde_json::json!({ "first": rfc3339(first), "before": rfc3339(until) }).to_string(),
        }),
    }
    Ok(0)
}

/// Gives the first of a schedule's waiting times its run, if nothing of the schedule is under way. Says whether it did.
pub(super) async fn release(
    host: &Host,
    schedule: &ScheduleConfig,
    nominal: Micros,
    template: Result<Prepared>,
) -> Result<bool> {
    let name = schedule.name.value.clone();
    let open = Open::of(host, &name).await?;
    if open.load().active > 0 || schedule.paused {
        return Ok(false);
    }
    let effect = effect(host, schedule, Decision::Fire { nominal }, &template).await?;
    let stamp = Stamp { time: host.clock.now(), actor: actor(&name) };
    let written = host.store.with_tx(move |tx| {
        Box::pin(async move {
            settle(tx, &name, &open.ended).await?;
            match effect {
                Effect::Run { prepared, .. } => {
                    let submits = let_go(tx, &name, nominal, Ok(prepared.id()), &stamp).await?;
                    if submits {
                        submit_in(tx, *prepared, stamp.clone()).await?;
                    }
                    Ok::<_, Error>(submits)
                }
                Effect::LeaveOut { reason, .. } => {
                    let_go(tx, &name, nominal, Err(&reason), &stamp).await?;
                    Ok(false)
                }
                Effect::Wait { .. } | Effect::Missed { .. } => Ok(false),
            }
        })
    });
    written.await
}

/// The times of a schedule that are not over.
struct Open {
    /// Their runs are under way.
    active: Vec<String>,
    waiting: Vec<Micros>,
    /// Their runs have ended, or are gone.
    ended: Vec<Micros>,
}

impl Open {
    async fn of(host: &Host, schedule: &str) -> Result<Self> {
        Ok(Self::sorted(host.store.open_times(schedule, None).await?))
    }

    fn sorted(rows: Vec<ScheduledTimeRow>) -> Self {
        let mut open = Self { active: Vec::new(), waiting: Vec::new(), ended: Vec::new() };
        for row in rows {
            match (row.state, row.run) {
                (TimeState::Waiting, _) => open.waiting.push(row.nominal_time),
                (_, Some(run)) if is_under_way(row.status) => open.active.push(run),
                _ => open.ended.push(row.nominal_time),
            }
        }
        open
    }

    fn load(&self) -> Load {
        let count = |length: usize| u32::try_from(length).unwrap_or(u32::MAX);
        Load { active: count(self.active.len()), waiting: count(self.waiting.len()) }
    }

    /// Stops the runs, and leaves out what waits.
    async fn end(&self, host: &Host, schedule: &str) -> Result<()> {
        for run in &self.active {
            match runs::cancel(host, run, &actor(schedule)).await {
                // It ended by itself meanwhile.
                Ok(_) | Err(Error::User(_)) => {}
                Err(error) => return Err(error),
            }
        }
        let (name, waiting) = (schedule.to_owned(), self.waiting.clone());
        let stamp = Stamp { time: host.clock.now(), actor: actor(schedule) };
        let written = host.store.with_tx(move |tx| {
            Box::pin(async move {
                for nominal in waiting {
                    let_go(tx, &name, nominal, Err("a later time replaced it"), &stamp).await?;
                }
                Ok::<_, Error>(())
            })
        });
        written.await
    }
}

pub(super) fn is_under_way(status: Option<wasmlops_store::RunStatus>) -> bool {
    status.is_some_and(|status| !status.is_final())
}
