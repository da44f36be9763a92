//! `wasmlops plan`.

use anyhow::Result;
use serde_json::{Map, Value};
use wasmlops_core::config::{ParamType, Pipeline};
use wasmlops_core::diagnostics::Source;
use wasmlops_core::graph::Graph;
use wasmlops_core::run::Micros;
use wasmlops_server::clock::parse_rfc3339;
use wasmlops_server::error::Error;
use wasmlops_server::host::Host;
use wasmlops_server::planning::{self, LockPolicy};

use crate::args::PipelineArgs;
use crate::output::{Outcome, Printer};
use crate::settings::Settings;

use super::text;

pub async fn plan(settings: &Settings, args: PipelineArgs, printer: &Printer) -> Result<Outcome> {
    let bound = bind(settings, &args).await?;
    let nominal_time = bound.nominal_time.unwrap_or_else(|| bound.host.clock.now());
    let view = planning::plan(&bound.host, &bound.graph, args.seed, nominal_time).await?;
    printer.data(&view, || text::plan(&view))?;
    Ok(Outcome::Done)
}

/// A pipeline that is ready to be planned or run.
pub struct Bound {
    pub host: Host,
    pub graph: Graph,
    pub source: Source,
    pub nominal_time: Option<Micros>,
}

/// Reads the pipeline that the arguments name and binds it to the plugins at hand.
pub async fn bind(settings: &Settings, args: &PipelineArgs) -> Result<Bound> {
    let project = settings.project_of(args.pipeline.as_deref())?;
    let pipeline = project.pipeline(&settings.folder, args.pipeline.as_deref())?;
    let params = params(&pipeline, &args.params)?;
    let nominal_time = args.nominal_time.as_deref().map(time).transpose()?;
    let host = settings.host_with(project, args.upgrade).await?;
    let policy = if args.locked { LockPolicy::Keep } else { LockPolicy::Update };
    let graph = planning::bound(&host, &pipeline, &params, policy)?;
    Ok(Bound { host, graph, source: pipeline.source, nominal_time })
}

fn time(text: &str) -> Result<Micros> {
    let hint = "write it as in RFC 3339: `2026-01-31T00:00:00Z`";
    parse_rfc3339(text)
        .ok_or_else(|| Error::user("invalid-time", format!("`--nominal-time {text}` is not a time"), hint).into())
}

/// `NAME=VALUE` as the parameter's type reads it; whether the value is allowed is for binding to say.
fn params(pipeline: &Pipeline, given: &[String]) -> Result<Map<String, Value>> {
    let mut params = Map::new();
    for text in given {
        let Some((name, value)) = text.split_once('=') else {
            let message = format!("`--param {text}` has no `=`");
            return Err(Error::user("invalid-param", message, "write `--param NAME=VALUE`").into());
        };
        let known = pipeline.params.iter().find(|param| param.name.value == name);
        let value = match known.map(|param| param.kind) {
            Some(ParamType::String) | None => Value::String(value.to_owned()),
            Some(_) => serde_json::from_str(value).unwrap_or_else(|_| Value::String(value.to_owned())),
        };
        params.insert(name.to_owned(), value);
    }
    Ok(params)
}
