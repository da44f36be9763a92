//! A step's configuration as a search, with everything that is wrong with it.
//!
//! The shape has been checked against the step's schema: what does not have it is passed over here.

use serde_json::{Map, Value};

use super::{Dimension, Goal, MAX_TRIALS, Method, MetricRef, Search, StopRule, Values, report, space};
use crate::config::{Param, ParamType, describe, listed};
use crate::diagnostics::suggest;

/// A mistake in a search's configuration.
#[derive(Clone, PartialEq, Eq, Debug)]
pub struct Wrong {
    /// The option, dotted: `space.learning_rate.between`.
    pub path: String,
    pub code: &'static str,
    pub message: String,
    pub hint: String,
}

/// What a search is read from.
#[derive(Clone, Copy, Debug)]
pub struct Reading<'a> {
    /// The options of the step.
    pub config: &'a Value,
    /// The trial's pipeline, for messages.
    pub trial: &'a str,
    /// Of the trial.
    pub params: &'a [Param],
    /// Parameters that artifacts are handed to.
    pub inputs: &'a [&'a str],
}

/// A search with the values of parameters that are the same in each trial.
pub type Read = (Search, Map<String, Value>);

impl Search {
    /// Errors: all mistakes at once.
    pub fn read(reading: Reading<'_>) -> Result<Read, Vec<Wrong>> {
        let mut reader = Reader { from: reading, wrong: Vec::new() };
        let read = reader.read();
        match read {
            Some(read) if reader.wrong.is_empty() => Ok(read),
            _ => Err(reader.wrong),
        }
    }
}

struct Reader<'a> {
    from: Reading<'a>,
    wrong: Vec<Wrong>,
}

impl<'a> Reader<'a> {
    /// Nothing where a mistake was noted, here or by the schema.
    fn read(&mut self) -> Option<Read> {
        let config = self.from.config;
        let method = match config["method"].as_str() {
            Some("grid") => Method::Grid,
            Some("random") => Method::Random,
            _ => Method::Tpe,
        };
        let space = self.space(method);
        let fixed = self.fixed();
        self.missing();
        let metric = self.metric("objective");
        let goal = goal(&config["objective"]["goal"]);
        let stop = match config.get("stop") {
            Some(rule) => Some(self.stop(rule, goal)?),
            None => None,
        };
        let trials = self.trials(method, &space)?;
        let parallel = config["parallel"].as_u64().and_then(|count| usize::try_from(count).ok()).unwrap_or(1);
        let (seed, objective) = (config["seed"].as_u64(), metric?);
        Some((Search { space, method, trials, parallel, objective, goal: goal?, stop, seed }, fixed))
    }

    fn space(&mut self, method: Method) -> Vec<Dimension> {
        let mut space = Vec::new();
        for (name, node) in self.from.config["space"].as_object().into_iter().flatten() {
            let path = format!("space.{name}");
            let Some(param) = self.param(&path, name) else { continue };
            if report::RESERVED.contains(&name.as_str()) {
                let message = format!("`{name}` cannot be searched: the table of trials has a column of that name");
                self.add(&path, "wrong-value", message, "give the trial's parameter another name".to_owned());
            }
            if self.from.inputs.contains(&name.as_str()) {
                let message = format!("`{name}` is an input and cannot be searched as well");
                self.add(&path, "wrong-value", message, "take it out of `space` or out of `inputs`".to_owned());
            }
            let values = match node.get("choices") {
                Some(choices) => self.choices(&path, param, choices),
                None => self.range(&path, param, node, method),
            };
            space.extend(values.map(|values| Dimension { name: name.clone(), values }));
        }
        space.sort_by(|one, other| one.name.cmp(&other.name));
        space
    }

