//! `wasmlops runs compare`.

use anyhow::Result;
use serde_json::Value;
use wasmlops_server::runs::{self, Compared, ComparisonView};

use crate::commands::text;
use crate::output::{Outcome, Printer, TextTable};
use crate::settings::Settings;

pub async fn compare(
    settings: &Settings,
    runs: Vec<String>,
    children: Option<String>,
    printer: &Printer,
) -> Result<Outcome> {
    let host = settings.host().await?;
    let mut compared = Compared::default();
    for run in &runs {
        compared.runs.push(host.store.resolve_run(run).await?);
    }
    if let Some(run) = children {
        compared.children = Some(host.store.resolve_run(&run).await?);
    }
    let view = runs::compare(&host, &compared).await?;
    printer.data(&view, || shown(&view))?;
    Ok(Outcome::Done)
}

/// One row for each run, with what differs between them; then, for few runs, the steps that came to other bytes.
pub fn shown(view: &ComparisonView) -> String {
    let params: Vec<_> = view.params.iter().filter(|param| param.differs).collect();
    let metrics: Vec<_> = view.metrics.iter().filter(|metric| metric.differs).collect();
    let named = view.runs.iter().any(|run| run.name != run.pipeline);
    let mut header = vec![if named { "name" } else { "pipeline" }.to_owned(), "run".to_owned(), "status".to_owned()];
    header.extend(params.iter().map(|param| format!(">{}", param.name)));
    header.extend(metrics.iter().map(|metric| format!(">{}.{}", metric.step, metric.metric)));
    let header: Vec<&str> = header.iter().map(String::as_str).collect();
    let mut table = TextTable::new(&header);
    for (at, run) in view.runs.iter().enumerate() {
        let name = if named { &run.name } else { &run.pipeline };
        let mut cells = vec![name.clone(), run.run.chars().take(12).collect(), run.status.clone()];
        cells.extend(params.iter().map(|param| cell(&param.values[at])));
        cells.extend(metrics.iter().map(|metric| metric.values[at].map_or_else(text::dash, text::number)));
        table.row(cells);
    }
    let same = view.params.len() - params.len();
    let mut shown =
        format!("{table}\n{same} parameters and {} metrics are the same\n", view.metrics.len() - metrics.len());
    let differing: Vec<&str> = view.steps.iter().filter(|step| step.differs).map(|step| step.step.as_str()).collect();
    shown += &match differing.as_slice() {
        [] => "all steps came to the same bytes\n".to_owned(),
        names => format!("steps that came to other bytes: {}\n", names.join(", ")),
    };
    for run in &view.runs {
        for (step, reason) in &run.reasons {
            shown += &format!("{} `{step}`: {reason}\n", run.name);
        }
    }
    shown
}

fn cell(value: &Value) -> String {
    match value {
        Value::Null => text::dash(),
        Value::String(text) => text::short_digest(text),
        Value::Number(number) => number.as_f64().map_or_else(|| number.to_string(), text::number),
        other => other.to_string(),
    }
}
