//! The project's pipelines at the door: which there are, what parameters they take, and what a run of one would do.

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use serde_json::{Map, Value, json};
use wasmlops_core::config::{Param, ParamType, Pipeline};
use wasmlops_core::graph::{Bindings, bind};

use crate::error::{Error, Result};
use crate::host::Host;
use crate::planning;
use crate::view::PlanView;

/// A row of the list of pipelines.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PipelineSummary {
    /// The name that runs are asked for by.
    pub pipeline: String,
}

/// A pipeline as it stands in the project's folder now.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PipelineView {
    pub pipeline: String,
    pub description: Option<String>,
    /// A JSON Schema of what a run takes as `params`.
    #[schemars(with = "Map<String, Value>")]
    pub params: Value,
    /// In the order of the file.
    pub steps: Vec<PipelineStepView>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct PipelineStepView {
    pub step: String,
    /// The plugin with its version requirement, or `model`, `artifact`, `approval`.
    pub uses: String,
    pub description: Option<String>,
}

/// The names of the project's pipelines, sorted.
pub async fn list(host: &Host) -> Result<Vec<PipelineSummary>> {
    let project = host.project.clone();
    let names = tokio::task::spawn_blocking(move || project.pipeline_names()).await.map_err(Error::bug)?;
    Ok(names.into_iter().map(|pipeline| PipelineSummary { pipeline }).collect())
}

/// A pipeline by its name, which is never a path.
///
/// # Errors
/// The user's: no such pipeline, mistakes in its file.
pub async fn show(host: &Host, name: &str) -> Result<PipelineView> {
    let pipeline = named(host, name).await?;
    let step = |step: &wasmlops_core::config::Step| PipelineStepView {
        step: step.name.value.clone(),
        uses: step.uses_text.clone(),
        description: step.description.clone(),
    };
    Ok(PipelineView {
        pipeline: name.to_owned(),
        description: pipeline.description.clone(),
        params: schema(&pipeline.params),
        steps: pipeline.steps.iter().map(step).collect(),
    })
}

/// What a run with these parameters would do. Writes nothing.
///
/// # Errors
/// The user's: no such pipeline, and every mistake in its file and in the parameters.
pub async fn plan(host: &Host, name: &str, params: Map<String, Value>, seed: u64) -> Result<PlanView> {
    let pipeline = named(host, name).await?;
    let plugins = host.plugins.infos();
    let (project, reading) = (host.project.clone(), pipeline.clone());
    let pipelines = tokio::task::spawn_blocking(move || project.searched(&reading)).await.map_err(Error::bug)??;
    let policy = &host.project.policy;
    let graph = bind(&pipeline, Bindings { params: &params, plugins: &plugins, policy, pipelines: &pipelines })?;
    planning::plan(host, &graph, seed, host.clock.now()).await
}

async fn named(host: &Host, name: &str) -> Result<Pipeline> {
    let (project, name) = (host.project.clone(), name.to_owned());
    let read = move || {
        if !project.pipeline_names().contains(&name) {
            let hint = "`GET /api/v1/pipelines` lists those there are";
            return Err(Error::user("unknown-pipeline", format!("there is no pipeline `{name}`"), hint));
        }
        project.pipeline(&project.root, Some(&name))
    };
    tokio::task::spawn_blocking(read).await.map_err(Error::bug)?
}

fn schema(params: &[Param]) -> Value {
    let required: Vec<&str> =
        params.iter().filter(|param| param.default.is_none()).map(|param| param.name.value.as_str()).collect();
    let properties: Map<String, Value> =
        params.iter().map(|param| (param.name.value.clone(), param_schema(param))).collect();
    json!({ "type": "object", "properties": properties, "required": required, "additionalProperties": false })
}

fn param_schema(param: &Param) -> Value {
    let kind = match param.kind {
        ParamType::String => "string",
        ParamType::Integer => "integer",
        ParamType::Number => "number",
        ParamType::Boolean => "boolean",
    };
    let optional = [
        ("description", param.description.clone().map(Value::from)),
        ("default", param.default.clone()),
        ("enum", (!param.choices.is_empty()).then(|| Value::from(param.choices.clone()))),
        ("minimum", param.minimum.clone().map(Value::from)),
        ("maximum", param.maximum.clone().map(Value::from)),
    ];
    let mut schema = Map::from_iter([("type".to_owned(), Value::from(kind))]);
    schema.extend(optional.into_iter().filter_map(|(key, value)| Some((key.to_owned(), value?))));
    Value::Object(schema)
}
