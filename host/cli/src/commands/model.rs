//! `wasmlops model ...`.

mod alias;
mod notes;
mod show;
mod transfer;

use anyhow::Result;
use wasmlops_core::config::ModelRef;
use wasmlops_server::error::Error;
use wasmlops_server::host::Host;
use wasmlops_server::models::{self, Subject};

use crate::args::ModelCommand;
use crate::output::{Outcome, Printer};
use crate::settings::Settings;

pub use notes::{approval, key_and_value, written};

pub async fn run(settings: &Settings, command: ModelCommand, printer: &Printer) -> Result<Outcome> {
    match command {
        ModelCommand::List => show::list(settings, printer).await,
        ModelCommand::Show { model } => show::show(settings, &model, printer).await,
        ModelCommand::Card { model } => show::card(settings, &model, printer).await,
        ModelCommand::Alias(args) => alias::alias(settings, args, printer).await,
        ModelCommand::History { model, alias, at } => {
            alias::history(settings, &model, alias.as_deref(), at.as_deref(), printer).await
        }
        ModelCommand::Rollback { model, alias, expect, reason } => {
            alias::rollback(settings, model, alias, expect, reason, printer).await
        }
        ModelCommand::Export { model, folder } => transfer::export(settings, &model, &folder, printer).await,
        ModelCommand::Import(args) => transfer::import(settings, args, printer).await,
        ModelCommand::Tag { model, tag, remove } => notes::tag(settings, &model, &tag, remove, printer).await,
        ModelCommand::Note { model, text, file } => notes::note(settings, &model, text, file, printer).await,
        ModelCommand::Approve { model, state, reason } => {
            notes::approve(settings, &model, state, reason, printer).await
        }
    }
}

/// `NAME@ALIAS` or `NAME@3`.
pub fn reference(text: &str) -> Result<ModelRef> {
    let wrong = |error: wasmlops_core::config::ModelRefError| {
        Error::user("invalid-reference", error.to_string(), "`wasmlops model list` shows models and aliases")
    };
    Ok(text.parse().map_err(wrong)?)
}

/// A model, or the version that a reference stands for now.
async fn subject(host: &Host, text: &str) -> Result<Subject> {
    if !text.contains('@') {
        return Ok(Subject::Model(text.to_owned()));
    }
    let version = models::required(host, &reference(text)?).await?;
    Ok(Subject::Version(version.name, version.version))
}

/// A version's number, or `none`.
pub fn version_or_none(text: &str) -> Result<Option<u64>> {
    if text == "none" {
        return Ok(None);
    }
    let wrong = |_| Error::user("invalid-version", format!("`{text}` is no version"), "give a number, or `none`");
    Ok(Some(text.parse().map_err(wrong)?))
}
