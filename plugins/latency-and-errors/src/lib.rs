//! Watches how fast and how reliably an endpoint answers.
//!
//! Data goes one way: `measures` (of the window and of the reference) → `judge` (each against its limits) → findings.

mod config;
mod judge;
mod measures;

use wasmlops_sdk::prelude::*;
use wasmlops_sdk::{Finding, Window};

use config::Config;
use measures::Measures;

struct LatencyAndErrors;

impl Monitor for LatencyAndErrors {
    type Config = Config;

    fn observe(config: Config, window: &Window, reference: Option<&Table>) -> Result<Vec<Finding>> {
        let schema = window.rows.schema();
        if schema.field("_latency_ms").is_none() && schema.field("_error").is_none() {
            let columns = schema.names_for_message();
            let message = format!("the window has neither `_latency_ms` nor `_error`; it has {columns}");
            return Err(Error::invalid_input(message).at("window"));
        }
        let measures = Measures::read(&window.rows)?;
        let reference = reference.map(Measures::read).transpose()?;
        let seconds = window.start.zip(window.end).map(|(start, end)| (end - start) as f64 / 1e6);
        Ok(judge::findings(&config, &measures, reference.as_ref(), seconds.filter(|seconds| *seconds > 0.0)))
    }
}

wasmlops_sdk::export! { monitor: LatencyAndErrors }

#[cfg(test)]
mod tests;
