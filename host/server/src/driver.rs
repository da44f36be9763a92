//! Drives one run: makes events durable, lets the run's state machine decide, and does what it says.
//!
//! As many steps at once as there are workers. The state is committed before an effect starts; a step's outputs,
//! metrics, lineage and success become visible in one transaction. Decides nothing itself: see [`wasmlops_core::run`].

mod approvals;
mod attempt;
mod journal;
mod judging;
mod traced;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::sync::watch;
use tokio::task::{JoinError, JoinSet};
use tracing::Instrument;
use wasmlops_core::artifact::VersionDocument;
use wasmlops_core::call::Cancel;
use wasmlops_core::diagnostics::Source;
use wasmlops_core::graph::StepKey;
use wasmlops_core::plan::Planner;
use wasmlops_core::run::{Action, Event, Failure, Metrics, Micros, Phase, Run, RunStatus};
use wasmlops_core::search::Stopper;

use crate::error::{Error, Result};
use crate::executor::{Work, host_failure};
use crate::host::Host;
use crate::lookup::Looked;
use crate::watch::RunObserver;

use attempt::Ran;
pub(crate) use attempt::stored;
use journal::Journal;
pub(crate) use journal::short;

/// How often somebody outside is asked whether the run shall stop; a guest is stopped well within two seconds.
const POLL: Duration = Duration::from_millis(100);

/// A run and how it is to be driven.
pub(crate) struct Drive {
    pub host: Host,
    pub id: String,
    pub run: Run,
    /// Events that the run has already.
    pub next_seq: i64,
    pub seed: u64,
    pub nominal_time: Micros,
    /// Whether earlier results may stand in.
    pub use_cache: bool,
    /// The pipeline file's text, to show the line of a failure.
    pub source: Option<Source>,
    pub observer: Arc<dyn RunObserver>,
    /// Stops the run.
    pub cancel: Cancel,
    /// Who the audit names for what the run does.
    pub actor: String,
    /// How the drive is to go on; absent for one that nobody but `cancel` ends.
    pub pace: Option<watch::Receiver<Pace>>,
    /// Ends a trial of a search early.
    pub stopper: Option<Stopper>,
}

/// How a drive goes on. Beyond [`Pace::Full`] the run stays unfinished, for the next process.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Pace {
    Full,
    /// Steps that run may end; no other is started.
    NoNewSteps,
    /// Steps that run are stopped, and their attempts are lost.
    Stop,
}

/// How a drive ended.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub(crate) enum Ending {
    Finished(RunStatus),
    /// Nothing can go on before somebody decides; whoever records the decision lets the run go on.
    Waiting,
    /// The run goes on in another process.
    Unfinished,
}

impl Drive {
    /// From these events to the end of the run, or as far as `pace` lets it come.
    pub async fn drive(self, events: Vec<Event>) -> Result<Ending> {
        let span = traced::run(&self).await;
        let (counts, pipeline) = (self.host.counts.clone(), self.run.graph().pipeline.clone());
        let journal = Journal::new(&self);
        let driver = Driver {
            journal,
            planner: Planner::default(),
            ready: VecDeque::new(),
            active: HashMap::new(),
            works: HashMap::new(),
            documents: HashMap::new(),
            timers: BTreeSet::new(),
            tasks: JoinSet::new(),
            finished: None,
            cancelling: false,
            drive: self,
        };
        let ending = driver.drive(events).instrument(span.clone()).await;
        traced::run_ended(&span, (&*counts, pipeline.as_str()), &ending);
        ending
    }
}

struct Driver {
    drive: Drive,
    journal: Journal,
    planner: Planner,
    /// Steps that may start when a worker is free.
    ready: VecDeque<StepKey>,
    /// Steps that are looked up or run.
    active: HashMap<StepKey, Cancel>,
    /// Of steps whose attempt is about to start.
    works: HashMap<StepKey, Work>,
    /// What `model` steps whose attempt is about to start will register.
    documents: HashMap<StepKey, VersionDocument>,
    timers: BTreeSet<(Micros, StepKey)>,
    tasks: JoinSet<Done>,
    finished: Option<RunStatus>,
    cancelling: bool,
}

