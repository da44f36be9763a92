//! What users write under `with`. The doc comments are the descriptions they see.

use std::collections::BTreeMap;

use schemars::JsonSchema;
use serde::Deserialize;

/// How a window is compared with its reference.
#[derive(Clone, PartialEq, Debug, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
pub struct Options {
    /// The columns to compare. Default: those of the reference that this monitor is about, without timestamps.
    pub columns: Option<Vec<String>>,

    /// Columns not to compare.
    pub exclude: Vec<String>,

    /// How columns of numbers with more than five different values are compared. Default: up to 1,000 reference values
    /// `ks` at 0.05, above that `wasserstein` at 0.1.
    pub numeric: Measure,

    /// How text, `bool` and numbers with at most five different values are compared. Default: up to 1,000 reference
    /// values `chisquare` at 0.05 (`z` for at most two different values), above that `jensenshannon` at 0.1.
    pub categorical: Measure,

    /// How single columns are compared, by name.
    pub per_column: BTreeMap<String, Measure>,

    /// From which share of drifted columns on the data as a whole has drifted.
    #[schemars(range(min = 0, max = 1))]
    pub share: f64,

    /// With fewer values in the window or in the reference nothing is judged.
    #[schemars(range(min = 1))]
    pub min_rows: u64,

    /// How likely chance alone may be, at most, to give a distance (`psi`, `wasserstein`, `jensenshannon`), a share of
    /// missing values or the like before it counts: distances between small samples are large by chance. 1 switches
    /// this off.
    #[schemars(range(min = 0, max = 1))]
    pub significance: f64,

    /// Into how many bins of about equally many reference values `psi`, `jensenshannon` and `chisquare` divide numbers
    /// with more than five different values.
    #[schemars(range(min = 2, max = 1000))]
    pub bins: usize,

    /// By how much the share of missing values may differ from the reference's.
    #[schemars(range(min = 0, max = 1))]
    pub missing_change: f64,

    /// Which share of the window's rows may have texts that the reference does not have. More is allowed where the
    /// reference itself shows that there are more texts than it has: as many as it has once.
    #[schemars(range(min = 0, max = 1))]
    pub new_values: f64,
}

impl Default for Options {
    fn default() -> Self {
        Self {
            columns: None,
            exclude: Vec::new(),
            numeric: Measure::default(),
            categorical: Measure::default(),
            per_column: BTreeMap::new(),
            // The drift preset of Evidently.
            share: 0.5,
            // The usual least size for a rate: below it chance rules.
            min_rows: 30,
            significance: 0.05,
            // Deciles, with which the psi's usual thresholds go.
            bins: 10,
            missing_change: 0.05,
            new_values: 0.01,
        }
    }
}

/// A statistic and when it counts as drift.
#[derive(Clone, Copy, PartialEq, Debug, Default, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields, default)]
#[schemars(inline)]
pub struct Measure {
    /// What is measured.
    pub statistic: Option<Statistic>,

    /// Drift is a p-value below this (`ks`, `chisquare`, `z`; default 0.05), or a distance of at least this (`psi`,
    /// `wasserstein`, `jensenshannon`; default 0.1).
    #[schemars(range(min = 0))]
    pub threshold: Option<f64>,
}

/// How two distributions are compared.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Deserialize, JsonSchema)]
#[serde(rename_all = "lowercase")]
#[schemars(inline)]
pub enum Statistic {
    /// The p-value of the two-sample Kolmogorov-Smirnov test; for numbers.
    Ks,
    /// The p-value of Pearson's chi-squared test of homogeneity.
    Chisquare,
    /// The p-value of the test of two proportions; for at most two different values.
    Z,
    /// The population stability index.
    Psi,
    /// The Wasserstein distance in standard deviations of the reference; for numbers.
    Wasserstein,
    /// The Jensen-Shannon distance, from 0 to 1.
    Jensenshannon,
}

impl Statistic {
    pub fn name(self) -> &'static str {
        match self {
            Statistic::Ks => "ks",
            Statistic::Chisquare => "chisquare",
            Statistic::Z => "z",
            Statistic::Psi => "psi",
            Statistic::Wasserstein => "wasserstein",
            Statistic::Jensenshannon => "jensenshannon",
        }
    }

    /// Whether its value is a p-value, so that less is more drift.
    pub fn is_test(self) -> bool {
        matches!(self, Statistic::Ks | Statistic::Chisquare | Statistic::Z)
    }

    pub fn needs_numbers(self) -> bool {
        matches!(self, Statistic::Ks | Statistic::Wasserstein)
    }

    /// Evidently's.
    pub fn default_threshold(self) -> f64 {
        if self.is_test() { 0.05 } else { 0.1 }
    }
}
