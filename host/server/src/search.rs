//! Searches: trials of a round side by side, round after round, until [`wasmlops_core::search`] has no more to try.
//!
//! What is tried and what is stopped is decided there; a trial is a run of its own ([`recorded`]), or, where a search is
//! verified, runs again in memory ([`again`]). Both come to a state of [`Run`], from which all else follows, so the two
//! cannot drift apart. Door: [`run`].

mod again;
mod recorded;

use std::collections::BTreeMap;
use std::future::Future;
use std::pin::Pin;
use std::sync::Arc;

use tokio::task::JoinSet;
use wasmlops_core::artifact::{OutputRecord, media_type};
use wasmlops_core::call::{Cancel, MetricPoint, Observer, Progress};
use wasmlops_core::graph::{BEST, BoundSearch, BoundStep, TRIALS};
use wasmlops_core::run::{Failure, Metrics, Micros, Phase, Run, RunStatus};
use wasmlops_core::search::{Finished, Search, Stopper, Trial, TrialStatus, best_document, described, trials_table};
use wasmlops_package::Digest;

use crate::error::{Error, Result};
use crate::executor::host_failure;
use crate::host::Host;

pub(crate) use recorded::Recorded;

/// What a search works with.
#[derive(Clone)]
pub(crate) struct Searching {
    pub host: Host,
    /// What the step was given.
    pub inputs: Vec<(String, Digest)>,
    /// Granted files of all steps of a trial, by path.
    pub files: BTreeMap<String, Digest>,
    /// Of the run; trials have the same.
    pub seed: u64,
    pub nominal_time: Micros,
    /// Hears of progress, and of the best so far.
    pub listener: Arc<dyn Observer>,
    pub cancel: Cancel,
}

/// How trials are run.
#[derive(Clone)]
pub(crate) enum Trials {
    /// Each as a run, a child of the search's.
    Recorded(Recorded),
    /// From the artifact store alone, leaving no record.
    Again,
}

/// What a search found.
pub(crate) struct Found {
    pub outputs: BTreeMap<String, OutputRecord>,
    pub metrics: Metrics,
    /// Whether a guest asked for the time.
    pub clock_read: bool,
}

/// A trial that has come to its end, with what it left.
struct Ended {
    run: Run,
    /// As it was after the last point.
    stopper: Option<Stopper>,
    clock_read: bool,
}

/// Runs trials hold a search within them, as far as types go: the box ends the circle.
type Running = Pin<Box<dyn Future<Output = Result<std::result::Result<Ended, Failure>>> + Send>>;

/// From the first trial to the last; those that have ended before are not run again.
///
/// # Errors
/// Faults of the host. What the user can put right is the failure.
pub(crate) async fn run(
    step: &BoundStep,
    with: Searching,
    trials: Trials,
) -> Result<std::result::Result<Found, Failure>> {
    let bound = step.search.as_deref().ok_or_else(|| Error::bug(format!("step `{}` has no search", step.key)))?;
    let mut bound = bound.clone();
    bound.search.seed.get_or_insert(with.seed);
    let course = Course { bound: Arc::new(bound), with, trials, history: Vec::new(), ends: BTreeMap::new() };
    course.run().await
}

/// A search under way.
struct Course {
    bound: Arc<BoundSearch>,
    with: Searching,
    trials: Trials,
    history: Vec<Finished>,
    /// By number, what the search may take over or tell of.
    ends: BTreeMap<usize, End>,
}

struct End {
    outputs: BTreeMap<String, OutputRecord>,
    why: Option<String>,
    clock_read: bool,
}

impl Course {
    async fn run(mut self) -> Result<std::result::Result<Found, Failure>> {
        loop {
            let round = self.search().next_round(&self.history);
            if round.is_empty() {
                break;
            }
            if let Err(failure) = self.round(round).await? {
                return Ok(Err(failure));
            }
        }
        self.found().await
    }

    fn search(&self) -> &Search {
        &self.bound.search
    }

    /// A round waits for all its trials, whatever becomes of one of them: they are there for the next attempt then.
    async fn round(&mut self, round: Vec<Trial>) -> Result<std::result::Result<(), Failure>> {
        let stopper = self.search().stopper(&self.history);
        let first = self.history.len();
        let mut tasks = JoinSet::new();
        for trial in round {
            let running = self.start(&trial, stopper.clone());
            tasks.spawn(async move { (trial, running.await) });
        }
        let mut ended = Vec::new();
        while let Some(joined) = tasks.join_next().await {
            let (trial, result) = joined.map_err(Error::bug)?;
            ended.push((trial.number, self.judge(trial, result)));
            self.tell(first + ended.len());
        }
        // In their own order, so that what is told of several faults does not depend on time.
        ended.sort_by_key(|(number, _)| *number);
        for (_, judged) in ended {
            match judged? {
                Ok(finished) => self.history.push(finished),
                Err(failure) => return Ok(Err(failure)),
            }
        }
        Ok(Ok(()))
    }

