//! A model that is ready to predict: trees, where the sums start, and what they mean.

use wasmlops_sdk::foreign::{Header, Task};
use wasmlops_sdk::{Error, Matrix, Result};

use crate::forest::Forest;
use crate::objective::Objective;

/// Rows that walk through one tree after the other together: their features stay in the cache.
const BLOCK: usize = 64;

/// What is wrong with a model file, and where.
pub type Problem = String;

/// Whether the library computes in `f32` or `f64`: answers are the library's own only if the same is done here.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Precision {
    Single,
    Double,
}

/// A model file, read and checked.
#[derive(Debug)]
pub struct Ensemble {
    pub forest: Forest,
    pub objective: Objective,
    pub precision: Precision,
    /// Where each group's sum starts; a group is a class, or the only one.
    pub base: Vec<f64>,
    /// What each sum is divided by: more than 1 for forests that average.
    pub divisor: f64,
    /// How many features the trees may ask for.
    pub features: usize,
    /// The features' names, if the file says them.
    pub names: Vec<String>,
}

impl Ensemble {
    /// The classes' texts, from the header or else their numbers; none for regression.
    ///
    /// Errors: `invalid-input` where the header does not fit the file.
    pub fn classes(&self, header: &Header) -> Result<Vec<String>> {
        let wrong = |message: String| Err(Error::invalid_input(message).at("model"));
        if header.columns.len() != self.features {
            let hint = "hint: import it again with the columns that it was trained on, in that order";
            let (given, needed) = (header.columns.len(), self.features);
            return wrong(format!("the import names {given} columns, and the model has {needed} features\n{hint}"));
        }
        if let Some((given, own)) = self.other_order(&header.columns) {
            let hint = "hint: import it again with the columns in the model's order";
            return wrong(format!("the import says `{given}` where the model has the feature `{own}`\n{hint}"));
        }
        let count = self.objective.classes(self.base.len());
        let (task, told) = match (count, header.task) {
            (0, Some(Task::Binary | Task::Multiclass)) => ("regression", "classification"),
            (2.., Some(Task::Regression)) => ("classification", "regression"),
            (3.., Some(Task::Binary)) => ("multiclass", "binary"),
            _ => ("", ""),
        };
        if !task.is_empty() {
            return wrong(format!("the import says {told}, and the model's objective is {task}"));
        }
        match &header.classes {
            Some(classes) if classes.len() != count => {
                wrong(format!("the import names {} classes, and the model has {count}", classes.len()))
            }
            Some(classes) => Ok(classes.clone()),
            None => Ok((0..count).map(|class| class.to_string()).collect()),
        }
    }

    /// The first place where the same names come in another order. Files may hold names of their own (`Column_0`, or
    /// with blanks replaced), which say nothing.
    fn other_order<'a>(&'a self, columns: &'a [String]) -> Option<(&'a str, &'a str)> {
        let sorted = |names: &'a [String]| {
            let mut names: Vec<&str> = names.iter().map(String::as_str).collect();
            names.sort_unstable();
            names
        };
        let (given, own) = columns.iter().zip(&self.names).find(|(given, own)| given != own)?;
        (sorted(columns) == sorted(&self.names)).then_some((given, own))
    }

    /// A number for each row, or a probability for each row and class, row after row.
    pub fn predict(&self, rows: &Matrix) -> Vec<f64> {
        let rounded = self.rounded(rows);
        let features = self.features;
        let groups = self.base.len();
        let mut answers = Vec::with_capacity(rows.rows * groups.max(2));
        let mut sums = Vec::with_capacity(BLOCK * groups);
        for block in rounded.chunks(BLOCK * features) {
            sums.clear();
            (0..block.len() / features).for_each(|_| sums.extend_from_slice(&self.base));
            self.forest.add(block, features, groups, self.precision, &mut sums);
            for sums in sums.chunks_exact_mut(groups) {
                sums.iter_mut().for_each(|sum| *sum /= self.divisor);
                self.objective.answer(sums, self.precision, &mut answers);
            }
        }
        answers
    }

    /// XGBoost sees features as `f32`. LightGBM takes numbers up to 1e-35 for 0 (`kZeroThreshold`).
    fn rounded(&self, rows: &Matrix) -> Vec<f64> {
        let round = |value: f64| match self.precision {
            Precision::Single => f64::from(value as f32),
            Precision::Double if value.abs() <= f64::from(1e-35_f32) => 0.0,
            Precision::Double => value,
        };
        rows.values.iter().map(|&value| round(value)).collect()
    }
}
