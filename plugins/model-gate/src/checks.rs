//! Scores against what was asked for, and what to say of it.

use wasmlops_sdk::prelude::*;

use crate::config::{Comparison, Config, Metric, Thresholds};
use crate::outcomes::Outcomes;
use crate::scores::Scores;
use crate::slices::Slices;
use crate::text::{self, counted, number, short};

/// What rounding may take off a difference of two metrics, relative to them: without it, 0.97 would be worse than 0.98
/// by more than 0.01.
const ROUNDING: f64 = 8.0 * f64::EPSILON;

/// The checks so far.
#[derive(Default)]
pub struct Checks {
    checks: Vec<Check>,
    /// Whether anything was held against the model.
    asked: bool,
    notes: Vec<String>,
}

impl Checks {
    /// Classes that the truth has and the model does not know can never be right: a failure of its own.
    pub fn known_classes(&mut self, outcomes: &Outcomes) {
        let Some(unknown) = &outcomes.unknown else { return };
        let known = text::names(unknown.known.iter().map(String::as_str));
        let names = text::names(unknown.classes.iter().map(|(class, _)| class.as_str()));
        let example =
            |(class, rows): &(String, u64)| format!("{} in {}", text::name(class), counted(*rows as usize, "row"));
        self.checks.push(Check {
            name: "known_classes".to_owned(),
            passed: unknown.rows == 0,
            expected: format!("one of {known}"),
            count: unknown.rows,
            examples: unknown.classes.iter().take(10).map(example).collect(),
            message: match unknown.rows {
                0 => "the model knows every class of the truth".to_owned(),
                rows => {
                    format!("the truth of {} is {names}, which the model does not know", counted(rows as usize, "row"))
                }
            },
            ..Check::default()
        });
    }

    /// One check for each threshold, of all rows or of a slice.
    pub fn thresholds(&mut self, scores: &Scores, (min, max): (&Thresholds, &Thresholds), slice: Option<&str>) {
        let least = min.0.iter().map(|(&metric, &limit)| (metric, Limit::AtLeast(limit)));
        let most = max.0.iter().map(|(&metric, &limit)| (metric, Limit::AtMost(limit)));
        for (metric, limit) in least.chain(most) {
            self.asked = true;
            let score = scores.get(metric);
            let passed = score.as_ref().is_ok_and(|&value| limit.allows(value));
            let because = scores.convention(metric).map_or_else(String::new, |reason| format!(" ({reason})"));
            let message = match &score {
                Ok(value) => {
                    let value = number(*value, limit.number());
                    format!("`{}` is {value}{because}, {}", metric.name(), limit.in_words(passed))
                }
                Err(reason) => format!("`{}` is undefined: {reason}", metric.name()),
            };
            let (slice, observed) = (slice.map(str::to_owned), score.ok().filter(|value| value.is_finite()));
            let (name, expected) = (metric.name().to_owned(), limit.to_string());
            self.checks.push(Check { name, passed, slice, observed, expected, message, ..Check::default() });
        }
    }

    /// One check for each comparison with the baseline; what is observed is the improvement.
    pub fn comparisons(&mut self, comparisons: &[Comparison], candidate: &Scores, baseline: &Scores) {
        for comparison in comparisons {
            let metric = comparison.metric.name();
            let both = (candidate.get(comparison.metric), baseline.get(comparison.metric));
            match both {
                (Ok(candidate), Ok(baseline)) => self.compared(comparison, candidate, baseline),
                (Err(reason), _) => self.not_compared(comparison, format!("`{metric}` is undefined: {reason}")),
                (_, Err(reason)) => {
                    self.not_compared(comparison, format!("`{metric}` of the baseline is undefined: {reason}"));
                }
            }
        }
    }

    fn compared(&mut self, comparison: &Comparison, candidate: f64, baseline: f64) {
        let Comparison { metric, min_improvement } = *comparison;
        let improvement = if metric.higher_is_better() { candidate - baseline } else { baseline - candidate };
        let rounding = ROUNDING * candidate.abs().max(baseline.abs());
        let passed = improvement + rounding >= min_improvement;
        let how = match improvement {
            0.0 => "no different".to_owned(),
            better if better > 0.0 => format!("better by {}", number(better, min_improvement)),
            worse => format!("worse by {}", number(-worse, -min_improvement)),
        };
        let (value, other) = (number(candidate, baseline), number(baseline, candidate));
        let name = metric.name();
        let message = format!("`{name}` is {value} and the baseline's is {other}: {how}");
        self.push_comparison(comparison, Some(improvement).filter(|gain| gain.is_finite()), passed, message);
    }

    /// All comparisons fail for one reason.
    pub fn incomparable(&mut self, comparisons: &[Comparison], reason: &str) {
        for comparison in comparisons {
            self.not_compared(comparison, format!("the baseline cannot be compared with: {reason}"));
        }
    }

