//! Runs what waits in the queue: as many runs at once as the project allows, in the order that [`wasmlops_core::queue`]
//! says, each exactly by one process.
//!
//! Who drives a run holds its lock, takes it before the row is claimed, and keeps it until the run has ended. So a
//! claimed run whose lock is free is one whose process died, and any process may go on with it. An attempt is counted
//! before a run begins: one that kills its processes is taken out after [`ATTEMPTS`]. Nothing here knows what a run does;
//! the door is [`Options`] → [`Dispatcher`] → [`Dispatcher::run`].

mod job;
mod slots;

use std::collections::HashMap;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{Id, JoinError, JoinSet};
use tokio::time::{Instant, timeout};
use wasmlops_core::queue::{Queue, Waiting};
use wasmlops_store::{QueueRow, QueueState};

use crate::driver::Pace;
use crate::error::Result;
use crate::host::Host;
use crate::runs::RunLock;

use job::Job;
use slots::Slot;
pub use slots::Slots;

/// So often a run is begun; then it is quarantined, for it seems to kill whoever runs it.
pub const ATTEMPTS: i64 = 3;

/// What other processes put into the queue is seen after this time at the latest.
const POLL: Duration = Duration::from_millis(500);
/// How often runs of dead processes are looked for; also the pause before a run is begun again that the host failed.
const RECOVER: Duration = Duration::from_secs(2);
/// While no place is free, or much waits, what is new is not read at once: reading takes longer the more waits.
const UNHURRIED: Duration = Duration::from_millis(200);
const MUCH: usize = 100;
/// Waiting runs that are read in one go; the others follow when these have begun.
const READ: u32 = 10_000;
/// Claimed runs that are looked at in one go.
const CLAIMED: u32 = 1_000;

pub struct Options {
    pub host: Host,
    /// Shared by the projects of a process.
    pub slots: Slots,
    /// How long steps that run may go on after the shutdown has begun.
    pub grace: Duration,
}

impl Options {
    /// For a process that serves this project alone.
    pub fn new(host: Host) -> Self {
        let slots = Slots::new(host.project.concurrency.runs);
        Self { host, slots, grace: Duration::from_secs(10) }
    }
}

/// The service that runs the queue of a project.
pub struct Dispatcher {
    host: Host,
    slots: Slots,
    grace: Duration,
    queue: Queue,
    /// Who claims, for people.
    name: String,
    /// Runs that are driven here, with their pipelines.
    here: HashMap<Id, (String, String)>,
    jobs: JoinSet<Result<()>>,
    pace: watch::Sender<Pace>,
    read: Option<Instant>,
    recovered: Option<Instant>,
    /// Whether there may be something new to read.
    is_news: bool,
    /// The newest reason why the queue could not be read, so that it is told once.
    told: Option<String>,
}

impl Dispatcher {
    pub fn new(options: Options) -> Self {
        let Options { host, slots, grace } = options;
        let queue = Queue::new(host.project.concurrency.clone());
        host.counts.slots.set(u64::from(host.project.concurrency.runs));
        Self {
            queue,
            slots,
            grace,
            name: format!("process {}", std::process::id()),
            here: HashMap::new(),
            jobs: JoinSet::new(),
            pace: watch::Sender::new(Pace::Full),
            read: None,
            recovered: None,
            is_news: true,
            told: None,
            host,
        }
    }

    /// Runs until `shutdown` turns true. Then no run is begun, steps that run may end within the grace period, and what
    /// has not ended goes on in the next process.
    pub async fn run(mut self, mut shutdown: watch::Receiver<bool>) {
        while !*shutdown.borrow() {
            match self.turn().await {
                Ok(()) => self.told = None,
                Err(error) => self.tell(&error.to_string()),
            }
            tokio::select! {
                () = self.host.queue_bell.notified() => self.is_news = true,
                () = self.slots.freed() => {}
                Some(ended) = self.jobs.join_next_with_id() => self.ended(ended),
                () = tokio::time::sleep(POLL) => self.is_news = true,
                changed = shutdown.changed() => if changed.is_err() { break },
            }
            while let Some(ended) = self.jobs.try_join_next_with_id() {
                self.ended(ended);
            }
        }
        self.drain().await;
    }

