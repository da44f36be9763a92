//! Two rows of counts, one of each sample: how often each of the same categories (or bins) came.

use crate::special::{chi_squared_above, normal_beyond};

/// Counts of the reference and of the window, category by category.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Counts {
    pub reference: Vec<u64>,
    pub window: Vec<u64>,
}

/// A test's outcome.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Test {
    pub p_value: f64,
    /// How large the difference is, whatever the sample size: Cramér's V, or the difference of the two proportions.
    pub effect: f64,
}

impl Counts {
    /// Rows of the reference and of the window.
    pub fn totals(&self) -> (u64, u64) {
        (self.reference.iter().sum(), self.window.iter().sum())
    }

    fn shares(&self) -> (Vec<f64>, Vec<f64>) {
        let (reference, window) = self.totals();
        let shares = |counts: &[u64], total: u64| counts.iter().map(|count| *count as f64 / total as f64).collect();
        (shares(&self.reference, reference), shares(&self.window, window))
    }

    /// The population stability index Σ (p − q) ln(p / q). An empty category gets the share 0.0001, or a millionth of
    /// the smallest other share where that is not more than 0.0001, as in Evidently.
    ///
    /// Source: S. Kullback, R. Leibler, "On Information and Sufficiency" (1951), the symmetric divergence J.
    pub fn psi(&self) -> f64 {
        let (mut reference, mut window) = self.shares();
        fill(&mut reference);
        fill(&mut window);
        reference.iter().zip(&window).map(|(p, q)| (p - q) * (p / q).ln()).sum()
    }

    /// The Jensen-Shannon distance with logarithms of base 2, from 0 to 1, as
    /// `scipy.spatial.distance.jensenshannon(p, q, base=2)`.
    pub fn jensenshannon(&self) -> f64 {
        let (reference, window) = self.shares();
        let term = |share: f64, middle: f64| if share > 0.0 { share * (share / middle).ln() } else { 0.0 };
        let sum: f64 = reference
            .iter()
            .zip(&window)
            .map(|(&p, &q)| {
                let middle = f64::midpoint(p, q);
                term(p, middle) + term(q, middle)
            })
            .sum();
        (sum / std::f64::consts::LN_2 / 2.0).max(0.0).sqrt()
    }

    /// Pearson's test that both samples come from one distribution, on the 2 × k table of counts, without a continuity
    /// correction, as `scipy.stats.chi2_contingency(table, correction=False)`. Categories that neither sample has do
    /// not count; p is 1 where there is one category. The effect is Cramér's V.
    pub fn chisquare(&self) -> Test {
        let (reference, window) = self.totals();
        let all = (reference + window) as f64;
        let mut statistic = 0.0;
        let mut categories = 0_u32;
        for (&one, &other) in self.reference.iter().zip(&self.window).filter(|(one, other)| **one + **other > 0) {
            categories += 1;
            let share = (one + other) as f64 / all;
            for (observed, total) in [(one, reference), (other, window)] {
                let expected = share * total as f64;
                statistic += (observed as f64 - expected).powi(2) / expected;
            }
        }
        if categories < 2 || reference == 0 || window == 0 {
            return Test { p_value: 1.0, effect: 0.0 };
        }
        let p_value = chi_squared_above(statistic, f64::from(categories - 1));
        Test { p_value, effect: (statistic / all).sqrt() }
    }

    /// The test that two proportions are equal, with their pooled variance, for at most two categories; `None` for
    /// more. p is 1 where there is one category. The effect is the difference of the second category's shares.
    pub fn z(&self) -> Option<Test> {
        let proportion = |counts: &[u64]| match counts {
            [] | [_] => Some(0),
            &[_, second] => Some(second),
            _ => None,
        };
        let (one, other) = (proportion(&self.reference)?, proportion(&self.window)?);
        let (n, m) = self.totals();
        Some(proportions(one, n, other, m))
    }
}

/// The two-sided test that `hits` of `rows` are equal proportions, with the pooled variance. p is 1 where both are 0 or
/// both are 1. The effect is the window's proportion less the reference's.
pub fn proportions(reference_hits: u64, reference_rows: u64, window_hits: u64, window_rows: u64) -> Test {
    let (n, m) = (reference_rows as f64, window_rows as f64);
    let (p, q) = (reference_hits as f64 / n, window_hits as f64 / m);
    let pooled = (reference_hits + window_hits) as f64 / (n + m);
    let variance = pooled * (1.0 - pooled) * (1.0 / n + 1.0 / m);
    let p_value = if variance > 0.0 { normal_beyond((p - q) / variance.sqrt()) } else { 1.0 };
    Test { p_value, effect: q - p }
}

/// Gives empty categories a small share.
fn fill(shares: &mut [f64]) {
    let least = shares.iter().copied().filter(|share| *share > 0.0).fold(f64::INFINITY, f64::min);
    let small = if least <= 1e-4 { least / 1e6 } else { 1e-4 };
    shares.iter_mut().filter(|share| **share == 0.0).for_each(|share| *share = small);
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    proptest! {
        #[test]
        fn equal_shares_are_no_difference(counts in prop::collection::vec(1_u64..1000, 1..12), times in 1_u64..5) {
            let window = counts.iter().map(|count| count * times).collect();
            let counts = Counts { reference: counts, window };
            prop_assert!(counts.psi().abs() < 1e-12 && counts.jensenshannon() < 1e-7);
            prop_assert!((counts.chisquare().p_value - 1.0).abs() < 1e-6 && counts.chisquare().effect < 1e-7);
        }

        #[test]
        fn bounds_and_symmetry(
            reference in prop::collection::vec(0_u64..50, 4),
            window in prop::collection::vec(0_u64..50, 4),
        ) {
            prop_assume!(reference.iter().sum::<u64>() > 0 && window.iter().sum::<u64>() > 0);
            let counts = Counts { reference: reference.clone(), window: window.clone() };
            let turned = Counts { reference: window, window: reference };
            prop_assert!((0.0..=1.0 + 1e-12).contains(&counts.jensenshannon()));
            prop_assert!((counts.jensenshannon() - turned.jensenshannon()).abs() < 1e-12);
            prop_assert!(counts.psi() >= 0.0 && (counts.psi() - turned.psi()).abs() < 1e-9);
            prop_assert!((0.0..=1.0).contains(&counts.chisquare().p_value));
        }

        /// For two categories the two tests are one.
        #[test]
        fn z_is_the_root_of_chisquare(a in 0_u64..90, b in 1_u64..90, c in 1_u64..90, d in 0_u64..90) {
            let counts = Counts { reference: vec![a, b], window: vec![c, d] };
            let (z, chisquare) = (counts.z().unwrap(), counts.chisquare());
            prop_assert!((z.p_value - chisquare.p_value).abs() < 1e-9);
        }
    }

    #[test]
    fn what_has_one_category_or_more_than_two() {
        let one = Counts { reference: vec![5], window: vec![9] };
        assert_eq!((one.z().unwrap().p_value, one.chisquare().p_value, one.jensenshannon()), (1.0, 1.0, 0.0));
        let apart = Counts { reference: vec![5, 0], window: vec![0, 9] };
        assert_eq!(apart.jensenshannon(), 1.0);
        assert!(Counts { reference: vec![1, 2, 3], window: vec![1, 2, 3] }.z().is_none());
    }
}
