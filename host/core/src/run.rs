//! A run as a state machine: events in, actions out.
//!
//! The driver makes an event durable, applies it here, and then does what [`Run::apply`] returns. Applying the same
//! events to the same graph gives the same state, so a run goes on after a crash from its event log alone. Reads no
//! clock: `now` is an argument.

mod decide;
mod event;

use std::collections::{BTreeMap, HashMap};
use std::sync::Arc;

use serde::{Deserialize, Serialize};

use crate::artifact::OutputRecord;
use crate::graph::{BoundStep, Graph, StepKey};

pub use event::{Action, Event, Failure, Metrics};

/// Microseconds since 1970-01-01T00:00:00Z.
pub type Micros = i64;

/// A run in memory.
#[derive(Clone, Debug)]
pub struct Run {
    graph: Arc<Graph>,
    index: HashMap<StepKey, usize>,
    /// By step, the steps that wait for it.
    dependents: Vec<Vec<usize>>,
    steps: Vec<StepState>,
    /// By step, how many of its dependencies have not ended.
    waiting: Vec<usize>,
    unfinished: usize,
    /// Steps that go on without anybody's help: ready, running, or waiting for their next attempt.
    active: usize,
    /// Steps that wait for a person.
    awaiting: usize,
    cancelling: bool,
    status: RunStatus,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum RunStatus {
    /// Nothing has been started.
    Scheduled,
    Running,
    /// Nothing can go on before somebody approves, or an approval expires. Whoever drives the run lets go of it.
    Waiting,
    Succeeded,
    Failed,
    Cancelled,
}

/// A step of a run, as far as it has come.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct StepState {
    pub phase: Phase,
    /// Attempts that were started.
    pub attempts: u32,
    /// Whether the result came from the cache.
    pub hit: bool,
    pub outputs: BTreeMap<String, OutputRecord>,
    pub metrics: Metrics,
    pub failure: Option<Failure>,
}

#[derive(Clone, PartialEq, Eq, Debug, Default)]
pub enum Phase {
    /// For dependencies.
    #[default]
    Waiting,
    /// The driver was told to start it.
    Ready,
    Running,
    /// For the next attempt.
    BackingOff {
        until: Micros,
    },
    /// For a person's decision.
    Awaiting {
        until: Micros,
    },
    Succeeded,
    Failed,
    /// Not run: its `when` is false, or something it needs did not succeed.
    Skipped {
        reason: String,
    },
    Cancelled,
}

impl Phase {
    pub fn is_final(&self) -> bool {
        matches!(self, Phase::Succeeded | Phase::Failed | Phase::Skipped { .. } | Phase::Cancelled)
    }

    /// Whether the step goes on without anybody's help.
    fn is_active(&self) -> bool {
        matches!(self, Phase::Ready | Phase::Running | Phase::BackingOff { .. })
    }

    /// The word that people and `when` expressions see.
    pub fn name(&self) -> &'static str {
        match self {
            Phase::Waiting | Phase::Ready => "pending",
            Phase::Running => "running",
            Phase::BackingOff { .. } => "retrying",
            Phase::Awaiting { .. } => "waiting",
            Phase::Succeeded => "succeeded",
            Phase::Failed => "failed",
            Phase::Skipped { .. } => "skipped",
            Phase::Cancelled => "cancelled",
        }
    }
}

/// The event cannot happen in the run's state: a bug of the driver, or an event log of another graph.
#[derive(Debug, Clone, PartialEq, thiserror::Error)]
#[error("event `{event}` does not fit step `{step}`, which is {phase} (this is a bug)")]
pub struct IllegalEvent {
    event: &'static str,
    step: String,
    phase: &'static str,
}

impl Run {
    /// Nothing happens before [`Event::Started`].
    pub fn new(graph: Arc<Graph>) -> Self {
        let index: HashMap<StepKey, usize> =
            graph.steps.iter().enumerate().map(|(position, step)| (step.key.clone(), position)).collect();
        let mut dependents = vec![Vec::new(); graph.steps.len()];
        let mut waiting = vec![0; graph.steps.len()];
        for (position, step) in graph.steps.iter().enumerate() {
            for dependency in step.dependencies() {
                dependents[index[&dependency]].push(position);
                waiting[position] += 1;
            }
        }
        let steps = vec![StepState::default(); graph.steps.len()];
        let unfinished = steps.len();
        Self {
            graph,
            index,
            dependents,
            steps,
            waiting,
            unfinished,
            active: 0,
            awaiting: 0,
            cancelling: false,
            status: RunStatus::Scheduled,
        }
    }

    /// The state after these events.
    pub fn replay<'a>(
        graph: Arc<Graph>,
        events: impl IntoIterator<Item = (&'a Event, Micros)>,
    ) -> Result<Self, IllegalEvent> {
        let mut run = Self::new(graph);
        for (event, at) in events {
            run.apply(event, at)?;
        }
        Ok(run)
    }

    /// What is still to be done, for a run that goes on from its event log. Steps that run are not named: their attempts
    /// are lost with the process that ran them, which is an event.
    pub fn outstanding(&self) -> Vec<Action> {
        let action = |(step, state): (&BoundStep, &StepState)| match state.phase {
            Phase::Ready => Some(Action::Start { step: step.key.clone() }),
            Phase::BackingOff { until } => Some(Action::Wait { step: step.key.clone(), until }),
            _ => None,
        };
        self.steps().filter_map(action).collect()
    }

    /// The steps that wait for a person, each with the time at which it no longer does.
    pub fn awaiting(&self) -> impl Iterator<Item = (&StepKey, Micros)> {
        // Most runs have none, and may have 10,000 steps.
        let steps = if self.awaiting == 0 { &[] } else { self.steps.as_slice() };
        self.graph.steps.iter().zip(steps).filter_map(|(step, state)| match state.phase {
            Phase::Awaiting { until } => Some((&step.key, until)),
            _ => None,
        })
    }

    /// Whether the run was asked to stop.
    pub fn is_cancelling(&self) -> bool {
        self.cancelling
    }

    pub fn status(&self) -> RunStatus {
        self.status
    }

    pub fn graph(&self) -> &Arc<Graph> {
        &self.graph
    }

    /// # Panics
    /// For a key that is not of this run's graph.
    pub fn state(&self, key: &StepKey) -> &StepState {
        &self.steps[self.index[key]]
    }

    /// # Panics
    /// For a key that is not of this run's graph.
    pub fn step(&self, key: &StepKey) -> &BoundStep {
        &self.graph.steps[self.index[key]]
    }

    pub fn steps(&self) -> impl Iterator<Item = (&BoundStep, &StepState)> {
        self.graph.steps.iter().zip(&self.steps)
    }

    /// The artifact that an input of a step stands for, once its producer has succeeded; `None` where the producer
    /// did not make that output.
    pub fn input(&self, from: &crate::graph::OutputRef) -> Option<&OutputRecord> {
        self.state(&from.step).outputs.get(&from.output)
    }
}

#[cfg(test)]
mod tests;
