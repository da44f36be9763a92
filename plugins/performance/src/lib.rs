//! Measures a model in use: by its labels, and where these are not there yet by what its probabilities let expect.
//!
//! Data goes one way: `config` → `plan` (task found, contradictions refused) → `classes` or `numbers` (rows read) →
//! `scores` (metrics of labels, and `estimate`d ones) → `judge` (against thresholds and the reference) → findings.

mod classes;
mod config;
mod estimate;
mod judge;
mod numbers;
mod plan;
mod scores;

use wasmlops_sdk::prelude::*;
use wasmlops_sdk::{Finding, Window};

use classes::Classes;
use config::{Config, Task};
use judge::Evidence;

struct Performance;

impl Monitor for Performance {
    type Config = Config;

    fn observe(config: Config, window: &Window, reference: Option<&Table>) -> Result<Vec<Finding>> {
        let task = plan::task(&config, window.rows.schema())?;
        plan::check(&config, task)?;
        let reference = reference.filter(|table| plan::can_be_measured(table.schema()));
        let evidence = match task {
            Task::Classification => classification(&config, &window.rows, reference)?,
            Task::Regression => regression(&window.rows, reference)?,
        };
        Ok(judge::findings(&config, task, &evidence))
    }
}

fn classification(config: &Config, window: &Table, reference: Option<&Table>) -> Result<Evidence> {
    let mut classes = Classes::of(config, window, reference)?;
    let seen = classes.read(window, "window")?;
    let known = reference.map(|reference| classes.read(reference, "reference")).transpose()?;
    let labelled = known.as_ref().map(|known| classes.labelled(known));
    let estimate = config.estimate.then(|| estimate::rows(config, &classes, &seen, known.as_ref())).flatten();
    let rows = classes.labelled(&seen);
    Ok(Evidence {
        rows: seen.len() as u64,
        labelled: rows.len() as u64,
        scores: scores::of_classes(&rows),
        reference_labelled: labelled.as_ref().map_or(0, |rows| rows.len() as u64),
        reference: labelled.as_ref().map(scores::of_classes),
        calibrated: estimate.as_ref().is_some_and(|(_, calibrated)| *calibrated),
        estimated: estimate.map(|(rows, _)| scores::of_classes(&rows)),
    })
}

fn regression(window: &Table, reference: Option<&Table>) -> Result<Evidence> {
    let seen = numbers::read(window, "window")?;
    let known = reference.map(|reference| numbers::read(reference, "reference")).transpose()?;
    Ok(Evidence {
        rows: window.num_rows() as u64,
        labelled: seen.truth.len() as u64,
        scores: scores::of_numbers(&seen),
        reference_labelled: known.as_ref().map_or(0, |known| known.truth.len() as u64),
        reference: known.as_ref().map(scores::of_numbers),
        estimated: None,
        calibrated: false,
    })
}

wasmlops_sdk::export! { monitor: Performance }

#[cfg(test)]
mod tests;
