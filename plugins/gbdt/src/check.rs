//! Options that belong together, and what they mean to the parts that train.

use wasmlops_sdk::{Error, ErrorCode, Result};

use crate::config::{ClassWeight, Config, Loss, Task};
use crate::grow::Shape;
use crate::objective::Objective;
use crate::split::Limits;

impl Config {
    /// What regression minimises.
    pub fn loss(&self) -> Loss {
        self.loss.unwrap_or(Loss::Squared)
    }
}

/// Errors: `invalid-config` with every option that does not fit; the first names the field.
pub fn check(config: &Config, has_validation: bool) -> Result<()> {
    let mut wrong: Vec<(&str, String)> = Vec::new();
    let regression = config.task == Task::Regression;
    if regression && config.class_weight != ClassWeight::None {
        wrong.push((
            "class_weight",
            "`class_weight` is for classification\nhint: weigh rows with `sample_weight`".into(),
        ));
    }
    if config.task != Task::Binary && config.positive.is_some() {
        wrong.push(("positive", "`positive` is for `task: binary`\nhint: leave it out".into()));
    }
    if !regression && config.loss.is_some() {
        wrong.push(("loss", "`loss` is for regression\nhint: classes are learned by log loss; leave it out".into()));
    }
    if config.quantile.is_some() && config.loss() != Loss::Quantile {
        wrong.push(("quantile", "`quantile` is for `loss: quantile`\nhint: set `loss`, or leave it out".into()));
    }
    if config.early_stopping_rounds.is_some() && !has_validation {
        let hint = "give the step the input `validation`, such as another part of `split`";
        wrong.push(("early_stopping_rounds", format!("there are no rows to watch\nhint: {hint}")));
    }
    let classes = if config.task == Task::Multiclass { 3 } else { 2 };
    if let Some(metric) = config.metric.filter(|metric| !metric.fits(objective(config, classes))) {
        let message = format!("`{}` does not measure this task", metric.name());
        let hint =
            "classes have `log_loss` and `error`, two classes `auc`, numbers `rmse` and `mae`, quantiles `pinball`";
        wrong.push(("metric", format!("{message}\nhint: {hint}")));
    }
    check_numbers(config, &mut wrong);
    let Some((field, _)) = wrong.first() else { return Ok(()) };
    let field = (*field).to_owned();
    let messages: Vec<String> = wrong.into_iter().map(|(_, message)| message).collect();
    Err(Error::new(ErrorCode::InvalidConfig, messages.join("\n")).at(field))
}

/// What the schema says too, for callers that did not check it.
fn check_numbers(config: &Config, wrong: &mut Vec<(&str, String)>) {
    let mut range = |key: &'static str, value: f64, fits: bool, range: &str| {
        if !fits {
            wrong.push((key, format!("`{key}` is {value}\nhint: give {range}")));
        }
    };
    let rate = config.learning_rate;
    range("learning_rate", rate, rate > 0.0 && rate.is_finite(), "a number above 0");
    for (key, value) in [("subsample", config.subsample), ("colsample_bytree", config.colsample_bytree)] {
        range(key, value, value > 0.0 && value <= 1.0, "a number above 0, up to 1");
    }
    if let Some(quantile) = config.quantile {
        range("quantile", quantile, quantile > 0.0 && quantile < 1.0, "a number between 0 and 1");
    }
    for (key, value) in [
        ("min_child_weight", config.min_child_weight),
        ("reg_alpha", config.reg_alpha),
        ("reg_lambda", config.reg_lambda),
        ("min_split_gain", config.min_split_gain),
        ("cat_smooth", config.cat_smooth),
        ("cat_l2", config.cat_l2),
    ] {
        range(key, value, value >= 0.0 && value.is_finite(), "a number from 0");
    }
    for (key, value, least, most) in [
        ("n_estimators", config.n_estimators, 1, 100_000),
        ("num_leaves", config.num_leaves, 2, 8192),
        ("max_bin", config.max_bin, 2, 255),
        ("min_child_samples", config.min_child_samples, 1, u64::MAX),
        ("subsample_freq", config.subsample_freq, 1, u64::MAX),
        ("early_stopping_rounds", config.early_stopping_rounds.unwrap_or(1), 1, u64::MAX),
    ] {
        let hint = if most == u64::MAX { format!("{least} or more") } else { format!("{least} to {most}") };
        range(key, value as f64, (least..=most).contains(&value), &hint);
    }
}

/// What is minimised.
pub fn objective(config: &Config, classes: usize) -> Objective {
    match (config.task, config.loss()) {
        (Task::Regression, Loss::Squared) => Objective::Squared,
        (Task::Regression, Loss::Absolute) => Objective::Absolute,
        (Task::Regression, Loss::Quantile) => Objective::Quantile(config.quantile.unwrap_or(0.5)),
        (Task::Binary | Task::Multiclass, _) if classes == 2 => Objective::Binary,
        (Task::Binary | Task::Multiclass, _) => Objective::Softmax(classes),
    }
}

/// How trees grow.
pub fn shape(config: &Config) -> Shape {
    let limits = Limits {
        min_rows: config.min_child_samples as f64,
        min_hessian: config.min_child_weight,
        alpha: config.reg_alpha,
        lambda: config.reg_lambda,
        min_gain: config.min_split_gain,
        cat_smooth: config.cat_smooth,
        cat_lambda: config.cat_l2,
        most_one_hot: usize::try_from(config.max_cat_to_onehot).unwrap_or(usize::MAX),
        most_categories: usize::try_from(config.max_cat_threshold).unwrap_or(usize::MAX),
        min_group_rows: config.min_data_per_group as f64,
    };
    let most_depth = usize::try_from(config.max_depth).ok().filter(|depth| *depth > 0).unwrap_or(usize::MAX);
    Shape { limits, most_leaves: config.num_leaves as usize, most_depth, growth: config.growth }
}