/// What a task came to.
enum Done {
    Found { step: StepKey, found: Box<Result<Looked>> },
    Ran { step: StepKey, ran: Box<Ran> },
}

impl Driver {
    async fn drive(mut self, mut events: Vec<Event>) -> Result<Ending> {
        self.journal.restore(&self.drive).await?;
        for action in self.drive.run.outstanding() {
            self.perform(action);
        }
        loop {
            self.commit(events).await?;
            if let Some(status) = self.finished {
                self.drive.host.store.barrier().await?;
                return Ok(Ending::Finished(status));
            }
            if self.drive.run.status() == RunStatus::Waiting {
                // A decision that came before the run was seen to wait is found here; a later one finds it waiting.
                let Some(next) = self.while_waiting().await? else {
                    self.drive.host.store.barrier().await?;
                    return Ok(Ending::Waiting);
                };
                events = next;
                continue;
            }
            match self.pace() {
                Pace::Full => self.launch(),
                Pace::NoNewSteps if self.tasks.is_empty() => return Ok(Ending::Unfinished),
                Pace::NoNewSteps => {}
                Pace::Stop => return Ok(self.abandon().await),
            }
            events = self.wait().await?;
        }
    }

    fn pace(&self) -> Pace {
        self.drive.pace.as_ref().map_or(Pace::Full, |pace| *pace.borrow())
    }

    /// Stops what runs. What it came to is not recorded: the next process finds the attempts lost.
    async fn abandon(&mut self) -> Ending {
        self.active.values().for_each(Cancel::cancel);
        while self.tasks.join_next().await.is_some() {}
        Ending::Unfinished
    }

    /// Makes events durable together with the state they lead to; then does what follows from them.
    async fn commit(&mut self, events: Vec<Event>) -> Result<()> {
        if events.is_empty() {
            return Ok(());
        }
        let now = self.drive.host.clock.now();
        let mut actions = Vec::new();
        for event in &events {
            self.journal.note(event, now);
            actions.extend(self.drive.run.apply(event, now).map_err(Error::bug)?);
        }
        self.journal.commit(&self.drive.host.store, &self.drive.run, &events, &actions, now).await?;
        for event in events {
            self.after(event);
        }
        for action in actions {
            self.perform(action);
        }
        Ok(())
    }

    /// Tells who watches, and starts attempts whose start is now durable.
    fn after(&mut self, event: Event) {
        match event {
            Event::AttemptStarted { step } => {
                let attempt = self.drive.run.state(&step).attempts;
                self.drive.observer.step_started(&step, attempt);
                self.start_attempt(step, attempt);
            }
            Event::Hit { step, .. }
            | Event::AttemptSucceeded { step, .. }
            | Event::AttemptFailed { step, .. }
            | Event::AttemptCancelled { step }
            | Event::Approved { step, .. }
            | Event::Rejected { step, .. }
            | Event::Expired { step, .. }
                if self.drive.run.state(&step).phase.is_final() =>
            {
                self.tell_end(&step);
            }
            _ => {}
        }
    }

    fn tell_end(&self, step: &StepKey) {
        self.drive.observer.step_ended(&self.journal.view(&self.drive.run, step));
    }

    fn perform(&mut self, action: Action) {
        match action {
            Action::Start { step } => self.ready.push_back(step),
            Action::Wait { step, until } => {
                self.timers.insert((until, step));
            }
            Action::Abort { step } => {
                if let Some(cancel) = self.active.get(&step) {
                    cancel.cancel();
                }
            }
            Action::Ended { step } => self.tell_end(&step),
            Action::Finish { status } => self.finished = Some(status),
        }
    }

    /// Looks up as many ready steps as there are free workers.
    fn launch(&mut self) {
        while self.active.len() < self.drive.host.workers {
            let Some(step) = self.ready.pop_front() else { return };
            if self.drive.run.state(&step).phase == Phase::Ready {
                self.active.insert(step.clone(), Cancel::default());
                self.look_up(step);
            }
        }
    }

