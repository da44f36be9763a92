//! Deploys a release by calling an external HTTP API, through the host's broker.
//!
//! Data goes one way: `config` (requests with placeholders) → `template` (requests; pure) → the host's broker →
//! `answer` (what it means; pure).

mod answer;
mod config;
mod template;

use wasmlops_sdk::http::{self, Response};
use wasmlops_sdk::prelude::*;
use wasmlops_sdk::{Deployment, DeploymentStatus, Health, Release, blobs};

use config::{Config, Request};
use template::Values;

/// Bytes asked of a file at a time; the host gives at most 2 MiB.
const CHUNK: u64 = 1 << 20;

struct HttpDeployer;

impl Deployer for HttpDeployer {
    type Config = Config;

    fn deploy(config: Config, release: Release, _previous: Option<Deployment>) -> Result<Deployment> {
        let values = Values::of_release(&release);
        let request = &config.deploy.request;
        let response = send(request, "deploy.request", &values, Some(&release.key))?;
        answer::expect_success(&response)?;
        let id = match &config.deploy.id {
            Some(pointer) => answer::text_at(&response, pointer, "deploy.id")?,
            None => release.key.clone(),
        };
        let address = config.deploy.address.as_deref();
        let address = address.map(|pointer| answer::text_at(&response, pointer, "deploy.address")).transpose()?;
        log::info(format!("version {} of `{}` was accepted as `{id}`", release.version, release.model));
        Ok(Deployment { details: values.with_id(&id).to_json(), id, address })
    }

    fn status(config: Config, deployment: Deployment) -> Result<DeploymentStatus> {
        let Some(status) = &config.status else {
            return Ok(DeploymentStatus { health: Health::Ready, message: "the API accepted it".to_owned() });
        };
        let response = send(&status.request, "status.request", &Values::of_deployment(&deployment)?, None)?;
        if answer::is_gone(&response) {
            return Ok(DeploymentStatus { health: Health::Gone, message: "the API knows it no longer".to_owned() });
        }
        answer::expect_success(&response)?;
        let state = answer::text_at(&response, &status.state, "status.state")?;
        let health = match &state {
            state if status.ready.contains(state) => Health::Ready,
            state if status.failed.contains(state) => Health::Failed,
            _ => Health::Pending,
        };
        Ok(DeploymentStatus { health, message: format!("the API calls its state `{state}`") })
    }

    fn undeploy(config: Config, deployment: Deployment) -> Result<()> {
        let values = Values::of_deployment(&deployment)?;
        let response = send(&config.undeploy, "undeploy", &values, Some(&format!("undeploy {}", deployment.id)))?;
        if answer::is_gone(&response) { Ok(()) } else { answer::expect_success(&response) }
    }
}

/// Fills the placeholders in and sends. `key` makes a repeated request recognisable.
fn send(request: &Request, at: &str, values: &Values, key: Option<&str>) -> Result<Response> {
    let mut filled = template::fill(request, at, values)?;
    if let Some(file) = &request.file {
        filled = filled.body(read(file)?);
    }
    if let Some(key) = key {
        filled = filled.header("idempotency-key", key);
    }
    http::send(&filled)
}

fn read(name: &str) -> Result<Vec<u8>> {
    let blob = blobs::open(name)?;
    let mut bytes = Vec::new();
    while (bytes.len() as u64) < blob.size() {
        bytes.extend_from_slice(&blob.read(bytes.len() as u64, CHUNK)?);
    }
    Ok(bytes)
}

wasmlops_sdk::export! { deployer: HttpDeployer }

#[cfg(test)]
mod tests;
