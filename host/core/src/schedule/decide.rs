//! What becomes of the nominal times that are due: the policies for overlap, for catching up, and for the clock.

use super::{Calendar, MOST_AT_ONCE, MOST_WAITING, jitter};
use crate::config::{CatchUp, Overlap, SchedulePolicy};
use crate::run::Micros;

/// All that a decision depends on.
#[derive(Clone, Copy, Debug)]
pub struct Schedule<'a> {
    pub name: &'a str,
    pub calendar: &'a Calendar,
    pub policy: SchedulePolicy,
}

/// What was decided before, and what is under way.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct State {
    /// The last nominal time that was decided, or the time at which the schedule was made. Only times after it are
    /// decided, so that a clock that goes back makes nothing fire twice.
    pub cursor: Micros,
    /// Since when the schedule has been watched without a break. What fell due before was missed.
    pub watched: Micros,
    pub load: Load,
}

/// What the schedule started and has not ended; backfills do not count.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Load {
    pub active: u32,
    /// Nominal times that wait for an earlier run.
    pub waiting: u32,
}

/// What becomes of one nominal time, or of a span of them.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Decision {
    /// A run is submitted.
    Fire { nominal: Micros },
    /// Whatever the schedule has under way or waiting is ended, then a run is submitted.
    Replace { nominal: Micros },
    /// A run will be submitted when the earlier ones have ended.
    Wait { nominal: Micros },
    /// No run.
    Skip { nominal: Micros, why: SkipReason },
    /// Nominal times from `first` on and before `until` passed while nobody watched, and are not made up for.
    Missed { first: Micros, until: Micros },
}

#[derive(Clone, Copy, PartialEq, Eq, Debug, thiserror::Error)]
pub enum SkipReason {
    #[error("an earlier run was still under way")]
    Overlap,
    #[error("a later time was due as well, and replaces it")]
    Replaced,
    #[error("{MOST_WAITING} earlier times were waiting")]
    TooManyWaiting,
}

#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Verdict {
    /// In the order of their times.
    pub decisions: Vec<Decision>,
    /// The new cursor, never before the old one.
    pub cursor: Micros,
    /// When to look at the schedule again: the next nominal time, later by its jitter.
    pub next: Option<Micros>,
}

/// Decides what is due at `now`. The caller puts the decisions and the cursor into effect in one transaction.
pub fn due(schedule: Schedule<'_>, state: State, now: Micros) -> Verdict {
    let keep = match schedule.policy.catch_up {
        CatchUp::Skip => 0,
        CatchUp::Latest => 1,
        CatchUp::All(most) => most as usize,
    };
    let due_at = |nominal: &Micros| nominal.saturating_add(jitter(schedule.name, *nominal, schedule.policy.jitter));
    let (mut times, cut) = schedule.calendar.last(state.cursor, now, keep.saturating_add(MOST_AT_ONCE));
    // In their own order: one that is not due yet holds back those after it.
    times.truncate(times.iter().take_while(|nominal| due_at(nominal) <= now).count());
    let cursor = times.last().copied().unwrap_or(state.cursor);
    let next = schedule.calendar.next_after(cursor).map(|nominal| due_at(&nominal));

    let missed = times.iter().take_while(|nominal| due_at(nominal) < state.watched).count();
    let left_out = missed.saturating_sub(keep);
    let mut decisions = Vec::new();
    if cut || left_out > 0 {
        let first = schedule.calendar.next_after(state.cursor).unwrap_or(state.cursor);
        let until = times.get(left_out).copied().unwrap_or(cursor.saturating_add(1));
        decisions.push(Decision::Missed { first, until });
    }
    let mut load = state.load;
    let kept = times.get(left_out..).unwrap_or_default();
    for (at, nominal) in kept.iter().copied().enumerate() {
        let made_up = at < missed - left_out && matches!(schedule.policy.catch_up, CatchUp::All(_));
        let overlap = if made_up { Overlap::Queue } else { schedule.policy.overlap };
        let decision = decide(nominal, overlap, load, at + 1 == kept.len());
        match decision {
            Decision::Fire { .. } => load.active += 1,
            Decision::Wait { .. } => load.waiting += 1,
            Decision::Replace { .. } => load = Load { active: 1, waiting: 0 },
            Decision::Skip { .. } | Decision::Missed { .. } => {}
        }
        decisions.push(decision);
    }
    Verdict { decisions, cursor, next }
}

/// When the schedule is to be looked at for the first time after `cursor`.
pub fn first_look(schedule: Schedule<'_>, cursor: Micros) -> Option<Micros> {
    let nominal = schedule.calendar.next_after(cursor)?;
    Some(nominal.saturating_add(jitter(schedule.name, nominal, schedule.policy.jitter)))
}

fn decide(nominal: Micros, overlap: Overlap, load: Load, is_last: bool) -> Decision {
    if load == Load::default() {
        return Decision::Fire { nominal };
    }
    match overlap {
        Overlap::Skip => Decision::Skip { nominal, why: SkipReason::Overlap },
        Overlap::Queue if load.waiting >= MOST_WAITING => Decision::Skip { nominal, why: SkipReason::TooManyWaiting },
        Overlap::Queue => Decision::Wait { nominal },
        Overlap::Replace if is_last => Decision::Replace { nominal },
        // What would be ended at once need not begin.
        Overlap::Replace => Decision::Skip { nominal, why: SkipReason::Replaced },
    }
}
