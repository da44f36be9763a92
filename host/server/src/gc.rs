//! Retention and garbage: removes what the project keeps no longer, and the bytes that nothing names any more.
//!
//! Which runs go is decided in [`wasmlops_core::retention`]; how blobs are removed without taking one that somebody is
//! about to name is written in [`wasmlops_store::gc`]. Doors: [`preview`], [`collect`], [`daily`].

mod leftovers;
mod reachable;

use std::collections::{BTreeMap, BTreeSet, HashSet};
use std::future::Future;
use std::time::Duration;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wasmlops_core::config::{Retention, format_duration};
use wasmlops_core::retention::{Cutoffs, RunFacts, cutoffs, expired_runs};
use wasmlops_core::run::Micros;
use wasmlops_store::gc::GRACE;
use wasmlops_store::{Aged, Judged, RetentionRow, Stamp};

use crate::error::{Error, Result};
use crate::host::Host;

/// Whom the server's own passes are attributed to.
const ACTOR: &str = "system:gc";
/// A server that has just started has other things to do.
const FIRST: Duration = Duration::from_secs(600);
const EVERY: Duration = Duration::from_secs(24 * 60 * 60);

/// What went, or would go.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GcView {
    /// Nothing was removed.
    pub dry_run: bool,
    /// One for each kind of thing of which there is any.
    pub classes: Vec<GcClass>,
}

/// Things that go for one reason.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GcClass {
    /// `runs`, `log-lines`, `metric-points`, `inference-rows`, `blobs`, `condemned-blobs`, `temporary-files`.
    pub what: String,
    pub count: u64,
    /// Of files; the database gives its room to later rows.
    pub bytes: Option<u64>,
    pub reason: String,
    /// Ids of runs, digests of blobs; empty for rows.
    pub items: Vec<String>,
}

/// What a pass would do now.
pub async fn preview(host: &Host) -> Result<GcView> {
    Pass::new(host, None).run().await
}

/// One pass. Blobs go with the second pass that finds them without a name, a day after the first at the earliest.
pub async fn collect(host: &Host, actor: &str) -> Result<GcView> {
    Pass::new(host, Some(actor)).run().await
}

/// A pass a day, where the project has a `retention`, until `stopped` ends. A pass that fails is logged and tried again
/// a day later.
pub async fn daily(host: &Host, stopped: impl Future<Output = ()>) {
    let passes = async {
        if host.project.retention.is_none() {
            return std::future::pending().await;
        }
        tokio::time::sleep(FIRST).await;
        loop {
            match collect(host, ACTOR).await {
                Ok(view) => tracing::info!(classes = view.classes.len(), "retention was applied"),
                Err(error) => tracing::error!(%error, "retention could not be applied"),
            }
            tokio::time::sleep(EVERY).await;
        }
    };
    tokio::select! {
        () = passes => {}
        () = stopped => {}
    }
}

struct Pass<'h> {
    host: &'h Host,
    policy: Retention,
    /// When names began to be read, or before.
    now: Micros,
    cutoffs: Cutoffs,
    /// Who removes; absent where nothing is to be.
    stamp: Option<Stamp>,
    classes: Vec<GcClass>,
}

impl<'h> Pass<'h> {
    fn new(host: &'h Host, actor: Option<&str>) -> Self {
        let policy = host.project.retention.clone().unwrap_or_default();
        let now = host.clock.now();
        let cutoffs = cutoffs(&policy, now);
        let stamp = actor.map(|actor| Stamp { time: now, actor: actor.to_owned() });
        Self { host, policy, now, cutoffs, stamp, classes: Vec::new() }
    }

    async fn run(mut self) -> Result<GcView> {
        let without = self.runs().await?;
        self.aged(Aged::Logs, "log-lines", self.policy.logs, self.cutoffs.logs).await?;
        self.aged(Aged::Metrics, "metric-points", self.policy.metrics, self.cutoffs.metrics).await?;
        self.aged(Aged::Inference, "inference-rows", self.policy.inference, self.cutoffs.inference).await?;
        self.blobs(&without).await?;
        self.leftovers().await?;
        if self.stamp.is_some() {
            self.host.store.barrier().await?;
        }
        Ok(GcView { dry_run: self.stamp.is_none(), classes: self.classes })
    }

    fn note(&mut self, class: GcClass) {
        if class.count > 0 {
            self.classes.push(class);
        }
    }

    /// Gives the runs that are to be taken for gone: none where they are.
    async fn runs(&mut self) -> Result<BTreeSet<String>> {
        let Some((kept, cutoff)) = self.policy.runs.zip(self.cutoffs.artifacts) else { return Ok(BTreeSet::new()) };
        let facts = facts(self.host).await?;
        let expired: Vec<String> =
            expired_runs(&self.policy, &facts, self.now).into_iter().map(|run| run.id.clone()).collect();
        let gone = match &self.stamp {
            Some(stamp) => self.host.store.remove_runs(&expired, cutoff, stamp).await?,
            None => {
                let trials = self.host.store.trials_of(&expired).await?;
                trials.into_iter().chain(expired).collect()
            }
        };
        let reason = format!(
            "ended more than {} ago, not among the newest {} of their pipeline, needed by nothing",
            format_duration(kept),
            self.policy.keep_last
        );
        let (count, items) = (gone.len() as u64, gone.clone());
        self.note(GcClass { what: "runs".to_owned(), count, bytes: None, reason, items });
        Ok(if self.stamp.is_some() { BTreeSet::new() } else { gone.into_iter().collect() })
    }

