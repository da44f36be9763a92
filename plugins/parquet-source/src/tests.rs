//! The plugin through its door: golden cases, malformed files among them.

use wasmlops_sdk::testing::{self, golden_cases, table_to_csv};

use super::*;

/// A case is a `config.json` without `path`, `input.parquet` (or another `path` that the config names) and
/// `expected.txt`.
#[test]
fn cases() {
    golden_cases("cases", |case| {
        let mut config = case.config();
        let file = config.get("path").and_then(|path| path.as_str()).unwrap_or("input.parquet").to_owned();
        config["path"] = case.path(&file).into();
        let (table, report) = testing::read::<ParquetSource>(config)?;
        let place = |note: &Note| note.line.map_or_else(|| "note".to_owned(), |line| format!("line {line}"));
        let notes = report.notes.iter().map(|note| format!("{}: {}\n", place(note), note.message));
        let counts = format!("rows: {}, bad rows: {}\n", report.rows, report.bad_rows);
        Ok(counts + &notes.collect::<String>() + &table_to_csv(&table))
    });
}
