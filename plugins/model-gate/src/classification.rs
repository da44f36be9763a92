//! Metrics of classes. Formulas and conventions are those of scikit-learn 1.9, section "Classification metrics" of its
//! user guide; the tests hold them to its results.

use crate::classes::Classified;
use crate::config::Metric;
use crate::ranking::ranking;
use crate::scores::{Score, Scores};
use crate::text;

/// All of them, of at least one row.
pub fn scores(rows: &Classified) -> Scores {
    let mut scores = Scores::default();
    let confusion = Confusion::of(rows);
    scores.set(Metric::Accuracy, Score::Value(confusion.accuracy()));
    scores.set(Metric::BalancedAccuracy, Score::Value(confusion.balanced_accuracy()));
    scores.set(Metric::Mcc, Score::Value(confusion.mcc()));
    for (metric, score) in [
        (Metric::Precision, confusion.average(rows, |counts| (counts.hits, counts.predicted), "is called")),
        (Metric::Recall, confusion.average(rows, |counts| (counts.hits, counts.true_), "is")),
        (
            Metric::F1,
            confusion.average(rows, |counts| (2 * counts.hits, counts.true_ + counts.predicted), "is or is called"),
        ),
    ] {
        scores.set(metric, score);
    }
    if rows.probabilities.is_empty() {
        for metric in [Metric::Auc, Metric::AveragePrecision, Metric::LogLoss, Metric::Brier] {
            scores.set(metric, Score::Undefined("the model gives no probabilities".to_owned()));
        }
    } else {
        let (auc, average_precision) = ranked(rows, &confusion);
        scores.set(Metric::Auc, auc);
        scores.set(Metric::AveragePrecision, average_precision);
        scores.set(Metric::LogLoss, Score::Value(log_loss(rows)));
        scores.set(Metric::Brier, Score::Value(brier(rows)));
    }
    scores
}

/// How often a class comes.
#[derive(Clone, Copy, Default)]
struct Counts {
    true_: u64,
    predicted: u64,
    /// Both at once.
    hits: u64,
}

struct Confusion {
    rows: u64,
    classes: Vec<Counts>,
}

impl Confusion {
    fn of(rows: &Classified) -> Self {
        let mut classes = vec![Counts::default(); rows.names.len()];
        for (&truth, &predicted) in rows.truth.iter().zip(&rows.predicted) {
            classes[truth as usize].true_ += 1;
            classes[predicted as usize].predicted += 1;
            classes[truth as usize].hits += u64::from(truth == predicted);
        }
        Self { rows: rows.truth.len() as u64, classes }
    }

    fn hits(&self) -> u64 {
        self.classes.iter().map(|counts| counts.hits).sum()
    }

    fn accuracy(&self) -> f64 {
        self.hits() as f64 / self.rows as f64
    }

    /// The mean recall of the classes that the truth has.
    fn balanced_accuracy(&self) -> f64 {
        mean(
            self.classes
                .iter()
                .filter(|counts| counts.true_ > 0)
                .map(|counts| counts.hits as f64 / counts.true_ as f64),
        )
    }

    /// The correlation of truth and prediction, for any number of classes. Source: J. Gorodkin, "Comparing two
    /// K-category assignments by a K-category correlation coefficient", Computational Biology and Chemistry 28 (2004). 0
    /// where truth or prediction is always the same class.
    fn mcc(&self) -> f64 {
        let rows = self.rows as f64;
        let sum = |of: fn(&Counts) -> f64| self.classes.iter().map(of).sum::<f64>();
        let covariance = self.hits() as f64 * rows - sum(|counts| counts.true_ as f64 * counts.predicted as f64);
        let truth = rows * rows - sum(|counts| (counts.true_ as f64).powi(2));
        let predicted = rows * rows - sum(|counts| (counts.predicted as f64).powi(2));
        if truth == 0.0 || predicted == 0.0 { 0.0 } else { covariance / (truth * predicted).sqrt() }
    }

