//! The queue as a whole: hosts on a project whose pipelines need no plugin, so that only the order of things is tested.

use std::collections::BTreeSet;
use std::path::Path;
use std::sync::Arc;

use serde_json::json;
use tokio::task::JoinHandle;
use wasmlops_store::{QueueState, RunStatus};

use super::*;
use crate::clock::SystemClock;
use crate::error::Error;
use crate::host::HostOptions;
use crate::runs::{self, Submission};
use crate::view::RunView;

/// Far beyond what any wait in these tests takes.
const PATIENCE: Duration = Duration::from_secs(120);

const PIPELINE: &str = "
params:
  n: { type: integer, default: 1, minimum: 0 }
  word: { type: string, default: a }
steps:
  nothing: { artifact: \"\" }
";

/// A project in a temporary folder, with the pipelines `one` and `two`.
struct Bench {
    folder: tempfile::TempDir,
}

/// A host that runs its queue.
struct Served {
    host: Host,
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Bench {
    fn new(concurrency: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let write = |file: &str, text: String| {
            let path = folder.path().join(file);
            std::fs::create_dir_all(path.parent().unwrap()).unwrap();
            std::fs::write(path, text).unwrap();
        };
        write("wasmlops.yaml", format!("project: test\nconcurrency: {concurrency}\n"));
        for name in ["one", "two"] {
            write(&format!("pipelines/{name}.yaml"), format!("pipeline: {name}{PIPELINE}"));
        }
        Self { folder }
    }

    fn path(&self) -> &Path {
        self.folder.path()
    }

    async fn host(&self) -> Host {
        Host::open(HostOptions::for_tests(self.path(), Arc::new(SystemClock))).await.unwrap()
    }

    async fn serve(&self) -> Served {
        serve(self.host().await)
    }
}

fn serve(host: Host) -> Served {
    let stop = watch::Sender::new(false);
    let task = tokio::spawn(Dispatcher::new(Options::new(host.clone())).run(stop.subscribe()));
    Served { host, stop, task }
}

impl Served {
    async fn stop(self) -> Host {
        self.stop.send_replace(true);
        self.task.await.unwrap();
        self.host
    }

    async fn until(&self, run: &str, status: RunStatus) -> RunView {
        let reached = async {
            while self.host.store.load_run(run).await.unwrap().unwrap().status != status {
                tokio::time::sleep(Duration::from_millis(5)).await;
            }
        };
        tokio::time::timeout(PATIENCE, reached).await.unwrap_or_else(|_| panic!("run {run} is not {status}"));
        runs::show(&self.host, run).await.unwrap()
    }
}

fn submission(pipeline: &str) -> Submission {
    Submission { pipeline: pipeline.to_owned(), ..Submission::default() }
}

async fn submit(host: &Host, submission: Submission) -> String {
    runs::submit(host, submission, "token:ann").await.unwrap().run
}

fn code(error: &Error) -> Vec<&str> {
    let Error::User(problems) = error else { panic!("{error}") };
    problems.0.iter().map(|problem| problem.code.as_str()).collect()
}

/// The runs that audit records of this action are about, in order.
async fn audited(host: &Host, action: &str) -> Vec<String> {
    let records = host.store.audit_records(0, 10_000).await.unwrap();
    let of = records.into_iter().filter(|record| record.entry.action == action);
    of.map(|record| record.entry.subject.trim_start_matches("run:").to_owned()).collect()
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn what_is_submitted_is_run_in_the_name_of_who_asked() {
    let bench = Bench::new("{ runs: 2 }");
    let served = bench.serve().await;
    let params = json!({ "n": 3 }).as_object().unwrap().clone();
    let asked = Submission { params, origin: "schedule:nightly".to_owned(), seed: 9, ..submission("one") };
    let view = runs::submit(&served.host, asked, "token:ann").await.unwrap();
    let ended = served.until(&view.run, RunStatus::Succeeded).await;
    assert_eq!((ended.origin.as_str(), ended.actor.as_str(), ended.seed), ("schedule:nightly", "token:ann", 9));
    assert_eq!(serde_json::to_value(&ended.params).unwrap(), json!({ "n": 3, "word": "a" }));
    let records = served.host.store.audit_records(0, 100).await.unwrap();
    assert!(records.iter().all(|record| record.entry.stamp.actor == "token:ann"), "{records:?}");
    let row = served.host.store.queue_row(&view.run).await.unwrap().unwrap();
    assert_eq!((row.state, row.attempts), (QueueState::Done, 1));
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_hundred_submissions_with_one_id_are_one_run() {
    let bench = Bench::new("{ runs: 2 }");
    let served = bench.serve().await;
    let id = runs::derived_id(&["trigger", "on-push", "17"]);
    let asked = Submission { id: Some(id.clone()), ..submission("one") };
    let submit = |_| {
        let (host, asked) = (served.host.clone(), asked.clone());
        tokio::spawn(async move { submit(&host, asked).await })
    };
    let ids: Vec<_> = (0..100).map(submit).collect();
    for answer in ids {
        assert_eq!(answer.await.unwrap(), id);
    }
    served.until(&id, RunStatus::Succeeded).await;
    // Also after its end; but never for something else.
    assert_eq!(super::tests::submit(&served.host, asked.clone()).await, id);
    let other = Submission { seed: 1, ..asked };
    let refused = runs::submit(&served.host, other, "token:ann").await.unwrap_err();
    assert_eq!(code(&refused), ["run-conflict"]);
    assert_eq!(audited(&served.host, "run.created").await, std::slice::from_ref(&id));
    assert_eq!(audited(&served.host, "run.succeeded").await, [id]);
    served.stop().await;
}

#[tokio::test]
async fn every_problem_is_said_at_once_and_nothing_is_written() {
    let bench = Bench::new("{ runs: 2 }");
    let host = bench.host().await;
    let params = json!({ "n": "three", "word": 7, "other": 1 }).as_object().unwrap().clone();
    let asked = Submission {
        id: Some("../../etc/passwd".to_owned()),
        params,
        priority: 500,
        parent: Some("0".repeat(32)),
        ..submission("one")
    };
    let refused = runs::submit(&host, asked, "token:ann").await.unwrap_err();
    let codes = code(&refused);
    assert!(codes.starts_with(&["invalid-id", "wrong-value", "unknown-run"]), "{codes:?}");
    assert_eq!(codes.len(), 3 + 3, "three parameters as well: {codes:?}");
    for path in ["pipelines/one.yaml", "../one", "one.yaml", ""] {
        let refused = runs::submit(&host, submission(path), "token:ann").await.unwrap_err();
        assert_eq!(code(&refused), ["unknown-pipeline"], "`{path}`");
    }
    assert!(host.store.audit_records(0, 10).await.unwrap().is_empty());
}

#[tokio::test]
async fn a_full_queue_refuses() {
    let bench = Bench::new("{ runs: 1, queued: 2 }");
    let host = bench.host().await;
    let asked = Submission { id: Some("a".repeat(32)), ..submission("one") };
    submit(&host, asked.clone()).await;
    submit(&host, submission("one")).await;
    let refused = runs::submit(&host, submission("two"), "token:ann").await.unwrap_err();
    assert_eq!(code(&refused), ["queue-full"]);
    assert_eq!(submit(&host, asked).await, "a".repeat(32), "what is there is known all the same");
    let queue = runs::queue(&host).await.unwrap();
    assert_eq!((queue.waiting, queue.queued_limit, queue.runs.len()), (2, 2, 2));
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn higher_priorities_go_first_and_pipelines_take_turns() {
    let bench = Bench::new("{ runs: 1 }");
    let host = bench.host().await;
    let mut ids = Vec::new();
    for (pipeline, priority) in [("one", 0), ("one", 0), ("one", 0), ("two", 0), ("two", -5), ("two", 50)] {
        ids.push(submit(&host, Submission { priority, ..submission(pipeline) }).await);
    }
    let served = serve(host);
    served.until(&ids[4], RunStatus::Succeeded).await;
    let order = audited(&served.host, "run.started").await;
    let expected: Vec<String> = [5, 0, 3, 1, 2, 4].into_iter().map(|place| ids[place].clone()).collect();
    assert_eq!(order, expected);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn runs_of_dead_processes_go_on_and_those_of_living_ones_are_left_alone() {
    let bench = Bench::new("{ runs: 2 }");
    let host = bench.host().await;
    let dead = submit(&host, submission("one")).await;
    let living = submit(&host, submission("one")).await;
    for run in [&dead, &living] {
        host.store.claim(run, "process 1", 0).await.unwrap();
    }
    let lock = RunLock::take(&host.home, &living).unwrap().unwrap();
    let served = serve(host);
    served.until(&dead, RunStatus::Succeeded).await;
    let row = served.host.store.queue_row(&living).await.unwrap().unwrap();
    assert_eq!((row.state, row.claimed_by.as_deref()), (QueueState::Claimed, Some("process 1")));
    drop(lock);
    served.until(&living, RunStatus::Succeeded).await;
    assert_eq!(audited(&served.host, "run.started").await.into_iter().collect::<BTreeSet<_>>().len(), 2);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_run_that_kills_its_processes_is_quarantined_until_a_resume() {
    let bench = Bench::new("{ runs: 2 }");
    let host = bench.host().await;
    let run = submit(&host, submission("one")).await;
    for _ in 0..ATTEMPTS {
        host.store.claim(&run, "process 1", 0).await.unwrap();
        host.store.give_back(&run, true).await.unwrap();
    }
    let served = serve(host);
    let view = served.until(&run, RunStatus::Failed).await;
    assert_eq!(view.error.unwrap().code, "quarantined");
    assert_eq!(audited(&served.host, "run.failed").await, std::slice::from_ref(&run));
    runs::resume_later(&served.host, &run, "token:bob").await.unwrap();
    let view = served.until(&run, RunStatus::Succeeded).await;
    assert!(view.error.is_none());
    // Its end is known a moment before the process lets go of it.
    let mut refused = runs::resume_later(&served.host, &run, "token:bob").await.unwrap_err();
    while code(&refused) == ["run-active"] {
        tokio::task::yield_now().await;
        refused = runs::resume_later(&served.host, &run, "token:bob").await.unwrap_err();
    }
    assert_eq!(code(&refused), ["run-succeeded"]);
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_waiting_run_is_cancelled_at_once_and_can_be_resumed() {
    let bench = Bench::new("{ runs: 2 }");
    let host = bench.host().await;
    let run = submit(&host, submission("one")).await;
    let view = runs::cancel(&host, &run, "token:bob").await.unwrap();
    assert_eq!(view.status, "cancelled");
    assert_eq!(runs::queue(&host).await.unwrap().waiting, 0);
    let view = runs::resume_later(&host, &run, "token:bob").await.unwrap();
    assert_eq!(view.status, "scheduled");
    // Once more, while it waits to be resumed.
    let view = runs::cancel(&host, &run, "token:bob").await.unwrap();
    assert_eq!(view.status, "cancelled");
    runs::resume_later(&host, &run, "token:bob").await.unwrap();
    let served = serve(host);
    served.until(&run, RunStatus::Succeeded).await;
    served.stop().await;
}

#[tokio::test(flavor = "multi_thread", worker_threads = 2)]
async fn a_stop_in_the_middle_leaves_the_rest_to_the_next_process() {
    let bench = Bench::new("{ runs: 3, pipelines: { two: 1 } }");
    let host = bench.host().await;
    let mut ids = Vec::new();
    for number in 0..60 {
        ids.push(submit(&host, submission(["one", "two"][number % 2])).await);
    }
    let mut host = host;
    loop {
        let served = serve(host);
        let one_more = async {
            let before = audited(&served.host, "run.succeeded").await.len();
            while before < ids.len() && audited(&served.host, "run.succeeded").await.len() == before {
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
            before
        };
        let before = tokio::time::timeout(PATIENCE, one_more).await.unwrap();
        host = served.stop().await;
        assert_eq!(host.store.queue_length(QueueState::Claimed).await.unwrap(), 0, "nothing is left claimed");
        if before == ids.len() {
            break;
        }
    }
    let succeeded = audited(&host, "run.succeeded").await;
    assert_eq!(succeeded.len(), ids.len());
    assert_eq!(succeeded.into_iter().collect::<BTreeSet<_>>(), ids.into_iter().collect());
    let rows = audited(&host, "run.cancelled").await.len() + audited(&host, "run.failed").await.len();
    assert_eq!(rows, 0);
}
