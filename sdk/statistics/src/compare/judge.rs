//! A column's statistic and whether it is drift. Pure arithmetic.

use super::options::{Measure, Options, Statistic};
use super::plan::Planned;
use super::values::{MOST_TEXTS, Numbers, Texts};
use crate::counts::Counts;
use crate::samples::{self, Distance};
use crate::text::number;
use crate::{kolmogorov, samples::Sorted};

/// Up to so many reference values a test decides, above them a distance: with many values every difference is
/// significant, however small. Evidently's boundary.
const LARGE: usize = 1000;

/// Numbers with at most so many different values are categories. Evidently's boundary.
const FEW: usize = 5;

/// The least standard deviation to divide a distance by: Evidently's for a reference that (nearly) never varies. Here
/// it stands only for one that never does.
const NO_DEVIATION: f64 = 0.001;

/// What was found out of a column.
pub struct Judged {
    pub statistic: Statistic,
    pub threshold: f64,
    /// Values that could be compared.
    pub window: u64,
    pub reference: u64,
    /// Or why there is none.
    pub verdict: Result<Verdict, String>,
}

pub struct Verdict {
    pub value: f64,
    pub found: bool,
    /// What stands behind the value, for a person.
    pub details: String,
}

/// A value before it is held against its threshold.
struct Measured {
    value: f64,
    details: String,
    /// For distances: how likely chance alone is to part the samples so far.
    chance: Option<f64>,
}

pub fn texts(texts: &Texts, column: &Planned, options: &Options) -> Judged {
    let Some(counts) = &texts.counts else {
        let statistic = column.measure.statistic.or(options.categorical.statistic).unwrap_or(Statistic::Jensenshannon);
        let verdict = Err(format!("it has more than {MOST_TEXTS} different texts"));
        let threshold = threshold(statistic, &column.measure, &options.categorical);
        return Judged { statistic, threshold, window: 0, reference: 0, verdict };
    };
    let (reference, _) = counts.totals();
    let categories = counts.reference.len();
    let statistic = choose(column, &options.categorical, || of_categories(reference, categories));
    let measure = || measure_counts(statistic, counts);
    judge(statistic, threshold(statistic, &column.measure, &options.categorical), counts.totals(), options, measure)
}

pub fn numbers(numbers: &Numbers, column: &Planned, options: &Options) -> Judged {
    let (reference, window) = (&numbers.reference, &numbers.window);
    let totals = (reference.len() as u64, window.len() as u64);
    let few = samples::distinct(reference, window, FEW).map(to_counts);
    let group = if few.is_some() { &options.categorical } else { &options.numeric };
    let statistic = choose(column, group, || match &few {
        Some(counts) => of_categories(totals.0, counts.reference.len()),
        None if reference.len() > LARGE => Statistic::Wasserstein,
        None => Statistic::Ks,
    });
    judge(statistic, threshold(statistic, &column.measure, group), totals, options, || match statistic {
        Statistic::Ks => Ok(ks(reference, window)),
        Statistic::Wasserstein => Ok(wasserstein(reference, window)),
        _ => measure_counts(statistic, few.as_ref().unwrap_or(&binned(reference, window, options.bins))),
    })
}

fn of_categories(reference: u64, categories: usize) -> Statistic {
    match (reference > LARGE as u64, categories) {
        (true, _) => Statistic::Jensenshannon,
        (false, 0..=2) => Statistic::Z,
        (false, _) => Statistic::Chisquare,
    }
}

fn choose(column: &Planned, group: &Measure, default: impl FnOnce() -> Statistic) -> Statistic {
    column.measure.statistic.or(group.statistic).unwrap_or_else(default)
}

/// The column's own threshold; the group's, unless the column has another statistic; the statistic's default.
fn threshold(statistic: Statistic, own: &Measure, group: &Measure) -> f64 {
    let of_group = group.threshold.filter(|_| own.statistic.is_none() || own.statistic == group.statistic);
    own.threshold.or(of_group).unwrap_or_else(|| statistic.default_threshold())
}

