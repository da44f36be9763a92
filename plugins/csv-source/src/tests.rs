//! The plugin through its door: golden cases.

use wasmlops_sdk::testing::{self, golden_cases, table_to_csv};

use super::*;

/// A case is a `config.json` without `path`, `input.csv` (or another `path` that the config names) and `expected.txt`.
#[test]
fn cases() {
    golden_cases("cases", |case| {
        let mut config = case.config();
        let file = config.get("path").and_then(|path| path.as_str()).unwrap_or("input.csv").to_owned();
        config["path"] = case.path(&file).into();
        let (table, report) = testing::read::<CsvSource>(config)?;
        let notes =
            report.notes.iter().map(|note| format!("line {}: {}\n", note.line.unwrap_or_default(), note.message));
        let counts = format!("rows: {}, bad rows: {}\n", report.rows, report.bad_rows);
        Ok(counts + &notes.collect::<String>() + &table_to_csv(&table))
    });
}
