//! Predictions that are numbers, with their labels.

use wasmlops_sdk::prelude::*;

/// Two finite numbers a row.
#[derive(Clone, PartialEq, Debug, Default)]
pub struct Numbered {
    pub truth: Vec<f64>,
    pub predicted: Vec<f64>,
}

/// The rows that have both a prediction and a label.
///
/// Errors: `invalid-input` where one of them is no number.
pub fn read(table: &Table, input: &str) -> Result<Numbered> {
    let schema = table.schema();
    let (Some(prediction), Some(label)) = (schema.index_of("prediction"), schema.index_of("label")) else {
        return Ok(Numbered::default());
    };
    for index in [prediction, label] {
        let Field { name, data_type, .. } = &schema.fields[index];
        if !matches!(data_type, DataType::F64 | DataType::F32 | DataType::S64) {
            let message = format!("`{name}` is {}, and regression needs numbers", data_type.name());
            return Err(Error::invalid_input(message).at(input));
        }
    }
    let mut rows = Numbered::default();
    for batch in table.batches(&[prediction, label]) {
        let batch = batch?;
        for row in 0..batch.num_rows {
            let finite = |column: usize| batch.columns[column].number(row).filter(|number| number.is_finite());
            if let (Some(predicted), Some(truth)) = (finite(0), finite(1)) {
                rows.predicted.push(predicted);
                rows.truth.push(truth);
            }
        }
    }
    Ok(rows)
}