fn judge(
    statistic: Statistic,
    threshold: f64,
    (reference, window): (u64, u64),
    options: &Options,
    measure: impl FnOnce() -> Result<Measured, String>,
) -> Judged {
    let verdict = too_few(reference, window, options.min_rows)
        .map_or_else(measure, Err)
        .map(|measured| measured.against(statistic, threshold, options.significance));
    Judged { statistic, threshold, window, reference, verdict }
}

/// Why there are too few values to judge.
pub fn too_few(reference: u64, window: u64, least: u64) -> Option<String> {
    let few = |count: u64, whose: &str| {
        (count < least).then(|| format!("{whose} has {count} values, and {least} are needed"))
    };
    few(window, "the window").or_else(|| few(reference, "the reference"))
}

impl Measured {
    fn against(self, statistic: Statistic, threshold: f64, significance: f64) -> Verdict {
        let Measured { value, mut details, chance } = self;
        if statistic.is_test() {
            return Verdict { value, found: value < threshold, details };
        }
        let far = value >= threshold;
        let by_chance = far && significance < 1.0 && chance.is_some_and(|chance| chance >= significance);
        if by_chance {
            let chance = number(chance.unwrap_or_default());
            details = format!("{details}, which chance alone may do: p = {chance}");
        }
        Verdict { value, found: far && !by_chance, details }
    }
}

fn ks(reference: &Sorted, window: &Sorted) -> Measured {
    let Distance { ks, ks_statistic, .. } = samples::distance(reference, window);
    let p = kolmogorov::two_sample(reference.len() as u64, window.len() as u64, ks);
    let method = if p.exact { "exact" } else { "asymptotic" };
    Measured { value: p.value, details: format!("D = {}, {method}", number(ks_statistic)), chance: None }
}

fn wasserstein(reference: &Sorted, window: &Sorted) -> Measured {
    let Distance { ks_statistic, wasserstein, .. } = samples::distance(reference, window);
    let deviation = reference.deviation();
    let unit = if deviation > 0.0 { deviation } else { NO_DEVIATION };
    Measured {
        value: wasserstein / unit,
        details: format!("mean {} after {}", number(window.mean()), number(reference.mean())),
        chance: Some(kolmogorov::in_the_limit(reference.len() as u64, window.len() as u64, ks_statistic)),
    }
}

fn measure_counts(statistic: Statistic, counts: &Counts) -> Result<Measured, String> {
    let categories = counts.reference.len();
    let test = counts.chisquare();
    let distance = |value| {
        let details = format!("over {categories} categories, Cramér's V = {}", number(test.effect));
        Measured { value, details, chance: Some(test.p_value) }
    };
    Ok(match statistic {
        Statistic::Psi => distance(counts.psi()),
        Statistic::Jensenshannon => distance(counts.jensenshannon()),
        Statistic::Z => {
            let z = counts.z().ok_or_else(|| format!("`z` compares two values, and it has {categories}"))?;
            let details = format!("shares differ by {}", number(z.effect.abs()));
            Measured { value: z.p_value, details, chance: None }
        }
        Statistic::Chisquare | Statistic::Ks | Statistic::Wasserstein => {
            let details = format!("over {categories} categories, Cramér's V = {}", number(test.effect));
            Measured { value: test.p_value, details, chance: None }
        }
    })
}

fn binned(reference: &Sorted, window: &Sorted, bins: usize) -> Counts {
    let bounds = reference.bounds(bins);
    Counts { reference: reference.count(&bounds), window: window.count(&bounds) }
}

fn to_counts(values: Vec<(f64, u64, u64)>) -> Counts {
    let (reference, window) = values.into_iter().map(|(_, there, here)| (there, here)).unzip();
    Counts { reference, window }
}
