//! Models that were trained elsewhere: how the host wraps their file on import, and what predictors of them share. It
//! knows nothing of what is inside the file.
//!
//! The blob that `model import` makes is a 4-byte little-endian length, that many bytes of JSON (a [`Header`]), and the
//! foreign file as it was. A predictor calls [`split`], then [`Header::find`], then [`matrix`] on each batch, and
//! answers with [`numbers`] or [`classes`].

use std::collections::HashSet;

use serde::{Deserialize, Serialize};

use crate::column::{Column, ColumnBuilder};
use crate::error::{Error, Result};
use crate::schema::{DataType, Field, Schema};
use crate::table::{Batch, Matrix};

/// More than any real header has, and little enough to parse without a thought.
const MOST_HEADER_BYTES: usize = 16 << 20;

/// What wrote the file.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Format {
    Onnx,
    Xgboost,
    Lightgbm,
}

/// What the model predicts.
#[derive(Clone, Copy, PartialEq, Eq, Debug, Serialize, Deserialize)]
#[serde(rename_all = "lowercase")]
pub enum Task {
    /// One of two classes.
    Binary,
    /// One of several classes.
    Multiclass,
    /// A number.
    Regression,
}

/// What the host was told about the file at import.
#[derive(Clone, PartialEq, Eq, Debug, Serialize, Deserialize)]
pub struct Header {
    pub format: Format,
    /// The columns that are the model's features, in the model's order.
    pub columns: Vec<String>,
    /// The texts of the classes, in the model's order.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub classes: Option<Vec<String>>,
    /// The column that the model predicts.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub target: Option<String>,
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub task: Option<Task>,
}

/// The header and the foreign file.
///
/// Errors: `invalid-input` at `model` where the blob is no such wrapper or its header contradicts itself.
pub fn split(blob: &[u8]) -> Result<(Header, &[u8])> {
    let wrong = |problem: String| {
        let hint = "hint: import the file with `wasmlops model import`";
        Error::invalid_input(format!("the blob is no imported model: {problem}\n{hint}")).at("model")
    };
    let Some((length, rest)) = blob.split_first_chunk::<4>() else {
        return Err(wrong(format!("it has {} bytes", blob.len())));
    };
    let length = u32::from_le_bytes(*length) as usize;
    if length > rest.len().min(MOST_HEADER_BYTES) {
        return Err(wrong(format!("its header should have {length} bytes, and {} follow", rest.len())));
    }
    let (header, file) = rest.split_at(length);
    let header: Header = serde_json::from_slice(header).map_err(|error| wrong(format!("its header: {error}")))?;
    header.check().map_err(wrong)?;
    Ok((header, file))
}

/// The inverse of [`split`].
///
/// # Panics
/// For a header of 4 GiB and more.
pub fn join(header: &Header, file: &[u8]) -> Vec<u8> {
    let header = serde_json::to_vec(header).expect("names and enums can be written");
    let length = u32::try_from(header.len()).expect("a header is far below 4 GiB");
    [&length.to_le_bytes(), header.as_slice(), file].concat()
}

impl Header {
    fn check(&self) -> Result<(), String> {
        check_names("columns", &self.columns, 1)?;
        let classes = self.classes.as_deref().unwrap_or_default();
        if self.classes.is_some() {
            check_names("classes", classes, 2)?;
        }
        match self.task {
            Some(Task::Regression) if !classes.is_empty() => {
                Err("`task` is `regression`, and there are `classes`".to_owned())
            }
            Some(Task::Binary) if classes.len() > 2 => {
                Err(format!("`task` is `binary`, and there are {} `classes`", classes.len()))
            }
            _ => Ok(()),
        }
    }

    /// Where each of the model's columns is in a batch, in the model's order.
    ///
    /// Errors: `invalid-input` with every column that is missing or holds no numbers.
    pub fn find(&self, input: &Schema) -> Result<Vec<usize>> {
        let mut problems = Vec::new();
        let mut found = Vec::with_capacity(self.columns.len());
        for name in &self.columns {
            match input.index_of(name) {
                None => problems.push(format!("`{name}` is missing")),
                Some(index) if !holds_numbers(input.fields[index].data_type) => {
                    problems.push(format!("`{name}` is `{}`", input.fields[index].data_type.name()));
                }
                Some(index) => found.push(index),
            }
        }
        if problems.is_empty() {
            return Ok(found);
        }
        let hint =
            "hint: give each as `s64`, `f64`, `f32` or `bool`, categories as the codes of training; the rows have";
        let message = format!("columns do not fit the model: {}", problems.join(", "));
        Err(Error::invalid_input(format!("{message}\n{hint} {}", input.names_for_message())).at("table"))
    }
}

fn check_names(what: &str, names: &[String], least: usize) -> Result<(), String> {
    if names.len() < least {
        return Err(format!("`{what}` has {} entries, and at least {least} are needed", names.len()));
    }
    let mut seen = HashSet::new();
    match names.iter().find(|name| name.is_empty() || !seen.insert(name.as_str())) {
        Some(name) if name.is_empty() => Err(format!("`{what}` has an empty name")),
        Some(name) => Err(format!("`{what}` has `{name}` twice")),
        None => Ok(()),
    }
}

fn holds_numbers(data_type: DataType) -> bool {
    matches!(data_type, DataType::S64 | DataType::F64 | DataType::F32 | DataType::Bool)
}

