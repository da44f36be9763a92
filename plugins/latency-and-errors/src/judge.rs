//! Measures against their limits.

use wasmlops_sdk::Finding;
use wasmlops_statistics::text::{counted, number, percent};

use crate::config::Config;
use crate::measures::Measures;

/// What a measure may be.
enum Limit {
    Most(f64),
    Least(f64),
    /// So many times the reference's.
    Ratio(f64),
}

/// A measure with everything that is said of it.
struct Measure {
    statistic: &'static str,
    value: Option<f64>,
    reference: Option<f64>,
    window_rows: u64,
    reference_rows: u64,
    /// Why it is not judged although it has a value.
    too_few: Option<String>,
    limits: Vec<Limit>,
    details: String,
}

/// One finding for each measure and limit; `seconds` is the length of a window by time.
pub fn findings(
    config: &Config,
    window: &Measures,
    reference: Option<&Measures>,
    seconds: Option<f64>,
) -> Vec<Finding> {
    let max = &config.max;
    let ratio = &config.max_ratio;
    let latencies =
        [("p50", 0.5, max.p50, ratio.p50), ("p95", 0.95, max.p95, ratio.p95), ("p99", 0.99, max.p99, ratio.p99)];
    let too_few = |rows: u64| {
        (rows < config.min_rows).then(|| format!("{}, and {} are needed", counted(rows, "request"), config.min_rows))
    };
    let mut measures: Vec<Measure> = Vec::new();
    for (statistic, q, max, ratio) in latencies {
        measures.push(Measure {
            statistic,
            value: window.latency(q),
            reference: reference.and_then(|reference| reference.latency(q)),
            window_rows: window.timed(),
            reference_rows: reference.map_or(0, Measures::timed),
            too_few: too_few(window.timed()),
            limits: max.map(Limit::Most).into_iter().chain(ratio.map(Limit::Ratio)).collect(),
            details: window.latency(q).map_or_else(String::new, |value| format!("{} ms", number(value))),
        });
    }
    let reference_rows = reference.map_or(0, |reference| reference.requests);
    measures.push(Measure {
        statistic: "error_rate",
        value: window.error_rate(),
        reference: reference.and_then(Measures::error_rate),
        window_rows: window.requests,
        reference_rows,
        too_few: too_few(window.requests),
        limits: max.error_rate.map(Limit::Most).into_iter().chain(ratio.error_rate.map(Limit::Ratio)).collect(),
        details: format!("{}, {}", percent(window.error_rate().unwrap_or(0.0)), window.errors_in_words()),
    });
    let rate = seconds.map(|seconds| window.requests as f64 / seconds);
    measures.push(Measure {
        statistic: "request_rate",
        value: rate,
        reference: None,
        window_rows: window.requests,
        reference_rows,
        too_few: None,
        limits: max
            .request_rate
            .map(Limit::Most)
            .into_iter()
            .chain(config.min.request_rate.map(Limit::Least))
            .collect(),
        details: rate.map_or_else(String::new, |rate| format!("{} a second", number(rate))),
    });
    // A window by count has no rate, which is news only to those who limit it.
    measures.retain(|measure| measure.value.is_some() || !measure.limits.is_empty());
    measures.iter().flat_map(Measure::findings).collect()
}

impl Measure {
    fn findings(&self) -> Vec<Finding> {
        match self.limits.as_slice() {
            [] => vec![self.finding(None)],
            limits => limits.iter().map(|limit| self.finding(Some(limit))).collect(),
        }
    }

    fn finding(&self, limit: Option<&Limit>) -> Finding {
        let Self { statistic, value, details, .. } = self;
        let bound = limit.and_then(|limit| limit.bound(self.reference));
        let mut finding = Finding {
            signal: "operations".to_owned(),
            column: None,
            statistic: (*statistic).to_owned(),
            value: value.unwrap_or(f64::NAN),
            threshold: bound,
            found: false,
            window_rows: self.window_rows,
            reference_rows: self.reference_rows,
            message: String::new(),
        };
        let (Some(value), None) = (*value, &self.too_few) else {
            let reason = self.too_few.as_deref().unwrap_or(match *statistic {
                "request_rate" => "the window has no times",
                _ => "the window does not say",
            });
            // A value of too few requests would look like one of many.
            finding.value = f64::NAN;
            finding.message = format!("`{statistic}` is not judged: {reason}");
            return finding;
        };
        finding.message = match (limit, bound) {
            (None, _) => format!("`{statistic}` is {details}"),
            (Some(_), None) => format!("`{statistic}` is {details}; the reference has none to compare with"),
            (Some(limit), Some(bound)) => {
                finding.found = limit.is_broken(value, bound);
                let bound = number(bound);
                match limit {
                    Limit::Most(_) => format!("`{statistic}` is {details}, and at most {bound} is allowed"),
                    Limit::Least(_) => format!("`{statistic}` is {details}, and at least {bound} is asked for"),
                    Limit::Ratio(ratio) => {
                        let times = number(*ratio);
                        format!("`{statistic}` is {details}, and {times} times the reference's are {bound}")
                    }
                }
            }
        };
        finding
    }
}

impl Limit {
    fn bound(&self, reference: Option<f64>) -> Option<f64> {
        match self {
            Limit::Most(bound) | Limit::Least(bound) => Some(*bound),
            Limit::Ratio(ratio) => reference.map(|reference| ratio * reference),
        }
    }

    fn is_broken(&self, value: f64, bound: f64) -> bool {
        match self {
            Limit::Most(_) | Limit::Ratio(_) => value > bound,
            Limit::Least(_) => value < bound,
        }
    }
}
