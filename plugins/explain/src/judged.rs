//! The model's answers beside the truth, and the numbers that follow from both: losses of rows, one score for all.

use wasmlops_sdk::prelude::*;
use wasmlops_statistics::classification::Rows;
use wasmlops_statistics::evaluation::{Answers, Predictions, Reader};
use wasmlops_statistics::regression;

use crate::config::{Config, Cost, Metric};

/// A model on held-out rows.
pub struct Judged {
    pub reader: Reader,
    pub truth: Answers,
    pub predictions: Predictions,
    /// Of two classes, or where the configuration names it.
    pub positive: Option<u32>,
    /// The column that the model predicts.
    pub target: String,
}

impl Judged {
    /// Errors: `invalid-input` without truth or rows, or where some are missing; `invalid-config` for a `positive` that
    /// is no class of the model.
    pub fn read(config: &Config, evaluation: &Evaluation) -> Result<Self> {
        let no_truth = || {
            let message =
                "the table has no column with the truth\nhint: the model must have a target, and the table its column";
            Error::invalid_input(message).at("table")
        };
        let target = evaluation.truth.as_ref().and_then(|table| table.schema().names().next()).ok_or_else(no_truth)?;
        let target = target.to_owned();
        if evaluation.features.num_rows() == 0 {
            return Err(Error::invalid_input("there are no rows to judge the model by").at("table"));
        }
        let mut reader = Reader::new(evaluation)?;
        let two = reader.classes().is_some_and(|classes| classes.len() == 2);
        let positive = match &config.positive {
            Some(class) => Some(reader.class(&class.to_string(), "positive")?),
            None => two.then_some(1),
        };
        let predictions = reader.table(&evaluation.candidate)?;
        let truth = reader.truth(evaluation)?.ok_or_else(no_truth)?;
        Ok(Self { reader, truth, predictions, positive, target })
    }

    pub fn len(&self) -> usize {
        self.truth.len()
    }

    pub fn of_numbers(&self) -> bool {
        self.reader.classes().is_none()
    }

    pub fn with_probabilities(&self) -> bool {
        !self.predictions.probabilities.is_empty()
    }

    /// What each row costs.
    ///
    /// Errors: `invalid-config` at `slices.loss` for one that the model does not allow.
    pub fn losses(&self, loss: Cost) -> Result<Vec<f64>> {
        if loss.is_of_numbers() != self.of_numbers() {
            return Err(self.other_kind("slices.loss", loss.name(), loss.is_of_numbers()));
        }
        if matches!(loss, Cost::LogLoss | Cost::Brier) && !self.with_probabilities() {
            let message = format!("`{}` needs probabilities, and the model gives none", loss.name());
            return Err(Error::invalid_config("slices.loss", message));
        }
        let probabilities = &self.predictions.probabilities;
        let scale = if probabilities.len() <= 2 { 0.5 } else { 1.0 };
        let square = |class: u32, row: usize| -> f64 {
            let error =
                |(other, p): (usize, &Vec<f64>)| (p[row] - f64::from(u8::from(other == class as usize))).powi(2);
            let unknown = if class as usize >= probabilities.len() { 1.0 } else { 0.0 };
            scale * (probabilities.iter().enumerate().map(error).sum::<f64>() + unknown)
        };
        // Of a class that the model does not know the probability is 0.
        let probability = |class: u32, row: usize| probabilities.get(class as usize).map_or(0.0, |p| p[row]);
        let surprise = |p: f64| -p.clamp(f64::EPSILON, 1.0 - f64::EPSILON).ln();
        Ok(match (&self.truth, &self.predictions.answers) {
            (Answers::Classes(truth), Answers::Classes(said)) => {
                let rows = truth.iter().zip(said).enumerate();
                rows.map(|(row, (&truth, &said))| match loss {
                    Cost::LogLoss => surprise(probability(truth, row)),
                    Cost::Brier => square(truth, row),
                    _ => f64::from(u8::from(truth != said)),
                })
                .collect()
            }
            (Answers::Numbers(truth), Answers::Numbers(said)) => {
                let errors = truth.iter().zip(said).map(|(truth, said)| (truth - said).abs());
                errors.map(|error| if loss == Cost::Squared { error * error } else { error }).collect()
            }
            _ => Vec::new(),
        })
    }

    /// Some rows, ready to be scored.
    ///
    /// Errors: `invalid-config` at `importance.metric` for one that the model does not allow.
    pub fn scorer(&self, metric: Metric, rows: &[usize]) -> Result<Scorer> {
        let key = "importance.metric";
        if metric.is_of_numbers() != self.of_numbers() {
            return Err(self.other_kind(key, metric.name(), metric.is_of_numbers()));
        }
        if matches!(metric, Metric::Auc | Metric::LogLoss | Metric::Brier) && !self.with_probabilities() {
            let message = format!("`{}` needs probabilities, and the model gives none", metric.name());
            return Err(Error::invalid_config(key, message));
        }
        Ok(match self.truth.select(rows) {
            Answers::Numbers(truth) => Scorer { metric, numbers: truth, rows: Rows::default() },
            Answers::Classes(truth) => {
                let classes = self.reader.classes().map_or(0, <[String]>::len);
                let one_hot =
                    |class: usize| truth.iter().map(|&it| f64::from(u8::from(it as usize == class))).collect();
                let positive = self.positive.filter(|_| classes == 2).map(|class| class as usize);
                let truth = (0..classes).map(one_hot).collect();
                Scorer { metric, numbers: Vec::new(), rows: Rows { truth, positive, ..Rows::default() } }
            }
        })
    }

    fn other_kind(&self, key: &str, name: &str, of_numbers: bool) -> Error {
        let (is, predicts) = if of_numbers { ("numbers", "classes") } else { ("classes", "numbers") };
        Error::invalid_config(key, format!("`{name}` is for models of {is}, and this one predicts {predicts}"))
    }
}

/// Scores predictions of the same rows again and again.
pub struct Scorer {
    metric: Metric,
    /// The truth of numbers; that of classes is in `rows`.
    numbers: Vec<f64>,
    rows: Rows,
}

impl Scorer {
    /// `None` where the metric has no value for these rows.
    pub fn score(&mut self, predictions: Predictions) -> Option<f64> {
        let predicted = match predictions.answers {
            Answers::Numbers(said) => {
                return match self.metric {
                    Metric::Rmse => Some(regression::rmse(&self.numbers, &said)),
                    Metric::Mae => Some(regression::mae(&self.numbers, &said)),
                    _ => regression::r2(&self.numbers, &said),
                };
            }
            Answers::Classes(said) => said,
        };
        let (rows, none) = (predicted.len(), predictions.probabilities.is_empty());
        // A class that only an answer to shuffled rows has.
        let classes = predicted.iter().max().map_or(0, |&class| class as usize + 1).max(self.rows.truth.len());
        self.rows.truth.resize(classes, vec![0.0; rows]);
        self.rows.predicted = predicted;
        self.rows.probabilities = predictions.probabilities;
        if !none {
            self.rows.probabilities.resize(classes, vec![0.0; rows]);
        }
        match self.metric {
            Metric::Accuracy => Some(self.rows.accuracy()),
            Metric::BalancedAccuracy => Some(self.rows.balanced_accuracy()),
            Metric::F1 => Some(self.rows.f1()),
            Metric::Auc => self.rows.auc(),
            Metric::LogLoss => self.rows.log_loss(),
            _ => self.rows.brier(),
        }
    }
}
