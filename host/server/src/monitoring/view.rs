//! Monitors as people and programs see them.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wasmlops_core::call::Finding;
use wasmlops_core::config::{MonitorConfig, Reference, WindowConfig, format_duration};
use wasmlops_store::{ActionRow, WindowRow};

use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::host::Host;

/// A monitor and what it saw last.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct MonitorView {
    pub monitor: String,
    pub uses: String,
    pub endpoint: String,
    /// `200 rows`, `1h`.
    pub window: String,
    /// `training` or `previous`.
    pub reference: String,
    /// The names of the rules.
    pub rules: Vec<String>,
    /// The newest windows first.
    pub windows: Vec<WindowView>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct WindowView {
    pub window: i64,
    pub time: String,
    pub start: String,
    pub end: String,
    pub rows: i64,
    pub version: i64,
    /// The run that judged it.
    pub run: String,
    /// The rows as a table.
    pub digest: String,
    /// How many findings call for attention.
    pub found: i64,
    #[schemars(with = "Vec<crate::view::shapes::FindingShape>")]
    pub findings: Vec<Finding>,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub error: Option<String>,
    pub actions: Vec<ActionView>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct ActionView {
    pub id: String,
    pub rule: String,
    pub kind: String,
    /// `pending`, `done`, `failed` or `held`.
    pub state: String,
    pub attempts: i64,
    #[serde(skip_serializing_if = "Option::is_none")]
    pub outcome: Option<String>,
    pub time: String,
}

/// Every monitor of the project, each with its newest window.
pub async fn list(host: &Host) -> Result<Vec<MonitorView>> {
    let mut views = Vec::new();
    for monitor in &host.project.monitors {
        views.push(show(host, monitor, 1).await?);
    }
    Ok(views)
}

/// A monitor with its newest windows.
pub async fn show(host: &Host, monitor: &MonitorConfig, windows: u32) -> Result<MonitorView> {
    let name = &monitor.name.value;
    let mut views = Vec::new();
    for row in host.store.windows(name, windows).await? {
        let actions = host.store.actions_of_window(name, row.seq).await?;
        views.push(window(row, actions)?);
    }
    Ok(MonitorView {
        monitor: name.clone(),
        uses: monitor.uses.value.to_string(),
        endpoint: monitor.endpoint.clone(),
        window: match monitor.window {
            WindowConfig::Rows(rows) => format!("{rows} rows"),
            WindowConfig::Time { length, .. } => format_duration(length),
            WindowConfig::Labels(labels) => format!("{labels} labels"),
        },
        reference: match monitor.reference {
            Reference::Training => "training",
            Reference::Previous => "previous",
        }
        .to_owned(),
        rules: monitor.rules.iter().map(|rule| rule.name.clone()).collect(),
        windows: views,
    })
}

pub fn window(row: WindowRow, actions: Vec<ActionRow>) -> Result<WindowView> {
    Ok(WindowView {
        window: row.seq,
        time: rfc3339(row.time),
        start: rfc3339(row.starts),
        end: rfc3339(row.ends),
        rows: row.rows,
        version: row.version,
        run: row.run,
        digest: row.digest.to_string(),
        found: row.found,
        findings: serde_json::from_str(&row.findings).map_err(Error::bug)?,
        error: row.error,
        actions: actions.into_iter().map(action).collect(),
    })
}

fn action(row: ActionRow) -> ActionView {
    ActionView {
        id: row.id,
        rule: row.rule,
        kind: row.kind,
        state: row.state.to_string(),
        attempts: row.attempts,
        outcome: row.outcome,
        time: rfc3339(row.ended.unwrap_or(row.created)),
    }
}
