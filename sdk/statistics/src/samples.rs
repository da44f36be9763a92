//! Two samples of numbers: sort each once, then everything else is one walk over both.

/// Finite numbers in ascending order; −0 is 0.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Sorted(Vec<f64>);

impl Sorted {
    /// Sorts numbers that are neither NaN nor infinite.
    pub fn new(mut values: Vec<f64>) -> Self {
        sort(&mut values);
        Self(values)
    }

    pub fn as_slice(&self) -> &[f64] {
        &self.0
    }

    pub fn len(&self) -> usize {
        self.0.len()
    }

    pub fn is_empty(&self) -> bool {
        self.0.is_empty()
    }

    pub fn mean(&self) -> f64 {
        sum(&self.0, |value| value) / self.len() as f64
    }

    /// The standard deviation of the population, as numpy's default (`ddof=0`); in two passes. 0 for equal values.
    pub fn deviation(&self) -> f64 {
        let (Some(&first), Some(&last)) = (self.0.first(), self.0.last()) else { return 0.0 };
        if first == last {
            return 0.0;
        }
        let mean = self.mean();
        (sum(&self.0, |value| (value - mean) * (value - mean)) / self.len() as f64).sqrt()
    }

    /// The bounds between bins of about equally many values: the values at k · n / `bins`, each once. A bin holds what
    /// is at least its lower bound and less than its upper one; the first and the last one are open, so that every
    /// number has its bin.
    pub fn bounds(&self, bins: usize) -> Vec<f64> {
        let mut bounds: Vec<f64> = (1..bins).filter_map(|k| self.0.get(k * self.len() / bins).copied()).collect();
        bounds.dedup();
        bounds
    }

    /// How many values each bin holds: one more than there are bounds.
    pub fn count(&self, bounds: &[f64]) -> Vec<u64> {
        let below = |bound: &f64| self.0.partition_point(|value| value < bound);
        let ends: Vec<usize> = bounds.iter().map(below).chain([self.len()]).collect();
        let starts = std::iter::once(0).chain(ends.iter().copied());
        starts.zip(&ends).map(|(start, end)| (end - start) as u64).collect()
    }
}

/// The different values of both samples with how often each has them; `None` for more than `most` values.
pub fn distinct(reference: &Sorted, window: &Sorted, most: usize) -> Option<Vec<(f64, u64, u64)>> {
    let (mut left, mut right) = (reference.as_slice(), window.as_slice());
    let mut found = Vec::new();
    while !left.is_empty() || !right.is_empty() {
        let value = match (left.first(), right.first()) {
            (Some(&one), Some(&other)) => one.min(other),
            (one, other) => *one.or(other)?,
        };
        if found.len() == most {
            return None;
        }
        let (in_left, in_right) =
            (left.partition_point(|other| *other <= value), right.partition_point(|other| *other <= value));
        (left, right) = (&left[in_left..], &right[in_right..]);
        found.push((value, in_left as u64, in_right as u64));
    }
    Some(found)
}

/// How far apart the distribution functions of two samples are.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Distance {
    /// The Kolmogorov-Smirnov statistic D times the product of the sample sizes: a whole number.
    pub ks: u64,
    /// The largest difference D.
    pub ks_statistic: f64,
    /// The area between them, which is the first Wasserstein distance of the samples, as
    /// `scipy.stats.wasserstein_distance`.
    pub wasserstein: f64,
}

/// Both distances in one walk over two samples that are not empty.
pub fn distance(reference: &Sorted, window: &Sorted) -> Distance {
    let (left, right) = (reference.as_slice(), window.as_slice());
    let mut walk = Walk { before: left[0].min(right[0]), difference: 0, most: 0, area: 0.0 };
    let (n, m) = (left.len() as i64, right.len() as i64);
    let (mut i, mut j) = (0, 0);
    // Without a branch on which sample comes next, which no processor can foresee.
    while i < left.len() && j < right.len() {
        let from_left = left[i] <= right[j];
        walk.step(if from_left { left[i] } else { right[j] }, if from_left { m } else { -n });
        i += usize::from(from_left);
        j += usize::from(!from_left);
    }
    left[i..].iter().for_each(|&value| walk.step(value, m));
    right[j..].iter().for_each(|&value| walk.step(value, -n));
    let product = n as f64 * m as f64;
    Distance { ks: walk.most, ks_statistic: walk.most as f64 / product, wasserstein: walk.area / product }
}

/// Where the walk over both samples is.
struct Walk {
    /// The last value.
    before: f64,
    /// n · m times the difference of the distribution functions there.
    difference: i64,
    /// The largest one so far, and the area under them.
    most: u64,
    area: f64,
}

impl Walk {
    fn step(&mut self, value: f64, change: i64) {
        let here = self.difference.unsigned_abs();
        // Between equal values the distribution functions are not yet what they will be.
        self.most = self.most.max(if value > self.before { here } else { 0 });
        self.area += here as f64 * (value - self.before);
        self.before = value;
        self.difference += change;
    }
}

/// Bits of one digit of the radix sort: 2048 buckets, whose counters fit the first-level cache.
const DIGIT: u32 = 11;
const BUCKETS: usize = 1 << DIGIT;

/// How many digits are sorted by, from the top: sign, exponent and 21 bits of the fraction, after which few values are
/// still equal.
const DIGITS: usize = 3;
const SHIFT: u32 = u64::BITS - DIGIT * DIGITS as u32;

/// Below this many values the counters cost more than comparing.
const SMALL: usize = 4096;

