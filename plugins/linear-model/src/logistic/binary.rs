//! Two classes: `loss = ln(1 + e^-margin)`, where the margin is the score, or minus the score for the first class.

use super::hessian::Hessian;
use super::{Scaled, priors};
use crate::minimise::{Objective, Value};
use crate::panels::{Panel, ROWS};

/// The parameters are the coefficients, then the intercept, if there is one.
pub struct Binary {
    scaled: Scaled,
}

impl Binary {
    /// The objective, and where to start: without coefficients, with the best intercept for that.
    pub fn new(scaled: Scaled) -> (Self, Vec<f64>) {
        let priors = priors(&scaled, 2);
        let mut start = vec![0.0; scaled.columns()];
        start.extend(scaled.fit_intercept.then(|| priors[1] - priors[0]));
        (Self { scaled }, start)
    }

    fn scores(&self, panel: &Panel, point: &[f64]) -> [f64; ROWS] {
        let (coefficients, intercept) = point.split_at(self.scaled.columns());
        let mut scores = [intercept.first().copied().unwrap_or(0.0); ROWS];
        panel.add_scores(coefficients, &mut scores);
        scores
    }
}

impl Objective for Binary {
    fn evaluate(&self, point: &[f64], gradient: &mut [f64]) -> Value {
        let columns = self.scaled.columns();
        gradient.fill(0.0);
        let mut loss = 0.0;
        for panel in self.scaled.panels.iter() {
            let mut residuals = self.scores(&panel, point);
            let rows = panel.start..panel.start + ROWS;
            let (classes, weights) = (&self.scaled.classes[rows.clone()], &self.scaled.weights[rows]);
            for ((score, &class), weight) in residuals.iter_mut().zip(classes).zip(weights) {
                let margin = if class == 1 { *score } else { -*score };
                let odds = (-margin.abs()).exp();
                loss += weight * (odds.ln_1p() + (-margin).max(0.0));
                // The probability of the other class.
                let missed = if margin > 0.0 { odds } else { 1.0 } / (1.0 + odds);
                *score = weight * if class == 1 { -missed } else { missed };
            }
            panel.add_products(&residuals, &mut gradient[..columns]);
            if self.scaled.fit_intercept {
                gradient[columns] += residuals.iter().sum::<f64>();
            }
        }
        let penalty = self.scaled.penalise(&point[..columns], &mut gradient[..columns]);
        Value { objective: loss + penalty, loss }
    }

    fn newton_direction(&self, point: &[f64], gradient: &[f64]) -> Option<Vec<f64>> {
        let mut hessian = Hessian::new(&self.scaled, 1)?;
        for panel in self.scaled.panels.iter() {
            let mut curvatures = self.scores(&panel, point);
            let weights = &self.scaled.weights[panel.start..panel.start + ROWS];
            for (score, weight) in curvatures.iter_mut().zip(weights) {
                let odds = (-score.abs()).exp();
                *score = weight * odds / ((1.0 + odds) * (1.0 + odds));
            }
            hessian.add(&panel, &curvatures, (0, 0));
        }
        hessian.solve(gradient)
    }
}
