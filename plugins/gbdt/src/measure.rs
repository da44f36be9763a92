//! What is measured in each round.

use crate::config::Metric;
use crate::objective::{Goal, Objective, sigmoid};

impl Metric {
    /// As in the names of metrics: `validation_log_loss`.
    pub fn name(self) -> &'static str {
        match self {
            Metric::LogLoss => "log_loss",
            Metric::Auc => "auc",
            Metric::Error => "error",
            Metric::Rmse => "rmse",
            Metric::Mae => "mae",
            Metric::Pinball => "pinball",
        }
    }

    pub fn is_better(self, value: f64, than: f64) -> bool {
        if self == Metric::Auc { value > than } else { value < than }
    }

    /// What the objective minimises.
    pub fn of(objective: Objective) -> Self {
        match objective {
            Objective::Squared => Metric::Rmse,
            Objective::Absolute => Metric::Mae,
            Objective::Quantile(_) => Metric::Pinball,
            Objective::Binary | Objective::Softmax(_) => Metric::LogLoss,
        }
    }

    pub fn fits(self, objective: Objective) -> bool {
        match self {
            Metric::Rmse | Metric::Mae => {
                matches!(objective, Objective::Squared | Objective::Absolute | Objective::Quantile(_))
            }
            Metric::Pinball => matches!(objective, Objective::Quantile(_)),
            Metric::LogLoss | Metric::Error => matches!(objective, Objective::Binary | Objective::Softmax(_)),
            Metric::Auc => objective == Objective::Binary,
        }
    }

    /// The weighted mean over rows (of `auc`, over pairs of rows), from the scores of all outputs, one after the other.
    pub fn of_scores(self, objective: Objective, goal: &Goal, scores: &[f64]) -> f64 {
        let rows = goal.target.len();
        let mean = |loss: &dyn Fn(usize, f64) -> f64| {
            let (mut sum, mut total) = (0.0, 0.0);
            for (row, &target) in goal.target.iter().enumerate() {
                sum += goal.weight(row) * loss(row, target);
                total += goal.weight(row);
            }
            sum / total
        };
        let all = |row: usize| scores[row..].iter().step_by(rows);
        match (self, objective) {
            (Metric::Rmse, _) => mean(&|row, target| (target - scores[row]).powi(2)).sqrt(),
            (Metric::Mae, _) => mean(&|row, target| (target - scores[row]).abs()),
            (Metric::Pinball, _) => {
                let level = objective.level();
                mean(&|row, target| (level * (target - scores[row])).max((level - 1.0) * (target - scores[row])))
            }
            (Metric::LogLoss, Objective::Softmax(_)) => mean(&|row, target| {
                let most = all(row).fold(f64::NEG_INFINITY, |most, &score| most.max(score));
                let sum: f64 = all(row).map(|score| (score - most).exp()).sum();
                sum.ln() + most - scores[target as usize * rows + row]
            }),
            (Metric::LogLoss, _) => mean(&|row, target| {
                let margin = if target == 1.0 { scores[row] } else { -scores[row] };
                (-margin.abs()).exp().ln_1p() + (-margin).max(0.0)
            }),
            (Metric::Error, Objective::Softmax(_)) => mean(&|row, target| {
                let best = all(row).enumerate().fold((0, f64::NEG_INFINITY), |best, (class, &score)| {
                    if score > best.1 { (class, score) } else { best }
                });
                f64::from(u8::from(best.0 as f64 != target))
            }),
            (Metric::Error, _) => {
                mean(&|row, target| f64::from(u8::from((sigmoid(scores[row]) > 0.5) != (target == 1.0))))
            }
            (Metric::Auc, _) => auc(goal, scores),
        }
    }
}

/// The part of the pairs of a row of each class whose scores are in the right order; equal scores count half. 0.5 where
/// a class has no rows.
fn auc(goal: &Goal, scores: &[f64]) -> f64 {
    let mut order: Vec<(f64, usize)> = scores.iter().enumerate().map(|(row, &score)| (score, row)).collect();
    order.sort_unstable_by(|a, b| a.0.total_cmp(&b.0).then(a.1.cmp(&b.1)));
    let (mut below, mut area, mut positives) = (0.0, 0.0, 0.0);
    for equal in order.chunk_by(|a, b| a.0 == b.0) {
        let (mut of_first, mut of_second) = (0.0, 0.0);
        for &(_, row) in equal {
            *(if goal.target[row] == 1.0 { &mut of_second } else { &mut of_first }) += goal.weight(row);
        }
        area += of_second * (below + of_first / 2.0);
        below += of_first;
        positives += of_second;
    }
    if below * positives > 0.0 { area / (below * positives) } else { 0.5 }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let goal = Goal { target: vec![0.0, 1.0, 1.0, 0.0], weights: None };
        let scores = [-1.0, 1.0, 0.0, 0.0];
        let of = |metric: Metric| metric.of_scores(Objective::Binary, &goal, &scores);
        assert_eq!(of(Metric::Auc), 0.875);
        assert_eq!(of(Metric::Error), 0.25);
        let expected = (2.0 * (1.0 + (-1.0_f64).exp()).ln() + 2.0 * 2.0_f64.ln()) / 4.0;
        assert!((of(Metric::LogLoss) - expected).abs() < 1e-15);
        assert_eq!(Metric::Rmse.of_scores(Objective::Squared, &goal, &scores), 0.5_f64.sqrt());
        let of_three = Metric::LogLoss.of_scores(Objective::Softmax(3), &goal, &[0.0; 12]);
        assert!((of_three - 3.0_f64.ln()).abs() < 1e-15);
        assert_eq!(Metric::Pinball.of_scores(Objective::Quantile(0.9), &goal, &scores), 1.8 / 4.0);
    }
}
