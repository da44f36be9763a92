//! Divides rows into groups by a sensitive column.

use std::collections::BTreeMap;

use wasmlops_sdk::prelude::*;
use wasmlops_statistics::text::{name, number};

use crate::config::Own;

/// More values than this are no groups of people.
const MOST_VALUES: usize = 50;

/// The groups of a column: their names, and each row's.
#[derive(Clone, PartialEq, Debug)]
pub struct Groups {
    /// In the order of their values, or of their bins; `null` is a group too.
    pub names: Vec<String>,
    pub of_row: Vec<u32>,
}

/// Errors: `invalid-config` at `key` for a column that is not there, that has too many values, or whose type does not
/// go with bins.
pub fn of(own: &Own, features: &Table, key: &str) -> Result<Groups> {
    let schema = features.schema();
    let column_key = if own.bins.is_some() { format!("{key}.column") } else { key.to_owned() };
    let index = schema.require(&own.column, &column_key)?;
    let data_type = schema.fields[index].data_type;
    let values = features.column(index)?;
    match &own.bins {
        Some(bins) => by_bins(&values, bins, &own.column, &format!("{key}.bins")),
        None if matches!(data_type, DataType::F64 | DataType::F32 | DataType::Timestamp | DataType::Binary) => {
            let message = format!("{} is `{}`, whose values are no groups", name(&own.column), data_type.name());
            Err(Error::invalid_config(key, format!("{message}\n{}", hint(&own.column))))
        }
        None => by_value(&values, &own.column, key),
    }
}

fn hint(column: &str) -> String {
    format!("hint: give it bins: `{{ column: {column}, bins: [25, 65] }}`")
}

fn by_value(values: &Column, column: &str, key: &str) -> Result<Groups> {
    let mut codes: BTreeMap<(bool, i64, String), u32> = BTreeMap::new();
    let mut of_row = Vec::with_capacity(values.len());
    for row in 0..values.len() {
        let value = values.class(row);
        // Whole numbers in their order, texts in theirs, null last.
        let whole = values.as_s64().map_or(0, |numbers| numbers[row]);
        let missing = value.is_none();
        let value = value.unwrap_or("null".into()).into_owned();
        let next = codes.len() as u32;
        of_row.push(*codes.entry((missing, if missing { 0 } else { whole }, value)).or_insert(next));
        if codes.len() > MOST_VALUES {
            let message = format!("{} has more than {MOST_VALUES} different values", name(column));
            let hint =
                if values.data_type().is_numeric() { hint(column) } else { "hint: make groups of these first".into() };
            return Err(Error::invalid_config(key, format!("{message}\n{hint}")));
        }
    }
    let mut places = vec![0; codes.len()];
    for (place, code) in codes.values().enumerate() {
        places[*code as usize] = place as u32;
    }
    of_row.iter_mut().for_each(|code| *code = places[*code as usize]);
    Ok(Groups { names: codes.into_keys().map(|(.., value)| value).collect(), of_row })
}

fn by_bins(values: &Column, bins: &[f64], column: &str, key: &str) -> Result<Groups> {
    let Some(numbers) = values.numbers() else {
        let message = format!("{} is `{}`, and bins are for numbers", name(column), values.data_type().name());
        return Err(Error::invalid_config(key, message));
    };
    if bins.is_empty() || !bins.is_sorted_by(|one, next| one < next) || bins.iter().any(|bound| !bound.is_finite()) {
        return Err(Error::invalid_config(key, "bins are one or more numbers, each greater than the one before"));
    }
    let mut names = vec![format!("<{}", number(bins[0]))];
    names.extend(bins.windows(2).map(|pair| format!("[{}, {})", number(pair[0]), number(pair[1]))));
    names.push(format!(">={}", number(bins[bins.len() - 1])));
    let missing = names.len() as u32;
    let bin = |value: &f64| {
        if value.is_nan() { missing } else { bins.partition_point(|bound| bound <= value) as u32 }
    };
    let of_row: Vec<u32> = numbers.iter().map(bin).collect();
    if of_row.contains(&missing) {
        names.push("null".to_owned());
    }
    Ok(Groups { names, of_row })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn own(column: &str, bins: Option<Vec<f64>>) -> Own {
        Own { column: column.into(), bins, reference: None, max: None, min: None }
    }

    #[test]
    fn values_and_bins() {
        let table = Table::from_columns([
            ("sex", Column::from_categories([Some("m"), Some("f"), None, Some("m")])),
            ("children", Column::from_s64([10, 9, 9, 0])),
            ("age", Column::from_f64([Some(24.9), Some(25.0), None, Some(70.0)])),
        ]);
        let sex = of(&own("sex", None), &table, "sensitive.0").unwrap();
        assert_eq!((sex.names, sex.of_row), (vec!["f".into(), "m".into(), "null".into()], vec![1, 0, 2, 1]));
        let children = of(&own("children", None), &table, "sensitive.0").unwrap();
        assert_eq!(children.names, ["0", "9", "10"]);
        let age = of(&own("age", Some(vec![25.0, 65.0])), &table, "sensitive.0").unwrap();
        assert_eq!((age.names.join(" "), age.of_row), ("<25 [25, 65) >=65 null".into(), vec![0, 1, 3, 2]));
    }

    #[test]
    fn what_is_no_group() {
        let table = Table::from_columns([
            ("age", Column::from_f64((0..60).map(f64::from))),
            ("id", Column::from_s64(0..60)),
            ("text", Column::from_text(["a"; 60])),
        ]);
        let problem = |column, bins| {
            let error = of(&own(column, bins), &table, "sensitive.0").unwrap_err();
            format!("{} {}", error.field.unwrap(), error.message)
        };
        assert!(problem("age", None).contains("hint: give it bins"));
        assert!(problem("id", None).contains("more than 50"));
        assert!(problem("text", Some(vec![1.0])).starts_with("sensitive.0.bins `text` is `utf8`"));
        assert!(problem("age", Some(vec![2.0, 1.0])).contains("greater than the one before"));
        assert!(problem("x", Some(vec![1.0])).starts_with("sensitive.0.column"));
    }
}
