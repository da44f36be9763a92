//! What the sums of leaves mean: the inverse links of the libraries' objectives.

use crate::ensemble::Precision;

/// From the sums of a row to its answers.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Objective {
    /// A number that a link makes of the sum.
    Regression(Link),
    /// Two classes; the link gives the probability of the second.
    Binary(Link),
    /// Classes whose probabilities add up to 1: `e^sum / Σ e^sum`.
    Softmax,
    /// Classes that were learned one by one, each with a probability of its own, as the library gives them.
    OneByOne(Link),
}

/// An inverse link.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Link {
    Identity,
    /// `e^sum`.
    Exponential,
    /// `1 / (1 + e^(-scale · sum))`.
    Logistic {
        scale: f64,
    },
    /// 1 above 0, else 0.
    Step,
    /// `sign(sum) · sum²`: LightGBM's `reg_sqrt`.
    SignedSquare,
    /// `ln(1 + e^sum)`: LightGBM's `cross_entropy_lambda`.
    Softplus,
}

impl Objective {
    /// How many classes there are; 0 for regression.
    pub fn classes(self, groups: usize) -> usize {
        match self {
            Objective::Regression(_) => 0,
            Objective::Binary(_) => 2,
            Objective::Softmax | Objective::OneByOne(_) => groups,
        }
    }

    /// Appends the answers of one row.
    pub fn answer(self, sums: &[f64], precision: Precision, answers: &mut Vec<f64>) {
        match self {
            Objective::Regression(link) => answers.push(link.apply(sums[0], precision)),
            Objective::Binary(link) => {
                let second = link.apply(sums[0], precision);
                answers.extend([1.0 - second, second]);
            }
            Objective::OneByOne(link) => answers.extend(sums.iter().map(|&sum| link.apply(sum, precision))),
            Objective::Softmax => {
                let start = answers.len();
                let most = sums.iter().copied().fold(f64::NEG_INFINITY, f64::max);
                answers.extend(sums.iter().map(|&sum| exponential(sum - most, precision)));
                let whole: f64 = answers[start..].iter().sum();
                answers[start..].iter_mut().for_each(|answer| *answer /= whole);
            }
        }
    }
}

impl Link {
    fn apply(self, sum: f64, precision: Precision) -> f64 {
        match self {
            Link::Identity => sum,
            Link::Exponential => exponential(sum, precision),
            Link::Logistic { scale } => 1.0 / (1.0 + exponential(-scale * sum, precision)),
            Link::Step => f64::from(u8::from(sum > 0.0)),
            Link::SignedSquare => sum * sum.abs(),
            Link::Softplus => exponential(sum, precision).ln_1p(),
        }
    }
}

fn exponential(value: f64, precision: Precision) -> f64 {
    match precision {
        Precision::Single => f64::from((value as f32).exp()),
        Precision::Double => value.exp(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn answers(objective: Objective, sums: &[f64]) -> Vec<f64> {
        let mut answers = Vec::new();
        objective.answer(sums, Precision::Double, &mut answers);
        answers
    }

    #[test]
    fn probabilities_stay_numbers_far_from_zero() {
        assert_eq!(answers(Objective::Binary(Link::Logistic { scale: 1.0 }), &[-1e4]), [1.0, 0.0]);
        assert_eq!(answers(Objective::Softmax, &[-1e4, 1e4]), [0.0, 1.0]);
        assert_eq!(answers(Objective::Softmax, &[3.0, 3.0]), [0.5, 0.5]);
    }

    #[test]
    fn links() {
        assert_eq!(answers(Objective::Regression(Link::SignedSquare), &[-3.0]), [-9.0]);
        assert_eq!(answers(Objective::Regression(Link::Softplus), &[0.0]), [2.0_f64.ln()]);
        assert_eq!(answers(Objective::Binary(Link::Step), &[0.0]), [1.0, 0.0]);
    }
}
