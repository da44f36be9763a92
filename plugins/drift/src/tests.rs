//! The plugin through its door: golden cases, and statistics against scipy's.

use std::collections::BTreeMap;

use serde::Deserialize;
use serde_json::{Value, json};
use wasmlops_sdk::testing;

use super::*;

#[test]
fn golden_cases() {
    testing::golden_cases("cases", |case| {
        let window = case.table("window").expect("the case has a window");
        let reference = case.table("reference");
        testing::observe::<Drift>(case.config(), window, reference.as_ref())
            .map(|findings| testing::render_findings(&findings))
    });
}

/// `tests/data/vectors.json`.
#[derive(Deserialize)]
struct Vectors {
    made_with: String,
    cases: Vec<Vector>,
}

#[derive(Deserialize)]
struct Vector {
    name: String,
    reference: Values,
    window: Values,
    /// By statistic.
    expected: BTreeMap<String, f64>,
}

/// Values as they are, or the rule that makes them.
#[derive(Deserialize)]
#[serde(untagged)]
enum Values {
    Texts(Vec<Option<String>>),
    Numbers(Vec<Option<f64>>),
    Lattice(Lattice),
}

/// `rows` numbers low + scale · (row · step mod rows) / rows, raised to `power`, and rounded down to multiples of
/// `grain` where it is not 0: the same in every language.
#[derive(Deserialize)]
struct Lattice {
    rows: u64,
    step: u64,
    low: f64,
    scale: f64,
    power: i32,
    grain: f64,
}

impl Values {
    fn column(&self) -> Column {
        match self {
            Values::Texts(texts) => Column::from_categories(texts.iter().map(Option::as_deref)),
            Values::Numbers(numbers) => Column::from_f64(numbers.iter().copied()),
            Values::Lattice(lattice) => Column::from_f64((0..lattice.rows).map(|row| lattice.value(row))),
        }
    }
}

impl Lattice {
    fn value(&self, row: u64) -> f64 {
        let part = (row * self.step % self.rows) as f64 / self.rows as f64;
        let powered = (1..self.power).fold(part, |product, _| product * part);
        let value = self.low + self.scale * powered;
        if self.grain > 0.0 { (value / self.grain).floor() * self.grain } else { value }
    }
}

#[test]
fn agrees_with_scipy() {
    let vectors: Vectors = serde_json::from_str(include_str!("../tests/data/vectors.json")).unwrap();
    assert!(vectors.made_with.contains("scipy 1.17") && !vectors.cases.is_empty());
    for Vector { name, reference, window, expected } in vectors.cases {
        let reference = Table::from_columns([("x", reference.column())]);
        for (statistic, expected) in expected {
            let window = Table::from_columns([("x", window.column())]);
            let found = measured(&statistic, window, &reference);
            let difference = (found.value - expected).abs();
            let shown = format!("{name}: {statistic} is {:e}, and scipy says {expected:e}", found.value);
            assert!(difference <= 1e-9 * expected.abs().max(1.0), "{shown}");
            // Small probabilities to nine digits too.
            assert!(difference <= 1e-9 * expected.abs() || expected < 1e-12, "{shown}");
        }
    }
}

fn measured(statistic: &str, window: Table, reference: &Table) -> Finding {
    let config: Value = json!({ "per_column": { "x": { "statistic": statistic } }, "min_rows": 1 });
    let findings = testing::observe::<Drift>(config, window, Some(reference)).unwrap();
    findings.into_iter().find(|finding| finding.statistic == statistic).expect("the statistic that was asked for")
}
