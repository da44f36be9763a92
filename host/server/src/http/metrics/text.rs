//! The text format: help and type before the samples of a metric, labels escaped.

use std::fmt::{Display, Write};

use crate::counts::Measured;

/// A page as it is written.
#[derive(Default)]
pub(super) struct Text(String);

impl Text {
    pub fn head(&mut self, name: &str, kind: &str, help: &str) {
        self.write(format_args!("# HELP {name} {help}\n# TYPE {name} {kind}\n"));
    }

    pub fn sample(&mut self, name: &str, labels: &[(&str, &str)], value: impl Display) {
        self.0.push_str(name);
        for (index, (label, text)) in labels.iter().enumerate() {
            self.0.push(if index == 0 { '{' } else { ',' });
            self.write(format_args!("{label}=\""));
            for character in text.chars() {
                match character {
                    '\\' => self.0.push_str("\\\\"),
                    '"' => self.0.push_str("\\\""),
                    '\n' => self.0.push_str("\\n"),
                    other => self.0.push(other),
                }
            }
            self.0.push('"');
        }
        if !labels.is_empty() {
            self.0.push('}');
        }
        self.write(format_args!(" {value}\n"));
    }

    /// The samples of one histogram.
    pub fn histogram(&mut self, name: &str, labels: &[(&str, &str)], measured: &Measured) {
        let bucket = format!("{name}_bucket");
        for (bound, count) in &measured.buckets {
            self.bucket(&bucket, labels, &bound.to_string(), *count);
        }
        self.bucket(&bucket, labels, "+Inf", measured.count);
        self.sample(&format!("{name}_sum"), labels, measured.seconds);
        self.sample(&format!("{name}_count"), labels, measured.count);
    }

    fn bucket(&mut self, name: &str, labels: &[(&str, &str)], bound: &str, count: u64) {
        let labels: Vec<_> = labels.iter().copied().chain([("le", bound)]).collect();
        self.sample(name, &labels, count);
    }

    pub fn finish(self) -> String {
        self.0
    }

    fn write(&mut self, arguments: std::fmt::Arguments<'_>) {
        let written = self.0.write_fmt(arguments);
        debug_assert!(written.is_ok(), "a string takes every text");
    }
}
