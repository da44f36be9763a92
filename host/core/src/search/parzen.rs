//! The tree-structured Parzen estimator: two densities, of good trials and of the others, and the candidate that is
//! likeliest under the first compared with the second (Bergstra et al., 2011, sections 4 and 4.2). Each dimension is
//! decided for itself.

use serde_json::{Map, Value};

use super::Finished;
use super::random::Random;
use super::space::{Axis, Dimension, Values};

/// Candidates for each dimension, as in hyperopt.
const CANDIDATES: usize = 24;
/// Draws from a normal distribution before the nearest end is taken: at least a third of each lies within the range.
const DRAWS: usize = 64;

/// Values for the next trial.
pub(super) fn suggest(
    space: &[Dimension],
    good: &[&Finished],
    bad: &[&Finished],
    random: &mut Random,
) -> Map<String, Value> {
    let value = |dimension: &Dimension| {
        let values = |trials: &[&Finished]| -> Vec<Value> {
            trials.iter().filter_map(|ended| ended.trial.params.get(&dimension.name).cloned()).collect()
        };
        let (good, bad) = (values(good), values(bad));
        let value = match (&dimension.values, dimension.values.axis()) {
            (Values::Choices(choices), _) => choice(choices, &good, &bad, random),
            (_, Some(axis)) => in_range(axis, &good, &bad, random),
            (_, None) => Value::Null,
        };
        (dimension.name.clone(), value)
    };
    space.iter().map(value).collect()
}

fn choice(choices: &[Value], good: &[Value], bad: &[Value], random: &mut Random) -> Value {
    let (good, bad) = (shares(choices, good), shares(choices, bad));
    let mut drawn = (0..CANDIDATES).map(|_| pick(&good, random));
    let first = drawn.next().unwrap_or_default();
    let best =
        drawn.fold(first, |best, next| if good[next] * bad[best] > good[best] * bad[next] { next } else { best });
    choices[best].clone()
}

/// The share of each choice, smoothed as if each had been seen once more.
fn shares(choices: &[Value], seen: &[Value]) -> Vec<f64> {
    let total = (seen.len() + choices.len()) as f64;
    let count = |choice: &Value| seen.iter().filter(|value| *value == choice).count();
    choices.iter().map(|choice| (count(choice) + 1) as f64 / total).collect()
}

fn pick(shares: &[f64], random: &mut Random) -> usize {
    let mut left = random.unit();
    for (at, share) in shares.iter().enumerate() {
        left -= share;
        if left < 0.0 {
            return at;
        }
    }
    shares.len() - 1
}

fn in_range(axis: Axis, good: &[Value], bad: &[Value], random: &mut Random) -> Value {
    let (good, bad) = (Mixture::new(axis, good), Mixture::new(axis, bad));
    let mut best: Option<(f64, Value)> = None;
    for _ in 0..CANDIDATES {
        let value = axis.value(good.draw(random));
        let place = axis.place(&value);
        let gain = good.log_density(place) - bad.log_density(place);
        if best.as_ref().is_none_or(|(most, _)| gain > *most) {
            best = Some((gain, value));
        }
    }
    best.map_or(Value::Null, |(_, value)| value)
}

/// Normal distributions of equal weight, cut off at the ends of the range: one around each value, and a wide one over
/// the whole range.
struct Mixture {
    axis: Axis,
    /// Middle and width of each, in order of their middles.
    parts: Vec<(f64, f64)>,
}

impl Mixture {
    /// A part is as wide as the longer way to its neighbours, and never so narrow that the search would stand still.
    fn new(axis: Axis, values: &[Value]) -> Self {
        let width = axis.high - axis.low;
        let prior = (axis.low + axis.high) / 2.0;
        let mut middles: Vec<(f64, bool)> = values.iter().map(|value| (axis.place(value), false)).collect();
        middles.push((prior, true));
        middles.sort_by(|one, other| one.0.total_cmp(&other.0));
        let least = width / (1.0 + middles.len() as f64).min(100.0);
        let part = |at: usize| {
            let (middle, is_prior) = middles[at];
            let to = |other: Option<&(f64, bool)>| other.map_or(0.0, |(other, _)| (other - middle).abs());
            let before = at.checked_sub(1).and_then(|before| middles.get(before));
            let spread = to(before).max(to(middles.get(at + 1)));
            (middle, if is_prior { width } else { spread.clamp(least, width.max(least)) })
        };
        Self { axis, parts: (0..middles.len()).map(part).collect() }
    }

    fn draw(&self, random: &mut Random) -> f64 {
        let (middle, spread) = self.parts[random.below(self.parts.len())];
        for _ in 0..DRAWS {
            let place = middle + spread * random.normal();
            if (self.axis.low..=self.axis.high).contains(&place) {
                return place;
            }
        }
        middle.clamp(self.axis.low, self.axis.high)
    }

    /// Up to a constant: the density, or for whole numbers the probability of the interval around the value.
    fn log_density(&self, place: f64) -> f64 {
        let of = |(middle, spread): &(f64, f64)| {
            let below = |place: f64| normal_below((place - middle) / spread);
            let inside = below(self.axis.high) - below(self.axis.low);
            let share = match self.axis.whole {
                Some(_) => {
                    let (low, high) = self.interval(place);
                    below(high) - below(low)
                }
                None => {
                    let away = (place - middle) / spread;
                    libm::exp(-0.5 * away * away) / spread
                }
            };
            share / inside
        };
        libm::log(self.parts.iter().map(of).sum::<f64>().max(f64::MIN_POSITIVE))
    }

    /// The interval that a whole number stands for.
    fn interval(&self, place: f64) -> (f64, f64) {
        if !self.axis.log {
            return (place - 0.5, place + 0.5);
        }
        let value = libm::exp(place).round();
        (libm::log(value - 0.5), libm::log(value + 0.5))
    }
}

/// The share of the standard normal distribution below a value.
fn normal_below(value: f64) -> f64 {
    0.5 * libm::erfc(-value / std::f64::consts::SQRT_2)
}
