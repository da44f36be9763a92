//! `wasmlops endpoint list|show|history|rollback|pause|continue`. Predictions are asked of a server, see `remote`.

use std::io::Read;

use anyhow::Result;
use serde_json::{Value, json};
use wasmlops_server::error::Error;
use wasmlops_server::serving::control::{self, Hold};
use wasmlops_server::serving::view::{self, EndpointView, ReleaseEventView, ReleaseView};

use crate::args::EndpointCommand;
use crate::output::{Outcome, Printer, TextTable};
use crate::settings::Settings;

use super::text;

pub async fn run(settings: &Settings, command: EndpointCommand, printer: &Printer) -> Result<Outcome> {
    match command {
        EndpointCommand::List => list(settings, printer).await,
        EndpointCommand::Show { name } => show(settings, &name, printer).await,
        EndpointCommand::History { name, limit } => history(settings, &name, limit, printer).await,
        EndpointCommand::Rollback { name, reason } => rollback(settings, &name, &reason, printer).await,
        EndpointCommand::Pause { name, reason } => {
            hold(settings, &name, Hold::Pause { reason: &reason }, "paused", printer).await
        }
        EndpointCommand::Continue { name } => hold(settings, &name, Hold::Continue, "continued", printer).await,
        // Only a server answers: see `remote`.
        EndpointCommand::Invoke { .. } => unreachable!("predictions are asked of a server"),
    }
}

async fn list(settings: &Settings, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let endpoints = view::list(&host).await?;
    printer.data(&json!({ "endpoints": endpoints }), || {
        let mut table = TextTable::new(&["endpoint", "model", ">live", "candidate"]);
        for endpoint in &endpoints {
            let live = endpoint.live.map_or_else(text::dash, |version| version.to_string());
            table.row([endpoint.endpoint.clone(), endpoint.model.clone(), live, candidate(endpoint)]);
        }
        table.to_string()
    })?;
    Ok(Outcome::Done)
}

/// The release that is not live and not over.
fn candidate(endpoint: &EndpointView) -> String {
    let on_its_way = |release: &&ReleaseView| matches!(release.phase.as_str(), "pending" | "canary" | "shadow");
    endpoint.releases.iter().find(on_its_way).map_or_else(text::dash, |release| {
        let share = if release.share > 0 { format!(" {}%", release.share) } else { String::new() };
        format!("{} ({}{share})", release.version, release.phase)
    })
}

async fn show(settings: &Settings, name: &str, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let endpoint = view::show(&host, name).await?;
    printer.data(&endpoint, || {
        let mut head = format!("endpoint {} follows {}\n", endpoint.endpoint, endpoint.model);
        if let Some(message) = &endpoint.message {
            head.push_str(&format!("last failure: {message}\n"));
        }
        let mut table = TextTable::new(&["release", ">version", "phase", ">share", "since", "reason"]);
        for release in &endpoint.releases {
            let phase = if release.paused { format!("{} (paused)", release.phase) } else { release.phase.clone() };
            let reason = release.reason.clone().unwrap_or_default();
            let share = format!("{}%", release.share);
            let version = release.version.to_string();
            table.row([release.release.clone(), version, phase, share, release.since.clone(), reason]);
        }
        format!("{head}\n{table}")
    })?;
    Ok(Outcome::Done)
}

async fn history(settings: &Settings, name: &str, limit: u32, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let events = view::history(&host, name, None, limit).await?;
    printer.data(&json!({ "endpoint": name, "events": events }), || {
        let mut table = TextTable::new(&["time", "event", ">version", "by", "what"]);
        for event in &events {
            let version = event.details["version"].as_u64().map_or_else(text::dash, |version| version.to_string());
            table.row([event.time.clone(), event.event.clone(), version, event.by.clone(), what(event)]);
        }
        table.to_string()
    })?;
    Ok(Outcome::Done)
}

fn what(event: &ReleaseEventView) -> String {
    match (event.details["reason"].as_str(), event.details["share"].as_u64()) {
        (Some(reason), _) => reason.to_owned(),
        (None, Some(share)) => format!("{share}% of the traffic"),
        (None, None) => String::new(),
    }
}

async fn rollback(settings: &Settings, name: &str, reason: &str, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let done = control::rollback(&host, name, &settings.actor(), reason).await?;
    printer.data(&done, || done.to_string())?;
    Ok(Outcome::Done)
}

async fn hold(settings: &Settings, name: &str, hold: Hold<'_>, done: &str, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let changed = control::hold_canary(&host, name, &settings.actor(), hold).await?;
    printer.data(&json!({ "endpoint": name, "changed": changed }), || match changed {
        true => format!("the canary of endpoint `{name}` is {done}"),
        false => format!("endpoint `{name}` has no canary to be {done}"),
    })?;
    Ok(Outcome::Done)
}

/// The request's body: a list of rows alone is wrapped.
pub fn body(settings: &Settings, rows: &str) -> Result<Vec<u8>, Error> {
    let mut text = String::new();
    let read = match rows {
        "-" => std::io::stdin().read_to_string(&mut text).map(|_| ()),
        file => std::fs::read_to_string(settings.folder.join(file)).map(|read| text = read),
    };
    let hint = "give a list of rows, such as `[{\"column\": 1.5}]`, in a file or on standard input";
    read.map_err(|error| Error::user("unreadable", format!("cannot read `{rows}`: {error}"), hint))?;
    let value: Value = serde_json::from_str(&text)
        .map_err(|error| Error::user("invalid-json", format!("`{rows}` is not JSON: {error}"), hint))?;
    let whole = if value.is_array() { json!({ "rows": value }) } else { value };
    Ok(whole.to_string().into_bytes())
}