    fn choices(&mut self, path: &str, param: &Param, choices: &Value) -> Option<Values> {
        let mut values: Vec<Value> = Vec::new();
        for (at, choice) in choices.as_array()?.iter().enumerate() {
            let path = format!("{path}.choices.{at}");
            match param.check(choice) {
                Err(wrong) => {
                    let hint = format!("`{}` declares the parameter so", self.from.trial);
                    self.add(&path, "wrong-value", format!("a choice of `{}` {wrong}", param.name.value), hint);
                }
                Ok(value) if values.contains(&value) => {
                    let message = format!("`{}` has the choice {} twice", param.name.value, describe(&value));
                    self.add(&path, "wrong-value", message, "name each value once".to_owned());
                }
                Ok(value) => values.push(value),
            }
        }
        Some(Values::Choices(values)).filter(|_| self.is_right_below(path))
    }

    fn range(&mut self, path: &str, param: &Param, node: &Value, method: Method) -> Option<Values> {
        let name = &param.name.value;
        let at = format!("{path}.between");
        let [low, high] = node["between"].as_array()?.as_slice() else { return None };
        if !matches!(param.kind, ParamType::Integer | ParamType::Number) {
            let message = format!("`{name}` is a {} and has no range", param.kind.as_str());
            self.add(&at, "wrong-type", message, "name its values: `choices: [...]`".to_owned());
            return None;
        }
        let mut ends = Vec::new();
        for end in [low, high] {
            match param.check(end) {
                Ok(value) => ends.push(value),
                Err(wrong) => {
                    let hint = format!("`{}` declares the parameter so", self.from.trial);
                    self.add(&at, "wrong-value", format!("an end of the range of `{name}` {wrong}"), hint);
                }
            }
        }
        let [low, high] = ends.as_slice() else { return None };
        let (from, to) = (low.as_f64()?, high.as_f64()?);
        if from >= to {
            let message = format!("the range of `{name}` is empty: {low} is not below {high}");
            self.add(&at, "wrong-value", message, "write the lower end first: `between: [0.01, 0.3]`".to_owned());
        }
        let log = node["scale"] == "log";
        if log && from <= 0.0 {
            let message =
                format!("the range of `{name}` begins at {low}, and a `log` scale knows only what is above 0");
            let hint = "begin above 0, such as at 0.001, or leave `scale` out".to_owned();
            self.add(&at, "wrong-value", message, hint);
        }
        let steps = node["steps"].as_u64().and_then(|steps| usize::try_from(steps).ok());
        if steps.is_some() && method != Method::Grid {
            let message = format!("`steps` of `{name}` is for `method: grid`");
            self.add(&format!("{path}.steps"), "wrong-value", message, "leave it out".to_owned());
        }
        let values = match param.kind {
            ParamType::Integer => Values::Whole { low: low.as_i64()?, high: high.as_i64()?, log, steps },
            _ => Values::Number { low: from, high: to, log, steps },
        };
        if method == Method::Grid && values.grid_size().is_none() {
            let message = format!("a grid needs to know how many values of `{name}` to try");
            self.add(&at, "missing-key", message, "add `steps: 5`, or name the values: `choices: [...]`".to_owned());
        }
        Some(values).filter(|_| self.is_right_below(path))
    }

    /// The values of parameters that are neither searched nor inputs, as far as the search gives them.
    fn fixed(&mut self) -> Map<String, Value> {
        let mut fixed = Map::new();
        for (name, value) in self.from.config["params"].as_object().into_iter().flatten() {
            let path = format!("params.{name}");
            let Some(param) = self.param(&path, name) else { continue };
            let elsewhere = match () {
                () if self.from.inputs.contains(&name.as_str()) => Some("inputs"),
                () if self.from.config["space"].get(name).is_some() => Some("space"),
                () => None,
            };
            if let Some(elsewhere) = elsewhere {
                let message = format!("`{name}` stands in `params` and in `{elsewhere}`");
                self.add(&path, "wrong-value", message, "say in one place where its value is from".to_owned());
            }
            match param.check(value) {
                Ok(value) => drop(fixed.insert(name.clone(), value)),
                Err(wrong) => {
                    let hint = format!("`{}` declares the parameter so", self.from.trial);
                    self.add(&path, "wrong-value", format!("parameter `{name}` of the trial {wrong}"), hint);
                }
            }
        }
        fixed
    }

