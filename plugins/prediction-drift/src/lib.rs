//! Says whether what a model predicts differs from a reference.
//!
//! A thin plugin: the comparison is `wasmlops_statistics::compare`, which `drift` uses too; what is compared here is
//! what the model says.

mod config;

use wasmlops_sdk::prelude::*;
use wasmlops_sdk::{Finding, Window};
use wasmlops_statistics::compare::{self, Subject};

use config::Config;

struct PredictionDrift;

impl Monitor for PredictionDrift {
    type Config = Config;

    fn observe(config: Config, window: &Window, reference: Option<&Table>) -> Result<Vec<Finding>> {
        compare::observe(&config, Subject::Predictions, window, reference)
    }
}

wasmlops_sdk::export! { monitor: PredictionDrift }

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wasmlops_sdk::testing;

    use super::*;

    #[test]
    fn golden_cases() {
        testing::golden_cases("cases", |case| {
            let window = case.table("window").expect("the case has a window");
            let reference = case.table("reference");
            testing::observe::<PredictionDrift>(case.config(), window, reference.as_ref())
                .map(|findings| testing::render_findings(&findings))
        });
    }

    #[test]
    fn predictions_are_compared_and_nothing_else() {
        let table = |positive: usize| {
            let class = move |row: usize| if row % 10 < positive { "1" } else { "0" };
            let probability = move |row: usize| row as f64 / 400.0 + positive as f64 / 20.0;
            Table::from_columns([
                ("x", Column::from_f64((0..200).map(move |row| (row * positive) as f64))),
                ("prediction", Column::from_categories((0..200).map(class))),
                ("probability.1", Column::from_f64((0..200).map(probability))),
                ("label", Column::from_s64((0..200).map(move |_| positive as i64))),
            ])
        };
        let findings = testing::observe::<PredictionDrift>(json!({}), table(8), Some(&table(3))).unwrap();
        assert!(findings.iter().all(|finding| finding.signal == "prediction-drift"));
        let columns: Vec<_> = findings.iter().map(|f| (f.column.as_deref(), f.statistic.as_str(), f.found)).collect();
        assert_eq!(
            columns,
            [
                (Some("prediction"), "new_values", false),
                (Some("prediction"), "z", true),
                (Some("probability.1"), "ks", true),
                (None, "share_drifted", true)
            ]
        );
    }
}
