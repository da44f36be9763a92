//! The values that labels can have, by the type of the column that the model predicts.

use serde_json::{Number, Value};
use wasmlops_core::table::DataType;

use crate::clock::parse_rfc3339;

/// The one form of a value in a column of this type; nothing for a value that such a column cannot hold.
///
/// Texts are read as files write them: `"1"` is the whole number 1. A number is the text of a category.
pub(crate) fn normal(value: &Value, data_type: DataType) -> Option<Value> {
    match data_type {
        DataType::Bool => boolean(value).map(Value::Bool),
        DataType::S64 => whole(value).map(Value::from),
        DataType::F64 => Number::from_f64(double(value)?).map(Value::Number),
        // The double that a reader makes of the column's value.
        DataType::F32 => Number::from_f64(f64::from(double(value)? as f32)).map(Value::Number),
        DataType::Utf8 | DataType::Categorical => match value {
            Value::String(_) => Some(value.clone()),
            Value::Number(_) | Value::Bool(_) => Some(value.to_string().into()),
            _ => None,
        },
        DataType::Timestamp => value.as_i64().or_else(|| parse_rfc3339(value.as_str()?)).map(Value::from),
        DataType::Binary => None,
    }
}

/// Where nothing is known of the column: any scalar, as it is.
pub(super) fn scalar(value: &Value) -> Option<Value> {
    matches!(value, Value::Bool(_) | Value::Number(_) | Value::String(_)).then(|| value.clone())
}

/// What a person is told to give.
pub(super) fn expected(data_type: DataType) -> &'static str {
    match data_type {
        DataType::Bool => "`true` or `false`",
        DataType::S64 => "whole numbers",
        DataType::F64 | DataType::F32 => "numbers",
        DataType::Utf8 | DataType::Categorical => "texts",
        DataType::Timestamp => "times (RFC 3339)",
        DataType::Binary => "bytes, which cannot be labels",
    }
}

/// The narrowest type that holds all of these.
pub(crate) fn type_of<'a>(values: impl Iterator<Item = &'a Value> + Clone) -> DataType {
    if values.clone().next().is_none() {
        return DataType::Utf8;
    }
    if values.clone().all(Value::is_boolean) {
        DataType::Bool
    } else if values.clone().all(Value::is_i64) {
        DataType::S64
    } else if values.clone().all(Value::is_number) {
        DataType::F64
    } else {
        DataType::Utf8
    }
}

fn boolean(value: &Value) -> Option<bool> {
    match value {
        Value::Bool(value) => Some(*value),
        Value::String(text) => match text.to_ascii_lowercase().as_str() {
            "true" | "1" => Some(true),
            "false" | "0" => Some(false),
            _ => None,
        },
        number => match whole(number)? {
            0 => Some(false),
            1 => Some(true),
            _ => None,
        },
    }
}

fn whole(value: &Value) -> Option<i64> {
    match value {
        Value::Bool(value) => Some(i64::from(*value)),
        Value::String(text) => {
            let text = text.trim();
            text.parse().ok().or_else(|| exact(text.parse().ok()?))
        }
        number => number.as_i64().or_else(|| exact(number.as_f64()?)),
    }
}

/// Doubles up to here are whole numbers without a doubt.
const EXACT: f64 = (1_u64 << 53) as f64;

fn exact(value: f64) -> Option<i64> {
    (value.fract() == 0.0 && value.abs() <= EXACT).then_some(value as i64)
}

fn double(value: &Value) -> Option<f64> {
    let number = match value {
        Value::String(text) => text.trim().parse().ok()?,
        number => number.as_f64()?,
    };
    number.is_finite().then_some(number)
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    #[test]
    fn one_label_has_one_form() {
        for (value, data_type, expected) in [
            (json!("1"), DataType::S64, Some(json!(1))),
            (json!(1.0), DataType::S64, Some(json!(1))),
            (json!(true), DataType::S64, Some(json!(1))),
            (json!(1.5), DataType::S64, None),
            (json!("malignant"), DataType::S64, None),
            (json!(null), DataType::S64, None),
            (json!(0), DataType::Bool, Some(json!(false))),
            (json!("True"), DataType::Bool, Some(json!(true))),
            (json!(2), DataType::Bool, None),
            (json!("2.5"), DataType::F64, Some(json!(2.5))),
            (json!(2), DataType::F64, Some(json!(2.0))),
            (json!("NaN"), DataType::F64, None),
            (json!(3), DataType::Categorical, Some(json!("3"))),
            (json!("b"), DataType::Utf8, Some(json!("b"))),
            (json!({}), DataType::Utf8, None),
            (json!("1970-01-01T00:00:01Z"), DataType::Timestamp, Some(json!(1_000_000))),
            (json!("x"), DataType::Binary, None),
        ] {
            assert_eq!(normal(&value, data_type), expected, "{value} as {data_type}");
        }
    }
}
