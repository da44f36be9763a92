//! Predictions that are classes, with the truth: every class has a number, the same for all models compared.

use std::collections::HashMap;

use wasmlops_sdk::prelude::*;

use crate::config::Config;
use crate::text;

/// What the names of probability columns start with; the class follows.
pub const PROBABILITY: &str = "probability.";

/// How far outside 0 and 1 rounding may carry a probability.
const OUTSIDE: f64 = 1e-6;

/// How far from 1 the probabilities of a row may sum without a warning: f32 models round at about 1e-6 a class.
const SUM: f64 = 1e-3;

/// One model's classes, row by row, as indexes.
#[derive(Clone, Debug)]
pub struct Classified {
    pub names: Vec<String>,
    /// Of exactly two classes, the one that the metrics are about.
    pub positive: Option<usize>,
    pub truth: Vec<u32>,
    pub predicted: Vec<u32>,
    /// For each class one probability a row; `None` for a class that the model does not know, which is probability 0.
    /// Empty for a model that gives none.
    pub probabilities: Vec<Option<Vec<f64>>>,
}

impl Classified {
    pub fn select(&self, rows: &[usize]) -> Self {
        let labels = |labels: &[u32]| rows.iter().map(|&row| labels[row]).collect();
        let numbers = |numbers: &Option<Vec<f64>>| -> Option<Vec<f64>> {
            numbers.as_ref().map(|numbers| rows.iter().map(|&row| numbers[row]).collect())
        };
        Self {
            names: self.names.clone(),
            positive: self.positive,
            truth: labels(&self.truth),
            predicted: labels(&self.predicted),
            probabilities: self.probabilities.iter().map(numbers).collect(),
        }
    }

    pub fn probability(&self, class: usize, row: usize) -> f64 {
        self.probabilities[class].as_ref().map_or(0.0, |numbers| numbers[row])
    }
}

/// Rows whose true class the model does not know.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Unknown {
    pub rows: u64,
    /// The classes and how often each comes, in the order of their first row.
    pub classes: Vec<(String, u64)>,
    pub known: Vec<String>,
}

/// The classes there are and the truth in their terms.
pub struct Classes {
    /// The model's classes in its order, then those that only the truth has.
    names: Vec<String>,
    truth: Vec<u32>,
    /// How many of the names are the model's.
    known: usize,
    gives_probabilities: bool,
    /// Of two classes that the model knows.
    positive: Option<usize>,
    threshold: Option<f64>,
}

impl Classes {
    /// Errors: `invalid-config` for a `positive` that is no class of the model, or where the model does not know two.
    pub fn of(config: &Config, predictions: &Table, truth: &Column) -> Result<Self> {
        let mut names: Vec<String> = probability_columns(predictions).map(|(_, class)| class.to_owned()).collect();
        let gives_probabilities = !names.is_empty();
        if !gives_probabilities {
            names = classes_said(predictions, truth)?;
        }
        let known = names.len();
        let truth = labels(truth, |class| Ok(number_of(&mut names, class)))?;
        let mut classes = Self { names, truth, known, gives_probabilities, positive: None, threshold: None };
        classes.choose_positive(config)?;
        Ok(classes)
    }

    /// The predictions of a model that knows no other classes.
    ///
    /// Errors: `invalid-input` at `input` for null, classes without a probability, and what is no probability.
    pub fn read(&self, predictions: &Table, input: &str) -> Result<Classified> {
        let probabilities = self.probabilities(predictions, input)?;
        let predicted = match (self.threshold, self.positive) {
            (Some(threshold), Some(positive)) => self.by_threshold(&probabilities, positive, threshold),
            _ => self.said(predictions, &probabilities, input)?,
        };
        Ok(Classified {
            names: self.names.clone(),
            positive: self.positive.filter(|_| self.names.len() == 2),
            truth: self.truth.clone(),
            predicted,
            probabilities,
        })
    }

    /// The same for the model to compare with; `Ok(Err)` with the reason where its classes are others.
    pub fn read_baseline(&self, predictions: &Table) -> Result<Result<Classified, String>> {
        let mut others: Vec<&str> = probability_columns(predictions).map(|(_, class)| class).collect();
        if self.gives_probabilities && others.is_empty() {
            return Ok(Err("it gives no probabilities, and the model does".to_owned()));
        }
        others.retain(|&class| !self.names.iter().any(|known| known == class));
        if !others.is_empty() {
            let others = text::names(others);
            return Ok(Err(format!("it knows {others}, which neither the model nor the truth does")));
        }
        self.read(predictions, "baseline").map(Ok)
    }

    /// Only what gives probabilities says which classes it knows.
    pub fn into_unknown(self) -> Option<Unknown> {
        let mut counts = vec![0; self.names.len()];
        self.truth.iter().for_each(|&class| counts[class as usize] += 1);
        let known = self.names[..self.known].to_vec();
        let classes: Vec<(String, u64)> = self.names.into_iter().zip(counts).skip(self.known).collect();
        let rows = classes.iter().map(|(_, count)| count).sum();
        self.gives_probabilities.then_some(Unknown { rows, classes, known })
    }

