//! From what was found to a report: what is named, what may be, what only warns.

use std::collections::BTreeSet;

use wasmlops_sdk::prelude::*;
use wasmlops_statistics::text::{counted, name, names, number, percent};

use crate::config::{Config, What};
use crate::scan::Found;
use crate::title;

/// The columns to look through, by index.
///
/// Errors: `invalid-config` with every name that is no column, and reasons that say nothing.
pub fn columns(config: &Config, schema: &Schema) -> Result<Vec<usize>> {
    let mut problems: Vec<(String, String)> = Vec::new();
    let lists = [("columns", config.columns.as_deref().unwrap_or_default()), ("exclude", &config.exclude)];
    for (key, list) in lists {
        for (place, column) in list.iter().enumerate().filter(|(_, column)| schema.index_of(column).is_none()) {
            problems.push((format!("{key}.{place}"), format!("there is no column {}", name(column))));
        }
    }
    for (column, reason) in &config.allow {
        if schema.index_of(column).is_none() {
            problems.push((format!("allow.{column}"), format!("there is no column {}", name(column))));
        }
        if reason.trim().is_empty() {
            problems.push((format!("allow.{column}"), format!("{} is allowed without a reason", name(column))));
        }
    }
    if let Some((key, first)) = problems.first() {
        let hint = format!("hint: the table has {}", schema.names_for_message());
        let message = match problems.len() {
            1 => format!("{first}\n{hint}"),
            count => {
                let lines: Vec<String> = problems.iter().map(|(key, problem)| format!("`{key}`: {problem}")).collect();
                format!("{count} things are wrong with the options\n{}\n{hint}", lines.join("\n"))
            }
        };
        return Err(Error::invalid_config(key, message));
    }
    let wanted = |column: &str| {
        config.columns.as_ref().is_none_or(|columns| columns.iter().any(|wanted| wanted == column))
            && !config.exclude.iter().any(|excluded| excluded == column)
    };
    Ok(schema.names().enumerate().filter(|(_, column)| wanted(column)).map(|(index, _)| index).collect())
}

/// The report in the making.
pub struct Judge<'a> {
    config: &'a Config,
    checks: Vec<Check>,
    named: BTreeSet<String>,
    failed: BTreeSet<String>,
}

impl<'a> Judge<'a> {
    pub fn new(config: &'a Config) -> Self {
        Self { config, checks: Vec::new(), named: BTreeSet::new(), failed: BTreeSet::new() }
    }

    /// How many columns were named, allowed ones included.
    pub fn named(&self) -> usize {
        self.named.len()
    }

    pub fn column(&mut self, field: &Field, found: &Found) {
        let wanted = |what: What| self.config.look_for.as_ref().is_none_or(|look_for| look_for.contains(&what));
        if field.data_type != DataType::Bool && wanted(What::Title) && title::is_personal(&field.name) {
            let message = format!("{} looks like personal data, by its title", name(&field.name));
            self.push(What::Title, field, Check { expected: "no such title".to_owned(), message, ..Check::default() });
        }
        for (&what, matches) in &found.matches {
            let share = matches.count as f64 / found.values as f64;
            if share < self.config.threshold {
                continue;
            }
            let values = counted(found.values, "value");
            let message = format!("{} looks like {}: {} of {values}", name(&field.name), what.words(), percent(share));
            let check = Check {
                observed: Some(share),
                expected: format!("< {} of the values", number(self.config.threshold)),
                count: matches.count,
                examples: matches.shapes.clone(),
                message,
                ..Check::default()
            };
            self.push(what, field, check);
        }
        self.identifier(field, found);
    }

    fn identifier(&mut self, field: &Field, found: &Found) {
        let Some(distinct) = found.distinct else { return };
        let share = distinct as f64 / found.values.max(1) as f64;
        if found.values < self.config.min_rows || share < self.config.unique_share {
            return;
        }
        let message = format!(
            "{} looks like an identifier: {distinct} different ones in {}",
            name(&field.name),
            counted(found.values, "value")
        );
        let expected = format!("< {} of the values come once", number(self.config.unique_share));
        let check = Check { observed: Some(share), expected, count: distinct, message, ..Check::default() };
        self.push(What::Identifier, field, check);
    }

    fn push(&mut self, what: What, field: &Field, check: Check) {
        let allowed = self.config.allow.get(&field.name);
        let warns = self.config.warn.contains(&what);
        let passed = allowed.is_some() || warns;
        let message = match allowed {
            Some(reason) => format!("{}; allowed: {reason}", check.message),
            None if warns => {
                log::warn(&check.message);
                format!("warning: {}", check.message)
            }
            None => check.message,
        };
        self.named.insert(field.name.clone());
        if !passed {
            self.failed.insert(field.name.clone());
        }
        let column = Some(field.name.clone());
        self.checks.push(Check { name: what.name().to_owned(), passed, column, message, ..check });
    }

    pub fn into_report(mut self, columns: usize) -> Report {
        let looked = counted(columns as u64, "column");
        let shown = |list: &BTreeSet<String>| names(list.iter().map(String::as_str));
        let summary = match (self.failed.len(), self.named.len()) {
            (0, 0) => format!("none of {looked} looks like personal data"),
            (0, _) => {
                format!("of {looked}, only warnings and allowed ones look like personal data: {}", shown(&self.named))
            }
            (failed, _) => format!("{failed} of {looked} look like personal data: {}", shown(&self.failed)),
        };
        self.checks.insert(
            0,
            Check {
                name: "columns".to_owned(),
                passed: true,
                observed: Some(columns as f64),
                expected: "looked through".to_owned(),
                message: format!("{looked} looked through"),
                ..Check::default()
            },
        );
        Report { passed: self.failed.is_empty(), summary, checks: self.checks }
    }
}
