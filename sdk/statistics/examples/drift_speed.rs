//! Times the comparison of 100,000 × 30 numbers with as many, natively: `cargo run --release -p wasmlops-statistics
//! --example drift_speed`.

use std::time::Instant;

use wasmlops_sdk::{Column, Table, Window};
use wasmlops_statistics::compare::{self, Options, Subject};

const ROWS: usize = 100_000;
const COLUMNS: usize = 30;

fn table(seed: u64, shift: f64) -> Table {
    let mut state = seed;
    let mut random = || {
        state = state.wrapping_mul(6_364_136_223_846_793_005).wrapping_add(1_442_695_040_888_963_407);
        (state >> 11) as f64 / (1_u64 << 53) as f64
    };
    let names: Vec<String> = (0..COLUMNS).map(|column| format!("x{column}")).collect();
    let mut column = |_: &String| Column::from_f64((0..ROWS).map(|_| random() + random() + random() + shift));
    let columns: Vec<Column> = names.iter().map(&mut column).collect();
    Table::from_columns(names.iter().map(String::as_str).zip(columns))
}

fn main() {
    let reference = table(1, 0.0);
    for (what, shift, options) in
        [("the same, by default", 0.0, Options::default()), ("shifted, by default", 0.1, Options::default())]
    {
        let window = Window { rows: table(2, shift), start: None, end: None };
        let mut best = f64::INFINITY;
        for _ in 0..5 {
            let start = Instant::now();
            let findings = compare::observe(&options, Subject::Features, &window, Some(&reference));
            best = best.min(start.elapsed().as_secs_f64());
            assert_eq!(findings.expect("the tables fit").len(), COLUMNS + 1);
        }
        println!("{what}: {:.0} ms", 1000.0 * best);
    }
}
