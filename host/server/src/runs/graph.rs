//! The shape of a run: its steps and what leads from one to another, as it was bound when the run began.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};
use wasmlops_core::graph::{BoundStep, OutputRef};

use crate::error::Result;
use crate::host::Host;

/// The steps of a run, in an order in which each comes after what it depends on.
#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GraphView {
    pub run: String,
    pub pipeline: String,
    pub steps: Vec<GraphStepView>,
}

#[derive(Clone, Debug, Serialize, Deserialize, JsonSchema)]
pub struct GraphStepView {
    pub step: String,
    pub uses: String,
    /// Name and version.
    pub plugin: String,
    pub kind: String,
    /// Input name to `step.output`.
    pub inputs: BTreeMap<String, String>,
    /// Steps that come before without handing anything on.
    pub needs: Vec<String>,
    /// The condition that decides when the run comes to the step.
    pub when: Option<String>,
}

/// The graph of a run.
///
/// # Errors
/// The user's: no such run.
pub async fn graph(host: &Host, id: &str) -> Result<GraphView> {
    let run = super::loaded(host, id).await?;
    let graph = super::graph_of(host, id).await?;
    Ok(GraphView { run: run.id, pipeline: run.pipeline, steps: graph.steps.iter().map(step).collect() })
}

fn step(step: &BoundStep) -> GraphStepView {
    let input = |(name, from): &(String, OutputRef)| (name.clone(), format!("{}.{}", from.step, from.output));
    GraphStepView {
        step: step.key.to_string(),
        uses: step.uses.clone(),
        plugin: step.plugin.to_string(),
        kind: step.kind.to_string(),
        inputs: step.inputs.iter().map(input).collect(),
        needs: step.needs.iter().map(ToString::to_string).collect(),
        when: step.when.as_ref().map(|when| when.text().to_owned()),
    }
}
