//! Hands a model version to an endpoint of the host itself, through the granted host interface `endpoints`.

mod config;

use wasmlops_sdk::endpoints::{self, Phase, Rollout};
use wasmlops_sdk::prelude::*;
use wasmlops_sdk::{Deployment, DeploymentStatus, Health, Release};

use config::{Config, Mode};

struct LocalEndpoint;

impl Deployer for LocalEndpoint {
    type Config = Config;

    fn deploy(config: Config, release: Release, _previous: Option<Deployment>) -> Result<Deployment> {
        let rollout = rollout(&config)?;
        let id = endpoints::start(&config.endpoint, &release.key, release.version, &rollout)?;
        let state = endpoints::state(&config.endpoint, &id)?;
        let (endpoint, version) = (&config.endpoint, release.version);
        log::info(format!("version {version} of `{}` on `{endpoint}`: {}", release.model, state.message));
        let address = format!("/api/v1/endpoints/{endpoint}/predict");
        let details = serde_json::json!({ "endpoint": endpoint, "version": version });
        Ok(Deployment { id, address: Some(address), details: details.to_string() })
    }

    fn status(config: Config, deployment: Deployment) -> Result<DeploymentStatus> {
        let state = endpoints::state(&config.endpoint, &deployment.id)?;
        let health = match state.phase {
            Phase::Pending => Health::Pending,
            Phase::Canary | Phase::Shadow | Phase::Live => Health::Ready,
            Phase::Retired => Health::Gone,
            Phase::RolledBack => Health::Failed,
        };
        Ok(DeploymentStatus { health, message: state.message })
    }

    fn undeploy(config: Config, deployment: Deployment) -> Result<()> {
        endpoints::withdraw(&config.endpoint, &deployment.id)
    }
}

fn rollout(config: &Config) -> Result<Rollout> {
    if config.steps.windows(2).any(|pair| pair[0] >= pair[1])
        || config.steps.iter().any(|step| !(1..=99).contains(step))
    {
        return Err(Error::invalid_config("steps", "the steps of a canary must ascend, each from 1 to 99"));
    }
    let mode = match config.mode {
        Mode::Canary => endpoints::Mode::Canary,
        Mode::Shadow => endpoints::Mode::Shadow,
        Mode::Live => endpoints::Mode::Live,
    };
    let bake = config.bake.as_deref().map(milliseconds).transpose()?;
    Ok(Rollout { mode, steps: config.steps.clone(), bake, requests: config.requests })
}

/// `90s`, `10m`: digits, then one unit.
fn milliseconds(text: &str) -> Result<u64> {
    let wrong = || Error::invalid_config("bake", format!("`{text}` is not a time such as `30s`, `10m` or `1h`"));
    let digits = text.find(|c: char| !c.is_ascii_digit()).ok_or_else(wrong)?;
    let (number, unit) = text.split_at(digits);
    let scale = match unit {
        "ms" => 1,
        "s" => 1_000,
        "m" => 60_000,
        "h" => 3_600_000,
        "d" => 86_400_000,
        _ => return Err(wrong()),
    };
    number.parse::<u64>().ok().and_then(|number| number.checked_mul(scale)).ok_or_else(wrong)
}

wasmlops_sdk::export! { deployer: LocalEndpoint }

#[cfg(test)]
mod tests;
