//! What the store keeps of a run: events, and the rows that people and programs read.

mod words;

use std::collections::{BTreeSet, HashMap};

use wasmlops_core::cache_key::KeyParts;
use wasmlops_core::call::Usage;
use wasmlops_core::diagnostics::{Diagnostic, Source};
use wasmlops_core::graph::{BoundStep, StepKey, StepKind};
use wasmlops_core::lineage;
use wasmlops_core::plan::Verdict;
use wasmlops_core::run::{Action, Event, Micros, Phase, Run, RunStatus, StepState};
use wasmlops_package::Digest;
use wasmlops_store::{
    CacheEntryRow, CacheOutcome, Direction, Edge, MetricPoint, NewApproval, NewEvents, OutputRow, RunChange, Stamp,
    StepRow, Store,
};

use super::Drive;
use super::attempt::{Ran, STOPPED_EARLY};
use crate::error::{Error, Result};
use crate::view::{StepView, diagnose};

use words::{ended, finish, row_status, step_of, step_status};

pub(super) struct Journal {
    run: String,
    actor: String,
    next_seq: i64,
    source: Option<Source>,
    notes: HashMap<StepKey, Note>,
    polled: Micros,
    /// Whether the store has the run as waiting.
    waiting: bool,
    nominal_time: Micros,
}

/// What is known of a step beyond the state machine.
#[derive(Default)]
struct Note {
    cache: Option<CacheOutcome>,
    reason: Option<String>,
    parts: Option<KeyParts>,
    started: Option<Micros>,
    ended: Option<Micros>,
    usage: Option<Usage>,
    points: Vec<MetricPoint>,
    /// The nominal time, where the guest asked for it.
    clock: Option<Micros>,
    /// What an approval is about to ask.
    asks: Option<NewApproval>,
}

impl Journal {
    pub fn new(drive: &Drive) -> Self {
        Self {
            run: drive.id.clone(),
            actor: drive.actor.clone(),
            next_seq: drive.next_seq,
            source: drive.source.clone(),
            notes: HashMap::new(),
            polled: 0,
            waiting: drive.run.status() == RunStatus::Waiting,
            nominal_time: drive.nominal_time,
        }
    }

    /// What an earlier process knew of the steps that wait for a person: they go on where they are.
    pub async fn restore(&mut self, drive: &Drive) -> Result<()> {
        let waiting: BTreeSet<&str> = drive.run.awaiting().map(|(step, _)| step.as_str()).collect();
        if waiting.is_empty() {
            return Ok(());
        }
        for row in drive.host.store.steps(&self.run).await? {
            if waiting.contains(row.step_key.as_str()) {
                let parts = row.key_parts.as_deref().and_then(|text| serde_json::from_str(text).ok());
                let (cache, reason, started) = (Some(row.cache), row.reason, row.started);
                let note = Note { cache, reason, parts, started, ..Note::default() };
                self.notes.insert(StepKey::new(row.step_key), note);
            }
        }
        Ok(())
    }

    /// What the step asks with its next event.
    pub fn asks(&mut self, step: &StepKey, approval: NewApproval) {
        self.notes.entry(step.clone()).or_default().asks = Some(approval);
    }

    /// Somebody in another process asks through the store, which need not be read at every turn.
    pub fn is_time_to_poll(&mut self, now: Micros) -> bool {
        const EVERY: Micros = 200_000;
        let due = now - self.polled >= EVERY;
        if due {
            self.polled = now;
        }
        due
    }

    pub fn key(&self, step: &StepKey) -> Option<Digest> {
        self.notes.get(step)?.parts.as_ref().map(KeyParts::key)
    }

    pub fn judged(&mut self, step: &StepKey, parts: KeyParts, verdict: &Verdict) {
        let note = self.notes.entry(step.clone()).or_default();
        let (cache, reason) = match verdict {
            Verdict::Hit(entry) => (CacheOutcome::Hit, format!("unchanged since run {}", short(&entry.run))),
            Verdict::Miss(reason) => (CacheOutcome::Miss, reason.text.clone()),
            Verdict::Off(reason) => (CacheOutcome::Off, reason.text.clone()),
            Verdict::Resolved(resolution) => (CacheOutcome::Hit, resolution.reason()),
        };
        if let Verdict::Hit(entry) = verdict {
            note.clock = entry.clock;
        }
        note.parts = Some(parts);
        note.cache = Some(cache);
        note.reason = Some(reason);
    }

