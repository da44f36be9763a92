//! `wasmlops run` and `wasmlops runs resume`.

use std::sync::Arc;

use anyhow::Result;
use wasmlops_core::call::Cancel;
use wasmlops_server::error::Error;
use wasmlops_server::host::Host;
use wasmlops_server::runs::{self, RunOptions, Submission};
use wasmlops_server::view::RunView;
use wasmlops_server::watch::{RunObserver, Unwatched};

use crate::args::RunArgs;
use crate::output::{Outcome, Printer};
use crate::progress::Bars;
use crate::settings::Settings;

use super::{plan, text};

pub async fn run(settings: &Settings, args: RunArgs, printer: &Printer) -> Result<Outcome> {
    if args.detach {
        return detach(settings, args, printer).await;
    }
    let bound = plan::bind(settings, &args.pipeline).await?;
    let options = RunOptions {
        id: None,
        seed: args.pipeline.seed,
        nominal_time: bound.nominal_time,
        use_cache: !args.no_cache,
        source: Some(bound.source),
        observer: observer(printer),
        cancel: cancel_on_interrupt(),
        actor: settings.actor(),
        origin: "cli".to_owned(),
    };
    let view = runs::start(&bound.host, bound.graph, options).await?;
    bound.host.store.close().await;
    finish(&view, printer)
}

/// Puts the run into the queue, for a server that runs now or later.
async fn detach(settings: &Settings, args: RunArgs, printer: &Printer) -> Result<Outcome> {
    let bound = plan::bind(settings, &args.pipeline).await?;
    let submission = Submission {
        pipeline: named(&bound.host, &bound.source.file)?,
        params: bound.graph.params,
        seed: args.pipeline.seed,
        nominal_time: bound.nominal_time,
        use_cache: !args.no_cache,
        priority: args.priority,
        origin: "cli".to_owned(),
        ..Submission::default()
    };
    let view = runs::submit(&bound.host, submission, &settings.actor()).await?;
    bound.host.store.close().await;
    printer.data(&view, || format!("run {} waits for a server: `wasmlops serve` runs it\n", view.run))?;
    Ok(Outcome::Done)
}

/// The name of the file that was meant, if a server finds it by one.
fn named(host: &Host, file: &str) -> Result<String> {
    let name = file.strip_prefix("pipelines/").and_then(|file| file.strip_suffix(".yaml"));
    let name = name.filter(|name| host.project.pipeline_names().iter().any(|known| known == name));
    let problem = || {
        let message = format!("a server cannot run `{file}`");
        Error::user("unknown-pipeline", message, "move it to `pipelines/NAME.yaml` of the project")
    };
    Ok(name.ok_or_else(problem)?.to_owned())
}

pub async fn resume(settings: &Settings, run: &str, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let id = host.store.resolve_run(run).await?;
    let view = runs::resume(&host, &id, &settings.actor(), observer(printer), cancel_on_interrupt()).await?;
    host.store.close().await;
    finish(&view, printer)
}

/// Prints a run that has ended, or that waits.
pub fn finish(view: &RunView, printer: &Printer) -> Result<Outcome> {
    printer.data(view, || text::run(view))?;
    match view.status.as_str() {
        "succeeded" => Ok(Outcome::Done),
        "waiting" => {
            for step in view.steps.iter().filter(|step| step.status == "waiting") {
                let (run, step) = (&view.run, &step.step);
                printer.say(format!(
                    "hint: `wasmlops approvals show {run} {step}` shows what is asked, `wasmlops approve {run} {step}` \
                     approves"
                ));
            }
            Ok(Outcome::Done)
        }
        _ => {
            printer.say(format!("hint: `wasmlops runs resume {}` goes on from where it stopped", view.run));
            Ok(Outcome::WorkFailed)
        }
    }
}

/// Bars where a person watches.
pub fn observer(printer: &Printer) -> Arc<dyn RunObserver> {
    if printer.is_watched() { Arc::new(Bars::default()) } else { Arc::new(Unwatched) }
}

/// The first interrupt or request to terminate stops the run in good order; what is not stopped within two seconds is
/// the host's fault, and the second interrupt ends the process.
pub fn cancel_on_interrupt() -> Cancel {
    let cancel = Cancel::default();
    let asked = cancel.clone();
    tokio::spawn(async move {
        interrupted().await;
        asked.cancel();
        interrupted().await;
        std::process::abort();
    });
    cancel
}

/// An interrupt from the keyboard, or a request to terminate.
pub async fn interrupted() {
    use tokio::signal::unix::{SignalKind, signal};
    match signal(SignalKind::terminate()) {
        Ok(mut terminate) => {
            tokio::select! {
                _ = terminate.recv() => {}
                _ = tokio::signal::ctrl_c() => {}
            }
        }
        Err(_) => {
            let _ = tokio::signal::ctrl_c().await;
        }
    }
}
