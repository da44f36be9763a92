//! Findings with their sentences.

use wasmlops_sdk::Finding;

use super::judge::{self, Judged};
use super::plan::Planned;
use super::values::{Texts, Values};
use super::{Options, Subject};
use crate::counts::proportions;
use crate::text::{counted, name, names, number, percent};

/// The findings so far.
pub struct Findings<'a> {
    options: &'a Options,
    subject: Subject,
    window_rows: u64,
    reference_rows: u64,
    list: Vec<Finding>,
    drifted: Vec<String>,
    judged: usize,
    not_judged: usize,
}

impl<'a> Findings<'a> {
    pub fn new(options: &'a Options, subject: Subject, window_rows: usize, reference_rows: usize) -> Self {
        Self {
            options,
            subject,
            window_rows: window_rows as u64,
            reference_rows: reference_rows as u64,
            list: Vec::new(),
            drifted: Vec::new(),
            judged: 0,
            not_judged: 0,
        }
    }

    pub fn options(&self) -> &'a Options {
        self.options
    }

    /// A column that the window does not have, or has with another type.
    pub fn not_comparable(&mut self, column: &Planned, reason: &str) {
        self.not_judged += 1;
        let message = format!("{} cannot be compared: {reason}", name(&column.name));
        self.list.push(Finding {
            signal: "data-quality".to_owned(),
            found: true,
            ..self.finding(column, "type", f64::NAN, message)
        });
    }

    /// Whether values are missing in another share of the rows; only where some are missing at all.
    pub fn missing(&mut self, column: &Planned, values: &Values) {
        let left_out = values.left_out();
        let (there, here) = (left_out.reference.all(), left_out.window.all());
        if there + here == 0 {
            return;
        }
        let mut finding = Finding {
            signal: self.subject.signal_of_missing().to_owned(),
            threshold: Some(self.options.missing_change),
            ..self.finding(column, "missing_share", f64::NAN, String::new())
        };
        if let Some(reason) = judge::too_few(self.reference_rows, self.window_rows, self.options.min_rows) {
            finding.message = format!("missing values of {} are not judged: {reason}", name(&column.name));
            self.list.push(finding);
            return;
        }
        let test = proportions(there, self.reference_rows, here, self.window_rows);
        let share = |count: u64, rows: u64| percent(count as f64 / rows as f64);
        let infinite = match left_out.window.infinite {
            0 => String::new(),
            count => format!(", {count} of them infinite"),
        };
        finding.value = test.effect.abs();
        finding.found = finding.value > self.options.missing_change && test.p_value < self.options.significance;
        finding.message = format!(
            "{} is missing in {} of the window's rows{infinite}, and in {} of the reference's",
            name(&column.name),
            share(here, self.window_rows),
            share(there, self.reference_rows)
        );
        self.list.push(finding);
    }

    /// Which share of the rows has texts that the reference does not have.
    pub fn new_values(&mut self, column: &Planned, texts: &Texts) {
        let Some(counts) = &texts.counts else { return };
        let (reference, window) = counts.totals();
        let new = || counts.reference.iter().zip(&counts.window).enumerate().filter(|(_, (there, _))| **there == 0);
        let once = counts.reference.iter().filter(|count| **count == 1).count() as f64;
        // I. Good, "The population frequencies of species and the estimation of population parameters", Biometrika 40
        // (1953): what comes once estimates the share of what has not come yet.
        let expected = if reference > 0 { once / reference as f64 } else { 0.0 };
        let threshold = self.options.new_values.max(expected);
        let mut finding = Finding {
            threshold: Some(threshold),
            window_rows: window,
            reference_rows: reference,
            ..self.finding(column, "new_values", f64::NAN, String::new())
        };
        let name = name(&column.name);
        if let Some(reason) = judge::too_few(reference, window, self.options.min_rows) {
            finding.message = format!("new values of {name} are not judged: {reason}");
        } else {
            let rows: u64 = new().map(|(_, (_, here))| here).sum();
            finding.value = rows as f64 / window as f64;
            finding.found = finding.value > threshold;
            let texts: Vec<&str> = new().map(|(place, _)| texts.names[place].as_str()).collect();
            finding.message = match texts.len() {
                0 => format!("{name} has no text that the reference does not have"),
                _ => format!(
                    "{name} has texts that the reference does not have in {}: {}",
                    counted(rows, "row"),
                    names(texts)
                ),
            };
        }
        self.list.push(finding);
    }

    pub fn drift(&mut self, column: &Planned, judged: Judged) {
        let Judged { statistic, threshold, window, reference, verdict } = judged;
        let name = name(&column.name);
        let sizes = format!("{} against {reference}", counted(window, "value"));
        let mut finding = Finding {
            threshold: Some(threshold),
            window_rows: window,
            reference_rows: reference,
            ..self.finding(column, statistic.name(), f64::NAN, String::new())
        };
        match verdict {
            Err(reason) => {
                self.not_judged += 1;
                finding.message = format!("{name} is not judged: {reason}");
            }
            Ok(verdict) => {
                self.judged += 1;
                if verdict.found {
                    self.drifted.push(column.name.clone());
                }
                let has = if verdict.found { "has drifted" } else { "has not drifted" };
                let what = if statistic.is_test() { " p" } else { "" };
                let sign = if verdict.value < threshold { "<" } else { ">=" };
                finding.message = format!(
                    "{name} {has}: {}{what} = {} {sign} {} ({}; {sizes})",
                    statistic.name(),
                    number(verdict.value),
                    number(threshold),
                    verdict.details
                );
                finding.value = verdict.value;
                finding.found = verdict.found;
            }
        }
        self.list.push(finding);
    }

    /// Adds the finding of all columns together.
    pub fn into_list(mut self) -> Vec<Finding> {
        let share = self.drifted.len() as f64 / self.judged as f64;
        let columns = counted(self.judged as u64, "column");
        let mut message = match (self.judged, self.drifted.as_slice()) {
            (0, _) => "no column could be judged".to_owned(),
            (_, []) => format!("none of {columns} drifted"),
            (_, drifted) => {
                let list = names(drifted.iter().map(String::as_str));
                format!("{} of {columns} drifted: {list}", drifted.len())
            }
        };
        if self.not_judged > 0 && self.judged > 0 {
            message += &format!("; {} not judged", counted(self.not_judged as u64, "column"));
        }
        self.list.push(Finding {
            signal: self.subject.signal().to_owned(),
            column: None,
            statistic: "share_drifted".to_owned(),
            value: share,
            threshold: Some(self.options.share),
            found: share >= self.options.share,
            window_rows: self.window_rows,
            reference_rows: self.reference_rows,
            message,
        });
        self.list
    }

    fn finding(&self, column: &Planned, statistic: &str, value: f64, message: String) -> Finding {
        Finding {
            signal: self.subject.signal().to_owned(),
            column: Some(column.name.clone()),
            statistic: statistic.to_owned(),
            value,
            threshold: None,
            found: false,
            window_rows: self.window_rows,
            reference_rows: self.reference_rows,
            message,
        }
    }
}
