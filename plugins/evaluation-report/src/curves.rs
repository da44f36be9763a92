//! Curves over all thresholds: receiver operating characteristic, precision and recall. Numbers in, points out.
//!
//! A curve has a corner for each different score; `thinned` leaves out those that nobody can see.

/// What a threshold does: rows with at least this score are called positive.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Cut {
    pub threshold: f64,
    /// Called positive and really so.
    pub hits: f64,
    /// Called positive, and not so.
    pub false_alarms: f64,
}

/// All cuts of some scores, from the highest threshold down.
#[derive(Clone, PartialEq, Debug)]
pub struct Cuts {
    pub cuts: Vec<Cut>,
    pub positives: f64,
    pub negatives: f64,
}

impl Cuts {
    /// `None` unless there are rows of both kinds.
    pub fn of(scores: &[f64], positive: &[bool]) -> Option<Self> {
        let mut rows: Vec<(f64, bool)> = scores.iter().copied().zip(positive.iter().copied()).collect();
        rows.sort_unstable_by(|(one, _), (other, _)| other.total_cmp(one));
        let (mut hits, mut false_alarms) = (0.0, 0.0);
        let mut cuts = Vec::new();
        for tied in rows.chunk_by(|(one, _), (other, _)| one == other) {
            let here = tied.iter().filter(|(_, positive)| *positive).count() as f64;
            hits += here;
            false_alarms += tied.len() as f64 - here;
            cuts.push(Cut { threshold: tied[0].0, hits, false_alarms });
        }
        (hits > 0.0 && false_alarms > 0.0).then_some(Self { cuts, positives: hits, negatives: false_alarms })
    }

    /// False positive rate and true positive rate, from (0, 0) to (1, 1).
    pub fn roc(&self) -> Vec<(f64, f64)> {
        let points = self.cuts.iter().map(|cut| (cut.false_alarms / self.negatives, cut.hits / self.positives));
        std::iter::once((0.0, 0.0)).chain(points).collect()
    }

    /// Recall and precision as the steps that the average precision is the area under: from one recall to the next, the
    /// precision is that of the next.
    pub fn precision_recall(&self) -> Vec<(f64, f64)> {
        let mut points = Vec::with_capacity(2 * self.cuts.len());
        let mut before = 0.0;
        for cut in &self.cuts {
            let (recall, precision) = (cut.hits / self.positives, precision(cut));
            if recall > before || points.is_empty() {
                points.push((before, precision));
            }
            points.push((recall, precision));
            before = recall;
        }
        points
    }

    /// Σ (Rₙ − Rₙ₋₁) Pₙ, as scikit-learn's `average_precision_score`.
    pub fn average_precision(&self) -> f64 {
        let mut before = 0.0;
        let mut sum = 0.0;
        for cut in &self.cuts {
            sum += (cut.hits - before) / self.positives * precision(cut);
            before = cut.hits;
        }
        sum
    }

    /// By threshold: precision, recall, and f1.
    pub fn by_threshold(&self) -> [Vec<(f64, f64)>; 3] {
        let curve = |value: &dyn Fn(&Cut) -> f64| {
            let mut points: Vec<(f64, f64)> = self.cuts.iter().map(|cut| (cut.threshold, value(cut))).collect();
            points.reverse();
            points
        };
        [
            curve(&precision),
            curve(&|cut| cut.hits / self.positives),
            curve(&|cut| 2.0 * cut.hits / (cut.hits + cut.false_alarms + self.positives)),
        ]
    }
}

fn precision(cut: &Cut) -> f64 {
    cut.hits / (cut.hits + cut.false_alarms)
}

/// The most points that a drawn curve has.
pub const MOST_POINTS: usize = 500;

/// How far a point left out may lie from what is drawn, in parts of an axis: a quarter of a pixel.
const UNSEEN: f64 = 0.000_5;

/// The same curve with at most [`MOST_POINTS`] points, corners kept: no point left out lies farther from what is drawn
/// than can be seen, or, where that takes too many points, than the least distance that does not.
///
/// Both axes go from 0 to 1. Source: D. Douglas, T. Peucker, Cartographica 10 (1973).
pub fn thinned(points: &[(f64, f64)]) -> Vec<(f64, f64)> {
    if points.len() < 3 {
        return points.to_vec();
    }
    let mut tolerance = UNSEEN;
    loop {
        let kept = keep(points, tolerance);
        if kept.len() <= MOST_POINTS {
            return kept;
        }
        tolerance *= 1.5;
    }
}

fn keep(points: &[(f64, f64)], tolerance: f64) -> Vec<(f64, f64)> {
    let mut kept = vec![false; points.len()];
    let last = points.len() - 1;
    (kept[0], kept[last]) = (true, true);
    let mut spans = vec![(0, last)];
    while let Some((from, to)) = spans.pop() {
        let far = (from + 1..to).map(|at| (distance(points[at], points[from], points[to]), at));
        let farthest = far.fold((tolerance, None), |best, (distance, at)| match distance > best.0 {
            true => (distance, Some(at)),
            false => best,
        });
        if let (_, Some(at)) = farthest {
            kept[at] = true;
            spans.extend([(from, at), (at, to)]);
        }
    }
    points.iter().zip(kept).filter(|(_, kept)| *kept).map(|(point, _)| *point).collect()
}

/// From a point to the line between two others.
fn distance(point: (f64, f64), from: (f64, f64), to: (f64, f64)) -> f64 {
    let (along, up) = (to.0 - from.0, to.1 - from.1);
    let (x, y) = (point.0 - from.0, point.1 - from.1);
    let length = along * along + up * up;
    let part = if length > 0.0 { ((x * along + y * up) / length).clamp(0.0, 1.0) } else { 0.0 };
    (x - part * along).hypot(y - part * up)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn by_hand() {
        let cuts = Cuts::of(&[0.9, 0.8, 0.8, 0.1], &[true, false, true, false]).unwrap();
        assert_eq!(cuts.roc(), [(0.0, 0.0), (0.0, 0.5), (0.5, 1.0), (1.0, 1.0)]);
        assert_eq!(cuts.precision_recall(), [(0.0, 1.0), (0.5, 1.0), (0.5, 2.0 / 3.0), (1.0, 2.0 / 3.0), (1.0, 0.5)]);
        assert!((cuts.average_precision() - (0.5 + 1.0 / 3.0)).abs() < 1e-12);
        assert!(Cuts::of(&[0.5, 0.4], &[true, true]).is_none());
    }

    proptest! {
        #[test]
        fn thinning_keeps_the_shape(steps in prop::collection::vec((0_u8..3, 0_u8..2), 10..4000)) {
            let total = steps.len() as f64;
            let (mut x, mut y) = (0.0, 0.0);
            let points: Vec<(f64, f64)> = steps.iter().map(|(right, up)| {
                x += f64::from(*right) / total / 3.0;
                y += f64::from(*up) / total / 2.0;
                (x, y)
            }).collect();
            let thin = thinned(&points);
            prop_assert!(thin.len() <= MOST_POINTS);
            prop_assert_eq!((thin.first(), thin.last()), (points.first(), points.last()));
            for point in points.iter().step_by(7) {
                let near = thin.windows(2).map(|pair| distance(*point, pair[0], pair[1]));
                prop_assert!(near.fold(f64::MAX, f64::min) < 0.02);
            }
        }
    }
}
