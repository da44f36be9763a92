//! Hyperparameter search as decisions: which values are tried next, which trial is stopped early, which was the best.
//!
//! Trials run in rounds of `parallel`. What a round tries follows from the seed, the space and the results of the rounds
//! before it; whether a trial is stopped follows from its own points and those of earlier rounds. So neither the order
//! in which trials of a round end nor a crash between them changes anything. Knows no clock, no run and no thread.
//! Doors: [`Search::read`], [`Search::next_round`], [`Search::stopper`], [`Search::best`].
//!
//! Logarithms and the error function are those of `libm`, not of the platform, so that every machine suggests the same
//! bits. The crates `tpe` and `optimizer` use the platform's, which is why neither is used here.

mod metric;
mod parzen;
mod random;
mod rank;
mod read;
mod report;
mod space;
mod stop;

use serde::{Deserialize, Serialize};
use serde_json::{Map, Value};

pub use metric::{MetricRef, MetricRefError};
pub use rank::startup;
pub use read::{Read, Reading, Wrong};
pub use report::{best_document, described, trials_table};
pub use space::{Dimension, Values};
pub use stop::{StopRule, Stopped, Stopper};

use random::Random;

/// The most trials of one search: each is a run with rows of its own.
pub const MAX_TRIALS: usize = 1_000;
/// The most trials of one round.
pub const MAX_PARALLEL: usize = 64;
/// How often other values are drawn where a trial has had these already: a small space may have no others.
const REDRAWS: usize = 32;

/// What is searched, and how.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Search {
    /// By name: the order in which a file writes them changes nothing.
    pub space: Vec<Dimension>,
    pub method: Method,
    pub trials: usize,
    /// Trials of one round.
    pub parallel: usize,
    pub objective: MetricRef,
    pub goal: Goal,
    #[serde(skip_serializing_if = "Option::is_none", default)]
    pub stop: Option<StopRule>,
    /// Absent: the run's.
    pub seed: Option<u64>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Method {
    /// Every point of the grid, the last dimension by name fastest.
    Grid,
    Random,
    /// The tree-structured Parzen estimator of Bergstra et al., "Algorithms for Hyper-Parameter Optimization", 2011.
    Tpe,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Goal {
    Maximize,
    Minimize,
}

impl Goal {
    /// Whether `one` is strictly better than `other`. What is no number is worse than any number.
    pub fn is_better(self, one: f64, other: f64) -> bool {
        match (one.is_nan(), other.is_nan()) {
            (true, _) => false,
            (false, true) => true,
            (false, false) if self == Goal::Maximize => one > other,
            (false, false) => one < other,
        }
    }

    pub fn as_str(self) -> &'static str {
        match self {
            Goal::Maximize => "maximize",
            Goal::Minimize => "minimize",
        }
    }
}

/// Values to be tried.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Trial {
    /// From 1.
    pub number: usize,
    /// One for each dimension.
    pub params: Map<String, Value>,
}

/// What a trial came to.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Finished {
    pub trial: Trial,
    pub status: TrialStatus,
    /// What the objective measured; absent where the trial did not come so far. A failed trial may have one: its gate
    /// measures before it says no.
    pub objective: Option<f64>,
    /// The values of the stop metric at the rungs that the trial reached.
    pub rungs: Vec<(u64, f64)>,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum TrialStatus {
    Succeeded,
    /// By a fault that it would have again: a gate that says no, a value that the plugin refuses.
    Failed,
    Stopped {
        /// The rung.
        at: u64,
    },
}

impl TrialStatus {
    pub fn as_str(self) -> &'static str {
        match self {
            TrialStatus::Succeeded => "succeeded",
            TrialStatus::Failed => "failed",
            TrialStatus::Stopped { .. } => "stopped",
        }
    }
}

impl Search {
    /// The round that comes after these trials, which are the first ones in the order of their numbers. Where the last
    /// round of `history` is not complete, that round as a whole, the same as before. Empty: the search is over.
    pub fn next_round(&self, history: &[Finished]) -> Vec<Trial> {
        if history.len() >= self.trials {
            return Vec::new();
        }
        let known = self.earlier_rounds(history);
        let mut round: Vec<Trial> = Vec::with_capacity(self.parallel);
        for number in known.len() + 1..=(known.len() + self.parallel).min(self.trials) {
            let params = self.suggest(number, known, &round);
            round.push(Trial { number, params });
        }
        round
    }

    /// Watches a trial of the round that [`Search::next_round`] gives for the same history.
    pub fn stopper(&self, history: &[Finished]) -> Option<Stopper> {
        self.stop.as_ref().map(|rule| Stopper::new(rule, self.earlier_rounds(history)))
    }

    /// The best of the trials that succeeded; of equals the earliest.
    pub fn best<'h>(&self, history: &'h [Finished]) -> Option<&'h Finished> {
        let succeeded = history.iter().filter(|ended| ended.status == TrialStatus::Succeeded);
        let measured = succeeded.filter_map(|ended| Some((ended, ended.objective?)));
        let best = measured.reduce(|best, next| if self.goal.is_better(next.1, best.1) { next } else { best });
        best.map(|(ended, _)| ended)
    }

    /// The complete rounds at the start: all that a later round may know.
    fn earlier_rounds<'h>(&self, history: &'h [Finished]) -> &'h [Finished] {
        &history[..history.len() / self.parallel * self.parallel]
    }

    fn suggest(&self, number: usize, known: &[Finished], round: &[Trial]) -> Map<String, Value> {
        if self.method == Method::Grid {
            return space::grid_point(&self.space, number - 1);
        }
        let mut random = Random::new(self.seed.unwrap_or_default(), number);
        let model = (self.method == Method::Tpe && known.len() >= startup(self.trials))
            .then(|| rank::split(known, self.goal, self.stop.as_ref().map(|stop| stop.goal)));
        let mut params = Map::new();
        for draw in 0..=REDRAWS {
            params = match &model {
                // Where the estimator knows only what was tried, chance finds what is left.
                Some((good, bad)) if draw <= REDRAWS / 2 => parzen::suggest(&self.space, good, bad, &mut random),
                _ => space::draw(&self.space, &mut random),
            };
            let had = known.iter().map(|ended| &ended.trial).chain(round).any(|trial| trial.params == params);
            if !had {
                break;
            }
        }
        params
    }
}

#[cfg(test)]
mod tests;
