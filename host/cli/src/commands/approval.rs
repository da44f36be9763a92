//! `wasmlops approve` and `wasmlops approvals list|show`.

use std::fmt::Write as _;

use anyhow::Result;
use serde_json::{Map, Value, json};
use wasmlops_core::access::{Rights, Role};
use wasmlops_server::approvals::{
    self, ApprovalDetail, ApprovalQuery, ApprovalView, Decider, Decision, DifferenceView, FieldView, GoesOn,
    JudgementView, ModelDiffView,
};
use wasmlops_server::error::Error;
use wasmlops_server::host::Host;
use wasmlops_server::runs;

use crate::args::{ApprovalsCommand, ApproveArgs};
use crate::output::{Outcome, Printer, TextTable};
use crate::settings::Settings;

use super::run::{cancel_on_interrupt, finish, observer};
use super::text;

pub async fn run(settings: &Settings, command: ApprovalsCommand, printer: &Printer) -> Result<Outcome> {
    match command {
        ApprovalsCommand::List { all, limit } => list(settings, all, limit, printer).await,
        ApprovalsCommand::Show { run, step } => show(settings, &run, step, printer).await,
    }
}

/// Decides, and goes on with a run that is no server's.
pub async fn approve(settings: &Settings, args: ApproveArgs, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let id = host.store.resolve_run(&args.run).await?;
    let step = step_of(&host, &id, args.step).await?;
    let asked = approvals::show(&host, &id, &step).await?;
    let decision = Decision {
        approve: !args.reject,
        reason: args.reason,
        input: input(&asked.form, &args.input)?,
        attempt: Some(asked.approval.attempt),
    };
    // Whoever may write the project's files may decide.
    let (actor, rights) = (settings.actor(), Rights::of(Role::Admin));
    let by = Decider { actor: &actor, rights: &rights, goes_on: GoesOn::Decider };
    let decided = approvals::decide(&host, &id, &step, decision, by).await?;
    printer.say(format!("{} step `{step}` of run {id}", decided.state));
    go_on(&host, &actor, decided, printer).await
}

/// A run that a server has is the server's; one that is still under way takes the decision up by itself.
async fn go_on(host: &Host, actor: &str, decided: ApprovalView, printer: &Printer) -> Result<Outcome> {
    let id = &decided.run;
    let row = host.store.load_run(id).await?;
    let waits = row.is_some_and(|row| row.status == wasmlops_store::RunStatus::Waiting);
    if waits && host.store.queue_row(id).await?.is_none() {
        match runs::resume(host, id, actor, observer(printer), cancel_on_interrupt()).await {
            // A server was faster.
            Err(Error::User(problems)) if problems.0.iter().any(|problem| problem.code == "run-active") => {}
            view => {
                let view = view?;
                host.store.close().await;
                return finish(&view, printer);
            }
        }
    } else if waits {
        printer.say("a server goes on with the run; `wasmlops serve` does, where none is up");
    }
    let view = runs::show(host, id).await?;
    host.store.close().await;
    printer.data(&view, || text::run(&view))?;
    Ok(Outcome::Done)
}

async fn list(settings: &Settings, all: bool, limit: u32, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let page = approvals::list(&host, ApprovalQuery { all, limit, ..ApprovalQuery::default() }).await?;
    printer.data(&page, || {
        let mut table =
            TextTable::new(&["run", "step", "pipeline", "state", "role", "asked", "until", "by", "question"]);
        for approval in &page.approvals {
            table.row([
                approval.run.clone(),
                approval.step.clone(),
                approval.pipeline.clone(),
                approval.state.clone(),
                approval.role.clone(),
                approval.requested.clone(),
                approval.expires.clone(),
                approval.by.clone().unwrap_or_else(text::dash),
                approval.message.clone(),
            ]);
        }
        table.to_string()
    })?;
    Ok(Outcome::Done)
}

async fn show(settings: &Settings, run: &str, step: Option<String>, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let id = host.store.resolve_run(run).await?;
    let step = step_of(&host, &id, step).await?;
    let detail = approvals::show(&host, &id, &step).await?;
    printer.data(&detail, || detail_text(&detail))?;
    Ok(Outcome::Done)
}

async fn step_of(host: &Host, run: &str, step: Option<String>) -> Result<String> {
    match step {
        Some(step) => Ok(step),
        None => Ok(approvals::the_one_open(host, run).await?),
    }
}

