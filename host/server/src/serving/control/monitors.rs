//! What monitors want of endpoints.

use wasmlops_core::call::Finding;
use wasmlops_core::config::{ModelRef, Selector};
use wasmlops_core::rollout::Event;
use wasmlops_store::WindowRow;

use crate::clock::new_id;
use crate::error::Result;
use crate::host::Host;
use crate::models::{self, ModelVersion};

use super::{Hold, declared, hold_canary, report, rollback};

/// Holds the endpoint's canary where it is. Says in one sentence what was done.
///
/// # Errors
/// The user's: no such endpoint.
pub async fn pause_canary(host: &Host, endpoint: &str, by: &str, reason: &str) -> Result<String> {
    let paused = hold_canary(host, endpoint, by, Hold::Pause { reason }).await?;
    Ok(match paused {
        true => format!("the canary of endpoint `{endpoint}` is paused"),
        false => format!("endpoint `{endpoint}` has no canary that moves"),
    })
}

/// Takes the newest release back, where the endpoint's `rollback: { on_drift }` lets monitors do so. Says in one sentence
/// what was done.
///
/// # Errors
/// The user's: no such endpoint, nothing to roll back to.
pub async fn roll_back_for_monitor(host: &Host, endpoint: &str, by: &str, reason: &str) -> Result<String> {
    if !declared(host, endpoint)?.rollback.on_drift {
        return Ok(format!("endpoint `{endpoint}` does not let monitors roll back: `rollback.on_drift` is false"));
    }
    Ok(rollback(host, endpoint, by, reason).await?.to_string())
}

/// The version of an endpoint's model.
///
/// # Errors
/// The user's: no such endpoint or version.
pub async fn model_of(host: &Host, endpoint: &str, version: u64) -> Result<ModelVersion> {
    let name = declared(host, endpoint)?.model.name.clone();
    models::required(host, &ModelRef { name, selector: Selector::Version(version) }).await
}

/// Holds what was found to the endpoint's rules: the version that the window is of may be taken back for a score measured
/// from labels, and a candidate for predictions that drift.
///
/// # Errors
/// The user's: no such endpoint.
pub async fn note_findings(
    host: &Host,
    endpoint: &str,
    monitor: &str,
    window: &WindowRow,
    findings: &[Finding],
) -> Result<()> {
    let by = format!("monitor:{monitor}");
    if let Some(drift) = findings.iter().find(|finding| finding.signal == "prediction-drift" && finding.found) {
        report(host, endpoint, &by, Event::DriftFound { message: drift.message.clone() }).await?;
    }
    for finding in findings.iter().filter(|finding| finding.signal == "performance" && finding.column.is_none()) {
        let event = Event::ScoreMeasured {
            version: window.version.unsigned_abs(),
            metric: finding.statistic.clone(),
            value: finding.value,
            labels: finding.window_rows,
            fresh: new_id(&*host.clock),
        };
        report(host, endpoint, &by, event).await?;
    }
    Ok(())
}
