//! `wasmlops model alias|history|rollback`.

use std::collections::BTreeSet;

use anyhow::Result;
use serde_json::json;
use wasmlops_server::clock::{parse_rfc3339, rfc3339};
use wasmlops_server::error::Error;
use wasmlops_server::models::{self, AliasMoveRequest, AliasTarget, Expected, MoveView};

use super::version_or_none;
use crate::args::AliasArgs;
use crate::commands::text::{dash, short_digest};
use crate::output::{Outcome, Printer, TextTable};
use crate::settings::Settings;

pub async fn alias(settings: &Settings, args: AliasArgs, printer: &Printer) -> Result<Outcome> {
    let to = version_or_none(&args.to)?.map_or(AliasTarget::Nothing, AliasTarget::Version);
    let expected = match &args.expect {
        Some(expected) => Expected::Is(version_or_none(expected)?),
        None => Expected::Any,
    };
    let request = AliasMoveRequest {
        name: args.model,
        alias: args.alias,
        to,
        expected,
        reason: args.reason,
        forced: args.force,
        actor: settings.actor(),
    };
    make(settings, request, printer).await
}

pub async fn rollback(
    settings: &Settings,
    model: String,
    alias: String,
    expect: Option<u64>,
    reason: Option<String>,
    printer: &Printer,
) -> Result<Outcome> {
    let request = AliasMoveRequest {
        name: model,
        alias,
        to: AliasTarget::Before,
        expected: expect.map_or(Expected::Any, |version| Expected::Is(Some(version))),
        reason,
        forced: false,
        actor: settings.actor(),
    };
    make(settings, request, printer).await
}

async fn make(settings: &Settings, request: AliasMoveRequest, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let moved = models::move_alias(&host, request).await?;
    host.store.close().await;
    let view = MoveView::new(&moved.last);
    printer.data(&json!({ "changed": moved.changed, "move": view }), || sentence(&view, moved.changed))?;
    Ok(Outcome::Done)
}

/// What a move came to.
pub fn sentence(view: &MoveView, changed: bool) -> String {
    let name = |version: Option<u64>| version.map_or_else(|| "nothing".to_owned(), |version| version.to_string());
    let reference = format!("{}@{}", view.model, view.alias);
    match changed {
        true => format!("{reference} names {}, before {}", name(view.to), name(view.from)),
        false => format!("{reference} names {} already, since {}", name(view.to), view.time),
    }
}

pub async fn history(
    settings: &Settings,
    model: &str,
    alias: Option<&str>,
    at: Option<&str>,
    printer: &Printer,
) -> Result<Outcome> {
    let at = at.map(time).transpose()?;
    let host = settings.host().await?;
    let mut moves = models::alias_history(&host, model, alias).await?;
    if let Some(at) = at {
        let aliases: BTreeSet<String> = moves.into_iter().map(|made| made.alias).collect();
        moves = Vec::new();
        for alias in aliases {
            moves.extend(models::alias_at(&host, model, &alias, at).await?);
        }
    }
    let view = json!({ "model": model, "at": at.map(rfc3339), "moves": moves });
    printer.data(&view, || table(&moves))?;
    Ok(Outcome::Done)
}

fn table(moves: &[MoveView]) -> String {
    let mut table = TextTable::new(&["time", "alias", ">from", ">to", "by", "how", "evidence", "reason"]);
    for made in moves {
        let version = |version: Option<u64>| version.map_or_else(dash, |version| version.to_string());
        let evidence: Vec<String> = made.evidence.iter().map(|digest| short_digest(digest)).collect();
        table.row([
            made.time.clone(),
            made.alias.clone(),
            version(made.from),
            version(made.to),
            made.by.clone(),
            if made.forced { "forced".to_owned() } else { made.kind.clone() },
            if evidence.is_empty() { dash() } else { evidence.join(" ") },
            made.reason.clone().unwrap_or_default(),
        ]);
    }
    table.to_string()
}

fn time(text: &str) -> Result<i64> {
    let wrong = || {
        let hint = "give it as `2026-11-21T12:00:00Z`";
        Error::user("invalid-time", format!("`{text}` is no RFC 3339 time"), hint)
    };
    Ok(parse_rfc3339(text).ok_or_else(wrong)?)
}