/// `NAME=VALUE` as the field's type reads it; whether the value is allowed is for the decision to say.
fn input(form: &[FieldView], given: &[String]) -> Result<Map<String, Value>> {
    let mut input = Map::new();
    for text in given {
        let Some((name, value)) = text.split_once('=') else {
            let message = format!("`--input {text}` has no `=`");
            return Err(Error::user("invalid-input", message, "write `--input NAME=VALUE`").into());
        };
        let is_text = form.iter().find(|field| field.name == name).is_none_or(|field| field.kind == "string");
        let plain = || Value::String(value.to_owned());
        let value = if is_text { plain() } else { serde_json::from_str(value).unwrap_or_else(|_| plain()) };
        input.insert(name.to_owned(), value);
    }
    Ok(input)
}

fn detail_text(detail: &ApprovalDetail) -> String {
    let ApprovalDetail { approval, form, shown, judgements, model } = detail;
    let mut text = format!("{}\n\n", approval.message);
    let _ = writeln!(text, "run {} of {}, step {}: {}", approval.run, approval.pipeline, approval.step, approval.state);
    let _ = writeln!(text, "asked {}, until {}, role {}", approval.requested, approval.expires, approval.role);
    if let (Some(decided), Some(by)) = (&approval.decided, &approval.by) {
        let reason = approval.reason.as_ref().map_or_else(String::new, |reason| format!(": {reason}"));
        let _ = writeln!(text, "decided {decided} by {by}{reason}");
    }
    for (name, value) in approval.input.iter().flatten() {
        let _ = writeln!(text, "  {name}: {value}");
    }
    if !shown.is_empty() {
        let mut table = TextTable::new(&["shown", "from", "digest"]);
        for artifact in shown {
            table.row([artifact.name.clone(), artifact.from.clone(), text::short_digest(&artifact.digest)]);
        }
        let _ = write!(text, "\n{table}");
    }
    judgements.iter().for_each(|judgement| judgement_text(judgement, &mut text));
    if let Some(model) = model {
        model_text(model, &mut text);
    }
    form_text(form, &mut text);
    text
}

fn judgement_text(judgement: &JudgementView, text: &mut String) {
    let word = |passed: bool| if passed { "passed" } else { "failed" };
    let _ = writeln!(text, "\n{}: {}: {}", judgement.from, word(judgement.passed), judgement.summary);
    for check in &judgement.checks {
        let _ = writeln!(text, "  {}: {}", word(check.passed), check.message);
    }
}

fn model_text(model: &ModelDiffView, text: &mut String) {
    let champion = match model.champion {
        Some(version) => format!("{}@champion is version {version}", model.model),
        None => format!("there is no {}@champion yet", model.model),
    };
    let number = |value: Option<f64>| value.map_or_else(text::dash, |value| format!("{value:.6}"));
    let mut table = TextTable::new(&["metric", ">candidate", ">champion"]);
    for metric in &model.metrics {
        table.row([metric.name.clone(), number(metric.candidate), number(metric.champion)]);
    }
    let _ = write!(text, "\n{champion}\n{table}");
    for (what, differences) in [("schema", &model.schema), ("plugins", &model.plugins), ("grants", &model.grants)] {
        differences_text(what, differences, text);
    }
}

fn differences_text(what: &str, differences: &[DifferenceView], text: &mut String) {
    if differences.is_empty() {
        return;
    }
    let _ = writeln!(text, "\n{what} that differ:");
    for DifferenceView { name, candidate, champion } in differences {
        let side = |side: &Option<String>| side.clone().unwrap_or_else(text::dash);
        let _ = writeln!(text, "  {name}: {} (champion: {})", side(candidate), side(champion));
    }
}

fn form_text(form: &[FieldView], text: &mut String) {
    if form.is_empty() {
        return;
    }
    text.push_str("\nto be filled in:\n");
    for field in form {
        let needed = match (&field.default, field.required) {
            (Some(default), _) => format!("default {default}"),
            (None, true) => "required".to_owned(),
            (None, false) => "may be left out".to_owned(),
        };
        let choices =
            if field.choices.is_empty() { String::new() } else { format!(", one of {}", json!(field.choices)) };
        let about = field.description.as_ref().map_or_else(String::new, |about| format!(": {about}"));
        let _ = writeln!(text, "  --input {}=... ({}, {needed}{choices}){about}", field.name, field.kind);
    }
}