    /// Turns what became of an attempt into the event.
    pub fn ran(&mut self, step: StepKey, ran: Ran) -> Event {
        let note = self.notes.entry(step.clone()).or_default();
        note.ended = Some(ran.ended);
        note.clock = ran.usage.clock_read.then_some(self.nominal_time);
        note.usage = Some(ran.usage);
        note.points = ran.points;
        match ran.failure {
            None => Event::AttemptSucceeded { step, outputs: ran.outputs, metrics: ran.metrics },
            Some(failure) if failure.code == "cancelled" => Event::AttemptCancelled { step },
            Some(failure) if failure.code == STOPPED_EARLY => {
                note.reason = Some(failure.message);
                Event::AttemptCancelled { step }
            }
            Some(failure) => Event::AttemptFailed { step, failure, outputs: ran.outputs, metrics: ran.metrics },
        }
    }

    /// Times that the event itself gives.
    pub fn note(&mut self, event: &Event, now: Micros) {
        match event {
            Event::Hit { step, metrics, .. } => {
                let point = |(name, value): (&String, &f64)| MetricPoint {
                    step_key: step.to_string(),
                    key: name.clone(),
                    value: *value,
                    step: 0,
                    time: now,
                };
                let note = self.notes.entry(step.clone()).or_default();
                note.started = Some(now);
                note.ended = Some(now);
                note.points = metrics.0.iter().map(point).collect();
            }
            Event::AttemptStarted { step } | Event::ApprovalRequested { step, .. } => {
                let note = self.notes.entry(step.clone()).or_default();
                note.started = Some(now);
                note.ended = None;
                note.usage = None;
            }
            Event::AttemptFailed { step, .. }
            | Event::AttemptCancelled { step }
            | Event::Approved { step, .. }
            | Event::Rejected { step, .. }
            | Event::Expired { step, .. } => {
                self.notes.entry(step.clone()).or_default().ended.get_or_insert(now);
            }
            _ => {}
        }
    }

    /// Events, and everything that they change, in one transaction.
    pub async fn commit(
        &mut self,
        store: &Store,
        run: &Run,
        events: &[Event],
        actions: &[Action],
        now: Micros,
    ) -> Result<()> {
        let mut change = RunChange::default();
        let touched: BTreeSet<&StepKey> =
            events.iter().filter_map(step_of).chain(actions.iter().filter_map(ended)).collect();
        for step in touched {
            self.add_step(run, step, now, &mut change)?;
        }
        if events.contains(&Event::Started) {
            change.status = Some(wasmlops_store::RunStatus::Running);
            change.started = Some(now);
        } else if events.contains(&Event::Resumed) {
            change.status = Some(wasmlops_store::RunStatus::Running);
        }
        if self.waiting != (run.status() == RunStatus::Waiting) {
            change.status = Some(row_status(run.status()));
        }
        self.add_approvals(run, events, actions, &mut change);
        if let Some(status) = actions.iter().find_map(finish) {
            change.status = Some(row_status(status));
            change.ended = Some(now);
        }
        let texts: Result<Vec<String>, _> = events.iter().map(serde_json::to_string).collect();
        let new = NewEvents {
            run: self.run.clone(),
            expected_next_seq: self.next_seq,
            events: texts.map_err(Error::bug)?,
            change,
            stamp: Stamp { time: now, actor: self.actor.clone() },
        };
        self.next_seq = store.append_events(new).await?;
        self.waiting = run.status() == RunStatus::Waiting;
        Ok(())
    }

    /// What is asked with these events, and what is asked no longer.
    fn add_approvals(&mut self, run: &Run, events: &[Event], actions: &[Action], change: &mut RunChange) {
        for event in events {
            match event {
                Event::ApprovalRequested { step, .. } => {
                    change.approvals.extend(self.notes.get_mut(step).and_then(|note| note.asks.take()));
                }
                Event::Approved { step, .. } | Event::Rejected { step, .. } | Event::Expired { step, .. } => {
                    change.settled.push(step.to_string());
                }
                _ => {}
            }
        }
        let ended = actions.iter().filter_map(ended).filter(|step| run.step(step).kind == StepKind::Approval);
        change.settled.extend(ended.map(ToString::to_string));
    }

