//! LightGBM's model files, as `save_model` and `model_to_string` write them: lines of `key=value`, first the model's,
//! then each tree's. Trees are in `tree`. All is computed in `f64`, as LightGBM does.

mod tree;

use std::collections::HashMap;

use crate::ensemble::{Ensemble, Precision, Problem};
use crate::forest::{Forest, MOST_FEATURES};
use crate::objective::{Link, Objective};

/// More classes than any batch of probabilities has room for.
const MOST_GROUPS: usize = 1000;

/// The lines of a section, each with its number in the file.
struct Section<'a>(HashMap<&'a str, (usize, &'a str)>);

/// Reads a model file.
///
/// Errors: what is wrong, and on which line or in which tree.
pub fn read(file: &[u8]) -> Result<Ensemble, Problem> {
    let text = std::str::from_utf8(file).map_err(|error| {
        format!(
            "the file is no LightGBM model: byte {} is no text\nhint: write it with `save_model`",
            error.valid_up_to()
        )
    })?;
    let mut lines = text.lines().enumerate().map(|(number, line)| (number + 1, line.trim_end()));
    if lines.next().is_none_or(|(_, line)| line != "tree") {
        let hint = "hint: write it with `save_model`";
        return Err(format!("the file is no LightGBM model: its first line is not `tree`\n{hint}"));
    }
    let (head, mut next) = section(&mut lines)?;
    let groups = head.number("num_tree_per_iteration")?;
    if !(1..=MOST_GROUPS).contains(&groups) {
        return Err(format!("`num_tree_per_iteration` is {groups}, and 1 to {MOST_GROUPS} are supported"));
    }
    let features = head.number("max_feature_idx")?.saturating_add(1);
    if features > MOST_FEATURES {
        return Err(format!("`max_feature_idx` is {}", features - 1));
    }
    let objective = objective(head.text("objective").unwrap_or_default(), groups)?;
    let mut forest = Forest::new(features);
    let mut trees = 0;
    while next == End::Tree {
        let (tree, end) = section(&mut lines)?;
        tree::add(&tree, trees % groups, &mut forest).map_err(|problem| format!("tree {trees}: {problem}"))?;
        trees += 1;
        next = end;
    }
    if trees % groups != 0 {
        return Err(format!("it has {trees} trees, which is no multiple of its {groups} classes"));
    }
    let averages = head.0.contains_key("average_output") && trees > 0;
    let divisor = if averages { (trees / groups) as f64 } else { 1.0 };
    let names = head.text("feature_names").map_or(Vec::new(), |names| names.split(' ').map(str::to_owned).collect());
    Ok(Ensemble { forest, objective, precision: Precision::Double, base: vec![0.0; groups], divisor, features, names })
}

/// What ends a section.
#[derive(PartialEq, Eq)]
enum End {
    Tree,
    Trees,
}

fn section<'a>(lines: &mut impl Iterator<Item = (usize, &'a str)>) -> Result<(Section<'a>, End), Problem> {
    let mut entries = HashMap::new();
    for (number, line) in lines {
        if line == "end of trees" {
            return Ok((Section(entries), End::Trees));
        }
        if line.starts_with("Tree=") {
            return Ok((Section(entries), End::Tree));
        }
        let (key, value) = line.split_once('=').unwrap_or((line, ""));
        if !line.is_empty() && entries.insert(key, (number, value)).is_some() {
            return Err(format!("line {number}: `{}` comes twice", key.chars().take(40).collect::<String>()));
        }
    }
    Err("the file ends before `end of trees`".to_owned())
}

impl<'a> Section<'a> {
    fn text(&self, key: &str) -> Option<&'a str> {
        self.0.get(key).map(|&(_, value)| value)
    }

    fn number(&self, key: &str) -> Result<usize, Problem> {
        let &(line, value) = self.0.get(key).ok_or_else(|| format!("`{key}` is missing"))?;
        value.parse().map_err(|_| format!("line {line}: `{key}` is no whole number"))
    }

    /// Numbers with blanks between them.
    fn list<T: std::str::FromStr>(&self, key: &str) -> Result<Vec<T>, Problem> {
        let Some(&(line, value)) = self.0.get(key) else {
            return Err(format!("`{key}` is missing"));
        };
        let wrong = |place: usize| format!("line {line}: number {place} of `{key}` cannot be read");
        let words = value.split_ascii_whitespace().enumerate();
        words.map(|(place, word)| word.parse().map_err(|_| wrong(place + 1))).collect()
    }
}

/// `name option:value …`, as in `binary sigmoid:1`.
fn objective(text: &str, groups: usize) -> Result<Objective, Problem> {
    let mut words = text.split_ascii_whitespace();
    let name = words.next().unwrap_or_default();
    let options: Vec<&str> = words.collect();
    let scale = options.iter().find_map(|option| option.strip_prefix("sigmoid:"));
    let scale = scale.map_or(Ok(1.0), |scale| scale.parse().map_err(|_| format!("the objective is `{text}`")))?;
    let logistic = Link::Logistic { scale };
    let objective = match name {
        "binary" => Objective::Binary(logistic),
        "multiclass" | "softmax" => Objective::Softmax,
        "multiclassova" | "multiclass_ova" | "ova" | "ovr" => Objective::OneByOne(logistic),
        "regression" if options.contains(&"sqrt") => Objective::Regression(Link::SignedSquare),
        "regression" | "regression_l1" | "huber" | "fair" | "quantile" | "mape" | "lambdarank" | "rank_xendcg" => {
            Objective::Regression(Link::Identity)
        }
        "poisson" | "gamma" | "tweedie" => Objective::Regression(Link::Exponential),
        "cross_entropy" | "xentropy" => Objective::Regression(Link::Logistic { scale: 1.0 }),
        "cross_entropy_lambda" | "xentlambda" => Objective::Regression(Link::Softplus),
        other => {
            let hint = "hint: the README of `tree-ensemble` lists those that are";
            return Err(format!("the objective `{other}` is not supported\n{hint}"));
        }
    };
    let of_classes = matches!(objective, Objective::Softmax | Objective::OneByOne(_));
    if of_classes == (groups > 1) {
        Ok(objective)
    } else {
        Err(format!("the objective `{name}` does not go with {groups} trees an iteration"))
    }
}
