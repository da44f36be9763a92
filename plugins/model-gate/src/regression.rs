//! Metrics of numbers. Formulas and conventions are those of scikit-learn 1.9, section "Regression metrics" of its user
//! guide; the tests hold them to its results.

use crate::config::Metric;
use crate::numbers::Numbered;
use crate::scores::{Score, Scores};

/// All of them, of at least one row.
pub fn scores(rows: &Numbered) -> Scores {
    let count = rows.truth.len() as f64;
    let mut errors: Vec<f64> =
        rows.truth.iter().zip(&rows.predicted).map(|(truth, predicted)| (truth - predicted).abs()).collect();
    let squares: f64 = errors.iter().map(|error| error * error).sum();
    // A truth of 0 would divide by zero: scikit-learn's convention is one machine epsilon.
    let relative = errors.iter().zip(&rows.truth).map(|(error, truth)| error / truth.abs().max(f64::EPSILON));
    let mape = relative.sum::<f64>() / count;

    let mut scores = Scores::default();
    scores.set(Metric::Rmse, Score::Value((squares / count).sqrt()));
    scores.set(Metric::Mae, Score::Value(errors.iter().sum::<f64>() / count));
    scores.set(Metric::R2, r2(&rows.truth, squares));
    scores.set(Metric::Mape, Score::Value(mape));
    scores.set(Metric::MaxError, Score::Value(errors.iter().copied().fold(0.0, f64::max)));
    scores.set(Metric::MedianAbsoluteError, Score::Value(median(&mut errors)));
    scores
}

/// One minus the squared errors over those of always predicting the mean. A truth that never varies gives 1 for a
/// perfect prediction and 0 for any other.
fn r2(truth: &[f64], squared_errors: f64) -> Score {
    if truth.len() < 2 {
        return Score::Undefined("it needs at least two rows".to_owned());
    }
    let mean = truth.iter().sum::<f64>() / truth.len() as f64;
    let spread: f64 = truth.iter().map(|value| (value - mean).powi(2)).sum();
    match (spread == 0.0, squared_errors == 0.0) {
        (false, _) => Score::Value(1.0 - squared_errors / spread),
        (true, perfect) => {
            Score::Convention(f64::from(u8::from(perfect)), "the truth is the same number in every row".to_owned())
        }
    }
}

/// The middle value; between two, their mean.
fn median(values: &mut [f64]) -> f64 {
    let even = values.len().is_multiple_of(2);
    let (below, &mut upper, _) = values.select_nth_unstable_by(values.len() / 2, f64::total_cmp);
    let lower = below.iter().copied().fold(f64::NEG_INFINITY, f64::max);
    if even { (lower + upper) / 2.0 } else { upper }
}
