//! Scores against thresholds, absolute ones and those that the reference sets.

use wasmlops_sdk::Finding;
use wasmlops_statistics::text::{counted, number};

use crate::config::{Config, Metric, Task};
use crate::scores::Scores;

/// What rounding may take off a difference of two metrics, relative to them: without it, 0.97 would be worse than 0.98
/// by more than 0.01.
const ROUNDING: f64 = 8.0 * f64::EPSILON;

/// Everything that was measured.
pub struct Evidence {
    /// Rows with a prediction.
    pub rows: u64,
    pub labelled: u64,
    pub scores: Scores,
    pub reference_labelled: u64,
    pub reference: Option<Scores>,
    /// Metrics to expect, of all rows.
    pub estimated: Option<Scores>,
    /// Whether the estimate's probabilities were calibrated.
    pub calibrated: bool,
}

/// What a metric is held against.
enum Limit {
    Least(f64),
    Most(f64),
    /// How much worse than the reference.
    Drop(f64),
}

/// A metric's value with what it was taken from.
struct Score<'a> {
    name: String,
    metric: Metric,
    value: &'a Result<f64, String>,
    rows: u64,
    /// What the value is, for a person.
    how: String,
    /// Why it is not judged.
    not_judged: Option<String>,
}

/// One finding for each metric and threshold; then the same for the estimates, which are judged only while there are
/// too few labels to judge by.
pub fn findings(config: &Config, task: Task, evidence: &Evidence) -> Vec<Finding> {
    let mut findings = Vec::new();
    let few = |count: u64, what: &str| {
        (count < config.min_rows).then(|| format!("{}, and {} are needed", counted(count, what), config.min_rows))
    };
    let by_labels = few(evidence.labelled, "labelled row");
    for (&metric, value) in &evidence.scores {
        let name = metric.name().to_owned();
        let how = format!("on {}", counted(evidence.labelled, "labelled row"));
        let score = Score { name, metric, value, rows: evidence.labelled, how, not_judged: by_labels.clone() };
        score.judge(config, evidence, &mut findings);
    }
    for (&metric, value) in evidence.estimated.iter().flatten() {
        debug_assert_eq!(metric.task(), task);
        let with = if evidence.calibrated { "calibrated on the reference" } else { "the model's own" };
        let labelled = by_labels.is_none().then(|| "there are labels to judge by".to_owned());
        let score = Score {
            name: format!("estimated_{}", metric.name()),
            metric,
            value,
            rows: evidence.rows,
            how: format!("by estimate of {}, with probabilities {with}", counted(evidence.rows, "row")),
            not_judged: labelled.or_else(|| few(evidence.rows, "row")),
        };
        score.judge(config, evidence, &mut findings);
    }
    findings
}

impl Score<'_> {
    fn judge(&self, config: &Config, evidence: &Evidence, findings: &mut Vec<Finding>) {
        let of = |thresholds: &crate::config::Thresholds| thresholds.0.get(&self.metric).copied();
        let limits = [
            of(&config.min).map(Limit::Least),
            of(&config.max).map(Limit::Most),
            of(&config.max_drop).map(Limit::Drop),
        ];
        let before = findings.len();
        for limit in limits.iter().flatten() {
            findings.push(self.against(Some(limit), config, evidence));
        }
        if findings.len() == before {
            findings.push(self.against(None, config, evidence));
        }
    }

    fn against(&self, limit: Option<&Limit>, config: &Config, evidence: &Evidence) -> Finding {
        let Self { name, value, how, .. } = self;
        let bound = limit.map(|limit| self.bound(limit, config, evidence));
        let mut finding = Finding {
            signal: "performance".to_owned(),
            column: None,
            statistic: name.clone(),
            value: value.as_ref().map_or(f64::NAN, |value| *value),
            threshold: bound.as_ref().and_then(|bound| bound.as_ref().ok().copied()),
            found: false,
            window_rows: self.rows,
            reference_rows: evidence.reference_labelled,
            message: String::new(),
        };
        let shown = match value {
            Err(reason) => format!("`{name}` has no value: {reason}"),
            Ok(value) => format!("`{name}` is {} {how}", number(*value)),
        };
        finding.message = match (value, limit, bound, &self.not_judged) {
            (Err(_), ..) | (_, None, ..) | (_, _, None, _) => shown,
            (_, _, _, Some(reason)) => format!("{shown}, and is not judged: {reason}"),
            (_, _, Some(Err(reason)), _) => format!("{shown}, and is not judged: {reason}"),
            (Ok(value), Some(limit), Some(Ok(bound)), None) => {
                finding.found = self.breaks(limit, *value, bound);
                let bound = number(bound);
                match limit {
                    Limit::Least(_) => format!("{shown}; at least {bound} is asked for"),
                    Limit::Most(_) => format!("{shown}; at most {bound} is allowed"),
                    Limit::Drop(drop) => {
                        let drop = number(*drop);
                        format!("{shown}; the reference and a drop of {drop} allow {bound}")
                    }
                }
            }
        };
        finding
    }

    /// The value to hold the metric against.
    ///
    /// Errors: why the reference gives none.
    fn bound(&self, limit: &Limit, config: &Config, evidence: &Evidence) -> Result<f64, String> {
        let drop = match limit {
            Limit::Least(bound) | Limit::Most(bound) => return Ok(*bound),
            Limit::Drop(drop) => *drop,
        };
        let Some(reference) = &evidence.reference else {
            return Err("there is no reference with predictions and labels".to_owned());
        };
        if evidence.reference_labelled < config.min_rows {
            let rows = counted(evidence.reference_labelled, "labelled row");
            return Err(format!("the reference has {rows}, and {} are needed", config.min_rows));
        }
        let value = reference.get(&self.metric).cloned().unwrap_or_else(|| Err("it has no such metric".to_owned()));
        let value = value.map_err(|reason| format!("the reference has no value: {reason}"))?;
        Ok(if self.metric.higher_is_better() { value - drop } else { value + drop })
    }

    fn breaks(&self, limit: &Limit, value: f64, bound: f64) -> bool {
        let rounding = ROUNDING * value.abs().max(bound.abs());
        match limit {
            Limit::Least(_) => value < bound,
            Limit::Most(_) => value > bound,
            Limit::Drop(_) if self.metric.higher_is_better() => value + rounding < bound,
            Limit::Drop(_) => value - rounding > bound,
        }
    }
}
