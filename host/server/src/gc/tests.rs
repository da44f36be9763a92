//! Any order of runs, uploads, registrations and passes, passes beside writers too: what is named or young is never
//! removed, and what is neither goes in the end.

use std::collections::{BTreeMap, BTreeSet};
use std::fs;
use std::path::Path;
use std::sync::Arc;
use std::time::SystemTime;

use proptest::prelude::*;
use serde_json::json;
use wasmlops_catalog::NewVersion;
use wasmlops_package::Digest;
use wasmlops_store::{
    CacheEntryRow, CacheOutcome, NewEvents, NewRun, OutputRow, RunChange, RunStatus, StepRow, StepStatus,
};

use super::*;
use crate::clock::{Clock, ManualClock, SystemClock};
use crate::host::HostOptions;

const HOUR: i64 = 3_600_000_000;
const DAY: i64 = 24 * HOUR;
const KEPT: i64 = 30 * DAY;

/// Time in a lab begins long ago and stays before the real one, so that a file which was just written is never too old.
struct Lab {
    host: Host,
    clock: Arc<ManualClock>,
    folder: tempfile::TempDir,
    runs: Vec<KnownRun>,
    /// Contents of versions, and what they name.
    versions: Vec<(Digest, Digest)>,
    /// When each blob was last put.
    put: BTreeMap<Digest, i64>,
    /// What was recorded without a run, and when.
    uploads: BTreeMap<Digest, i64>,
}

struct KnownRun {
    id: String,
    pipeline: String,
    created: i64,
    outputs: Vec<Digest>,
    registered: bool,
}

#[derive(Clone, Debug)]
enum Step {
    Run {
        pipeline: u8,
        contents: Vec<u8>,
    },
    Upload {
        content: u8,
    },
    Register {
        content: u8,
        of_last_run: bool,
    },
    Stray {
        content: u8,
    },
    Wait {
        hours: i64,
    },
    Collect,
    /// A pass while other things happen.
    Beside {
        pipeline: u8,
        contents: Vec<u8>,
        upload: u8,
    },
}

impl Lab {
    async fn new() -> Self {
        let folder = tempfile::tempdir().unwrap();
        let text = "project: test\nretention: { runs: 30d, logs: 10d, keep_last: 1 }\n";
        fs::write(folder.path().join("wasmlops.yaml"), text).unwrap();
        let clock = Arc::new(ManualClock::at(SystemClock.now() - 1_000 * DAY));
        let options = HostOptions::for_tests(folder.path(), clock.clone());
        let host = Host::open(options).await.unwrap();
        let (runs, versions, put, uploads) = Default::default();
        Self { host, clock, folder, runs, versions, put, uploads }
    }

    fn content(number: u8) -> Vec<u8> {
        format!("content {number}").into_bytes()
    }

    /// Stores bytes, at the lab's time.
    async fn put(&self, bytes: Vec<u8>) -> Digest {
        let digest = self.host.store.blobs().put(bytes).await.unwrap();
        set_time(self.folder.path(), &digest, self.clock.now());
        digest
    }

