//! The kinds after training: deployer, monitor.

use std::marker::PhantomData;

use serde::de::DeserializeOwned;

use crate::bindings::deployer::exports::wasmlops::plugin::deployer;
use crate::bindings::host::wasmlops::plugin::types;
use crate::bindings::monitor::exports::wasmlops::plugin::monitor;
use crate::codec;
use crate::error::Result;
use crate::table::Table;

pub use deployer::{Deployment, DeploymentStatus, Health, Release};
pub use monitor::Finding;

/// Puts a release somewhere and takes it back.
pub trait Deployer {
    type Config: DeserializeOwned;

    /// Returns when the place has accepted the release. A repeated call with the same key must give the same
    /// deployment.
    fn deploy(config: Self::Config, release: Release, previous: Option<Deployment>) -> Result<Deployment>;

    fn status(config: Self::Config, deployment: Deployment) -> Result<DeploymentStatus>;

    /// Succeeds if the deployment is already gone.
    fn undeploy(config: Self::Config, deployment: Deployment) -> Result<()>;
}

/// Compares a window of what happened with a reference.
pub trait Monitor {
    type Config: DeserializeOwned;

    /// One finding for each thing measured, whether or not it should alert.
    fn observe(config: Self::Config, window: &Window, reference: Option<&Table>) -> Result<Vec<Finding>>;
}

/// The rows of a stretch of time, or of a number of requests.
pub struct Window {
    pub rows: Table,
    /// Microseconds since 1970-01-01T00:00:00Z, inclusive.
    pub start: Option<i64>,
    /// Microseconds since 1970-01-01T00:00:00Z, exclusive.
    pub end: Option<i64>,
}

pub struct DeployerAdapter<T>(PhantomData<T>);

impl<T: Deployer> deployer::Guest for DeployerAdapter<T> {
    fn deploy(config: String, release: Release, previous: Option<Deployment>) -> Result<Deployment, types::Error> {
        Ok(T::deploy(codec::config(&config)?, release, previous)?)
    }

    fn status(config: String, deployment: Deployment) -> Result<DeploymentStatus, types::Error> {
        Ok(T::status(codec::config(&config)?, deployment)?)
    }

    fn undeploy(config: String, deployment: Deployment) -> Result<(), types::Error> {
        Ok(T::undeploy(codec::config(&config)?, deployment)?)
    }
}

pub struct MonitorAdapter<T>(PhantomData<T>);

impl<T: Monitor> monitor::Guest for MonitorAdapter<T> {
    fn observe(
        config: String,
        window: monitor::Window,
        reference: Option<monitor::Table>,
    ) -> Result<Vec<Finding>, types::Error> {
        let window = Window { rows: Table::from_host(window.rows), start: window.start, end: window.end };
        let reference = reference.map(Table::from_host);
        Ok(T::observe(codec::config(&config)?, &window, reference.as_ref())?)
    }
}
