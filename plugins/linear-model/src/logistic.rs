//! Logistic regression: two classes with one row of coefficients, more with one each (softmax). The door is [`fit`].
//!
//! The objective is scikit-learn's, `c · Σ weight · loss + ½ ‖coefficients‖²` with the intercepts left out of the
//! penalty, divided by `c · Σ weight`:
//!
//! ```text
//! mean loss + ½ λ ‖coefficients‖²,   λ = 1 / (c · Σ weight)
//! ```
//!
//! It is minimised in features that are centred and divided by `√(¼ variance + λ)`, about the square root of the
//! objective's curvature. That is a change of variables which leaves the minimum where it is (the intercept takes up
//! the centring, the penalty the scaling) and makes it quick to reach from features of any size.

mod binary;
mod hessian;
mod softmax;

use wasmlops_sdk::Result;
use wasmlops_sdk::labels::Labels;

use crate::minimise::{Minimum, Stop, Value, minimise};
use crate::panels::{Centred, Panels};

use binary::Binary;
use softmax::Softmax;

/// What to fit to.
pub struct Problem<'a> {
    pub panels: Panels,
    pub labels: &'a Labels,
    /// One for each row of the panels, 0 for those that fill up the last panel.
    pub weights: Vec<f64>,
    /// Inverse strength of the penalty.
    pub c: f64,
    pub fit_intercept: bool,
}

/// A fitted classifier: one row of coefficients for two classes (for the second one), else one for each class.
pub struct Fitted {
    pub coefficients: Vec<Vec<f64>>,
    pub intercepts: Vec<f64>,
    pub minimum: Minimum,
}

/// The scaled features with everything that the objectives share.
struct Scaled {
    panels: Panels,
    /// Each padded row's class.
    classes: Vec<usize>,
    /// Each padded row's weight; they sum to 1.
    weights: Vec<f64>,
    /// λ for each scaled feature.
    penalties: Vec<f64>,
    fit_intercept: bool,
}

impl Scaled {
    fn columns(&self) -> usize {
        self.panels.columns()
    }

    /// Parameters of a class: the coefficients, then the intercept, if there is one.
    fn width(&self) -> usize {
        self.columns() + usize::from(self.fit_intercept)
    }

    /// Half of the penalised squares; adds the derivatives to `gradient`.
    fn penalise(&self, coefficients: &[f64], gradient: &mut [f64]) -> f64 {
        let mut sum = 0.0;
        for ((value, penalty), gradient) in coefficients.iter().zip(&self.penalties).zip(gradient) {
            *gradient += penalty * value;
            sum += penalty * value * value;
        }
        0.5 * sum
    }
}

/// Minimises the objective. `each` is told every iteration's number and value; its error ends the search.
///
/// The weights' sum must be positive, and each class have a row.
pub fn fit(problem: Problem, stop: Stop, each: impl FnMut(u64, Value) -> Result<()>) -> Result<Fitted> {
    let (count, fit_intercept) = (problem.labels.classes.len(), problem.fit_intercept);
    let Prepared { scaled, means, scales } = prepare(problem);
    let width = scaled.width();
    let minimum = if count == 2 {
        let (objective, start) = Binary::new(scaled);
        minimise(&objective, start, stop, each)?
    } else {
        let (objective, start) = Softmax::new(scaled, count);
        minimise(&objective, start, stop, each)?
    };
    let unscaled = minimum.point.chunks_exact(width).map(|row| {
        let coefficients: Vec<f64> = row.iter().zip(&scales).map(|(value, scale)| value / scale).collect();
        let moved: f64 = coefficients.iter().zip(&means).map(|(value, mean)| value * mean).sum();
        let intercept = if fit_intercept { row[scales.len()] - moved } else { 0.0 };
        (coefficients, intercept)
    });
    let (coefficients, intercepts) = unscaled.unzip();
    Ok(Fitted { coefficients, intercepts, minimum })
}

/// A scaled problem, and the way back.
struct Prepared {
    scaled: Scaled,
    means: Vec<f64>,
    scales: Vec<f64>,
}

