//! What deployers and monitors are given and what they say, between the contract's types and the core's. A deployment
//! is handed back to its deployer later, so it is taken as it is or refused; texts for people are made harmless.

use wasmlops_core::call::{Deployment, DeploymentStatus, Finding, Health, Release};

use super::wire::message_text;
use crate::bindings::kinds::{deployer, monitor};
use crate::text::{neutralise, neutralise_within};

/// Bytes of a deployment's id.
const MAX_ID: usize = 1024;
/// Bytes of an address: what proxies and browsers take of a URL.
const MAX_ADDRESS: usize = 8 << 10;
/// Bytes of a deployment's details: enough to find it again, too little to keep the release in it.
const MAX_DETAILS: usize = 64 << 10;
/// A finding a column and statistic for a table far wider than people look at.
const MAX_FINDINGS: usize = 100_000;
/// Bytes of the name of a signal or a statistic.
const MAX_NAME: usize = 250;

pub(super) fn release_to_guest(release: Release) -> deployer::Release {
    let Release { key, endpoint, model, version, digest, files } = release;
    deployer::Release { key, endpoint, model, version, digest, files }
}

pub(super) fn deployment_to_guest(deployment: Deployment) -> deployer::Deployment {
    let Deployment { id, address, details } = deployment;
    deployer::Deployment { id, address, details }
}

/// Bytes that a deployment takes.
pub(super) fn deployment_bytes(deployment: &deployer::Deployment) -> u64 {
    let address = deployment.address.as_ref().map_or(0, String::len);
    (deployment.id.len() + address + deployment.details.len()) as u64
}

/// Errors: what does not fit the contract.
pub(super) fn deployment_from_guest(deployment: deployer::Deployment) -> Result<Deployment, String> {
    let deployer::Deployment { id, address, details } = deployment;
    if id.is_empty() {
        return Err("`deploy` gives its deployment an empty id".into());
    }
    plain("id", &id, MAX_ID)?;
    if let Some(address) = &address {
        plain("address", address, MAX_ADDRESS)?;
    }
    if details.len() > MAX_DETAILS {
        return Err(format!("`deploy` gives details of {} bytes, and at most {MAX_DETAILS} are kept", details.len()));
    }
    if let Err(error) = serde_json::from_str::<serde_json::Map<String, serde_json::Value>>(&details) {
        return Err(format!("`deploy` gives details that are no JSON object: {}", message_text(&error.to_string())));
    }
    Ok(Deployment { id, address, details })
}

/// Errors: the text is too long, or would not be shown as it is.
fn plain(what: &str, text: &str, limit: usize) -> Result<(), String> {
    let shown = neutralise_within(text, limit);
    if shown == text {
        return Ok(());
    }
    let shown = neutralise_within(text, 100);
    Err(format!("`deploy` gives the {what} `{shown}`: at most {limit} bytes without control characters are taken"))
}

pub(super) fn status_from_guest(status: deployer::DeploymentStatus) -> DeploymentStatus {
    let health = match status.health {
        deployer::Health::Pending => Health::Pending,
        deployer::Health::Ready => Health::Ready,
        deployer::Health::Failed => Health::Failed,
        deployer::Health::Gone => Health::Gone,
    };
    DeploymentStatus { health, message: message_text(&status.message) }
}

/// Bytes that the findings take.
pub(super) fn findings_bytes(findings: &[monitor::Finding]) -> u64 {
    let bytes = |finding: &monitor::Finding| {
        let texts = finding.signal.len() + finding.statistic.len() + finding.message.len();
        texts + finding.column.as_ref().map_or(0, String::len) + size_of::<Finding>()
    };
    findings.iter().map(|finding| bytes(finding) as u64).sum()
}

/// Errors: what does not fit the contract.
pub(super) fn findings_from_guest(findings: Vec<monitor::Finding>) -> Result<Vec<Finding>, String> {
    if findings.len() > MAX_FINDINGS {
        return Err(format!("`observe` gives {} findings, and at most {MAX_FINDINGS} are kept", findings.len()));
    }
    findings.into_iter().map(finding_from_guest).collect()
}

fn finding_from_guest(finding: monitor::Finding) -> Result<Finding, String> {
    for (what, name) in [("signal", &finding.signal), ("statistic", &finding.statistic)] {
        if name.is_empty() {
            return Err(format!("`observe` gives a finding whose `{what}` is empty"));
        }
    }
    Ok(Finding {
        signal: neutralise_within(&finding.signal, MAX_NAME),
        column: finding.column.map(|column| neutralise(&column)),
        statistic: neutralise_within(&finding.statistic, MAX_NAME),
        // Not a number where there was too little to measure.
        value: finding.value,
        // JSON has no other numbers.
        threshold: finding.threshold.filter(|threshold| threshold.is_finite()),
        found: finding.found,
        window_rows: finding.window_rows,
        reference_rows: finding.reference_rows,
        message: message_text(&finding.message),
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn deployment(id: &str, details: &str) -> deployer::Deployment {
        deployer::Deployment { id: id.into(), address: None, details: details.into() }
    }

    #[test]
    fn deployments_are_taken_as_they_are_or_refused() {
        let good = deployment_from_guest(deployment("eu/web-1", r#"{"port": 80}"#)).unwrap();
        assert_eq!((good.id.as_str(), good.details.as_str()), ("eu/web-1", r#"{"port": 80}"#));
        for (id, details, why) in [
            ("", "{}", "empty id"),
            ("a\u{1b}[31m", "{}", "the id `a\\u{1b}[31m`"),
            (&"x".repeat(2000), "{}", "1024 bytes"),
            ("a", "[]", "no JSON object"),
            ("a", "{", "no JSON object"),
            ("a", &format!("{{\"a\": \"{}\"}}", "x".repeat(70_000)), "at most 65536"),
        ] {
            let error = deployment_from_guest(deployment(id, details)).unwrap_err();
            assert!(error.contains(why), "{error}");
        }
    }
}
