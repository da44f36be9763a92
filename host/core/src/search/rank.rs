//! Which trials count as good, for the estimator.

use std::cmp::Ordering;

use super::{Finished, Goal, TrialStatus};

/// The share of trials that are good: γ of Bergstra et al., 2011.
const GOOD: f64 = 0.25;
/// More good trials than this make the estimate too narrow (as in hyperopt).
const MOST_GOOD: usize = 25;

/// How many trials are drawn at random before the estimator is asked: a quarter, from 4 to 10.
pub fn startup(trials: usize) -> usize {
    (trials / 4).clamp(4, 10)
}

/// The good trials and the others. Trials that measured the objective come first, the better the earlier; then those
/// that were stopped, the further they came the earlier; then those that measured nothing. Of equals the earlier trial
/// is first.
pub(super) fn split(known: &[Finished], goal: Goal, stop: Option<Goal>) -> (Vec<&Finished>, Vec<&Finished>) {
    let mut ranked: Vec<&Finished> = known.iter().collect();
    ranked.sort_by(|one, other| compare(one, other, goal, stop.unwrap_or(goal)));
    let good = ((GOOD * ranked.len() as f64).ceil() as usize).min(MOST_GOOD);
    let bad = ranked.split_off(good);
    (ranked, bad)
}

/// `Less`: `one` is better.
fn compare(one: &Finished, other: &Finished, goal: Goal, stop: Goal) -> Ordering {
    let class = |ended: &Finished| match (ended.objective, ended.status) {
        (Some(objective), TrialStatus::Succeeded | TrialStatus::Failed) if !objective.is_nan() => 0,
        (_, TrialStatus::Stopped { .. }) => 1,
        _ => 2,
    };
    let by = |goal: Goal, one: f64, other: f64| match () {
        () if goal.is_better(one, other) => Ordering::Less,
        () if goal.is_better(other, one) => Ordering::Greater,
        () => Ordering::Equal,
    };
    class(one).cmp(&class(other)).then_with(|| match (class(one), one.objective, other.objective) {
        (0, Some(one), Some(other)) => by(goal, one, other),
        (1, ..) => match (one.rungs.last(), other.rungs.last()) {
            (Some((far, value)), Some((other_far, other_value))) => {
                other_far.cmp(far).then_with(|| by(stop, *value, *other_value))
            }
            _ => Ordering::Equal,
        },
        _ => Ordering::Equal,
    })
}
