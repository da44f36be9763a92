//! From the configuration and the tables' columns to operations that fit them, or everything that does not. Reads no
//! row.

use wasmlops_sdk::prelude::*;

use crate::config::{Config, Verb};
use crate::frame::Frame;
use crate::problems::Problems;
use crate::verbs::{Aggregated, Filtered, Joined, PointInTime, Projected, Unique, Windowed, ordered, project};

/// A verb whose columns are known to exist and to fit.
pub struct Operation {
    /// Where the verb stands in the configuration: `do.2.filter`.
    pub key: String,
    what: What,
}

enum What {
    Project(Projected),
    Derive(Projected),
    Filter(Filtered),
    Join(Joined),
    PointInTime(PointInTime),
    Aggregate(Aggregated),
    Window(Windowed),
    Sort(Vec<(usize, bool)>),
    Distinct(Unique),
    Limit(usize),
}

/// Where a verb is planned: the columns so far, the other tables, and what is wrong.
pub struct Planning<'a> {
    pub schema: Schema,
    pub others: &'a [(&'a str, &'a Schema)],
    pub problems: Problems,
}

impl Planning<'_> {
    /// The columns of another input, or a problem.
    pub fn other(&mut self, name: &str, key: &str) -> Option<Schema> {
        let found = self.others.iter().find(|(known, _)| *known == name);
        if found.is_none() {
            let names: Vec<String> = self.others.iter().map(|(known, _)| format!("`{known}`")).collect();
            let hint = match names.as_slice() {
                [] => format!("give the step an input `{name}`"),
                names => format!("other inputs are {}", names.join(", ")),
            };
            self.problems.add(key, format!("the step has no input `{name}`\nhint: {hint}"));
        }
        found.map(|(_, schema)| (*schema).clone())
    }
}

/// Errors: `invalid-config` with everything that is wrong. Verbs after one whose columns cannot be told are not looked
/// at.
pub fn plan(config: &Config, schema: &Schema, others: &[(&str, &Schema)]) -> Result<Vec<Operation>> {
    let mut planning = Planning { schema: schema.clone(), others, problems: Problems::default() };
    let mut operations = Vec::new();
    if config.verbs.is_empty() {
        planning.problems.add("do", "there is no verb to apply");
    }
    for (index, verb) in config.verbs.iter().enumerate() {
        let names = named(verb);
        let [name] = names.as_slice() else {
            let problem = match names.as_slice() {
                [] => "has no verb".to_owned(),
                names => format!("has more than one verb: `{}`\nhint: give each a `-` of its own", names.join("`, `")),
            };
            planning.problems.add(format!("do.{index}"), problem);
            break;
        };
        let key = format!("do.{index}.{name}");
        match what(verb, &key, &mut planning) {
            Some(what) => operations.push(Operation { key, what }),
            None if changes_columns(verb) => break,
            None => {}
        }
    }
    planning.problems.into_result()?;
    Ok(operations)
}

fn named(verb: &Verb) -> Vec<&'static str> {
    let all = [
        ("select", verb.select.is_some()),
        ("drop", verb.drop.is_some()),
        ("filter", verb.filter.is_some()),
        ("derive", verb.derive.is_some()),
        ("join", verb.join.is_some()),
        ("point_in_time_join", verb.point_in_time_join.is_some()),
        ("aggregate", verb.aggregate.is_some()),
        ("window", verb.window.is_some()),
        ("sort", verb.sort.is_some()),
        ("distinct", verb.distinct.is_some()),
        ("limit", verb.limit.is_some()),
    ];
    all.into_iter().filter(|(_, given)| *given).map(|(name, _)| name).collect()
}

fn changes_columns(verb: &Verb) -> bool {
    verb.filter.is_none() && verb.sort.is_none() && verb.distinct.is_none()
}

fn what(verb: &Verb, key: &str, planning: &mut Planning<'_>) -> Option<What> {
    if let Some(selected) = &verb.select {
        return project::select(selected, key, planning).map(What::Project);
    } else if let Some(dropped) = &verb.drop {
        return project::drop(dropped, key, planning).map(What::Project);
    } else if let Some(derived) = &verb.derive {
        return project::derive(derived, key, planning).map(What::Derive);
    } else if let Some(condition) = &verb.filter {
        return Filtered::plan(condition, key, planning).map(What::Filter);
    } else if let Some(join) = &verb.join {
        return Joined::plan(join, key, planning).map(What::Join);
    } else if let Some(join) = &verb.point_in_time_join {
        return PointInTime::plan(join, key, planning).map(What::PointInTime);
    } else if let Some(aggregate) = &verb.aggregate {
        return Aggregated::plan(aggregate, key, planning).map(What::Aggregate);
    } else if let Some(window) = &verb.window {
        return Windowed::plan(window, key, planning).map(What::Window);
    } else if let Some(keys) = &verb.sort {
        return ordered::plan(keys, key, planning).map(What::Sort);
    } else if let Some(distinct) = &verb.distinct {
        return Unique::plan(distinct, key, planning).map(What::Distinct);
    }
    verb.limit.map(What::Limit)
}

impl Operation {
    /// `other` reads another input.
    pub fn run(&self, frame: Frame, other: impl Fn(&str) -> Result<Frame>) -> Result<Frame> {
        let key = &self.key;
        match &self.what {
            What::Project(projected) => projected.select(&frame, key),
            What::Derive(projected) => projected.derive(frame, key),
            What::Filter(filtered) => filtered.run(frame, key),
            What::Join(joined) => {
                let right = other(&joined.with)?;
                joined.run(frame, &right, key)
            }
            What::PointInTime(joined) => {
                let right = other(&joined.with)?;
                joined.run(frame, &right)
            }
            What::Aggregate(aggregated) => aggregated.run(&frame, key),
            What::Window(windowed) => windowed.run(frame, key),
            What::Sort(keys) => Ok(ordered::run(keys, frame)),
            What::Distinct(unique) => Ok(unique.run(frame)),
            What::Limit(limit) if *limit >= frame.num_rows => Ok(frame),
            What::Limit(limit) => Ok(frame.take(&(0..*limit).collect::<Vec<_>>())),
        }
    }
}
