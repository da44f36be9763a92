//! Pipelines, runs and artifacts of a server.

use std::io::Write;
use std::time::Duration;

use anyhow::{Context, Result};
use serde_json::{Map, Value, json};
use wasmlops_server::error::Error;
use wasmlops_server::view::RunView;

use super::{Remote, local_only, segment};
use crate::args::{ArtifactCommand, PipelineArgs, RunArgs, RunsCommand};
use crate::commands::runs::compare;
use crate::commands::text;
use crate::output::Outcome;

/// How often a run that is waited for is looked at.
const LOOK: Duration = Duration::from_millis(300);

impl Remote<'_> {
    pub(super) async fn plan(&self, args: PipelineArgs) -> Result<Outcome> {
        let path = format!("/api/v1/pipelines/{}/plan", segment(named(&args)?));
        let body = json!({ "params": submission(&args)?["params"] });
        let answer = self.server.post(&path).body(&body).value().await?;
        self.print(&answer)
    }

    /// Queues a run and waits for its end, or for an approval.
    pub(super) async fn run(&self, args: RunArgs) -> Result<Outcome> {
        let path = format!("/api/v1/pipelines/{}/runs", segment(named(&args.pipeline)?));
        let mut body = submission(&args.pipeline)?;
        body["use_cache"] = json!(!args.no_cache);
        body["priority"] = json!(args.priority);
        let queued = self.server.post(&path).body(&body).value().await?;
        let id = queued["run"].as_str().context("the server named no run")?.to_owned();
        if args.detach {
            return self.print(&queued);
        }
        self.printer.say(format!("run {id} is queued; an interrupt here does not stop it"));
        self.follow(&id).await
    }

    async fn follow(&self, id: &str) -> Result<Outcome> {
        let path = format!("/api/v1/runs/{}", segment(id));
        loop {
            let answer = self.server.get(&path).value().await?;
            let status = answer["status"].as_str().unwrap_or_default();
            if matches!(status, "succeeded" | "failed" | "cancelled" | "waiting") {
                let outcome =
                    if matches!(status, "succeeded" | "waiting") { Outcome::Done } else { Outcome::WorkFailed };
                let view: RunView = serde_json::from_value(answer.clone()).context("the server's run is no run")?;
                self.printer.data(&answer, || text::run(&view))?;
                return Ok(outcome);
            }
            tokio::time::sleep(LOOK).await;
        }
    }

    pub(super) async fn runs(&self, command: RunsCommand) -> Result<Outcome> {
        let of = |run: &str, verb: &str| format!("/api/v1/runs/{}{verb}", segment(run));
        match command {
            RunsCommand::List { pipeline, status, limit, .. } => {
                let status = status.map(|status| format!("{status:?}").to_lowercase());
                let call = self.server.get("/api/v1/runs").query("limit", limit);
                self.list(call.query_some("pipeline", pipeline).query_some("status", status), "runs").await
            }
            RunsCommand::Show { run } => {
                let answer = self.server.get(&of(&run, "")).value().await?;
                let view: RunView = serde_json::from_value(answer.clone()).context("the server's run is no run")?;
                self.printer.data(&answer, || text::run(&view))?;
                Ok(Outcome::Done)
            }
            RunsCommand::Logs { run, step } => {
                let call = self.server.get(&of(&run, "/logs")).query("limit", 1000).query_some("step", step);
                self.list(call, "lines").await
            }
            RunsCommand::Cancel { run } => {
                let answer = self.server.post(&of(&run, "/cancel")).value().await?;
                self.printer.data(&answer, || format!("run {run} was asked to stop"))?;
                Ok(Outcome::Done)
            }
            RunsCommand::Resume { run } => {
                let answer = self.server.post(&of(&run, "/resume")).value().await?;
                self.follow(answer["run"].as_str().unwrap_or(&run)).await
            }
            RunsCommand::Compare { runs, children } => {
                let call = self.server.get("/api/v1/runs/compare").query_some("children", children);
                let answer = runs.iter().fold(call, |call, run| call.query("run", run)).value().await?;
                let view = serde_json::from_value(answer.clone()).context("the server's answer is no comparison")?;
                self.printer.data(&answer, || compare::shown(&view))?;
                Ok(Outcome::Done)
            }
            RunsCommand::Queue => self.show("/api/v1/queue").await,
        }
    }

    /// Of a run, an artifact or a prediction, whichever has the id.
    pub(super) async fn lineage(&self, id: &str) -> Result<Outcome> {
        let id = segment(id);
        for path in [format!("runs/{id}/lineage"), format!("artifacts/{id}/lineage"), format!("predictions/{id}")] {
            // What cannot be a digest is no artifact.
            if path.starts_with("artifacts/") && !id.contains(':') {
                continue;
            }
            if let Some(answer) = self.server.get(&format!("/api/v1/{path}")).value_if_any().await? {
                return self.print(&answer);
            }
        }
        let message = format!("`{id}` is no run, no artifact and no prediction of the server");
        Err(Error::user("not-found", message, "give a whole id").into())
    }

    pub(super) async fn artifact(&self, command: ArtifactCommand) -> Result<Outcome> {
        let of = |artifact: &str, part: &str| format!("/api/v1/artifacts/{}{part}", segment(artifact));
        match command {
            ArtifactCommand::Show { artifact, .. } => self.show(&of(&artifact, "")).await,
            ArtifactCommand::Cat { artifact } => {
                self.server.get(&of(&artifact, "/content")).stream(|bytes| self.printer.bytes(bytes)).await?;
                Ok(Outcome::Done)
            }
            ArtifactCommand::Export { artifact, file, format } => {
                if format.is_some() || file.extension().is_some_and(|ending| ending == "csv" || ending == "parquet") {
                    return local_only();
                }
                let file = self.settings.folder.join(file);
                let cannot = || format!("cannot write `{}`", file.display());
                let mut out = std::fs::File::create_new(&file).with_context(cannot)?;
                let call = self.server.get(&of(&artifact, "/content"));
                call.stream(|bytes| out.write_all(bytes).with_context(cannot)).await?;
                self.printer.data(&json!({ "file": file }), || format!("wrote {}", file.display()))?;
                Ok(Outcome::Done)
            }
        }
    }
}

/// A server has pipelines by name; files are of this machine.
fn named(args: &PipelineArgs) -> Result<&str> {
    match args.pipeline.as_deref() {
        Some(file) if file.ends_with(".yaml") || file.ends_with(".yml") => {
            let message =
                format!("`{file}` is a file of this machine, and a server runs the pipelines of its projects");
            Err(Error::user("local-file", message, "name one of its pipelines").into())
        }
        Some(name) => Ok(name),
        None => Err(Error::user("no-pipeline", "name the pipeline", "`wasmlops run NAME --server URL`").into()),
    }
}

/// Parameters are sent as JSON where they are, else as text; the server knows their types.
fn submission(args: &PipelineArgs) -> Result<Value> {
    let mut params = Map::new();
    for param in &args.params {
        let Some((name, value)) = param.split_once('=') else {
            let message = format!("`{param}` sets no parameter");
            return Err(Error::user("invalid-param", message, "write `--param NAME=VALUE`").into());
        };
        let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
        params.insert(name.to_owned(), value);
    }
    let mut body = json!({ "params": params, "seed": args.seed });
    if let Some(time) = &args.nominal_time {
        body["nominal_time"] = json!(time);
    }
    Ok(body)
}
