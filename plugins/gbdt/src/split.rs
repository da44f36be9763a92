//! The best split of a leaf, from its histograms. The door is [`Search::best`].
//!
//! A split gains `T(Gl)²/(Hl + λ) + T(Gr)²/(Hr + λ) - T(G)²/(H + λ)`, where G and H are the sums of first and second
//! derivatives and T takes `reg_alpha` off a number's size (Chen, Guestrin, "XGBoost", KDD 2016, equation 7, without the
//! factor ½). Of equal gains the first feature's and lowest bin's counts.

use crate::bins::Feature;
use crate::kernels::{MISSING, Pair, Slots};
use crate::tree::{CodeSet, insert};

mod sets;

/// What a split must keep to.
#[derive(Clone, Debug)]
pub struct Limits {
    pub min_rows: f64,
    pub min_hessian: f64,
    pub alpha: f64,
    pub lambda: f64,
    pub min_gain: f64,
    pub cat_smooth: f64,
    pub cat_lambda: f64,
    pub most_one_hot: usize,
    pub most_categories: usize,
    pub min_group_rows: f64,
}

/// Which codes go to the left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Test {
    AtMost { code: u8, missing_left: bool },
    In { set: CodeSet },
}

/// A split of a leaf.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Split {
    pub feature: usize,
    pub test: Test,
    pub gain: f64,
    pub left: Pair,
    pub right: Pair,
    /// The L2 penalty on the values of the leaves that it makes.
    pub lambda: f64,
}

/// A leaf that is to be split.
pub struct Search<'a> {
    limits: &'a Limits,
    total: Pair,
    /// Rows for each unit of the second derivative: as in LightGBM, rows are not counted but estimated.
    rows_per_hessian: f64,
    /// The second derivatives that a child must have.
    min_hessian: f64,
}

/// Keeps denominators above 0 where there is no penalty.
const TINY: f64 = 1e-15;

/// Gains below this part of what the leaf's own score is are rounding.
const ROUNDING: f64 = 1e-10;

/// Takes `alpha` off the size of a sum of first derivatives.
pub fn shrunk(gradient: f64, alpha: f64) -> f64 {
    if alpha == 0.0 { gradient } else { gradient.signum() * (gradient.abs() - alpha).max(0.0) }
}

/// The value of a leaf that lowers the objective the most.
pub fn leaf_value(sums: Pair, alpha: f64, lambda: f64) -> f64 {
    -shrunk(sums.gradient, alpha) / (sums.hessian + lambda + TINY)
}

impl<'a> Search<'a> {
    pub fn new(limits: &'a Limits, total: Pair, rows: usize) -> Self {
        let rows_per_hessian = rows as f64 / total.hessian.max(TINY);
        let min_hessian = limits.min_hessian.max((limits.min_rows - 0.5) / rows_per_hessian);
        Self { limits, total, rows_per_hessian, min_hessian }
    }

    /// The best split over all features of `active`, if one gains enough.
    pub fn best(&self, features: &[Feature], active: &[usize], histogram: &[Slots]) -> Option<Split> {
        let own = self.score(self.total, self.limits.lambda);
        // What both children's scores must exceed.
        let enough = own + self.limits.min_gain.max(ROUNDING * own);
        let mut best: Option<Split> = None;
        for &place in active {
            let score = best.as_ref().map_or(enough, |best| best.gain);
            let (feature, slots) = (&features[place], &histogram[place]);
            let found = if feature.is_text {
                self.best_set(feature, slots, score)
            } else if self.limits.alpha == 0.0 {
                self.best_threshold::<false>(feature, slots, score)
            } else {
                self.best_threshold::<true>(feature, slots, score)
            };
            if let Some(found) = found {
                best = Some(Split { feature: place, ..found });
            }
        }
        best.map(|best| Split { gain: best.gain - own, ..best })
    }

    fn score(&self, sums: Pair, lambda: f64) -> f64 {
        let gradient = shrunk(sums.gradient, self.limits.alpha);
        gradient * gradient / (sums.hessian + lambda + TINY)
    }

    /// With missing values on the right, then on the left; `gain` is the children's score until `best` takes the
    /// leaf's off.
    fn best_threshold<const L1: bool>(&self, feature: &Feature, slots: &Slots, enough: f64) -> Option<Split> {
        let missing = if feature.has_missing { slots[usize::from(MISSING)] } else { Pair::default() };
        let is_missing = missing.hessian * self.rows_per_hessian >= 0.5;
        // All numbers on one side and what is missing on the other is a split too.
        let ends = feature.codes - usize::from(!is_missing);
        let mut best = self.scan::<L1>(&slots[..ends], Pair::default(), enough).map(|found| (found, false));
        if is_missing {
            let enough = best.map_or(enough, |((_, score, _), _)| score);
            let found = self.scan::<L1>(&slots[..feature.codes - 1], missing, enough);
            best = found.map(|found| (found, true)).or(best);
        }
        let ((code, gain, left), missing_left) = best?;
        let right = self.total - left;
        // Where nothing is missing, what will be follows the greater part.
        let missing_left = if is_missing { missing_left } else { left.hessian >= right.hessian };
        let test = Test::AtMost { code, missing_left };
        Some(Split { feature: 0, test, gain, left, right, lambda: self.limits.lambda })
    }

    /// The code after which to split, the children's score, and the left child's sums, of which `left` is there from
    /// the start.
    fn scan<const L1: bool>(&self, slots: &[Pair], mut left: Pair, enough: f64) -> Option<(u8, f64, Pair)> {
        let (lambda, alpha) = (self.limits.lambda + TINY, self.limits.alpha);
        let (mut most, mut found) = (enough, None);
        for (code, &slot) in slots.iter().enumerate() {
            left = left + slot;
            if left.hessian < self.min_hessian {
                continue;
            }
            let right = self.total - left;
            if right.hessian < self.min_hessian {
                break;
            }
            let (mut gl, mut gr) = (left.gradient, right.gradient);
            if L1 {
                (gl, gr) = (shrunk(gl, alpha), shrunk(gr, alpha));
            }
            let score = gl * gl / (left.hessian + lambda) + gr * gr / (right.hessian + lambda);
            if score > most {
                (most, found) = (score, Some((code as u8, score, left)));
            }
        }
        found
    }
}
