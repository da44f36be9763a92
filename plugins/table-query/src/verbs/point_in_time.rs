//! `point_in_time_join`: what was known of a row's key at the row's time, and nothing of what came later.

use std::rc::Rc;

use wasmlops_sdk::prelude::*;

use super::right::{Named, On, beside};
use crate::config::PointInTimeJoin;
use crate::frame::{Frame, NO_ROW, take_or_null};
use crate::keys::{Members, pair};
use crate::plan::Planning;
use crate::span::Distance;
use crate::timeline::Timeline;

/// A join whose columns exist and fit.
pub struct PointInTime {
    pub with: String,
    by: On,
    /// The columns of times in both tables.
    times: [usize; 2],
    tolerance: Option<Distance>,
    strictly_before: bool,
    added: Vec<(usize, Field)>,
}

impl PointInTime {
    pub fn plan(join: &PointInTimeJoin, key: &str, planning: &mut Planning<'_>) -> Option<Self> {
        let other = planning.other(&join.with, &format!("{key}.with"))?;
        let named = Named { left: &join.by, right: join.right_by.as_deref(), keys: ["by", "right_by"] };
        let by = On::plan(&named, &other, key, planning);
        let left = planning.problems.column(&planning.schema, &join.time, &format!("{key}.time"));
        let right_time = join.right_time.as_ref().unwrap_or(&join.time);
        let right_key = if join.right_time.is_some() { "right_time" } else { "time" };
        let right = planning.problems.column(&other, right_time, &format!("{key}.{right_key}"));
        let times = [left?, right?];
        let given = planning.schema.fields[times[0]].data_type;
        let there = other.fields[times[1]].data_type;
        let fits = Timeline::check(given, &format!("{key}.time"), planning);
        if given != there {
            let problem = format!("is {} here and {} in the other table", given.name(), there.name());
            planning.problems.add(format!("{key}.{right_key}"), problem);
            return None;
        }
        fits?;
        let tolerance = Timeline::distance(join.tolerance.as_ref(), given, &format!("{key}.tolerance"), planning)?;
        let by = by?;
        let added = beside(&other, &by.right, &join.suffix, key, planning)?;
        planning.schema.fields.extend(added.iter().map(|(_, field)| field.clone()));
        let strictly_before = join.strictly_before;
        Some(Self { with: join.with.clone(), by, times, tolerance, strictly_before, added })
    }

    /// All rows of this table, in their order.
    pub fn run(&self, mut left: Frame, right: &Frame) -> Result<Frame> {
        let rows = self.partners(&left, right);
        for (index, field) in &self.added {
            left.put(field.clone(), Rc::new(take_or_null(&right.columns[*index], &rows)));
        }
        Ok(left)
    }

    /// For each row of this table the row of the other, or [`NO_ROW`]. Of several at the same time it is the last.
    fn partners(&self, left: &Frame, right: &Frame) -> Vec<usize> {
        let (left_key, right_key) = (left.columns_at(&self.by.left), right.columns_at(&self.by.right));
        let (left_ids, right_ids, count) = pair(&left_key, &right_key, [left.num_rows, right.num_rows]);
        let count = if right.num_rows == 0 { 0 } else { count };
        let here = Timeline::of(&left.columns[self.times[0]]);
        let there = Timeline::of(&right.columns[self.times[1]]);
        let timed: Vec<u32> = right_ids
            .iter()
            .enumerate()
            .map(|(row, &id)| if there.has(row) { id } else { crate::keys::NO_KEY })
            .collect();
        let mut members = Members::of(&timed, count);
        (0..members.len()).for_each(|id| members.get_mut(id).sort_by(|&a, &b| there.compare(a, &there, b)));
        let partner = |row: usize| {
            let id = left_ids[row];
            if !here.has(row) || (id as usize) >= members.len() {
                return None;
            }
            let candidates = members.get(id);
            let known = candidates.partition_point(|&candidate| {
                let order = there.compare(candidate, &here, row);
                order.is_lt() || (order.is_eq() && !self.strictly_before)
            });
            let last = candidates[..known].last().copied()?;
            self.tolerance.is_none_or(|most| here.is_within(row, &there, last, most)).then_some(last)
        };
        (0..left.num_rows).map(|row| partner(row).unwrap_or(NO_ROW)).collect()
    }
}
