//! Calibration: how a model's probabilities agree with what happened, and from the ones to the others.

use crate::quantile;

/// A rising step-and-slope function, learned from pairs.
#[derive(Clone, PartialEq, Debug)]
pub struct Isotonic {
    /// Ascending, each once.
    inputs: Vec<f64>,
    outputs: Vec<f64>,
}

impl Isotonic {
    /// The non-decreasing function with the least squared error, by pooling adjacent violators; equal inputs count as
    /// one with their mean. As `sklearn.isotonic.IsotonicRegression(out_of_bounds="clip")`. `None` for no pairs.
    ///
    /// Source: M. Ayer and others, "An empirical distribution function for sampling with incomplete information",
    /// Annals of Mathematical Statistics 26 (1955).
    pub fn fit(mut pairs: Vec<(f64, f64)>) -> Option<Self> {
        if pairs.is_empty() {
            return None;
        }
        pairs.sort_by(|(one, _), (other, _)| one.total_cmp(other));
        // Of each block: sum, weight, and how many different inputs it holds.
        let mut inputs: Vec<f64> = Vec::new();
        let mut blocks: Vec<(f64, f64, usize)> = Vec::new();
        for tied in pairs.chunk_by(|(one, _), (other, _)| one == other) {
            inputs.push(tied[0].0);
            let mut block = (tied.iter().map(|(_, output)| output).sum::<f64>(), tied.len() as f64, 1);
            while let Some(&(sum, weight, count)) = blocks.last()
                && sum / weight >= block.0 / block.1
            {
                block = (block.0 + sum, block.1 + weight, block.2 + count);
                blocks.pop();
            }
            blocks.push(block);
        }
        let outputs =
            blocks.iter().flat_map(|(sum, weight, count)| std::iter::repeat_n(sum / weight, *count)).collect();
        Some(Self { inputs, outputs })
    }

    /// Between two inputs along the line between their outputs; beyond the last ones as there.
    pub fn apply(&self, input: f64) -> f64 {
        let above = self.inputs.partition_point(|known| *known < input);
        if above == 0 {
            return self.outputs[0];
        }
        let below = above - 1;
        match (self.inputs.get(above), self.outputs.get(above)) {
            (Some(&right), Some(&high)) => {
                let (left, low) = (self.inputs[below], self.outputs[below]);
                low + (high - low) * ((input - left) / (right - left))
            }
            _ => self.outputs[below],
        }
    }
}

/// One bin of a reliability table.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Bin {
    /// Probabilities above this; the first bin holds its lower bound too.
    pub low: f64,
    /// Probabilities up to this.
    pub high: f64,
    pub rows: u64,
    /// The mean of the probabilities; NaN for no rows.
    pub mean: f64,
    /// The share of hits; NaN for no rows.
    pub observed: f64,
}

/// How probabilities from 0 to 1 are divided into bins.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Binning {
    /// Of equal width.
    Uniform,
    /// Of about equally many rows, by quantiles of the probabilities; equal bounds make one.
    Quantile,
}

/// The reliability table: `bins` bins, empty ones included, as `sklearn.calibration.calibration_curve` divides them.
pub fn reliability(probabilities: &[f64], hits: &[bool], bins: usize, binning: Binning) -> Vec<Bin> {
    let bounds = bounds(probabilities, bins.max(1), binning);
    let mut sums = vec![(0_u64, 0.0, 0_u64); bounds.len() - 1];
    for (&probability, &hit) in probabilities.iter().zip(hits) {
        let bin = bounds[1..bounds.len() - 1].partition_point(|bound| *bound < probability);
        let (rows, sum, hits) = &mut sums[bin];
        (*rows, *sum, *hits) = (*rows + 1, *sum + probability, *hits + u64::from(hit));
    }
    let bin = |(bounds, &(rows, sum, hits)): (&[f64], &(u64, f64, u64))| Bin {
        low: bounds[0],
        high: bounds[1],
        rows,
        mean: sum / rows as f64,
        observed: hits as f64 / rows as f64,
    };
    bounds.windows(2).zip(&sums).map(bin).collect()
}