    async fn run(&self, number: usize, pipeline: u8, contents: &[u8]) -> KnownRun {
        let (id, pipeline) = (format!("run-{number}"), format!("p{pipeline}"));
        let stamp = Stamp { time: self.clock.now(), actor: "test".to_owned() };
        let mut outputs = Vec::new();
        for content in contents {
            outputs.push(self.put(Self::content(*content)).await);
        }
        let run = NewRun {
            id: id.clone(),
            experiment: "0".to_owned(),
            pipeline: pipeline.clone(),
            name: "quiet-owl".to_owned(),
            params: "{}".to_owned(),
            graph: r#"{"steps":[]}"#.to_owned(),
            nominal_time: stamp.time,
            seed: 0,
            parent: None,
            origin: "cli".to_owned(),
            tracked: Vec::new(),
            source: None,
            stamp: stamp.clone(),
        };
        self.host.store.create_run(run).await.unwrap();
        let row = |(at, digest): (usize, &Digest)| OutputRow {
            step_key: "step".to_owned(),
            name: format!("output-{at}"),
            digest: *digest,
            media_type: "text/plain".to_owned(),
            size: 9,
            rows: None,
        };
        let entry = CacheEntryRow {
            cache_key: Digest::blake3(id.as_bytes()),
            run: id.clone(),
            step_key: "step".to_owned(),
            outputs: json!(outputs).to_string(),
            metrics: "{}".to_owned(),
            clock: None,
            created: stamp.time,
        };
        let change = RunChange {
            status: Some(RunStatus::Succeeded),
            started: Some(stamp.time),
            ended: Some(stamp.time),
            steps: vec![step()],
            outputs: outputs.iter().enumerate().map(row).collect(),
            cache_entries: vec![entry],
            ..RunChange::default()
        };
        let created = stamp.time;
        let events = NewEvents { run: id.clone(), expected_next_seq: 0, events: vec!["{}".into()], change, stamp };
        self.host.store.append_events(events).await.unwrap();
        KnownRun { id, pipeline, created, outputs, registered: false }
    }

    async fn upload(&self, content: u8) -> Digest {
        let digest = self.put(Self::content(content)).await;
        let stamp = Stamp { time: self.clock.now(), actor: "test".to_owned() };
        self.host.store.record_artifact(digest, "text/plain", 9, stamp).await.unwrap();
        digest
    }

    /// A version whose content names a blob that no row names.
    async fn register(&self, number: usize, content: u8, run: Option<String>) -> (Digest, Digest) {
        let named = self.put(Self::content(content)).await;
        let digest = self.put(json!({ "version": number, "model": named }).to_string().into_bytes()).await;
        let new = NewVersion {
            name: "m".to_owned(),
            project: "test".to_owned(),
            digest,
            model_digest: digest,
            evidence: Vec::new(),
            origin: None,
            run,
            step: None,
            git_commit: None,
            actor: "test".to_owned(),
            time: self.clock.now(),
        };
        let registered = self.host.store.with_tx::<_, Error, _>(move |tx| {
            Box::pin(async move { Ok(wasmlops_catalog::register(tx.connection().await?, new).await?) })
        });
        registered.await.unwrap();
        (digest, named)
    }

    async fn collect(&self) {
        collect(&self.host, "test").await.unwrap();
    }

    async fn take(&mut self, step: Step, number: usize) {
        match step {
            Step::Run { pipeline, contents } => {
                let run = self.run(number, pipeline, &contents).await;
                self.know(run);
            }
            Step::Upload { content } => {
                let digest = self.upload(content).await;
                self.know_upload(digest);
            }
            Step::Register { content, of_last_run } => {
                let run = self.runs.last().filter(|_| of_last_run).map(|run| run.id.clone());
                let registered = run.is_some();
                let version = self.register(number, content, run).await;
                self.versions.push(version);
                if let Some(run) = self.runs.last_mut().filter(|_| registered) {
                    run.registered = true;
                }
            }
            Step::Stray { content } => {
                let digest = self.put(Self::content(content)).await;
                self.put.insert(digest, self.clock.now());
            }
            Step::Wait { hours } => self.clock.advance(Duration::from_micros((hours * HOUR).unsigned_abs())),
            Step::Collect => self.collect().await,
            Step::Beside { pipeline, contents, upload } => {
                let (run, digest, ()) =
                    tokio::join!(self.run(number, pipeline, &contents), self.upload(upload), self.collect());
                self.know(run);
                self.know_upload(digest);
            }
        }
    }

    fn know(&mut self, run: KnownRun) {
        let now = self.clock.now();
        self.put.extend(run.outputs.iter().map(|digest| (*digest, now)));
        self.runs.push(run);
    }

