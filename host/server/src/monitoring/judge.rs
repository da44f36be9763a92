//! From a window of rows to findings: a run of the monitor's plugin, and what its rules make of the outcome.

use std::sync::Arc;

use serde_json::{Map, Value, json};
use wasmlops_core::call::{Cancel, Finding};
use wasmlops_core::config::{Action, MonitorConfig, Reference, Rule, parse_pipeline};
use wasmlops_core::rules::{self, Pace, Scope, WindowFacts};
use wasmlops_core::run::Micros;
use wasmlops_core::table::Table;
use wasmlops_package::{Algorithm, Digest, Kind};
use wasmlops_store::{ActionRow, ActionState, Stamp, WindowRow};

use super::due::DueWindow;
use crate::clock::new_id;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::planning::{self, LockPolicy};
use crate::runs::{self, RunOptions};
use crate::view::RunView;
use crate::watch::Unwatched;

/// Who the audit names for what monitors do.
pub(super) const ACTOR: &str = "monitor";

/// The step that judges, in the pipeline made for it.
const STEP: &str = "observe";

/// Judges a window and records findings and actions.
pub async fn judge(host: &Host, monitor: &MonitorConfig, due: DueWindow) -> Result<WindowRow> {
    let window = put(host, &due.data.table).await?;
    let Judgement { run, findings, error } = match reference(host, monitor, &due).await? {
        None => Judgement {
            error: Some("there is no window before the first one to compare it with".to_owned()),
            ..Judgement::default()
        },
        Some(reference) => judgement(host, &observe(host, monitor, window, reference).await?).await?,
    };
    let now = host.clock.now();
    let row = WindowRow {
        monitor: monitor.name.value.clone(),
        seq: due.seq,
        endpoint: monitor.endpoint.clone(),
        from_row: due.from_row,
        to_row: due.to_row,
        starts: due.starts,
        ends: due.ends,
        rows: signed(due.data.table.num_rows()),
        version: signed(due.version),
        digest: window,
        run,
        found: signed(findings.iter().filter(|finding| finding.found).count() as u64),
        findings: serde_json::to_string(&findings).map_err(Error::bug)?,
        error,
        time: now,
    };
    let mut actions = Vec::new();
    if row.error.is_none() {
        for rule in &monitor.rules {
            actions.extend(called_for(host, &row, &findings, rule, now).await?);
        }
    }
    host.store.record_window(row.clone(), actions, Stamp { time: now, actor: ACTOR.to_owned() }).await?;
    crate::serving::control::note_findings(host, &monitor.endpoint, &monitor.name.value, &row, &findings).await?;
    Ok(row)
}

async fn put(host: &Host, table: &Table) -> Result<Digest> {
    let (blobs, table) = (host.store.blobs().clone(), table.clone());
    let put = move || {
        let bytes = table.to_ipc().map_err(Error::bug)?;
        blobs.put_blocking(Algorithm::Blake3, &bytes).map_err(Error::store)
    };
    tokio::task::spawn_blocking(put).await.map_err(Error::bug)?
}

async fn reference(host: &Host, monitor: &MonitorConfig, due: &DueWindow) -> Result<Option<Digest>> {
    match monitor.reference {
        Reference::Previous => Ok(due.previous),
        Reference::Training => {
            let table = crate::inference::reference(host, &due.model).await?;
            put(host, &table).await.map(Some)
        }
    }
}

/// Runs the plugin as a pipeline of its own. A plugin that takes no reference is given none.
async fn observe(host: &Host, monitor: &MonitorConfig, window: Digest, reference: Digest) -> Result<RunView> {
    let mut steps = Map::new();
    let mut inputs = Map::new();
    for (name, digest) in [("window", window), ("reference", reference)] {
        if name == "window" || takes_reference(host, monitor) {
            steps.insert(name.to_owned(), json!({ "artifact": digest }));
            inputs.insert(name.to_owned(), json!(format!("{name}.table")));
        }
    }
    let uses = monitor.uses.value.to_string();
    steps.insert(STEP.to_owned(), json!({ "uses": uses, "kind": "monitor", "inputs": inputs, "with": monitor.with }));
    let text = json!({ "pipeline": format!("monitor-{}", monitor.name.value), "steps": steps }).to_string();
    let pipeline = parse_pipeline(&format!("monitor `{}`", monitor.name.value), &text)?;
    let graph = planning::bound(host, &pipeline, &Map::new(), LockPolicy::Update)?;
    let options = RunOptions {
        id: None,
        seed: 0,
        nominal_time: None,
        use_cache: true,
        source: None,
        observer: Arc::new(Unwatched),
        cancel: Cancel::default(),
        actor: ACTOR.to_owned(),
        origin: format!("monitor:{}", monitor.name.value),
    };
    runs::start(host, graph, options).await
}

