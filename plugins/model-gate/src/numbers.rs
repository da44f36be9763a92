//! Predictions that are numbers, with the truth.

use wasmlops_sdk::prelude::*;

/// Two numbers a row, all finite.
#[derive(Clone, Debug)]
pub struct Numbered {
    pub truth: Vec<f64>,
    pub predicted: Vec<f64>,
}

impl Numbered {
    /// Errors: `invalid-input` for columns that hold no numbers, or numbers that are not finite.
    pub fn read(truth: &Column, predictions: &Table, input: &str) -> Result<Self> {
        let Some(column) = predictions.schema().index_of("prediction") else {
            return Err(Error::invalid_input("the predictions have no column `prediction`").at(input));
        };
        let predicted = predictions.column(column)?;
        Ok(Self { truth: finite(truth, "truth", "table")?, predicted: finite(&predicted, "prediction", input)? })
    }

    pub fn select(&self, rows: &[usize]) -> Self {
        Self {
            truth: rows.iter().map(|&row| self.truth[row]).collect(),
            predicted: rows.iter().map(|&row| self.predicted[row]).collect(),
        }
    }
}

fn finite(column: &Column, what: &str, input: &str) -> Result<Vec<f64>> {
    let data_type = column.data_type();
    let numbers = match data_type {
        DataType::F64 | DataType::F32 | DataType::S64 => column.numbers(),
        _ => None,
    };
    let Some(numbers) = numbers else {
        let message = format!(
            "the {what} is {}, and regression needs numbers\nhint: leave out `task`, or set it to `classification`",
            data_type.name()
        );
        return Err(Error::invalid_input(message).at(input));
    };
    let count = numbers.iter().filter(|number| !number.is_finite()).count();
    if count > 0 {
        let message = format!("{count} of {} rows have a {what} that is null, NaN or infinite", numbers.len());
        return Err(Error::invalid_input(message).at(input));
    }
    Ok(numbers)
}