fn bounds(probabilities: &[f64], bins: usize, binning: Binning) -> Vec<f64> {
    let width = 1.0 / bins as f64;
    let shares = (0..=bins).map(|bound| if bound == bins { 1.0 } else { bound as f64 * width });
    match binning {
        Binning::Uniform => shares.collect(),
        Binning::Quantile => {
            let mut sorted = probabilities.to_vec();
            sorted.sort_by(f64::total_cmp);
            let mut bounds: Vec<f64> = shares.filter_map(|share| quantile::linear(&sorted, share)).collect();
            bounds.dedup();
            if bounds.len() < 2 { vec![0.0, 1.0] } else { bounds }
        }
    }
}

/// The expected calibration error Σ n_b / n · |observed_b − mean_b|.
///
/// Source: M. Naeini, G. Cooper, M. Hauskrecht, "Obtaining Well Calibrated Probabilities Using Bayesian Binning" (2015);
/// for the probability of the predicted class C. Guo and others, "On Calibration of Modern Neural Networks" (2017).
pub fn ece(bins: &[Bin]) -> f64 {
    let rows: u64 = bins.iter().map(|bin| bin.rows).sum();
    let filled = bins.iter().filter(|bin| bin.rows > 0);
    filled.map(|bin| bin.rows as f64 / rows as f64 * (bin.observed - bin.mean).abs()).sum()
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn pools_what_falls() {
        let fitted = Isotonic::fit(vec![(0.3, 0.0), (0.1, 0.0), (0.2, 1.0), (0.9, 1.0), (0.9, 0.0)]).unwrap();
        assert_eq!(fitted.outputs, [0.0, 0.5, 0.5, 0.5]);
        assert_eq!([0.0, 0.1, 0.2, 0.5, 1.0].map(|input| fitted.apply(input)), [0.0, 0.0, 0.5, 0.5, 0.5]);
        assert!((fitted.apply(0.15) - 0.25).abs() < 1e-12);
        assert!(Isotonic::fit(Vec::new()).is_none());
    }

    #[test]
    fn a_bound_belongs_to_the_bin_below() {
        let bins = reliability(&[0.0, 0.5, 0.75, 1.0], &[false, true, true, false], 2, Binning::Uniform);
        assert_eq!((bins[0].rows, bins[0].mean, bins[0].observed), (2, 0.25, 0.5));
        assert_eq!((bins[1].rows, bins[1].mean, bins[1].observed), (2, 0.875, 0.5));
        assert!((ece(&bins) - (0.5 * 0.25 + 0.5 * 0.375)).abs() < 1e-15);
        let one = reliability(&[0.3; 5], &[true; 5], 4, Binning::Quantile);
        assert_eq!((one.len(), one[0].rows), (1, 5));
        assert_eq!(ece(&reliability(&[], &[], 3, Binning::Uniform)), 0.0);
    }

    proptest! {
        #[test]
        fn never_falls_and_keeps_the_mean(pairs in prop::collection::vec((0.0..1.0, 0_u8..2), 1..60)) {
            let pairs: Vec<(f64, f64)> = pairs.into_iter().map(|(input, hit)| (input, f64::from(hit))).collect();
            let fitted = Isotonic::fit(pairs.clone()).unwrap();
            prop_assert!(fitted.outputs.is_sorted());
            let mean = |values: &mut dyn Iterator<Item = f64>| values.sum::<f64>() / pairs.len() as f64;
            let fitted_mean = mean(&mut pairs.iter().map(|(input, _)| fitted.apply(*input)));
            prop_assert!((fitted_mean - mean(&mut pairs.iter().map(|(_, hit)| *hit))).abs() < 1e-9);
        }
    }
}