    fn start(&self, trial: &Trial, stopper: Option<Stopper>) -> Running {
        let graph = self.bound.trial_graph(trial, &self.with.inputs);
        match &self.trials {
            Trials::Recorded(recorded) => recorded.clone().trial(self.with.clone(), trial.clone(), graph, stopper),
            Trials::Again => again::trial(self.with.clone(), graph, stopper),
        }
    }

    fn judge(
        &mut self,
        trial: Trial,
        result: Result<std::result::Result<Ended, Failure>>,
    ) -> Result<std::result::Result<Finished, Failure>> {
        let number = trial.number;
        let ended = match result? {
            Ok(ended) => ended,
            Err(failure) => return Ok(Err(of_trial(number, failure))),
        };
        let outputs = self.bound.outputs.iter().filter_map(|(name, from)| {
            let made = ended.run.input(from)?;
            Some((name.clone(), made.clone()))
        });
        let why =
            ended.run.steps().find_map(|(_, state)| state.failure.as_ref()).map(|failure| failure.message.clone());
        let end = End { outputs: outputs.collect(), why, clock_read: ended.clock_read };
        self.ends.insert(number, end);
        Ok(finished(self.search(), trial, &ended).map_err(|failure| of_trial(number, failure)))
    }

    /// How far the search has come, for who watches.
    fn tell(&self, done: usize) {
        let best = self.search().best(&self.history);
        let message = best.and_then(|best| Some(format!("best {} in trial {}", best.objective?, best.trial.number)));
        let message = message.unwrap_or_else(|| "no trial has succeeded yet".to_owned());
        self.with.listener.progress(Progress { done: done as u64, total: Some(self.search().trials as u64), message });
    }

    async fn found(self) -> Result<std::result::Result<Found, Failure>> {
        let Some(best) = self.search().best(&self.history).cloned() else { return Ok(Err(self.nothing_found())) };
        let mut outputs = BTreeMap::new();
        for (name, from) in &self.bound.outputs {
            let Some(made) = self.ends.get(&best.trial.number).and_then(|end| end.outputs.get(name)) else {
                let message =
                    format!("the best trial, number {}, made no `{}.{}`", best.trial.number, from.step, from.output);
                return Ok(Err(failure("invalid-input", message, "take an output that every trial makes")));
            };
            outputs.insert(name.clone(), made.clone());
        }
        let document = best_document(self.search(), &best, &self.history);
        outputs.insert(BEST.to_owned(), self.kept(document, media_type::REPORT, None).await?);
        let table = trials_table(self.search(), &self.history).map_err(Error::bug)?;
        let bytes = table.to_ipc().map_err(Error::bug)?;
        outputs.insert(TRIALS.to_owned(), self.kept(bytes, media_type::TABLE, Some(table.num_rows())).await?);
        self.with.listener.metrics(self.curve());
        let clock_read = self.ends.values().any(|end| end.clock_read);
        Ok(Ok(Found { outputs, metrics: self.metrics(&best), clock_read }))
    }

    async fn kept(&self, bytes: Vec<u8>, media_type: &str, rows: Option<u64>) -> Result<OutputRecord> {
        let size = bytes.len() as u64;
        let digest = self.with.host.store.blobs().put(bytes).await.map_err(Error::store)?;
        Ok(OutputRecord { digest, media_type: media_type.to_owned(), size, rows })
    }

    /// The best value after each trial.
    fn curve(&self) -> Vec<MetricPoint> {
        let best = |count: usize| self.search().best(&self.history[..count])?.objective;
        let point = |count| Some(MetricPoint { name: "best".to_owned(), step: count as u64, value: best(count)? });
        (1..=self.history.len()).filter_map(point).collect()
    }

    fn metrics(&self, best: &Finished) -> Metrics {
        let count = |is: fn(&TrialStatus) -> bool| self.history.iter().filter(|ended| is(&ended.status)).count() as f64;
        let own = [
            ("trials", self.history.len() as f64),
            ("failed", count(|status| *status == TrialStatus::Failed)),
            ("stopped", count(|status| matches!(status, TrialStatus::Stopped { .. }))),
            ("best_trial", best.trial.number as f64),
        ];
        Metrics(own.into_iter().map(|(name, value)| (name.to_owned(), value)).collect())
    }

