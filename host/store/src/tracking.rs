//! Experiments, params, metrics and tags, with the semantics and limits of MLflow's tracking server, since its clients
//! are to write into the same tables.

mod experiments;
mod metrics;
mod names;
mod params;

pub use experiments::ExperimentRow;
pub use metrics::MetricPoint;
pub(crate) use metrics::{check_points, insert_points, upsert_latest};
pub use names::{EXPERIMENT_NAME_MAX, KEY_MAX, PARAM_VALUE_MAX, TAG_VALUE_MAX};
pub(crate) use params::{check_params, insert_params};
