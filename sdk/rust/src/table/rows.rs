//! Rows through serde: convenient, and slow next to columns.

use serde::de::DeserializeOwned;
use serde_json::{Map, Number, Value};

use super::Table;
use crate::column::Column;
use crate::error::{Error, Result};
use crate::schema::DataType;

impl Table {
    /// Every row as a `T` whose fields are named like the columns. Timestamps are microseconds, NaN and null `None`.
    ///
    /// Errors: `invalid-input` with the row's number, counted from 0, where it is no `T`.
    pub fn rows<T: DeserializeOwned>(&self) -> Result<Vec<T>> {
        let all: Vec<usize> = (0..self.schema().fields.len()).collect();
        let mut rows = Vec::with_capacity(self.num_rows());
        for batch in self.batches(&all) {
            let batch = batch?;
            for row in 0..batch.num_rows {
                let names = self.schema().names().map(str::to_owned);
                let object: Map<String, Value> =
                    names.zip(batch.columns.iter().map(|column| value(column, row))).collect();
                let number = rows.len();
                let wrong = |error| Error::invalid_input(format!("row {number}: {error}"));
                rows.push(serde_json::from_value(Value::Object(object)).map_err(wrong)?);
            }
        }
        Ok(rows)
    }
}

fn value(column: &Column, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    let value = match column.data_type() {
        DataType::Utf8 | DataType::Categorical => column.text(row).map(Value::from),
        DataType::Bool => column.bool(row).map(Value::from),
        DataType::S64 | DataType::Timestamp => column.as_s64().map(|values| Value::from(values[row])),
        DataType::F64 | DataType::F32 => column.number(row).and_then(Number::from_f64).map(Value::from),
        DataType::Binary => column.bytes(row).map(Value::from),
    };
    value.unwrap_or(Value::Null)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[derive(serde::Deserialize, PartialEq, Debug)]
    struct Payment {
        amount: Option<f64>,
        country: String,
    }

    #[test]
    fn rows_are_structs() {
        let table = Table::from_columns([
            ("amount", Column::from_f64([Some(2.5), None])),
            ("country", Column::from_categories(["de", "fr"])),
        ]);
        let rows: Vec<Payment> = table.rows().unwrap();
        assert_eq!(rows[0], Payment { amount: Some(2.5), country: "de".into() });
        assert_eq!(rows[1].amount, None);
        let wrong = Table::from_columns([("amount", Column::from_f64([1.0]))]).rows::<Payment>();
        assert!(wrong.unwrap_err().message.contains("row 0"));
    }
}
