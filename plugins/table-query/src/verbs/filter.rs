//! `filter`.

use wasmlops_sdk::prelude::*;

use crate::expression::Expression;
use crate::frame::Frame;
use crate::plan::Planning;

/// A condition on rows.
pub struct Filtered(Expression);

impl Filtered {
    pub fn plan(condition: &str, key: &str, planning: &mut Planning<'_>) -> Option<Self> {
        match Expression::condition(condition, &planning.schema) {
            Ok(condition) => Some(Self(condition)),
            Err(wrong) => {
                wrong.into_iter().for_each(|problem| planning.problems.add(key, problem));
                None
            }
        }
    }

    /// Null is not true.
    pub fn run(&self, frame: Frame, key: &str) -> Result<Frame> {
        let holds = self.0.evaluate(&frame).map_err(|error| error.at(key))?;
        let rows: Vec<usize> = (0..frame.num_rows).filter(|&row| holds.bool(row) == Some(true)).collect();
        Ok(if rows.len() == frame.num_rows { frame } else { frame.take(&rows) })
    }
}
