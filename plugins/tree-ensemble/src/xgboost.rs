//! XGBoost's model files, as `save_model` writes them in JSON and UBJSON (since 1.3; the form is in XGBoost's
//! "Introduction to Model IO"). Trees are in `tree`. Features, thresholds and sums are `f32`, as they are in XGBoost.

mod tree;

use crate::document::{self, Value};
use crate::ensemble::{Ensemble, Precision, Problem};
use crate::forest::{Forest, MOST_FEATURES};
use crate::objective::{Link, Objective};

/// More classes than any batch of probabilities has room for.
const MOST_GROUPS: usize = 1000;

/// Reads a model file.
///
/// Errors: what is wrong, and where.
pub fn read(file: &[u8]) -> Result<Ensemble, Problem> {
    if !file.starts_with(b"{") {
        let hint = "hint: write it with `save_model` to a name that ends in `.json` or `.ubj`";
        return Err(format!("the file is no XGBoost model in JSON or UBJSON\n{hint}"));
    }
    let document = document::read(file)?;
    let learner = document.at(&["learner"])?;
    let parameters = learner.at(&["learner_model_param"])?;
    let features = whole(parameters, "num_feature")?;
    if !(1..=MOST_FEATURES).contains(&features) {
        return Err(format!("`num_feature` is {features}"));
    }
    if parameters.get("num_target").is_some() && whole(parameters, "num_target")? > 1 {
        return Err("models with several targets are not supported".to_owned());
    }
    let groups = whole(parameters, "num_class")?.max(1);
    if groups > MOST_GROUPS {
        return Err(format!("`num_class` is {groups}, and at most {MOST_GROUPS} are supported"));
    }
    let name = text(learner, &["objective", "name"])?;
    let (objective, start) = objective(name)?;
    if (groups > 1) != (objective == Objective::Softmax) {
        return Err(format!("the objective `{name}` does not go with a `num_class` of {groups}"));
    }
    let base = base_score(text(parameters, &["base_score"])?, groups, start)?;
    let forest = forest(learner, features, groups)?;
    let names = match learner.get("feature_names") {
        Some(Value::List(names)) => names.iter().filter_map(Value::text).map(str::to_owned).collect(),
        _ => Vec::new(),
    };
    Ok(Ensemble { forest, objective, precision: Precision::Single, base, divisor: 1.0, features, names })
}

/// From `base_score` to where a sum starts.
type Start = fn(f32) -> f32;

/// What the sums mean, and how `base_score`, which is given in the target's terms, becomes a sum.
fn objective(name: &str) -> Result<(Objective, Start), Problem> {
    let logit: Start = |probability| -(1.0 / probability - 1.0).ln();
    let logarithm: Start = f32::ln;
    let same: Start = |sum| sum;
    let logistic = Link::Logistic { scale: 1.0 };
    Ok(match name {
        "binary:logistic" => (Objective::Binary(logistic), logit),
        // Its predictions are sums; as a classifier it is read like `binary:logistic`.
        "binary:logitraw" => (Objective::Binary(logistic), same),
        "binary:hinge" => (Objective::Binary(Link::Step), same),
        "multi:softprob" | "multi:softmax" => (Objective::Softmax, same),
        "reg:logistic" => (Objective::Regression(logistic), logit),
        "count:poisson" | "reg:gamma" | "reg:tweedie" | "survival:cox" | "survival:aft" => {
            (Objective::Regression(Link::Exponential), logarithm)
        }
        "reg:squarederror"
        | "reg:linear"
        | "reg:squaredlogerror"
        | "reg:pseudohubererror"
        | "reg:absoluteerror"
        | "reg:quantileerror"
        | "reg:expectileerror"
        | "rank:pairwise"
        | "rank:ndcg"
        | "rank:map" => (Objective::Regression(Link::Identity), same),
        other => {
            let hint = "hint: the README of `tree-ensemble` lists those that are";
            return Err(format!("the objective `{other}` is not supported\n{hint}"));
        }
    })
}

