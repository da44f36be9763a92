//! The plugin as a monitor: rules over a window's rows, and what was learned from the reference. The door is
//! [`findings`].

use wasmlops_sdk::Finding;
use wasmlops_sdk::prelude::*;

use crate::config::{Columns, Config, Learn, Rule, WindowConfig};
use crate::learned::Learned;
use crate::rules::Expectation;
use crate::text::counted;
use crate::{pass, report};

/// One finding for each check, then those of what was learned.
///
/// Errors: as of a table; `invalid-input` where there is neither a rule nor a reference.
pub fn findings(
    config: &WindowConfig,
    window: &Table,
    reference: Option<&Table>,
    now: impl Fn() -> i64,
) -> Result<Vec<Finding>> {
    let learned_from = config.learn.as_ref().zip(reference);
    if config.rules.is_empty() && learned_from.is_none() {
        let message = "there is nothing to check: no rules, and no reference to learn from";
        return Err(Error::invalid_input(message).at("reference"));
    }
    let mut findings = Vec::new();
    if !config.rules.is_empty() {
        by_rules(&config.rules, window, reference, now, &mut findings)?;
    }
    if let Some((learn, reference)) = learned_from {
        by_reference(learn, window, reference, &mut findings)?;
    }
    Ok(findings)
}

fn by_rules(
    rules: &[Rule],
    window: &Table,
    reference: Option<&Table>,
    now: impl Fn() -> i64,
    findings: &mut Vec<Finding>,
) -> Result<()> {
    let rules = rules.iter().map(|rule| without_star(rule, window.schema())).collect();
    let expectations = Expectation::of(&Config { rules }, window.schema())?;
    let seen = pass::over(window, &expectations, now)?;
    let checks = report::of(&expectations, window, &seen).report.checks;
    let reference_rows = reference.map_or(0, |reference| reference.num_rows() as u64);
    findings.extend(checks.into_iter().map(|check| Finding {
        signal: "data-quality".to_owned(),
        column: check.column,
        statistic: check.name,
        value: check.observed.unwrap_or(check.count as f64),
        threshold: None,
        found: !check.passed,
        window_rows: window.num_rows() as u64,
        reference_rows,
        message: format!("{}; expected: {}", check.message, check.expected),
    }));
    Ok(())
}

/// In a window `"*"` means what goes into the model: ids, times, errors, predictions and labels stand beside it, and a
/// label that is not there yet is no fault.
fn without_star(rule: &Rule, schema: &Schema) -> Rule {
    let features = || Columns::Many(features(schema).map(|(_, field)| field.name.clone()).collect());
    let columns = |columns: &Option<Columns>| match columns {
        Some(Columns::One(all)) if all == "*" => Some(features()),
        other => other.clone(),
    };
    Rule { no_nulls: columns(&rule.no_nulls), unique: columns(&rule.unique), ..rule.clone() }
}

/// The columns that go into the model.
fn features(schema: &Schema) -> impl Iterator<Item = (usize, &Field)> {
    schema.fields.iter().enumerate().filter(|(_, field)| {
        let name = field.name.as_str();
        !name.starts_with('_') && !matches!(name, "label" | "prediction") && !name.starts_with("probability.")
    })
}

fn by_reference(learn: &Learn, window: &Table, reference: &Table, findings: &mut Vec<Finding>) -> Result<()> {
    let learned = Learned::of(reference, &columns(learn, reference.schema())?)?;
    let (there, gone): (Vec<Learned>, Vec<Learned>) =
        learned.into_iter().partition(|learned| window.schema().field(&learned.name).is_some());
    let rules = there.iter().filter_map(Learned::rule).collect();
    let mut expectations = Expectation::of(&Config { rules }, window.schema())?;
    expectations.retain(|expectation| expectation.column.is_some());
    // What is missing is counted on the way, in every column that is looked at or may miss something.
    let seen = pass::over(window, &expectations, || 0)?;
    let judge = Judge { learn, rows: window.num_rows() as u64 };
    for learned in &there {
        let column = window.schema().index_of(&learned.name).expect("only columns that are there");
        let missing = seen.missing[column].count;
        findings.push(judge.missing(learned, missing));
        let probed =
            expectations.iter().zip(&seen.findings).find(|(expectation, _)| expectation.column == Some(column));
        if let Some((expectation, Some(probed))) = probed {
            findings.push(judge.outside(learned, expectation.name, probed.count, missing, &probed.message));
        }
    }
    findings.extend(gone.iter().map(|learned| judge.gone(learned)));
    Ok(())
}

fn columns(learn: &Learn, schema: &Schema) -> Result<Vec<usize>> {
    for (key, names) in [("columns", learn.columns.as_deref().unwrap_or_default()), ("exclude", &learn.exclude)] {
        for (index, name) in names.iter().enumerate() {
            schema.require(name, &format!("learn.{key}.{index}"))?;
        }
    }
    let all: Vec<usize> = match &learn.columns {
        Some(names) => names.iter().filter_map(|name| schema.index_of(name)).collect(),
        None => features(schema).map(|(index, _)| index).collect(),
    };
    Ok(all.into_iter().filter(|&index| !learn.exclude.contains(&schema.fields[index].name)).collect())
}

/// Holds a window of so many rows to what was learned.
struct Judge<'a> {
    learn: &'a Learn,
    rows: u64,
}

