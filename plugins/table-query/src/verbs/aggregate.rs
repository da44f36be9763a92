//! `aggregate`: one row for each key, in the order in which keys first appear.

use std::rc::Rc;

use wasmlops_sdk::prelude::*;

use crate::config::Aggregate;
use crate::frame::Frame;
use crate::keys::Groups;
use crate::measures::{self, Computer};
use crate::plan::Planning;

/// A key and measures that exist and fit.
pub struct Aggregated {
    by: Vec<usize>,
    measures: Vec<measures::Planned>,
    schema: Schema,
}

impl Aggregated {
    pub fn plan(aggregate: &Aggregate, key: &str, planning: &mut Planning<'_>) -> Option<Self> {
        let by = planning.problems.columns(&planning.schema, &aggregate.by, &format!("{key}.by"));
        let measures =
            measures::plan(&aggregate.columns, &planning.schema, &format!("{key}.columns"), &mut planning.problems);
        let (by, measures) = (by?, measures?);
        if by.is_empty() && measures.is_empty() {
            planning.problems.add(key, "needs `by`, `columns` or both");
            return None;
        }
        let keys = by.iter().map(|&index| planning.schema.fields[index].clone());
        let mut fields: Vec<Field> = keys.collect();
        let mut fit = true;
        for (index, field) in measures.iter().map(|measure| &measure.field).enumerate() {
            if fields.iter().any(|other| other.name == field.name) {
                let problem = format!("gives the column `{}` twice\nhint: name it with `as`", field.name);
                planning.problems.add(format!("{key}.columns.{index}"), problem);
                fit = false;
            }
            fields.push(field.clone());
        }
        planning.schema = Schema::new(fields);
        fit.then(|| Self { by, measures, schema: planning.schema.clone() })
    }

    /// Without a key there is one row, even of no rows.
    pub fn run(&self, frame: &Frame, key: &str) -> Result<Frame> {
        let groups = Groups::of(&frame.columns_at(&self.by), frame.num_rows);
        let members = groups.members();
        let count = if self.by.is_empty() { 1 } else { groups.first.len() };
        let mut columns: Vec<Rc<Column>> =
            self.by.iter().map(|&index| Rc::new(frame.columns[index].take(&groups.first))).collect();
        for (index, measure) in self.measures.iter().enumerate() {
            let computer = Computer::new(measure, &frame.columns);
            let mut cells = computer.cells(count);
            for id in 0..count {
                let rows = if id < members.len() { members.get(id as u32) } else { &[] };
                let cell = computer.of(rows).map_err(|overflow| {
                    overflow.at(rows.first().copied().unwrap_or_default(), &format!("{key}.columns.{index}"))
                })?;
                cells.set(id, cell);
            }
            columns.push(Rc::new(computer.column(cells)));
        }
        Ok(Frame { schema: self.schema.clone(), columns, num_rows: count })
    }
}
