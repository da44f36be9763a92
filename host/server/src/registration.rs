//! Registering what a pipeline made: the content of the version from recorded facts, and the effect itself.
//!
//! The content is a function of the run's facts alone, so the plan can tell whether it is registered already, and a
//! verification can make it again. Doors: [`Facts`], [`document`], [`registered`], [`register`].

use std::collections::{BTreeMap, BTreeSet};

use serde::Deserialize;
use serde_json::Value;
use wasmlops_core::artifact::{Code, ModelDocument, OutputRecord, ReportRef, VersionDocument, media_type};
use wasmlops_core::cache_key::KeyParts;
use wasmlops_core::config::{ModelRef, Selector};
use wasmlops_core::graph::{ArtifactType, BoundStep, Graph, OutputRef, StepKey, StepKind};
use wasmlops_core::run::Metrics;
use wasmlops_package::{Digest, Kind};

use crate::error::{Error, Result};
use crate::host::Host;
use crate::models::{self, AliasMoveRequest, AliasTarget, Expected, Provenance, Subject};

/// What is known of a step that has a result.
#[derive(Clone, Debug, Default)]
pub(crate) struct StepFacts {
    pub outputs: BTreeMap<String, OutputRecord>,
    pub metrics: Metrics,
    pub parts: Option<KeyParts>,
}

/// By step. What has no result is missing.
pub(crate) type Facts = BTreeMap<StepKey, StepFacts>;

/// The facts of a run, from the store.
pub(crate) async fn recorded(host: &Host, run: &str) -> Result<Facts> {
    let mut facts = Facts::new();
    for view in crate::runs::step_views(host, run).await? {
        let known = StepFacts { outputs: view.outputs, metrics: view.metrics, parts: None };
        facts.insert(StepKey::new(view.step), known);
    }
    for row in host.store.steps(run).await? {
        if let Some(known) = facts.get_mut(row.step_key.as_str()) {
            known.parts = row.key_parts.as_deref().and_then(|text| serde_json::from_str(text).ok());
        }
    }
    Ok(facts)
}

/// What a `model` step is to do.
#[derive(Clone, Debug, Deserialize)]
pub(crate) struct Wish {
    model: String,
    alias: Option<String>,
    #[serde(default)]
    tags: BTreeMap<String, Value>,
    notes: Option<String>,
}

impl Wish {
    pub fn of(step: &BoundStep) -> Result<Self> {
        serde_json::from_value(step.config.clone()).map_err(Error::bug)
    }
}

/// The content that a `model` step registers.
///
/// # Errors
/// A fact or a blob that is missing.
pub(crate) async fn document(host: &Host, graph: &Graph, step: &BoundStep, facts: &Facts) -> Result<VersionDocument> {
    let source = model_of(step).ok_or_else(|| Error::bug(format!("`{}` has no input `model`", step.key)))?;
    let upstream = upstream(graph, step);
    let model = output(facts, source)?.digest;
    let judges: Vec<&BoundStep> = upstream
        .iter()
        .copied()
        .filter(|step| step.kind == Kind::Validator && model_of(step) == Some(source))
        .filter(|step| facts.get(&step.key).is_some_and(|facts| facts.outputs.contains_key("report")))
        .collect();
    let mut reports = Vec::new();
    let mut metrics = BTreeMap::new();
    for judge in &judges {
        let known = &facts[&judge.key];
        let digest = known.outputs["report"].digest;
        reports.push(ReportRef { step: judge.key.to_string(), digest, passed: passed(host, &digest).await? });
        for (name, value) in known.metrics.0.iter().filter(|(_, value)| value.is_finite()) {
            metrics.entry(name.clone()).or_insert(*value);
        }
    }
    let used = |step: &StepKey, name: &str| input(facts.get(step)?.parts.as_ref()?, name);
    Ok(VersionDocument {
        name: Wish::of(step)?.model,
        model,
        document: json::<ModelDocument>(host, &model).await?,
        metrics,
        reports,
        data: data(&upstream, facts),
        training: used(&source.step, "train"),
        evaluation: judges.iter().find_map(|judge| used(&judge.key, "table")),
        code: Code { pipeline: graph.pipeline.clone(), plugins: plugins(&upstream) },
        origin: None,
    })
}

