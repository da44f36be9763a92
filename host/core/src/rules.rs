//! From findings to actions: whether a monitor's rule holds, and whether it may act now.
//!
//! Pure: the caller brings the findings and what the rule did before. A rule's condition is CEL (<https://cel.dev>) over
//! `findings`, `found`, `share`, `window` and `version`.

use std::collections::HashMap;
use std::time::Duration;

use cel::objects::Key;
use cel::{Context, Program, Value};

use crate::call::Finding;
use crate::run::Micros;

/// What a condition can see.
#[derive(Clone, Copy, Debug)]
pub struct Scope<'a> {
    pub findings: &'a [Finding],
    pub window: WindowFacts,
    /// The model version that answered last in the window.
    pub version: u64,
}

/// The window that the findings are about. Times are microseconds since 1970-01-01T00:00:00Z.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct WindowFacts {
    pub rows: u64,
    pub start: Micros,
    pub end: Micros,
}

/// Names that a condition can use.
pub const NAMES: [&str; 5] = ["findings", "found", "share", "window", "version"];

/// Whether the condition holds. Errors: what stopped the evaluation, in words.
pub fn holds(condition: &str, scope: &Scope<'_>) -> Result<bool, String> {
    let program = Program::compile(condition).map_err(|error| format!("`when` is not CEL: {error}"))?;
    match program.execute(&context(scope)) {
        Ok(Value::Bool(answer)) => Ok(answer),
        Ok(other) => Err(format!("`when` gave a value of type `{}`, not `true` or `false`", other.type_of())),
        Err(error) => Err(format!("`when` cannot be evaluated: {error}")),
    }
}

fn context(scope: &Scope<'_>) -> Context<'static, 'static> {
    let found = scope.findings.iter().filter(|finding| finding.found).count();
    let share = if scope.findings.is_empty() { 0.0 } else { found as f64 / scope.findings.len() as f64 };
    let WindowFacts { rows, start, end } = scope.window;
    let mut context = Context::default();
    let findings: Vec<Value> = scope.findings.iter().map(finding_to_cel).collect();
    context.add_variable_from_value("findings", Value::from(findings));
    context.add_variable_from_value("found", Value::Int(found as i64));
    context.add_variable_from_value("share", Value::Float(share));
    context.add_variable_from_value(
        "window",
        map([("rows", int(rows)), ("start", Value::Int(start)), ("end", Value::Int(end))]),
    );
    context.add_variable_from_value("version", int(scope.version));
    context
}

fn finding_to_cel(finding: &Finding) -> Value {
    let text = |text: &Option<String>| text.as_deref().map_or(Value::Null, Value::from);
    map([
        ("signal", Value::from(finding.signal.as_str())),
        ("column", text(&finding.column)),
        ("statistic", Value::from(finding.statistic.as_str())),
        ("value", Value::Float(finding.value)),
        ("threshold", finding.threshold.map_or(Value::Null, Value::Float)),
        ("found", Value::Bool(finding.found)),
        ("window_rows", int(finding.window_rows)),
        ("reference_rows", int(finding.reference_rows)),
        ("message", Value::from(finding.message.as_str())),
    ])
}

fn map<const N: usize>(pairs: [(&str, Value); N]) -> Value {
    Value::from(pairs.into_iter().map(|(name, value)| (Key::from(name), value)).collect::<HashMap<_, _>>())
}

fn int(number: u64) -> Value {
    Value::Int(i64::try_from(number).unwrap_or(i64::MAX))
}

/// How often a rule may act.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Pace {
    /// The least time between two actions.
    pub cooldown: Duration,
    /// At most so many runs of pipelines within the time.
    pub runs: Option<(u32, Duration)>,
}

/// Why a rule that holds does not act now.
#[derive(Clone, PartialEq, Eq, Debug, thiserror::Error)]
pub enum Held {
    #[error("the rule acted less than {} ago", crate::config::format_duration(*cooldown))]
    CoolingDown { cooldown: Duration },
    #[error("the rule has started {runs} runs within {} already", crate::config::format_duration(*per))]
    TooManyRuns { runs: u32, per: Duration },
}

impl Pace {
    /// Whether the rule may act at all. `last` is when it last did.
    pub fn may_act(&self, last: Option<Micros>, now: Micros) -> Result<(), Held> {
        match last {
            Some(last) if now.saturating_sub(last) < micros(self.cooldown) => {
                Err(Held::CoolingDown { cooldown: self.cooldown })
            }
            _ => Ok(()),
        }
    }

    /// Whether the rule may start one more run. `earlier` are the times at which it did, in any order.
    pub fn may_run(&self, earlier: &[Micros], now: Micros) -> Result<(), Held> {
        let Some((runs, per)) = self.runs else { return Ok(()) };
        let recent = earlier.iter().filter(|at| now.saturating_sub(**at) < micros(per)).count();
        if recent >= runs as usize { Err(Held::TooManyRuns { runs, per }) } else { Ok(()) }
    }
}

fn micros(duration: Duration) -> Micros {
    Micros::try_from(duration.as_micros()).unwrap_or(Micros::MAX)
}

#[cfg(test)]
mod tests {
    use super::*;

    fn finding(column: &str, value: f64, found: bool) -> Finding {
        Finding {
            signal: "data-drift".into(),
            column: Some(column.into()),
            statistic: "ks".into(),
            value,
            threshold: Some(0.05),
            found,
            window_rows: 200,
            reference_rows: 426,
            message: "m".into(),
        }
    }

    fn holds_for(condition: &str) -> Result<bool, String> {
        let findings = [finding("a", 0.01, true), finding("b", 0.4, false), finding("c", f64::NAN, false)];
        let window = WindowFacts { rows: 200, start: 5, end: 9 };
        holds(condition, &Scope { findings: &findings, window, version: 3 })
    }

    #[test]
    fn conditions_see_findings_and_window() {
        for condition in [
            "findings.exists(f, f.found)",
            "findings.exists(f, f.column == 'a' && f.value < f.threshold)",
            "found == 1 && share > 0.3 && share < 0.4",
            "window.rows >= 200 && window.end - window.start == 4 && version == 3",
            "findings.filter(f, f.signal == 'data-drift').size() == 3",
        ] {
            assert_eq!(holds_for(condition), Ok(true), "{condition}");
        }
        assert_eq!(holds_for("findings.all(f, f.found)"), Ok(false));
    }

    #[test]
    fn what_is_no_condition_says_so() {
        for condition in ["found", "1 +", "findings.exists(f, f.nothing)", "unknown > 1"] {
            assert!(holds_for(condition).is_err(), "{condition}");
        }
    }

    #[test]
    fn a_rule_cools_down() {
        let pace = Pace { cooldown: Duration::from_micros(10), runs: None };
        assert_eq!(pace.may_act(None, 0), Ok(()));
        assert!(pace.may_act(Some(100), 109).is_err());
        assert_eq!(pace.may_act(Some(100), 110), Ok(()));
        // A clock that went back must not make a rule act twice.
        assert!(pace.may_act(Some(100), 50).is_err());
    }

    #[test]
    fn runs_are_limited_within_their_time() {
        let pace = Pace { cooldown: Duration::ZERO, runs: Some((2, Duration::from_micros(100))) };
        assert_eq!(pace.may_run(&[0], 99), Ok(()));
        assert!(pace.may_run(&[0, 50], 99).is_err());
        assert_eq!(pace.may_run(&[0, 50], 100), Ok(()));
    }
}
