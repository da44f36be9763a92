//! The decisions: what an event means for each step, and what is to be done next.

use std::collections::BTreeMap;
use std::time::Duration;

use super::{Action, Event, Failure, IllegalEvent, Micros, Phase, Run, RunStatus};
use crate::config::{Retry, StepFacts, WhenScope};
use crate::graph::{StepKey, StepKind};

impl Run {
    /// Takes an event in and says what to do next. An event that cannot happen changes nothing.
    pub fn apply(&mut self, event: &Event, now: Micros) -> Result<Vec<Action>, IllegalEvent> {
        let mut actions = Vec::new();
        match event {
            Event::Started => self.start(&mut actions),
            Event::CancelRequested => self.cancel(&mut actions),
            Event::Resumed => self.resume(&mut actions),
            Event::Hit { step, outputs, metrics, .. } => {
                let position = self.expect(step, "hit", &[Phase::Ready])?;
                let state = &mut self.steps[position];
                state.hit = true;
                state.outputs = outputs.clone();
                state.metrics = metrics.clone();
                self.end(position, Phase::Succeeded, &mut actions);
            }
            Event::AttemptStarted { step } => {
                let position = self.expect_ready(step, "attempt-started", false)?;
                let state = &mut self.steps[position];
                state.attempts += 1;
                state.hit = false;
                self.set_phase(position, Phase::Running);
            }
            Event::AttemptSucceeded { step, outputs, metrics } => {
                let position = self.expect(step, "attempt-succeeded", &[Phase::Running])?;
                let state = &mut self.steps[position];
                state.outputs = outputs.clone();
                state.metrics = metrics.clone();
                state.failure = None;
                self.end(position, Phase::Succeeded, &mut actions);
            }
            Event::AttemptFailed { step, failure, outputs, metrics } => {
                let position = self.expect(step, "attempt-failed", &[Phase::Ready, Phase::Running])?;
                let state = &mut self.steps[position];
                state.outputs = outputs.clone();
                state.metrics = metrics.clone();
                self.failed(position, failure, now, &mut actions);
            }
            Event::AttemptLost { step } => {
                let position = self.expect(step, "attempt-lost", &[Phase::Running])?;
                self.set_phase(position, Phase::Ready);
                actions.push(Action::Start { step: step.clone() });
            }
            Event::BackoffEnded { step } => {
                let position = self.position(step, "backoff-ended")?;
                if matches!(self.steps[position].phase, Phase::BackingOff { .. }) {
                    self.set_phase(position, Phase::Ready);
                    actions.push(Action::Start { step: step.clone() });
                }
            }
            Event::AttemptCancelled { step } => {
                let position = self.expect(step, "attempt-cancelled", &[Phase::Ready, Phase::Running])?;
                self.end(position, Phase::Cancelled, &mut actions);
            }
            Event::ApprovalRequested { step, expires } => {
                let position = self.expect_ready(step, "approval-requested", true)?;
                let state = &mut self.steps[position];
                state.attempts += 1;
                state.hit = false;
                self.set_phase(position, Phase::Awaiting { until: *expires });
            }
            Event::Approved { step, outputs } => {
                let position = self.expect_awaiting(step, "approved")?;
                self.steps[position].outputs = outputs.clone();
                self.end(position, Phase::Succeeded, &mut actions);
            }
            Event::Rejected { step, failure, outputs } | Event::Expired { step, failure, outputs } => {
                let position = self.expect_awaiting(step, "rejected")?;
                let state = &mut self.steps[position];
                state.outputs = outputs.clone();
                state.failure = Some(failure.clone());
                self.end(position, Phase::Failed, &mut actions);
            }
        }
        self.settle(&mut actions);
        Ok(actions)
    }

    fn start(&mut self, actions: &mut Vec<Action>) {
        self.status = RunStatus::Running;
        for position in 0..self.steps.len() {
            if self.waiting[position] == 0 && self.steps[position].phase == Phase::Waiting {
                self.consider(position, actions);
            }
        }
    }

    /// Steps that run are aborted and end by their own event; all others end at once.
    fn cancel(&mut self, actions: &mut Vec<Action>) {
        if self.cancelling || self.unfinished == 0 {
            return;
        }
        self.cancelling = true;
        for position in 0..self.steps.len() {
            match self.steps[position].phase {
                Phase::Running => actions.push(Action::Abort { step: self.graph.steps[position].key.clone() }),
                Phase::Waiting | Phase::Ready | Phase::BackingOff { .. } | Phase::Awaiting { .. } => {
                    self.stop(position, actions);
                }
                _ => {}
            }
        }
    }

