//! Runs, plans and verifications as text for people.

use wasmlops_core::config::format_size;
use wasmlops_server::view::{PlanView, RunView, StepView, VerifyView};

use crate::output::TextTable;

/// A run: a line, the steps as a table, metrics, then every error with its place.
pub fn run(view: &RunView) -> String {
    let mut table = TextTable::new(&["step", "plugin", "digest", "status", "cache", ">time", ">cpu", ">memory", "why"]);
    for step in &view.steps {
        table.row([
            step.step.clone(),
            step.plugin.clone(),
            short_digest(&step.digest),
            step.status.clone(),
            step.cache.clone().unwrap_or_else(|| "-".to_owned()),
            step.duration_ms.map_or_else(dash, millis),
            step.cpu_ms.map_or_else(dash, millis),
            step.memory_bytes.map_or_else(dash, megabytes),
            step.reason.clone().unwrap_or_default(),
        ]);
    }
    let took = view.duration_ms.map_or_else(String::new, |duration| format!(" in {}", millis(duration)));
    let mut text = format!("run {} of {}: {}{took}\n\n{table}", view.run, view.pipeline, view.status);
    let metrics = metrics(&view.steps);
    if !metrics.is_empty() {
        text += &format!("\n{metrics}");
    }
    if let Some(parent) = &view.parent {
        text += &format!("\nbelongs to run {parent} ({})\n", view.origin);
    }
    if !view.children.is_empty() {
        text += &format!("\n{}", children(view));
    }
    for error in view.steps.iter().filter_map(|step| step.error.as_ref()) {
        text += &format!("\n{error}\n");
    }
    text
}

/// How many runs belong to this one, and how to look at them.
fn children(view: &RunView) -> String {
    let mut by_origin: std::collections::BTreeMap<&str, Vec<&str>> = Default::default();
    for child in &view.children {
        by_origin.entry(&child.origin).or_default().push(&child.status);
    }
    let line = |(origin, statuses): (&str, Vec<&str>)| {
        let count = |status: &str| statuses.iter().filter(|known| **known == status).count();
        let ends: Vec<String> = ["succeeded", "failed", "cancelled", "running"]
            .into_iter()
            .map(|status| (status, count(status)))
            .filter(|(_, count)| *count > 0)
            .map(|(status, count)| format!("{count} {status}"))
            .collect();
        format!(
            "{origin}: {} runs, {}; `wasmlops runs compare --children {}`\n",
            statuses.len(),
            ends.join(", "),
            view.run
        )
    };
    by_origin.into_iter().map(line).collect()
}

fn metrics(steps: &[StepView]) -> String {
    let lines = steps.iter().filter(|step| !step.metrics.0.is_empty()).map(|step| {
        let metrics: Vec<String> =
            step.metrics.0.iter().map(|(name, value)| format!("{name} {}", number(*value))).collect();
        format!("{}: {}\n", step.step, metrics.join(", "))
    });
    lines.collect()
}

/// A plan: the steps as a table, with the reason of each miss.
pub fn plan(view: &PlanView) -> String {
    let mut table = TextTable::new(&["step", "plugin", "digest", "cache", "why", "reads", ">estimate"]);
    for step in &view.steps {
        let reads = if step.grants.read.is_empty() { "-".to_owned() } else { step.grants.read.join(" ") };
        let when = step.when.as_ref().map_or_else(String::new, |when| format!(" (only when {when})"));
        let trials = step.search.as_ref().map_or_else(String::new, |search| {
            format!("{} trials of {}, {} at once: ", search.trials, search.pipeline, search.parallel)
        });
        table.row([
            step.step.clone(),
            step.plugin.clone(),
            short_digest(&step.digest),
            step.cache.clone(),
            format!("{trials}{}{when}", step.reason),
            reads,
            step.estimated_ms.map_or_else(dash, millis),
        ]);
    }
    let total = view.estimated_ms.map_or_else(String::new, |total| format!(", about {}", millis(total)));
    format!("plan of {}: {} hits, {} to run{total}\n\n{table}", view.pipeline, view.hits, view.misses)
}

/// A verification: a line a step, with both digests of every output.
pub fn verify(view: &VerifyView) -> String {
    let mut table = TextTable::new(&["step", "result", ">time", "output", "recorded", "reproduced"]);
    for step in &view.steps {
        let mut head = [step.step.clone(), step.result.clone(), millis(step.duration_ms)];
        if step.outputs.is_empty() {
            table.row(head.iter().cloned().chain(["-".to_owned(), "-".to_owned(), "-".to_owned()]));
        }
        for (name, output) in &step.outputs {
            let digest = |digest: &Option<String>| digest.as_deref().map_or_else(dash, short_digest);
            let cells = [name.clone(), digest(&output.recorded), digest(&output.reproduced)];
            table.row(head.iter().cloned().chain(cells));
            head = Default::default();
        }
    }
    let mut text = format!("verified run {} of {}: {}\n\n{table}", view.run, view.pipeline, view.result);
    for error in view.steps.iter().filter_map(|step| step.error.as_ref()) {
        text += &format!("\n{error}\n");
    }
    text
}

pub fn dash() -> String {
    "-".to_owned()
}

/// The algorithm and the first digits: `sha256:0123456789ab`.
pub fn short_digest(digest: &str) -> String {
    match digest.split_once(':') {
        Some((algorithm, hex)) => format!("{algorithm}:{}", hex.get(..12).unwrap_or(hex)),
        None => digest.to_owned(),
    }
}

/// `0.3 ms`, `412 ms`, `9.1 s`.
pub fn millis(millis: f64) -> String {
    match millis {
        millis if millis < 10.0 => format!("{millis:.1} ms"),
        millis if millis < 10_000.0 => format!("{millis:.0} ms"),
        millis => format!("{:.1} s", millis / 1e3),
    }
}

fn megabytes(bytes: u64) -> String {
    if bytes < 1 << 20 { format_size(bytes) } else { format!("{:.1} MiB", bytes as f64 / f64::from(1 << 20)) }
}

/// Six significant digits are what a person compares.
pub fn number(value: f64) -> String {
    if value == value.trunc() && value.abs() < 1e15 {
        return format!("{value}");
    }
    let magnitude = value.abs().log10().floor();
    if (-4.0..6.0).contains(&magnitude) {
        let decimals = (5.0 - magnitude).max(0.0) as usize;
        format!("{value:.decimals$}").trim_end_matches('0').to_owned()
    } else {
        format!("{value:.5e}")
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers_have_six_digits() {
        assert_eq!([0.995_123_456, 12.0, 0.000_01, 1234.5678].map(number), ["0.995123", "12", "1.00000e-5", "1234.57"]);
        assert_eq!([0.25, 412.3, 9_100.0, 65_000.0].map(millis), ["0.2 ms", "412 ms", "9100 ms", "65.0 s"]);
    }
}