fn prepare(problem: Problem) -> Prepared {
    let Problem { mut panels, labels, mut weights, c, fit_intercept } = problem;
    let total: f64 = weights.iter().sum();
    let penalty = 1.0 / (c * total);
    let Centred { means, mean_squares } =
        if fit_intercept { panels.centre(&weights) } else { panels.uncentred(&weights) };
    let scales: Vec<f64> = mean_squares.iter().map(|square| (0.25 * square + penalty).sqrt()).collect();
    panels.scale(&scales.iter().map(|scale| 1.0 / scale).collect::<Vec<_>>());
    weights.iter_mut().for_each(|weight| *weight /= total);
    let mut classes = labels.rows.clone();
    classes.resize(panels.padded_rows(), 0);
    let penalties = scales.iter().map(|scale| penalty / (scale * scale)).collect();
    Prepared { scaled: Scaled { panels, classes, weights, penalties, fit_intercept }, means, scales }
}

/// The logarithm of each class's share, less their mean: the best intercepts without any features.
fn priors(scaled: &Scaled, classes: usize) -> Vec<f64> {
    let mut shares = vec![0.0; classes];
    scaled.classes.iter().zip(&scaled.weights).for_each(|(&class, weight)| shares[class] += weight);
    // A class whose rows all have the weight 0 would start at minus infinity.
    let logarithms: Vec<f64> = shares.iter().map(|share| share.max(1e-12).ln()).collect();
    let mean = logarithms.iter().sum::<f64>() / classes as f64;
    logarithms.iter().map(|logarithm| logarithm - mean).collect()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::minimise::Objective;

    /// Hides Newton's direction.
    struct ByGradients<'a, T>(&'a T);

    impl<T: Objective> Objective for ByGradients<'_, T> {
        fn evaluate(&self, point: &[f64], gradient: &mut [f64]) -> Value {
            self.0.evaluate(point, gradient)
        }

        fn newton_direction(&self, _point: &[f64], _gradient: &[f64]) -> Option<Vec<f64>> {
            None
        }
    }

    fn problem(count: usize) -> Scaled {
        const COUNT: usize = 300;
        let value = |row: usize, column: usize| ((row * (7 + 4 * column) + column * column) % 31) as f64;
        let mut panels = Panels::new(COUNT, 4);
        for column in 0..4 {
            panels.set(column, 0, &(0..COUNT).map(|row| value(row, column)).collect::<Vec<_>>());
        }
        let class = |row: usize| (value(row, 0) as usize * 2 + value(row, 1) as usize + row % 17) % 97 * count / 97;
        let labels = Labels { classes: vec![String::new(); count], rows: (0..COUNT).map(class).collect() };
        let mut weights: Vec<f64> = (0..COUNT).map(|row| 0.5 + (row % 3) as f64).collect();
        weights.resize(panels.padded_rows(), 0.0);
        prepare(Problem { panels, labels: &labels, weights, c: 2.0, fit_intercept: true }).scaled
    }

    fn check(objective: &impl Objective, start: Vec<f64>) {
        let stop = Stop { max_iterations: 500, tolerance: 1e-9 };
        let by_newton = minimise(objective, start.clone(), stop, |_, _| Ok::<(), ()>(())).unwrap();
        let by_gradients = minimise(&ByGradients(objective), start, stop, |_, _| Ok::<(), ()>(())).unwrap();
        assert!(by_newton.converged && by_newton.iterations < 10, "{by_newton:?}");
        assert!(by_gradients.converged && by_gradients.iterations < 60, "{by_gradients:?}");
        for (one, other) in by_newton.point.iter().zip(&by_gradients.point) {
            assert!((one - other).abs() < 1e-6, "{by_newton:?} {by_gradients:?}");
        }
    }

    #[test]
    fn both_methods_find_the_same_minimum() {
        let (objective, start) = Binary::new(problem(2));
        check(&objective, start);
        let (objective, start) = Softmax::new(problem(3), 3);
        check(&objective, start);
    }
}