/// The content that stands for the model: that of an earlier version with the very same model, if its evidence is no
/// weaker, else `document`. A model that is judged again, by a gate whose baseline has moved, is no new version.
pub(crate) async fn settled(host: &Host, document: VersionDocument) -> Result<VersionDocument> {
    let (name, own) = (document.name.clone(), Digest::blake3(&document.to_bytes()));
    let rows = host.store.read(|connection| {
        Box::pin(async move { Ok::<_, Error>(wasmlops_catalog::versions(connection, &name).await?) })
    });
    let rows = rows.await?;
    let as_good = |row: &&wasmlops_catalog::VersionRow| {
        row.model_digest == document.model && (!row.evidence.is_empty() || !document.has_evidence())
    };
    let standing = rows.iter().filter(as_good).max_by_key(|row| (row.digest == own, row.version));
    match standing {
        Some(row) if row.digest != own => json(host, &row.digest).await,
        _ => Ok(document),
    }
}

/// Whether a recorded content is of another run that registered the same model, so that this run named it.
pub(crate) async fn names_an_earlier(
    host: &Host,
    run: &str,
    recorded: &Digest,
    document: &VersionDocument,
) -> Result<bool> {
    let (name, digest) = (document.name.clone(), *recorded);
    let rows = host.store.read(|connection| {
        Box::pin(async move { Ok::<_, Error>(wasmlops_catalog::versions_of_model(connection, &digest).await?) })
    });
    let row = rows.await?.into_iter().find(|row| row.name == name && row.digest == *recorded);
    Ok(row.is_some_and(|row| row.model_digest == document.model && row.run.as_deref() != Some(run)))
}

/// A version that has this content already, and what it means for the step.
pub(crate) struct Known {
    pub version: u64,
    /// The run that registered it.
    pub run: String,
    /// Why the step must run all the same: its alias is elsewhere.
    pub alias_elsewhere: Option<String>,
}

/// Looks for a version with this content under the step's name.
pub(crate) async fn registered(host: &Host, step: &BoundStep, content: &Digest) -> Result<Option<Known>> {
    let wish = Wish::of(step)?;
    let (name, digest) = (wish.model.clone(), *content);
    let rows = host.store.read(|connection| {
        Box::pin(async move { Ok::<_, Error>(wasmlops_catalog::versions_of_model(connection, &digest).await?) })
    });
    let Some(row) = rows.await?.into_iter().find(|row| row.name == name && row.digest == digest) else {
        return Ok(None);
    };
    let mut elsewhere = None;
    if let Some(alias) = &wish.alias {
        let target = models::alias_target(host, &name, alias).await?;
        elsewhere = (target != Some(row.version)).then(|| match target {
            Some(other) => format!("`{name}@{alias}` is at version {other}, not at version {}", row.version),
            None => format!("there is no `{name}@{alias}` yet"),
        });
    }
    Ok(Some(Known { version: row.version, run: row.run.unwrap_or_default(), alias_elsewhere: elsewhere }))
}

/// Registers, and moves the step's alias. May be repeated: the same content is the same version.
///
/// # Errors
/// The user's: an alias that may not move.
pub(crate) async fn register(
    host: &Host,
    step: &BoundStep,
    document: VersionDocument,
    provenance: Provenance,
    actor: &str,
) -> Result<u64> {
    let wish = Wish::of(step)?;
    let run = provenance.run.clone();
    let version = models::register(host, &wish.model, document, provenance, actor).await?.version;
    let subject = || Subject::Version(wish.model.clone(), version);
    for (key, value) in &wish.tags {
        let text = value.as_str().map_or_else(|| value.to_string(), str::to_owned);
        models::set_tag(host, subject(), key, Some(&text), actor).await?;
    }
    if let Some(notes) = &wish.notes {
        models::annotate(host, subject(), notes, actor).await?;
    }
    if let Some(alias) = wish.alias {
        let request = AliasMoveRequest {
            name: wish.model,
            alias,
            to: AliasTarget::Version(version),
            expected: Expected::Any,
            reason: Some(format!("step `{}` of a pipeline", step.key)),
            forced: false,
            actor: actor.to_owned(),
        };
        models::move_alias_by_run(host, request, run).await?;
    }
    Ok(version)
}

/// The output of a `model` step.
pub(crate) fn version_output(document: &VersionDocument) -> OutputRecord {
    let bytes = document.to_bytes();
    let digest = Digest::blake3(&bytes);
    OutputRecord { digest, media_type: media_type::VERSION.to_owned(), size: bytes.len() as u64, rows: None }
}

