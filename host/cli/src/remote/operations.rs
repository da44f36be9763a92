//! What goes on at a server without anybody asking, and who may do what: approvals, schedules, triggers, secrets,
//! tokens, the audit, gc.

use anyhow::Result;
use serde_json::{Map, Value, json};
use wasmlops_server::error::Error;

use super::{Remote, segment};
use crate::args::{
    ApprovalsCommand, ApproveArgs, AuditCommand, GcArgs, ScheduleCommand, SecretCommand, TokenCommand, TriggerCommand,
};
use crate::commands::secret;
use crate::output::Outcome;

/// Records of the audit that are asked for at a time.
const PAGE: u32 = 1000;

impl Remote<'_> {
    pub(super) async fn approve(&self, args: ApproveArgs) -> Result<Outcome> {
        let step = match args.step {
            Some(step) => step,
            None => self.only_open_step(&args.run).await?,
        };
        let mut input = Map::new();
        for given in &args.input {
            let Some((name, value)) = given.split_once('=') else {
                let message = format!("`{given}` fills in nothing");
                return Err(Error::user("invalid-input", message, "write `--input NAME=VALUE`").into());
            };
            let value = serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned()));
            input.insert(name.to_owned(), value);
        }
        let path = format!("/api/v1/runs/{}/approvals/{}", segment(&args.run), segment(&step));
        let body = json!({ "approve": !args.reject, "reason": args.reason, "input": input });
        let answer = self.server.post(&path).body(&body).value().await?;
        self.print(&answer)
    }

    async fn only_open_step(&self, run: &str) -> Result<String> {
        let open = self.server.get("/api/v1/approvals").query("run", run).value().await?;
        let steps = open["items"].as_array().into_iter().flatten();
        let steps: Vec<&str> = steps.filter_map(|open| open["step"].as_str()).collect();
        match steps.as_slice() {
            [step] => Ok((*step).to_owned()),
            [] => {
                let message = format!("run `{run}` waits for no approval");
                Err(Error::user("no-approval", message, "`wasmlops approvals list` shows what waits").into())
            }
            steps => {
                let message = format!("run `{run}` waits for {}", steps.join(", "));
                Err(Error::user("several-approvals", message, "name the step").into())
            }
        }
    }

    pub(super) async fn approvals(&self, command: ApprovalsCommand) -> Result<Outcome> {
        match command {
            ApprovalsCommand::List { all, limit } => {
                let call = self.server.get("/api/v1/approvals").query("limit", limit).query("all", all);
                self.list(call, "approvals").await
            }
            ApprovalsCommand::Show { run, step } => {
                let step = match step {
                    Some(step) => step,
                    None => self.only_open_step(&run).await?,
                };
                self.show(&format!("/api/v1/runs/{}/approvals/{}", segment(&run), segment(&step))).await
            }
        }
    }

    pub(super) async fn schedule(&self, command: ScheduleCommand) -> Result<Outcome> {
        let of = |name: &str, verb: &str| format!("/api/v1/schedules/{}{verb}", segment(name));
        let call = match command {
            ScheduleCommand::List => return self.list(self.server.get("/api/v1/schedules"), "schedules").await,
            ScheduleCommand::Show { schedule } => self.server.get(&of(&schedule, "")),
            ScheduleCommand::Pause { schedule } => self.server.post(&of(&schedule, "/pause")),
            ScheduleCommand::Resume { schedule } => self.server.post(&of(&schedule, "/resume")),
            ScheduleCommand::Trigger { schedule } => self.server.post(&of(&schedule, "/trigger")),
            ScheduleCommand::Backfill { schedule, from, to, parallel } => {
                let body = json!({ "from": from, "to": to, "parallelism": parallel });
                self.server.post(&of(&schedule, "/backfills")).body(&body)
            }
            ScheduleCommand::CancelBackfill { backfill } => {
                self.server.post(&format!("/api/v1/backfills/{}/cancel", segment(&backfill)))
            }
        };
        self.print(&call.value().await?)
    }

    pub(super) async fn trigger(&self, command: TriggerCommand) -> Result<Outcome> {
        match command {
            TriggerCommand::List => self.list(self.server.get("/api/v1/triggers"), "triggers").await,
            TriggerCommand::Show { trigger, .. } => self.show(&format!("/api/v1/triggers/{}", segment(&trigger))).await,
        }
    }

    pub(super) async fn secret(&self, command: SecretCommand) -> Result<Outcome> {
        let of = |name: &str| format!("/api/v1/secrets/{}", segment(name));
        let call = match command {
            SecretCommand::List => return self.list(self.server.get("/api/v1/secrets"), "secrets").await,
            SecretCommand::Remove { name } => self.server.delete(&of(&name)),
            SecretCommand::Set { name } => {
                let value = secret::read(self.printer)?;
                let text = std::str::from_utf8(&value).map_err(|_| {
                    let message = "the value is not UTF-8 text, and a server takes no other";
                    Error::user("invalid-secret", message, "encode it, or set it on the server's machine")
                })?;
                self.server.put(&of(&name)).body(&json!({ "value": text }))
            }
        };
        self.print(&call.value().await?)
    }

    pub(super) async fn token(&self, command: TokenCommand) -> Result<Outcome> {
        let call = match command {
            TokenCommand::List => return self.list(self.server.get("/api/v1/tokens"), "tokens").await,
            TokenCommand::Revoke { id, .. } => self.server.delete(&format!("/api/v1/tokens/{}", segment(&id))),
            TokenCommand::Create { name, role, scopes, expires } => {
                let scopes: Vec<String> = scopes.iter().map(ToString::to_string).collect();
                let body = json!({ "name": name, "role": role.to_string(), "scopes": scopes, "expires_in": expires });
                self.server.post("/api/v1/tokens").body(&body)
            }
        };
        self.print(&call.value().await?)
    }

    pub(super) async fn audit(&self, command: AuditCommand) -> Result<Outcome> {
        match command {
            AuditCommand::Verify { head, records } => {
                let call = self.server.get("/api/v1/audit/verification");
                let answer = call.query_some("head", head).query_some("records", records).value().await?;
                let intact = answer["intact"].as_bool().unwrap_or(false);
                self.print(&answer)?;
                Ok(if intact { Outcome::Done } else { Outcome::WorkFailed })
            }
            AuditCommand::Export { from, to } => self.export_audit(from, to).await,
        }
    }

    /// Page by page, one record a line.
    async fn export_audit(&self, from: i64, to: Option<i64>) -> Result<Outcome> {
        let mut cursor: Option<String> = None;
        loop {
            let call = self.server.get("/api/v1/audit").query("limit", PAGE);
            let page = call.query_some("cursor", cursor.take()).value().await?;
            for record in page["items"].as_array().into_iter().flatten() {
                let number = record["seq"].as_i64().unwrap_or_default();
                if number < from || to.is_some_and(|to| number > to) {
                    continue;
                }
                self.printer.bytes(format!("{record}\n").as_bytes())?;
            }
            match page["next"].as_str() {
                Some(next) => cursor = Some(next.to_owned()),
                None => return Ok(Outcome::Done),
            }
        }
    }

    pub(super) async fn gc(&self, args: GcArgs) -> Result<Outcome> {
        let call = if args.dry_run { self.server.get("/api/v1/gc") } else { self.server.post("/api/v1/gc") };
        self.print(&call.value().await?)
    }
}
