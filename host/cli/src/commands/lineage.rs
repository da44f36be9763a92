//! `wasmlops lineage`.

use anyhow::Result;
use serde_json::{Map, Value};
use wasmlops_server::error::Error;
use wasmlops_server::lineage::{self, EdgeView, PredictionView};
use wasmlops_store::StoreError;

use crate::output::{Outcome, Printer, TextTable};
use crate::settings::Settings;

use super::text::short_digest;

pub async fn lineage(settings: &Settings, id: &str, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let view = match lineage::lineage(&host, id).await {
        Err(error @ Error::Store(StoreError::NothingResolved(_) | StoreError::BadPrefix(_))) => {
            let Some(view) = lineage::prediction(&host, id).await? else { return Err(error.into()) };
            printer.data(&view, || of_prediction(&view))?;
            return Ok(Outcome::Done);
        }
        view => view?,
    };
    printer.data(&view, || {
        let mut text = format!("lineage of {}\n", view.id);
        for (title, edges) in [("made from", &view.upstream), ("used for", &view.downstream)] {
            if !edges.is_empty() {
                text += &format!("\n{title}:\n{}", table(edges));
            }
        }
        if view.truncated {
            text += "\nthere is more than is shown\n";
        }
        text
    })?;
    Ok(Outcome::Done)
}

fn table(edges: &[EdgeView]) -> TextTable {
    let mut table = TextTable::new(&["run", "step", "", "what", "digest"]);
    for edge in edges {
        let run = edge.run.get(..12).unwrap_or(&edge.run).to_owned();
        table.row([run, edge.step.clone(), edge.direction.clone(), edge.role.clone(), short_digest(&edge.digest)]);
    }
    table
}

fn of_prediction(view: &PredictionView) -> String {
    let mut text = format!(
        "prediction {}\nendpoint   {}\nanswered   {} in {:.3} ms\n",
        view.id, view.endpoint, view.time, view.latency_ms
    );
    match &view.error {
        Some(error) => text += &format!("error      {error}\n"),
        None => text += &format!("answer     {}\n", pairs(&view.prediction)),
    }
    if let Some(label) = &view.label {
        let late = if label.late { ", late" } else { "" };
        text += &format!("label      {} ({}{late})\n", label.value, label.received);
    }
    text += &format!("features   {}\n", pairs(&view.features));
    text += &format!("model      {} version {}, release {}\n", view.model, view.version, view.release);
    for made in &view.aliases {
        text += &format!("alias      {}, moved by {} at {}\n", made.alias, made.by, made.time);
        for digest in &made.evidence {
            text += &format!("evidence   {}\n", short_digest(digest));
        }
    }
    if let Some(origin) = &view.origin {
        if let Some(run) = &origin.run {
            text += &format!("run        {run}, step {}\n", origin.step.as_deref().unwrap_or("-"));
        }
        for (name, digest) in &origin.content.data {
            text += &format!("data       {name} {}\n", short_digest(&digest.to_string()));
        }
    }
    if !view.upstream.is_empty() {
        text += &format!("\nthe model was made from:\n{}", table(&view.upstream));
    }
    if view.truncated {
        text += "\nthere is more than is shown\n";
    }
    text
}

fn pairs(values: &Map<String, Value>) -> String {
    values.iter().map(|(name, value)| format!("{name}={value}")).collect::<Vec<_>>().join(" ")
}
