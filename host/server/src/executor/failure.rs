//! Outcomes as failures: a stable code, a message that names the thing, a hint with the fix.

use std::fmt::Display;

use wasmlops_core::call::{ErrorCode, GuestError, Outcome, ValidationReport};
use wasmlops_core::config::{format_duration, format_size};
use wasmlops_core::graph::StepKind;
use wasmlops_core::run::Failure;
use wasmlops_engine::PrepareError;

use super::Work;

/// A fault of the host: another attempt may go better.
pub fn host_failure(error: impl Display) -> Failure {
    Failure { code: "host".to_owned(), message: error.to_string(), hint: None, field: None, retryable: true }
}

pub(super) fn of_outcome(outcome: Outcome, work: &Work) -> Failure {
    match outcome {
        Outcome::Ok(_) => odd_answer(),
        Outcome::Failed(error) => of_guest(error, work),
        Outcome::Trapped { message } => failure("trapped", format!("{} broke off: {message}", work.plugin))
            .with_hint("this is a fault of the plugin; `wasmlops runs logs` shows what it said last"),
        Outcome::TimedOut { limit } => failure("timed-out", format!("still at work after {}", format_duration(limit)))
            .with_hint("raise `limits: { timeout: ... }` of the step"),
        Outcome::Cancelled => failure("cancelled", "cancelled".to_owned()),
        Outcome::Denied { what } => failure("denied", what),
        Outcome::OutOfMemory { limit } => {
            failure("out-of-memory", format!("needs more than {} of memory", format_size(limit)))
                .with_hint("raise `limits: { memory: ... }` of the step")
        }
        Outcome::HostCallBudget { what } => failure("host-call-budget", what)
            .with_hint("raise `limits: { host-calls: ..., host-bytes: ... }` of the step, or use larger batches"),
        Outcome::OutputLimit { what } => {
            failure("output-limit", what).with_hint("raise `limits: { output-bytes: ... }` of the step")
        }
        Outcome::OutOfFuel { limit } => failure("out-of-fuel", format!("used up its fuel of {limit}"))
            .with_hint("raise `limits: { fuel: ... }` of the step"),
        Outcome::InvalidResult { message } => {
            failure("invalid-result", format!("{} broke the contract: {message}", work.plugin))
                .with_hint("this is a fault of the plugin; report it to its author")
        }
    }
}

fn of_guest(error: GuestError, work: &Work) -> Failure {
    let code = match error.code {
        ErrorCode::InvalidConfig => "invalid-config",
        ErrorCode::InvalidInput => "invalid-input",
        ErrorCode::Denied => "denied",
        ErrorCode::Unavailable => "unavailable",
        ErrorCode::Exhausted => "exhausted",
        ErrorCode::Internal => "internal",
    };
    // By convention a plugin's message may end in a line with the fix; the engine has made its line break visible.
    let (message, hint) = match error.message.split_once("\\nhint: ") {
        Some((message, hint)) => (message.to_owned(), hint.to_owned()),
        None => (error.message.clone(), usual_fix(&error, work)),
    };
    Failure {
        code: code.to_owned(),
        message,
        hint: Some(hint),
        field: error.field,
        retryable: error.code == ErrorCode::Unavailable,
    }
}

/// What to do where the plugin does not say it.
fn usual_fix(error: &GuestError, work: &Work) -> String {
    match (error.code, &error.field) {
        (ErrorCode::InvalidConfig | ErrorCode::InvalidInput, Some(field)) => format!("correct `{field}`"),
        (ErrorCode::InvalidConfig, None) => "correct the step's `with`".to_owned(),
        (ErrorCode::InvalidInput, None) => "correct the data, or the step that makes it".to_owned(),
        (ErrorCode::Denied, _) => "grant it in the pipeline, if the step may have it".to_owned(),
        (ErrorCode::Unavailable, _) => "try again later, or give the step `retry: { attempts: ... }`".to_owned(),
        (ErrorCode::Exhausted, _) => "raise the step's `limits`".to_owned(),
        (ErrorCode::Internal, _) => format!("this is a fault of {}; report it to its author", work.plugin),
    }
}

pub(super) fn of_prepare(error: PrepareError) -> Failure {
    let code = match &error {
        PrepareError::Denied { .. } => "denied",
        _ => "invalid-plugin",
    };
    Failure { hint: Some(error.hint().to_owned()), ..failure(code, error.to_string()) }
}

/// A validator whose report has not passed.
pub(super) fn of_report(report: &ValidationReport, kind_of_subject: &str) -> Failure {
    const SHOWN: usize = 10;
    let broken: Vec<&str> =
        report.checks.iter().filter(|check| !check.passed).map(|check| check.message.as_str()).collect();
    let mut message = match broken.len() {
        0 => report.summary.clone(),
        _ => format!("{}: {}", report.summary, broken[..broken.len().min(SHOWN)].join("; ")),
    };
    if broken.len() > SHOWN {
        message += &format!("; and {} more", broken.len() - SHOWN);
    }
    failure(&format!("{kind_of_subject}-failed"), message)
        .with_hint("the step's output `report` has every check, with counts and examples")
}

pub(super) fn missing_input(name: &str) -> Failure {
    Failure { field: Some(name.to_owned()), ..failure("invalid-input", format!("input `{name}` is missing")) }
}

pub(super) fn unsupported(kind: StepKind) -> Failure {
    failure("unsupported-kind", format!("a {kind} cannot be a step"))
}

pub(super) fn odd_answer() -> Failure {
    failure("host", "the engine answered another call than was asked (this is a bug)".to_owned())
}

pub(super) fn failure(code: &str, message: String) -> Failure {
    Failure { code: code.to_owned(), message, hint: None, field: None, retryable: false }
}

pub(super) trait WithHint {
    fn with_hint(self, hint: &str) -> Self;
}

impl WithHint for Failure {
    fn with_hint(self, hint: &str) -> Self {
        Self { hint: Some(hint.to_owned()), ..self }
    }
}
