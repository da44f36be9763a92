//! Drives one run: makes events durable, lets the run's state machine decide, and does what it says.
//!
//! As many steps at once as there are workers. The state is committed before an effect starts; a step's outputs,
//! metrics, lineage and success become visible in one transaction. Decides nothing itself: see [`wasmlops_core::run`].

mod attempt;
mod journal;

use std::collections::{BTreeSet, HashMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use tokio::task::{JoinError, JoinSet};
use wasmlops_core::artifact::VersionDocument;
use wasmlops_core::call::Cancel;
use wasmlops_core::diagnostics::Source;
use wasmlops_core::graph::{BoundStep, OutputRef, StepKey, StepKind};
use wasmlops_core::plan::{Planner, Reason, Verdict};
use wasmlops_core::run::{Action, Event, Failure, Metrics, Micros, Phase, Run, RunStatus};

use crate::error::{Error, Result};
use crate::executor::{Work, host_failure};
use crate::host::Host;
use crate::lookup::{Known, Looked, Lookup};
use crate::watch::RunObserver;

use attempt::Ran;
pub(crate) use attempt::stored;
use journal::Journal;
pub(crate) use journal::{ACTOR, short};

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
}

impl Drive {
    /// From these events to the end of the run.
    pub async fn drive(self, events: Vec<Event>) -> Result<RunStatus> {
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
        driver.drive(events).await
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
    async fn drive(mut self, mut events: Vec<Event>) -> Result<RunStatus> {
        for action in self.drive.run.outstanding() {
            self.perform(action);
        }
        loop {
            self.commit(events).await?;
            if let Some(status) = self.finished {
                self.drive.host.store.barrier().await?;
                return Ok(status);
            }
            self.launch();
            events = self.wait().await?;
        }
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

    fn look_up(&mut self, step: StepKey) {
        let run = &self.drive.run;
        let bound = run.step(&step);
        let input = |(name, from): &(String, OutputRef)| match run.input(from) {
            Some(output) => Some(Ok((name.clone(), output.digest))),
            None if bound.optional_inputs.contains(name) => None,
            None => Some(Err(absent(name, from, run.step(&from.step)))),
        };
        let inputs: Result<Vec<_>> = bound.inputs.iter().filter_map(input).collect();
        let (host, graph, seed) = (self.drive.host.clone(), run.graph().clone(), self.drive.seed);
        let id = self.drive.id.clone();
        self.tasks.spawn(async move {
            let found = match inputs {
                Ok(inputs) => {
                    let known = Known::Run(&id);
                    let lookup =
                        Lookup { host: &host, graph: &graph, step: &step, inputs, seed, keep_files: true, known };
                    lookup.find().await
                }
                Err(error) => Err(error),
            };
            Done::Found { step, found: Box::new(found) }
        });
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
        if !self.cancelling && self.asked_to_stop().await? {
            self.cancelling = true;
            events.push(Event::CancelRequested);
        }
        Ok(events)
    }

    fn patience(&self) -> Duration {
        let now = self.drive.host.clock.now();
        let timer = self.timers.first().map(|(until, _)| u64::try_from(until - now).unwrap_or_default());
        timer.map_or(POLL, |micros| Duration::from_micros(micros).min(POLL))
    }

    async fn asked_to_stop(&mut self) -> Result<bool> {
        if self.drive.cancel.is_cancelled() {
            return Ok(true);
        }
        if !self.journal.is_time_to_poll(self.drive.host.clock.now()) {
            return Ok(false);
        }
        Ok(self.drive.host.store.cancel_requested(&self.drive.id).await?)
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

    /// A hit, or an attempt with the reason why it must be.
    fn judge(&mut self, key: StepKey, Looked { found, document }: Looked) -> Event {
        let step = self.drive.run.step(&key).clone();
        let parts = found.parts.clone();
        let params = self.drive.run.graph().params.clone();
        let mut verdict = self.planner.judge(&step, found, &params, self.drive.nominal_time);
        if let (Verdict::Hit(_), false) = (&verdict, self.drive.use_cache) {
            let text = "every step was asked to run".to_owned();
            verdict = Verdict::Off(Reason { root: text.clone(), text });
        }
        self.journal.judged(&key, parts.clone(), &verdict);
        match verdict {
            Verdict::Hit(entry) => {
                self.active.remove(&key);
                Event::Hit {
                    step: key,
                    key: parts.key(),
                    from_run: entry.run,
                    outputs: entry.outputs,
                    metrics: entry.metrics,
                }
            }
            Verdict::Resolved(resolution) => {
                self.active.remove(&key);
                Event::Hit {
                    step: key,
                    key: parts.key(),
                    from_run: self.drive.id.clone(),
                    outputs: resolution.outputs,
                    metrics: Metrics::default(),
                }
            }
            Verdict::Miss(_) | Verdict::Off(_) => {
                self.documents.extend(document.map(|document| (key.clone(), document)));
                self.works.insert(key.clone(), Work::new(&step, &parts, self.drive.seed, self.drive.nominal_time));
                Event::AttemptStarted { step: key }
            }
        }
    }

    fn start_attempt(&mut self, step: StepKey, attempt: u32) {
        let Some(work) = self.works.remove(&step) else { return };
        let cancel = self.active.entry(step.clone()).or_default().clone();
        let job = attempt::Attempt {
            host: self.drive.host.clone(),
            run: self.drive.id.clone(),
            graph: self.drive.run.graph().clone(),
            document: self.documents.remove(&step),
            step: step.clone(),
            attempt,
            key: self.journal.key(&step),
            work,
            observer: self.drive.observer.clone(),
            cancel,
            lines: Default::default(),
        };
        self.tasks.spawn(async move { Done::Ran { step, ran: Box::new(job.run().await) } });
    }
}

/// An input that the step needs and that its producer did not make.
fn absent(name: &str, from: &OutputRef, producer: &BoundStep) -> Error {
    let (step, output) = (&from.step, &from.output);
    if producer.kind == StepKind::Artifact {
        let named = producer.config.get("from").and_then(|from| from.as_str()).unwrap_or_default();
        let message = match named {
            "" => format!("input `{name}`: `{step}` names no artifact"),
            named => format!("input `{name}`: there is no `{named}` yet"),
        };
        return Error::user("invalid-input", message, "name one that is there, or register the model first");
    }
    let message = format!("input `{name}`: this run's `{step}.{output}` made no such output");
    Error::user("invalid-input", message, "the plugin's documentation says when it makes the output")
}

fn failed(step: StepKey, failure: Failure) -> Event {
    Event::AttemptFailed { step, failure, outputs: Default::default(), metrics: Metrics::default() }
}

/// A mistake of the user's as the failure of a step; all else is the host's fault.
fn in_words(error: Error) -> Failure {
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
