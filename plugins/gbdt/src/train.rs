//! From a configuration and rows to a model. The door is [`train`].

use wasmlops_sdk::labels::Labels;
use wasmlops_sdk::{Column, Error, Result, Table, Training, log};

use crate::bins::{Bins, learn_coders};
use crate::boost::{Data, boost};
use crate::check::{check, objective, shape};
use crate::codes::Coder;
use crate::columns::{Chosen, is_number_type, read_target, read_weights, target_numbers};
use crate::config::{Class, ClassWeight, Config, Task};
use crate::model::{Feature, Header, Model};
use crate::objective::Goal;
use crate::scorer::contribution_names;
use crate::shap::Explained;

/// Errors: `invalid-config` for options that belong to another task; `invalid-input` for rows that nothing can be
/// learned from.
pub fn train(config: &Config, data: &Training) -> Result<Model> {
    check(config, data.validation.is_some())?;
    let (table, schema) = (&data.train, data.train.schema());
    let chosen = Chosen::of(config, schema)?;
    if table.num_rows() == 0 {
        let message = "the table has no rows to learn from\nhint: look at the step that produces it";
        return Err(Error::invalid_input(message).at("train"));
    }
    if u32::try_from(table.num_rows()).is_err() {
        return Err(Error::invalid_input("the table has more than 4,294,967,295 rows").at("train"));
    }
    let target = read_target(table, chosen.target, "train")?;
    let weights = chosen.weight.map(|column| read_weights(table, column)).transpose()?;
    let (goal, classes) = goal(config, &target, weights)?;
    drop(target);
    let names: Vec<&str> = chosen.features.iter().map(|&index| schema.fields[index].name.as_str()).collect();
    if config.contributions {
        contribution_names(&classes, &names)?;
    }

    let objective = objective(config, classes.len());
    let coders = learn_coders(table, &chosen.features, config.max_bin as usize, config.seed)?;
    let bins = Bins::read(table, &chosen.features, &coders)?;
    if bins.useful().is_empty() {
        log::warn("every feature has one value only: all predictions are the same");
    }
    let held =
        data.validation.as_ref().map(|table| Held::read(config, table, &names, &coders, &classes)).transpose()?;
    let validation = held.as_ref().map(|held| (&held.bins, &held.goal));
    let boosting = Data { bins: &bins, coders: &coders, goal: &goal, validation };
    let fitted = boost(config, objective, &shape(config), &boosting)?;

    let header = Header {
        task: config.task,
        loss: (config.task == Task::Regression).then(|| config.loss()),
        target: config.target.clone(),
        features: names.iter().zip(&coders).map(|(name, coder)| feature(name, coder)).collect(),
        classes,
        initial: fitted.initial,
        contributions: config.contributions,
    };
    finished(Model { header, trees: fitted.trees })
}

/// With importances, and checked for what would not be found until it is loaded.
fn finished(mut model: Model) -> Result<Model> {
    for node in model.trees.iter().flat_map(|tree| &tree.nodes) {
        let feature = &mut model.header.features[node.feature as usize];
        feature.gain += node.gain;
        feature.splits += 1;
    }
    let mut numbers = model.trees.iter().flat_map(|tree| &tree.leaves).chain(&model.header.initial);
    if !numbers.all(|number| number.is_finite()) {
        let message = "leaf values are not finite\nhint: lower `learning_rate`, or raise `reg_lambda`";
        return Err(Error::invalid_input(message).at("train"));
    }
    if model.header.contributions {
        model.trees.iter().try_for_each(|tree| Explained::new(tree.clone()).map(drop))?;
    }
    Ok(model)
}

fn feature(name: &str, coder: &Coder) -> Feature {
    let categories = match coder {
        Coder::Number { .. } => None,
        Coder::Text { categories, .. } => Some(categories.clone()),
    };
    Feature { name: name.to_owned(), categories, gain: 0.0, splits: 0 }
}

