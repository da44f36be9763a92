//! What a user can set. Read by the build script for the manifest, so it knows serde and schemars alone.

use std::fmt;

use schemars::JsonSchema;
use serde::{Deserialize, Serialize};

/// Fits gradient-boosted decision trees. Options are named as in LightGBM's scikit-learn interface.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize, JsonSchema)]
#[serde(deny_unknown_fields)]
pub struct Config {
    /// What to predict.
    pub task: Task,
    /// The column to predict.
    pub target: String,
    /// The columns to predict from: numbers (`bool`, `s64`, `f64`, `f32`) and text (`utf8`, `categorical`). Default:
    /// every such column but `target` and `sample_weight`.
    #[serde(default)]
    pub features: Option<Vec<String>>,
    /// The column that says how much each row counts: numbers from 0. Default: each row counts 1.
    #[serde(default)]
    pub sample_weight: Option<String>,
    /// Classification: whether classes count equally however many rows they have.
    #[serde(default)]
    pub class_weight: ClassWeight,
    /// `task: binary`: the class that comes last in the model, which scores speak for. Default: the last in sorted
    /// order.
    #[serde(default)]
    pub positive: Option<Class>,
    /// Regression: what is minimised. The default is `squared`.
    #[serde(default)]
    pub loss: Option<Loss>,
    /// `loss: quantile`: which quantile to predict, between 0 and 1. The default is 0.5.
    #[serde(default)]
    #[schemars(extend("exclusiveMinimum" = 0, "exclusiveMaximum" = 1))]
    pub quantile: Option<f64>,
    /// How many rounds of boosting: trees, or trees for each class with `task: multiclass`.
    #[serde(default = "hundred")]
    #[schemars(range(min = 1, max = 100_000))]
    pub n_estimators: u64,
    /// How much of each tree counts.
    #[serde(default = "tenth")]
    #[schemars(extend("exclusiveMinimum" = 0))]
    pub learning_rate: f64,
    /// The most leaves of a tree.
    #[serde(default = "thirty_one")]
    #[schemars(range(min = 2, max = 8192))]
    pub num_leaves: u64,
    /// The most splits above a leaf. The default, -1, is no limit.
    #[serde(default = "no_limit")]
    #[schemars(range(min = -1, max = 1000))]
    pub max_depth: i64,
    /// Which leaf is split next.
    #[serde(default)]
    pub growth: Growth,
    /// The fewest rows in a leaf.
    #[serde(default = "twenty")]
    #[schemars(range(min = 1))]
    pub min_child_samples: u64,
    /// The smallest sum of second derivatives (with squared error, of weights) in a leaf.
    #[serde(default = "thousandth")]
    #[schemars(range(min = 0))]
    pub min_child_weight: f64,
    /// L1 penalty on leaf values.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub reg_alpha: f64,
    /// L2 penalty on leaf values.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub reg_lambda: f64,
    /// A split must gain more than this.
    #[serde(default)]
    #[schemars(range(min = 0))]
    pub min_split_gain: f64,
    /// The part of the rows that a tree learns from, drawn anew every `subsample_freq` rounds.
    #[serde(default = "one")]
    #[schemars(range(max = 1), extend("exclusiveMinimum" = 0))]
    pub subsample: f64,
    /// Every how many rounds rows are drawn anew; only with `subsample` below 1.
    #[serde(default = "one_round")]
    #[schemars(range(min = 1))]
    pub subsample_freq: u64,
    /// The part of the features that a tree chooses from, drawn anew for each tree.
    #[serde(default = "one")]
    #[schemars(range(max = 1), extend("exclusiveMinimum" = 0))]
    pub colsample_bytree: f64,
    /// The most bins that a feature's values are put into; categories beyond the `max_bin` most frequent count as
    /// missing.
    #[serde(default = "most_bins")]
    #[schemars(range(min = 2, max = 255))]
    pub max_bin: u64,
    /// Text features: smooths the statistic that categories are sorted by, and the fewest rows of a category.
    #[serde(default = "ten")]
    #[schemars(range(min = 0))]
    pub cat_smooth: f64,
    /// Text features: L2 penalty in splits by sets of categories, added to `reg_lambda`.
    #[serde(default = "ten")]
    #[schemars(range(min = 0))]
    pub cat_l2: f64,
    /// Text features with at most this many categories are split one category against the others.
    #[serde(default = "four")]
    pub max_cat_to_onehot: u64,
    /// Text features: the most categories on the smaller side of a split.
    #[serde(default = "thirty_two")]
    #[schemars(range(min = 1))]
    pub max_cat_threshold: u64,
    /// Text features: the fewest rows by which two sets of categories that are tried differ.
    #[serde(default = "hundred")]
    #[schemars(range(min = 1))]
    pub min_data_per_group: u64,
    /// Stop when `metric` on the input `validation` has not improved for so many rounds; the model keeps the best
    /// round.
    #[serde(default)]
    #[schemars(range(min = 1))]
    pub early_stopping_rounds: Option<u64>,
    /// What is measured in each round, on `train` and `validation`. Default: what the task minimises.
    #[serde(default)]
    pub metric: Option<Metric>,
    /// Where randomness starts.
    #[serde(default)]
    pub seed: u64,
    /// Whether the predictor also says how much each feature contributed to a row's score, as `contribution.<feature>`
    /// and `contribution.bias`; with more than two classes `contribution.<class>.<feature>`.
    #[serde(default)]
    pub contributions: bool,
    /// Every how many rounds what has been learned is kept for another attempt; 0 is never.
    #[serde(default = "twenty")]
    pub checkpoint_every: u64,
}

