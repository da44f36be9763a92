//! From findings to actions: tells people and systems, holds canaries back, rolls back, starts pipelines.
//!
//! An action is done at least once. Alerts and changes of an endpoint are harmless to repeat; a webhook carries the
//! action's id; a pipeline's run has the action's id as its own, so that it is never started twice.

use std::sync::Arc;
use std::time::Duration;

use serde_json::{Value, json};
use wasmlops_core::call::{Cancel, Finding, HttpRequest};
use wasmlops_core::config::Action;
use wasmlops_core::run::Micros;
use wasmlops_package::{Algorithm, Digest};
use wasmlops_store::{ActionEnd, ActionRow, ActionState, RunStatus, Stamp, WindowRow};

use super::judge::{ACTOR, finding_value};
use crate::clock::rfc3339;
use crate::error::{Error, Result};
use crate::host::Host;
use crate::inference::{self, WindowSpec};
use crate::planning::{self, LockPolicy};
use crate::runs::{self, RunOptions};
use crate::serving::control;
use crate::watch::Unwatched;

/// A webhook that does not take the message is tried so often; the waits double from a second to [`LONGEST_WAIT`].
const WEBHOOK_ATTEMPTS: i64 = 12;
const LONGEST_WAIT: Duration = Duration::from_secs(300);
/// How often a run that waits for labels looks for them.
const LABEL_POLL: Duration = Duration::from_secs(2);
const WEBHOOK_TIMEOUT: Duration = Duration::from_secs(10);

/// An action's kind as the store and the audit name it.
pub fn kind(action: &Action) -> &'static str {
    match action {
        Action::Alert => "alert",
        Action::Webhook { .. } => "webhook",
        Action::PauseCanary => "pause-canary",
        Action::Rollback => "rollback",
        Action::Run { .. } => "run",
    }
}

/// What came of one attempt.
enum Attempt {
    Done(String),
    Again { after: Duration, because: String },
    Failed(String),
}

/// One attempt at one action; how it ended is recorded.
pub async fn perform(host: &Host, row: &ActionRow) -> Result<()> {
    let attempt = match attempt(host, row).await {
        Ok(attempt) => attempt,
        // What a person has to mend is not mended by trying again.
        Err(Error::User(problems)) => Attempt::Failed(problems.to_string()),
        Err(error) => retry(row, error.to_string()),
    };
    let now = host.clock.now();
    let (state, next_attempt, outcome) = match attempt {
        Attempt::Done(outcome) => (ActionState::Done, now, outcome),
        Attempt::Again { after, because } => (ActionState::Pending, now + micros(after), because),
        Attempt::Failed(because) => {
            tracing::error!(monitor = %row.monitor, rule = %row.rule, "{} failed: {because}", row.kind);
            (ActionState::Failed, now, because)
        }
    };
    let end = ActionEnd { id: row.id.clone(), state, next_attempt, outcome };
    host.store.end_action(end, Stamp { time: now, actor: ACTOR.to_owned() }).await?;
    Ok(())
}

async fn attempt(host: &Host, row: &ActionRow) -> Result<Attempt> {
    let action: Action = serde_json::from_str(&row.action).map_err(Error::bug)?;
    let window = window(host, row).await?;
    let by = format!("monitor `{}`, rule `{}`", row.monitor, row.rule);
    let reason = summary(&window)?;
    Ok(match action {
        Action::Alert => {
            tracing::warn!(monitor = %row.monitor, endpoint = %window.endpoint, rule = %row.rule, "{reason}");
            Attempt::Done(reason)
        }
        Action::Webhook { url, secret } => webhook(host, row, &window, &url, secret.as_deref()).await?,
        Action::PauseCanary => Attempt::Done(control::pause_canary(host, &window.endpoint, &by, &reason).await?),
        Action::Rollback => Attempt::Done(control::roll_back_for_monitor(host, &window.endpoint, &by, &reason).await?),
        Action::Run { pipeline, window_param, params, labels } => {
            let run = Retraining { host, row, window: &window, pipeline, window_param, params, labels };
            run.attempt().await?
        }
    })
}

async fn window(host: &Host, row: &ActionRow) -> Result<WindowRow> {
    let windows = host.store.windows(&row.monitor, u32::MAX).await?;
    windows.into_iter().find(|window| window.seq == row.seq).ok_or_else(|| Error::bug("an action without its window"))
}

/// One sentence: the findings that call for attention, the first few by name.
fn summary(window: &WindowRow) -> Result<String> {
    let findings: Vec<Finding> = serde_json::from_str(&window.findings).map_err(Error::bug)?;
    let found: Vec<&Finding> = findings.iter().filter(|finding| finding.found).collect();
    let named: Vec<&str> = found.iter().take(3).map(|finding| finding.message.as_str()).collect();
    let more =
        if found.len() > named.len() { format!("; and {} more", found.len() - named.len()) } else { String::new() };
    let rows = window.rows;
    Ok(format!("{} of {} findings in {rows} rows: {}{more}", found.len(), findings.len(), named.join("; ")))
}