    /// The next events; none where only time went by.
    async fn wait(&mut self) -> Result<Vec<Event>> {
        let mut events = Vec::new();
        let patience = self.patience();
        tokio::select! {
            Some(done) = self.tasks.join_next() => self.done(done, &mut events)?,
            () = tokio::time::sleep(patience) => {}
        }
        while let Some(done) = self.tasks.try_join_next() {
            self.done(done, &mut events)?;
        }
        let now = self.drive.host.clock.now();
        while self.timers.first().is_some_and(|(until, _)| *until <= now) {
            let Some((_, step)) = self.timers.pop_first() else { break };
            events.push(Event::BackoffEnded { step });
        }
        let looks = self.journal.is_time_to_poll(now);
        if !self.cancelling && self.asked_to_stop(looks).await? {
            self.cancelling = true;
            events.push(Event::CancelRequested);
        } else if looks {
            events.extend(self.decisions().await?);
        }
        Ok(events)
    }

    fn patience(&self) -> Duration {
        let now = self.drive.host.clock.now();
        let timer = self.timers.first().map(|(until, _)| u64::try_from(until - now).unwrap_or_default());
        timer.map_or(POLL, |micros| Duration::from_micros(micros).min(POLL))
    }

    async fn asked_to_stop(&mut self, looks: bool) -> Result<bool> {
        if self.drive.cancel.is_cancelled() {
            return Ok(true);
        }
        Ok(looks && self.drive.host.store.cancel_requested(&self.drive.id).await?)
    }

    fn done(&mut self, done: Result<Done, JoinError>, events: &mut Vec<Event>) -> Result<()> {
        match done.map_err(Error::bug)? {
            Done::Found { step, found } => {
                if self.drive.run.state(&step).phase != Phase::Ready {
                    // Cancelled while it was looked up.
                    self.active.remove(&step);
                } else {
                    match *found {
                        Ok(looked) => events.push(self.judge(step, looked)),
                        Err(error) => {
                            self.active.remove(&step);
                            events.push(failed(step, in_words(error)));
                        }
                    }
                }
            }
            Done::Ran { step, ran } => {
                self.active.remove(&step);
                events.push(self.journal.ran(step, *ran));
            }
        }
        Ok(())
    }

    /// What may end the step early.
    fn watched(&self, step: &StepKey) -> Option<&Stopper> {
        self.drive.stopper.as_ref().filter(|stopper| stopper.step() == step.as_str())
    }

    fn start_attempt(&mut self, step: StepKey, attempt: u32) {
        let Some(work) = self.works.remove(&step) else { return };
        let cancel = self.active.entry(step.clone()).or_default().clone();
        let job = attempt::Attempt {
            host: self.drive.host.clone(),
            run: self.drive.id.clone(),
            graph: self.drive.run.graph().clone(),
            document: self.documents.remove(&step),
            seed: self.drive.seed,
            nominal_time: self.drive.nominal_time,
            use_cache: self.drive.use_cache,
            stopper: self.watched(&step).cloned(),
            step: step.clone(),
            attempt,
            key: self.journal.key(&step),
            work,
            observer: self.drive.observer.clone(),
            actor: self.drive.actor.clone(),
            cancel,
            lines: Default::default(),
        };
        let (span, counted) = (traced::step(&job), traced::Counted::of(&job));
        self.tasks.spawn(async move {
            let ran = job.run().instrument(span.clone()).await;
            counted.ended(&span, &ran);
            Done::Ran { step, ran: Box::new(ran) }
        });
    }
}

fn failed(step: StepKey, failure: Failure) -> Event {
    Event::AttemptFailed { step, failure, outputs: Default::default(), metrics: Metrics::default() }
}

/// A mistake of the user's as the failure of a step; all else is the host's fault.
pub(crate) fn in_words(error: Error) -> Failure {
    match error {
        Error::User(diagnostics) => {
            let first = diagnostics.0.into_iter().next();
            let (code, message, hint) =
                first.map_or_else(Default::default, |first| (first.code, first.message, first.hint));
            Failure { code, message, hint, field: None, retryable: false }
        }
        error => host_failure(error),
    }
}
