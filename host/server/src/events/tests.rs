//! Events in and out of a host whose pipelines need no plugin, over restarts, by a clock that the test moves.

mod hooks;
mod notifications;
mod triggers;

use std::future::Future;
use std::path::Path;
use std::sync::Arc;

use tokio::task::JoinHandle;
use wasmlops_core::run::Micros;
use wasmlops_store::{AuditEntry, AuditVerdict, RunFilter, Stamp};
use zeroize::Zeroizing;

use super::*;
use crate::clock::{Clock, ManualClock};
use crate::dispatch::{self, Dispatcher};
use crate::host::HostOptions;
use crate::secrets;

const NOON: Micros = 1_795_262_400_000_000;

/// Far beyond what any wait in these tests takes.
const PATIENCE: Duration = Duration::from_secs(120);

const PIPELINE: &str = "
params:
  word: { type: string, default: a }
  n: { type: integer, default: 1 }
steps:
  nothing: { artifact: \"\" }
";

/// A project in a temporary folder with the pipelines `one` and `two` and the secret `key`.
struct Site {
    host: Host,
    clock: Arc<ManualClock>,
    folder: tempfile::TempDir,
}

impl Site {
    async fn new(config: &str) -> Self {
        let folder = tempfile::tempdir().unwrap();
        std::fs::create_dir(folder.path().join("pipelines")).unwrap();
        std::fs::write(folder.path().join("wasmlops.yaml"), format!("project: site\n{config}")).unwrap();
        for name in ["one", "two"] {
            let file = folder.path().join(format!("pipelines/{name}.yaml"));
            std::fs::write(file, format!("pipeline: {name}{PIPELINE}")).unwrap();
        }
        let clock = Arc::new(ManualClock::at(NOON));
        let host = open(folder.path(), clock.clone()).await;
        secrets::set(&host, "key", Zeroizing::new(b"hush".to_vec()), "test").await.unwrap();
        Self { host, clock, folder }
    }

    /// Another process, after the first is gone.
    async fn restarted(self) -> Self {
        self.host.store.close().await;
        let host = open(self.folder.path(), self.clock.clone()).await;
        Self { host, ..self }
    }

    /// Reads the feed, from here on or from where it was read to.
    async fn serve(&self) -> Served {
        let served = Served::start(Events::new(&self.host).run_with(&self.host));
        // A reader that is new begins behind what is there when it begins.
        for trigger in &self.host.project.triggers {
            if causes::action(&trigger.cause).is_some() {
                self.until_reading(&format!("trigger:{}", trigger.name.value)).await;
            }
        }
        for notification in &self.host.project.notifications {
            self.until_reading(&format!("notification:{}", notification.name.value)).await;
        }
        served
    }

    async fn until_reading(&self, reader: &str) {
        until(|| async { self.host.store.feed_cursor(reader).await.unwrap().is_some() }).await;
    }

    /// Something happens, as far as readers can tell.
    async fn happens(&self, action: &str, subject: &str, details: serde_json::Value) {
        let record = AuditEntry {
            stamp: Stamp { time: self.clock.now(), actor: "test".to_owned() },
            action: action.to_owned(),
            subject: subject.to_owned(),
            details: details.to_string(),
        };
        let done = self.host.store.with_tx::<_, Error, _>(move |tx| {
            Box::pin(async move {
                tx.audit(record);
                // A record alone commits nothing.
                tx.forget_events(0).await?;
                Ok(())
            })
        });
        done.await.unwrap();
    }

    /// The audit's actions about a subject, in order; the audit is whole.
    async fn audited(&self, subject: &str) -> Vec<String> {
        let verdict = self.host.store.audit_verify().await.unwrap();
        assert!(matches!(verdict, AuditVerdict::Intact { .. }), "{verdict:?}");
        let records = self.host.store.audit_records(0, 10_000).await.unwrap();
        let own = records.into_iter().filter(|record| record.entry.subject == subject);
        own.map(|record| record.entry.action).collect()
    }

    async fn runs(&self) -> usize {
        let filter = RunFilter { limit: 1000, ..RunFilter::default() };
        self.host.store.list_runs(&filter).await.unwrap().runs.len()
    }
}

/// Readers at work.
struct Served {
    stop: watch::Sender<bool>,
    task: JoinHandle<()>,
}

impl Served {
    fn start<F: Future<Output = ()> + Send + 'static>(service: impl FnOnce(watch::Receiver<bool>) -> F) -> Self {
        let stop = watch::Sender::new(false);
        let task = tokio::spawn(service(stop.subscribe()));
        Self { stop, task }
    }

    async fn stop(self) {
        self.stop.send_replace(true);
        self.task.await.unwrap();
    }
}

impl Events {
    /// With the runs that triggers start.
    fn run_with(
        self,
        host: &Host,
    ) -> impl FnOnce(watch::Receiver<bool>) -> std::pin::Pin<Box<dyn Future<Output = ()> + Send>> {
        let runs = Dispatcher::new(dispatch::Options::new(host.clone()));
        move |stop| {
            Box::pin(async move {
                tokio::join!(self.run(stop.clone()), runs.run(stop));
            })
        }
    }
}

async fn open(folder: &Path, clock: Arc<ManualClock>) -> Host {
    let options = HostOptions { secret_key: Some(Zeroizing::new([3; 32])), ..HostOptions::for_tests(folder, clock) };
    Host::open(options).await.unwrap()
}

/// Waits for what other tasks do.
async fn until<F: Future<Output = bool>>(is_so: impl Fn() -> F) {
    let wait = async {
        while !is_so().await {
            tokio::time::sleep(Duration::from_millis(5)).await;
        }
    };
    tokio::time::timeout(PATIENCE, wait).await.expect("it comes to be so");
}
