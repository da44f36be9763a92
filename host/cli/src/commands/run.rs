//! `wasmlops run` and `wasmlops runs resume`.

use std::sync::Arc;

use anyhow::Result;
use wasmlops_core::call::Cancel;
use wasmlops_server::runs::{self, RunOptions};
use wasmlops_server::view::RunView;
use wasmlops_server::watch::{RunObserver, Unwatched};

use crate::args::RunArgs;
use crate::output::{Outcome, Printer};
use crate::progress::Bars;
use crate::settings::Settings;

use super::{plan, text};

pub async fn run(settings: &Settings, args: RunArgs, printer: &Printer) -> Result<Outcome> {
    let bound = plan::bind(settings, &args.pipeline).await?;
    let options = RunOptions {
        id: None,
        seed: args.pipeline.seed,
        nominal_time: bound.nominal_time,
        use_cache: !args.no_cache,
        source: Some(bound.source),
        observer: observer(printer),
        cancel: cancel_on_interrupt(),
    };
    let view = runs::start(&bound.host, bound.graph, options).await?;
    bound.host.store.close().await;
    finish(&view, printer)
}

pub async fn resume(settings: &Settings, run: &str, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let id = host.store.resolve_run(run).await?;
    let view = runs::resume(&host, &id, observer(printer), cancel_on_interrupt()).await?;
    host.store.close().await;
    finish(&view, printer)
}

fn finish(view: &RunView, printer: &Printer) -> Result<Outcome> {
    printer.data(view, || text::run(view))?;
    match view.status.as_str() {
        "succeeded" => Ok(Outcome::Done),
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
