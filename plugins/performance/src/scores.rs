//! All metrics of some rows.

use std::collections::BTreeMap;

use wasmlops_statistics::classification::Rows;
use wasmlops_statistics::regression;

use crate::config::Metric;
use crate::numbers::Numbered;

/// Values, or the reason why there is none.
pub type Scores = BTreeMap<Metric, Result<f64, String>>;

pub fn of_classes(rows: &Rows) -> Scores {
    if rows.is_empty() {
        return none(|metric| metric < Metric::Rmse);
    }
    let with_probabilities = |value: Option<f64>| {
        let reason = match rows.probabilities.is_empty() {
            true => "the model gives no probabilities",
            false => "the rows have only one class",
        };
        value.ok_or_else(|| reason.to_owned())
    };
    BTreeMap::from([
        (Metric::Accuracy, Ok(rows.accuracy())),
        (Metric::BalancedAccuracy, Ok(rows.balanced_accuracy())),
        (Metric::Precision, Ok(rows.precision())),
        (Metric::Recall, Ok(rows.recall())),
        (Metric::F1, Ok(rows.f1())),
        (Metric::Auc, with_probabilities(rows.auc())),
        (Metric::LogLoss, with_probabilities(rows.log_loss())),
        (Metric::Brier, with_probabilities(rows.brier())),
    ])
}

pub fn of_numbers(rows: &Numbered) -> Scores {
    let Numbered { truth, predicted } = rows;
    if truth.is_empty() {
        return none(|metric| metric >= Metric::Rmse);
    }
    BTreeMap::from([
        (Metric::Rmse, Ok(regression::rmse(truth, predicted))),
        (Metric::Mae, Ok(regression::mae(truth, predicted))),
        (Metric::R2, regression::r2(truth, predicted).ok_or_else(|| "it needs at least two rows".to_owned())),
    ])
}

fn none(of: impl Fn(Metric) -> bool) -> Scores {
    let metrics = Metric::ALL.into_iter().filter(|metric| of(*metric));
    metrics.map(|metric| (metric, Err("no row has a label".to_owned()))).collect()
}
