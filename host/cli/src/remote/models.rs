//! Models, endpoints, monitors, labels and plugins of a server.

use anyhow::Result;
use serde_json::{Value, json};
use wasmlops_core::config::{ModelRef, Selector};
use wasmlops_server::error::Error;

use super::{Remote, local_only, segment};
use crate::args::{
    AddLabelArgs, AliasArgs, EndpointCommand, LabelCommand, ModelCommand, MonitorCommand, PluginCommand,
};
use crate::commands::{endpoint, label, model};
use crate::output::Outcome;

impl Remote<'_> {
    pub(super) async fn model(&self, command: ModelCommand) -> Result<Outcome> {
        match command {
            ModelCommand::List => self.list(self.server.get("/api/v1/models"), "models").await,
            ModelCommand::Show { model } => {
                let path = self.path_of(&model).await?;
                self.show(&path).await
            }
            ModelCommand::Card { model } => {
                let path = format!("{}/card", self.path_of(&model).await?);
                let mut card = Vec::new();
                let take = |bytes: &[u8]| {
                    card.extend_from_slice(bytes);
                    Ok(())
                };
                self.server.get(&path).stream(take).await?;
                let card = String::from_utf8_lossy(&card).into_owned();
                self.printer.data(&json!({ "model": model, "card": card }), || card.clone())?;
                Ok(Outcome::Done)
            }
            ModelCommand::Alias(args) => self.alias(args).await,
            ModelCommand::History { model, alias, at } => {
                let alias = alias.unwrap_or_else(|| "champion".to_owned());
                let path = format!("/api/v1/models/{}/aliases/{}/history", segment(&model), segment(&alias));
                if at.is_some() {
                    return local_only();
                }
                self.list(self.server.get(&path).query("limit", 1000), "history").await
            }
            ModelCommand::Rollback { model, alias, expect, reason } => {
                let path = format!("/api/v1/models/{}/aliases/{}/rollback", segment(&model), segment(&alias));
                let call = self.server.post(&path).body(&given([("reason", json!(reason))]));
                let call = match expect {
                    Some(version) => call.if_match(&format!("\"{version}\"")),
                    None => call,
                };
                self.print(&call.value().await?)
            }
            ModelCommand::Tag { model, tag, remove } => {
                let path = self.path_of(&model).await?;
                let (key, value) = model::key_and_value(&tag, remove)?;
                let path = format!("{path}/tags/{}", segment(key));
                let call = match value {
                    Some(value) => self.server.put(&path).body(&json!({ "value": value })),
                    None => self.server.delete(&path),
                };
                self.print(&call.value().await?)
            }
            ModelCommand::Note { model, text, file } => {
                let text = model::written(self.settings, text, file)?;
                let path = format!("{}/notes", self.path_of(&model).await?);
                self.print(&self.server.put(&path).body(&json!({ "text": text })).value().await?)
            }
            ModelCommand::Approve { model, state, reason } => {
                let path = format!("{}/approval", self.path_of(&model).await?);
                let body = given([("state", json!(model::approval(state).as_str())), ("reason", json!(reason))]);
                self.print(&self.server.put(&path).body(&body).value().await?)
            }
            ModelCommand::Export { .. } | ModelCommand::Import(_) => local_only(),
        }
    }

    async fn alias(&self, args: AliasArgs) -> Result<Outcome> {
        let path = format!("/api/v1/models/{}/aliases/{}", segment(&args.model), segment(&args.alias));
        let mut body = given([("reason", json!(args.reason)), ("force", json!(args.force.then_some(true)))]);
        body["version"] = json!(model::version_or_none(&args.to)?);
        if let Some(expected) = &args.expect {
            body["expected"] = json!(model::version_or_none(expected)?);
        }
        let answer = self.server.put(&path).body(&body).value().await?;
        self.print(&answer)
    }

    /// Of a model, or of the version that a reference stands for now.
    async fn path_of(&self, reference: &str) -> Result<String> {
        if !reference.contains('@') {
            return Ok(format!("/api/v1/models/{}", segment(reference)));
        }
        let ModelRef { name, selector } = model::reference(reference)?;
        let base = format!("/api/v1/models/{}", segment(&name));
        let version = match selector {
            Selector::Version(version) => version,
            Selector::Alias(alias) => {
                let model = self.server.get(&base).value().await?;
                model["aliases"][&alias].as_u64().ok_or_else(|| {
                    let message = format!("model `{name}` has no alias `{alias}`");
                    Error::user("unknown-alias", message, "`wasmlops model show NAME` shows aliases")
                })?
            }
        };
        Ok(format!("{base}/versions/{version}"))
    }

    pub(super) async fn endpoint(&self, command: EndpointCommand) -> Result<Outcome> {
        let of = |name: &str, verb: &str| format!("/api/v1/endpoints/{}{verb}", segment(name));
        let answer = match command {
            EndpointCommand::List => return self.list(self.server.get("/api/v1/endpoints"), "endpoints").await,
            EndpointCommand::Show { name } => self.server.get(&of(&name, "")),
            EndpointCommand::History { name, limit } => {
                return self.list(self.server.get(&of(&name, "/history")).query("limit", limit), "events").await;
            }
            EndpointCommand::Rollback { name, reason } => {
                self.server.post(&of(&name, "/rollback")).body(&json!({ "reason": reason }))
            }
            EndpointCommand::Pause { name, reason } => {
                self.server.post(&of(&name, "/pause")).body(&json!({ "reason": reason }))
            }
            EndpointCommand::Continue { name } => self.server.post(&of(&name, "/continue")),
            EndpointCommand::Invoke { name, rows } => {
                let body = endpoint::body(self.settings, &rows)?;
                let answer = self.server.post(&of(&name, "/predict")).bytes("application/json", body).value().await?;
                self.printer.data(&answer, || format!("{answer:#}"))?;
                return Ok(Outcome::Done);
            }
        };
        self.print(&answer.value().await?)
    }

    pub(super) async fn monitor(&self, command: MonitorCommand) -> Result<Outcome> {
        let of = |name: &str, verb: &str| format!("/api/v1/monitors/{}{verb}", segment(name));
        let answer = match command {
            MonitorCommand::List => return self.list(self.server.get("/api/v1/monitors"), "monitors").await,
            MonitorCommand::Show { monitor, windows } => self.server.get(&of(&monitor, "")).query("windows", windows),
            MonitorCommand::Run { monitor } => self.server.post(&of(&monitor, "/run")),
        };
        self.print(&answer.value().await?)
    }

    pub(super) async fn label(&self, command: LabelCommand) -> Result<Outcome> {
        let of = |endpoint: &str| format!("/api/v1/endpoints/{}/labels", segment(endpoint));
        let answer = match command {
            LabelCommand::List { endpoint, limit } => {
                return self.list(self.server.get(&of(&endpoint)).query("limit", limit.min(1000)), "labels").await;
            }
            LabelCommand::Add(args) => {
                let path = of(&args.endpoint);
                self.server.post(&path).body(&json!({ "labels": given_labels(self, args)? }))
            }
        };
        self.print(&answer.value().await?)
    }

    pub(super) async fn plugin(&self, command: PluginCommand) -> Result<Outcome> {
        match command {
            PluginCommand::List => self.list(self.server.get("/api/v1/plugins"), "plugins").await,
            PluginCommand::Inspect { plugin } => self.show(&format!("/api/v1/plugins/{}", segment(&plugin))).await,
        }
    }
}

fn given_labels(remote: &Remote<'_>, args: AddLabelArgs) -> Result<Value> {
    Ok(serde_json::to_value(label::given(remote.settings, args)?)?)
}

/// The fields that have a value.
fn given<const N: usize>(fields: [(&str, Value); N]) -> Value {
    fields.into_iter().filter(|(_, value)| !value.is_null()).map(|(name, value)| (name.to_owned(), value)).collect()
}
