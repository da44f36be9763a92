//! The plugin through its door.

use serde_json::json;
use wasmlops_sdk::testing;

use super::*;

#[test]
fn golden_cases() {
    testing::golden_cases("cases", |case| {
        let rows = case.table("window").expect("the case has a window");
        let (start, end) = (Some(0), Some(60_000_000));
        let reference = case.table("reference");
        testing::observe_between::<LatencyAndErrors>(case.config(), &Window { rows, start, end }, reference.as_ref())
            .map(|findings| testing::render_findings(&findings))
    });
}

fn requests(latencies: impl IntoIterator<Item = f64>, failed: usize) -> Table {
    let latencies: Vec<f64> = latencies.into_iter().collect();
    let error = |row| (row < failed).then_some("model-trap");
    let errors: Vec<Option<&str>> = (0..latencies.len()).map(error).collect();
    Table::from_columns([("_latency_ms", Column::from_f64(latencies)), ("_error", Column::from_text(errors))])
}

/// numpy 2.4.6: `numpy.percentile(values, [50, 95, 99])` of 0, 1, 4, 9, …, 99².
#[test]
fn percentiles_are_numpys() {
    let squares = (0..100).map(|value| f64::from(value * value));
    let findings = testing::observe::<LatencyAndErrors>(json!({}), requests(squares, 0), None).unwrap();
    let values: Vec<f64> = findings.iter().map(|finding| finding.value).collect();
    for (value, expected) in values.iter().zip([2450.5, 8845.45, 9605.97, 0.0]) {
        assert!((value - expected).abs() < 1e-9, "{values:?}");
    }
    assert_eq!(findings.len(), 4, "a window by count has no rate");
}

#[test]
fn errors_are_found_by_default_and_latency_by_its_reference() {
    let window = || requests((0..200).map(|_| 30.0), 11);
    let found = |findings: Vec<Finding>| -> Vec<String> {
        findings.into_iter().filter(|finding| finding.found).map(|finding| finding.statistic).collect()
    };
    let by_default = testing::observe::<LatencyAndErrors>(json!({}), window(), None).unwrap();
    assert_eq!(found(by_default), ["error_rate"]);
    let config = json!({ "max": {}, "max_ratio": { "p50": 2.0, "p99": 4.0 } });
    let reference = requests((0..50).map(|_| 10.0), 0);
    let relative = testing::observe::<LatencyAndErrors>(config.clone(), window(), Some(&reference)).unwrap();
    assert_eq!(found(relative), ["p50"]);
    let training = Table::from_columns([("x", Column::from_f64([1.0]))]);
    let without = testing::observe::<LatencyAndErrors>(config, window(), Some(&training)).unwrap();
    assert!(without[0].message.ends_with("the reference has none to compare with") && !without[0].found);
}

#[test]
fn refuses_a_table_that_is_no_window() {
    let table = Table::from_columns([("x", Column::from_f64([1.0]))]);
    let refused = testing::observe::<LatencyAndErrors>(json!({}), table, None).unwrap_err();
    assert_eq!(refused.field.as_deref(), Some("window"));
}
