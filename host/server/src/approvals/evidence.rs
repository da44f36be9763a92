//! What there is to look at before deciding, from recorded facts alone: what validators found, and the model that the
//! pipeline will register next to the live one.

use std::collections::{BTreeMap, BTreeSet};

use wasmlops_core::artifact::{VersionDocument, media_type};
use wasmlops_core::call::{Check, ValidationReport};
use wasmlops_core::config::{ModelRef, Selector};
use wasmlops_core::graph::{BoundStep, Graph, StepKind};
use wasmlops_core::table::Schema;
use wasmlops_package::Digest;
use wasmlops_store::ApprovalRow;

use super::view::{self, CheckView, DifferenceView, JudgementView, MetricView, ModelDiffView};
use crate::error::Result;
use crate::host::Host;
use crate::{models, registration, runs};

/// The alias of the version that is live.
const CHAMPION: &str = "champion";

/// A larger report is looked at as an artifact.
const MAX_REPORT_BYTES: u64 = 4 << 20;

pub(super) struct Evidence {
    pub judgements: Vec<JudgementView>,
    pub model: Option<ModelDiffView>,
}

pub(super) async fn of(host: &Host, graph: &Graph, row: &ApprovalRow) -> Result<Evidence> {
    let mut reports: BTreeMap<String, Digest> = BTreeMap::new();
    let mut shown_models = Vec::new();
    for shown in view::shown_by_name(row)?.into_values() {
        match shown.media_type.as_str() {
            media_type::REPORT => drop(reports.insert(shown.from, shown.digest)),
            media_type::MODEL => shown_models.push(shown.from),
            _ => {}
        }
    }
    let mut model = None;
    if let Some(step) = registers(graph, &shown_models)
        && let Some(candidate) = candidate(host, graph, step, &row.run).await
    {
        reports.extend(candidate.reports.iter().map(|report| (format!("{}.report", report.step), report.digest)));
        model = Some(compared(host, graph, candidate).await?);
    }
    let mut judgements = Vec::new();
    for (from, digest) in reports {
        judgements.extend(judgement(host, from, digest).await);
    }
    Ok(Evidence { judgements, model })
}

/// The step that registers the model that is shown; where none is shown, the pipeline's only one.
fn registers<'g>(graph: &'g Graph, shown: &[String]) -> Option<&'g BoundStep> {
    let mut steps = graph.steps.iter().filter(|step| step.kind == StepKind::Model);
    let source = |step: &BoundStep| {
        let from = step.inputs.iter().find(|(name, _)| name == "model").map(|(_, from)| from)?;
        Some(format!("{}.{}", from.step, from.output))
    };
    if shown.is_empty() {
        return steps.next().filter(|_| steps.next().is_none());
    }
    steps.find(|step| source(step).is_some_and(|from| shown.contains(&from)))
}

/// What the step would register now. Nothing where the run has not come so far.
async fn candidate(host: &Host, graph: &Graph, step: &BoundStep, run: &str) -> Option<VersionDocument> {
    let facts = registration::recorded(host, run).await.ok()?;
    registration::document(host, graph, step, &facts).await.ok()
}

async fn judgement(host: &Host, from: String, digest: Digest) -> Option<JudgementView> {
    if host.store.blobs().size(&digest).ok()? > MAX_REPORT_BYTES {
        return None;
    }
    let bytes = host.store.blobs().get(&digest).await.ok()?;
    // Data sources report as well, in other words.
    let ValidationReport { passed, summary, checks } = serde_json::from_slice(&bytes).ok()?;
    let checks = checks.into_iter().map(check).collect();
    Some(JudgementView { from, digest: digest.to_string(), passed, summary, checks })
}

fn check(check: Check) -> CheckView {
    let Check { name, passed, column, slice, observed, expected, message, .. } = check;
    CheckView { name, passed, column, slice, observed, expected, message }
}

async fn compared(host: &Host, graph: &Graph, candidate: VersionDocument) -> Result<ModelDiffView> {
    let name = candidate.name.clone();
    let reference = ModelRef { name: name.clone(), selector: Selector::Alias(CHAMPION.to_owned()) };
    let row = models::row(host, &reference).await?;
    let run = row.as_ref().and_then(|row| row.run.clone());
    let champion = match row {
        Some(row) => Some(models::load(host, row).await?),
        None => None,
    };
    // The champion's run may be gone, or it was imported.
    let before = match &run {
        Some(run) => runs::graph_of(host, run).await.ok(),
        None => None,
    };
    let live = champion.as_ref().map(|version| &version.document);
    Ok(ModelDiffView {
        champion: champion.as_ref().map(|version| version.version),
        metrics: metrics(&candidate, live),
        schema: live.map(|live| differences(&columns(&candidate), &columns(live))).unwrap_or_default(),
        plugins: differences(&candidate.code.plugins, &live.map(|live| live.code.plugins.clone()).unwrap_or_default()),
        grants: differences(&grants(graph), &before.as_ref().map(grants).unwrap_or_default()),
        model: name,
    })
}

fn metrics(candidate: &VersionDocument, champion: Option<&VersionDocument>) -> Vec<MetricView> {
    let of_champion = |name: &String| champion.and_then(|champion| champion.metrics.get(name).copied());
    let names: BTreeSet<&String> =
        candidate.metrics.keys().chain(champion.iter().flat_map(|champion| champion.metrics.keys())).collect();
    let view = |name: &String| MetricView {
        name: name.clone(),
        candidate: candidate.metrics.get(name).copied(),
        champion: of_champion(name),
    };
    names.into_iter().map(view).collect()
}

/// What is not the same in both, by name.
fn differences(candidate: &BTreeMap<String, String>, champion: &BTreeMap<String, String>) -> Vec<DifferenceView> {
    let names: BTreeSet<&String> = candidate.keys().chain(champion.keys()).collect();
    let view = |name: &String| DifferenceView {
        name: name.clone(),
        candidate: candidate.get(name).cloned(),
        champion: champion.get(name).cloned(),
    };
    names.into_iter().map(view).filter(|view| view.candidate != view.champion).collect()
}

fn columns(version: &VersionDocument) -> BTreeMap<String, String> {
    let document = &version.document;
    let mut columns = BTreeMap::new();
    let mut add = |side: &str, schema: &Schema| {
        for field in &schema.fields {
            let null = if field.nullable { ", may be null" } else { "" };
            columns.insert(format!("{side} {}", field.name), format!("{}{null}", field.data_type));
        }
    };
    add("input", &document.input);
    add("output", &document.output);
    columns.extend(document.target.clone().map(|target| ("target".to_owned(), target)));
    columns
}

/// What each step may touch, in words; steps that may touch nothing are left out.
fn grants(graph: &Graph) -> BTreeMap<String, String> {
    let words = |step: &BoundStep| {
        let read = step.read.iter().map(|path| format!("read {path}"));
        let http = step.http.iter().map(|origin| format!("call {origin}"));
        let endpoints = step.endpoints.iter().map(|name| format!("drive endpoint {name}"));
        let secrets = step.secrets.iter().map(|name| format!("know secret {name}"));
        let all: Vec<String> = read.chain(http).chain(endpoints).chain(secrets).collect();
        (step.key.to_string(), all.join(", "))
    };
    graph.steps.iter().map(words).filter(|(_, grants)| !grants.is_empty()).collect()
}
