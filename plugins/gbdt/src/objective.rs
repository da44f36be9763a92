//! What is minimised: derivatives for each row, where scores start, and how leaves are renewed.
//!
//! Gradient boosting as in Friedman, "Greedy Function Approximation: A Gradient Boosting Machine", Annals of Statistics
//! 29(5), 2001, with the second derivatives of Chen, Guestrin, "XGBoost", KDD 2016.

use crate::kernels::Pair;

/// The mean of these losses over the rows' weights is minimised.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Objective {
    Squared,
    Absolute,
    /// The pinball loss of this quantile.
    Quantile(f64),
    /// -ln of the probability of the true one of two classes.
    Binary,
    /// The same for so many classes.
    Softmax(usize),
}

/// Rows that are learned from: numbers, or the indexes of classes.
#[derive(Clone, Debug)]
pub struct Goal {
    pub target: Vec<f64>,
    /// Absent where each row counts 1.
    pub weights: Option<Vec<f64>>,
}

impl Goal {
    pub fn weight(&self, row: usize) -> f64 {
        self.weights.as_ref().map_or(1.0, |weights| weights[row])
    }

    fn mean(&self, value: impl Fn(f64) -> f64) -> f64 {
        let (mut sum, mut total) = (0.0, 0.0);
        for (row, &target) in self.target.iter().enumerate() {
            sum += self.weight(row) * value(target);
            total += self.weight(row);
        }
        sum / total
    }
}

impl Objective {
    /// How many scores a row has.
    pub fn outputs(self) -> usize {
        if let Objective::Softmax(classes) = self { classes } else { 1 }
    }

    /// The constant scores that are best.
    pub fn initial(self, goal: &Goal) -> Vec<f64> {
        // A class that no row has would start at minus infinity.
        let share = |class: f64| {
            goal.mean(|target| f64::from(u8::from(target == class))).clamp(f64::EPSILON, 1.0 - f64::EPSILON)
        };
        match self {
            Objective::Squared => vec![goal.mean(|target| target)],
            Objective::Absolute | Objective::Quantile(_) => {
                let weighted = goal.target.iter().enumerate().map(|(row, &target)| (target, goal.weight(row)));
                vec![quantile(&mut weighted.collect(), self.level(), goal.weights.is_none())]
            }
            Objective::Binary => vec![(share(1.0) / (1.0 - share(1.0))).ln()],
            Objective::Softmax(classes) => (0..classes).map(|class| share(class as f64).ln()).collect(),
        }
    }

    /// Whether leaves take the quantile [`Objective::level`] of what is left of the target, in place of a Newton step.
    pub fn renews_leaves(self) -> bool {
        matches!(self, Objective::Absolute | Objective::Quantile(_))
    }

    /// The quantile that is predicted; of absolute error the median.
    pub fn level(self) -> f64 {
        if let Objective::Quantile(level) = self { level } else { 0.5 }
    }

    /// The derivatives of each row's loss by the score of one output. `scores` are those of all outputs, one after the
    /// other; for softmax, their probabilities.
    pub fn derive(self, output: usize, scores: &[f64], goal: &Goal, pairs: &mut [Pair]) {
        let rows = goal.target.len();
        let scores = &scores[output * rows..(output + 1) * rows];
        match self {
            Objective::Squared => each(scores, goal, pairs, |score, target| (score - target, 1.0)),
            Objective::Absolute => each(scores, goal, pairs, |score, target| (sign(score - target), 1.0)),
            Objective::Quantile(level) => {
                each(scores, goal, pairs, |score, target| (if target > score { -level } else { 1.0 - level }, 1.0));
            }
            Objective::Binary => each(scores, goal, pairs, |score, target| {
                let probability = sigmoid(score);
                (probability - target, probability * (1.0 - probability))
            }),
            Objective::Softmax(classes) => {
                // The factor of Friedman's multi-class Newton step, as in LightGBM.
                let factor = classes as f64 / (classes - 1) as f64;
                each(scores, goal, pairs, |probability, target| {
                    let is_class = f64::from(u8::from(target == output as f64));
                    (probability - is_class, factor * probability * (1.0 - probability))
                });
            }
        }
    }
}

fn each(scores: &[f64], goal: &Goal, pairs: &mut [Pair], derive: impl Fn(f64, f64) -> (f64, f64)) {
    let rows = pairs.iter_mut().zip(scores).zip(&goal.target);
    match &goal.weights {
        None => rows.for_each(|((pair, &score), &target)| {
            let (gradient, hessian) = derive(score, target);
            *pair = Pair { gradient, hessian };
        }),
        Some(weights) => rows.zip(weights).for_each(|(((pair, &score), &target), weight)| {
            let (gradient, hessian) = derive(score, target);
            *pair = Pair { gradient: weight * gradient, hessian: weight * hessian };
        }),
    }
}