    fn choose_positive(&mut self, config: &Config) -> Result<()> {
        for (key, given) in [("positive", config.positive.is_some()), ("threshold", config.threshold.is_some())] {
            if given && self.known != 2 {
                let message = format!("`{key}` is for models with two classes, and this one has {}", self.known);
                return Err(Error::invalid_config(key, message));
            }
        }
        if config.threshold.is_some() && !self.gives_probabilities {
            return Err(Error::invalid_config(
                "threshold",
                "`threshold` needs probabilities, and the model gives none",
            ));
        }
        self.threshold = config.threshold;
        let known = &self.names[..self.known];
        self.positive = match &config.positive {
            None if self.known == 2 => Some(1),
            None => None,
            Some(wanted) => {
                let wanted = wanted.to_string();
                let found = known.iter().position(|class| *class == wanted);
                let known = text::names(known.iter().map(String::as_str));
                let wrong = || {
                    Error::invalid_config(
                        "positive",
                        format!("`{wanted}` is no class of the model, which knows {known}"),
                    )
                };
                Some(found.ok_or_else(wrong)?)
            }
        };
        Ok(())
    }

    fn probabilities(&self, predictions: &Table, input: &str) -> Result<Vec<Option<Vec<f64>>>> {
        if !self.gives_probabilities {
            return Ok(Vec::new());
        }
        let mut probabilities = vec![None; self.names.len()];
        let mut sums = vec![0.0; self.truth.len()];
        for (column, class) in probability_columns(predictions) {
            let Some(place) = self.names.iter().position(|name| name == class) else { continue };
            let numbers = probabilities_in(&predictions.column(column)?)
                .map_err(|reason| Error::invalid_input(format!("`{PROBABILITY}{class}` {reason}")).at(input))?;
            sums.iter_mut().zip(&numbers).for_each(|(sum, probability)| *sum += probability);
            probabilities[place] = Some(numbers);
        }
        let off = sums.iter().filter(|sum| (*sum - 1.0).abs() > SUM).count();
        if off > 0 {
            log::warn(format!("input `{input}`: the probabilities of {off} of {} rows do not sum to 1", sums.len()));
        }
        Ok(probabilities)
    }

    fn by_threshold(&self, probabilities: &[Option<Vec<f64>>], positive: usize, threshold: f64) -> Vec<u32> {
        let negative = 1 - positive;
        let at_least = |row: usize| probabilities[positive].as_ref().is_some_and(|numbers| numbers[row] >= threshold);
        (0..self.truth.len()).map(|row| if at_least(row) { positive as u32 } else { negative as u32 }).collect()
    }

    /// The class that the model says; without a column for it, the most probable one (of equals the first).
    fn said(&self, predictions: &Table, probabilities: &[Option<Vec<f64>>], input: &str) -> Result<Vec<u32>> {
        let Some(column) = predictions.schema().index_of("prediction") else {
            let most_probable = |row: usize| {
                let known = probabilities
                    .iter()
                    .enumerate()
                    .filter_map(|(class, numbers)| Some((class, numbers.as_ref()?[row])));
                known
                    .reduce(|best, other| if other.1 > best.1 { other } else { best })
                    .map_or(0, |(class, _)| class as u32)
            };
            return Ok((0..self.truth.len()).map(most_probable).collect());
        };
        let column = predictions.column(column)?;
        let nulls = column.null_count();
        if nulls > 0 {
            let message = format!("{nulls} of {} predictions are null", column.len());
            return Err(Error::invalid_input(message).at(input));
        }
        labels(&column, |class| {
            self.names.iter().position(|name| name == class).map(|place| place as u32).ok_or_else(|| {
                let message = format!("the prediction {} has no column of probabilities", text::name(class));
                Error::invalid_input(message).at(input)
            })
        })
    }
}

/// Errors: what is wrong with the column.
fn probabilities_in(column: &Column) -> Result<Vec<f64>, String> {
    let not_numbers = || format!("is {}, and probabilities are numbers", column.data_type().name());
    let numbers = column.numbers().ok_or_else(not_numbers)?;
    let range = -OUTSIDE..=1.0 + OUTSIDE;
    let wrong = numbers.iter().filter(|probability| !range.contains(probability)).count();
    if wrong == 0 {
        return Ok(numbers);
    }
    Err(format!(
        "has {} that {} no probability from 0 to 1",
        text::counted(wrong, "value"),
        if wrong == 1 { "is" } else { "are" }
    ))
}

/// Columns with probabilities: index and class.
fn probability_columns(predictions: &Table) -> impl Iterator<Item = (usize, &str)> {
    let names = predictions.schema().names().enumerate();
    names.filter_map(|(index, name)| Some((index, name.strip_prefix(PROBABILITY)?)))
}

/// Without probabilities: the classes that are said or true, sorted.
fn classes_said(predictions: &Table, truth: &Column) -> Result<Vec<String>> {
    let mut names = Vec::new();
    if let Some(column) = predictions.schema().index_of("prediction") {
        labels(&predictions.column(column)?, |class| Ok(number_of(&mut names, class)))?;
    }
    labels(truth, |class| Ok(number_of(&mut names, class)))?;
    names.sort();
    Ok(names)
}

/// The place of a class among the names, added if need be.
fn number_of(names: &mut Vec<String>, class: &str) -> u32 {
    let place = names.iter().position(|name| name == class).unwrap_or_else(|| {
        names.push(class.to_owned());
        names.len() - 1
    });
    place as u32
}

/// Each row's class as a number; `number` is asked once for each class, and nulls give 0.
fn labels(column: &Column, mut number: impl FnMut(&str) -> Result<u32>) -> Result<Vec<u32>> {
    let mut numbers: HashMap<String, u32> = HashMap::new();
    let mut rows = Vec::with_capacity(column.len());
    for row in 0..column.len() {
        let Some(class) = column.class(row) else {
            rows.push(0);
            continue;
        };
        let known = numbers.get(&*class).copied();
        rows.push(match known {
            Some(known) => known,
            None => {
                let new = number(&class)?;
                numbers.insert(class.into_owned(), new);
                new
            }
        });
    }
    Ok(rows)
}
