//! From findings to checks, and to a sentence for a person.

use wasmlops_sdk::prelude::*;

use crate::config::Severity;
use crate::pass::{Missing, Seen};
use crate::probe::Finding;
use crate::rules::{Expectation, Range, Test};
use crate::text::{counted, names, share};

/// A report with what was counted on the way.
pub struct Verdict {
    pub report: Report,
    /// Checks that fail the step.
    pub failed: usize,
    /// Failures that are warnings.
    pub warnings: usize,
}

pub fn of(expectations: &[Expectation], table: &Table, seen: &Seen) -> Verdict {
    let (mut checks, mut failed, mut warned) = (Vec::new(), Vec::new(), Vec::new());
    for (expectation, probed) in expectations.iter().zip(&seen.findings) {
        for (column, finding) in findings(expectation, probed.as_ref(), table, seen) {
            let column = column.map(|column| table.schema().fields[column].name.clone());
            let warning = expectation.severity == Severity::Warning;
            if !finding.passed {
                let list = if warning { &mut warned } else { &mut failed };
                list.push(match &column {
                    Some(column) => format!("`{}` of `{column}`", expectation.name),
                    None => format!("`{}`", expectation.name),
                });
            }
            checks.push(check(expectation, column, finding));
        }
    }
    let summary = summary(table, checks.len(), &failed, &warned);
    let report = Report { passed: failed.is_empty(), summary, checks };
    Verdict { report, failed: failed.len(), warnings: warned.len() }
}

fn check(expectation: &Expectation, column: Option<String>, finding: Finding) -> Check {
    let warning = !finding.passed && expectation.severity == Severity::Warning;
    Check {
        name: expectation.name.to_owned(),
        // A warning fails nothing, and the report passes when every check does.
        passed: finding.passed || warning,
        column,
        slice: None,
        // Reports are kept as JSON, which has no infinite numbers.
        observed: finding.observed.filter(|observed| observed.is_finite()),
        expected: expected(&expectation.test),
        count: finding.count,
        examples: finding.examples,
        message: if warning { format!("warning: {}", finding.message) } else { finding.message },
    }
}

/// What came of one expectation, with the column of each finding.
fn findings(
    expectation: &Expectation,
    probed: Option<&Finding>,
    table: &Table,
    seen: &Seen,
) -> Vec<(Option<usize>, Finding)> {
    let rows = table.num_rows() as u64;
    let at = |column: usize| (table.schema().fields[column].name.as_str(), &seen.missing[column]);
    let finding = match (&expectation.test, expectation.column) {
        (Test::NoNullsInAnyColumn, _) if seen.missing_in_all() > 0 => {
            let broken = (0..seen.missing.len()).filter(|&column| seen.missing[column].count > 0);
            return broken.map(|column| (Some(column), no_nulls(at(column), rows))).collect();
        }
        (Test::NoNullsInAnyColumn, _) => {
            let message = "no column has missing values".to_owned();
            Finding { passed: true, observed: Some(0.0), message, ..Finding::default() }
        }
        (Test::NoNulls, Some(column)) => no_nulls(at(column), rows),
        (Test::MaxNullFraction(most), Some(column)) => null_fraction(at(column), rows, *most),
        (Test::Type(wanted), Some(column)) => data_type(&table.schema().fields[column], *wanted, rows),
        (Test::Rows(range), _) => row_count(*range, rows),
        (Test::Schema { columns, exact }, _) => schema(table.schema(), columns, *exact),
        _ => probed.cloned().unwrap_or_default(),
    };
    vec![(expectation.column, finding)]
}

fn data_type(field: &Field, wanted: DataType, rows: u64) -> Finding {
    let passed = field.data_type == wanted;
    let message = format!("`{}` is {}", field.name, field.data_type.name());
    Finding { passed, count: if passed { 0 } else { rows }, message, ..Finding::default() }
}

fn row_count(range: Range, rows: u64) -> Finding {
    Finding {
        passed: range.contains(rows as f64),
        observed: Some(rows as f64),
        message: format!("the table has {}", counted(rows, "row")),
        ..Finding::default()
    }
}

