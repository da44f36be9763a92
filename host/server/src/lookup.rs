//! What is known of a step before it runs: the digests of its files, its key, and an earlier result under that key.

use wasmlops_core::cache_key::{CacheEntry, KeyParts};
use wasmlops_core::graph::{Graph, StepKey};
use wasmlops_core::plan::{Earlier, Found};
use wasmlops_engine::Profile;
use wasmlops_package::Digest;
use wasmlops_store::CacheEntryRow;

use crate::error::{Error, Result};
use crate::host::Host;
use crate::project::granted_files;

/// A step whose inputs are known.
pub(crate) struct Lookup<'a> {
    pub host: &'a Host,
    pub graph: &'a Graph,
    pub step: &'a StepKey,
    pub inputs: Vec<(String, Digest)>,
    pub seed: u64,
    /// Whether granted files are put into the artifact store on the way, for a run.
    pub keep_files: bool,
}

impl Lookup<'_> {
    pub(crate) async fn find(self) -> Result<Found> {
        let step = self.graph.step(self.step).ok_or_else(|| Error::bug(format!("no step `{}`", self.step)))?;
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
        let parts = KeyParts::new(step, self.inputs.clone(), files, self.seed, profile);
        let row = if step.cache { self.host.store.cache_lookup(&parts.key()).await? } else { None };
        let entry = row.as_ref().map(entry).transpose()?;
        let complete =
            |entry: &CacheEntry| entry.outputs.values().all(|output| self.host.store.blobs().contains(&output.digest));
        let lost = entry.as_ref().is_some_and(|entry| !complete(entry));
        let entry = entry.filter(|_| !lost);
        let earlier = if entry.is_some() { None } else { self.earlier().await? };
        Ok(Found { parts, entry, lost, earlier })
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