impl Judge<'_> {
    fn missing(&self, learned: &Learned, missing: u64) -> Finding {
        let (known, name) = (learned.missing_share(), &learned.name);
        let most = (known + self.learn.tolerance).min(1.0);
        let share = missing as f64 / self.rows as f64;
        let message =
            format!("{missing} of {} of `{name}` are missing, and {known:.4} of the reference's", self.values());
        self.finding(learned, "missing_share", share, most, message)
    }

    fn outside(&self, learned: &Learned, statistic: &str, outside: u64, missing: u64, message: &str) -> Finding {
        let present = self.rows.saturating_sub(missing);
        let share = if present == 0 { 0.0 } else { outside as f64 / present as f64 };
        let message = format!("{message}; learned from {}", counted(learned.rows, "row"));
        self.finding(learned, statistic, share, self.learn.tolerance, message)
    }

    fn gone(&self, learned: &Learned) -> Finding {
        let message = format!("`{}` is not in the window", learned.name);
        Finding { found: true, ..self.finding(learned, "missing_share", 1.0, learned.missing_share(), message) }
    }

    fn finding(&self, learned: &Learned, statistic: &str, share: f64, most: f64, message: String) -> Finding {
        let enough = self.rows >= self.learn.min_rows;
        let least = self.learn.min_rows;
        Finding {
            signal: "data-quality".to_owned(),
            column: Some(learned.name.clone()),
            statistic: statistic.to_owned(),
            value: if enough { share } else { f64::NAN },
            threshold: Some(most),
            found: enough && share > most,
            window_rows: self.rows,
            reference_rows: learned.rows,
            message: match enough {
                true => message,
                false => format!("`{}` is not judged: {}, and {least} are needed", learned.name, self.values()),
            },
        }
    }

    fn values(&self) -> String {
        counted(self.rows, "value")
    }
}

#[cfg(test)]
mod tests {
    use serde_json::json;
    use wasmlops_sdk::testing;

    use super::*;
    use crate::DataQuality;

    fn observe(config: serde_json::Value, window: Table, reference: Option<&Table>) -> Result<Vec<Finding>> {
        testing::observe::<DataQuality>(config, window, reference)
    }

    fn rows(numbers: impl IntoIterator<Item = Option<f64>>, text: &str) -> Table {
        let numbers: Vec<Option<f64>> = numbers.into_iter().collect();
        let texts: Vec<&str> =
            numbers.iter().enumerate().map(|(row, _)| if row % 4 == 0 { text } else { "a" }).collect();
        Table::from_columns([
            ("x", Column::from_f64(numbers.iter().copied())),
            ("text", Column::from_text(texts)),
            ("label", Column::from_s64(numbers.iter().map(|_| None))),
            ("_error", Column::from_text(numbers.iter().map(|_| None))),
        ])
    }

    fn plain(findings: &[Finding]) -> Vec<(&str, &str, f64, bool)> {
        let plain = |f: &Finding| f.column.as_deref().unwrap_or("-").to_owned();
        assert!(findings.iter().all(|finding| finding.signal == "data-quality" && !plain(finding).is_empty()));
        findings.iter().map(|f| (f.column.as_deref().unwrap_or("-"), f.statistic.as_str(), f.value, f.found)).collect()
    }

    #[test]
    fn rules_are_those_of_a_table_and_star_means_the_features() {
        let rules = json!([
            { "no_nulls": "*" },
            { "column": "x", "max": 20, "severity": "warning" },
            { "column": "text", "allowed": ["a"] }
        ]);
        let config = json!({ "rules": rules, "learn": null });
        let findings = observe(config, rows((0..40).map(|row| Some(f64::from(row))), "b"), None).unwrap();
        assert_eq!(
            plain(&findings),
            [
                ("-", "rows", 40.0, false),
                ("x", "no_nulls", 0.0, false),
                ("text", "no_nulls", 0.0, false),
                ("x", "max", 39.0, false),
                ("text", "allowed", 10.0, true)
            ]
        );
        assert!(findings[3].message.starts_with("warning: 19 of 40"), "{}", findings[3].message);
    }

    #[test]
    fn what_was_learned_holds_but_for_a_tolerance() {
        let reference = rows((0..100).map(|row| Some(f64::from(row))), "b");
        let same =
            observe(json!({}), rows((0..100).map(|row| Some(f64::from(row) + 4.0)), "b"), Some(&reference)).unwrap();
        assert_eq!(
            plain(&same),
            [
                ("x", "missing_share", 0.0, false),
                ("x", "between", 0.04, false),
                ("text", "missing_share", 0.0, false),
                ("text", "allowed", 0.0, false)
            ]
        );
        let other = rows((0..100).map(|row| (row % 10 > 0).then_some(f64::from(row) + 50.0)), "new");
        let found: Vec<_> = observe(json!({}), other, Some(&reference)).unwrap();
        assert_eq!(
            plain(&found),
            [
                ("x", "missing_share", 0.1, true),
                ("x", "between", 0.5, true),
                ("text", "missing_share", 0.0, false),
                ("text", "allowed", 0.25, true)
            ]
        );
        let few = observe(json!({}), rows([Some(1e9)], "new"), Some(&reference)).unwrap();
        assert!(few.iter().all(|finding| !finding.found && finding.message.contains("30 are needed")));
    }

    #[test]
    fn a_column_that_is_gone_is_found_and_nothing_to_check_is_a_mistake() {
        let reference = Table::from_columns([("gone", Column::from_f64((0..50).map(f64::from)))]);
        let window = || rows((0..50).map(|row| Some(f64::from(row))), "b");
        let found = observe(json!({}), window(), Some(&reference)).unwrap();
        assert_eq!((found.len(), found[0].found, found[0].statistic.as_str()), (1, true, "missing_share"));
        assert_eq!(observe(json!({}), window(), None).unwrap_err().field.as_deref(), Some("reference"));
        let unknown = observe(json!({ "learn": { "exclude": ["y"] } }), window(), Some(&reference)).unwrap_err();
        assert_eq!(unknown.field.as_deref(), Some("learn.exclude.0"));
    }
}
