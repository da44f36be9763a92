//! The round: what is due, what waits, what is to be made up for.

use std::collections::HashMap;
use std::time::{Duration, Instant};

use tokio::sync::watch;
use tokio::task::JoinSet;
use wasmlops_core::run::Micros;
use wasmlops_store::ScheduleRow;

use super::fire::{self, Fired};
use super::template::Templates;
use super::{backfill, known};
use crate::error::{Error, Result};
use crate::host::Host;
use crate::runs;

/// The longest wait between two rounds: so soon is it seen that a clock was moved, or that a schedule was changed from
/// the command line.
const LONGEST_WAIT: Duration = Duration::from_secs(1);

/// Schedules read in one go.
const PAGE: u32 = 512;

/// Schedules decided at the same time, whose transactions share a commit. More would let requests wait for longer.
const AT_ONCE: usize = 64;

/// A clock that says so much more than has passed was moved, or the machine slept.
const JUMP: Micros = 30_000_000;

/// The service that fires schedules and goes on with backfills. One for a host.
pub struct Service {
    host: Host,
    templates: Templates,
    watch: Watch,
    /// What was said of a schedule that could not be decided, so that it is said once.
    told: HashMap<String, String>,
}

/// What one round came to.
#[derive(Clone, Copy, PartialEq, Eq, Default, Debug)]
pub struct Round {
    /// Runs that were submitted.
    pub submitted: usize,
    /// Schedules that could not be decided, and will be looked at again.
    pub failed: usize,
}

/// Since when nothing was missed.
struct Watch {
    since: Micros,
    /// The last look: by the host's clock, and by one that nobody moves.
    last: (Micros, Instant),
}

impl Service {
    pub fn new(host: &Host) -> Self {
        let now = host.clock.now();
        Self {
            host: host.clone(),
            templates: Templates::default(),
            watch: Watch { since: now, last: (now, Instant::now()) },
            told: HashMap::new(),
        }
    }

    /// Runs until `shutdown` turns true. A round under way then is finished first.
    pub async fn run(mut self, mut shutdown: watch::Receiver<bool>) {
        let mut is_known = false;
        while !*shutdown.borrow() {
            if !is_known {
                is_known = self.begin().await.inspect_err(|error| self.complain("", error)).is_ok();
            }
            if let Err(error) = self.round().await {
                self.complain("", &error);
            }
            let wait = self.wait().await;
            tokio::select! {
                () = tokio::time::sleep(wait) => {}
                // Nobody is left who could say it: then it is over.
                changed = shutdown.changed() => if changed.is_err() { return },
            }
        }
    }

    /// Makes the schedules of the file known. Called before the first round.
    pub async fn begin(&mut self) -> Result<()> {
        let names = self.host.project.pipeline_names();
        for schedule in &self.host.project.schedules {
            if !names.contains(&schedule.pipeline.value) {
                let (name, pipeline) = (&schedule.name.value, &schedule.pipeline.value);
                tracing::warn!(schedule = %name, "the schedule runs the pipeline `{pipeline}`, which does not exist");
            }
        }
        known::bring_up_to_date(&self.host, "system:schedules").await
    }

    /// Decides everything that is due now, once.
    pub async fn round(&mut self) -> Result<Round> {
        let now = self.host.clock.now();
        self.watch.look(now);
        self.templates.begin_round();
        let mut round = Round::default();
        self.fire_due(now, &mut round).await?;
        self.release(&mut round).await?;
        backfill::go_on(&self.host, &mut self.templates, &mut round).await?;
        if round.submitted > 0 {
            self.host.store.barrier().await?;
            runs::wake(&self.host);
        }
        Ok(round)
    }

    async fn fire_due(&mut self, now: Micros, round: &mut Round) -> Result<()> {
        let host = self.host.clone();
        let configured: HashMap<&str, usize> =
            host.project.schedules.iter().enumerate().map(|(at, known)| (known.name.value.as_str(), at)).collect();
        let mut after = (Micros::MIN, String::new());
        loop {
            let rows = host.store.due_schedules(now, after.clone(), PAGE).await?;
            let Some(last) = rows.last() else { return Ok(()) };
            after = (last.next_due.unwrap_or(now), last.name.clone());
            for rows in rows.chunks(AT_ONCE) {
                let known = rows.iter().filter_map(|row| Some((row, *configured.get(row.name.as_str())?)));
                self.fire_together(known.map(|(row, at)| (row.clone(), at)).collect(), now, round).await;
                // Requests come first for a moment.
                tokio::task::yield_now().await;
            }
        }
    }

    async fn fire_together(&mut self, rows: Vec<(ScheduleRow, usize)>, now: Micros, round: &mut Round) {
        let mut tasks = JoinSet::new();
        for (row, at) in rows {
            let host = self.host.clone();
            let template = self.templates.get(&host, &host.project.schedules[at]).await;
            let watched = self.watch.since;
            tasks.spawn(async move {
                let schedule = &host.project.schedules[at];
                let fired = fire::decide(&host, Fired { schedule, row: &row, template, watched, now }).await;
                (row.name, fired)
            });
        }
        while let Some(ended) = tasks.join_next().await {
            match ended {
                Ok((name, Ok(submitted))) => {
                    round.submitted += submitted;
                    self.told.remove(&name);
                }
                Ok((name, Err(error))) => {
                    round.failed += 1;
                    self.complain(&name, &error);
                }
                Err(error) => {
                    round.failed += 1;
                    self.complain("", &Error::bug(error));
                }
            }
        }
    }

    /// Lets go what waited for runs that have ended by now.
    async fn release(&mut self, round: &mut Round) -> Result<()> {
        for (name, nominal) in self.host.store.waiting_times(PAGE).await? {
            let Some(schedule) = self.host.project.schedules.iter().find(|known| known.name.value == name) else {
                continue;
            };
            let template = self.templates.get(&self.host, schedule).await;
            match fire::release(&self.host, schedule, nominal, template).await {
                Ok(submitted) => round.submitted += usize::from(submitted),
                Err(error) => {
                    round.failed += 1;
                    self.complain(&name, &error);
                }
            }
        }
        Ok(())
    }

    /// Until the next schedule is due, within bounds.
    async fn wait(&self) -> Duration {
        let Ok(Some(next)) = self.host.store.next_due().await else { return LONGEST_WAIT };
        let micros = u64::try_from(next.saturating_sub(self.host.clock.now())).unwrap_or_default();
        // What could not be decided is due still; it is not tried without a pause.
        Duration::from_micros(micros).clamp(Duration::from_millis(20), LONGEST_WAIT)
    }

    fn complain(&mut self, schedule: &str, error: &Error) {
        let text = error.to_string();
        if self.told.insert(schedule.to_owned(), text.clone()).as_ref() != Some(&text) {
            tracing::error!(%schedule, "what is due could not be decided: {text}");
        }
    }
}

impl Watch {
    fn look(&mut self, now: Micros) {
        let (last, at) = self.last;
        let passed = Micros::try_from(at.elapsed().as_micros()).unwrap_or(Micros::MAX);
        if now.saturating_sub(last) > passed.saturating_add(JUMP) {
            self.since = now;
        }
        // A clock that went back shows times again: they are watched.
        self.since = self.since.min(now);
        self.last = (now, Instant::now());
    }
}
