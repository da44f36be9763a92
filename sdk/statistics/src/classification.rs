//! Metrics of classes, with labels or without.
//!
//! Each row has a weight for each class: what is known of its truth. A label is weight 1 for one class; without it, the
//! weights are the (calibrated) probabilities of the classes, and a metric of them is the one to expect:
//! confidence-based performance estimation (CBPE). Source: NannyML's documentation, "Estimation of performance of the
//! monitored model", <https://nannyml.readthedocs.io/en/stable/how_it_works/performance_estimation.html>.
//!
//! With labels the metrics are those of scikit-learn 1.9. With two classes, precision, recall, f1 and auc are about the
//! positive one; with more they are the plain mean over the classes, each against the rest.

/// Rows, class by class.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Rows {
    /// For each class one weight a row; the weights of a row sum to 1.
    pub truth: Vec<Vec<f64>>,
    /// The class that was predicted, row by row.
    pub predicted: Vec<u32>,
    /// For each class one probability a row; empty for a model that gives none.
    pub probabilities: Vec<Vec<f64>>,
    /// Of two classes, the one that the metrics are about.
    pub positive: Option<usize>,
}

impl Rows {
    pub fn len(&self) -> usize {
        self.predicted.len()
    }

    pub fn is_empty(&self) -> bool {
        self.predicted.is_empty()
    }

    /// The part that is right.
    pub fn accuracy(&self) -> f64 {
        let right = self.predicted.iter().enumerate().map(|(row, &class)| self.truth[class as usize][row]);
        right.sum::<f64>() / self.len() as f64
    }

    /// The mean recall of the classes that the truth has.
    pub fn balanced_accuracy(&self) -> f64 {
        let counts = self.counts();
        mean(counts.iter().filter(|count| count.real > 0.0).map(|count| count.hits / count.real))
    }

    /// Hits / predicted; 0 where nothing is predicted.
    pub fn precision(&self) -> f64 {
        self.average(|count| (count.hits, count.predicted))
    }

    /// Hits / real; 0 where nothing is real.
    pub fn recall(&self) -> f64 {
        self.average(|count| (count.hits, count.real))
    }

    /// 2 hits / (predicted + real); 0 where neither is.
    pub fn f1(&self) -> f64 {
        self.average(|count| (2.0 * count.hits, count.predicted + count.real))
    }

    /// The area under the receiver operating characteristic, ties counting half. `None` without probabilities, and
    /// where the truth has one class alone.
    pub fn auc(&self) -> Option<f64> {
        if self.probabilities.is_empty() {
            return None;
        }
        let present: Vec<usize> = (0..self.truth.len()).filter(|&class| self.real(class) > 0.0).collect();
        if present.len() < 2 {
            return None;
        }
        match self.positive {
            Some(positive) => self.area(positive),
            None => Some(mean(present.iter().filter_map(|&class| self.area(class)))),
        }
    }

    /// −mean ln p(true class), with p kept one machine epsilon away from 0 and 1. `None` without probabilities.
    pub fn log_loss(&self) -> Option<f64> {
        let surprise = |p: f64| -p.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln();
        self.expected(|class, row| surprise(self.probabilities[class][row]))
    }

    /// mean Σ (p − y)² over the classes, halved for two classes. `None` without probabilities.
    pub fn brier(&self) -> Option<f64> {
        let scale = if self.probabilities.len() <= 2 { 0.5 } else { 1.0 };
        let error = |class: usize, row: usize| -> f64 {
            let square = |(other, p): (usize, &Vec<f64>)| (p[row] - f64::from(u8::from(other == class))).powi(2);
            scale * self.probabilities.iter().enumerate().map(square).sum::<f64>()
        };
        self.expected(error)
    }

    /// The mean over the rows of what a class costs, weighted by how much each class is the true one.
    fn expected(&self, cost: impl Fn(usize, usize) -> f64) -> Option<f64> {
        if self.probabilities.is_empty() || self.is_empty() {
            return None;
        }
        let mut sum = 0.0;
        for row in 0..self.len() {
            for (class, weights) in self.truth.iter().enumerate() {
                if weights[row] > 0.0 {
                    sum += weights[row] * cost(class, row);
                }
            }
        }
        Some(sum / self.len() as f64)
    }

