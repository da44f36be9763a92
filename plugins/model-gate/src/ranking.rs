//! Metrics of an order: how well a score puts the positive rows before the others.

/// Both metrics need one sort, so they come together.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Ranking {
    /// The probability that a positive row has a higher score than another, ties counting half: the Mann-Whitney
    /// statistic, which is the area under the receiver operating characteristic. Source: J. Hanley, B. McNeil, "The
    /// Meaning and Use of the Area under a Receiver Operating Characteristic (ROC) Curve", Radiology 143 (1982).
    /// `None` where all rows are positive, or none is.
    pub auc: Option<f64>,
    /// The sum of precision times gain in recall over the thresholds, without interpolation, as in scikit-learn's
    /// `average_precision_score`. `None` where no row is positive.
    pub average_precision: Option<f64>,
}

/// Rows as score and whether positive; scores are not NaN.
pub fn ranking(mut rows: Vec<(f64, bool)>) -> Ranking {
    rows.sort_unstable_by(|(one, _), (other, _)| other.total_cmp(one));
    let positives = rows.iter().filter(|(_, positive)| *positive).count() as u64;
    let negatives = rows.len() as u64 - positives;
    // Twice the number of pairs in the right order, so that ties stay whole numbers.
    let (mut ordered_twice, mut average_precision) = (0_u64, 0.0);
    let (mut positives_before, mut rows_before) = (0_u64, 0_u64);
    for tied in rows.chunk_by(|(one, _), (other, _)| one == other) {
        let positives_here = tied.iter().filter(|(_, positive)| *positive).count() as u64;
        ordered_twice += (tied.len() as u64 - positives_here) * (2 * positives_before + positives_here);
        positives_before += positives_here;
        rows_before += tied.len() as u64;
        if positives_here > 0 {
            let precision = positives_before as f64 / rows_before as f64;
            average_precision += precision * positives_here as f64 / positives as f64;
        }
    }
    let pairs = positives as f64 * negatives as f64;
    Ranking {
        auc: (pairs > 0.0).then(|| ordered_twice as f64 / (2.0 * pairs)),
        average_precision: (positives > 0).then_some(average_precision),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn ties_count_half() {
        let all_tied = vec![(0.5, true), (0.5, false), (0.5, true), (0.5, false)];
        assert_eq!(ranking(all_tied), Ranking { auc: Some(0.5), average_precision: Some(0.5) });
        let perfect = vec![(0.1, false), (0.9, true), (0.8, true)];
        assert_eq!(ranking(perfect), Ranking { auc: Some(1.0), average_precision: Some(1.0) });
        // Zero and minus zero are one score.
        assert_eq!(ranking(vec![(0.0, true), (-0.0, false)]).auc, Some(0.5));
    }

    #[test]
    fn one_class_alone_has_no_area() {
        assert_eq!(ranking(vec![(0.5, true)]), Ranking { auc: None, average_precision: Some(1.0) });
        assert_eq!(ranking(vec![(0.5, false)]), Ranking { auc: None, average_precision: None });
    }
}
