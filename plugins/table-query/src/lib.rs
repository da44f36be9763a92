//! Selects, filters, joins, aggregates and sorts tables.
//!
//! Data goes one way: `config` (what the user wrote) → `plan` (operations that fit the tables' columns, or everything
//! that does not) → `verbs` (each turns a `frame` into a frame) → the rows written here. `expression` is CEL over
//! columns, `keys` says which rows belong together, `measures` computes from several rows.

mod config;
mod expression;
mod frame;
mod keys;
mod measures;
mod order;
mod plan;
mod problems;
mod span;
mod timeline;
mod verbs;

use wasmlops_sdk::prelude::*;

use config::Config;
use frame::Frame;

struct TableQuery;

impl Processor for TableQuery {
    type Config = Config;

    fn process(config: Config, inputs: &Inputs, outputs: &mut Outputs) -> Result<()> {
        let table = inputs.table("table")?;
        let schemas: Vec<(&str, &Schema)> = inputs.iter().map(|(name, table)| (name, table.schema())).collect();
        let operations = plan::plan(&config, table.schema(), &schemas)?;
        let mut frame = Frame::read(table)?;
        for operation in &operations {
            frame = operation.run(frame, |name| Frame::read(inputs.table(name)?))?;
        }
        frame.write(outputs.writer("table")?)
    }
}

wasmlops_sdk::export! { processor: TableQuery }

#[cfg(test)]
mod tests;
