//! `distinct`.

use crate::config::{Distinct, Keep};
use crate::frame::Frame;
use crate::keys::Groups;
use crate::plan::Planning;

/// Columns that tell rows apart, and which of equal rows stays.
pub struct Unique {
    by: Vec<usize>,
    keep: Keep,
}

impl Unique {
    pub fn plan(distinct: &Distinct, key: &str, planning: &mut Planning<'_>) -> Option<Self> {
        let by = if distinct.by.is_empty() {
            (0..planning.schema.fields.len()).collect()
        } else {
            planning.problems.columns(&planning.schema, &distinct.by, &format!("{key}.by"))?
        };
        Some(Self { by, keep: distinct.keep })
    }

    /// The rows that stay keep their order.
    pub fn run(&self, frame: Frame) -> Frame {
        let groups = Groups::of(&frame.columns_at(&self.by), frame.num_rows);
        let rows = match self.keep {
            Keep::First => groups.first,
            Keep::Last => {
                let mut last = groups.first;
                groups.ids.iter().enumerate().for_each(|(row, id)| last[*id as usize] = row);
                last.sort_unstable();
                last
            }
        };
        if rows.len() == frame.num_rows { frame } else { frame.take(&rows) }
    }
}
