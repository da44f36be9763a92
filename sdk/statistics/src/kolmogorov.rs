//! Probabilities of the two-sample Kolmogorov-Smirnov statistic, two-sided. The door is [`two_sample`].

mod exact;
mod one_sample;

/// A p-value and how it was had.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Probability {
    pub value: f64,
    /// From the exact distribution; otherwise from that of one sample of the effective size.
    pub exact: bool,
}

/// Both samples up to this size: the exact distribution. The limit of scipy's `method="auto"`.
const EXACT_UP_TO: u64 = 10_000;

/// P(D ≥ d) for samples of `n` and `m` values, where `distance` is d · n · m, a whole number.
///
/// As `scipy.stats.ks_2samp(method="auto")`: exact up to 10,000 values in each sample, above that the distribution of
/// the one-sample statistic for nm/(n + m) values.
pub fn two_sample(n: u64, m: u64, distance: u64) -> Probability {
    if distance == 0 || n == 0 || m == 0 {
        return Probability { value: 1.0, exact: true };
    }
    if n.max(m) <= EXACT_UP_TO {
        return Probability { value: exact::two_sample(n, m, distance).clamp(0.0, 1.0), exact: true };
    }
    let (n, m) = (n as f64, m as f64);
    let value = one_sample::above((n * m / (n + m)).round_ties_even(), distance as f64 / (n * m));
    Probability { value: value.clamp(0.0, 1.0), exact: false }
}

/// P(D ≥ d) in the limit of large samples: Kolmogorov's series at z = d √(nm/(n + m)). Cheap, and good enough to tell
/// chance from change.
///
/// Source: A. Kolmogorov, "Sulla determinazione empirica di una legge di distribuzione" (1933).
pub fn in_the_limit(n: u64, m: u64, distance: f64) -> f64 {
    let (n, m) = (n as f64, m as f64);
    let square = distance * distance * n * m / (n + m);
    if square < 0.04 {
        return 1.0;
    }
    let term = |k: u32| (-2.0 * f64::from(k * k) * square).exp();
    let sum: f64 = (1..=20).map(|k| if k % 2 == 1 { term(k) } else { -term(k) }).sum();
    (2.0 * sum).clamp(0.0, 1.0)
}

#[cfg(test)]
mod tests;