    /// Reads what waits, where there may be news, and begins what may begin.
    async fn turn(&mut self) -> Result<()> {
        if self.recovered.is_none_or(|at| at.elapsed() >= RECOVER) {
            self.recovered = Some(Instant::now());
            self.recover().await?;
        }
        let hurries = self.queue.has_room() && self.queue.len() < MUCH;
        let pause = if hurries { Duration::ZERO } else { UNHURRIED };
        let is_due = self.read.is_none_or(|at| at.elapsed() >= pause);
        if (self.is_news || self.queue.is_empty()) && is_due {
            self.read = Some(Instant::now());
            self.is_news = false;
            let rows = self.host.store.queue(QueueState::Queued, READ).await?;
            self.queue.load(rows.into_iter().map(waiting));
        }
        self.begin().await
    }

    async fn begin(&mut self) -> Result<()> {
        loop {
            if !self.queue.has_next() {
                self.slots.wants(&self.host.project.name, false);
                return Ok(());
            }
            let Some(slot) = self.slots.take(&self.host.project.name) else { return Ok(()) };
            let Some(next) = self.queue.next(self.host.clock.now()) else { return Ok(()) };
            let pipeline = next.pipeline.clone();
            match self.claimed(next, slot).await {
                Ok(Some(job)) => self.spawn(job),
                Ok(None) => self.queue.ended(&pipeline),
                Err(error) => {
                    self.queue.ended(&pipeline);
                    return Err(error);
                }
            }
        }
    }

    /// A run as this process's own; nothing where somebody else was faster.
    async fn claimed(&self, next: Waiting, slot: Slot) -> Result<Option<Job>> {
        let Some(lock) = RunLock::take(&self.host.home, &next.run)? else { return Ok(None) };
        let now = self.host.clock.now();
        match self.host.store.claim(&next.run, &self.name, now).await? {
            wasmlops_store::Claim::Gone => Ok(None),
            wasmlops_store::Claim::Taken { attempts } => Ok(Some(Job {
                host: self.host.clone(),
                run: next.run,
                pipeline: next.pipeline,
                attempts,
                pace: self.pace.subscribe(),
                lock,
                slot,
            })),
        }
    }

    fn spawn(&mut self, job: Job) {
        let known = (job.run.clone(), job.pipeline.clone());
        let task = self.jobs.spawn(job.run());
        self.here.insert(task.id(), known);
        self.host.counts.slots_taken.set(u64::from(self.queue.running()));
    }

    /// A run that ended badly stays claimed, and is found by [`Dispatcher::recover`] after a pause.
    fn ended(&mut self, ended: Result<(Id, Result<()>), JoinError>) {
        let (task, problem) = match ended {
            Ok((task, result)) => (task, result.err().map(|error| error.to_string())),
            Err(error) => (error.id(), Some(error.to_string())),
        };
        let Some((run, pipeline)) = self.here.remove(&task) else { return };
        self.queue.ended(&pipeline);
        if let Some(problem) = problem {
            tracing::error!(%run, "the run could not go on, and is tried again: {problem}");
        }
        self.host.counts.slots_taken.set(u64::from(self.queue.running()));
    }

    /// Lets runs wait again whose process died.
    async fn recover(&mut self) -> Result<()> {
        for row in self.host.store.queue(QueueState::Claimed, CLAIMED).await? {
            if self.here.values().any(|(run, _)| *run == row.run) {
                continue;
            }
            let Some(_lock) = RunLock::take(&self.host.home, &row.run)? else { continue };
            tracing::info!(run = %row.run, attempts = row.attempts, "its process is gone: the run waits again");
            self.host.store.give_back(&row.run, true).await?;
            self.is_news = true;
        }
        Ok(())
    }

    async fn drain(mut self) {
        self.slots.wants(&self.host.project.name, false);
        self.pace.send_replace(Pace::NoNewSteps);
        let grace = self.grace;
        let all_ended = async {
            while let Some(ended) = self.jobs.join_next_with_id().await {
                self.ended(ended);
            }
        };
        if timeout(grace, all_ended).await.is_err() {
            self.pace.send_replace(Pace::Stop);
            while let Some(ended) = self.jobs.join_next_with_id().await {
                self.ended(ended);
            }
        }
    }

    fn tell(&mut self, reason: &str) {
        if self.told.as_deref() != Some(reason) {
            tracing::error!("the queue stands still: {reason}");
            self.told = Some(reason.to_owned());
        }
    }
}

fn waiting(row: QueueRow) -> Waiting {
    Waiting { run: row.run, pipeline: row.pipeline, priority: row.priority, enqueued: row.enqueued }
}

#[cfg(test)]
mod tests;
