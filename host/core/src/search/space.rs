//! The space: which values a parameter may take, drawn at random or walked as a grid.

use serde::{Deserialize, Serialize};
use serde_json::{Map, Number, Value};

use super::random::Random;

/// A parameter of the trial that is searched.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
pub struct Dimension {
    pub name: String,
    pub values: Values,
}

/// The values that a parameter may take. Both ends belong to a range.
#[derive(Clone, PartialEq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "kebab-case")]
pub enum Values {
    Number {
        low: f64,
        high: f64,
        /// As likely between 0.01 and 0.1 as between 0.1 and 1.
        log: bool,
        /// Values of a grid, both ends included.
        #[serde(skip_serializing_if = "Option::is_none", default)]
        steps: Option<usize>,
    },
    Whole {
        low: i64,
        high: i64,
        log: bool,
        #[serde(skip_serializing_if = "Option::is_none", default)]
        steps: Option<usize>,
    },
    /// At least one, none twice.
    Choices(Vec<Value>),
}

/// A range on the scale on which it is searched. A whole number stands for the interval around it, from half below to
/// half above.
#[derive(Clone, Copy, Debug)]
pub(super) struct Axis {
    pub low: f64,
    pub high: f64,
    pub log: bool,
    pub whole: Option<(i64, i64)>,
    /// The ends as they are written, which a value never leaves.
    ends: (f64, f64),
}

impl Values {
    /// Nothing for choices.
    pub(super) fn axis(&self) -> Option<Axis> {
        let (ends, log, whole) = match *self {
            Values::Number { low, high, log, .. } => ((low, high), log, None),
            Values::Whole { low, high, log, .. } => ((low as f64, high as f64), log, Some((low, high))),
            Values::Choices(_) => return None,
        };
        let half = if whole.is_some() { 0.5 } else { 0.0 };
        let scaled = |value: f64| if log { libm::log(value) } else { value };
        Some(Axis { low: scaled(ends.0 - half), high: scaled(ends.1 + half), log, whole, ends })
    }

    /// One value, or the ends of the range, or every choice: what a pipeline must be able to take.
    pub fn extremes(&self) -> Vec<Value> {
        match self {
            Values::Number { low, high, .. } => [*low, *high].map(number).to_vec(),
            Values::Whole { low, high, .. } => [*low, *high].map(Value::from).to_vec(),
            Values::Choices(choices) => choices.clone(),
        }
    }

    /// How many values a grid has here; nothing where the range does not say.
    pub fn grid_size(&self) -> Option<usize> {
        match self {
            Values::Number { steps, .. } => *steps,
            Values::Whole { low, high, steps, .. } => steps
                .or_else(|| usize::try_from(high.checked_sub(*low)?.checked_add(1)?).ok().filter(|size| *size <= 16)),
            Values::Choices(choices) => Some(choices.len()),
        }
    }

    fn grid_value(&self, at: usize) -> Value {
        match self {
            Values::Choices(choices) => choices[at].clone(),
            Values::Whole { low, steps: None, .. } => Value::from(low + at as i64),
            Values::Number { steps, .. } | Values::Whole { steps, .. } => {
                let axis = self.axis().expect("a range has an axis");
                axis.spaced(at, steps.unwrap_or(1))
            }
        }
    }
}

impl Axis {
    /// The place of a recorded value; the middle for what is no number.
    pub fn place(&self, value: &Value) -> f64 {
        let Some(value) = value.as_f64() else { return (self.low + self.high) / 2.0 };
        if self.log { libm::log(value) } else { value }
    }

    /// The value at a place. Numbers have six significant digits: more than a person reads, and more than matters.
    pub fn value(&self, place: f64) -> Value {
        let plain = if self.log { libm::exp(place) } else { place };
        match self.whole {
            Some((low, high)) => Value::from((plain.round() as i64).clamp(low, high)),
            None => number(rounded(plain).clamp(self.ends.0, self.ends.1)),
        }
    }

    /// Value `at` of `count`, evenly spaced from end to end.
    fn spaced(&self, at: usize, count: usize) -> Value {
        let scaled = |value: f64| if self.log { libm::log(value) } else { value };
        let (low, high) = (scaled(self.ends.0), scaled(self.ends.1));
        let share = if count > 1 { at as f64 / (count - 1) as f64 } else { 0.0 };
        match at {
            0 => self.value(low),
            at if at + 1 == count => self.value(high),
            _ => self.value(low + share * (high - low)),
        }
    }
}

/// Values drawn evenly from the whole space.
pub(super) fn draw(space: &[Dimension], random: &mut Random) -> Map<String, Value> {
    let value = |dimension: &Dimension| {
        let value = match (&dimension.values, dimension.values.axis()) {
            (_, Some(axis)) => axis.value(axis.low + random.unit() * (axis.high - axis.low)),
            (Values::Choices(choices), None) => choices[random.below(choices.len())].clone(),
            (_, None) => Value::Null,
        };
        (dimension.name.clone(), value)
    };
    space.iter().map(value).collect()
}

/// How many points the grid has; nothing where a range does not say how many values it stands for, or where there are
/// too many to count.
pub(super) fn grid_size(space: &[Dimension]) -> Option<usize> {
    space.iter().try_fold(1_usize, |size, dimension| size.checked_mul(dimension.values.grid_size()?))
}

/// A point of the grid, counted from 0; the last dimension is the fastest.
pub(super) fn grid_point(space: &[Dimension], mut number: usize) -> Map<String, Value> {
    let mut values: Vec<(String, Value)> = Vec::with_capacity(space.len());
    for dimension in space.iter().rev() {
        let size = dimension.values.grid_size().unwrap_or(1).max(1);
        values.push((dimension.name.clone(), dimension.values.grid_value(number % size)));
        number /= size;
    }
    values.into_iter().rev().collect()
}

pub(super) fn number(value: f64) -> Value {
    Number::from_f64(value).map_or(Value::Null, Value::Number)
}

fn rounded(value: f64) -> f64 {
    format!("{value:.5e}").parse().unwrap_or(value)
}