fn sort(values: &mut [f64]) {
    let mut keys: Vec<u64> = values.iter().map(|value| key(*value)).collect();
    if keys.len() < SMALL {
        keys.sort_unstable();
    } else {
        radix_sort(&mut keys);
    }
    values.iter_mut().zip(keys).for_each(|(place, key)| *place = value(key));
}

/// A number whose order as an unsigned integer is that of the value. Adding 0 makes −0 a 0.
fn key(value: f64) -> u64 {
    let bits = (value + 0.0).to_bits();
    bits ^ (((bits as i64) >> 63) as u64 | 1 << 63)
}

fn value(key: u64) -> f64 {
    f64::from_bits(key ^ ((!key as i64 >> 63) as u64 | 1 << 63))
}

/// By the upper digits, the least significant of them first, where a digit that all keys share is passed over; then
/// what is equal in them by comparing.
fn radix_sort(keys: &mut Vec<u64>) {
    let mut counts = vec![[0_u32; BUCKETS]; DIGITS];
    for &key in keys.iter() {
        for (digit, counts) in counts.iter_mut().enumerate() {
            counts[bucket(key, digit)] += 1;
        }
    }
    let mut other = vec![0; keys.len()];
    for (digit, counts) in counts.iter_mut().enumerate() {
        if counts[bucket(keys[0], digit)] as usize == keys.len() {
            continue;
        }
        let mut start = 0;
        for count in counts.iter_mut() {
            start += std::mem::replace(count, start);
        }
        for &key in keys.iter() {
            let place = &mut counts[bucket(key, digit)];
            other[*place as usize] = key;
            *place += 1;
        }
        std::mem::swap(keys, &mut other);
    }
    for equal in keys.chunk_by_mut(|one, other| one >> SHIFT == other >> SHIFT) {
        if equal.len() > 1 {
            equal.sort_unstable();
        }
    }
}

fn bucket(key: u64, digit: usize) -> usize {
    (key >> (SHIFT + DIGIT * digit as u32)) as usize & (BUCKETS - 1)
}

/// A sum in eight lanes, which is both faster and more exact than one after the other.
fn sum(values: &[f64], of: impl Fn(f64) -> f64) -> f64 {
    let (chunks, rest) = values.as_chunks::<8>();
    let mut lanes = [0.0; 8];
    for chunk in chunks {
        lanes.iter_mut().zip(chunk).for_each(|(lane, value)| *lane += of(*value));
    }
    lanes.iter().sum::<f64>() + rest.iter().map(|value| of(*value)).sum::<f64>()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    fn sample(most: usize) -> impl Strategy<Value = Vec<f64>> {
        let ties = (-3_i32..3).prop_map(|value| f64::from(value) / 2.0);
        let any = prop::num::f64::NORMAL | prop::num::f64::ZERO | prop::num::f64::SUBNORMAL;
        prop::collection::vec(prop_oneof![ties, any, -1.0..1.0], 1..most)
    }

    proptest! {
        #[test]
        fn sorts_as_the_standard_library_does(values in sample(200), copies in 1_usize..60) {
            let values = values.repeat(copies);
            let mut expected: Vec<f64> = values.iter().map(|value| value + 0.0).collect();
            expected.sort_by(f64::total_cmp);
            prop_assert_eq!(Sorted::new(values).0, expected);
        }

        /// Both distances by their definition, for a grid of values.
        #[test]
        fn distances_are_those_of_the_distribution_functions(
            left in prop::collection::vec(-20_i32..20, 1..50),
            right in prop::collection::vec(-20_i32..20, 1..50),
        ) {
            let share = |sample: &[i32], value: i32| {
                sample.iter().filter(|other| **other <= value).count() as f64 / sample.len() as f64
            };
            let gaps: Vec<f64> = (-20..20).map(|value| (share(&left, value) - share(&right, value)).abs()).collect();
            let sorted = |sample: &[i32]| Sorted::new(sample.iter().map(|value| f64::from(*value)).collect());
            let found = distance(&sorted(&left), &sorted(&right));
            prop_assert!((found.ks_statistic - gaps.iter().copied().fold(0.0, f64::max)).abs() < 1e-12);
            prop_assert!((found.wasserstein - gaps.iter().sum::<f64>()).abs() < 1e-9);
            prop_assert_eq!(found, distance(&sorted(&right), &sorted(&left)));
        }

        #[test]
        fn every_value_has_one_bin(left in sample(100), right in sample(100), bins in 1_usize..20) {
            let (left, right) = (Sorted::new(left), Sorted::new(right));
            let bounds = left.bounds(bins);
            for sorted in [&left, &right] {
                let counts = sorted.count(&bounds);
                prop_assert_eq!(counts.len(), bounds.len() + 1);
                prop_assert_eq!(counts.iter().sum::<u64>(), sorted.len() as u64);
            }
        }
    }

    #[test]
    fn distinct_values_are_counted_up_to_a_limit() {
        let (left, right) = (Sorted::new(vec![1.0, 0.0, 1.0]), Sorted::new(vec![2.0, -0.0]));
        assert_eq!(distinct(&left, &right, 3), Some(vec![(0.0, 1, 1), (1.0, 2, 0), (2.0, 0, 1)]));
        assert_eq!(distinct(&left, &right, 2), None);
        assert_eq!(distinct(&Sorted::default(), &Sorted::default(), 0), Some(Vec::new()));
    }

    #[test]
    fn equal_values_have_no_deviation() {
        assert_eq!(Sorted::new(vec![0.1; 1000]).deviation(), 0.0);
        assert_eq!(Sorted::new(vec![1.0, 3.0]).deviation(), 1.0);
    }
}
