//! Truth and predictions side by side, read from the evaluation's tables. The door is [`Outcomes::read`].

use std::collections::HashMap;

use wasmlops_sdk::prelude::*;
use wasmlops_statistics::classification::Rows;
use wasmlops_statistics::text;

use crate::config::Config;

const PROBABILITY: &str = "probability.";

/// More are names or keys, and each takes memory for every row.
const MOST_CLASSES: usize = 1_000;

/// What is drawn.
pub enum Outcomes {
    Classes { candidate: Classified, baseline: Option<Classified> },
    Numbers { candidate: Numbered, baseline: Option<Numbered> },
}

/// One model's classes, row by row, as indexes into `names`.
pub struct Classified {
    /// The model's classes in its order, then those that only the truth has.
    pub names: Vec<String>,
    pub truth: Vec<u32>,
    /// The same truth, predictions and probabilities as the shared statistics take them.
    pub rows: Rows,
    /// Rows whose truth is not known; they are in none of the lists.
    pub left_out: usize,
}

/// One model's numbers, row by row.
pub struct Numbered {
    pub truth: Vec<f64>,
    pub predicted: Vec<f64>,
    /// Rows whose truth or prediction is not known or not finite; they are in none of the lists.
    pub left_out: usize,
}

impl Outcomes {
    /// Errors: `invalid-input` for an evaluation without truth or rows, or with predictions of another form than the
    /// contract's; `invalid-config` for a `positive` or `threshold` that the classes do not allow.
    pub fn read(config: &Config, evaluation: &Evaluation) -> Result<Self> {
        let truth = truth(evaluation)?;
        let is_number =
            |table: &Table| table.schema().field("prediction").is_some_and(|one| one.data_type.is_numeric());
        let (candidate, champion) = (&evaluation.candidate, evaluation.champion.as_ref());
        let of_numbers = is_number(candidate);
        // A model of another task says nothing that could stand beside this one.
        let champion = champion.filter(|champion| is_number(champion) == of_numbers);
        if of_numbers {
            let read = |table| Numbered::read(&truth, table);
            return Ok(Outcomes::Numbers { candidate: read(candidate)?, baseline: champion.map(read).transpose()? });
        }
        let candidate = Classified::read(config, &truth, candidate)?;
        let baseline = champion.map(|champion| Classified::read(config, &truth, champion)).transpose()?;
        let baseline = baseline.filter(|baseline| baseline.names == candidate.names);
        Ok(Outcomes::Classes { candidate, baseline })
    }
}

fn truth(evaluation: &Evaluation) -> Result<Column> {
    let Some(table) = &evaluation.truth else {
        let message =
            "the table has no column with the truth\nhint: the model must have a target, and the table its column";
        return Err(Error::invalid_input(message).at("table"));
    };
    if table.num_rows() == 0 {
        return Err(Error::invalid_input("there are no rows to draw").at("table"));
    }
    table.column(0)
}

impl Numbered {
    fn read(truth: &Column, predictions: &Table) -> Result<Self> {
        let wrong = |what: &str| Error::invalid_input(format!("the {what} is no number")).at("model");
        let truth = truth.numbers().ok_or_else(|| wrong("truth"))?;
        let place = predictions.schema().index_of("prediction").ok_or_else(|| wrong("prediction"))?;
        let predicted = predictions.column(place)?.numbers().ok_or_else(|| wrong("prediction"))?;
        let rows = truth.len();
        let known = truth.into_iter().zip(predicted).filter(|(y, guess)| y.is_finite() && guess.is_finite());
        let (truth, predicted): (Vec<f64>, Vec<f64>) = known.unzip();
        if truth.is_empty() {
            return Err(Error::invalid_input("no row has both a truth and a prediction").at("table"));
        }
        Ok(Self { left_out: rows - truth.len(), truth, predicted })
    }
}

