//! What a run and its attempts are in traces, and how they count. Decides nothing.

use tracing::field::Empty;
use tracing::{Span, info_span};
use wasmlops_core::run::RunStatus;

use super::attempt::{Attempt, Ran};
use super::{Drive, Ending};
use crate::telemetry::{TARGET, TraceParent};

/// The part of a run that this process drives. It belongs to the trace of what submitted the run.
pub(super) async fn run(drive: &Drive) -> Span {
    let span = info_span!(
        target: TARGET,
        "run",
        otel.name = %format_args!("run {}", drive.run.graph().pipeline),
        otel.status_code = Empty,
        wasmlops.project = drive.host.project.name,
        wasmlops.pipeline = drive.run.graph().pipeline,
        wasmlops.run = drive.id,
        wasmlops.outcome = Empty,
    );
    if !span.is_disabled() {
        // A run without a trace of its own is not worth an error.
        let row = drive.host.store.queue_row(&drive.id).await.ok().flatten();
        if let Some(parent) = row.and_then(|row| row.trace?.parse::<TraceParent>().ok()) {
            parent.adopt(&span);
        }
    }
    span
}

/// Notes how a run ended, where it did.
pub(super) fn run_ended(span: &Span, drive: (&crate::counts::Counts, &str), ending: &crate::error::Result<Ending>) {
    let (counts, pipeline) = drive;
    let outcome = match ending {
        Ok(Ending::Finished(status)) => {
            counts.runs.of([pipeline, word(*status)]).add(1);
            word(*status)
        }
        Ok(_) => "unfinished",
        Err(_) => "error",
    };
    span.record("wasmlops.outcome", outcome);
    if matches!(outcome, "failed" | "error") {
        span.record("otel.status_code", "ERROR");
    }
}

fn word(status: RunStatus) -> &'static str {
    match status {
        RunStatus::Succeeded => "succeeded",
        RunStatus::Failed => "failed",
        RunStatus::Cancelled => "cancelled",
        _ => "unfinished",
    }
}

/// One attempt of a step.
pub(super) fn step(attempt: &Attempt) -> Span {
    let plugin = attempt.graph.step(&attempt.step).map(|step| &step.plugin);
    let span = info_span!(
        target: TARGET,
        "step",
        otel.name = %format_args!("step {}", attempt.step),
        otel.status_code = Empty,
        wasmlops.run = attempt.run,
        wasmlops.step = %attempt.step,
        wasmlops.attempt = attempt.attempt,
        wasmlops.plugin.name = Empty,
        wasmlops.plugin.version = Empty,
        wasmlops.plugin.digest = Empty,
        wasmlops.outcome = Empty,
    );
    if let (Some(plugin), false) = (plugin, span.is_disabled()) {
        span.record("wasmlops.plugin.name", plugin.name.to_string());
        span.record("wasmlops.plugin.version", plugin.version.to_string());
        span.record("wasmlops.plugin.digest", plugin.digest.to_string());
    }
    span
}

/// What is counted of an attempt, taken before it runs.
pub(super) struct Counted {
    plugin: String,
    export: String,
    guest: bool,
    counts: std::sync::Arc<crate::counts::Counts>,
    begun: std::time::Instant,
}

impl Counted {
    pub fn of(attempt: &Attempt) -> Self {
        let step = attempt.graph.step(&attempt.step);
        Self {
            plugin: step.map(|step| step.plugin.name.to_string()).unwrap_or_default(),
            export: step.map(|step| step.kind.to_string()).unwrap_or_default(),
            guest: attempt.document.is_none(),
            counts: attempt.host.counts.clone(),
            begun: std::time::Instant::now(),
        }
    }

    /// Counts how it ended, and notes it in its span.
    pub fn ended(self, span: &Span, ran: &Ran) {
        let code = ran.failure.as_ref().map(|failure| failure.code.as_str());
        let outcome = match code {
            None => "succeeded",
            Some("cancelled") => "cancelled",
            Some(_) => "failed",
        };
        span.record("wasmlops.outcome", outcome);
        if outcome == "failed" {
            span.record("otel.status_code", "ERROR");
        }
        let plugin = self.plugin.as_str();
        self.counts.steps.of([plugin, outcome]).observe(self.begun.elapsed());
        if self.guest {
            self.counts.guest_calls.of([plugin, &self.export, code.unwrap_or("ok")]).add(1);
            let cpu = u64::try_from(ran.usage.cpu.as_micros()).unwrap_or(u64::MAX);
            self.counts.guest_cpu.of([plugin]).add(cpu);
            self.counts.guest_memory.of([plugin]).raise(ran.usage.memory_peak);
        }
    }
}
