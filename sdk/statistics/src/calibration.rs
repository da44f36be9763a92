//! Isotonic calibration: from a model's probabilities to those that its outcomes had.

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
