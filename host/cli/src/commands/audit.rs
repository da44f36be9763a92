//! `wasmlops audit verify|export`.

use anyhow::Result;
use serde_json::json;
use wasmlops_server::audit::{self, Noted, Verification};

use crate::args::AuditCommand;
use crate::output::{Outcome, Printer};
use crate::settings::Settings;

/// Records written at a time.
const PAGE: i64 = 1000;

pub async fn run(settings: &Settings, command: AuditCommand, printer: &Printer) -> Result<Outcome> {
    match command {
        AuditCommand::Verify { head, records } => verify(settings, Noted { head, records }, printer).await,
        AuditCommand::Export { from, to } => export(settings, from, to, printer).await,
    }
}

async fn verify(settings: &Settings, noted: Noted, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let verification = audit::verify(&host, &noted).await?;
    printer.data(&verification, || text(&verification))?;
    Ok(if verification.intact { Outcome::Done } else { Outcome::WorkFailed })
}

fn text(verification: &Verification) -> String {
    match (&verification.broken_at, &verification.problem) {
        (Some(seq), Some(problem)) => format!("the audit is broken at record {seq}: {problem}"),
        (None, Some(problem)) => format!("the audit is not what was noted: {problem}"),
        _ => format!("{} records are intact\nhead {}", verification.records, verification.head),
    }
}

async fn export(settings: &Settings, from: i64, to: Option<i64>, printer: &Printer) -> Result<Outcome> {
    let host = settings.host().await?;
    let last = to.unwrap_or(i64::MAX);
    let mut next = from.max(1);
    while next <= last {
        let page = audit::records(&host, next - 1, PAGE).await?;
        let Some(end) = page.last().map(|record| record.seq) else { break };
        let lines = page.iter().take_while(|record| record.seq <= last).map(|record| format!("{}\n", json!(record)));
        printer.bytes(lines.collect::<String>().as_bytes())?;
        next = end + 1;
    }
    Ok(Outcome::Done)
}
