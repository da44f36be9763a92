//! A row's values as bytes: equal bytes for equal values and no others.

use wasmlops_sdk::prelude::*;

const MISSING: u8 = 0;
const PRESENT: u8 = 1;

/// Appends one value. The bytes say where they end, so that values after each other cannot be mistaken for others.
/// Null and NaN are one value, as are 0 and -0.
pub fn append(column: &Column, row: usize, key: &mut Vec<u8>) {
    if column.is_null(row) {
        return key.push(MISSING);
    }
    let start = key.len();
    key.push(PRESENT);
    match column.data_type() {
        DataType::S64 | DataType::Timestamp => {
            key.extend(column.as_s64().into_iter().flat_map(|values| values[row].to_le_bytes()));
        }
        DataType::F64 | DataType::F32 => match column.number(row) {
            Some(number) if !number.is_nan() => key.extend((number + 0.0).to_le_bytes()),
            _ => key[start] = MISSING,
        },
        DataType::Bool => key.push(u8::from(column.bool(row) == Some(true))),
        DataType::Utf8 | DataType::Categorical => append_bytes(column.text(row).unwrap_or_default().as_bytes(), key),
        DataType::Binary => append_bytes(column.bytes(row).unwrap_or_default(), key),
    }
}

fn append_bytes(bytes: &[u8], key: &mut Vec<u8>) {
    key.extend((bytes.len() as u64).to_le_bytes());
    key.extend_from_slice(bytes);
}

#[cfg(test)]
mod tests {
    use super::*;

    fn key(columns: &[Column], row: usize) -> Vec<u8> {
        let mut key = Vec::new();
        columns.iter().for_each(|column| append(column, row, &mut key));
        key
    }

    #[test]
    fn equal_values_give_equal_keys_and_no_others_do() {
        let numbers = [Column::from_f64([Some(0.0), Some(-0.0), Some(f64::NAN), None, Some(1.0)])];
        assert_eq!(key(&numbers, 0), key(&numbers, 1));
        assert_eq!(key(&numbers, 2), key(&numbers, 3));
        assert_ne!(key(&numbers, 0), key(&numbers, 2));
        assert_ne!(key(&numbers, 0), key(&numbers, 4));
        let texts = [Column::from_text(["ab", "a", ""]), Column::from_text([Some("c"), Some("bc"), None])];
        assert_ne!(key(&texts, 0), key(&texts, 1));
        let empty = [Column::from_text([Some(""), None])];
        assert_ne!(key(&empty, 0), key(&empty, 1));
    }
}