fn no_nulls((name, missing): (&str, &Missing), rows: u64) -> Finding {
    let count = missing.count;
    let message = match count {
        0 => format!("`{name}` has no missing values"),
        count => format!("{} missing", share(count, rows, name)),
    };
    let examples = missing.examples.clone().into_texts();
    Finding { passed: count == 0, observed: Some(count as f64), count, examples, message }
}

fn null_fraction((name, missing): (&str, &Missing), rows: u64, most: f64) -> Finding {
    let fraction = if rows == 0 { 0.0 } else { missing.count as f64 / rows as f64 };
    let passed = fraction <= most;
    let message = format!("{} missing", share(missing.count, rows, name));
    let (count, examples) =
        if passed { (0, Vec::new()) } else { (missing.count, missing.examples.clone().into_texts()) };
    Finding { passed, observed: Some(fraction), count, examples, message }
}

fn schema(schema: &Schema, columns: &[(String, DataType)], exact: bool) -> Finding {
    let mut differences = Vec::new();
    for (name, wanted) in columns {
        match schema.field(name) {
            None => differences.push(format!("`{name}` is not there")),
            Some(field) if field.data_type != *wanted => {
                differences.push(format!("`{name}` is {}, not {}", field.data_type.name(), wanted.name()));
            }
            Some(_) => {}
        }
    }
    if exact {
        let others = schema.names().filter(|name| !columns.iter().any(|(known, _)| known == name));
        differences.extend(others.map(|name| format!("`{name}` is not in the schema")));
    }
    let message = match differences.as_slice() {
        [] => "the table has the columns of the schema".to_owned(),
        [only] => only.clone(),
        more => format!("{} columns differ from the schema", more.len()),
    };
    let count = differences.len() as u64;
    differences.truncate(crate::probe::Examples::MOST);
    Finding { passed: count == 0, observed: None, count, examples: differences, message }
}

fn expected(test: &Test) -> String {
    match test {
        Test::NoNulls | Test::NoNullsInAnyColumn => "no missing values".to_owned(),
        Test::MaxNullFraction(most) => format!("<= {most}"),
        Test::Range(range) | Test::Mean(range) | Test::Distinct(range) | Test::Rows(range) => range.to_string(),
        Test::Allowed(allowed) => format!("one of {}", names(allowed.iter().map(String::as_str))),
        Test::Type(data_type) => data_type.name().to_owned(),
        Test::FreshWithin(_, age) => format!("within {age} of the run's time"),
        Test::Unique(_) => "no value twice".to_owned(),
        Test::Schema { columns, exact } => {
            let columns: Vec<_> = columns.iter().map(|(name, wanted)| format!("{name}: {}", wanted.name())).collect();
            format!("{}{}", columns.join(", "), if *exact { ", and no other column" } else { "" })
        }
    }
}

fn summary(table: &Table, checks: usize, failed: &[String], warned: &[String]) -> String {
    let size = format!(
        "{} with {}",
        counted(table.num_rows() as u64, "row"),
        counted(table.schema().fields.len() as u64, "column")
    );
    let all = counted(checks as u64, "check");
    let verdict = match (failed, warned) {
        ([], []) => format!("{all} passed on {size}"),
        ([], warned) => format!("{} of {all} passed on {size}", checks - warned.len()),
        (failed, _) => format!("{} of {all} failed on {size}: {}", failed.len(), list(failed)),
    };
    match warned {
        [] => verdict,
        warned => format!("{verdict}; {}: {}", counted(warned.len() as u64, "warning"), list(warned)),
    }
}

/// The first five of them.
fn list(texts: &[String]) -> String {
    const SHOWN: usize = 5;
    let mut shown = texts.iter().take(SHOWN).map(String::as_str).collect::<Vec<_>>().join(", ");
    if texts.len() > SHOWN {
        shown += &format!(" and {} more", texts.len() - SHOWN);
    }
    shown
}
