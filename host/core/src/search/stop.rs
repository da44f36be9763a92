//! Early stopping: asynchronous successive halving (Li et al., "A System for Massively Parallel Hyperparameter Tuning",
//! 2020) against the trials of earlier rounds, so that no timing decides.
//!
//! Rungs stand at `first`, `first` × `factor`, `first` × `factor`² and so on. At a rung a trial goes on if its value is
//! among the best 1/`factor` of the values there, its own counted; while fewer than `factor` earlier trials have come
//! to a rung, everybody goes on.

use std::collections::BTreeMap;
use std::fmt;

use serde::{Deserialize, Serialize};

use super::{Finished, Goal, MetricRef};

/// When a trial is stopped before its end.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct StopRule {
    /// What is watched, while the step runs.
    pub metric: MetricRef,
    pub goal: Goal,
    /// The first rung, on the metric's own x axis.
    pub first: u64,
    /// At least 2.
    pub factor: u64,
}

/// Watches the points of one trial as they come.
#[derive(Clone, PartialEq, Debug)]
pub struct Stopper {
    rule: StopRule,
    /// By rung the worst value that goes on; only where enough trials came.
    thresholds: BTreeMap<u64, f64>,
    next: Option<u64>,
    reached: Vec<(u64, f64)>,
    stopped: Option<Stopped>,
}

/// Why a trial ended early.
#[derive(Clone, PartialEq, Debug)]
pub struct Stopped {
    /// The rung.
    pub at: u64,
    pub metric: MetricRef,
    pub value: f64,
    /// What it took to go on.
    pub needed: f64,
}

impl fmt::Display for Stopped {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Stopped { at, metric, value, needed } = self;
        write!(f, "stopped early at {at}: `{metric}` is {value}, and earlier trials set the bar at {needed}")
    }
}

impl Stopper {
    /// `earlier`: the trials of earlier rounds.
    pub(super) fn new(rule: &StopRule, earlier: &[Finished]) -> Self {
        let mut by_rung: BTreeMap<u64, Vec<f64>> = BTreeMap::new();
        for (rung, value) in earlier.iter().flat_map(|ended| &ended.rungs) {
            by_rung.entry(*rung).or_default().push(*value);
        }
        let factor = usize::try_from(rule.factor).unwrap_or(usize::MAX);
        let enough = by_rung.into_iter().filter(|(_, values)| values.len() >= factor);
        let thresholds = enough.map(|(rung, mut values)| {
            values.sort_by(|one, other| match () {
                () if rule.goal.is_better(*one, *other) => std::cmp::Ordering::Less,
                () if rule.goal.is_better(*other, *one) => std::cmp::Ordering::Greater,
                () => std::cmp::Ordering::Equal,
            });
            let go_on = ((values.len() + 1) / factor).max(1);
            (rung, values[go_on - 1])
        });
        let thresholds = thresholds.collect();
        Self { rule: rule.clone(), thresholds, next: Some(rule.first), reached: Vec::new(), stopped: None }
    }

    /// Takes a point in; gives the reason where the trial is to be stopped, once. A point stands for all rungs that it
    /// passes; what comes after the end counts for nothing.
    pub fn point(&mut self, metric: &str, at: u64, value: f64) -> Option<&Stopped> {
        if metric != self.rule.metric.metric || self.stopped.is_some() {
            return None;
        }
        while let Some(rung) = self.next.filter(|rung| *rung <= at) {
            self.reached.push((rung, value));
            self.next = rung.checked_mul(self.rule.factor);
            if let Some(needed) = self.thresholds.get(&rung).copied()
                && (value.is_nan() || self.rule.goal.is_better(needed, value))
            {
                let metric = self.rule.metric.clone();
                self.stopped = Some(Stopped { at: rung, metric, value, needed });
                return self.stopped.as_ref();
            }
        }
        None
    }

    /// The step that is watched.
    pub fn step(&self) -> &str {
        &self.rule.metric.step
    }

    /// The metric that is watched.
    pub fn metric(&self) -> &str {
        &self.rule.metric.metric
    }

    pub fn stopped(&self) -> Option<&Stopped> {
        self.stopped.as_ref()
    }

    /// The rungs so far, with the values there.
    pub fn reached(&self) -> &[(u64, f64)] {
        &self.reached
    }
}
