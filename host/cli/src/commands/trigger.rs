//! `wasmlops trigger list|show`.

use anyhow::Result;
use serde_json::json;
use wasmlops_server::events::view::{self, TriggerView};

use crate::args::TriggerCommand;
use crate::output::{Outcome, Printer, TextTable};
use crate::settings::Settings;

use super::text;

pub async fn run(settings: &Settings, command: TriggerCommand, printer: &Printer) -> Result<Outcome> {
    match command {
        TriggerCommand::List => list(settings, printer).await,
        TriggerCommand::Show { trigger, runs } => show(settings, &trigger, runs, printer).await,
    }
}

async fn list(settings: &Settings, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let triggers = view::list(&host, 1).await?;
    printer.data(&json!({ "triggers": triggers }), || {
        let mut table = TextTable::new(&["trigger", "pipeline", "on", "of", "last run", "status"]);
        for trigger in &triggers {
            let last = trigger.runs.first();
            table.row([
                trigger.trigger.clone(),
                trigger.pipeline.clone(),
                trigger.on.clone(),
                trigger.of.clone(),
                last.map_or_else(text::dash, |run| run.time.clone()),
                last.and_then(|run| run.status.clone()).unwrap_or_else(text::dash),
            ]);
        }
        table.to_string()
    })?;
    Ok(Outcome::Done)
}

async fn show(settings: &Settings, name: &str, runs: u32, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let trigger = view::show(&host, name, runs).await?;
    printer.data(&trigger, || shown(&trigger))?;
    Ok(Outcome::Done)
}

fn shown(trigger: &TriggerView) -> String {
    let mut text =
        format!("trigger {}: runs {} on {} of {}\n", trigger.trigger, trigger.pipeline, trigger.on, trigger.of);
    if let Some(path) = &trigger.path {
        text += &format!("  posted to {path}\n");
    }
    trigger.params.iter().for_each(|param| text += &format!("  sets {param}\n"));
    for run in &trigger.runs {
        let status = run.status.as_deref().unwrap_or("removed");
        text += &format!("run {} {status}, {}, because of {}\n", run.run, run.time, run.cause);
    }
    if trigger.runs.is_empty() {
        text += "it has started no run yet\n";
    }
    text
}
