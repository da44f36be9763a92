//! `wasmlops monitor list|show|run`.

use anyhow::Result;
use serde_json::json;
use wasmlops_server::monitoring::{self, act, view};

use crate::args::MonitorCommand;
use crate::output::{Outcome, Printer, TextTable};
use crate::settings::Settings;

use super::text;

pub async fn run(settings: &Settings, command: MonitorCommand, printer: &Printer) -> Result<Outcome> {
    match command {
        MonitorCommand::List => list(settings, printer).await,
        MonitorCommand::Show { monitor, windows } => show(settings, &monitor, windows, printer).await,
        MonitorCommand::Run { monitor } => judge(settings, &monitor, printer).await,
    }
}

async fn list(settings: &Settings, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let monitors = view::list(&host).await?;
    printer.data(&json!({ "monitors": monitors }), || {
        let mut table = TextTable::new(&["monitor", "endpoint", "uses", "window", "last window", ">found"]);
        for monitor in &monitors {
            let last = monitor.windows.first();
            table.row([
                monitor.monitor.clone(),
                monitor.endpoint.clone(),
                monitor.uses.clone(),
                monitor.window.clone(),
                last.map_or_else(text::dash, |window| window.time.clone()),
                last.map_or_else(text::dash, |window| format!("{} of {}", window.found, window.findings.len())),
            ]);
        }
        table.to_string()
    })?;
    Ok(Outcome::Done)
}

async fn show(settings: &Settings, name: &str, windows: u32, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let monitor = view::show(&host, monitoring::configured(&host, name)?, windows).await?;
    printer.data(&monitor, || {
        let mut shown = format!(
            "monitor {} of endpoint {}: {} over {}, against {}\n",
            monitor.monitor, monitor.endpoint, monitor.uses, monitor.window, monitor.reference
        );
        monitor.windows.iter().for_each(|window| shown += &window_text(window));
        shown
    })?;
    Ok(Outcome::Done)
}

/// Judges the window that is full, if there is one, and does what its rules say.
async fn judge(settings: &Settings, name: &str, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let monitor = monitoring::configured(&host, name)?;
    let Some(row) = monitoring::judge_if_due(&host, monitor).await? else {
        printer.data(&json!({ "monitor": name, "window": null }), || format!("no window of `{name}` is full yet\n"))?;
        return Ok(Outcome::Done);
    };
    for action in host.store.actions_of_window(name, row.seq).await? {
        if action.state == wasmlops_store::ActionState::Pending {
            act::perform(&host, &action).await?;
        }
    }
    let actions = host.store.actions_of_window(name, row.seq).await?;
    let window = view::window(row, actions)?;
    host.store.close().await;
    printer.data(&json!({ "monitor": name, "window": window }), || window_text(&window))?;
    Ok(if window.error.is_some() { Outcome::WorkFailed } else { Outcome::Done })
}

fn window_text(window: &view::WindowView) -> String {
    let mut shown = format!(
        "\nwindow {}: {} rows from {} to {}, version {}, judged by run {}\n",
        window.window, window.rows, window.start, window.end, window.version, window.run
    );
    if let Some(error) = &window.error {
        shown += &format!("  not judged: {error}\n");
    }
    let found = window.findings.iter().filter(|finding| finding.found);
    found.for_each(|finding| shown += &format!("  found: {}\n", finding.message));
    if window.found == 0 && window.error.is_none() {
        shown += &format!("  nothing found in {} checks\n", window.findings.len());
    }
    for action in &window.actions {
        let outcome = action.outcome.as_ref().map(|outcome| format!(": {outcome}")).unwrap_or_default();
        shown += &format!("  rule {}: {} {}{outcome}\n", action.rule, action.kind, action.state);
    }
    shown
}
