//! Says what a model's predictions depend on, and where it is wrong.
//!
//! Data goes one way: `config` (what the user wrote) → `judged` (answers beside the truth) → `calibrate` (are the
//! probabilities right), `slices` over `cells` (where is it worst) and `importance` (what does it depend on; asks the
//! model again, about shuffled rows) → a report.

mod calibrate;
mod cells;
mod config;
mod importance;
mod judged;
mod random;
mod slices;

use wasmlops_sdk::prelude::*;
use wasmlops_statistics::text::{counted, names};

use config::{Config, Cost, Slices};
use judged::Judged;
use slices::Slice;

struct Explain;

impl Validator for Explain {
    type Config = Config;

    fn validate(config: Config, subject: &Subject) -> Result<Report> {
        match subject {
            Subject::Evaluation(evaluation) => explain(&config, evaluation),
            Subject::Table(_) => {
                let message = "a model is explained here, and the step has none\nhint: give the step an input \
                               `model`, such as `model: train.model`";
                Err(Error::invalid_input(message).at("model"))
            }
        }
    }
}

fn explain(config: &Config, evaluation: &Evaluation) -> Result<Report> {
    check_limits(config)?;
    let judged = Judged::read(config, evaluation)?;
    let mut checks = Vec::new();
    if let Some(options) = &config.calibration {
        checks.extend(calibrate::checks(config, options, &judged)?);
    }
    if let Some(options) = &config.slices {
        checks.extend(sliced(config, options, &judged, evaluation)?);
    }
    if let Some(options) = &config.importance {
        checks.extend(importance::checks(config, options, &judged, evaluation)?);
    }
    metrics::emit("rows", judged.len() as f64)?;
    Ok(report(checks, judged.len()))
}

/// A limit for what is not measured would never be broken.
fn check_limits(config: &Config) -> Result<()> {
    let parts = [
        ("max_brier", config.max_brier, "calibration", config.calibration.is_some()),
        ("max_ece", config.max_ece, "calibration", config.calibration.is_some()),
        ("max_slice_gap", config.max_slice_gap, "slices", config.slices.is_some()),
        ("max_importance_share", config.max_importance_share, "importance", config.importance.is_some()),
    ];
    match parts.iter().find(|(_, limit, _, measured)| limit.is_some() && !measured) {
        Some((key, _, part, _)) => {
            Err(Error::invalid_config(*key, format!("`{key}` limits what `{part}: null` leaves out")))
        }
        None => Ok(()),
    }
}

fn sliced(config: &Config, options: &Slices, judged: &Judged, evaluation: &Evaluation) -> Result<Vec<Check>> {
    let loss = options.loss.unwrap_or(if judged.of_numbers() { Cost::Absolute } else { Cost::Error });
    let losses = judged.losses(loss)?;
    let (features, schema) = (&evaluation.features, evaluation.features.schema());
    let mut columns: Vec<usize> = (0..schema.fields.len()).collect();
    columns.retain(|&index| schema.fields[index].name != judged.target);
    if let Some(names) = &options.columns {
        let place = |(place, name): (usize, &String)| schema.require(name, &format!("slices.columns.{place}"));
        columns = names.iter().enumerate().map(place).collect::<Result<_>>()?;
    }
    for (place, name) in options.exclude.iter().enumerate() {
        let excluded = schema.require(name, &format!("slices.exclude.{place}"))?;
        columns.retain(|&column| column != excluded);
    }
    let mut all = Vec::new();
    for &index in &columns {
        let column = features.column(index)?;
        all.extend(cells::of(&schema.fields[index].name, &column, options.bins, options.min_rows));
    }
    let found = slices::find(options, loss, &losses, &all);
    metrics::emit(&format!("mean_{}", loss.name()), losses.iter().sum::<f64>() / losses.len() as f64)?;
    metrics::emit("slices", found.len() as f64)?;
    let worst = found.iter().map(Slice::gap).fold(0.0, f64::max);
    metrics::emit("worst_slice_gap", worst)?;
    let too_bad = |slice: &Slice| config.max_slice_gap.is_some_and(|limit| slice.gap() > limit);
    // Those beyond the limit are never left out.
    let mut left = options.most;
    let shown = found.iter().filter(|slice| {
        let shown = left > 0 || too_bad(slice);
        left = left.saturating_sub(1);
        shown
    });
    let mut checks: Vec<Check> = shown
        .map(|slice| {
            let limited = calibrate::limited("slice", slice.gap(), config.max_slice_gap, slice.message(loss));
            Check { column: slice.column.clone(), slice: Some(slice.name.clone()), count: slice.rows, ..limited }
        })
        .collect();
    if checks.is_empty() {
        let message =
            format!("no slice by {} is worse than the rest beyond chance", counted(all.len() as u64, "column"));
        checks.push(calibrate::limited("slice", 0.0, config.max_slice_gap, message));
    }
    Ok(checks)
}

fn report(checks: Vec<Check>, rows: usize) -> Report {
    let failed: Vec<&Check> = checks.iter().filter(|check| !check.passed).collect();
    let rows = counted(rows as u64, "row");
    let summary = if failed.is_empty() {
        let of = |name: &'static str| checks.iter().filter(move |check| check.name == name);
        let worst = of("slice").find_map(|check| check.slice.as_deref());
        let columns: Vec<&str> = of("importance").filter_map(|check| check.column.as_deref()).take(3).collect();
        let mut parts = vec![format!("explained on {rows}")];
        parts.extend(of("ece").filter_map(|check| check.observed).map(|ece| format!("ece {ece:.3}")));
        parts.extend(worst.map(|slice| format!("worst where {slice}")));
        parts.extend((!columns.is_empty()).then(|| format!("depends most on {}", names(columns))));
        parts.join("; ")
    } else {
        let name = |check: &&Check| match (&check.slice, &check.column) {
            (Some(slice), _) => format!("{} {slice}", check.name),
            (None, Some(column)) => format!("{} {column}", check.name),
            (None, None) => check.name.clone(),
        };
        let broken: Vec<String> = failed.iter().map(name).collect();
        let count = counted(failed.len() as u64, "check");
        format!("{count} failed on {rows}: {}", names(broken.iter().map(String::as_str)))
    };
    Report { passed: failed.is_empty(), summary, checks }
}

wasmlops_sdk::export! { validator: Explain }

#[cfg(test)]
mod tests;
