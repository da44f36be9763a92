//! What to expect of rows without labels: confidence-based performance estimation. Each row's truth is the probability
//! of each class, calibrated on the reference. Source: NannyML's documentation, "Estimation of performance of the
//! monitored model", <https://nannyml.readthedocs.io/en/stable/how_it_works/performance_estimation.html>.

use wasmlops_statistics::calibration::Isotonic;
use wasmlops_statistics::classification::Rows;

use crate::classes::{Classes, Seen};
use crate::config::{Calibration, Config};

/// All rows of the window with the probabilities of their classes as truth, and whether these were calibrated. `None`
/// for a model that gives no probabilities, or no rows.
pub fn rows(config: &Config, classes: &Classes, seen: &Seen, reference: Option<&Seen>) -> Option<(Rows, bool)> {
    if seen.probabilities.is_empty() || seen.len() == 0 {
        return None;
    }
    let calibrators = match config.calibrate {
        Calibration::Isotonic => reference.and_then(|reference| calibrators(config, classes, reference)),
        Calibration::None => None,
    };
    let mut truth = match &calibrators {
        Some(calibrators) => calibrated(calibrators, &seen.probabilities),
        None => seen.probabilities.clone(),
    };
    normalise(&mut truth, &seen.probabilities);
    // Classes that only labels have cannot be expected.
    truth.resize(classes.len(), vec![0.0; seen.len()]);
    let all: Vec<usize> = (0..seen.len()).collect();
    Some((classes.rows(seen, &all, truth), calibrators.is_some()))
}

/// One function a class, each against the rest; of two classes only the second has one. `None` where the reference has
/// too few labels or only one class.
fn calibrators(config: &Config, classes: &Classes, reference: &Seen) -> Option<Vec<Isotonic>> {
    let labels = || reference.labels.iter().enumerate().filter_map(|(row, label)| Some((row, (*label)?)));
    let first = labels().next()?.1;
    if (labels().count() as u64) < config.min_rows || labels().all(|(_, label)| label == first) {
        return None;
    }
    let of = |class: usize| {
        let hit = |label: u32| f64::from(u8::from(label as usize == class));
        Isotonic::fit(labels().map(|(row, label)| (reference.probabilities[class][row], hit(label))).collect())
    };
    match classes.with_probabilities {
        2 => Some(vec![of(1)?]),
        many => (0..many).map(of).collect(),
    }
}

fn calibrated(calibrators: &[Isotonic], probabilities: &[Vec<f64>]) -> Vec<Vec<f64>> {
    let apply = |(calibrator, column): (&Isotonic, &Vec<f64>)| -> Vec<f64> {
        column.iter().map(|p| calibrator.apply(*p)).collect()
    };
    if let ([calibrator], [_, second]) = (calibrators, probabilities) {
        let second = apply((calibrator, second));
        return vec![second.iter().map(|p| 1.0 - p).collect(), second];
    }
    calibrators.iter().zip(probabilities).map(apply).collect()
}

/// Makes each row's probabilities sum to 1; a row whose calibrated ones are all 0 keeps the model's.
fn normalise(truth: &mut [Vec<f64>], probabilities: &[Vec<f64>]) {
    for row in 0..probabilities[0].len() {
        let sum_of = |columns: &[Vec<f64>]| columns.iter().map(|column| column[row]).sum::<f64>();
        if sum_of(truth) <= 0.0 {
            truth.iter_mut().zip(probabilities).for_each(|(column, given)| column[row] = given[row]);
        }
        let sum = sum_of(truth);
        if sum > 0.0 && sum != 1.0 {
            truth.iter_mut().for_each(|column| column[row] /= sum);
        }
    }
}
