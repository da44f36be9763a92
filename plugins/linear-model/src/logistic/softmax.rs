//! More than two classes: `loss = ln Σ e^score - score of the row's class`, every class with coefficients of its own.

use super::hessian::Hessian;
use super::{Scaled, priors};
use crate::minimise::{Objective, Value};
use crate::panels::{Panel, ROWS};

/// The parameters are, class by class, the coefficients and then the intercept, if there is one.
pub struct Softmax {
    scaled: Scaled,
    classes: usize,
}

impl Softmax {
    /// The objective, and where to start: without coefficients, with the best intercepts for that. Their sum is 0 and
    /// stays 0: the objective does not tell intercepts apart that all differ by the same.
    pub fn new(scaled: Scaled, classes: usize) -> (Self, Vec<f64>) {
        let mut start = Vec::with_capacity(classes * scaled.width());
        for prior in priors(&scaled, classes) {
            start.resize(start.len() + scaled.columns(), 0.0);
            start.extend(scaled.fit_intercept.then_some(prior));
        }
        (Self { scaled, classes }, start)
    }

    /// Each class's probabilities, into `probabilities`; returns the panel's loss.
    fn probabilities(&self, panel: &Panel, point: &[f64], probabilities: &mut [[f64; ROWS]]) -> f64 {
        let columns = self.scaled.columns();
        for (scores, point) in probabilities.iter_mut().zip(point.chunks_exact(self.scaled.width())) {
            let (coefficients, intercept) = point.split_at(columns);
            scores.fill(intercept.first().copied().unwrap_or(0.0));
            panel.add_scores(coefficients, scores);
        }
        let (classes, weights) = self.rows(panel);
        let mut most = [f64::NEG_INFINITY; ROWS];
        for scores in probabilities.iter() {
            most.iter_mut().zip(scores).for_each(|(most, score)| *most = most.max(*score));
        }
        let mut loss = 0.0;
        for (row, (&class, weight)) in classes.iter().zip(weights).enumerate() {
            loss += weight * (most[row] - probabilities[class][row]);
        }
        let mut sums = [0.0; ROWS];
        for scores in probabilities.iter_mut() {
            for ((score, most), sum) in scores.iter_mut().zip(&most).zip(&mut sums) {
                *score = (*score - most).exp();
                *sum += *score;
            }
        }
        for scores in probabilities.iter_mut() {
            scores.iter_mut().zip(&sums).for_each(|(score, sum)| *score /= sum);
        }
        loss + sums.iter().zip(weights).map(|(sum, weight)| weight * sum.ln()).sum::<f64>()
    }

    /// The classes and weights of a panel's rows.
    fn rows(&self, panel: &Panel) -> (&[usize], &[f64]) {
        let rows = panel.start..panel.start + ROWS;
        (&self.scaled.classes[rows.clone()], &self.scaled.weights[rows])
    }
}

impl Objective for Softmax {
    fn evaluate(&self, point: &[f64], gradient: &mut [f64]) -> Value {
        let (columns, width) = (self.scaled.columns(), self.scaled.width());
        gradient.fill(0.0);
        let mut loss = 0.0;
        let mut residuals = vec![[0.0; ROWS]; self.classes];
        for panel in self.scaled.panels.iter() {
            loss += self.probabilities(&panel, point, &mut residuals);
            let (classes, weights) = self.rows(&panel);
            for residuals in &mut residuals {
                residuals.iter_mut().zip(weights).for_each(|(residual, weight)| *residual *= weight);
            }
            for (row, (&class, weight)) in classes.iter().zip(weights).enumerate() {
                residuals[class][row] -= weight;
            }
            for (residuals, gradient) in residuals.iter().zip(gradient.chunks_exact_mut(width)) {
                panel.add_products(residuals, &mut gradient[..columns]);
                if self.scaled.fit_intercept {
                    gradient[columns] += residuals.iter().sum::<f64>();
                }
            }
        }
        let classes = point.chunks_exact(width).zip(gradient.chunks_exact_mut(width));
        let penalty: f64 = classes.map(|(point, gradient)| self.scaled.penalise(&point[..columns], gradient)).sum();
        Value { objective: loss + penalty, loss }
    }

    fn newton_direction(&self, point: &[f64], gradient: &[f64]) -> Option<Vec<f64>> {
        let mut hessian = Hessian::new(&self.scaled, self.classes)?;
        let mut probabilities = vec![[0.0; ROWS]; self.classes];
        for panel in self.scaled.panels.iter() {
            self.probabilities(&panel, point, &mut probabilities);
            let (_, weights) = self.rows(&panel);
            for (a, of_a) in probabilities.iter().enumerate() {
                for (b, of_b) in probabilities[..=a].iter().enumerate() {
                    let mut curvatures = [0.0; ROWS];
                    for (row, curvature) in curvatures.iter_mut().enumerate() {
                        let other = if a == b { 1.0 - of_b[row] } else { -of_b[row] };
                        *curvature = weights[row] * of_a[row] * other;
                    }
                    hessian.add(&panel, &curvatures, (a, b));
                }
            }
        }
        hessian.solve(gradient)
    }
}
