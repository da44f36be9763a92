//! What is known of a step before it runs: the digests of its files, its key, and an earlier result under that key.

use std::collections::BTreeMap;

use serde_json::json;
use wasmlops_core::artifact::VersionDocument;
use wasmlops_core::cache_key::{CacheEntry, KeyParts};
use wasmlops_core::graph::{BoundStep, Graph, StepKey, StepKind};
use wasmlops_core::plan::{Earlier, Found};
use wasmlops_engine::Profile;
use wasmlops_package::Digest;
use wasmlops_store::CacheEntryRow;

use crate::error::{Error, Result};
use crate::host::Host;
use crate::project::granted_files;
use crate::registration::{self, Facts};
use crate::resolution;

/// A step whose inputs are known.
pub(crate) struct Lookup<'a> {
    pub host: &'a Host,
    pub graph: &'a Graph,
    pub step: &'a StepKey,
    pub inputs: Vec<(String, Digest)>,
    pub seed: u64,
    /// Whether granted files are put into the artifact store on the way, for a run.
    pub keep_files: bool,
    /// What is known of the steps before it.
    pub known: Known<'a>,
}

/// Where the facts of the steps before are found. Only the registration of a model asks for them.
#[derive(Clone, Copy)]
pub(crate) enum Known<'a> {
    /// In a plan.
    Here(&'a Facts),
    /// In the store, under this run.
    Run(&'a str),
}

/// What was found.
pub(crate) struct Looked {
    pub found: Found,
    /// What a `model` step registers.
    pub document: Option<VersionDocument>,
}

impl Lookup<'_> {
    pub(crate) async fn find(self) -> Result<Looked> {
        let step = self.graph.step(self.step).ok_or_else(|| Error::bug(format!("no step `{}`", self.step)))?;
        match step.kind {
            StepKind::Plugin(_) | StepKind::Search => Ok(Looked { found: self.function(step).await?, document: None }),
            StepKind::Artifact => Ok(Looked { found: self.artifact(step).await?, document: None }),
            StepKind::Model => self.model(step).await,
            StepKind::Approval => Ok(Looked { found: self.approval(step), document: None }),
        }
    }

    /// A plugin, or a search: what its trials are is part of its key.
    async fn function(&self, step: &BoundStep) -> Result<Found> {
        let files = if step.read.is_empty() {
            Default::default()
        } else {
            let (root, grants) = (self.host.project.root.clone(), step.read.clone());
            let keep = self.keep_files.then(|| self.host.store.blobs().clone());
            tokio::task::spawn_blocking(move || granted_files(&root, &grants, keep.as_ref()))
                .await
                .map_err(Error::bug)??
        };
        let profile = Profile { strict: step.strict, fuel: step.limits.fuel.is_some() };
        let profile = self.host.executor.engine.profile_id(profile);
        let mut parts = KeyParts::new(step, self.inputs.clone(), files, self.seed, profile);
        if let Some(search) = &step.search {
            let inputs: Vec<&str> = step.inputs.iter().map(|(name, _)| name.as_str()).collect();
            parts.config = search.essence(&inputs);
        }
        let row = if step.cache { self.host.store.cache_lookup(&parts.key()).await? } else { None };
        let entry = row.as_ref().map(entry).transpose()?;
        let complete =
            // Held: an output that nothing else names any more must not go before this run has named it.
            |entry: &CacheEntry| {
                let there = |digest| self.host.store.blobs().hold(digest).unwrap_or(false);
                entry.outputs.values().all(|output| there(&output.digest))
            };
        let lost = entry.as_ref().is_some_and(|entry| !complete(entry));
        let entry = entry.filter(|_| !lost);
        let earlier = if entry.is_some() { None } else { self.earlier().await? };
        Ok(Found { parts, entry, lost, earlier, because: None, resolution: None })
    }

    /// An artifact step is never run: what it names now is its output.
    async fn artifact(&self, step: &BoundStep) -> Result<Found> {
        let resolved = resolution::resolve(self.host, step).await?;
        let parts = resolved.parts.clone();
        let earlier = self.earlier().await?;
        let resolution = Some(resolved.resolution(step, earlier.as_ref()));
        Ok(Found { parts, entry: None, lost: false, earlier, because: None, resolution })
    }

    /// A person is asked every time.
    fn approval(&self, step: &BoundStep) -> Found {
        let parts = KeyParts::new(step, self.inputs.clone(), BTreeMap::new(), 0, "host".to_owned());
        Found { parts, entry: None, lost: false, earlier: None, because: None, resolution: None }
    }

    /// A model step has its result already where the same content is registered, and its alias is there.
    async fn model(&self, step: &BoundStep) -> Result<Looked> {
        let recorded;
        let facts = match self.known {
            Known::Here(facts) => facts,
            Known::Run(run) => {
                recorded = registration::recorded(self.host, run).await?;
                &recorded
            }
        };
        let document = registration::document(self.host, self.graph, step, facts).await?;
        let document = registration::settled(self.host, document).await?;
        let output = registration::version_output(&document);
        let reports = document.reports.iter().map(|report| (format!("report:{}", report.step), report.digest));
        let inputs = self.inputs.iter().cloned().chain(reports).collect();
        let mut parts = KeyParts::new(step, inputs, BTreeMap::new(), 0, "host".to_owned());
        // For the reason of a miss only: what is registered is asked of the registry, by the content's digest. Metrics
        // follow from the reports and the inputs, and there are too many of them to name.
        if let Some(config) = parts.config.as_object_mut() {
            let VersionDocument { data, code, .. } = &document;
            config.insert("registers".to_owned(), json!({"data": data, "code": code}));
        }
        let known = registration::registered(self.host, step, &output.digest).await?;
        let because = match &known {
            Some(known) => known.alias_elsewhere.clone(),
            None => Some("what its gates measured is not registered yet".to_owned()),
        };
        let entry = known.filter(|known| known.alias_elsewhere.is_none()).map(|known| CacheEntry {
            run: known.run,
            outputs: BTreeMap::from([("version".to_owned(), output)]),
            metrics: registration::version_metric(known.version),
            clock: None,
        });
        let earlier = if entry.is_some() { None } else { self.earlier().await? };
        let found = Found { parts, entry, lost: false, earlier, because, resolution: None };
        Ok(Looked { found, document: Some(document) })
    }

    async fn earlier(&self) -> Result<Option<Earlier>> {
        let store = &self.host.store;
        let Some(row) = store.last_key_parts(&self.graph.pipeline, self.step.as_str()).await? else {
            return Ok(None);
        };
        // Parts that another version of the program wrote in another form are as good as none.
        let parts = serde_json::from_str(&row.key_parts).ok();
        let params = serde_json::from_str(&row.params).map_err(Error::bug)?;
        Ok(parts.map(|parts| Earlier { parts, params }))
    }
}

fn entry(row: &CacheEntryRow) -> Result<CacheEntry> {
    Ok(CacheEntry {
        run: row.run.clone(),
        outputs: serde_json::from_str(&row.outputs).map_err(Error::bug)?,
        metrics: serde_json::from_str(&row.metrics).map_err(Error::bug)?,
        clock: row.clock,
    })
}
