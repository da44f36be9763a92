//! Schedules on whole hosts whose clock is moved by hand and whose pipelines need no plugin.

mod backfills;
mod clocks;
mod control;
mod many;
mod overlaps;

use std::sync::Arc;

use wasmlops_core::run::Micros;
use wasmlops_store::{RunFilter, RunRow, RunStatus};

use super::service::{Round, Service};
use super::{configured, known};
use crate::clock::{ManualClock, parse_rfc3339, rfc3339};
use crate::error::Error;
use crate::host::{Host, HostOptions};
use crate::runs;

const PIPELINE: &str = "
params:
  n: { type: integer, default: 1 }
steps:
  nothing: { artifact: \"\" }
";

/// A project in a temporary folder with the pipeline `one`, and a clock.
struct Bench {
    folder: tempfile::TempDir,
    clock: Arc<ManualClock>,
}

impl Bench {
    /// `schedules` are the lines under the key of that name.
    fn new(now: &str, schedules: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        let bench = Self { folder, clock: Arc::new(ManualClock::at(at(now))) };
        std::fs::create_dir_all(bench.folder.path().join("pipelines")).unwrap();
        bench.write("pipelines/one.yaml", &format!("pipeline: one{PIPELINE}"));
        bench.schedules(schedules);
        bench
    }

    fn write(&self, file: &str, text: &str) {
        std::fs::write(self.folder.path().join(file), text).unwrap();
    }

    fn schedules(&self, schedules: &str) {
        self.write("wasmlops.yaml", &format!("project: test\nschedules:\n{schedules}\n"));
    }

    async fn host(&self) -> Host {
        Host::open(HostOptions::for_tests(self.folder.path(), self.clock.clone())).await.unwrap()
    }

    /// A server's start.
    async fn serve(&self) -> (Host, Service) {
        let host = self.host().await;
        let mut service = Service::new(&host);
        service.begin().await.unwrap();
        (host, service)
    }

    fn set(&self, now: &str) {
        self.clock.set(at(now));
    }
}

fn at(text: &str) -> Micros {
    parse_rfc3339(text).unwrap()
}

async fn submitted(service: &mut Service) -> usize {
    let round = service.round().await.unwrap();
    assert_eq!(round, Round { failed: 0, ..round });
    round.submitted
}

/// All runs, the oldest nominal time first.
async fn all_runs(host: &Host) -> Vec<RunRow> {
    let page = host.store.list_runs(&RunFilter { limit: 1000, ..RunFilter::default() }).await.unwrap();
    let mut runs = page.runs;
    runs.sort_by_key(|run| run.nominal_time);
    runs
}

/// What became of a schedule's times, the oldest first: the time, and a word.
async fn times(host: &Host, schedule: &str) -> Vec<(String, String)> {
    let mut rows = host.store.scheduled_times(schedule, 1000).await.unwrap();
    rows.reverse();
    let word = |status: Option<RunStatus>, state: String| status.map_or(state, |status| status.to_string());
    rows.into_iter().map(|row| (rfc3339(row.nominal_time), word(row.status, row.state.to_string()))).collect()
}

/// Brings the runs that wait to an end.
async fn end_runs(host: &Host) {
    for run in all_runs(host).await {
        if !run.status.is_final() {
            runs::cancel(host, &run.id, "test").await.unwrap();
        }
    }
}

fn code(error: &Error) -> Vec<&str> {
    let Error::User(problems) = error else { panic!("{error}") };
    problems.0.iter().map(|problem| problem.code.as_str()).collect()
}

fn pairs<const N: usize>(expected: [(&str, &str); N]) -> Vec<(String, String)> {
    expected.into_iter().map(|(time, word)| (format!("2026-06-01T{time}:00.000Z"), word.to_owned())).collect()
}