    /// A ratio of counts: of the positive class, or the mean over the classes that are true or predicted somewhere.
    /// Where it would divide by zero it is 0, with the reason that no row `does` what it counts.
    fn average(&self, rows: &Classified, ratio: impl Fn(&Counts) -> (u64, u64), does: &str) -> Score {
        let present = |&class: &usize| self.classes[class].true_ + self.classes[class].predicted > 0;
        let classes: Vec<usize> = match rows.positive {
            Some(positive) => vec![positive],
            None => (0..self.classes.len()).filter(present).collect(),
        };
        let without: Vec<&str> = classes
            .iter()
            .filter(|&&class| ratio(&self.classes[class]).1 == 0)
            .map(|&class| rows.names[class].as_str())
            .collect();
        let value = mean(classes.iter().map(|&class| match ratio(&self.classes[class]) {
            (_, 0) => 0.0,
            (part, whole) => part as f64 / whole as f64,
        }));
        match without.as_slice() {
            [] => Score::Value(value),
            classes => Score::Convention(value, format!("no row {does} {}", text::names(classes.iter().copied()))),
        }
    }
}

/// Area and average precision: of the positive class, or the mean over the classes, each against the rest. Classes that
/// the truth does not have are left out of that mean.
fn ranked(rows: &Classified, confusion: &Confusion) -> (Score, Score) {
    let one = |class: usize| {
        let truth = rows.truth.iter().enumerate();
        ranking(truth.map(|(row, &truth)| (rows.probability(class, row), truth as usize == class)).collect())
    };
    let present: Vec<usize> = (0..rows.names.len()).filter(|&class| confusion.classes[class].true_ > 0).collect();
    let only = || {
        let names = text::names(present.iter().map(|&class| rows.names[class].as_str()));
        format!("the truth has only the class {names}")
    };
    if let Some(positive) = rows.positive {
        let ranking = one(positive);
        let none = || Score::Convention(0.0, only());
        return (
            ranking.auc.map_or_else(|| Score::Undefined(only()), Score::Value),
            ranking.average_precision.map_or_else(none, Score::Value),
        );
    }
    let rankings: Vec<_> = present.iter().map(|&class| one(class)).collect();
    let average_precision = mean(rankings.iter().filter_map(|ranking| ranking.average_precision));
    let auc = mean(rankings.iter().filter_map(|ranking| ranking.auc));
    let absent: Vec<&str> = (0..rows.names.len())
        .filter(|class| !present.contains(class))
        .map(|class| rows.names[class].as_str())
        .collect();
    let averaged = |value| match absent.as_slice() {
        [] => Score::Value(value),
        absent => {
            let reason =
                format!("the mean leaves out {}, which the truth does not have", text::names(absent.iter().copied()));
            Score::Convention(value, reason)
        }
    };
    (if present.len() < 2 { Score::Undefined(only()) } else { averaged(auc) }, averaged(average_precision))
}

/// The mean negative logarithm of the true class's probability, which is kept one machine epsilon away from 0 and 1.
fn log_loss(rows: &Classified) -> f64 {
    let truth = rows.truth.iter().enumerate();
    -mean(truth.map(|(row, &class)| rows.probability(class as usize, row).clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln()))
}

/// The mean over the rows of the squared errors of all classes' probabilities; half of that for two classes, where it
/// is the squared error of the positive one. Source: G. Brier, "Verification of Forecasts Expressed in Terms of
/// Probability", Monthly Weather Review 78 (1950).
fn brier(rows: &Classified) -> f64 {
    let error = |row: usize, truth: usize| {
        let classes = 0..rows.names.len();
        classes.map(|class| (rows.probability(class, row) - f64::from(u8::from(class == truth))).powi(2)).sum::<f64>()
    };
    let both = mean(rows.truth.iter().enumerate().map(|(row, &truth)| error(row, truth as usize)));
    if rows.names.len() <= 2 { both / 2.0 } else { both }
}

/// 0 for no values.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_u64), |(sum, count), value| (sum + value, count + 1));
    if count == 0 { 0.0 } else { sum / count as f64 }
}
