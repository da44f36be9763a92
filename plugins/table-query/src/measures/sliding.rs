//! A measure over frames that move forwards.

use std::collections::HashMap;
use std::ops::Range;

use super::cells::Cell;
use super::{Computer, NOTHING, Overflow, Partial};
use crate::config::Function;
use crate::keys::NO_KEY;

/// Gives `set` the value of each frame, a part of `rows`. Neither starts nor ends of frames go back.
pub fn over_frames(
    computer: &Computer<'_>,
    rows: &[usize],
    frames: &[Range<usize>],
    mut set: impl FnMut(usize, Cell),
) -> Result<(), (usize, Overflow)> {
    match computer.planned.function {
        Function::NUnique => {
            let mut counts = Counts::new(computer, rows);
            for (at, frame) in frames.iter().enumerate() {
                set(at, Cell::Whole(counts.of(frame)));
            }
        }
        Function::First | Function::Last | Function::Median | Function::Quantile => {
            for (at, frame) in frames.iter().enumerate() {
                set(at, computer.of(&rows[frame.clone()]).map_err(|overflow| (at, overflow))?);
            }
        }
        _ => {
            let mut queue = Queue { computer, rows, front: Vec::new(), back: NOTHING, split: 0, end: 0 };
            for (at, frame) in frames.iter().enumerate() {
                let partial = queue.of(frame);
                set(at, computer.finish(&partial).map_err(|overflow| (at, overflow))?);
            }
        }
    }
    Ok(())
}

/// What is known of the rows from `start` to `end`, as two stacks: rows leave at the front and come in at the back, and
/// nothing is ever subtracted, so that no precision is lost. Each row is joined twice in all.
struct Queue<'a> {
    computer: &'a Computer<'a>,
    rows: &'a [usize],
    /// For each row before `split` that is still in, the last one first: what is known from it up to `split`.
    front: Vec<Partial>,
    /// What is known from `split` to `end`.
    back: Partial,
    split: usize,
    end: usize,
}

impl Queue<'_> {
    fn of(&mut self, frame: &Range<usize>) -> Partial {
        while self.end < frame.end {
            self.back = self.computer.join(self.back, self.computer.one(self.rows[self.end]));
            self.end += 1;
        }
        if frame.start > self.split {
            self.front.clear();
            let mut known = NOTHING;
            for at in (frame.start..self.end).rev() {
                known = self.computer.join(self.computer.one(self.rows[at]), known);
                self.front.push(known);
            }
            self.split = self.end;
            self.back = NOTHING;
        }
        self.front.truncate(self.split - frame.start);
        self.computer.join(self.front.last().copied().unwrap_or(NOTHING), self.back)
    }
}

/// How often each value is in the frame.
struct Counts {
    ids: Vec<u32>,
    counts: HashMap<u32, u32>,
    now: Range<usize>,
}

impl Counts {
    fn new(computer: &Computer<'_>, rows: &[usize]) -> Self {
        let ids = rows.iter().map(|&row| computer.values.0[row]).collect();
        Self { ids, counts: HashMap::new(), now: 0..0 }
    }

    fn of(&mut self, frame: &Range<usize>) -> i64 {
        while self.now.end < frame.end {
            let id = self.ids[self.now.end];
            if id != NO_KEY {
                *self.counts.entry(id).or_default() += 1;
            }
            self.now.end += 1;
        }
        while self.now.start < frame.start.min(self.now.end) {
            let id = self.ids[self.now.start];
            self.now.start += 1;
            if id == NO_KEY {
                continue;
            }
            let count = self.counts.entry(id).or_default();
            *count = count.saturating_sub(1);
            if *count == 0 {
                self.counts.remove(&id);
            }
        }
        self.counts.len() as i64
    }
}
