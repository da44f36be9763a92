//! Measures against limits, and what to say of them.

use std::collections::BTreeMap;

use wasmlops_sdk::prelude::*;
use wasmlops_statistics::text::{counted, name, names, number};

use crate::config::{Limits, Measure};
use crate::groups::Groups;
use crate::rates::{self, Group, Measured, Rate};

/// What rounding may take off a difference of two rates: without it, 0.6 and 0.5 are more than 0.1 apart.
const ROUNDING: f64 = 8.0 * f64::EPSILON;

/// One sensitive column with everything that it is judged by.
pub struct Case<'a> {
    pub column: &'a str,
    pub groups: &'a Groups,
    pub counted: &'a [Group],
    pub rates: &'static [Rate],
    pub min_rows: u64,
    /// The index of the group that the others are compared with.
    pub reference: Option<usize>,
    pub max: &'a Limits,
    pub min: &'a Limits,
}

impl Case<'_> {
    /// The rates of every group, then every measure.
    pub fn checks(&self) -> Result<Vec<Check>> {
        let mut checks = Vec::new();
        for rate in self.rates {
            checks.extend((0..self.counted.len()).map(|group| self.rate(*rate, group)));
        }
        let measurable = |measure: &Measure| measure.is_of_numbers() == (self.rates[0] == Rate::MeanPrediction);
        for measure in Measure::ALL.into_iter().filter(measurable) {
            let (most, least) = (self.max.0.get(&measure).copied(), self.min.0.get(&measure).copied());
            let needs_truth = !matches!(
                measure,
                Measure::DemographicParityDifference
                    | Measure::DemographicParityRatio
                    | Measure::DisparateImpact
                    | Measure::MeanPredictionDifference
            );
            let measured = match needs_truth && self.rates.len() == 1 {
                true => Err("the table has no column with the truth".to_owned()),
                false => rates::measure(measure, self.counted, self.min_rows, self.reference),
            };
            if let Ok(measured) = &measured {
                metrics::emit(&self.metric(measure.name()), measured.value)?;
            }
            checks.push(self.measure(measure, measured, (most, least)));
        }
        Ok(checks)
    }

    fn rate(&self, rate: Rate, group: usize) -> Check {
        let (value, rows) = self.counted[group].rate(rate);
        let group = &self.groups.names[group];
        let of = counted(rows, rate.rows_in_words());
        let small = if rows < self.min_rows { ", too few to judge" } else { "" };
        let message = match rows {
            0 => format!("{} has no {}", name(group), rate.rows_in_words()),
            _ => format!("{} has {} in {of}{small}", name(group), number(value)),
        };
        Check {
            name: rate.name().to_owned(),
            passed: true,
            column: Some(self.column.to_owned()),
            slice: Some(format!("{}={group}", self.column)),
            observed: Some(value).filter(|value| value.is_finite()),
            expected: "reported".to_owned(),
            count: rows,
            message,
            ..Check::default()
        }
    }

    fn measure(
        &self,
        measure: Measure,
        measured: Result<Measured, String>,
        (most, least): (Option<f64>, Option<f64>),
    ) -> Check {
        let within = |value: f64| {
            most.is_none_or(|most| value <= most + ROUNDING) && least.is_none_or(|least| value >= least - ROUNDING)
        };
        let expected = match (most, least) {
            (None, None) => "reported".to_owned(),
            (Some(most), None) => format!("<= {most}"),
            (None, Some(least)) => format!(">= {least}"),
            (Some(most), Some(least)) => format!(">= {least} and <= {most}"),
        };
        let passed = match &measured {
            Ok(measured) => within(measured.value),
            Err(_) => most.is_none() && least.is_none(),
        };
        let message = match &measured {
            Ok(Measured { value, between }) => {
                let group =
                    |(group, rate): (usize, f64)| format!("{} in {}", number(rate), name(&self.groups.names[group]));
                format!(
                    "`{}` by {} is {}: the {} is {}, and {}",
                    measure.name(),
                    name(self.column),
                    number(*value),
                    between.rate.name().replace('_', " "),
                    group(between.lowest),
                    group(between.highest)
                )
            }
            Err(reason) => format!("`{}` by {} is undefined: {reason}", measure.name(), name(self.column)),
        };
        Check {
            name: measure.name().to_owned(),
            passed,
            column: Some(self.column.to_owned()),
            observed: measured.ok().map(|measured| measured.value),
            expected,
            message,
            ..Check::default()
        }
    }

    /// `fairness/<column>/<measure>`, with `_` for what metrics' names may not have.
    fn metric(&self, measure: &str) -> String {
        let allowed = |c: char| if c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ') { c } else { '_' };
        let column: String = self.column.chars().map(allowed).take(150).collect();
        format!("fairness/{column}/{measure}")
    }
}

/// All checks as a report.
pub fn report(checks: Vec<Check>, columns: &[&str], rows: usize) -> Report {
    let mut failed: BTreeMap<&str, Vec<&str>> = BTreeMap::new();
    for check in checks.iter().filter(|check| !check.passed) {
        failed.entry(check.column.as_deref().unwrap_or_default()).or_default().push(&check.name);
    }
    let rows = counted(rows as u64, "row");
    let asked = checks.iter().filter(|check| check.expected != "reported").count();
    let summary = if failed.is_empty() {
        let between = format!("the groups of {}", names(columns.iter().copied()));
        match asked {
            0 => format!("nothing was asked; {between} were measured on {rows}"),
            _ => format!("{} held between {between}, on {rows}", counted(asked as u64, "limit")),
        }
    } else {
        let list =
            failed.iter().map(|(column, broken)| format!("{} by {}", names(broken.iter().copied()), name(column)));
        let count = failed.values().map(Vec::len).sum::<usize>();
        format!(
            "{count} of {} broken on {rows}: {}",
            counted(asked as u64, "limit"),
            list.collect::<Vec<_>>().join("; ")
        )
    };
    Report { passed: failed.is_empty(), summary, checks }
}
