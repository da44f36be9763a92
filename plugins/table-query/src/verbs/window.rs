//! `window`: values from earlier rows of the same key. A row never sees itself, nor rows at its own time.

use std::ops::Range;
use std::rc::Rc;

use wasmlops_sdk::prelude::*;

use crate::config::Window;
use crate::frame::{Frame, put_field};
use crate::keys::{Groups, Members, NO_KEY};
use crate::measures::{self, Computer, over_frames};
use crate::plan::Planning;
use crate::span::Distance;
use crate::timeline::Timeline;

/// A key, an order and measures that exist and fit.
pub struct Windowed {
    by: Vec<usize>,
    order: usize,
    rows: Option<usize>,
    within: Option<Distance>,
    measures: Vec<measures::Planned>,
}

impl Windowed {
    pub fn plan(window: &Window, key: &str, planning: &mut Planning<'_>) -> Option<Self> {
        let by = planning.problems.columns(&planning.schema, &window.by, &format!("{key}.by"));
        let order = planning.problems.column(&planning.schema, &window.order, &format!("{key}.order"));
        let measures =
            measures::plan(&window.columns, &planning.schema, &format!("{key}.columns"), &mut planning.problems);
        let fits = order.and_then(|order| {
            let data_type = planning.schema.fields[order].data_type;
            let key_of_order = format!("{key}.order");
            Timeline::check(data_type, &key_of_order, planning)?;
            Timeline::distance(window.within.as_ref(), data_type, &format!("{key}.within"), planning)
        });
        if window.rows == Some(0) {
            planning.problems.add(format!("{key}.rows"), "must be at least 1");
            return None;
        }
        let measures = measures.filter(|measures| names_are_free(measures, &format!("{key}.columns"), planning));
        let (by, order, within, measures) = (by?, order?, fits?, measures?);
        measures.iter().for_each(|measure| put_field(&mut planning.schema, measure.field.clone()));
        Some(Self { by, order, rows: window.rows, within, measures })
    }

    /// All rows in their order, with more columns; null where the order is null.
    pub fn run(&self, mut frame: Frame, key: &str) -> Result<Frame> {
        let groups = Groups::of(&frame.columns_at(&self.by), frame.num_rows);
        let order_column = frame.columns[self.order].clone();
        let times = Timeline::of(&order_column);
        let timed = groups.ids.iter().enumerate().map(|(row, &id)| if times.has(row) { id } else { NO_KEY });
        let mut members = Members::of(&timed.collect::<Vec<_>>(), groups.first.len());
        (0..members.len()).for_each(|id| members.get_mut(id).sort_by(|&a, &b| times.compare(a, &times, b)));
        let frames: Vec<Vec<Range<usize>>> =
            (0..members.len()).map(|id| self.frames(members.get(id as u32), &times)).collect();
        let mut added = Vec::new();
        for (index, measure) in self.measures.iter().enumerate() {
            let computer = Computer::new(measure, &frame.columns);
            let mut cells = computer.cells(frame.num_rows);
            for (id, frames) in frames.iter().enumerate() {
                let rows = members.get(id as u32);
                over_frames(&computer, rows, frames, |at, cell| cells.set(rows[at], cell))
                    .map_err(|(at, overflow)| overflow.at(rows[at], &format!("{key}.columns.{index}")))?;
            }
            added.push((measure.field.clone(), Rc::new(computer.column(cells))));
        }
        added.into_iter().for_each(|(field, column)| frame.put(field, column));
        Ok(frame)
    }

    /// For each of one key's rows, which come in their order, the rows that it looks at.
    fn frames(&self, rows: &[usize], times: &Timeline<'_>) -> Vec<Range<usize>> {
        let mut frames = Vec::with_capacity(rows.len());
        let (mut start, mut end) = (0, 0);
        for (at, &row) in rows.iter().enumerate() {
            if times.compare(rows[end], times, row).is_ne() {
                end = at;
            }
            if let Some(most) = self.within {
                while start < end && !times.is_within(row, times, rows[start], most) {
                    start += 1;
                }
            }
            let first = self.rows.map_or(0, |count| end.saturating_sub(count));
            frames.push(start.max(first)..end);
        }
        frames
    }
}

fn names_are_free(measures: &[measures::Planned], key: &str, planning: &mut Planning<'_>) -> bool {
    let mut free = true;
    for (index, measure) in measures.iter().enumerate() {
        let name = &measure.field.name;
        let taken = measures[..index].iter().any(|other| other.field.name == *name);
        if taken || planning.schema.index_of(name).is_some() {
            let problem = format!("there is a column `{name}` already\nhint: name it with `as`");
            planning.problems.add(format!("{key}.{index}"), problem);
            free = false;
        }
    }
    free
}
