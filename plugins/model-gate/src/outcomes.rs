//! Truth and predictions side by side, read from the evaluation's tables. The door is [`Outcomes::read`].

use wasmlops_sdk::prelude::*;

use crate::classes::{Classes, Classified, Unknown};
use crate::config::{Config, Task};
use crate::numbers::Numbered;
use crate::scores::Scores;
use crate::{classification, regression};

/// Everything that is judged.
pub struct Outcomes {
    pub candidate: Predicted,
    /// The model to compare with, or why it cannot be.
    pub baseline: Option<Result<Predicted, String>>,
    /// Rows whose true class the model does not know; for regression and for models that give no probabilities there is
    /// no such thing.
    pub unknown: Option<Unknown>,
}

/// One model's predictions with the truth.
#[derive(Clone, Debug)]
pub enum Predicted {
    Classes(Classified),
    Numbers(Numbered),
}

impl Predicted {
    pub fn len(&self) -> usize {
        match self {
            Predicted::Classes(classified) => classified.truth.len(),
            Predicted::Numbers(numbered) => numbered.truth.len(),
        }
    }

    /// The rows with these indexes.
    pub fn select(&self, rows: &[usize]) -> Self {
        match self {
            Predicted::Classes(classified) => Predicted::Classes(classified.select(rows)),
            Predicted::Numbers(numbered) => Predicted::Numbers(numbered.select(rows)),
        }
    }

    pub fn scores(&self) -> Scores {
        match self {
            Predicted::Classes(classified) => classification::scores(classified),
            Predicted::Numbers(numbered) => regression::scores(numbered),
        }
    }
}

impl Outcomes {
    /// Errors: `invalid-input` for an evaluation without truth or rows, with null in it, or with predictions of another
    /// form than the contract's; `invalid-config` for a `positive` or `threshold` that the classes do not allow.
    pub fn read(config: &Config, task: Task, evaluation: &Evaluation) -> Result<Self> {
        let truth = truth(evaluation)?;
        let (candidate, champion) = (&evaluation.candidate, evaluation.champion.as_ref());
        for (input, table) in [("model", Some(candidate)), ("baseline", champion)] {
            if let Some(rows) = table.map(Table::num_rows).filter(|&rows| rows != truth.len()) {
                let message = format!("{rows} predictions for {} rows", truth.len());
                return Err(Error::invalid_input(message).at(input));
            }
        }
        match task {
            Task::Regression => {
                let baseline = champion.map(|champion| Numbered::read(&truth, champion, "baseline")).transpose()?;
                Ok(Self {
                    candidate: Predicted::Numbers(Numbered::read(&truth, candidate, "model")?),
                    baseline: baseline.map(|numbered| Ok(Predicted::Numbers(numbered))),
                    unknown: None,
                })
            }
            Task::Classification => {
                let classes = Classes::of(config, candidate, &truth)?;
                let baseline = champion.map(|champion| classes.read_baseline(champion)).transpose()?;
                Ok(Self {
                    candidate: Predicted::Classes(classes.read(candidate, "model")?),
                    baseline: baseline.map(|read| read.map(Predicted::Classes)),
                    unknown: classes.into_unknown(),
                })
            }
        }
    }
}

/// What really was: one column with at least one row and no null.
fn truth(evaluation: &Evaluation) -> Result<Column> {
    let Some(table) = &evaluation.truth else {
        let message =
            "the table has no column with the truth\nhint: the model must have a target, and the table its column";
        return Err(Error::invalid_input(message).at("table"));
    };
    if table.num_rows() == 0 {
        return Err(Error::invalid_input("there are no rows to judge the model by").at("table"));
    }
    let truth = table.column(0)?;
    let missing = match truth.data_type() {
        DataType::F64 | DataType::F32 => truth.numbers().iter().flatten().filter(|value| value.is_nan()).count(),
        _ => truth.null_count(),
    };
    if missing > 0 {
        let name = table.schema().names().next().unwrap_or_default();
        let message = format!(
            "{missing} of {} rows have no truth: `{name}` is null or NaN there\nhint: remove these rows first",
            truth.len()
        );
        return Err(Error::invalid_input(message).at("table"));
    }
    Ok(truth)
}