/// What the step shows of the version: its number, as a metric.
pub(crate) fn version_metric(version: u64) -> Metrics {
    Metrics(BTreeMap::from([("version".to_owned(), version as f64)]))
}

/// The version behind the content that a `model` step put out.
pub(crate) async fn version_of(host: &Host, content: &Digest) -> Result<models::ModelVersion> {
    let document: VersionDocument = json(host, content).await?;
    let (name, digest) = (document.name.clone(), *content);
    let rows = host.store.read(|connection| {
        Box::pin(async move { Ok::<_, Error>(wasmlops_catalog::versions_of_model(connection, &digest).await?) })
    });
    let row = rows.await?.into_iter().find(|row| row.name == name && row.digest == digest);
    let Some(row) = row else {
        let message = format!("the version of `{name}` with the content {} is not registered", content.short());
        return Err(Error::user("unknown-version", message, "run the step that registers it again"));
    };
    let reference = ModelRef { name, selector: Selector::Version(row.version) };
    models::required(host, &reference).await
}

/// Everything that the step depends on, in the order of the steps' keys.
pub(crate) fn upstream<'g>(graph: &'g Graph, step: &BoundStep) -> Vec<&'g BoundStep> {
    let index: BTreeMap<&StepKey, &BoundStep> = graph.steps.iter().map(|step| (&step.key, step)).collect();
    let mut seen = BTreeSet::new();
    let mut open: Vec<StepKey> = step.dependencies().into_iter().collect();
    while let Some(key) = open.pop() {
        if let Some(step) = index.get(&key).filter(|_| !seen.contains(&key)) {
            open.extend(step.dependencies());
            seen.insert(key);
        }
    }
    seen.iter().filter_map(|key| index.get(key).copied()).collect()
}

fn model_of(step: &BoundStep) -> Option<&OutputRef> {
    step.inputs.iter().find(|(name, _)| name == "model").map(|(_, from)| from)
}

fn output<'f>(facts: &'f Facts, from: &OutputRef) -> Result<&'f OutputRecord> {
    let found = facts.get(&from.step).and_then(|facts| facts.outputs.get(&from.output));
    found.ok_or_else(|| {
        let message = format!("`{}` made no `{}` to register", from.step, from.output);
        Error::user("invalid-input", message, "register the model of a step that always makes one")
    })
}

fn input(parts: &KeyParts, name: &str) -> Option<Digest> {
    parts.inputs.iter().find(|(known, _)| known == name).map(|(_, digest)| *digest)
}

/// Granted files by path, and the tables that sources and artifacts brought in.
fn data(upstream: &[&BoundStep], facts: &Facts) -> BTreeMap<String, Digest> {
    let mut data = BTreeMap::new();
    for step in upstream.iter().filter(|step| step.kind == Kind::DataSource || step.kind == StepKind::Artifact) {
        let Some(known) = facts.get(&step.key) else { continue };
        if let Some(parts) = &known.parts {
            data.extend(parts.files.iter().map(|(path, digest)| (path.clone(), *digest)));
        }
        let tables = step.outputs.iter().filter(|output| output.artifact == ArtifactType::Table);
        for (name, output) in tables.filter_map(|table| known.outputs.get_key_value(&table.name)) {
            data.insert(format!("{}.{name}", step.key), output.digest);
        }
    }
    data
}

fn plugins(upstream: &[&BoundStep]) -> BTreeMap<String, String> {
    let text = |step: &BoundStep| format!("{} {}", step.plugin, step.plugin.digest);
    let mut plugins = BTreeMap::new();
    for step in upstream {
        if !step.kind.is_built_in() {
            plugins.insert(step.key.to_string(), text(step));
        }
        // What trained the model of a search stands in its trial.
        let trial = step.search.iter().flat_map(|search| &search.trial.steps).filter(|trial| !trial.kind.is_built_in());
        plugins.extend(trial.map(|trial| (format!("{}/{}", step.key, trial.key), text(trial))));
    }
    plugins
}

async fn passed(host: &Host, report: &Digest) -> Result<bool> {
    #[derive(Deserialize)]
    struct Report {
        passed: bool,
    }
    Ok(json::<Report>(host, report).await?.passed)
}

async fn json<T: serde::de::DeserializeOwned>(host: &Host, digest: &Digest) -> Result<T> {
    let bytes = host.store.blobs().get(digest).await.map_err(Error::store)?;
    serde_json::from_slice(&bytes).map_err(Error::bug)
}