    fn real(&self, class: usize) -> f64 {
        self.truth[class].iter().sum()
    }

    fn counts(&self) -> Vec<Count> {
        let mut counts: Vec<Count> =
            (0..self.truth.len()).map(|class| Count { real: self.real(class), ..Count::default() }).collect();
        for (row, &class) in self.predicted.iter().enumerate() {
            let count = &mut counts[class as usize];
            count.predicted += 1.0;
            count.hits += self.truth[class as usize][row];
        }
        counts
    }

    /// A ratio of counts: of the positive class, or the mean over the classes that are real or predicted somewhere.
    fn average(&self, ratio: impl Fn(&Count) -> (f64, f64)) -> f64 {
        let of = |count: &Count| match ratio(count) {
            (_, 0.0) => 0.0,
            (part, whole) => part / whole,
        };
        let counts = self.counts();
        match self.positive {
            Some(positive) => of(&counts[positive]),
            None => mean(counts.iter().filter(|count| count.real + count.predicted > 0.0).map(of)),
        }
    }

    /// The Mann-Whitney statistic of a class against the rest, with weighted rows. Source: J. Hanley, B. McNeil,
    /// Radiology 143 (1982).
    fn area(&self, class: usize) -> Option<f64> {
        let rows = self.probabilities[class].iter().zip(&self.truth[class]);
        let mut rows: Vec<(f64, f64)> = rows.map(|(&score, &weight)| (score, weight)).collect();
        rows.sort_unstable_by(|(one, _), (other, _)| one.total_cmp(other));
        let (mut others_below, mut ordered, mut real) = (0.0, 0.0, 0.0);
        for tied in rows.chunk_by(|(one, _), (other, _)| one == other) {
            let here: f64 = tied.iter().map(|(_, weight)| weight).sum();
            let others_here = tied.len() as f64 - here;
            ordered += here * (others_below + others_here / 2.0);
            others_below += others_here;
            real += here;
        }
        let pairs = real * others_below;
        (pairs > 0.0).then(|| ordered / pairs)
    }
}

/// How much of a class there is.
#[derive(Clone, Copy, Default)]
struct Count {
    real: f64,
    predicted: f64,
    /// Both at once.
    hits: f64,
}

/// 0 for no values.
fn mean(values: impl Iterator<Item = f64>) -> f64 {
    let (sum, count) = values.fold((0.0, 0_u64), |(sum, count), value| (sum + value, count + 1));
    if count == 0 { 0.0 } else { sum / count as f64 }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn labelled(classes: &[usize], predicted: &[u32], probabilities: &[[f64; 2]]) -> Rows {
        let one_hot = |class| classes.iter().map(|&real| f64::from(u8::from(real == class))).collect();
        let column = |class: usize| probabilities.iter().map(|row| row[class]).collect();
        Rows {
            truth: vec![one_hot(0), one_hot(1)],
            predicted: predicted.to_vec(),
            probabilities: vec![column(0), column(1)],
            positive: Some(1),
        }
    }

    #[test]
    fn perfect_rows() {
        let rows = labelled(&[0, 1, 1], &[0, 1, 1], &[[1.0, 0.0], [0.0, 1.0], [0.0, 1.0]]);
        let all = [rows.accuracy(), rows.balanced_accuracy(), rows.precision(), rows.recall(), rows.f1()];
        assert_eq!(all, [1.0; 5]);
        assert_eq!((rows.auc(), rows.brier()), (Some(1.0), Some(0.0)));
        assert!(rows.log_loss().unwrap() < 1e-15);
    }

    #[test]
    fn one_class_alone_has_no_area_and_nothing_predicted_is_zero() {
        let rows = labelled(&[0, 0], &[0, 0], &[[0.6, 0.4], [0.9, 0.1]]);
        assert_eq!((rows.auc(), rows.precision(), rows.recall(), rows.f1()), (None, 0.0, 0.0, 0.0));
        let silent = Rows { probabilities: Vec::new(), ..rows };
        assert_eq!((silent.auc(), silent.log_loss(), silent.brier()), (None, None, None));
    }
}
