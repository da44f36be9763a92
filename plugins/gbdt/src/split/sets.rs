//! Splits of text features. Of all sets of categories, the best is among the first of them in the order of their mean
//! (Fisher, "On Grouping for Maximum Homogeneity", Journal of the American Statistical Association 53, 1958); smoothed
//! and bounded as in LightGBM (Ke et al., "LightGBM", NIPS 2017). Missing values are a category of their own.

use super::{MISSING, Pair, Search, Slots, Split, Test, insert};
use crate::bins::Feature;
use crate::tree::CodeSet;

impl Search<'_> {
    pub(super) fn best_set(&self, feature: &Feature, slots: &Slots, enough: f64) -> Option<Split> {
        let missing = feature.has_missing.then_some(MISSING);
        let codes = (0..feature.codes).map(|code| code as u8).chain(missing);
        let few = feature.codes + usize::from(feature.has_missing) <= self.limits.most_one_hot;
        let found = if few { self.one_of(codes, slots, enough) } else { self.first_of(codes, slots, enough) };
        found.map(|mut split| {
            let is_missing = feature.has_missing && slots[usize::from(MISSING)].hessian * self.rows_per_hessian >= 0.5;
            // Where nothing is missing, what will be follows the greater part.
            if let (Test::In { set }, false) = (&mut split.test, is_missing) {
                set[3] &= !(1 << 63);
                if split.left.hessian >= split.right.hessian {
                    insert(set, MISSING);
                }
            }
            split
        })
    }

    /// One category against the others.
    fn one_of(&self, codes: impl Iterator<Item = u8>, slots: &Slots, mut enough: f64) -> Option<Split> {
        let mut best = None;
        for code in codes {
            let left = slots[usize::from(code)];
            let right = self.total - left;
            if left.hessian < self.min_hessian || right.hessian < self.min_hessian {
                continue;
            }
            let lambda = self.limits.lambda;
            let gain = self.score(left, lambda) + self.score(right, lambda);
            if gain > enough {
                enough = gain;
                let mut set = CodeSet::default();
                insert(&mut set, code);
                best = Some(Split { feature: 0, test: Test::In { set }, gain, left, right, lambda });
            }
        }
        best
    }

    /// The first or the last of the categories in the order of their mean against the others.
    fn first_of(&self, codes: impl Iterator<Item = u8>, slots: &Slots, mut enough: f64) -> Option<Split> {
        let limits = self.limits;
        let rows = |pair: Pair| (pair.hessian * self.rows_per_hessian).round();
        let mean = |code: u8| {
            let slot = slots[usize::from(code)];
            slot.gradient / (slot.hessian + limits.cat_smooth)
        };
        let is_common = |code: &u8| rows(slots[usize::from(*code)]) >= limits.cat_smooth.max(1.0);
        let mut sorted: Vec<u8> = codes.filter(is_common).collect();
        sorted.sort_by(|&a, &b| mean(a).total_cmp(&mean(b)));
        let most = limits.most_categories.min(sorted.len().div_ceil(2));
        let lambda = limits.lambda + limits.cat_lambda;
        let mut best = None;
        for from_the_end in [false, true] {
            let (mut left, mut set, mut group) = (Pair::default(), CodeSet::default(), 0.0);
            for taken in 0..most {
                let code = sorted[if from_the_end { sorted.len() - 1 - taken } else { taken }];
                insert(&mut set, code);
                left = left + slots[usize::from(code)];
                group += rows(slots[usize::from(code)]);
                if left.hessian < self.min_hessian {
                    continue;
                }
                let right = self.total - left;
                if right.hessian < self.min_hessian || rows(right) < limits.min_group_rows {
                    break;
                }
                if group < limits.min_group_rows {
                    continue;
                }
                group = 0.0;
                let gain = self.score(left, lambda) + self.score(right, lambda);
                if gain > enough {
                    enough = gain;
                    best = Some(Split { feature: 0, test: Test::In { set }, gain, left, right, lambda });
                }
            }
        }
        best
    }
}
