//! The numbers above the drawings, for the model and what it stands beside.

use wasmlops_sdk::prelude::*;
use wasmlops_statistics::regression;

use crate::curves::Cuts;
use crate::outcomes::{Classified, Numbered, Outcomes};

/// A metric of the model and of the baseline; absent where it is undefined.
#[derive(Clone, PartialEq, Debug)]
pub struct Score {
    pub name: &'static str,
    pub model: Option<f64>,
    pub baseline: Option<f64>,
}

pub fn of(outcomes: &Outcomes) -> Vec<Score> {
    match outcomes {
        Outcomes::Classes { candidate, baseline } => side_by_side(classes(candidate), baseline.as_ref().map(classes)),
        Outcomes::Numbers { candidate, baseline } => side_by_side(numbers(candidate), baseline.as_ref().map(numbers)),
    }
}

type Values = Vec<(&'static str, Option<f64>)>;

fn side_by_side(model: Values, baseline: Option<Values>) -> Vec<Score> {
    let other = |place: usize| baseline.as_ref().and_then(|values| values[place].1);
    model.into_iter().enumerate().map(|(place, (name, model))| Score { name, model, baseline: other(place) }).collect()
}

fn classes(model: &Classified) -> Values {
    let rows = &model.rows;
    let all = vec![
        ("auc", rows.auc()),
        ("average_precision", average_precision(model)),
        ("log_loss", rows.log_loss()),
        ("brier", rows.brier()),
        ("accuracy", Some(rows.accuracy())),
        ("balanced_accuracy", Some(rows.balanced_accuracy())),
        ("precision", Some(rows.precision())),
        ("recall", Some(rows.recall())),
        ("f1", Some(rows.f1())),
    ];
    // With more than two classes there is none.
    all.into_iter().filter(|(name, value)| *name != "average_precision" || value.is_some()).collect()
}

/// Of two classes, the area below the steps of precision and recall.
fn average_precision(model: &Classified) -> Option<f64> {
    let positive = model.rows.positive?;
    Some(Cuts::of(model.rows.probabilities.get(positive)?, &model.is(positive))?.average_precision())
}

fn numbers(model: &Numbered) -> Values {
    vec![
        ("rmse", Some(regression::rmse(&model.truth, &model.predicted))),
        ("mae", Some(regression::mae(&model.truth, &model.predicted))),
        ("r2", regression::r2(&model.truth, &model.predicted)),
    ]
}

/// Hands the model's numbers to the host.
pub fn emit(scores: &[Score], rows: usize) -> Result<()> {
    metrics::emit("rows", rows as f64)?;
    for score in scores {
        if let Some(value) = score.model {
            metrics::emit(score.name, value)?;
        }
    }
    Ok(())
}