/// What to predict.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Task {
    /// A number.
    Regression,
    /// One of two classes.
    Binary,
    /// One of several classes.
    Multiclass,
}

/// What regression minimises.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Loss {
    /// Squared error: predicts means.
    Squared,
    /// Absolute error: predicts medians.
    Absolute,
    /// Pinball loss: predicts the quantile that `quantile` names.
    Quantile,
}

/// How much the rows of a class count.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum ClassWeight {
    /// As they come.
    #[default]
    None,
    /// Inversely to the class's rows: rows / (classes × rows of the class).
    Balanced,
}

/// Which leaf is split next.
#[derive(Clone, Copy, Debug, Default, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Growth {
    /// The one with the most to gain.
    #[default]
    Leaf,
    /// One with the fewest splits above it; of these, the one with the most to gain.
    Depth,
}

/// What is measured in each round.
#[derive(Clone, Copy, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(rename_all = "snake_case")]
#[schemars(inline)]
pub enum Metric {
    /// Classification: the mean of -ln of the probability of the true class.
    LogLoss,
    /// `task: binary`: the area under the ROC curve.
    Auc,
    /// Classification: the part of the rows whose most likely class is wrong.
    Error,
    /// Regression: the root of the mean squared error.
    Rmse,
    /// Regression: the mean absolute error.
    Mae,
    /// `loss: quantile`: the mean pinball loss.
    Pinball,
}

/// A class as YAML writes it.
#[derive(Clone, Debug, PartialEq, Eq, Serialize, Deserialize, JsonSchema)]
#[serde(untagged)]
#[schemars(inline)]
pub enum Class {
    Bool(bool),
    Whole(i64),
    Text(String),
}

impl fmt::Display for Class {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        match self {
            Class::Bool(value) => value.fmt(f),
            Class::Whole(value) => value.fmt(f),
            Class::Text(value) => value.fmt(f),
        }
    }
}

fn hundred() -> u64 {
    100
}

fn tenth() -> f64 {
    0.1
}

fn thirty_one() -> u64 {
    31
}

fn no_limit() -> i64 {
    -1
}

fn twenty() -> u64 {
    20
}

fn thousandth() -> f64 {
    1e-3
}

fn one() -> f64 {
    1.0
}

fn one_round() -> u64 {
    1
}

fn most_bins() -> u64 {
    255
}

fn ten() -> f64 {
    10.0
}

fn four() -> u64 {
    4
}

fn thirty_two() -> u64 {
    32
}