    fn know_upload(&mut self, digest: Digest) {
        let now = self.clock.now();
        self.put.insert(digest, now);
        self.uploads.insert(digest, now);
    }

    /// Runs that must be there: young, the newest of their pipeline, or registered.
    fn kept_runs(&self) -> Vec<&KnownRun> {
        let now = self.clock.now();
        let newest = |run: &KnownRun| {
            let of_pipeline = self.runs.iter().filter(|other| other.pipeline == run.pipeline);
            of_pipeline.max_by_key(|other| (other.created, other.id.clone())).is_some_and(|newest| newest.id == run.id)
        };
        let kept = |run: &&KnownRun| run.registered || now - run.created < KEPT || newest(run);
        self.runs.iter().filter(kept).collect()
    }

    fn named(&self) -> BTreeSet<Digest> {
        let now = self.clock.now();
        let mut named: BTreeSet<Digest> = self.kept_runs().iter().flat_map(|run| run.outputs.clone()).collect();
        named.extend(self.versions.iter().flat_map(|(content, model)| [*content, *model]));
        named.extend(self.uploads.iter().filter(|(_, time)| now - **time < KEPT).map(|(digest, _)| *digest));
        named
    }

    async fn assert_nothing_lost(&self) {
        let now = self.clock.now();
        for run in self.kept_runs() {
            assert!(self.host.store.load_run(&run.id).await.unwrap().is_some(), "{} is gone", run.id);
        }
        let young = self.put.iter().filter(|(_, time)| now - **time < DAY).map(|(digest, _)| *digest);
        for digest in self.named().into_iter().chain(young) {
            assert!(self.host.store.blobs().contains(&digest), "{digest} is gone");
        }
    }

    async fn stored(&self) -> BTreeSet<Digest> {
        self.host.store.blobs().list().await.unwrap().into_iter().map(|blob| blob.digest).collect()
    }
}

fn set_time(folder: &Path, digest: &Digest, time: i64) {
    let hex = digest.hex();
    let path = folder.join(".wasmlops/blobs/blake3").join(&hex[..2]).join(&hex[2..]);
    let time = SystemTime::UNIX_EPOCH + Duration::from_micros(time.unsigned_abs());
    fs::File::open(path).unwrap().set_modified(time).unwrap();
}

fn step() -> StepRow {
    StepRow {
        step_key: "step".to_owned(),
        position: 0,
        uses: "split@^0.1".to_owned(),
        plugin_name: None,
        plugin_version: None,
        plugin_digest: None,
        kind: None,
        status: StepStatus::Succeeded,
        cache: CacheOutcome::Miss,
        reason: None,
        attempts: 1,
        started: None,
        ended: None,
        duration_ms: None,
        usage: None,
        error: None,
        cache_key: None,
        key_parts: None,
    }
}

fn steps() -> impl Strategy<Value = Vec<Step>> {
    let contents = || prop::collection::vec(0_u8..12, 0..3);
    let step = prop_oneof![
        3 => (0_u8..3, contents()).prop_map(|(pipeline, contents)| Step::Run { pipeline, contents }),
        2 => (0_u8..12).prop_map(|content| Step::Upload { content }),
        1 => (0_u8..12, any::<bool>()).prop_map(|(content, of_last_run)| Step::Register { content, of_last_run }),
        1 => (0_u8..12).prop_map(|content| Step::Stray { content }),
        3 => (1_i64..500).prop_map(|hours| Step::Wait { hours }),
        3 => Just(Step::Collect),
        2 => (0_u8..3, contents(), 0_u8..12)
            .prop_map(|(pipeline, contents, upload)| Step::Beside { pipeline, contents, upload }),
    ];
    prop::collection::vec(step, 1..24)
}

