//! Values in bins: how often each comes, and how right probabilities are.

/// Rows whose probabilities lie in one bin.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bin {
    pub rows: f64,
    pub mean_probability: f64,
    /// The part of the rows that is of the class.
    pub share: f64,
}

impl Bin {
    /// Where the true share lies, with 95 % confidence. Source: E. Wilson, Journal of the American Statistical
    /// Association 22 (1927).
    pub fn interval(&self) -> (f64, f64) {
        const Z: f64 = 1.959_963_984_540_054;
        let (n, p) = (self.rows, self.share);
        let middle = (p + Z * Z / (2.0 * n)) / (1.0 + Z * Z / n);
        let half = Z / (1.0 + Z * Z / n) * (p * (1.0 - p) / n + Z * Z / (4.0 * n * n)).sqrt();
        ((middle - half).max(0.0), (middle + half).min(1.0))
    }
}

/// Bins of equal width from 0 to 1 that have rows. A bin holds its lower bound, and the last one also 1; otherwise as
/// scikit-learn's `calibration_curve`, whose bins hold their upper bounds.
pub fn reliability(probabilities: &[f64], positive: &[bool], bins: usize) -> Vec<Bin> {
    let mut sums = vec![(0.0, 0.0, 0.0); bins];
    for (&probability, &positive) in probabilities.iter().zip(positive) {
        let (rows, sum, hits) = &mut sums[place(probability, bins)];
        *rows += 1.0;
        *sum += probability;
        *hits += f64::from(u8::from(positive));
    }
    let filled = sums.into_iter().filter(|(rows, ..)| *rows > 0.0);
    filled.map(|(rows, sum, hits)| Bin { rows, mean_probability: sum / rows, share: hits / rows }).collect()
}

/// The expected calibration error: the mean distance between what was said and what was so, weighted by rows. Source:
/// M. Pakdaman Naeini and others, AAAI 2015.
pub fn calibration_error(bins: &[Bin]) -> f64 {
    let rows: f64 = bins.iter().map(|bin| bin.rows).sum();
    bins.iter().map(|bin| bin.rows / rows * (bin.mean_probability - bin.share).abs()).sum()
}

/// For each of the bins of equal width between two bounds, the part of the values that lies in it.
pub fn shares(values: impl Iterator<Item = f64>, (low, high): (f64, f64), bins: usize) -> Vec<f64> {
    let mut counts = vec![0.0; bins];
    let mut total = 0.0;
    for value in values {
        counts[place((value - low) / (high - low), bins)] += 1.0;
        total += 1.0;
    }
    counts.into_iter().map(|count| if total > 0.0 { count / total } else { 0.0 }).collect()
}

/// The bin of a value from 0 to 1.
pub fn place(value: f64, bins: usize) -> usize {
    ((value * bins as f64) as usize).min(bins - 1)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn by_hand() {
        let bins = reliability(&[0.0, 0.1, 0.5, 1.0], &[false, true, true, true], 2);
        assert_eq!(bins[0], Bin { rows: 2.0, mean_probability: 0.05, share: 0.5 });
        assert_eq!(bins[1], Bin { rows: 2.0, mean_probability: 0.75, share: 1.0 });
        assert!((calibration_error(&bins) - 0.35).abs() < 1e-12);
        let (low, high) = Bin { rows: 10.0, mean_probability: 0.0, share: 0.2 }.interval();
        // statsmodels.stats.proportion.proportion_confint(2, 10, method="wilson")
        assert!((low - 0.056_682_151).abs() < 1e-8 && (high - 0.509_837_5).abs() < 1e-6, "{low} {high}");
        assert_eq!(shares([0.0, 1.0, 2.0, 4.0].into_iter(), (0.0, 4.0), 2), [0.5, 0.5]);
    }
}
