//! Whether the model's probabilities are what happens.

use wasmlops_sdk::prelude::*;
use wasmlops_statistics::calibration::{self, Bin};
use wasmlops_statistics::evaluation::Answers;
use wasmlops_statistics::text::{counted, number};

use crate::config::{Binning, Calibration, Config, Cost};
use crate::judged::Judged;

/// The Brier score, the expected calibration error, and the reliability table; nothing for a model without
/// probabilities, unless a limit asks for it.
pub fn checks(config: &Config, options: &Calibration, judged: &Judged) -> Result<Vec<Check>> {
    let Answers::Classes(truth) = &judged.truth else { return without(config, "the model predicts numbers") };
    if !judged.with_probabilities() {
        return without(config, "the model gives no probabilities");
    }
    let losses = judged.losses(Cost::Brier)?;
    let brier = losses.iter().sum::<f64>() / losses.len() as f64;
    let (probabilities, hits, of) = confidence(judged, truth);
    let binning = match options.binning {
        Binning::Uniform => calibration::Binning::Uniform,
        Binning::Quantile => calibration::Binning::Quantile,
    };
    let bins = calibration::reliability(&probabilities, &hits, options.bins, binning);
    let ece = calibration::ece(&bins);
    metrics::emit("brier", brier)?;
    metrics::emit("ece", ece)?;
    let rows = counted(judged.len() as u64, "row");
    let mut checks = vec![
        limited("brier", brier, config.max_brier, format!("the Brier score on {rows} is {}", number(brier))),
        limited("ece", ece, config.max_ece, format!("{of} is {} off on average, on {rows}", number(ece))),
    ];
    checks.extend(bins.iter().filter(|bin| bin.rows > 0).map(reliability));
    Ok(checks)
}

/// Each row's probability, whether it came true, and of what it is.
fn confidence(judged: &Judged, truth: &[u32]) -> (Vec<f64>, Vec<bool>, String) {
    let probabilities = &judged.predictions.probabilities;
    if let Some(positive) = judged.positive {
        let class = judged.reader.classes().map_or("", |classes| &classes[positive as usize]);
        let hits = truth.iter().map(|&class| class == positive).collect();
        return (probabilities[positive as usize].clone(), hits, format!("the probability of `{class}`"));
    }
    let best = |row: usize| {
        let all = probabilities.iter().enumerate().map(|(class, p)| (class, p[row]));
        all.reduce(|best, other| if other.1 > best.1 { other } else { best }).unwrap_or((0, 0.0))
    };
    let best: Vec<(usize, f64)> = (0..truth.len()).map(best).collect();
    let hits = best.iter().zip(truth).map(|((class, _), &truth)| *class == truth as usize).collect();
    (best.into_iter().map(|(_, p)| p).collect(), hits, "the probability of the most probable class".to_owned())
}

fn reliability(bin: &Bin) -> Check {
    let (low, high) = (number(bin.low), number(bin.high));
    let message = format!(
        "where the mean probability is {}, {} of {} came true",
        number(bin.mean),
        number(bin.observed),
        counted(bin.rows, "row")
    );
    Check {
        name: "reliability".to_owned(),
        passed: true,
        slice: Some(format!("probability=({low}, {high}]")),
        observed: Some(bin.observed),
        expected: format!("about {}", number(bin.mean)),
        count: bin.rows,
        message,
        ..Check::default()
    }
}

/// Limits that cannot be held are broken.
fn without(config: &Config, reason: &str) -> Result<Vec<Check>> {
    let asked = [("brier", config.max_brier), ("ece", config.max_ece)];
    let broken = |(name, limit): (&str, Option<f64>)| {
        limit.map(|limit| Check {
            name: name.to_owned(),
            passed: false,
            expected: format!("<= {limit}"),
            message: format!("`{name}` is undefined: {reason}"),
            ..Check::default()
        })
    };
    log::info(format!("no calibration: {reason}"));
    Ok(asked.into_iter().filter_map(broken).collect())
}

/// A number with perhaps a limit.
pub fn limited(name: &str, value: f64, limit: Option<f64>, message: String) -> Check {
    Check {
        name: name.to_owned(),
        passed: limit.is_none_or(|limit| value <= limit),
        observed: Some(value),
        expected: limit.map_or_else(|| "reported".to_owned(), |limit| format!("<= {limit}")),
        message,
        ..Check::default()
    }
}
