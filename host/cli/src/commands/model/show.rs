//! `wasmlops model list|show|card`.

use std::collections::BTreeMap;

use anyhow::Result;
use serde_json::json;
use wasmlops_server::models::{self, ModelView, VersionView};

use super::reference;
use crate::commands::text::{dash, short_digest};
use crate::output::{Outcome, Printer, TextTable};
use crate::settings::Settings;

pub async fn list(settings: &Settings, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let models = models::list(&host).await?;
    printer.data(&json!({ "models": models }), || {
        let mut table = TextTable::new(&["model", ">newest", "aliases", "created"]);
        for model in &models {
            let created = model.created.clone();
            table.row([model.model.clone(), model.version.to_string(), aliases(&model.aliases), created]);
        }
        table.to_string()
    })?;
    Ok(Outcome::Done)
}

pub async fn show(settings: &Settings, model: &str, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    if model.contains('@') {
        let view = models::show_version(&host, &reference(model)?).await?;
        printer.data(&view, || version_text(&view))?;
    } else {
        let view = models::show(&host, model).await?;
        printer.data(&view, || model_text(&view))?;
    }
    Ok(Outcome::Done)
}

pub async fn card(settings: &Settings, model: &str, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let version = models::required(&host, &reference(model)?).await?;
    let card = models::card(&host, &version).await?;
    let view = json!({ "model": version.name, "version": version.version, "card": card });
    printer.data(&view, || card)?;
    Ok(Outcome::Done)
}

fn model_text(view: &ModelView) -> String {
    let mut table = TextTable::new(&[">version", "digest", "created", "by", "made by", "evidence", "aliases"]);
    for version in &view.versions {
        let run = version.run.as_deref().map(|run| run.get(..12).unwrap_or(run).to_owned());
        let made_by = run.or_else(|| version.origin.clone());
        table.row([
            version.version.to_string(),
            short_digest(&version.digest),
            version.created.clone(),
            version.by.clone(),
            made_by.unwrap_or_else(dash),
            if version.evidence { "yes" } else { "no" }.to_owned(),
            version.aliases.join(", "),
        ]);
    }
    let mut text = format!("model {} of {}, since {}\n", view.model, view.project, view.created);
    text += &lines(&[("aliases", aliases(&view.aliases)), ("tags", tags(&view.tags))]);
    text + "\n" + &table.to_string() + &note(view.notes.as_deref())
}

fn version_text(view: &VersionView) -> String {
    let document = &view.content.document;
    let chain = document.transforms.iter().map(|transform| transform.plugin.clone());
    let chain: Vec<String> = chain.chain([document.plugin.clone()]).collect();
    let evidence: Vec<String> = view.evidence.iter().map(|digest| short_digest(digest)).collect();
    let metrics = view.content.metrics.iter().map(|(name, value)| format!("{name} {value}"));
    let mut text = format!("{}@{}, {}\n", view.model, view.version, view.digest);
    text += &lines(&[
        ("aliases", view.aliases.join(", ")),
        ("created", format!("{} by {}", view.created, view.by)),
        ("run", view.run.clone().unwrap_or_default()),
        ("step", view.step.clone().unwrap_or_default()),
        ("commit", view.git_commit.clone().unwrap_or_default()),
        ("origin", view.content.origin.clone().unwrap_or_default()),
        ("predicts with", chain.join(" -> ")),
        ("target", document.target.clone().unwrap_or_default()),
        ("metrics", metrics.collect::<Vec<_>>().join(", ")),
        ("evidence", evidence.join(", ")),
        ("approval", view.approval.clone()),
        ("tags", tags(&view.tags)),
    ]);
    let mut table = TextTable::new(&["data", "digest"]);
    for (name, digest) in &view.content.data {
        table.row([name.clone(), short_digest(&digest.to_string())]);
    }
    text + "\n" + &table.to_string() + &note(view.notes.as_deref())
}

/// Facts that there are, one a line.
fn lines(facts: &[(&str, String)]) -> String {
    let there = facts.iter().filter(|(_, value)| !value.is_empty());
    there.map(|(name, value)| format!("  {name}: {value}\n")).collect()
}

fn aliases(aliases: &BTreeMap<String, u64>) -> String {
    aliases.iter().map(|(alias, version)| format!("{alias} {version}")).collect::<Vec<_>>().join(", ")
}

fn tags(tags: &BTreeMap<String, String>) -> String {
    tags.iter().map(|(key, value)| format!("{key}={value}")).collect::<Vec<_>>().join(", ")
}

fn note(text: Option<&str>) -> String {
    text.map_or_else(String::new, |text| format!("\nnotes:\n{text}\n"))
}
