//! Names columns that look like personal data, before they reach a trainer.
//!
//! Data goes one way: `config` (what the user wrote) → `scan` (one column, row by row) with `detect` (what one value
//! looks like) and `title` (what a column's title says) → `judge` → a report. No value leaves `scan`: a report holds
//! counts and forms.

mod config;
mod detect;
mod judge;
mod scan;
mod title;

use wasmlops_sdk::prelude::*;

use config::Config;

struct Privacy;

impl Validator for Privacy {
    type Config = Config;

    fn validate(config: Config, subject: &Subject) -> Result<Report> {
        let table = match subject {
            Subject::Table(table) => table,
            Subject::Evaluation(evaluation) => &evaluation.features,
        };
        let columns = judge::columns(&config, table.schema())?;
        let mut judge = judge::Judge::new(&config);
        for (done, &index) in columns.iter().enumerate() {
            let field = &table.schema().fields[index];
            judge.column(field, &scan::column(table, index, &config)?);
            progress::update(done as u64 + 1, Some(columns.len() as u64), &field.name);
        }
        metrics::emit("columns", columns.len() as f64)?;
        metrics::emit("personal_columns", judge.named() as f64)?;
        Ok(judge.into_report(columns.len()))
    }
}

wasmlops_sdk::export! { validator: Privacy }

#[cfg(test)]
mod tests;
