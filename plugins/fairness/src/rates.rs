//! Rates of groups, and measures between them: arithmetic alone.
//!
//! Sources: M. Hardt, E. Price, N. Srebro, "Equality of Opportunity in Supervised Learning" (2016) for equal
//! opportunity and equalised odds; the measures' names and values are those of fairlearn 0.15. Disparate impact and its
//! four fifths: Uniform Guidelines on Employee Selection Procedures, 29 CFR 1607.4 D; M. Feldman and others,
//! "Certifying and Removing Disparate Impact" (2015).

use crate::config::Measure;

/// One group, counted.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Group {
    pub rows: u64,
    /// Rows that really are positive, and those of them that are selected.
    pub positives: u64,
    pub true_positives: u64,
    /// Rows that are selected, whether they should be or not.
    pub selected: u64,
    /// For numbers: the sums of predictions and of absolute errors.
    pub predicted: f64,
    pub errors: f64,
}

/// A rate or a mean of one group.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Rate {
    /// Selected rows / rows.
    Selection,
    /// Selected positive rows / positive rows.
    TruePositive,
    /// Selected negative rows / negative rows.
    FalsePositive,
    MeanPrediction,
    MeanAbsoluteError,
}

impl Rate {
    pub fn name(self) -> &'static str {
        match self {
            Rate::Selection => "selection_rate",
            Rate::TruePositive => "true_positive_rate",
            Rate::FalsePositive => "false_positive_rate",
            Rate::MeanPrediction => "mean_prediction",
            Rate::MeanAbsoluteError => "mean_absolute_error",
        }
    }

    /// The rows that the rate is of.
    pub fn rows_in_words(self) -> &'static str {
        match self {
            Rate::TruePositive => "positive row",
            Rate::FalsePositive => "negative row",
            Rate::Selection | Rate::MeanPrediction | Rate::MeanAbsoluteError => "row",
        }
    }
}

impl Group {
    /// The rate, and of how many rows it is; NaN for none.
    pub fn rate(&self, rate: Rate) -> (f64, u64) {
        let share = |part: u64, all: u64| (part as f64 / all as f64, all);
        match rate {
            Rate::Selection => share(self.selected, self.rows),
            Rate::TruePositive => share(self.true_positives, self.positives),
            Rate::FalsePositive => share(self.selected - self.true_positives, self.rows - self.positives),
            Rate::MeanPrediction => (self.predicted / self.rows as f64, self.rows),
            Rate::MeanAbsoluteError => (self.errors / self.rows as f64, self.rows),
        }
    }
}

/// The groups whose rate is lowest and highest.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Spread {
    pub rate: Rate,
    pub lowest: (usize, f64),
    pub highest: (usize, f64),
}

impl Spread {
    /// Of the groups whose rate is of at least `min_rows` rows.
    ///
    /// Errors: fewer than two are, as a reason.
    pub fn of(groups: &[Group], rate: Rate, min_rows: u64) -> Result<Self, String> {
        let rates = groups.iter().enumerate().map(|(index, group)| (index, group.rate(rate)));
        let judged: Vec<(usize, f64)> =
            rates.filter(|(_, (_, rows))| *rows >= min_rows).map(|(index, (rate, _))| (index, rate)).collect();
        if judged.len() < 2 {
            let rows = rate.rows_in_words();
            return Err(format!("{} of {} groups have {min_rows} or more {rows}s", judged.len(), groups.len()));
        }
        // Of equals the first.
        let less = |one: (usize, f64), other: (usize, f64)| if other.1 < one.1 { other } else { one };
        let more = |one: (usize, f64), other: (usize, f64)| if other.1 > one.1 { other } else { one };
        let lowest = judged.iter().copied().reduce(less).expect("there are two");
        let highest = judged.iter().copied().reduce(more).expect("there are two");
        Ok(Self { rate, lowest, highest })
    }

    pub fn difference(&self) -> f64 {
        self.highest.1 - self.lowest.1
    }

    /// 1 where both are 0.
    pub fn ratio(&self) -> f64 {
        ratio(self.lowest.1, self.highest.1)
    }
}

fn ratio(one: f64, other: f64) -> f64 {
    if one == other { 1.0 } else { one / other }
}

/// A measure's value and the groups that it comes from.
#[derive(Clone, Copy, PartialEq, Debug)]
pub struct Measured {
    pub value: f64,
    pub between: Spread,
}

/// One measure between groups; `reference` is for disparate impact.
///
/// Errors: why it has no value.
pub fn measure(
    measure: Measure,
    groups: &[Group],
    min_rows: u64,
    reference: Option<usize>,
) -> Result<Measured, String> {
    let spread = |rate| Spread::of(groups, rate, min_rows);
    let difference = |between: Spread| Measured { value: between.difference(), between };
    let quotient = |between: Spread| Measured { value: between.ratio(), between };
    Ok(match measure {
        Measure::DemographicParityDifference => difference(spread(Rate::Selection)?),
        Measure::DemographicParityRatio => quotient(spread(Rate::Selection)?),
        Measure::DisparateImpact => impact(groups, spread(Rate::Selection)?, min_rows, reference)?,
        Measure::EqualOpportunityDifference => difference(spread(Rate::TruePositive)?),
        Measure::EqualOpportunityRatio => quotient(spread(Rate::TruePositive)?),
        Measure::EqualizedOddsDifference => {
            let (one, other) = (difference(spread(Rate::TruePositive)?), difference(spread(Rate::FalsePositive)?));
            if other.value > one.value { other } else { one }
        }
        Measure::EqualizedOddsRatio => {
            let (one, other) = (quotient(spread(Rate::TruePositive)?), quotient(spread(Rate::FalsePositive)?));
            if other.value < one.value { other } else { one }
        }
        Measure::MeanPredictionDifference => difference(spread(Rate::MeanPrediction)?),
        Measure::MeanAbsoluteErrorDifference => difference(spread(Rate::MeanAbsoluteError)?),
    })
}

/// The lowest selection rate of the other groups over the reference's; the reference is the highest by default.
fn impact(groups: &[Group], all: Spread, min_rows: u64, reference: Option<usize>) -> Result<Measured, String> {
    let Some(reference) = reference else { return Ok(Measured { value: all.ratio(), between: all }) };
    let (rate, rows) = groups[reference].rate(Rate::Selection);
    if rows < min_rows {
        return Err(format!("the reference group has {rows} rows, and {min_rows} are needed"));
    }
    let others = (0..groups.len()).filter(|&index| index != reference);
    let lowest = others
        .map(|index| (index, groups[index].rate(Rate::Selection)))
        .filter(|(_, (_, rows))| *rows >= min_rows)
        .map(|(index, (rate, _))| (index, rate))
        .reduce(|one, other| if other.1 < one.1 { other } else { one })
        .expect("two groups have enough rows, and one of them is not the reference");
    let between = Spread { rate: Rate::Selection, lowest, highest: (reference, rate) };
    Ok(Measured { value: ratio(lowest.1, rate), between })
}