    fn add_step(&mut self, run: &Run, key: &StepKey, now: Micros, change: &mut RunChange) -> Result<()> {
        let (step, state) = (run.step(key), run.state(key));
        let position = run.graph().steps.iter().position(|known| known.key == *key).unwrap_or_default();
        change.steps.push(self.row(run, step, state, position)?);
        let note = self.notes.entry(key.clone()).or_default();
        change.metrics.append(&mut note.points);
        for (name, output) in &state.outputs {
            change.outputs.push(OutputRow {
                step_key: key.to_string(),
                name: name.clone(),
                digest: output.digest,
                media_type: output.media_type.clone(),
                size: signed(output.size),
                rows: output.rows.map(signed),
            });
        }
        let Some(parts) = note.parts.as_ref().filter(|_| state.phase.is_final()) else { return Ok(()) };
        for fact in lineage::facts(step, parts, &state.outputs) {
            change.lineage.push(Edge {
                step_key: key.to_string(),
                attempt: i64::from(state.attempts),
                direction: match fact.direction {
                    lineage::Direction::Used => Direction::Used,
                    lineage::Direction::Made => Direction::Made,
                },
                role: fact.role,
                digest: fact.digest,
            });
        }
        // What is registered is asked of the registry, not of the cache.
        if state.phase == Phase::Succeeded && !state.hit && step.cache && step.kind.is_function() {
            change.cache_entries.push(CacheEntryRow {
                cache_key: parts.key(),
                run: self.run.clone(),
                step_key: key.to_string(),
                outputs: serde_json::to_string(&state.outputs).map_err(Error::bug)?,
                metrics: serde_json::to_string(&state.metrics).map_err(Error::bug)?,
                clock: note.clock,
                created: now,
            });
        }
        Ok(())
    }

    fn row(&self, run: &Run, step: &BoundStep, state: &StepState, position: usize) -> Result<StepRow> {
        let unknown = Note::default();
        let note = self.notes.get(&step.key).unwrap_or(&unknown);
        let text = |value: serde_json::Result<String>| value.map_err(Error::bug);
        let error = self.error(run, step, state);
        Ok(StepRow {
            step_key: step.key.to_string(),
            position: signed(position as u64),
            uses: step.uses.clone(),
            plugin_name: Some(step.plugin.name.to_string()),
            plugin_version: Some(step.plugin.version.to_string()),
            plugin_digest: Some(step.plugin.digest),
            kind: Some(step.kind.to_string()),
            status: step_status(&state.phase),
            cache: note.cache.unwrap_or(CacheOutcome::Off),
            reason: reason(note, state),
            attempts: i64::from(state.attempts),
            started: note.started,
            ended: note.ended,
            duration_ms: note.started.zip(note.ended).map(|(started, ended)| (ended - started) / 1_000),
            usage: note.usage.as_ref().map(serde_json::to_string).map(text).transpose()?,
            error: error.as_ref().map(serde_json::to_string).map(text).transpose()?,
            cache_key: note.parts.as_ref().map(KeyParts::key),
            key_parts: note.parts.as_ref().map(serde_json::to_string).map(text).transpose()?,
        })
    }

    fn error(&self, run: &Run, step: &BoundStep, state: &StepState) -> Option<Diagnostic> {
        state.failure.as_ref().map(|failure| diagnose(run.graph(), step, failure, self.source.as_ref()))
    }

    /// The step as people see it.
    pub fn view(&self, run: &Run, key: &StepKey) -> StepView {
        let (step, state) = (run.step(key), run.state(key));
        let unknown = Note::default();
        let note = self.notes.get(key).unwrap_or(&unknown);
        let usage = note.usage.as_ref();
        StepView {
            step: key.to_string(),
            uses: step.uses.clone(),
            plugin: step.plugin.to_string(),
            kind: step.kind.to_string(),
            digest: step.plugin.digest.to_string(),
            status: state.phase.name().to_owned(),
            cache: note.cache.map(|cache| cache.to_string()),
            reason: reason(note, state),
            attempts: state.attempts,
            duration_ms: note.started.zip(note.ended).map(|(started, ended)| (ended - started) as f64 / 1e3),
            cpu_ms: usage.map(|usage| usage.cpu.as_secs_f64() * 1e3),
            memory_bytes: usage.map(|usage| usage.memory_peak),
            fuel: usage.and_then(|usage| usage.fuel),
            metrics: state.metrics.clone(),
            outputs: state.outputs.clone(),
            error: self.error(run, step, state),
        }
    }
}

fn reason(note: &Note, state: &StepState) -> Option<String> {
    match &state.phase {
        Phase::Skipped { reason } => Some(reason.clone()),
        _ => note.reason.clone(),
    }
}

/// SQL knows signed numbers only; no artifact comes near their end.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}

pub(crate) fn short(run: &str) -> &str {
    run.get(..12).unwrap_or(run)
}