    fn not_compared(&mut self, comparison: &Comparison, message: String) {
        self.push_comparison(comparison, None, false, message);
    }

    fn push_comparison(&mut self, comparison: &Comparison, observed: Option<f64>, passed: bool, message: String) {
        self.asked = true;
        self.checks.push(Check {
            name: format!("compare_{}", comparison.metric.name()),
            passed,
            observed,
            expected: match comparison.min_improvement {
                0.0 => "not worse than the baseline".to_owned(),
                gain if gain > 0.0 => format!("better than the baseline by {gain}"),
                loss => format!("worse than the baseline by at most {}", -loss),
            },
            message,
            ..Check::default()
        });
    }

    /// Without a baseline there is nothing to compare with, which fails only where one is required.
    pub fn no_baseline(&mut self, config: &Config) {
        if config.compare.is_empty() && !config.require_baseline {
            return;
        }
        self.asked |= config.require_baseline;
        let expected = if config.require_baseline { "a baseline" } else { "a baseline, if there is one" };
        let compared = config.compare.iter().map(|comparison| comparison.metric.name());
        let message = if config.compare.is_empty() {
            "no baseline was given".to_owned()
        } else {
            format!("no baseline was given, so {} could not be compared", text::names(compared))
        };
        let passed = !config.require_baseline;
        self.checks.push(Check {
            name: "baseline".into(),
            passed,
            expected: expected.into(),
            message,
            ..Check::default()
        });
        if passed {
            self.notes.push("no baseline was given".to_owned());
        }
    }

    /// Says which slices were too small to judge.
    pub fn slices(&mut self, slices: &Slices, min_rows: usize) {
        let small = slices.small.len();
        if small > 0 {
            let names = text::names(slices.small.iter().map(String::as_str));
            log::info(format!("slices with fewer than {min_rows} rows were not judged: {names}"));
            self.notes.push(format!("{} with fewer than {min_rows} rows not judged", counted(small, "slice")));
        }
    }

    pub fn into_report(self, scores: &Scores, rows: usize) -> Report {
        let Self { checks, asked, notes } = self;
        let failed: Vec<&Check> = checks.iter().filter(|check| !check.passed).collect();
        let (all, rows) = (counted(checks.len(), "check"), counted(rows, "row"));
        let verdict = match failed.as_slice() {
            [] if !asked => format!("nothing was asked of the model, which gives {} on {rows}", headline(scores)),
            [] => format!("{all} passed on {rows}: {}", headline(scores)),
            failed => format!("{} of {all} failed on {rows}: {}", failed.len(), list(failed)),
        };
        let summary = std::iter::once(verdict).chain(notes).collect::<Vec<_>>().join("; ");
        Report { passed: failed.is_empty(), summary, checks }
    }
}

/// One side of a threshold.
#[derive(Clone, Copy)]
enum Limit {
    AtLeast(f64),
    AtMost(f64),
}

impl Limit {
    fn number(self) -> f64 {
        match self {
            Limit::AtLeast(limit) | Limit::AtMost(limit) => limit,
        }
    }

    fn allows(self, value: f64) -> bool {
        match self {
            Limit::AtLeast(limit) => value >= limit,
            Limit::AtMost(limit) => value <= limit,
        }
    }

    fn in_words(self, passed: bool) -> String {
        match (self, passed) {
            (Limit::AtLeast(limit), true) => format!("at least {limit}"),
            (Limit::AtLeast(limit), false) => format!("less than {limit}"),
            (Limit::AtMost(limit), true) => format!("at most {limit}"),
            (Limit::AtMost(limit), false) => format!("more than {limit}"),
        }
    }
}

impl std::fmt::Display for Limit {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        match self {
            Limit::AtLeast(limit) => write!(f, ">= {limit}"),
            Limit::AtMost(limit) => write!(f, "<= {limit}"),
        }
    }
}

/// The metrics that people look at first.
fn headline(scores: &Scores) -> String {
    let first = [Metric::Accuracy, Metric::Auc, Metric::LogLoss, Metric::Rmse, Metric::Mae, Metric::R2];
    let said =
        first.iter().filter_map(|&metric| Some(format!("{} {}", metric.name(), short(scores.get(metric).ok()?))));
    said.collect::<Vec<_>>().join(", ")
}

/// The names of the first five.
fn list(failed: &[&Check]) -> String {
    const SHOWN: usize = 5;
    let name = |check: &&Check| match &check.slice {
        Some(slice) => format!("`{}` where {}", check.name, text::name(slice)),
        None => format!("`{}`", check.name),
    };
    let mut names = failed.iter().take(SHOWN).map(name).collect::<Vec<_>>().join(", ");
    if failed.len() > SHOWN {
        names += &format!(" and {} more", failed.len() - SHOWN);
    }
    names
}