proptest! {
    #![proptest_config(ProptestConfig { cases: 24, max_shrink_iters: 40, ..ProptestConfig::default() })]

    #[test]
    fn what_is_named_or_young_stays_and_the_rest_goes(steps in steps()) {
        let runtime = tokio::runtime::Builder::new_multi_thread().worker_threads(2).enable_all().build().unwrap();
        runtime.block_on(async {
            let mut lab = Lab::new().await;
            for (number, step) in steps.into_iter().enumerate() {
                lab.take(step, number).await;
                lab.assert_nothing_lost().await;
            }
            // Old enough to go: condemned by one pass, removed by the next.
            for days in [40, 2] {
                lab.clock.advance(Duration::from_micros((days * DAY).unsigned_abs()));
                lab.collect().await;
                lab.assert_nothing_lost().await;
            }
            assert_eq!(lab.stored().await, lab.named());
            let verdict = lab.host.store.audit_verify().await.unwrap();
            assert!(matches!(verdict, wasmlops_store::AuditVerdict::Intact { .. }), "{verdict:?}");
            lab.host.store.close().await;
        });
    }
}

#[tokio::test]
async fn a_preview_says_what_a_pass_then_does() {
    let mut lab = Lab::new().await;
    for number in 0..3 {
        lab.take(Step::Run { pipeline: 0, contents: vec![number] }, usize::from(number)).await;
    }
    lab.take(Step::Wait { hours: 40 * 24 }, 3).await;
    let what = |view: &GcView| view.classes.iter().map(|class| (class.what.clone(), class.count)).collect::<Vec<_>>();
    let before = lab.stored().await;
    let previewed = preview(&lab.host).await.unwrap();
    assert!(previewed.dry_run);
    assert_eq!(what(&previewed), [("runs".to_owned(), 2), ("condemned-blobs".to_owned(), 2)]);
    assert_eq!(previewed.classes[0].items, ["run-0", "run-1"]);
    assert_eq!(lab.host.store.retention_runs().await.unwrap().len(), 3);
    let done = collect(&lab.host, "cli:ann").await.unwrap();
    assert_eq!((what(&done), &done.classes[0].items), (what(&previewed), &previewed.classes[0].items));
    assert_eq!(lab.stored().await, before);
    lab.take(Step::Wait { hours: 25 }, 4).await;
    let done = collect(&lab.host, "cli:ann").await.unwrap();
    assert_eq!(what(&done), [("blobs".to_owned(), 2)]);
    assert_eq!(done.classes[0].bytes, Some(18));
    assert_eq!(lab.stored().await.len(), 1);
    assert!(preview(&lab.host).await.unwrap().classes.is_empty());
    let records = lab.host.store.audit_records(0, 1000).await.unwrap();
    let removed: Vec<_> = records.iter().filter(|record| record.entry.action == "gc.removed").collect();
    assert_eq!(removed.iter().map(|record| record.entry.subject.as_str()).collect::<Vec<_>>(), ["runs", "blobs"]);
    assert!(removed.iter().all(|record| record.entry.stamp.actor == "cli:ann"));
}

#[tokio::test]
async fn what_is_put_again_after_it_was_condemned_stays() {
    let mut lab = Lab::new().await;
    lab.take(Step::Stray { content: 1 }, 0).await;
    lab.take(Step::Wait { hours: 48 }, 1).await;
    lab.collect().await;
    assert_eq!(lab.host.store.condemned().await.unwrap().len(), 1);
    lab.take(Step::Wait { hours: 48 }, 2).await;
    // Held between the reading of names and the removal.
    let digest = Digest::blake3(&Lab::content(1));
    assert!(lab.host.store.blobs().hold(&digest).unwrap());
    let stamp = Stamp { time: lab.clock.now(), actor: "test".to_owned() };
    let gone = lab.host.store.remove_blobs(&[digest], lab.clock.now() - DAY, &stamp).await.unwrap();
    assert_eq!(gone, (0, 0));
    assert!(lab.host.store.blobs().contains(&digest));
    lab.collect().await;
    assert!(lab.host.store.condemned().await.unwrap().is_empty());
}
