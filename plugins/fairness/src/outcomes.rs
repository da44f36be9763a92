//! What the model decides and what really was, row by row, as far as fairness asks.

use wasmlops_sdk::prelude::*;
use wasmlops_statistics::evaluation::{Answers, Reader};

use crate::config::Config;
use crate::groups::Groups;
use crate::rates::{Group, Rate};

/// One kind for the whole evaluation. Without a truth only what the model decides can be compared.
pub enum Outcomes {
    Classes { positive: Option<Vec<bool>>, selected: Vec<bool> },
    Numbers { truth: Option<Vec<f64>>, predicted: Vec<f64> },
}

impl Outcomes {
    /// Errors: `invalid-config` for a `positive` or `threshold` that the model does not allow; `invalid-input` for no
    /// rows, and for answers that are missing.
    pub fn read(config: &Config, evaluation: &Evaluation) -> Result<Self> {
        if evaluation.features.num_rows() == 0 {
            return Err(Error::invalid_input("there are no rows to judge the model by").at("table"));
        }
        let mut reader = Reader::new(evaluation)?;
        let predictions = reader.table(&evaluation.candidate)?;
        let known = reader.classes().map(<[String]>::len);
        let truth = reader.truth(evaluation)?;
        let predicted = match predictions.answers {
            Answers::Numbers(predicted) => {
                no_classes(config)?;
                let truth = truth.and_then(|truth| match truth {
                    Answers::Numbers(truth) => Some(truth),
                    Answers::Classes(_) => None,
                });
                return Ok(Outcomes::Numbers { truth, predicted });
            }
            Answers::Classes(predicted) => predicted,
        };
        let positive = match &config.positive {
            Some(class) => reader.class(&class.to_string(), "positive")?,
            None if reader.with_probabilities() == 2 || known == Some(2) => 1,
            None => {
                let message = "the model knows other than two classes, so `positive` has to say which one counts";
                return Err(Error::invalid_config("positive", message));
            }
        };
        let selected = match (config.threshold, predictions.probabilities.get(positive as usize)) {
            (None, _) => predicted.iter().map(|&class| class == positive).collect(),
            (Some(threshold), Some(probabilities)) => probabilities.iter().map(|&p| p >= threshold).collect(),
            (Some(_), None) => {
                let message = "`threshold` needs probabilities of `positive`, and the model gives none";
                return Err(Error::invalid_config("threshold", message));
            }
        };
        let positive = truth.and_then(|truth| match truth {
            Answers::Classes(truth) => Some(truth.into_iter().map(|class| class == positive).collect()),
            Answers::Numbers(_) => None,
        });
        Ok(Outcomes::Classes { positive, selected })
    }

    /// The rates that can be had.
    pub fn rates(&self) -> &'static [Rate] {
        match self {
            Outcomes::Classes { positive: Some(_), .. } => &[Rate::Selection, Rate::TruePositive, Rate::FalsePositive],
            Outcomes::Classes { positive: None, .. } => &[Rate::Selection],
            Outcomes::Numbers { truth: Some(_), .. } => &[Rate::MeanPrediction, Rate::MeanAbsoluteError],
            Outcomes::Numbers { truth: None, .. } => &[Rate::MeanPrediction],
        }
    }

    /// Counts each group.
    pub fn count(&self, groups: &Groups) -> Vec<Group> {
        let mut counted = vec![Group::default(); groups.names.len()];
        for (row, &group) in groups.of_row.iter().enumerate() {
            let group = &mut counted[group as usize];
            group.rows += 1;
            match self {
                Outcomes::Classes { positive, selected } => {
                    let is = positive.as_ref().is_some_and(|positive| positive[row]);
                    group.positives += u64::from(is);
                    group.selected += u64::from(selected[row]);
                    group.true_positives += u64::from(is && selected[row]);
                }
                Outcomes::Numbers { truth, predicted } => {
                    group.predicted += predicted[row];
                    group.errors += truth.as_ref().map_or(0.0, |truth| (truth[row] - predicted[row]).abs());
                }
            }
        }
        counted
    }
}

fn no_classes(config: &Config) -> Result<()> {
    for (key, given) in [("positive", config.positive.is_some()), ("threshold", config.threshold.is_some())] {
        if given {
            return Err(Error::invalid_config(key, format!("`{key}` is for classes, and the model predicts numbers")));
        }
    }
    Ok(())
}