/// One number, or since 3.1 a list in brackets with one for each class.
fn base_score(text: &str, groups: usize, start: Start) -> Result<Vec<f64>, Problem> {
    let wrong = || format!("`base_score` is `{}`", text.chars().take(80).collect::<String>());
    let list = text.trim().trim_start_matches('[').trim_end_matches(']');
    let scores = list.split(',').map(|score| score.trim().parse::<f32>()).collect::<Result<Vec<_>, _>>();
    let mut scores: Vec<f64> = scores.map_err(|_| wrong())?.into_iter().map(|score| f64::from(start(score))).collect();
    if scores.len() == 1 {
        scores.resize(groups, scores[0]);
    }
    if scores.len() == groups && scores.iter().all(|score| score.is_finite()) { Ok(scores) } else { Err(wrong()) }
}

fn forest(learner: &Value, features: usize, groups: usize) -> Result<Forest, Problem> {
    let booster = learner.at(&["gradient_booster"])?;
    let (model, weights) = match text(booster, &["name"])? {
        "gbtree" => (booster.at(&["model"])?, None),
        "dart" => (booster.at(&["gbtree", "model"])?, Some(numbers(booster, "weight_drop")?)),
        other => return Err(format!("the booster `{other}` is not supported; `gbtree` and `dart` are")),
    };
    let trees = match model.at(&["trees"])? {
        Value::List(trees) => trees.as_slice(),
        Value::Numbers(numbers) if numbers.is_empty() => &[],
        _ => return Err("`trees` is no list of trees".to_owned()),
    };
    let of_group = numbers(model, "tree_info")?;
    for (name, count) in
        [("tree_info", of_group.len()), ("weight_drop", weights.as_ref().map_or(trees.len(), Vec::len))]
    {
        if count != trees.len() {
            return Err(format!("`{name}` has {count} entries, and there are {} trees", trees.len()));
        }
    }
    let kept = kept_trees(learner, model, trees.len(), groups)?;
    let mut forest = Forest::new(features);
    for (number, tree) in trees[..kept].iter().enumerate() {
        let weight = weights.as_ref().map_or(1.0, |weights| weights[number]);
        let group = index(of_group[number]).filter(|&group| group < groups);
        let group =
            group.ok_or_else(|| format!("tree {number} is of class {}, and there are {groups}", of_group[number]))?;
        tree::add(tree, group, weight as f32, &mut forest).map_err(|problem| format!("tree {number}: {problem}"))?;
    }
    Ok(forest)
}

/// Trees up to the best iteration, where early stopping has recorded one, as the scikit-learn classes predict; else
/// all.
fn kept_trees(learner: &Value, model: &Value, trees: usize, groups: usize) -> Result<usize, Problem> {
    let Some(best) = learner.get("attributes").and_then(|attributes| attributes.get("best_iteration")) else {
        return Ok(trees);
    };
    let wrong = || "the attribute `best_iteration` is no iteration of the model".to_owned();
    let best: usize = best.text().and_then(|text| text.parse().ok()).ok_or_else(wrong)?;
    let end = match model.get("iteration_indptr").and_then(Value::numbers) {
        Some(starts) => starts.get(best.saturating_add(1)).and_then(|&end| index(end)),
        None => {
            let parameters = model.at(&["gbtree_model_param"])?;
            let parallel =
                parameters.get("num_parallel_tree").map_or(Ok(1), |_| whole(parameters, "num_parallel_tree"))?;
            best.checked_add(1).and_then(|rounds| rounds.checked_mul(parallel.max(1))?.checked_mul(groups))
        }
    };
    end.filter(|&end| end <= trees).ok_or_else(wrong)
}

fn text<'a>(value: &'a Value, path: &[&str]) -> Result<&'a str, Problem> {
    value.at(path)?.text().ok_or_else(|| format!("`{}` is no text", path.join(".")))
}

/// XGBoost writes its parameters as text.
fn whole(value: &Value, key: &str) -> Result<usize, Problem> {
    let text = text(value, &[key])?;
    text.parse()
        .map_err(|_| format!("`{key}` is `{}`, which is no whole number", text.chars().take(40).collect::<String>()))
}

fn numbers(value: &Value, key: &str) -> Result<Vec<f64>, Problem> {
    value.at(&[key])?.numbers().ok_or_else(|| format!("`{key}` is no list of numbers"))
}

/// A number that counts something.
fn index(number: f64) -> Option<usize> {
    (number >= 0.0 && number <= f64::from(u32::MAX) && number.fract() == 0.0).then_some(number as usize)
}