    /// Reports parameters of the trial that nothing gives a value.
    fn missing(&mut self) {
        let given = |name: &String| {
            let config = self.from.config;
            config["space"].get(name).is_some()
                || config["params"].get(name).is_some()
                || self.from.inputs.contains(&name.as_str())
        };
        let without = |param: &&Param| param.default.is_none() && !given(&param.name.value);
        let missing: Vec<&String> = self.from.params.iter().filter(without).map(|param| &param.name.value).collect();
        for name in missing {
            let message = format!("parameter `{name}` of the trial `{}` has no value", self.from.trial);
            let hint =
                format!("add it to `space`, `inputs` or `params`, or give it a `default` in `{}`", self.from.trial);
            self.add("search", "missing-param", message, hint);
        }
    }

    fn stop(&mut self, rule: &Value, objective: Option<Goal>) -> Option<StopRule> {
        let metric = self.metric("stop");
        let goal = goal(&rule["goal"]).or(objective);
        let factor = rule["factor"].as_u64().unwrap_or(3);
        Some(StopRule { metric: metric?, goal: goal?, first: rule["first"].as_u64()?, factor })
    }

    fn metric(&mut self, key: &str) -> Option<MetricRef> {
        match self.from.config[key]["metric"].as_str()?.parse::<MetricRef>() {
            Ok(metric) => Some(metric),
            Err(error) => {
                let hint = format!("name a step of `{}` and one of its metrics", self.from.trial);
                self.add(&format!("{key}.metric"), "invalid-metric", error.to_string(), hint);
                None
            }
        }
    }

    fn trials(&mut self, method: Method, dimensions: &[Dimension]) -> Option<usize> {
        let asked = self.from.config["trials"].as_u64().and_then(|count| usize::try_from(count).ok());
        if method != Method::Grid {
            if self.from.config.get("trials").is_none() {
                let message = "a search needs to know how many trials to run".to_owned();
                self.add("search", "missing-key", message, "add `trials: 20` under `with`".to_owned());
            }
            return asked;
        }
        let points = space::grid_size(dimensions)?;
        if points > MAX_TRIALS {
            let message = format!("the grid has {points} points, and a search has at most {MAX_TRIALS} trials");
            self.add("space", "too-many-trials", message, "use fewer values, or `method: tpe`".to_owned());
        } else if asked.is_some_and(|asked| asked < points) {
            let message = format!("the grid has {points} points, which are all tried");
            self.add("trials", "wrong-value", message, "leave `trials` out, or use `method: random`".to_owned());
        }
        Some(points)
    }

    /// The trial's parameter of that name; reports that there is none.
    fn param(&mut self, path: &str, name: &str) -> Option<&'a Param> {
        let params: &'a [Param] = self.from.params;
        let found = params.iter().find(|param| param.name.value == name);
        if found.is_none() {
            let names = || params.iter().map(|param| param.name.value.as_str());
            let hint = match suggest(name, names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None if params.is_empty() => format!("`{}` has no parameters", self.from.trial),
                None => format!("its parameters are {}", listed(names())),
            };
            let message = format!("the trial `{}` has no parameter `{name}`", self.from.trial);
            self.add(path, "unknown-param", message, hint);
        }
        found
    }

    fn is_right_below(&self, path: &str) -> bool {
        !self.wrong.iter().any(|wrong| wrong.path.starts_with(path))
    }

    fn add(&mut self, path: &str, code: &'static str, message: String, hint: String) {
        self.wrong.push(Wrong { path: path.to_owned(), code, message, hint });
    }
}

fn goal(value: &Value) -> Option<Goal> {
    match value.as_str()? {
        "maximize" => Some(Goal::Maximize),
        "minimize" => Some(Goal::Minimize),
        _ => None,
    }
}