impl Classified {
    fn read(config: &Config, truth: &Column, predictions: &Table) -> Result<Self> {
        let columns: Vec<(usize, &str)> = predictions
            .schema()
            .names()
            .enumerate()
            .filter_map(|(place, name)| Some((place, name.strip_prefix(PROBABILITY)?)))
            .collect();
        let mut classes = Classes::default();
        for (_, class) in &columns {
            classes.number(class);
        }
        let said = match predictions.schema().index_of("prediction") {
            Some(place) => predictions.column(place)?,
            None => return Err(Error::invalid_input("the model gives no `prediction`").at("model")),
        };
        let known: Vec<usize> = (0..truth.len()).filter(|&row| !truth.is_null(row) && !said.is_null(row)).collect();
        if known.is_empty() {
            return Err(Error::invalid_input("no row has both a truth and a prediction").at("table"));
        }
        let model_classes = if columns.is_empty() { None } else { Some(classes.names.len()) };
        let mut numbers = |column: &Column| -> Vec<u32> {
            known.iter().map(|&row| classes.number(&column.class(row).unwrap_or_default())).collect()
        };
        let (predicted, truth_of_rows) = (numbers(&said), numbers(truth));
        if classes.names.len() > MOST_CLASSES {
            let message = format!("there are {} classes, and at most {MOST_CLASSES} can be drawn", classes.names.len());
            return Err(Error::invalid_input(message).at("table"));
        }
        let mut probabilities = Vec::new();
        for (place, class) in &columns {
            let numbers = predictions.column(*place)?.numbers();
            let wrong = || Error::invalid_input(format!("`{PROBABILITY}{class}` holds no numbers")).at("model");
            let numbers = numbers.ok_or_else(wrong)?;
            probabilities.push(known.iter().map(|&row| numbers[row].clamp(0.0, 1.0)).collect::<Vec<f64>>());
        }
        if probabilities.iter().flatten().any(|probability| probability.is_nan()) {
            return Err(Error::invalid_input("some probabilities are null or NaN").at("model"));
        }
        if !probabilities.is_empty() {
            // A class that the model does not know has probability 0.
            probabilities.resize(classes.names.len(), vec![0.0; known.len()]);
        }
        let weights =
            |class: usize| truth_of_rows.iter().map(move |&truth| f64::from(u8::from(truth as usize == class)));
        let rows = Rows {
            truth: (0..classes.names.len()).map(|class| weights(class).collect()).collect(),
            predicted,
            probabilities,
            positive: None,
        };
        let left_out = truth.len() - known.len();
        let mut read = Self { names: classes.names, truth: truth_of_rows, rows, left_out };
        read.choose_positive(config, model_classes)?;
        Ok(read)
    }

    fn choose_positive(&mut self, config: &Config, known: Option<usize>) -> Result<()> {
        let two = known.unwrap_or(self.names.len()) == 2 && self.names.len() == 2;
        let names = || text::names(self.names.iter().map(String::as_str));
        self.rows.positive = match &config.positive {
            None => two.then_some(1),
            Some(wanted) => {
                let wanted = wanted.to_string();
                let found = self.names.iter().position(|class| *class == wanted).filter(|_| two);
                let message = format!("`{wanted}` is not one of two classes of the model, which knows {}", names());
                Some(found.ok_or_else(|| Error::invalid_config("positive", message))?)
            }
        };
        let Some(threshold) = config.threshold else { return Ok(()) };
        let (Some(positive), false) = (self.rows.positive, self.rows.probabilities.is_empty()) else {
            let message = "`threshold` is for models with two classes and probabilities";
            return Err(Error::invalid_config("threshold", message));
        };
        for (predicted, probability) in self.rows.predicted.iter_mut().zip(&self.rows.probabilities[positive]) {
            *predicted = if *probability >= threshold { positive } else { 1 - positive } as u32;
        }
        Ok(())
    }

    pub fn len(&self) -> usize {
        self.truth.len()
    }

    /// For each row, whether it is of the class.
    pub fn is(&self, class: usize) -> Vec<bool> {
        self.truth.iter().map(|&truth| truth as usize == class).collect()
    }

    pub fn count(&self, class: usize) -> usize {
        self.truth.iter().filter(|truth| **truth as usize == class).count()
    }
}

/// Classes by number, in the order in which they were met.
#[derive(Default)]
struct Classes {
    names: Vec<String>,
    numbers: HashMap<String, u32>,
}

impl Classes {
    fn number(&mut self, class: &str) -> u32 {
        if let Some(&known) = self.numbers.get(class) {
            return known;
        }
        let new = self.names.len() as u32;
        self.names.push(class.to_owned());
        self.numbers.insert(class.to_owned(), new);
        new
    }
}
