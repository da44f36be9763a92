//! Puts the rows of several tables below each other, matching columns by name.
//!
//! Data goes one way: `config` (what the user wrote) → `plan` (the columns of the result and where each is found; pure)
//! → the batches written here.

mod config;
mod plan;

use wasmlops_sdk::prelude::*;

use config::Config;
use plan::{Plan, Source};

struct Concat;

impl Processor for Concat {
    type Config = Config;

    fn process(config: Config, inputs: &Inputs, outputs: &mut Outputs) -> Result<()> {
        let tables: Vec<(&str, &Table)> = inputs.iter().collect();
        let schemas: Vec<(&str, &Schema)> = tables.iter().map(|(name, table)| (*name, table.schema())).collect();
        let plan = Plan::make(&config, &schemas)?;
        let out = outputs.writer("table")?;
        out.start(&plan.schema)?;
        let total = tables.iter().map(|(_, table)| table.num_rows()).sum::<usize>();
        let mut done = 0;
        for ((_, table), sources) in tables.iter().zip(&plan.sources) {
            let all: Vec<usize> = (0..table.schema().fields.len()).collect();
            for batch in table.batches(&all) {
                let batch = batch?;
                let columns = plan.schema.fields.iter().zip(sources);
                let columns = columns.map(|(field, source)| column(field, *source, &batch)).collect();
                done += batch.num_rows;
                out.write(Batch::new(columns))?;
                progress::update(done as u64, Some(total as u64), "rows written");
            }
        }
        Ok(())
    }
}

fn column(field: &Field, source: Source, batch: &Batch) -> Column {
    match source {
        Source::Same(index) => batch.columns[index].clone(),
        Source::Converted(index) => {
            let column = &batch.columns[index];
            match field.data_type {
                DataType::F64 => Column::from_f64((0..batch.num_rows).map(|row| column.number(row))),
                _ => Column::from_text((0..batch.num_rows).map(|row| column.text(row))),
            }
        }
        Source::Nulls => {
            let mut nulls = ColumnBuilder::new(field.data_type);
            (0..batch.num_rows).for_each(|_| nulls.push_null());
            nulls.finish()
        }
    }
}

wasmlops_sdk::export! { processor: Concat }

#[cfg(test)]
mod tests;