    fn stop(&mut self, position: usize, actions: &mut Vec<Action>) {
        actions.push(Action::Ended { step: self.graph.steps[position].key.clone() });
        self.end(position, Phase::Cancelled, actions);
    }

    /// Steps that succeeded stay as they are; all others start anew, with their attempts counted on.
    fn resume(&mut self, actions: &mut Vec<Action>) {
        self.cancelling = false;
        self.status = RunStatus::Running;
        (self.active, self.awaiting) = (0, 0);
        let anew: Vec<bool> = self.steps.iter().map(|state| state.phase != Phase::Succeeded).collect();
        self.unfinished = anew.iter().filter(|anew| **anew).count();
        for position in 0..self.steps.len() {
            if anew[position] {
                let state = &mut self.steps[position];
                state.phase = Phase::Waiting;
                state.failure = None;
                state.outputs.clear();
                state.metrics.0.clear();
            }
            let dependencies = self.graph.steps[position].dependencies();
            self.waiting[position] = dependencies.iter().filter(|key| anew[self.index[*key]]).count();
        }
        self.start(actions);
    }

    fn failed(&mut self, position: usize, failure: &Failure, now: Micros, actions: &mut Vec<Action>) {
        let retry = &self.graph.steps[position].retry;
        let state = &mut self.steps[position];
        state.failure = Some(failure.clone());
        if self.cancelling {
            return self.end(position, Phase::Cancelled, actions);
        }
        if !failure.retryable || state.attempts >= retry.attempts {
            return self.end(position, Phase::Failed, actions);
        }
        let wait = backoff(retry, state.attempts);
        let until = now.saturating_add(i64::try_from(wait.as_micros()).unwrap_or(i64::MAX));
        self.set_phase(position, Phase::BackingOff { until });
        actions.push(Action::Wait { step: self.graph.steps[position].key.clone(), until });
    }

    /// The step has come to its end: steps that waited for it may go on.
    fn end(&mut self, position: usize, phase: Phase, actions: &mut Vec<Action>) {
        // A chain of skipped steps may be 10,000 long: a list, not recursion.
        let mut ended = vec![(position, phase)];
        while let Some((position, phase)) = ended.pop() {
            self.set_phase(position, phase);
            self.unfinished -= 1;
            for next in 0..self.dependents[position].len() {
                let dependent = self.dependents[position][next];
                self.waiting[dependent] -= 1;
                if self.waiting[dependent] == 0
                    && self.steps[dependent].phase == Phase::Waiting
                    && let Some(phase) = self.verdict(dependent, actions)
                {
                    ended.push((dependent, phase));
                }
            }
        }
    }

    fn consider(&mut self, position: usize, actions: &mut Vec<Action>) {
        if let Some(phase) = self.verdict(position, actions) {
            self.end(position, phase, actions);
        }
    }

    /// All dependencies have ended: starts the step, or says in which phase it ends at once.
    fn verdict(&mut self, position: usize, actions: &mut Vec<Action>) -> Option<Phase> {
        let key = self.graph.steps[position].key.clone();
        let phase = if self.cancelling { Some(Phase::Cancelled) } else { self.obstacle(position) };
        match phase {
            Some(phase) => {
                actions.push(Action::Ended { step: key });
                Some(phase)
            }
            None => {
                self.set_phase(position, Phase::Ready);
                actions.push(Action::Start { step: key });
                None
            }
        }
    }

    /// Why the step cannot run. Inputs must exist; a step under `needs` must have succeeded, unless the step has a
    /// `when` of its own, which then decides.
    fn obstacle(&mut self, position: usize) -> Option<Phase> {
        let step = &self.graph.steps[position];
        let unsuccessful = |key: &StepKey| {
            let phase = &self.state(key).phase;
            (*phase != Phase::Succeeded).then(|| Phase::Skipped { reason: format!("`{key}` {}", past(phase)) })
        };
        if let Some(skipped) = step.inputs.iter().find_map(|(_, from)| unsuccessful(&from.step)) {
            return Some(skipped);
        }
        let Some(when) = &step.when else {
            return step.needs.iter().find_map(unsuccessful);
        };
        let steps = self.facts(position);
        let scope = WhenScope { params: &self.graph.params, matrix: &step.matrix, steps: &steps };
        match when.evaluate(&scope) {
            Ok(true) => None,
            Ok(false) => Some(Phase::Skipped { reason: format!("`when: {}` is false", when.text()) }),
            Err(reason) => {
                let message = format!("`when: {}` cannot be decided: {reason}", when.text());
                self.steps[position].failure = Some(Failure {
                    code: "invalid-when".to_owned(),
                    message,
                    hint: None,
                    field: Some("when".to_owned()),
                    retryable: false,
                });
                Some(Phase::Failed)
            }
        }
    }

