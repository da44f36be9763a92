//! Holds a model to thresholds, to a baseline and, slice by slice, to itself.
//!
//! Data goes one way: `config` (what the user wrote) → `plan` (contradictions found) → `outcomes` (truth and
//! predictions side by side: `classes`, `numbers`) → `scores` (`classification` with `ranking`, `regression`), for all
//! rows and for each of the `slices` → `checks` → a report. Everything after `outcomes` is pure arithmetic.

mod checks;
mod classes;
mod classification;
mod config;
mod numbers;
mod outcomes;
mod plan;
mod ranking;
mod regression;
mod scores;
mod slices;
mod text;

use wasmlops_sdk::prelude::*;

use checks::Checks;
use config::Config;
use outcomes::Outcomes;
use scores::Scores;

struct ModelGate;

impl Validator for ModelGate {
    type Config = Config;

    fn validate(config: Config, subject: &Subject) -> Result<Report> {
        match subject {
            Subject::Evaluation(evaluation) => judge(&config, evaluation),
            Subject::Table(_) => {
                let message = "a model is judged here, and the step has none\nhint: give the step an input `model`, \
                               such as `model: train.model`, or use `data-quality` to check a table";
                Err(Error::invalid_input(message).at("model"))
            }
        }
    }
}

fn judge(config: &Config, evaluation: &Evaluation) -> Result<Report> {
    let task = plan::task(config, &evaluation.candidate)?;
    plan::check(config, task, evaluation.features.schema())?;
    let outcomes = Outcomes::read(config, task, evaluation)?;
    let slices = slices::of(config, &evaluation.features)?;

    let mut checks = Checks::default();
    checks.known_classes(&outcomes);
    let scores = outcomes.candidate.scores();
    scores.emit("")?;
    metrics::emit("rows", outcomes.candidate.len() as f64)?;
    checks.thresholds(&scores, (&config.min, &config.max), None);
    compare(config, &scores, &outcomes, &mut checks)?;
    judge_slices(config, slices, &outcomes, &mut checks)?;
    Ok(checks.into_report(&scores, outcomes.candidate.len()))
}

fn compare(config: &Config, scores: &Scores, outcomes: &Outcomes, checks: &mut Checks) -> Result<()> {
    match &outcomes.baseline {
        None => checks.no_baseline(config),
        Some(Err(reason)) => {
            log::warn(format!("the baseline cannot be compared with: {reason}"));
            checks.incomparable(&config.compare, reason);
        }
        Some(Ok(baseline)) => {
            let baseline = baseline.scores();
            baseline.emit("baseline/")?;
            checks.comparisons(&config.compare, scores, &baseline);
        }
    }
    Ok(())
}

fn judge_slices(config: &Config, slices: slices::Slices, outcomes: &Outcomes, checks: &mut Checks) -> Result<()> {
    for slice in &slices.judged {
        let scores = outcomes.candidate.select(&slice.rows).scores();
        scores.emit(&slice.metric_prefix)?;
        metrics::emit(&format!("{}rows", slice.metric_prefix), slice.rows.len() as f64)?;
        checks.thresholds(&scores, (&config.slice_min, &config.slice_max), Some(&slice.name));
    }
    checks.slices(&slices, config.min_slice_rows);
    Ok(())
}

wasmlops_sdk::export! { validator: ModelGate }

#[cfg(test)]
mod tests;
