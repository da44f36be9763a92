//! What a deployer is given: the release with its files, and where the release before it went.

use std::collections::BTreeMap;
use std::fmt;
use std::sync::Arc;

use wasmlops_core::call::{Deployment, Endpoints, Http, Release};
use wasmlops_core::graph::{BoundStep, Graph};
use wasmlops_package::Kind;

use crate::broker::Credentials;
use crate::error::{Error, Result};
use crate::executor::Work;
use crate::host::Host;
use crate::{models, registration};

/// What a guest may reach outside, behind doors that know what was granted.
#[derive(Clone, Default)]
pub struct Reach {
    pub http: Option<Arc<dyn Http>>,
    pub endpoints: Option<Arc<dyn Endpoints>>,
}

/// A release on its way.
#[derive(Clone, Debug)]
pub struct Delivery {
    pub release: Release,
    pub files: BTreeMap<String, Arc<[u8]>>,
    pub previous: Option<Deployment>,
}

impl Reach {
    /// The doors that the step was granted. `credentials` are those of [`secrets::for_step`](crate::secrets::for_step).
    pub(crate) fn granted(host: &Host, step: &BoundStep, credentials: Credentials, actor: &str) -> Self {
        let origins = || step.http.iter().map(ToString::to_string).collect();
        Self {
            http: (!step.http.is_empty()).then(|| crate::broker::http(host, origins(), credentials)),
            endpoints: (!step.endpoints.is_empty())
                .then(|| crate::serving::control::endpoints(host, step.endpoints.clone(), actor)),
        }
    }
}

impl fmt::Debug for Reach {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        let Self { http, endpoints } = self;
        f.debug_struct("Reach").field("http", &http.is_some()).field("endpoints", &endpoints.is_some()).finish()
    }
}

impl Delivery {
    /// What a deployer's step hands over; nothing for other kinds.
    pub(crate) async fn of(
        host: &Host,
        graph: &Graph,
        run: &str,
        step: &BoundStep,
        work: &Work,
    ) -> Result<Option<Self>> {
        if step.kind != Kind::Deployer {
            return Ok(None);
        }
        let content = work.inputs.iter().find(|input| input.name == "release").map(|input| input.digest);
        let content = content.ok_or_else(|| Error::bug(format!("`{}` has no input `release`", step.key)))?;
        let version = registration::version_of(host, &content).await?;
        let files = models::files(host, &version).await?;
        let release = Release {
            // The same for each attempt, and for a run that goes on after a crash.
            key: format!("{run}/{}", step.key),
            endpoint: endpoint(step, &version.name),
            model: version.name,
            version: version.version,
            digest: version.digest.to_string(),
            files: files.keys().cloned().collect(),
        };
        Ok(Some(Self { release, files, previous: previous(host, graph, step).await? }))
    }
}

/// The one that the configuration names, else the first that the step was granted, else one named like the model.
fn endpoint(step: &BoundStep, model: &str) -> String {
    let configured = step.config.get("endpoint").and_then(serde_json::Value::as_str);
    configured.or(step.endpoints.first().map(String::as_str)).unwrap_or(model).to_owned()
}

/// What the same step of the same pipeline deployed last.
async fn previous(host: &Host, graph: &Graph, step: &BoundStep) -> Result<Option<Deployment>> {
    let Some(row) = host.store.last_key_parts(&graph.pipeline, step.key.as_str()).await? else { return Ok(None) };
    let outputs = host.store.outputs(&row.run).await?;
    let own = outputs.iter().find(|output| output.step_key == step.key.as_str() && output.name == "deployment");
    let Some(output) = own else { return Ok(None) };
    let bytes = host.store.blobs().get(&output.digest).await.map_err(Error::store)?;
    Ok(Some(serde_json::from_slice(&bytes).map_err(Error::bug)?))
}
