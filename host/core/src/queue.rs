//! Which of the runs that wait is next: within the limits, by priority, fairly between pipelines, and nobody waits for
//! ever.
//!
//! Runs of one pipeline and one priority form a lane and go in the order in which they came. A lane's weight is its
//! priority, and one more for each [`AGEING`] that its first run has waited since the lane last had a turn. Of the lanes
//! whose pipeline may have one more run the weightiest is next; of several, the one whose turn is longest ago. So lanes
//! of equal priority take turns, whatever their length; and a lane that is passed over gains weight until it is not.
//!
//! Reads no clock: `now` is an argument. Knows nothing of stores; the door is [`Queue`].

use std::collections::{BTreeMap, BTreeSet};

use crate::config::Concurrency;
use crate::run::Micros;

/// How long a lane waits to be worth one priority more. From the lowest priority to the highest it is some half an hour.
pub const AGEING: Micros = 10_000_000;

/// The priorities that there are.
pub const PRIORITIES: std::ops::RangeInclusive<i32> = -100..=100;

/// A run that waits.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Waiting {
    pub run: String,
    pub pipeline: String,
    pub priority: i32,
    pub enqueued: Micros,
}

/// What waits, and what goes on.
#[derive(Clone, Debug)]
pub struct Queue {
    limits: Concurrency,
    lanes: BTreeMap<Lane, BTreeSet<(Micros, String)>>,
    /// When a lane last had a turn.
    turns: BTreeMap<Lane, Micros>,
    /// Runs that go on, by pipeline.
    running: BTreeMap<String, u32>,
}

#[derive(Clone, PartialEq, Eq, PartialOrd, Ord, Debug)]
struct Lane {
    pipeline: String,
    priority: i32,
}

impl Queue {
    pub fn new(limits: Concurrency) -> Self {
        Self { limits, lanes: BTreeMap::new(), turns: BTreeMap::new(), running: BTreeMap::new() }
    }

    /// Replaces what waits. What goes on and whose turn it was stay.
    pub fn load(&mut self, waiting: impl IntoIterator<Item = Waiting>) {
        self.lanes.clear();
        for Waiting { run, pipeline, priority, enqueued } in waiting {
            self.lanes.entry(Lane { pipeline, priority }).or_default().insert((enqueued, run));
        }
        self.turns.retain(|lane, _| self.lanes.contains_key(lane));
    }

    /// Takes out the run that is next and counts it among those that go on; [`Queue::ended`] takes it from them.
    pub fn next(&mut self, now: Micros) -> Option<Waiting> {
        if !self.has_room() {
            return None;
        }
        let eligible = self.lanes.iter().filter(|(lane, _)| self.has_room_for(&lane.pipeline));
        let best = eligible.max_by_key(|(lane, runs)| {
            let since = self.waits_since(lane, runs);
            (i64::from(lane.priority) + (now - since).max(0) / AGEING, std::cmp::Reverse(since))
        });
        let lane = best.map(|(lane, _)| lane.clone())?;
        let runs = self.lanes.get_mut(&lane)?;
        let (enqueued, run) = runs.pop_first()?;
        if runs.is_empty() {
            self.lanes.remove(&lane);
        }
        *self.running.entry(lane.pipeline.clone()).or_default() += 1;
        let Lane { pipeline, priority } = lane.clone();
        self.turns.insert(lane, now);
        Some(Waiting { run, pipeline, priority, enqueued })
    }

    /// A run of this pipeline no longer goes on.
    pub fn ended(&mut self, pipeline: &str) {
        if let Some(count) = self.running.get_mut(pipeline) {
            *count -= 1;
            if *count == 0 {
                self.running.remove(pipeline);
            }
        }
    }

    /// Runs that go on.
    pub fn running(&self) -> u32 {
        self.running.values().sum()
    }

    /// Whether one more run may go on.
    pub fn has_room(&self) -> bool {
        self.running() < self.limits.runs
    }

    /// Whether [`Queue::next`] would give a run.
    pub fn has_next(&self) -> bool {
        self.has_room() && self.lanes.keys().any(|lane| self.has_room_for(&lane.pipeline))
    }

    /// Runs that wait.
    pub fn len(&self) -> usize {
        self.lanes.values().map(BTreeSet::len).sum()
    }

    /// Whether nothing waits.
    pub fn is_empty(&self) -> bool {
        self.lanes.is_empty()
    }

    fn has_room_for(&self, pipeline: &str) -> bool {
        let running = self.running.get(pipeline).copied().unwrap_or_default();
        self.limits.pipelines.get(pipeline).is_none_or(|most| running < *most)
    }

    fn waits_since(&self, lane: &Lane, runs: &BTreeSet<(Micros, String)>) -> Micros {
        let enqueued = runs.first().map_or(Micros::MAX, |(enqueued, _)| *enqueued);
        self.turns.get(lane).map_or(enqueued, |turn| enqueued.max(*turn))
    }
}

#[cfg(test)]
mod tests;
