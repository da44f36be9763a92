//! `wasmlops model tag|note|approve`.

use std::path::PathBuf;

use anyhow::Result;
use serde_json::json;
use wasmlops_server::error::Error;
use wasmlops_server::models::{self, Approval};

use super::{reference, subject};
use crate::args::ApprovalArg;
use crate::output::{Outcome, Printer};
use crate::settings::Settings;

pub async fn tag(settings: &Settings, model: &str, tag: &str, remove: bool, printer: &Printer) -> Result<Outcome> {
    let (key, value) = key_and_value(tag, remove)?;
    let host = settings.host().await?;
    let subject = subject(&host, model).await?;
    models::set_tag(&host, subject, key, value, &settings.actor()).await?;
    host.store.close().await;
    printer.data(&json!({ "model": model, "key": key, "value": value }), || match value {
        Some(value) => format!("{model} is tagged {key}={value}"),
        None => format!("{model} has no tag {key} any more"),
    })?;
    Ok(Outcome::Done)
}

pub async fn note(
    settings: &Settings,
    model: &str,
    text: Option<String>,
    file: Option<PathBuf>,
    printer: &Printer,
) -> Result<Outcome> {
    let text = written(settings, text, file)?;
    let host = settings.host().await?;
    let subject = subject(&host, model).await?;
    models::annotate(&host, subject, &text, &settings.actor()).await?;
    host.store.close().await;
    printer.data(&json!({ "model": model, "notes": text }), || format!("noted for {model}"))?;
    Ok(Outcome::Done)
}

pub async fn approve(
    settings: &Settings,
    model: &str,
    state: ApprovalArg,
    reason: Option<String>,
    printer: &Printer,
) -> Result<Outcome> {
    let state = approval(state);
    let host = settings.host().await?;
    let version = models::required(&host, &reference(model)?).await?;
    models::approve(&host, &version.name, version.version, state, reason, &settings.actor()).await?;
    host.store.close().await;
    let view = json!({ "model": version.name, "version": version.version, "approval": state.as_str() });
    printer.data(&view, || format!("{}@{} is {state}", version.name, version.version))?;
    Ok(Outcome::Done)
}

/// A tag that is to be set, or with no value the one that is to go.
pub fn key_and_value(tag: &str, remove: bool) -> Result<(&str, Option<&str>)> {
    match (tag.split_once('='), remove) {
        (Some((key, value)), false) => Ok((key, Some(value))),
        (None, true) => Ok((tag, None)),
        _ => {
            let message = format!("`{tag}` is not what `tag` takes");
            Err(Error::user("invalid-tag", message, "give `KEY=VALUE`, or `KEY --remove`").into())
        }
    }
}

/// The text of a note, or of the file that holds it.
pub fn written(settings: &Settings, text: Option<String>, file: Option<PathBuf>) -> Result<String> {
    if let Some(text) = text {
        return Ok(text);
    }
    let file = settings.folder.join(file.unwrap_or_default());
    std::fs::read_to_string(&file).map_err(|error| {
        let message = format!("cannot read `{}`: {error}", file.display());
        Error::user("no-such-file", message, "check the path").into()
    })
}

pub fn approval(state: ApprovalArg) -> Approval {
    match state {
        ApprovalArg::Approved => Approval::Approved,
        ApprovalArg::Rejected => Approval::Rejected,
        ApprovalArg::Pending => Approval::Pending,
        ApprovalArg::None => Approval::None,
    }
}
