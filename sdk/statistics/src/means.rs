//! Whether one mean is above another, and what remains of that when many are asked about.

use crate::special::student_above;

/// Values, summed.
#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub struct Moments {
    pub count: u64,
    pub sum: f64,
    pub squares: f64,
}

impl Moments {
    pub fn add(&mut self, value: f64) {
        (self.count, self.sum, self.squares) = (self.count + 1, self.sum + value, self.squares + value * value);
    }

    /// All values but those.
    pub fn without(self, those: Self) -> Self {
        Self { count: self.count - those.count, sum: self.sum - those.sum, squares: self.squares - those.squares }
    }

    /// NaN for no values.
    pub fn mean(self) -> f64 {
        self.sum / self.count as f64
    }

    /// The variance of the sample (`ddof=1`); NaN for fewer than two values. Sums of squares lose digits where the mean
    /// is far greater than the spread, so hand in values of one size.
    pub fn variance(self) -> f64 {
        if self.count < 2 {
            return f64::NAN;
        }
        ((self.squares - self.sum * self.mean()) / (self.count - 1) as f64).max(0.0)
    }
}

/// The one-sided test that the mean of `one` is not above that of `other`, whatever their variances: a small value says
/// that it is above. As `scipy.stats.ttest_ind(equal_var=False, alternative="greater")`. 1 for fewer than two values.
///
/// Source: B. Welch, "The generalization of Student's problem when several different population variances are
/// involved", Biometrika 34 (1947).
pub fn welch_above(one: Moments, other: Moments) -> f64 {
    let (v, w) = (one.variance() / one.count as f64, other.variance() / other.count as f64);
    let difference = one.mean() - other.mean();
    if v.is_nan() || w.is_nan() {
        return 1.0;
    }
    if v + w == 0.0 {
        return if difference > 0.0 { 0.0 } else { 1.0 };
    }
    let freedom = (v + w).powi(2) / (v * v / (one.count - 1) as f64 + w * w / (other.count - 1) as f64);
    student_above(difference / (v + w).sqrt(), freedom)
}

/// Of many p-values the ones adjusted for how many they are: where at most `q` are believed, at most this share of them
/// is expected to be chance. As `scipy.stats.false_discovery_control`.
///
/// Source: Y. Benjamini, Y. Hochberg, "Controlling the False Discovery Rate", Journal of the Royal Statistical Society
/// B 57 (1995).
pub fn benjamini_hochberg(p_values: &[f64]) -> Vec<f64> {
    let mut order: Vec<usize> = (0..p_values.len()).collect();
    order.sort_by(|&one, &other| p_values[one].total_cmp(&p_values[other]));
    let mut adjusted = vec![1.0; p_values.len()];
    let mut least: f64 = 1.0;
    for (rank, &index) in order.iter().enumerate().rev() {
        least = least.min(p_values[index] * p_values.len() as f64 / (rank + 1) as f64);
        adjusted[index] = least;
    }
    adjusted
}

#[cfg(test)]
mod tests {
    use super::*;

    fn moments(values: &[f64]) -> Moments {
        let mut moments = Moments::default();
        values.iter().for_each(|&value| moments.add(value));
        moments
    }

    /// Values of scipy 1.17.1.
    #[test]
    fn agrees_with_scipy() {
        let (one, other) = (moments(&[3.0, 5.0, 4.0, 6.5]), moments(&[2.0, 2.5, 1.0, 4.0, 3.0, 2.2]));
        assert!((welch_above(one, other) - WELCH).abs() < 1e-12, "{}", welch_above(one, other));
        assert!((welch_above(other, one) - (1.0 - WELCH)).abs() < 1e-12);
        let adjusted = benjamini_hochberg(&[0.01, 0.04, 0.03, 0.5, 0.005]);
        for (value, expected) in adjusted.iter().zip(ADJUSTED) {
            assert!((value - expected).abs() < 1e-15, "{adjusted:?}");
        }
    }

    const WELCH: f64 = 0.02640707340181116;
    const ADJUSTED: [f64; 5] = [0.025, 0.05, 0.05, 0.5, 0.025];

    #[test]
    fn where_nothing_varies() {
        assert_eq!(welch_above(moments(&[1.0; 3]), moments(&[0.0; 3])), 0.0);
        assert_eq!(welch_above(moments(&[0.0; 3]), moments(&[0.0; 3])), 1.0);
        assert_eq!(welch_above(moments(&[9.0]), moments(&[0.0; 3])), 1.0);
        assert!(benjamini_hochberg(&[]).is_empty());
        assert_eq!(moments(&[1.0, 2.0, 6.0]).without(moments(&[6.0])).mean(), 1.5);
    }
}
