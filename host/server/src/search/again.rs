//! A trial again, from the artifact store alone: the run's own state machine in memory, and the executor. What a step
//! makes is put into the store, because the next step reads it there; where the trial comes to what was recorded, these
//! bytes are there already.

use std::collections::{BTreeMap, VecDeque};
use std::sync::Arc;
use std::time::Duration;

use wasmlops_core::artifact::OutputRecord;
use wasmlops_core::cache_key::KeyParts;
use wasmlops_core::call::Cancel;
use wasmlops_core::config::ProjectPath;
use wasmlops_core::graph::{BoundStep, Graph, StepKey, StepKind};
use wasmlops_core::run::{Action, Event, Failure, Metrics, Run};
use wasmlops_core::search::Stopper;
use wasmlops_package::{Algorithm, Digest};

use super::{Ended, Running, Searching, failure};
use crate::collector::Collector;
use crate::driver::{in_words, stored};
use crate::error::{Error, Result};
use crate::executor::{Executed, Work};
use crate::resolution;
use crate::watch::Unwatched;

/// How often a running step is asked whether the whole shall stop.
const POLL: Duration = Duration::from_millis(100);

pub(super) fn trial(with: Searching, graph: Graph, stopper: Option<Stopper>) -> Running {
    Box::pin(async move {
        let run = Run::new(Arc::new(graph));
        Rehearsal { with, run, stopper, clock_read: false }.run().await
    })
}

struct Rehearsal {
    with: Searching,
    run: Run,
    stopper: Option<Stopper>,
    clock_read: bool,
}

impl Rehearsal {
    async fn run(mut self) -> Result<std::result::Result<Ended, Failure>> {
        let mut actions: VecDeque<Action> = self.apply(&Event::Started)?.into();
        while let Some(action) = actions.pop_front() {
            if self.with.cancel.is_cancelled() {
                return Ok(Err(failure("cancelled", "cancelled".to_owned(), "start it again")));
            }
            match action {
                Action::Start { step } => {
                    for event in self.attempt(step).await? {
                        actions.extend(self.apply(&event)?);
                    }
                }
                // Nobody waits for what has happened already.
                Action::Wait { step, .. } => actions.extend(self.apply(&Event::BackoffEnded { step })?),
                Action::Abort { .. } | Action::Ended { .. } | Action::Finish { .. } => {}
            }
        }
        Ok(Ok(Ended { run: self.run, stopper: self.stopper, clock_read: self.clock_read }))
    }

    fn apply(&mut self, event: &Event) -> Result<Vec<Action>> {
        self.run.apply(event, self.with.nominal_time).map_err(Error::bug)
    }

    async fn attempt(&mut self, key: StepKey) -> Result<Vec<Event>> {
        let step = self.run.step(&key).clone();
        if step.kind == StepKind::Artifact {
            return Ok(vec![self.brought_in(&step).await]);
        }
        let begun = Event::AttemptStarted { step: key.clone() };
        let work = match self.inputs(&step) {
            Ok(inputs) => self.work(&step, inputs),
            Err(failure) => {
                let (outputs, metrics) = (BTreeMap::new(), Metrics::default());
                return Ok(vec![Event::AttemptFailed { step: key, failure, outputs, metrics }]);
            }
        };
        let ended = self.executed(&step, work).await?;
        Ok(vec![begun, ended])
    }

    async fn brought_in(&self, step: &BoundStep) -> Event {
        let key = step.key.clone();
        match resolution::resolve(&self.with.host, step).await {
            Ok(resolved) => Event::Hit {
                step: key,
                key: resolved.parts.key(),
                from_run: String::new(),
                outputs: resolved.outputs,
                metrics: Metrics::default(),
            },
            Err(error) => {
                let failure = in_words(error);
                Event::AttemptFailed { step: key, failure, outputs: BTreeMap::new(), metrics: Metrics::default() }
            }
        }
    }

    /// Those that are there; a step that needs one that is not would have failed, and fails again.
    fn inputs(&self, step: &BoundStep) -> std::result::Result<Vec<(String, Digest)>, Failure> {
        let mut inputs = Vec::new();
        for (name, from) in &step.inputs {
            match self.run.input(from) {
                Some(output) => inputs.push((name.clone(), output.digest)),
                None if step.optional_inputs.contains(name) => {}
                None => {
                    let message = format!("input `{name}`: `{}.{}` is not there", from.step, from.output);
                    return Err(failure("invalid-input", message, "hand the artifact to the search"));
                }
            }
        }
        Ok(inputs)
    }

    fn work(&self, step: &BoundStep, inputs: Vec<(String, Digest)>) -> Work {
        let covers = |path: &str| {
            let path: Option<ProjectPath> = path.parse().ok();
            path.is_some_and(|path| step.read.iter().any(|grant| grant.covers(&path)))
        };
        let files = self.with.files.iter().filter(|(path, _)| covers(path));
        let files = files.map(|(path, digest)| (path.clone(), *digest)).collect();
        let parts = KeyParts::new(step, inputs, files, self.with.seed, String::new());
        Work::new(step, &parts, self.with.seed, self.with.nominal_time)
    }

    async fn executed(&mut self, step: &BoundStep, work: Work) -> Result<Event> {
        let key = step.key.clone();
        let collector = Collector::new(key.clone(), self.with.host.clock.clone(), Arc::new(Unwatched));
        let watched = self.stopper.clone().filter(|stopper| stopper.step() == key.as_str());
        // A switch of its own: what ends one trial must not end the others.
        let cancel = Cancel::default();
        let collector = Arc::new(match watched {
            Some(stopper) => collector.stopping(stopper, cancel.clone()),
            None => collector,
        });
        let (executor, blobs) = (self.with.host.executor.clone(), self.with.host.store.blobs().clone());
        let (listener, switch) = (collector.clone(), cancel.clone());
        let mut task = tokio::task::spawn_blocking(move || {
            let Executed { failure, made } = executor.execute(&work, listener, cancel);
            let clock_read = made.usage.clock_read;
            (failure, clock_read, stored(made, |bytes| blobs.put_blocking(Algorithm::Blake3, bytes)))
        });
        let (failure, clock_read, outputs) = loop {
            tokio::select! {
                ended = &mut task => break ended.map_err(Error::bug)?,
                () = tokio::time::sleep(POLL) => if self.with.cancel.is_cancelled() { switch.cancel() },
            }
        };
        let outputs: BTreeMap<String, OutputRecord> = outputs.map_err(Error::store)?;
        self.clock_read |= clock_read;
        let metrics = collector.metrics();
        if let Some(stopper) = collector.stopper() {
            let is_stopped = stopper.stopped().is_some();
            self.stopper = Some(stopper);
            if is_stopped {
                return Ok(Event::AttemptCancelled { step: key });
            }
        }
        Ok(match failure {
            None => Event::AttemptSucceeded { step: key, outputs, metrics },
            Some(failure) if failure.code == "cancelled" => Event::AttemptCancelled { step: key },
            Some(failure) => Event::AttemptFailed { step: key, failure, outputs, metrics },
        })
    }
}
