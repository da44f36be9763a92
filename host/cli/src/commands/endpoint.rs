//! `wasmlops endpoint list|show|history|rollback|pause|continue|invoke`.

use std::io::Read;

use anyhow::Result;
use serde_json::{Value, json};
use wasmlops_core::call::{HttpFailure, HttpRequest, HttpResponse};
use wasmlops_core::config::Origin;
use wasmlops_server::broker::Broker;
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
        EndpointCommand::Invoke { name, rows, server } => invoke(settings, &name, &rows, &server, printer).await,
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

async fn invoke(settings: &Settings, name: &str, rows: &str, server: &str, printer: &Printer) -> Result<Outcome> {
    let body = body(settings, rows)?;
    let origin: Origin = server.parse().map_err(|error| {
        Error::user("invalid-server", format!("{error}"), "give the address that `wasmlops serve` prints")
    })?;
    let segment: String = name.bytes().map(escaped).collect();
    let request = HttpRequest {
        method: "POST".to_owned(),
        url: format!("{origin}/api/v1/endpoints/{segment}/predict"),
        headers: vec![("content-type".to_owned(), b"application/json".to_vec())],
        body,
        timeout: None,
    };
    let response = Broker::default().send(&[origin], request).await.map_err(|failure| unreachable(server, &failure))?;
    let answer: Value = serde_json::from_slice(&response.body).map_err(|_| {
        let message = format!("`{server}` answered with status {} and no JSON", response.status);
        Error::user("odd-answer", message, "is it a `wasmlops serve`?")
    })?;
    if !(200..300).contains(&response.status) {
        return Err(refusal(&response, &answer).into());
    }
    printer.data(&answer, || format!("{answer:#}"))?;
    Ok(Outcome::Done)
}

/// The request's body: a list of rows alone is wrapped.
fn body(settings: &Settings, rows: &str) -> Result<Vec<u8>, Error> {
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

/// A byte of a path segment (RFC 3986, section 3.3).
fn escaped(byte: u8) -> String {
    match byte {
        b'A'..=b'Z' | b'a'..=b'z' | b'0'..=b'9' | b'-' | b'.' | b'_' | b'~' => char::from(byte).to_string(),
        byte => format!("%{byte:02X}"),
    }
}

fn unreachable(server: &str, failure: &HttpFailure) -> Error {
    let hint = "start the server with `wasmlops serve`, or name it with `--server URL`";
    Error::user("no-answer", format!("no answer from `{server}`: {failure}"), hint)
}

/// Problem details (RFC 9457) as a mistake.
fn refusal(response: &HttpResponse, answer: &Value) -> Error {
    let text = |key: &str| answer[key].as_str();
    let message = text("detail").or(text("title")).map(str::to_owned);
    let message = message.unwrap_or_else(|| format!("the server answered with status {}", response.status));
    let hint = text("hint").unwrap_or("`wasmlops endpoint show` shows what is served");
    Error::user(text("code").unwrap_or("refused"), message, hint)
}