fn takes_reference(host: &Host, monitor: &MonitorConfig) -> bool {
    let wanted = &monitor.uses.value;
    let infos = host.plugins.infos();
    let plugin = infos.iter().find(|info| info.name == wanted.name && wanted.requirement.matches(&info.version));
    let kind = plugin.and_then(|info| info.manifest.kinds.get(&Kind::Monitor));
    kind.is_none_or(|kind| kind.inputs.iter().any(|port| port.name == "reference"))
}

/// What a run of the plugin came to.
#[derive(Default)]
struct Judgement {
    /// Empty where nothing ran.
    run: String,
    findings: Vec<Finding>,
    /// Why there are no findings.
    error: Option<String>,
}

async fn judgement(host: &Host, view: &RunView) -> Result<Judgement> {
    let run = view.run.clone();
    let step = view.steps.iter().find(|step| step.step == STEP);
    let Some(output) = step.and_then(|step| step.outputs.get("findings")) else {
        let failed = view.steps.iter().find_map(|step| step.error.as_ref());
        let error = failed.map_or_else(|| format!("the run {run} gave no findings"), |error| error.message.clone());
        return Ok(Judgement { run, findings: Vec::new(), error: Some(error) });
    };
    let bytes = host.store.blobs().get(&output.digest).await.map_err(Error::store)?;
    Ok(Judgement { run, findings: serde_json::from_slice(&bytes).map_err(Error::bug)?, error: None })
}

/// The actions of a rule that holds. Those that come too soon or too often are recorded as held.
async fn called_for(
    host: &Host,
    window: &WindowRow,
    findings: &[Finding],
    rule: &Rule,
    now: Micros,
) -> Result<Vec<ActionRow>> {
    let facts = WindowFacts { rows: window.rows.unsigned_abs(), start: window.starts, end: window.ends };
    let scope = Scope { findings, window: facts, version: window.version.unsigned_abs() };
    match rules::holds(rule.when.text(), &scope) {
        Ok(true) => {}
        Ok(false) => return Ok(Vec::new()),
        Err(error) => {
            tracing::warn!(monitor = %window.monitor, rule = %rule.name, "{error}");
            return Ok(Vec::new());
        }
    }
    let pace = Pace { cooldown: rule.cooldown, runs: rule.limit.as_ref().map(|limit| (limit.runs, limit.per)) };
    let earlier = host.store.rule_actions(&window.monitor, &rule.name, 0).await?;
    let runs: Vec<Micros> = earlier.iter().filter(|(_, kind)| kind == "run").map(|(at, _)| *at).collect();
    let last = earlier.iter().map(|(at, _)| *at).max();
    let mut rows = Vec::new();
    for action in &rule.actions {
        let held = pace.may_act(last, now).and_then(|()| match action {
            Action::Run { .. } => pace.may_run(&runs, now),
            _ => Ok(()),
        });
        rows.push(ActionRow {
            id: new_id(&*host.clock),
            monitor: window.monitor.clone(),
            seq: window.seq,
            rule: rule.name.clone(),
            kind: super::act::kind(action).to_owned(),
            action: serde_json::to_string(action).map_err(Error::bug)?,
            state: if held.is_ok() { ActionState::Pending } else { ActionState::Held },
            attempts: 0,
            next_attempt: now,
            outcome: held.as_ref().err().map(ToString::to_string),
            created: now,
            ended: held.is_err().then_some(now),
        });
    }
    Ok(rows)
}

pub(super) fn finding_value(finding: &Finding) -> Value {
    serde_json::to_value(finding).unwrap_or_default()
}

/// SQL knows signed numbers only.
fn signed(number: u64) -> i64 {
    i64::try_from(number).unwrap_or(i64::MAX)
}