fn goal(config: &Config, target: &Column, weights: Option<Vec<f64>>) -> Result<(Goal, Vec<String>)> {
    if config.task == Task::Regression {
        let target = target_numbers(target, &config.target, "train")?;
        return Ok((Goal { target, weights }, Vec::new()));
    }
    let mut labels = Labels::of(target, &config.target)?;
    if config.task == Task::Binary {
        let positive = config.positive.as_ref().map(Class::to_string);
        labels = labels.make_binary(&config.target, positive.as_deref())?;
    }
    let weights = class_weights(config, &labels, weights)?;
    Ok((Goal { target: labels.rows.iter().map(|&class| class as f64).collect(), weights }, labels.classes))
}

/// Each row's weight with its class's.
fn class_weights(config: &Config, labels: &Labels, weights: Option<Vec<f64>>) -> Result<Option<Vec<f64>>> {
    let mut of_classes = vec![0.0; labels.classes.len()];
    let weight = |row: usize| weights.as_ref().map_or(1.0, |weights| weights[row]);
    labels.rows.iter().enumerate().for_each(|(row, &class)| of_classes[class] += weight(row));
    if let Some(class) = of_classes.iter().position(|&weight| weight == 0.0) {
        let message = format!("all rows of class `{}` have the sample weight 0", labels.classes[class]);
        return Err(Error::invalid_input(format!("{message}\nhint: give some a weight, or leave them out")).at("train"));
    }
    if config.class_weight == ClassWeight::None {
        return Ok(weights);
    }
    let share = of_classes.iter().sum::<f64>() / labels.classes.len() as f64;
    let balanced = labels.rows.iter().enumerate().map(|(row, &class)| weight(row) * share / of_classes[class]);
    Ok(Some(balanced.collect()))
}

/// Rows that are watched, in the bins of those that are learned from.
struct Held {
    bins: Bins,
    goal: Goal,
}

impl Held {
    fn read(config: &Config, table: &Table, names: &[&str], coders: &[Coder], classes: &[String]) -> Result<Self> {
        let refused = |message: String| Error::invalid_input(message).at("validation");
        if table.num_rows() == 0 {
            return Err(refused("the table has no rows to watch".to_owned()));
        }
        let mut problems = Vec::new();
        let mut columns = Vec::with_capacity(names.len());
        for (&name, coder) in names.iter().zip(coders) {
            match table.schema().index_of(name) {
                None => problems.push(format!("`{name}` is missing")),
                Some(index) => {
                    let data_type = table.schema().fields[index].data_type;
                    let is_number = matches!(coder, Coder::Number { .. });
                    if !(if is_number { is_number_type(data_type) } else { data_type.is_text() }) {
                        problems.push(format!("`{name}` is `{}`, and differs from `train`", data_type.name()));
                    }
                    columns.push(index);
                }
            }
        }
        if !problems.is_empty() {
            let hint = "hint: `validation` needs the columns of `train`";
            return Err(refused(format!("columns do not fit: {}\n{hint}", problems.join(", "))));
        }
        let target = table.schema().index_of(&config.target);
        let target = target.ok_or_else(|| refused(format!("there is no target `{}`", config.target)))?;
        let target = read_target(table, target, "validation")?;
        let target = if config.task == Task::Regression {
            target_numbers(&target, &config.target, "validation")?
        } else {
            known_classes(&target, &config.target, classes)?
        };
        Ok(Self { bins: Bins::read(table, &columns, coders)?, goal: Goal { target, weights: None } })
    }
}

fn known_classes(target: &Column, name: &str, classes: &[String]) -> Result<Vec<f64>> {
    let class = |row: usize| {
        let class = target.class(row).and_then(|class| classes.iter().position(|known| *known == class));
        class.map(|class| class as f64).ok_or_else(|| {
            let message = format!("target `{name}` is a class that training lacks, in row {row}");
            Error::invalid_input(message).at("validation")
        })
    };
    (0..target.len()).map(class).collect()
}
