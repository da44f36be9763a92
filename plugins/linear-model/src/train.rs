//! From a configuration and rows to a model. The door is [`train`].

use wasmlops_sdk::labels::Labels;
use wasmlops_sdk::{Column, DataType, Error, Result, Table, Training, log, metrics, progress};

use crate::config::{Class, ClassWeight, Config, Task};
use crate::data::{MOST, Rows, is_usable, read};
use crate::kernels::dot;
use crate::least_squares;
use crate::logistic::{self, Problem};
use crate::minimise::Stop;
use crate::model::Model;
use crate::panels::ROWS;
use crate::scorer::Scorer;

/// Errors: `invalid-config` for options that belong to another task; `invalid-input` for rows that nothing can be
/// learned from.
pub fn train(config: &Config, data: &Training) -> Result<Model> {
    check(config)?;
    let rows = read(config, &data.train)?;
    let model = if config.task == Task::Regression { regress(config, rows)? } else { classify(config, rows)? };
    if !model.is_finite() {
        // What is read is bounded so that this cannot be; JSON would turn it into nulls.
        return Err(Error::internal("a coefficient is not finite"));
    }
    if let Some(table) = data.validation.as_ref().filter(|table| table.num_rows() > 0) {
        metrics::emit("validation_loss", validation_loss(&model, table).map_err(|error| error.at("validation"))?)?;
    }
    Ok(model)
}

fn check(config: &Config) -> Result<()> {
    let regression = config.task == Task::Regression;
    let other_task = |key: &str, is_for: &str, hint: &str| {
        Err(Error::invalid_config(key, format!("`{key}` is for {is_for}\nhint: {hint}")))
    };
    if regression && config.c.is_some() {
        return other_task("c", "classification", "regression is penalised by `alpha`");
    }
    if !regression && config.alpha.is_some() {
        return other_task("alpha", "regression", "classification is penalised by `c`, its inverse");
    }
    if regression && config.class_weight != ClassWeight::None {
        return other_task("class_weight", "classification", "weigh rows with `sample_weight`");
    }
    if config.task != Task::Binary && config.positive.is_some() {
        return other_task("positive", "`task: binary`", "leave it out");
    }
    for (key, value) in [("c", config.c.unwrap_or(1.0)), ("tolerance", config.tolerance)] {
        if value <= 0.0 {
            return Err(Error::invalid_config(key, format!("`{key}` is {value}\nhint: give a number above 0")));
        }
    }
    match config.alpha {
        Some(alpha) if alpha < 0.0 => {
            Err(Error::invalid_config("alpha", format!("`alpha` is {alpha}\nhint: give a number from 0")))
        }
        _ => Ok(()),
    }
}

fn stop_if_cancelled() -> Result<()> {
    if progress::is_cancelled() { Err(Error::internal("the run is being cancelled")) } else { Ok(()) }
}

fn classify(config: &Config, rows: Rows) -> Result<Model> {
    let mut labels = Labels::of(&rows.target, &config.target)?;
    if config.task == Task::Binary {
        let positive = config.positive.as_ref().map(Class::to_string);
        labels = labels.make_binary(&config.target, positive.as_deref())?;
    }
    let weights = class_weights(config, &labels, rows.weights)?;
    let problem = Problem {
        panels: rows.panels,
        labels: &labels,
        weights,
        c: config.c.unwrap_or(1.0),
        fit_intercept: config.fit_intercept,
    };
    let stop = Stop { max_iterations: config.max_iter, tolerance: config.tolerance };
    let fitted = logistic::fit(problem, stop, |iteration, value| {
        stop_if_cancelled()?;
        progress::update(iteration, Some(config.max_iter), &format!("loss {:.6}", value.loss));
        metrics::emit_at("train_loss", value.loss, iteration)
    })?;
    let found = &fitted.minimum;
    metrics::emit("iterations", found.iterations as f64)?;
    metrics::emit("converged", f64::from(u8::from(found.converged)))?;
    if !found.converged {
        log::warn(format!(
            "no convergence after {} iterations: the gradient is {:.3e}, and `tolerance` is {:e}; raise `max_iter` or \
             `tolerance`, or lower `c`",
            found.iterations, found.gradient, config.tolerance
        ));
    }
    Ok(Model {
        task: config.task,
        target: config.target.clone(),
        features: rows.features,
        classes: labels.classes,
        coefficients: fitted.coefficients,
        intercepts: fitted.intercepts,
    })
}

