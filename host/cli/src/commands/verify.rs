//! `wasmlops verify`.

use anyhow::Result;
use wasmlops_server::verify;

use crate::output::{Outcome, Printer};
use crate::settings::Settings;

use super::{run, text};

pub async fn verify(settings: &Settings, run: &str, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let id = host.store.resolve_run(run).await?;
    let view = verify::verify(&host, &id, run::observer(printer), run::cancel_on_interrupt()).await?;
    printer.data(&view, || text::verify(&view))?;
    Ok(if view.result == "equal" { Outcome::Done } else { Outcome::WorkFailed })
}
