//! `wasmlops schedule list|show|pause|resume|trigger|backfill|cancel-backfill`.

use anyhow::Result;
use serde_json::json;
use wasmlops_server::host::Host;
use wasmlops_server::schedules::control::{self, BackfillRequest};
use wasmlops_server::schedules::view::{self, BackfillView, ScheduleView};

use crate::args::ScheduleCommand;
use crate::output::{Outcome, Printer, TextTable};
use crate::settings::Settings;

use super::text;

pub async fn run(settings: &Settings, command: ScheduleCommand, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let actor = settings.actor();
    match command {
        ScheduleCommand::List => list(&host, printer).await?,
        ScheduleCommand::Show { schedule } => show(&view::show(&host, &schedule).await?, printer)?,
        ScheduleCommand::Pause { schedule } => show(&control::pause(&host, &schedule, &actor).await?, printer)?,
        ScheduleCommand::Resume { schedule } => show(&control::resume(&host, &schedule, &actor).await?, printer)?,
        ScheduleCommand::Trigger { schedule } => trigger(&host, &schedule, &actor, printer).await?,
        ScheduleCommand::Backfill { schedule, from, to, parallel } => {
            let request = BackfillRequest { schedule, from, to, parallelism: parallel };
            let backfill = control::backfill(&host, &request, &actor).await?;
            printer.data(&backfill, || backfill_text(&backfill))?;
            printer.say("the project's server goes on with it");
        }
        ScheduleCommand::CancelBackfill { backfill } => {
            let backfill = control::cancel_backfill(&host, &backfill, &actor).await?;
            printer.data(&backfill, || backfill_text(&backfill))?;
        }
    }
    host.store.close().await;
    Ok(Outcome::Done)
}

async fn list(host: &Host, printer: &Printer) -> Result<()> {
    let schedules = view::list(host).await?;
    printer.data(&json!({ "schedules": schedules }), || {
        let mut table = TextTable::new(&["schedule", "pipeline", "when", "next", "last", "state"]);
        for schedule in &schedules {
            let last = schedule.times.first();
            table.row([
                schedule.schedule.clone(),
                schedule.pipeline.clone(),
                schedule.when.clone(),
                schedule.next.first().cloned().unwrap_or_else(|| held(schedule)),
                last.map_or_else(text::dash, |time| time.nominal_time.clone()),
                last.map_or_else(text::dash, |time| time.state.clone()),
            ]);
        }
        table.to_string()
    })
}

fn show(schedule: &ScheduleView, printer: &Printer) -> Result<()> {
    printer.data(schedule, || {
        let jitter = schedule.jitter.as_ref().map(|jitter| format!(", jitter {jitter}")).unwrap_or_default();
        let mut shown = format!(
            "schedule {} of pipeline {}: {}\noverlap {}, catch-up {}{jitter}, priority {}\n",
            schedule.schedule, schedule.pipeline, schedule.when, schedule.overlap, schedule.catch_up, schedule.priority
        );
        if let Some(problem) = &schedule.problem {
            shown += &format!("no run can be started: {problem}\n");
        }
        match schedule.next.is_empty() {
            true => shown += &format!("next: {}\n", held(schedule)),
            false => shown += &format!("next: {}\n", schedule.next.join(", ")),
        }
        if !schedule.times.is_empty() {
            let mut table = TextTable::new(&["time", "state", "run", "why"]);
            for time in &schedule.times {
                table.row([
                    time.nominal_time.clone(),
                    time.state.clone(),
                    time.run.clone().unwrap_or_else(text::dash),
                    time.reason.clone().unwrap_or_default(),
                ]);
            }
            shown += &format!("\n{table}");
        }
        schedule.backfills.iter().for_each(|backfill| shown += &format!("\n{}", backfill_text(backfill)));
        shown
    })
}

async fn trigger(host: &Host, schedule: &str, actor: &str, printer: &Printer) -> Result<()> {
    let run = control::trigger(host, schedule, actor).await?;
    printer.data(&run, || format!("run {} of {} waits for the project's server\n", run.run, run.pipeline))
}

fn held(schedule: &ScheduleView) -> String {
    if schedule.paused { "paused".to_owned() } else { text::dash() }
}

fn backfill_text(backfill: &BackfillView) -> String {
    let reached = backfill.reached.as_ref().map(|reached| format!(", reached {reached}")).unwrap_or_default();
    format!(
        "backfill {} of {}: from {} to {}, {} at once: {}, {} runs{reached}\n",
        backfill.backfill,
        backfill.schedule,
        backfill.from,
        backfill.to,
        backfill.parallelism,
        backfill.state,
        backfill.submitted
    )
}
