//! `join`: a hash join whose rows come in the order of this table, partners in the order of the other.

use std::rc::Rc;

use wasmlops_sdk::prelude::*;

use super::right::{Named, On, beside};
use crate::config::{How, Join};
use crate::frame::{Frame, NO_ROW, take_or_null};
use crate::keys::{Members, pair};
use crate::plan::Planning;

/// More rows than any memory of a guest holds.
const MOST_ROWS: usize = 1 << 30;

/// A join whose columns exist and fit.
pub struct Joined {
    pub with: String,
    on: On,
    how: How,
    unique: bool,
    added: Vec<(usize, Field)>,
}

impl Joined {
    pub fn plan(join: &Join, key: &str, planning: &mut Planning<'_>) -> Option<Self> {
        let other = planning.other(&join.with, &format!("{key}.with"))?;
        if join.on.is_empty() {
            planning.problems.add(format!("{key}.on"), "a join needs a key");
            return None;
        }
        let named = Named { left: &join.on, right: join.right_on.as_deref(), keys: ["on", "right_on"] };
        let on = On::plan(&named, &other, key, planning)?;
        let added = match join.how {
            How::Inner | How::Left => beside(&other, &on.right, &join.suffix, key, planning)?,
            How::Semi | How::Anti => Vec::new(),
        };
        planning.schema.fields.extend(added.iter().map(|(_, field)| field.clone()));
        Some(Self { with: join.with.clone(), on, how: join.how, unique: join.unique, added })
    }

    /// Errors: `invalid-input` for a key that stands twice where it must not; `exhausted` beyond 2^30 rows.
    pub fn run(&self, left: Frame, right: &Frame, key: &str) -> Result<Frame> {
        let (left_key, right_key) = (left.columns_at(&self.on.left), right.columns_at(&self.on.right));
        let (left_ids, right_ids, count) = pair(&left_key, &right_key, [left.num_rows, right.num_rows]);
        let partners = Members::of(&right_ids, count);
        if self.unique {
            self.check_unique(&partners, key)?;
        }
        if let How::Semi | How::Anti = self.how {
            let wanted = self.how == How::Semi;
            let has = |row: &usize| partners.get(left_ids[*row]).is_empty() != wanted;
            let rows: Vec<usize> = (0..left.num_rows).filter(has).collect();
            return Ok(left.take(&rows));
        }
        let (left_rows, right_rows) = self.pairs(&left_ids, &partners, key)?;
        let every_row_once =
            left_rows.len() == left.num_rows && left_rows.iter().enumerate().all(|(at, row)| at == *row);
        let mut joined = if every_row_once { left } else { left.take(&left_rows) };
        for (index, field) in &self.added {
            joined.put(field.clone(), Rc::new(take_or_null(&right.columns[*index], &right_rows)));
        }
        Ok(joined)
    }

    fn pairs(&self, left_ids: &[u32], partners: &Members, key: &str) -> Result<(Vec<usize>, Vec<usize>)> {
        let alone = usize::from(self.how == How::Left);
        let rows = left_ids.iter().map(|&id| partners.get(id).len().max(alone));
        let rows = rows.fold(0, usize::saturating_add);
        if rows > MOST_ROWS {
            let hint = "hint: the key stands in many rows of both tables; `aggregate` or `distinct` one of them first";
            let message = format!("the join has {rows} rows, and at most {MOST_ROWS} can be held\n{hint}");
            return Err(Error::new(ErrorCode::Exhausted, message).at(key));
        }
        let (mut left_rows, mut right_rows) = (Vec::with_capacity(rows), Vec::with_capacity(rows));
        for (row, &id) in left_ids.iter().enumerate() {
            let partners = partners.get(id);
            if partners.is_empty() && self.how == How::Left {
                left_rows.push(row);
                right_rows.push(NO_ROW);
            }
            left_rows.extend(std::iter::repeat_n(row, partners.len()));
            right_rows.extend_from_slice(partners);
        }
        Ok((left_rows, right_rows))
    }

    fn check_unique(&self, partners: &Members, key: &str) -> Result<()> {
        let twice = (0..partners.len()).map(|id| partners.get(id as u32)).filter(|rows| rows.len() > 1);
        let Some(first) = twice.clone().min_by_key(|rows| rows[1]) else { return Ok(()) };
        let [one, two, ..] = first else { return Ok(()) };
        let count = twice.count();
        let hint = "hint: `distinct` the other table first, or leave out `unique`";
        let with = &self.with;
        let message =
            format!("`{with}` has the same key in its rows {one} and {two}; so have {count} keys in all\n{hint}");
        Err(Error::invalid_input(message).at(format!("{key}.unique")))
    }
}