    /// What the step's `when` can see of other steps.
    fn facts(&self, position: usize) -> BTreeMap<String, StepFacts> {
        let facts = |key: &StepKey| {
            let state = self.state(key);
            StepFacts { status: state.phase.name().to_owned(), metrics: state.metrics.0.clone() }
        };
        let named = self.graph.steps[position].when_steps.iter();
        named.map(|(name, key)| (name.clone(), facts(key))).collect()
    }

    /// Keeps count, so that nobody has to look at all steps after every event.
    fn set_phase(&mut self, position: usize, phase: Phase) {
        let before = std::mem::replace(&mut self.steps[position].phase, phase);
        let after = &self.steps[position].phase;
        let is_awaiting = |phase: &Phase| usize::from(matches!(phase, Phase::Awaiting { .. }));
        self.active = self.active + usize::from(after.is_active()) - usize::from(before.is_active());
        self.awaiting = self.awaiting + is_awaiting(after) - is_awaiting(&before);
    }

    /// What the steps as a whole have come to.
    fn settle(&mut self, actions: &mut Vec<Action>) {
        if !matches!(self.status, RunStatus::Running | RunStatus::Waiting) {
            return;
        }
        if self.unfinished > 0 {
            let waits = self.active == 0 && self.awaiting > 0;
            self.status = if waits { RunStatus::Waiting } else { RunStatus::Running };
            return;
        }
        let any = |wanted: &Phase| self.steps.iter().any(|state| state.phase == *wanted);
        self.status = match () {
            () if any(&Phase::Cancelled) => RunStatus::Cancelled,
            () if any(&Phase::Failed) => RunStatus::Failed,
            () => RunStatus::Succeeded,
        };
        actions.push(Action::Finish { status: self.status });
    }

    /// An approval is asked for, every other step is run.
    fn expect_ready(&self, step: &StepKey, event: &'static str, asks: bool) -> Result<usize, IllegalEvent> {
        let position = self.expect(step, event, &[Phase::Ready])?;
        if (self.graph.steps[position].kind == StepKind::Approval) == asks {
            Ok(position)
        } else {
            let phase = if asks { "no approval" } else { "an approval" };
            Err(IllegalEvent { event, step: step.to_string(), phase })
        }
    }

    fn expect_awaiting(&self, step: &StepKey, event: &'static str) -> Result<usize, IllegalEvent> {
        let position = self.position(step, event)?;
        match &self.steps[position].phase {
            Phase::Awaiting { .. } => Ok(position),
            phase => Err(IllegalEvent { event, step: step.to_string(), phase: phase.name() }),
        }
    }

    fn position(&self, step: &StepKey, event: &'static str) -> Result<usize, IllegalEvent> {
        let unknown = || IllegalEvent { event, step: step.to_string(), phase: "not in the graph" };
        self.index.get(step).copied().ok_or_else(unknown)
    }

    fn expect(&self, step: &StepKey, event: &'static str, phases: &[Phase]) -> Result<usize, IllegalEvent> {
        let position = self.position(step, event)?;
        let phase = &self.steps[position].phase;
        if matches!(self.status, RunStatus::Running | RunStatus::Waiting) && phases.contains(phase) {
            Ok(position)
        } else {
            Err(IllegalEvent { event, step: step.to_string(), phase: phase.name() })
        }
    }
}

/// The wait after attempt number `attempt`, counted from 1: `backoff` × `factor`^(attempt − 1), at most `max`.
fn backoff(retry: &Retry, attempt: u32) -> Duration {
    let exponent = i32::try_from(attempt.saturating_sub(1)).unwrap_or(i32::MAX);
    let seconds = retry.backoff.as_secs_f64() * retry.factor.powi(exponent);
    Duration::try_from_secs_f64(seconds).unwrap_or(retry.max).min(retry.max)
}

fn past(phase: &Phase) -> &'static str {
    match phase {
        Phase::Skipped { .. } => "was skipped",
        Phase::Cancelled => "was cancelled",
        _ => "failed",
    }
}
