//! What a plugin may be: one trait for each kind of the contract. Implement one or more on a struct and name them in
//! [`crate::export!`].

mod deliver;
mod learn;
mod shape;

pub use deliver::{Deployer, Deployment, DeploymentStatus, Finding, Health, Monitor, Release, Window};
pub use learn::{Check, Evaluation, Predictor, Report, Subject, Trainer, Training, Validator};
pub use shape::{DataSource, Inputs, Note, Outputs, Processor, SourceReport, Transform};

/// What the macro [`crate::export!`] needs; not for plugins.
#[doc(hidden)]
pub mod adapters {
    pub use super::deliver::{DeployerAdapter, MonitorAdapter};
    pub use super::learn::{PredictorAdapter, TrainerAdapter, ValidatorAdapter};
    pub use super::shape::{DataSourceAdapter, ProcessorAdapter, TransformAdapter};
}
