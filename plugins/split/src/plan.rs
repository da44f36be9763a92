//! Decides which output each row goes to, from the configuration and at most one column. Writes nothing.

mod keys;

use wasmlops_sdk::prelude::*;

use crate::config::Config;
use crate::random::SplitMix64;
use keys::Classes;

/// An output.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Part {
    Train,
    Validation,
    Test,
}

impl Part {
    /// The output's name in the manifest.
    pub fn output(self) -> &'static str {
        match self {
            Part::Train => "train",
            Part::Validation => "validation",
            Part::Test => "test",
        }
    }
}

/// The output of each row.
pub struct Plan {
    parts: Vec<Part>,
    /// Where groups stay together: the group of each row, and `parts` has one entry a group.
    groups: Option<Classes>,
}

impl Plan {
    /// Errors: `invalid-config` where the configuration contradicts itself or the table, `invalid-input` for a table
    /// without rows.
    pub fn make(config: &Config, table: &Table) -> Result<Self> {
        check(config)?;
        if table.num_rows() == 0 {
            return Err(Error::invalid_input("the table has no rows to split").at("table"));
        }
        let classes =
            |name: &Option<String>, key| name.as_ref().map(|name| Classes::read(table, name, key)).transpose();
        let groups = classes(&config.group, "group")?;
        let units = Units { count: groups.as_ref().map_or(table.num_rows(), Classes::len), grouped: groups.is_some() };
        let sizes = Sizes::of(config, &units)?;
        let order = order(config, table, units.count)?;
        let parts = match classes(&config.stratify, "stratify")? {
            Some(classes) => classes.stratified(&order, &sizes)?,
            None => unstratified(&order, &sizes),
        };
        Ok(Self { parts, groups })
    }

    pub fn part(&self, row: usize) -> Part {
        let unit = self.groups.as_ref().map_or(row, |groups| groups.class_of(row));
        self.parts[unit]
    }
}

/// What is divided: rows or groups.
struct Units {
    count: usize,
    grouped: bool,
}

/// What can be said of the configuration without the table.
fn check(config: &Config) -> Result<()> {
    let fraction = |value: f64| value > 0.0 && value < 1.0;
    for (key, value) in [("test", Some(config.test)), ("validation", config.validation)] {
        if let Some(value) = value.filter(|value| !fraction(*value)) {
            return Err(Error::invalid_config(key, format!("`{value}` is not between 0 and 1")));
        }
    }
    let taken = config.test + config.validation.unwrap_or(0.0);
    if taken >= 1.0 {
        let message = format!("`test` and `validation` add up to {taken}, which leaves nothing for `train`");
        return Err(Error::invalid_config("validation", message));
    }
    let given = [("by_time", &config.by_time), ("group", &config.group), ("stratify", &config.stratify)];
    let given: Vec<&str> = given.iter().filter(|(_, name)| name.is_some()).map(|&(key, _)| key).collect();
    if let [first, .., last] = given[..] {
        return Err(Error::invalid_config(
            last,
            format!("`{last}` does not go together with `{first}`\nhint: choose one"),
        ));
    }
    if config.stratify.is_some() && !config.shuffle {
        let message = "`stratify` chooses rows at random\nhint: leave out `shuffle: false`";
        return Err(Error::invalid_config("stratify", message));
    }
    Ok(())
}

/// How many rows (or groups) each output gets.
pub(crate) struct Sizes {
    pub train: usize,
    pub validation: usize,
    pub test: usize,
}

impl Sizes {
    /// As scikit-learn's `train_test_split`: each part rounded up, and `train` what is left.
    fn of(config: &Config, units: &Units) -> Result<Self> {
        let part = |fraction: f64| (fraction * units.count as f64).ceil() as usize;
        let (test, validation) = (part(config.test), config.validation.map_or(0, part));
        match units.count.checked_sub(test + validation) {
            None | Some(0) => {
                let what = if units.grouped { "group" } else { "row" };
                let plural = if units.count == 1 { "" } else { "s" };
                let message = format!("of {} {what}{plural}, none would be left for `train`", units.count);
                Err(Error::invalid_config("test", message))
            }
            Some(train) => Ok(Self { train, validation, test }),
        }
    }
}

/// The rows (or groups) in the order in which they are asked for: first by `test`, then by `validation`.
fn order(config: &Config, table: &Table, count: usize) -> Result<Vec<usize>> {
    let mut order: Vec<usize> = match &config.by_time {
        Some(name) => keys::by_time(table, name)?,
        None => (0..count).collect(),
    };
    if config.shuffle && config.by_time.is_none() {
        SplitMix64::new(config.seed).shuffle(&mut order);
    }
    order.reverse();
    Ok(order)
}

fn unstratified(order: &[usize], sizes: &Sizes) -> Vec<Part> {
    let mut parts = vec![Part::Train; order.len()];
    for (place, &unit) in order.iter().enumerate() {
        parts[unit] = match place {
            place if place < sizes.test => Part::Test,
            place if place < sizes.test + sizes.validation => Part::Validation,
            _ => Part::Train,
        };
    }
    parts
}