/// A CloudEvent (1.0, structured mode) with the findings that call for attention.
async fn webhook(host: &Host, row: &ActionRow, window: &WindowRow, url: &str, secret: Option<&str>) -> Result<Attempt> {
    let findings: Vec<Finding> = serde_json::from_str(&window.findings).map_err(Error::bug)?;
    let found: Vec<Value> = findings.iter().filter(|finding| finding.found).map(finding_value).collect();
    let event = json!({
        "specversion": "1.0",
        "id": row.id,
        "source": format!("/monitors/{}", row.monitor),
        "type": "dev.wasmlops.monitor.found",
        "subject": window.endpoint,
        "time": rfc3339(row.created),
        "datacontenttype": "application/json",
        "data": {
            "monitor": row.monitor, "rule": row.rule, "endpoint": window.endpoint, "run": window.run,
            "version": window.version,
            "window": { "rows": window.rows, "start": rfc3339(window.starts), "end": rfc3339(window.ends) },
            "findings": found,
        },
    });
    let body = event.to_string().into_bytes();
    let mut headers = vec![("content-type".to_owned(), b"application/cloudevents+json".to_vec())];
    if let Some(secret) = secret {
        headers.push(crate::events::signed(host, secret, &body).await?);
    }
    let request =
        HttpRequest { method: "POST".to_owned(), url: url.to_owned(), headers, body, timeout: Some(WEBHOOK_TIMEOUT) };
    Ok(match host.broker.send(&host.project.policy.http, request).await {
        Ok(answer) if (200..300).contains(&answer.status) => Attempt::Done(format!("answered {}", answer.status)),
        Ok(answer) => retry(row, format!("answered {}", answer.status)),
        Err(wasmlops_core::call::HttpFailure::Denied(because)) => {
            Attempt::Failed(format!("{because}; list the origin under `policy.http` in wasmlops.yaml"))
        }
        Err(failure) => retry(row, failure.to_string()),
    })
}

fn retry(row: &ActionRow, because: String) -> Attempt {
    if row.attempts + 1 >= WEBHOOK_ATTEMPTS {
        return Attempt::Failed(format!("{because}, {WEBHOOK_ATTEMPTS} times"));
    }
    let exponent = u32::try_from(row.attempts).unwrap_or(u32::MAX).min(16);
    Attempt::Again { after: Duration::from_secs(1 << exponent).min(LONGEST_WAIT), because }
}

/// A pipeline that a rule starts, with the window's labelled rows as one of its parameters.
struct Retraining<'a> {
    host: &'a Host,
    row: &'a ActionRow,
    window: &'a WindowRow,
    pipeline: String,
    window_param: Option<String>,
    params: serde_json::Map<String, Value>,
    /// How many rows must have a label.
    labels: u64,
}

impl Retraining<'_> {
    async fn attempt(mut self) -> Result<Attempt> {
        let host = self.host;
        if let Some(run) = host.store.load_run(&self.row.id).await? {
            return self.go_on(run.status).await;
        }
        if let Some(param) = self.window_param.clone() {
            match self.labelled_rows().await? {
                Ok(digest) => self.params.insert(param, json!(digest)),
                Err(waiting) => return Ok(waiting),
            };
        }
        let pipeline = host.project.pipeline(&host.project.root, Some(&self.pipeline))?;
        let graph = planning::bound(host, &pipeline, &self.params, LockPolicy::Update)?;
        let options = RunOptions {
            id: Some(self.row.id.clone()),
            seed: 0,
            nominal_time: None,
            use_cache: true,
            source: Some(pipeline.source),
            observer: Arc::new(Unwatched),
            cancel: Cancel::default(),
            actor: ACTOR.to_owned(),
            origin: format!("monitor:{}", self.row.monitor),
        };
        let view = runs::start(host, graph, options).await?;
        Ok(self.ended(&view.status))
    }

    /// The process died while the run was under way.
    async fn go_on(&self, status: RunStatus) -> Result<Attempt> {
        if status.is_final() {
            return Ok(self.ended(status.as_str()));
        }
        let view = runs::resume(self.host, &self.row.id, ACTOR, Arc::new(Unwatched), Cancel::default()).await?;
        Ok(self.ended(&view.status))
    }

    fn ended(&self, status: &str) -> Attempt {
        let outcome = format!("run {} of `{}` {status}", self.row.id, self.pipeline);
        // A gate that did not hold is an answer, not a fault: the live version stays.
        Attempt::Done(outcome)
    }

    /// The window's labelled rows as an artifact, or what to wait for.
    async fn labelled_rows(&self) -> Result<Result<Digest, Attempt>> {
        let (host, window) = (self.host, self.window);
        let spec = WindowSpec::Rows { from_seq: window.from_row, to_seq: window.to_row };
        let data = inference::window(host, &window.endpoint, spec, true).await?;
        if data.labelled < self.labels.max(1) {
            let because = format!("{} of the window's rows have a label, waiting for {}", data.labelled, self.labels);
            let lateness = host.project.endpoints.iter().find(|endpoint| endpoint.name.value == window.endpoint);
            let lateness = lateness.map_or(Duration::ZERO, |endpoint| endpoint.labels.lateness);
            let hopeless = host.clock.now() > window.ends + micros(lateness);
            let again = Attempt::Again { after: LABEL_POLL, because: because.clone() };
            return Ok(Err(if hopeless { Attempt::Failed(because) } else { again }));
        }
        let model = control::model_of(host, &window.endpoint, window.version.unsigned_abs()).await?;
        let table = inference::training_table(&data, &model.document.document)?;
        let blobs = host.store.blobs().clone();
        let put = move || {
            let bytes = table.to_ipc().map_err(Error::bug)?;
            blobs.put_blocking(Algorithm::Blake3, &bytes).map_err(Error::store)
        };
        Ok(Ok(tokio::task::spawn_blocking(put).await.map_err(Error::bug)??))
    }
}

fn micros(duration: Duration) -> Micros {
    Micros::try_from(duration.as_micros()).unwrap_or(Micros::MAX)
}
