//! Numbers about one column, summed in the order of the rows, so that the same rows give the same bits.

/// The mean and the population's standard deviation.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Moments {
    pub mean: f64,
    /// 1 for a column that is constant up to rounding.
    pub scale: f64,
}

/// Mean and scale of `values` (not empty, all finite) as scikit-learn's `StandardScaler` has them: the variance is that
/// of the population (divisor n), and a column whose variance is within the error bound of its computation counts as
/// constant and has scale 1. `None` where the sums leave the range of `f64`.
///
/// Corrected two-pass algorithm with that bound: Chan, Golub, LeVeque, "Algorithms for Computing the Sample Variance",
/// The American Statistician 37(3), 1983.
pub fn moments(values: &[f64]) -> Option<Moments> {
    let n = values.len() as f64;
    let first = values[0];
    if values.iter().all(|&value| value == first) {
        return Some(Moments { mean: first, scale: 1.0 });
    }
    let guess = values.iter().sum::<f64>() / n;
    let (mut sum, mut squares) = (0.0, 0.0);
    for value in values {
        let distance = value - guess;
        sum += distance;
        squares += distance * distance;
    }
    let mean = guess + sum / n;
    let variance = (squares - sum * sum / n) / n;
    if !mean.is_finite() || !variance.is_finite() {
        return None;
    }
    let bound = n * f64::EPSILON * variance + (n * mean * f64::EPSILON).powi(2);
    Some(Moments { mean, scale: if variance <= bound { 1.0 } else { variance.sqrt() } })
}

/// The mean of `values` (not empty).
pub fn mean(values: &[f64]) -> f64 {
    let n = values.len() as f64;
    let guess = values.iter().sum::<f64>() / n;
    guess + values.iter().map(|value| value - guess).sum::<f64>() / n
}

/// The middle of `values` (not empty, no NaN); the mean of the two in the middle where their number is even.
pub fn median(values: &[f64]) -> f64 {
    let mut values = values.to_vec();
    let (middle, is_odd) = (values.len() / 2, values.len() % 2 == 1);
    let (below, &mut upper, _) = values.select_nth_unstable_by(middle, f64::total_cmp);
    if is_odd {
        return upper;
    }
    // Halves first: the sum of two large numbers need not be finite.
    let lower = below.iter().copied().max_by(f64::total_cmp).unwrap_or(upper);
    0.5 * lower + 0.5 * upper
}

/// The value below which `share` (0 to 1) of `sorted` (not empty, ascending) lies; between two values, a straight line:
/// `numpy.quantile` with its default method.
pub fn quantile(sorted: &[f64], share: f64) -> f64 {
    let place = share * (sorted.len() - 1) as f64;
    let below = place.floor() as usize;
    let above = (below + 1).min(sorted.len() - 1);
    let part = place - below as f64;
    // As numpy: from the nearer end, so that both ends are met exactly.
    let distance = sorted[above] - sorted[below];
    if part >= 0.5 { sorted[above] - distance * (1.0 - part) } else { sorted[below] + distance * part }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `numpy.mean`, `numpy.std`, `numpy.median`.
    #[test]
    fn agrees_with_numpy() {
        let values = [2.0, 4.0, 4.0, 4.0, 5.0, 5.0, 7.0, 9.0];
        assert_eq!(moments(&values), Some(Moments { mean: 5.0, scale: 2.0 }));
        assert_eq!(median(&values), 4.5);
        assert_eq!(median(&[3.0, 1.0, 2.0]), 2.0);
        assert_eq!(median(&[f64::MAX, f64::MAX]), f64::MAX);
    }

    #[test]
    fn a_large_offset_does_not_drown_the_spread() {
        let values: Vec<f64> = (0..1000).map(|row| 1e9 + f64::from(row % 2)).collect();
        assert_eq!(moments(&values), Some(Moments { mean: 1e9 + 0.5, scale: 0.5 }));
    }

    #[test]
    fn constant_columns_have_scale_one() {
        assert_eq!(moments(&[0.1; 7]), Some(Moments { mean: 0.1, scale: 1.0 }));
        let rounding = [1e9, 1e9 + f64::EPSILON * 1e9, 1e9];
        assert_eq!(moments(&rounding).unwrap().scale, 1.0);
    }

    #[test]
    fn sums_beyond_the_range_are_refused() {
        assert_eq!(moments(&[1e200, -1e200]), None);
    }
}