/// The columns at these indexes as one matrix, row after row; a null is NaN, a boolean 0 or 1.
///
/// Errors: `internal` for a column that holds no numbers, which [`Header::find`] rules out.
pub fn matrix(batch: &Batch, columns: &[usize]) -> Result<Matrix> {
    let mut values = vec![0.0; batch.num_rows * columns.len()];
    for (place, &index) in columns.iter().enumerate() {
        let column = &batch.columns[index];
        let cells = values.iter_mut().skip(place).step_by(columns.len());
        match column.as_f64() {
            Some(numbers) if column.null_count() == 0 => cells.zip(numbers).for_each(|(cell, number)| *cell = *number),
            _ => {
                let numbers = column.numbers().ok_or_else(|| Error::internal("a feature holds no numbers"))?;
                cells.zip(numbers).for_each(|(cell, number)| *cell = number);
            }
        }
    }
    Ok(Matrix { rows: batch.num_rows, columns: columns.len(), values })
}

/// The columns that a predictor gives: see `predictor` in `wit/0.1.0/kinds.wit`. No classes: regression.
pub fn output(classes: &[String]) -> Schema {
    let prediction = if classes.is_empty() { DataType::F64 } else { DataType::Categorical };
    let probability = |class: &String| Field::new(format!("probability.{class}"), DataType::F64, false);
    let prediction = Field::new("prediction", prediction, false);
    Schema::new(std::iter::once(prediction).chain(classes.iter().map(probability)).collect())
}

/// Predictions of a regression.
pub fn numbers(predictions: &[f64]) -> Batch {
    Batch { num_rows: predictions.len(), columns: vec![Column::from_f64_slice(predictions)] }
}

/// Predictions of classes: for each row the index of its class, and a probability for each class, row after row.
pub fn classes(classes: &[String], predictions: &[usize], probabilities: &[f64]) -> Batch {
    let mut prediction = ColumnBuilder::new(DataType::Categorical);
    predictions.iter().for_each(|&class| prediction.push_text(&classes[class]));
    let of_class = |class| probabilities.iter().skip(class).step_by(classes.len()).copied().collect::<Vec<f64>>();
    let probabilities = (0..classes.len()).map(|class| Column::from_f64_slice(&of_class(class)));
    let columns = std::iter::once(prediction.finish()).chain(probabilities).collect();
    Batch { num_rows: predictions.len(), columns }
}

#[cfg(test)]
mod tests {
    use serde_json::{Value, json};

    use super::*;

    fn blob(header: &Value) -> Vec<u8> {
        let text = header.to_string();
        [&u32::try_from(text.len()).unwrap().to_le_bytes(), text.as_bytes(), b"file"].concat()
    }

    fn problem(header: &Value) -> String {
        split(&blob(header)).unwrap_err().message
    }

    #[test]
    fn splits_what_it_joins() {
        let wrapped = blob(&json!({ "format": "xgboost", "columns": ["a", "b"], "classes": ["no", "yes"] }));
        let (header, file) = split(&wrapped).unwrap();
        assert_eq!((header.format, file), (Format::Xgboost, &b"file"[..]));
        assert_eq!(split(&join(&header, file)).unwrap(), (header, file));
    }

    #[test]
    fn says_what_is_wrong_with_a_header() {
        assert!(problem(&json!({ "format": "onnx", "columns": [] })).contains("`columns` has 0 entries"));
        assert!(problem(&json!({ "format": "onnx", "columns": ["a", "a"] })).contains("`a` twice"));
        assert!(problem(&json!({ "format": "onnx", "columns": [""] })).contains("an empty name"));
        assert!(problem(&json!({ "format": "pickle", "columns": ["a"] })).contains("unknown variant `pickle`"));
        let contradiction = json!({ "format": "onnx", "columns": ["a"], "classes": ["x", "y"], "task": "regression" });
        assert!(problem(&contradiction).contains("`task` is `regression`"));
    }

    #[test]
    fn every_truncation_is_an_error() {
        let whole = blob(&json!({ "format": "onnx", "columns": ["a"] }));
        for length in 0..whole.len() - 4 {
            let error = split(&whole[..length]).unwrap_err();
            assert_eq!(error.code, crate::ErrorCode::InvalidInput);
        }
        assert!(split(&[255, 255, 255, 255, b'{']).is_err());
    }

    #[test]
    fn finds_columns_by_name_and_names_all_that_do_not_fit() {
        let header = split(&blob(&json!({ "format": "onnx", "columns": ["b", "a"] }))).unwrap().0;
        let field = |name, data_type| Field::new(name, data_type, true);
        let input =
            Schema::new(vec![field("a", DataType::S64), field("c", DataType::Utf8), field("b", DataType::Bool)]);
        assert_eq!(header.find(&input).unwrap(), [2, 0]);
        let input = Schema::new(vec![field("b", DataType::Utf8)]);
        let message = header.find(&input).unwrap_err().message;
        assert!(message.contains("`b` is `utf8`") && message.contains("`a` is missing"), "{message}");
    }

    #[test]
    fn rows_and_answers() {
        let batch = Batch::new(vec![Column::from_bool([true, false]), Column::from_s64([Some(3), None])]);
        let matrix = matrix(&batch, &[1, 0]).unwrap();
        assert_eq!(matrix.row(0), [3.0, 1.0]);
        assert!(matrix.row(1)[0].is_nan() && matrix.row(1)[1] == 0.0);
        let names = ["no".to_owned(), "yes".to_owned()];
        let answers = classes(&names, &[1, 0], &[0.25, 0.75, 0.5, 0.5]);
        assert_eq!(answers.columns[0], Column::from_categories(["yes", "no"]));
        assert_eq!(answers.columns[2], Column::from_f64([0.75, 0.5]));
        assert_eq!(output(&names).names().collect::<Vec<_>>(), ["prediction", "probability.no", "probability.yes"]);
    }
}
