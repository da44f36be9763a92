//! Splits a table into train, validation and test: every row goes to exactly one of them.
//!
//! Data goes one way: `config` (what the user wrote) → `plan` (which output each row goes to; pure) → the batches
//! written here. `random` is the only source of chance.

mod config;
mod plan;
mod random;

use wasmlops_sdk::prelude::*;

use config::Config;
use plan::{Part, Plan};

struct Split;

impl Processor for Split {
    type Config = Config;

    fn process(config: Config, inputs: &Inputs, outputs: &mut Outputs) -> Result<()> {
        let table = inputs.table("table")?;
        let plan = Plan::make(&config, table)?;
        let parts: &[Part] = match config.validation {
            Some(_) => &[Part::Train, Part::Validation, Part::Test],
            None => &[Part::Train, Part::Test],
        };
        for part in parts {
            outputs.writer(part.output())?.start(table.schema())?;
        }
        write(table, &plan, parts, outputs)
    }
}

/// One pass over the table; the rows keep their order inside each output.
fn write(table: &Table, plan: &Plan, parts: &[Part], outputs: &mut Outputs) -> Result<()> {
    let all: Vec<usize> = (0..table.schema().fields.len()).collect();
    let mut first = 0;
    for batch in table.batches(&all) {
        let batch = batch?;
        for &part in parts {
            let rows: Vec<usize> = (0..batch.num_rows).filter(|row| plan.part(first + row) == part).collect();
            if !rows.is_empty() {
                let columns = batch.columns.iter().map(|column| column.take(&rows)).collect();
                outputs.writer(part.output())?.write(Batch::new(columns))?;
            }
        }
        first += batch.num_rows;
        progress::update(first as u64, Some(table.num_rows() as u64), "rows written");
    }
    Ok(())
}

wasmlops_sdk::export! { processor: Split }

#[cfg(test)]
mod tests;