/// Each row's weight with its class's.
fn class_weights(config: &Config, labels: &Labels, mut weights: Vec<f64>) -> Result<Vec<f64>> {
    let mut of_classes = vec![0.0; labels.classes.len()];
    labels.rows.iter().zip(&weights).for_each(|(&class, weight)| of_classes[class] += weight);
    if let Some(class) = of_classes.iter().position(|&weight| weight == 0.0) {
        let message = format!("all rows of class `{}` have the sample weight 0", labels.classes[class]);
        return Err(Error::invalid_input(format!("{message}\nhint: give some a weight, or leave them out")).at("train"));
    }
    if config.class_weight == ClassWeight::Balanced {
        let share = of_classes.iter().sum::<f64>() / labels.classes.len() as f64;
        labels.rows.iter().zip(&mut weights).for_each(|(&class, weight)| *weight *= share / of_classes[class]);
    }
    Ok(weights)
}

fn regress(config: &Config, rows: Rows) -> Result<Model> {
    let Rows { features, mut panels, target, weights } = rows;
    let mut target = target_numbers(&target, &config.target)?;
    target.resize(panels.padded_rows(), 0.0);
    let total: f64 = weights.iter().sum();
    let (centred, mean) = if config.fit_intercept {
        let guess = dot(&target, &weights) / total;
        let rest: Vec<f64> = target.iter().map(|value| value - guess).collect();
        (panels.centre(&weights), guess + dot(&rest, &weights) / total)
    } else {
        (panels.uncentred(&weights), 0.0)
    };
    target.iter_mut().for_each(|value| *value -= mean);

    let count = panels.rows() as u64;
    let solution = least_squares::solve(&panels, &target, &weights, config.alpha.unwrap_or(0.0), |done| {
        stop_if_cancelled()?;
        progress::update(done as u64, Some(count), "rows");
        Ok::<(), Error>(())
    })?;
    let mut squares = 0.0;
    for panel in panels.iter() {
        let mut fitted = [0.0; ROWS];
        panel.add_scores(&solution.coefficients, &mut fitted);
        let rows = panel.start..panel.start + ROWS;
        for ((fitted, target), weight) in fitted.iter().zip(&target[rows.clone()]).zip(&weights[rows]) {
            squares += weight * (target - fitted) * (target - fitted);
        }
    }
    metrics::emit("train_loss", squares / total)?;
    if solution.rank < features.len() {
        log::warn(format!(
            "of {} features only {} are independent: of all best coefficients, the smallest are taken; leave out \
             features that follow from others, or set `alpha`",
            features.len(),
            solution.rank
        ));
    }
    let intercept = mean - dot(&solution.coefficients, &centred.means);
    Ok(Model {
        task: Task::Regression,
        target: config.target.clone(),
        features,
        classes: Vec::new(),
        coefficients: vec![solution.coefficients],
        intercepts: vec![intercept],
    })
}

fn target_numbers(target: &Column, name: &str) -> Result<Vec<f64>> {
    let refused = |what: String, hint: &str| Err(Error::invalid_input(format!("{what}\nhint: {hint}")).at("train"));
    if !matches!(target.data_type(), DataType::S64 | DataType::F64 | DataType::F32) {
        let what = format!("target `{name}` is `{}`, and regression predicts numbers", target.data_type().name());
        return refused(what, "`task: binary` and `task: multiclass` predict classes");
    }
    let values = target.numbers().unwrap_or_default();
    match values.iter().position(|&value| !is_usable(value)) {
        Some(row) => {
            refused(format!("target `{name}` is infinite or beyond {MOST:e} in row {row}"), "leave out such rows")
        }
        None => Ok(values),
    }
}

/// The mean loss on rows that were not learned from, each counted once: squared error, or log loss with probabilities
/// kept 2.2e-16 away from 0, as in scikit-learn.
fn validation_loss(model: &Model, table: &Table) -> Result<f64> {
    let target = table.schema().index_of(&model.target);
    let target = target.ok_or_else(|| Error::invalid_input(format!("there is no target `{}`", model.target)))?;
    let scorer = Scorer::new(model.clone(), table.schema())?;
    let all: Vec<usize> = (0..table.schema().fields.len()).collect();
    let (mut sum, mut first) = (0.0, 0);
    for batch in table.batches(&all) {
        let batch = batch?;
        let predictions = scorer.predict(&batch)?.columns;
        for row in 0..batch.num_rows {
            let loss = row_loss(model, &predictions, &batch.columns[target], row);
            sum += loss.ok_or_else(|| {
                let message = format!("target `{}` is missing or a class that training lacks", model.target);
                Error::invalid_input(format!("{message}, in row {}", first + row))
            })?;
        }
        first += batch.num_rows;
    }
    Ok(sum / table.num_rows() as f64)
}

fn row_loss(model: &Model, predictions: &[Column], target: &Column, row: usize) -> Option<f64> {
    if model.task == Task::Regression {
        let error = target.number(row)? - predictions[0].number(row)?;
        return (!error.is_nan()).then_some(error * error);
    }
    let actual = target.class(row)?;
    let class = model.classes.iter().position(|class| *class == actual)?;
    Some(-predictions[1 + class].number(row)?.max(f64::EPSILON).ln())
}
