//! Metrics of numbers, as scikit-learn 1.9 has them. Truth and prediction are finite and equally many, at least one.

/// √ mean (y − ŷ)²
pub fn rmse(truth: &[f64], predicted: &[f64]) -> f64 {
    (squared_errors(truth, predicted) / truth.len() as f64).sqrt()
}

/// mean |y − ŷ|
pub fn mae(truth: &[f64], predicted: &[f64]) -> f64 {
    truth.iter().zip(predicted).map(|(y, guess)| (y - guess).abs()).sum::<f64>() / truth.len() as f64
}

/// 1 − Σ (y − ŷ)² / Σ (y − ȳ)²; of a truth that never varies 1 for a perfect prediction and 0 for any other; `None` for
/// fewer than two rows.
pub fn r2(truth: &[f64], predicted: &[f64]) -> Option<f64> {
    if truth.len() < 2 {
        return None;
    }
    let mean = truth.iter().sum::<f64>() / truth.len() as f64;
    let spread: f64 = truth.iter().map(|value| (value - mean).powi(2)).sum();
    let errors = squared_errors(truth, predicted);
    Some(match (spread == 0.0, errors == 0.0) {
        (false, _) => 1.0 - errors / spread,
        (true, true) => 1.0,
        (true, false) => 0.0,
    })
}

fn squared_errors(truth: &[f64], predicted: &[f64]) -> f64 {
    truth.iter().zip(predicted).map(|(y, guess)| (y - guess).powi(2)).sum()
}
