//! Says which columns of a window differ from a reference.
//!
//! A thin plugin: the comparison is `wasmlops_statistics::compare`, which `prediction-drift` uses too; what is compared
//! here is what goes into the model.

mod config;

use wasmlops_sdk::prelude::*;
use wasmlops_sdk::{Finding, Window};
use wasmlops_statistics::compare::{self, Subject};

use config::Config;

struct Drift;

impl Monitor for Drift {
    type Config = Config;

    fn observe(config: Config, window: &Window, reference: Option<&Table>) -> Result<Vec<Finding>> {
        compare::observe(&config, Subject::Features, window, reference)
    }
}

wasmlops_sdk::export! { monitor: Drift }

#[cfg(test)]
mod tests;