    async fn aged(&mut self, aged: Aged, what: &str, kept: Option<Duration>, cutoff: Option<Micros>) -> Result<()> {
        let Some((kept, cutoff)) = kept.zip(cutoff) else { return Ok(()) };
        let removed = match &self.stamp {
            Some(stamp) => self.host.store.remove_aged(aged, cutoff, stamp).await?,
            None => self.host.store.count_aged(aged, cutoff).await?,
        };
        let of = match aged {
            Aged::Logs | Aged::Metrics => format!("of {} runs that ended", removed.groups),
            Aged::Inference => format!("in {} segments that ended", removed.groups),
        };
        let reason = format!("{of} more than {} ago", format_duration(kept));
        self.note(GcClass { what: what.to_owned(), count: removed.rows, bytes: None, reason, items: Vec::new() });
        Ok(())
    }

    async fn blobs(&mut self, without: &BTreeSet<String>) -> Result<()> {
        let store = &self.host.store;
        let old = self.now.saturating_sub(GRACE);
        if self.stamp.is_some() {
            store.forget_checkpoints(old).await?;
        }
        let stored = store.blobs().list().await.map_err(Error::io("list the blobs"))?;
        let reachable = reachable::reachable(self.host, without, &stored, self.cutoffs.artifacts).await?;
        let sizes: BTreeMap<_, _> = stored.iter().map(|blob| (blob.digest, blob.size)).collect();
        let unnamed = stored.iter().filter(|blob| blob.time < old && !reachable.digests.contains(&blob.digest));
        let unnamed: HashSet<_> = unnamed.map(|blob| blob.digest).collect();
        let judged = Judged::new(&store.condemned().await?, &unnamed, self.now);
        let bytes = |digests: &[_]| digests.iter().filter_map(|digest| sizes.get(digest)).sum::<u64>();
        let ripe: HashSet<_> = judged.ripe.iter().copied().collect();
        let mut waiting: Vec<_> = unnamed.into_iter().filter(|digest| !ripe.contains(digest)).collect();
        waiting.sort_unstable();
        let (mut count, mut gone) = (judged.ripe.len() as u64, bytes(&judged.ripe));
        if let Some(stamp) = &self.stamp {
            store.forget_cache_entries(reachable.lost_cache_entries).await?;
            store.condemn(&judged, self.now).await?;
            (count, gone) = store.remove_blobs(&judged.ripe, old, stamp).await?;
        }
        let texts = |digests: &[wasmlops_package::Digest]| digests.iter().map(ToString::to_string).collect();
        let condemned = GcClass {
            what: "condemned-blobs".to_owned(),
            count: waiting.len() as u64,
            bytes: Some(bytes(&waiting)),
            reason: "nothing names them; they go with a pass that finds them so a day later".to_owned(),
            items: texts(&waiting),
        };
        let reason = "nothing has named them for a day".to_owned();
        let items = texts(&judged.ripe);
        self.note(GcClass { what: "blobs".to_owned(), count, bytes: Some(gone), reason, items });
        self.note(condemned);
        Ok(())
    }

    async fn leftovers(&mut self) -> Result<()> {
        let scratch = self.host.executor.scratch.clone();
        let (now, remove) = (self.now, self.stamp.is_some());
        let found = tokio::task::spawn_blocking(move || leftovers::stages(&scratch, now, remove));
        let mut count = found.await.map_err(Error::bug)?.map_err(Error::io("look through the scratch folder"))?;
        if remove {
            let cleared = self.host.store.blobs().clear_temporary(self.now.saturating_sub(GRACE)).await;
            count += cleared.map_err(Error::io("clear the folder of temporary files"))?;
        }
        let reason = "left over from processes that are gone".to_owned();
        self.note(GcClass { what: "temporary-files".to_owned(), count, bytes: None, reason, items: Vec::new() });
        Ok(())
    }
}

/// Every run, with what needs it.
async fn facts(host: &Host) -> Result<Vec<RunFacts>> {
    let versions = host
        .store
        .read(|connection| Box::pin(async move { Ok::<_, Error>(wasmlops_catalog::all_versions(connection).await?) }));
    let mut needed: BTreeMap<String, Vec<String>> = BTreeMap::new();
    for version in versions.await? {
        if let Some(run) = version.run {
            needed.entry(run).or_default().push(format!("version {} of model `{}`", version.version, version.name));
        }
    }
    let fact = |row: RetentionRow| {
        let mut needed_by = needed.remove(&row.id).unwrap_or_default();
        let needs = [(row.approvals, "an approval"), (row.queued, "the queue"), (row.children, "another run")];
        needed_by.extend(needs.into_iter().filter(|(needs, _)| *needs).map(|(_, what)| what.to_owned()));
        RunFacts { id: row.id, pipeline: row.pipeline, created: row.created, ended: row.ended, needed_by }
    };
    Ok(host.store.retention_runs().await?.into_iter().map(fact).collect())
}

#[cfg(test)]
mod tests;
