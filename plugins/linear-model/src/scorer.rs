//! Predicts batches with a model. The door is [`Scorer`].

use std::borrow::Cow;

use wasmlops_sdk::{Batch, Column, ColumnBuilder, DataType, Error, Field, Result, Schema};

use crate::data::is_feature_type;
use crate::kernels::add_scaled;
use crate::model::Model;

/// A model that is ready to work on batches of one schema.
pub struct Scorer {
    model: Model,
    /// Where each feature is in a batch.
    columns: Vec<usize>,
    output: Schema,
}

impl Scorer {
    /// Finds the features by name, in any order.
    ///
    /// Errors: `invalid-input` with every feature that is missing or not numeric.
    pub fn new(model: Model, input: &Schema) -> Result<Self> {
        let mut problems = Vec::new();
        let mut columns = Vec::with_capacity(model.features.len());
        for name in &model.features {
            match input.index_of(name) {
                None => problems.push(format!("`{name}` is missing")),
                Some(index) if !is_feature_type(input.fields[index].data_type) => {
                    problems.push(format!("`{name}` is `{}` and was numeric", input.fields[index].data_type.name()));
                }
                Some(index) => columns.push(index),
            }
        }
        if !problems.is_empty() {
            let hint =
                "hint: give the columns that the model was trained on, through the same transforms; the rows have";
            let message = format!("columns do not fit the model: {}", problems.join(", "));
            return Err(Error::invalid_input(format!("{message}\n{hint} {}", input.names_for_message())).at("table"));
        }
        let output = output(&model);
        Ok(Self { model, columns, output })
    }

    pub fn output(&self) -> &Schema {
        &self.output
    }

    /// Errors: `invalid-input` for features that are missing or infinite.
    pub fn predict(&self, input: &Batch) -> Result<Batch> {
        let features = self.features(input)?;
        let mut scores: Vec<Vec<f64>> = Vec::with_capacity(self.model.intercepts.len());
        for (coefficients, &intercept) in self.model.coefficients.iter().zip(&self.model.intercepts) {
            let mut row = vec![intercept; input.num_rows];
            for (&coefficient, values) in coefficients.iter().zip(&features) {
                add_scaled(&mut row, coefficient, values);
            }
            scores.push(row);
        }
        if scores.iter().flatten().any(|score| !score.is_finite()) {
            self.refuse_not_finite(&features)?;
        }
        let columns = match self.model.classes.len() {
            0 => scores.iter().map(|scores| Column::from_f64_slice(scores)).collect(),
            2 => self.of_two(&scores[0]),
            _ => self.of_many(scores),
        };
        Ok(Batch { num_rows: input.num_rows, columns })
    }

    fn features<'a>(&self, input: &'a Batch) -> Result<Vec<Cow<'a, [f64]>>> {
        let mut features = Vec::with_capacity(self.columns.len());
        for (&index, name) in self.columns.iter().zip(&self.model.features) {
            let column = &input.columns[index];
            if column.null_count() > 0 {
                let first = (0..column.len()).find(|&row| column.is_null(row)).unwrap_or_default();
                return Err(unusable(name, first));
            }
            let values = column.as_f64().map(Cow::Borrowed).or_else(|| column.numbers().map(Cow::Owned));
            features.push(values.ok_or_else(|| Error::internal(format!("feature `{name}` holds no numbers")))?);
        }
        Ok(features)
    }

    fn refuse_not_finite(&self, features: &[Cow<[f64]>]) -> Result<()> {
        for (values, name) in features.iter().zip(&self.model.features) {
            if let Some(row) = values.iter().position(|value| !value.is_finite()) {
                return Err(unusable(name, row));
            }
        }
        Ok(())
    }

    fn of_two(&self, scores: &[f64]) -> Vec<Column> {
        let mut prediction = ColumnBuilder::new(DataType::Categorical);
        let (mut first, mut second) = (Vec::with_capacity(scores.len()), Vec::with_capacity(scores.len()));
        for &score in scores {
            prediction.push_text(&self.model.classes[usize::from(score > 0.0)]);
            let odds = (-score.abs()).exp();
            let (likely, unlikely) = (1.0 / (1.0 + odds), odds / (1.0 + odds));
            first.push(if score > 0.0 { unlikely } else { likely });
            second.push(if score > 0.0 { likely } else { unlikely });
        }
        vec![prediction.finish(), Column::from_f64_slice(&first), Column::from_f64_slice(&second)]
    }

    /// Turns each class's scores into probabilities, in place.
    fn of_many(&self, mut scores: Vec<Vec<f64>>) -> Vec<Column> {
        let mut prediction = ColumnBuilder::new(DataType::Categorical);
        for row in 0..scores[0].len() {
            // Of equals the first.
            let best =
                (1..scores.len()).fold(0, |best, next| if scores[next][row] > scores[best][row] { next } else { best });
            prediction.push_text(&self.model.classes[best]);
            let most = scores[best][row];
            let mut sum = 0.0;
            for scores in &mut scores {
                scores[row] = (scores[row] - most).exp();
                sum += scores[row];
            }
            scores.iter_mut().for_each(|scores| scores[row] /= sum);
        }
        let probabilities = scores.iter().map(|scores| Column::from_f64_slice(scores));
        std::iter::once(prediction.finish()).chain(probabilities).collect()
    }
}

fn output(model: &Model) -> Schema {
    let prediction = if model.classes.is_empty() { DataType::F64 } else { DataType::Categorical };
    let probability = |class: &String| Field::new(format!("probability.{class}"), DataType::F64, false);
    let probabilities = model.classes.iter().map(probability);
    Schema::new(std::iter::once(Field::new("prediction", prediction, false)).chain(probabilities).collect())
}

fn unusable(name: &str, row: usize) -> Error {
    let hint = "hint: `tabular-features` fills missing values";
    Error::invalid_input(format!("feature `{name}` is missing or infinite in row {row} of the batch\n{hint}"))
        .at("table")
}