fn sign(value: f64) -> f64 {
    if value > 0.0 {
        1.0
    } else if value < 0.0 {
        -1.0
    } else {
        0.0
    }
}

/// The probability of the second of two classes.
pub fn sigmoid(score: f64) -> f64 {
    1.0 / (1.0 + (-score).exp())
}

/// Turns each row's scores into probabilities; scores lie output after output.
pub fn softmax(scores: &[f64], rows: usize, probabilities: &mut Vec<f64>) {
    probabilities.clear();
    probabilities.extend_from_slice(scores);
    for row in 0..rows {
        let most = scores[row..].iter().step_by(rows).fold(f64::NEG_INFINITY, |most, &score| most.max(score));
        let mut sum = 0.0;
        for probability in probabilities[row..].iter_mut().step_by(rows) {
            *probability = (*probability - most).exp();
            sum += *probability;
        }
        probabilities[row..].iter_mut().step_by(rows).for_each(|probability| *probability /= sum);
    }
}

/// The number that parts the weights as `level` says: half way between the smallest and the largest that do. Values
/// come with weights; `is_equal` says that all weights are 1. 0 where nothing has a weight.
pub fn quantile(values: &mut Vec<(f64, f64)>, level: f64, is_equal: bool) -> f64 {
    values.retain(|(_, weight)| *weight > 0.0);
    if values.is_empty() {
        return 0.0;
    }
    if is_equal {
        let below = level * values.len() as f64;
        let last = values.len() - 1;
        let (low, high) = ((below.ceil() as usize).clamp(1, last + 1) - 1, (below.floor() as usize).min(last));
        let (_, low_value, above) = values.select_nth_unstable_by(low, |a, b| a.0.total_cmp(&b.0));
        let low_value = low_value.0;
        let next = above.iter().fold(f64::INFINITY, |least, value| least.min(value.0));
        return if high > low { low_value / 2.0 + next / 2.0 } else { low_value };
    }
    values.sort_unstable_by(|a, b| a.0.total_cmp(&b.0));
    let below = level * values.iter().map(|(_, weight)| weight).sum::<f64>();
    let mut sum = 0.0;
    let mut low = None;
    for &(value, weight) in values.iter() {
        sum += weight;
        if sum >= below && low.is_none() {
            low = Some(value);
        }
        if sum > below {
            return low.unwrap_or(value) / 2.0 + value / 2.0;
        }
    }
    values[values.len() - 1].0
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn quantiles() {
        let plain =
            |values: &[f64], level| quantile(&mut values.iter().map(|&value| (value, 1.0)).collect(), level, true);
        let sorted =
            |values: &[f64], level| quantile(&mut values.iter().map(|&value| (value, 1.0)).collect(), level, false);
        for (values, level, expected) in [
            (&[3.0, 1.0, 2.0][..], 0.5, 2.0),
            (&[4.0, 1.0, 2.0, 3.0], 0.5, 2.5),
            (&[4.0, 1.0, 2.0, 3.0], 0.25, 1.5),
            (&[4.0, 1.0, 2.0, 3.0], 0.1, 1.0),
            (&[4.0, 1.0, 2.0, 3.0], 0.99, 4.0),
            (&[7.0], 0.5, 7.0),
            (&[], 0.5, 0.0),
        ] {
            assert_eq!(plain(values, level), expected, "{values:?} {level}");
            assert_eq!(sorted(values, level), expected, "{values:?} {level}");
        }
        assert_eq!(quantile(&mut vec![(1.0, 1.0), (2.0, 3.0), (9.0, 0.0)], 0.5, false), 2.0);
    }

    #[test]
    fn derivatives_are_those_of_the_loss() {
        let goal = Goal { target: vec![1.0, 0.0], weights: Some(vec![2.0, 1.0]) };
        let loss = |scores: [f64; 2]| 2.0 * (1.0 + (-scores[0]).exp()).ln() + (1.0 + scores[1].exp()).ln();
        let mut pairs = [Pair::default(); 2];
        Objective::Binary.derive(0, &[0.3, -0.2], &goal, &mut pairs);
        let step = 1e-5;
        let numeric = (loss([0.3 + step, -0.2]) - loss([0.3 - step, -0.2])) / (2.0 * step);
        assert!((pairs[0].gradient - numeric).abs() < 1e-8);
        assert!((Objective::Binary.initial(&goal)[0] - 2.0_f64.ln()).abs() < 1e-15);
    }
}