    fn nothing_found(&self) -> Failure {
        let stopped = self.history.iter().filter(|ended| matches!(ended.status, TrialStatus::Stopped { .. })).count();
        let mut message = format!("none of {} trials succeeded", self.history.len());
        if stopped > 0 {
            message = format!("{message}, {stopped} were stopped early");
        }
        let failed = self.history.iter().find(|ended| ended.status == TrialStatus::Failed);
        if let Some(failed) = failed
            && let Some(why) = self.ends.get(&failed.trial.number).and_then(|end| end.why.as_ref())
        {
            message = format!("{message}; trial {} ({}): {why}", failed.trial.number, described(&failed.trial.params));
        }
        failure("search-failed", message, "let the trial's gate ask for less, or search elsewhere")
    }
}

/// What a trial came to, in the search's words.
///
/// # Errors
/// A failure that is no answer: the same trial might end otherwise another time, or nothing measured the objective.
fn finished(search: &Search, trial: Trial, ended: &Ended) -> std::result::Result<Finished, Failure> {
    let rungs = ended.stopper.as_ref().map(|stopper| stopper.reached().to_vec()).unwrap_or_default();
    // Whatever became of its run afterwards: somebody may have resumed it.
    if let Some(stopped) = ended.stopper.as_ref().and_then(Stopper::stopped) {
        return Ok(Finished { trial, status: TrialStatus::Stopped { at: stopped.at }, objective: None, rungs });
    }
    let measured = measured(search, &ended.run);
    let objective = measured.filter(|value| value.is_finite());
    let status = match ended.run.status() {
        RunStatus::Succeeded if measured.is_none() => return Err(not_measured(search, &ended.run)),
        RunStatus::Succeeded if objective.is_some() => TrialStatus::Succeeded,
        RunStatus::Succeeded | RunStatus::Failed => TrialStatus::Failed,
        _ => return Err(failure("cancelled", "cancelled".to_owned(), "resume the run")),
    };
    if let Some(fault) = passing_fault(&ended.run) {
        return Err(fault);
    }
    Ok(Finished { trial, status, objective, rungs })
}

fn measured(search: &Search, run: &Run) -> Option<f64> {
    let (_, state) = run.steps().find(|(step, _)| step.key.as_str() == search.objective.step)?;
    state.metrics.0.get(&search.objective.metric).copied()
}

fn not_measured(search: &Search, run: &Run) -> Failure {
    let metric = &search.objective;
    let state = run.steps().find(|(step, _)| step.key.as_str() == metric.step).map(|(_, state)| state);
    let message = match state {
        Some(state) if state.phase == Phase::Succeeded => {
            format!("step `{}` measured no `{}`", metric.step, metric.metric)
        }
        Some(state) => format!("step `{}`, which measures the objective, is {}", metric.step, state.phase.name()),
        None => format!("there is no step `{}`", metric.step),
    };
    let names: Vec<&str> = state.iter().flat_map(|state| state.metrics.0.keys()).map(String::as_str).collect();
    let hint = match names.as_slice() {
        [] => "name a metric that the step measures under `objective`".to_owned(),
        names => format!("it measured {}", names.iter().map(|name| format!("`{name}`")).collect::<Vec<_>>().join(", ")),
    };
    Failure { field: Some("objective.metric".to_owned()), hint: Some(hint), ..failure("unknown-metric", message, "") }
}

/// A fault that the trial's values are not to blame for: of the host, of the time, of what was not there.
fn passing_fault(run: &Run) -> Option<Failure> {
    run.steps().find_map(|(_, state)| state.failure.clone().filter(is_passing))
}

/// Whether the same attempt may end otherwise another time.
fn is_passing(failure: &Failure) -> bool {
    failure.retryable || ["host", "timed-out", "unavailable", "cancelled"].contains(&failure.code.as_str())
}

fn of_trial(number: usize, failure: Failure) -> Failure {
    if failure.code == "cancelled" {
        return failure;
    }
    Failure { message: format!("trial {number}: {}", failure.message), ..failure }
}

fn failure(code: &str, message: String, hint: &str) -> Failure {
    Failure { code: code.to_owned(), message, hint: Some(hint.to_owned()), retryable: false, ..host_failure("") }
}
