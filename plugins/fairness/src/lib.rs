//! Holds a model to fairness between groups.
//!
//! Data goes one way: `config` (what the user wrote) → `outcomes` (what the model decides, and what really was) and
//! `groups` (who belongs where) → `rates` (of each group, and measures between them) → `judge` → a report.

mod config;
mod groups;
mod judge;
mod outcomes;
mod rates;

use wasmlops_sdk::prelude::*;

use config::{Config, Limits, Measure, Own, Sensitive};
use groups::Groups;
use outcomes::Outcomes;

struct Fairness;

impl Validator for Fairness {
    type Config = Config;

    fn validate(config: Config, subject: &Subject) -> Result<Report> {
        match subject {
            Subject::Evaluation(evaluation) => judge(&config, evaluation),
            Subject::Table(_) => {
                let message = "a model is judged here, and the step has none\nhint: give the step an input `model`, \
                               such as `model: train.model`";
                Err(Error::invalid_input(message).at("model"))
            }
        }
    }
}

fn judge(config: &Config, evaluation: &Evaluation) -> Result<Report> {
    let columns = columns(config, &evaluation.features)?;
    let outcomes = Outcomes::read(config, evaluation)?;
    limits_fit(config, &outcomes)?;
    let mut checks = Vec::new();
    for (own, groups, reference) in &columns {
        let case = judge::Case {
            column: &own.column,
            groups,
            counted: &outcomes.count(groups),
            rates: outcomes.rates(),
            min_rows: config.min_rows,
            reference: *reference,
            max: own.max.as_ref().unwrap_or(&config.max),
            min: own.min.as_ref().unwrap_or(&config.min),
        };
        checks.extend(case.checks()?);
    }
    let names: Vec<&str> = columns.iter().map(|(own, ..)| own.column.as_str()).collect();
    metrics::emit("rows", evaluation.features.num_rows() as f64)?;
    Ok(judge::report(checks, &names, evaluation.features.num_rows()))
}

/// The sensitive columns with their groups; all mistakes at once.
fn columns(config: &Config, features: &Table) -> Result<Vec<(Own, Groups, Option<usize>)>> {
    let (mut columns, mut problems) = (Vec::new(), Vec::new());
    for (place, sensitive) in config.sensitive.iter().enumerate() {
        let own = match sensitive {
            Sensitive::Own(own) => own.clone(),
            Sensitive::Column(column) => {
                Own { column: column.clone(), bins: None, reference: None, max: None, min: None }
            }
        };
        let key = format!("sensitive.{place}");
        match groups::of(&own, features, &key).and_then(|groups| Ok((reference(&own, &groups, &key)?, groups))) {
            Ok((reference, groups)) => columns.push((own, groups, reference)),
            Err(error) if error.code == ErrorCode::InvalidConfig => problems.push(error),
            Err(error) => return Err(error),
        }
    }
    match problems.len() {
        0 if columns.is_empty() => Err(Error::invalid_config("sensitive", "name at least one column")),
        0 => Ok(columns),
        1 => Err(problems.remove(0)),
        count => {
            let line = |error: &Error| {
                let message = error.message.replace("\nhint: ", "; ");
                format!("`{}`: {message}", error.field.as_deref().unwrap_or_default())
            };
            let lines: Vec<String> = problems.iter().map(line).collect();
            let first = problems.remove(0).field.unwrap_or_default();
            let message = format!("{count} things are wrong with the sensitive columns\n{}", lines.join("\n"));
            Err(Error::invalid_config(first, message))
        }
    }
}

fn reference(own: &Own, groups: &Groups, key: &str) -> Result<Option<usize>> {
    let Some(wanted) = own.reference.as_ref().map(ToString::to_string) else { return Ok(None) };
    let found = groups.names.iter().position(|name| *name == wanted);
    let known = wasmlops_statistics::text::names(groups.names.iter().map(String::as_str));
    let message = format!("`{wanted}` is no group of `{}`, which has {known}", own.column);
    found.map(Some).ok_or_else(|| Error::invalid_config(format!("{key}.reference"), message))
}

/// Limits for classes do not fit a model that predicts numbers, nor the other way round.
fn limits_fit(config: &Config, outcomes: &Outcomes) -> Result<()> {
    let numbers = matches!(outcomes, Outcomes::Numbers { .. });
    let mut all: Vec<(String, &Limits)> = vec![("max".into(), &config.max), ("min".into(), &config.min)];
    for (place, sensitive) in config.sensitive.iter().enumerate() {
        let Sensitive::Own(own) = sensitive else { continue };
        all.extend(own.max.as_ref().map(|max| (format!("sensitive.{place}.max"), max)));
        all.extend(own.min.as_ref().map(|min| (format!("sensitive.{place}.min"), min)));
    }
    let wrong = |measure: &&Measure| measure.is_of_numbers() != numbers;
    let found = all.iter().find_map(|(key, limits)| Some((key, *limits.0.keys().find(wrong)?)));
    let Some((key, measure)) = found else { return Ok(()) };
    let (is, predicts) = if numbers { ("classes", "numbers") } else { ("numbers", "classes") };
    let message = format!("`{}` is for models of {is}, and this one predicts {predicts}", measure.name());
    Err(Error::invalid_config(format!("{key}.{}", measure.name()), message))
}

wasmlops_sdk::export! { validator: Fairness }

#[cfg(test)]
mod tests;
