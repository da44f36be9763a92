//! Columns of the contract's layout from plain values, and plain values from tables.

use arrow_array::cast::AsArray;
use arrow_array::types::{Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType};
use arrow_array::{Array, ArrayRef};
use serde_json::Value;
use wasmlops_core::table::{Batch, Column, DataType, Dictionary, Field, Table, TableError};

pub(crate) fn field(name: &str, data_type: DataType, nullable: bool) -> Field {
    Field { name: name.to_owned(), data_type, nullable }
}

pub(crate) fn s64s(values: impl IntoIterator<Item = i64>) -> Column {
    Column { values: values.into_iter().flat_map(i64::to_le_bytes).collect(), ..Column::default() }
}

pub(crate) fn f64s(values: impl IntoIterator<Item = f64>) -> Column {
    Column { values: values.into_iter().flat_map(f64::to_le_bytes).collect(), ..Column::default() }
}

/// Texts, with nulls where there is none.
pub(crate) fn texts<'a>(texts: impl IntoIterator<Item = Option<&'a str>>) -> Column {
    let (mut values, mut offsets, mut there) = (Vec::new(), 0_i32.to_le_bytes().to_vec(), Vec::new());
    for text in texts {
        values.extend_from_slice(text.unwrap_or_default().as_bytes());
        // Tables refuse a column beyond 2 GiB, whatever its offsets wrap to.
        offsets.extend((values.len() as i32).to_le_bytes());
        there.push(text.is_some());
    }
    Column { values, offsets: Some(offsets), validity: validity(&there), dictionary: None }
}

/// Nothing in any row.
pub(crate) fn nulls(data_type: DataType, rows: u64) -> Column {
    let rows = rows as usize;
    let zeros = |width: usize| vec![0; rows * width];
    let empty = || Dictionary { offsets: zeros_of_offset(), values: Vec::new() };
    let mut column = Column { validity: validity(&vec![false; rows]), ..Column::default() };
    match data_type {
        DataType::Bool => column.values = vec![0; rows.div_ceil(8)],
        DataType::S64 | DataType::F64 | DataType::Timestamp => column.values = zeros(8),
        DataType::F32 => column.values = zeros(4),
        DataType::Utf8 | DataType::Binary => column.offsets = Some(vec![0; (rows + 1) * 4]),
        DataType::Categorical => {
            column.values = zeros(4);
            column.dictionary = Some(empty());
        }
    }
    column
}

fn zeros_of_offset() -> Vec<u8> {
    vec![0; 4]
}

/// Labels in a column of this type; what does not fit it is null. [`crate::labels`] says what fits.
pub(crate) fn of_json(data_type: DataType, cells: &[Option<Value>]) -> Column {
    let there: Vec<bool> = cells.iter().map(Option::is_some).collect();
    let cells = || cells.iter().map(Option::as_ref);
    let mut column = match data_type {
        DataType::Bool => {
            let bits: Vec<bool> = cells().map(|cell| cell.and_then(Value::as_bool).unwrap_or_default()).collect();
            Column { values: packed(&bits), ..Column::default() }
        }
        DataType::S64 | DataType::Timestamp => {
            s64s(cells().map(|cell| cell.and_then(Value::as_i64).unwrap_or_default()))
        }
        DataType::F64 => f64s(cells().map(|cell| cell.and_then(Value::as_f64).unwrap_or_default())),
        DataType::F32 => {
            let number = |cell: Option<&Value>| cell.and_then(Value::as_f64).unwrap_or_default() as f32;
            Column { values: cells().flat_map(|cell| number(cell).to_le_bytes()).collect(), ..Column::default() }
        }
        DataType::Utf8 => texts(cells().map(|cell| Some(cell.and_then(Value::as_str).unwrap_or_default()))),
        DataType::Categorical => categories(cells().map(|cell| cell.and_then(Value::as_str))),
        DataType::Binary => nulls(DataType::Binary, there.len() as u64),
    };
    if data_type != DataType::Binary {
        column.validity = validity(&there);
    }
    column
}

/// Texts out of a dictionary, with nulls to be marked by the caller.
pub(crate) fn categories<'a>(texts: impl Iterator<Item = Option<&'a str>>) -> Column {
    let mut codes = std::collections::HashMap::new();
    let mut column = Column::default();
    let mut dictionary = Dictionary { offsets: zeros_of_offset(), values: Vec::new() };
    for text in texts {
        let next = codes.len() as i32;
        let code = text.map_or(0, |text| {
            *codes.entry(text).or_insert_with(|| {
                dictionary.values.extend_from_slice(text.as_bytes());
                dictionary.offsets.extend((dictionary.values.len() as i32).to_le_bytes());
                next
            })
        });
        column.values.extend(code.to_le_bytes());
    }
    column.dictionary = Some(dictionary);
    column
}

fn validity(there: &[bool]) -> Option<Vec<u8>> {
    there.contains(&false).then(|| packed(there))
}

fn packed(bits: &[bool]) -> Vec<u8> {
    let mut bytes = vec![0; bits.len().div_ceil(8)];
    for (row, _) in bits.iter().enumerate().filter(|(_, bit)| **bit) {
        bytes[row / 8] |= 1 << (row % 8);
    }
    bytes
}

/// One value of a table as JSON. NaN and infinity become null, bytes their hex.
pub(crate) fn cell(table: &Table, column: usize, row: usize) -> Value {
    let mut start = 0;
    for chunk in table.record_batches() {
        if row < start + chunk.num_rows() {
            return json(chunk.column(column), table.schema().fields[column].data_type, row - start);
        }
        start += chunk.num_rows();
    }
    Value::Null
}

/// A whole column as JSON.
pub(crate) fn cells(table: &Table, column: usize) -> Vec<Value> {
    let data_type = table.schema().fields[column].data_type;
    let arrays = table.record_batches().map(|chunk| chunk.column(column));
    arrays.flat_map(|array| (0..array.len()).map(move |row| json(array, data_type, row))).collect()
}

fn json(array: &ArrayRef, data_type: DataType, row: usize) -> Value {
    if array.is_null(row) {
        return Value::Null;
    }
    match data_type {
        DataType::Bool => array.as_boolean().value(row).into(),
        DataType::S64 => array.as_primitive::<Int64Type>().value(row).into(),
        DataType::F64 => array.as_primitive::<Float64Type>().value(row).into(),
        DataType::F32 => array.as_primitive::<Float32Type>().value(row).into(),
        DataType::Utf8 => array.as_string::<i32>().value(row).into(),
        DataType::Binary => {
            let bytes = array.as_binary::<i32>().value(row);
            bytes.iter().map(|byte| format!("{byte:02x}")).collect::<String>().into()
        }
        DataType::Timestamp => {
            crate::clock::rfc3339(array.as_primitive::<TimestampMicrosecondType>().value(row)).into()
        }
        DataType::Categorical => {
            let texts = array.as_dictionary::<Int32Type>();
            let code = texts.keys().value(row) as usize;
            texts.values().as_string::<i32>().value(code).into()
        }
    }
}

/// Rows `start .. start + rows` of all columns, in pieces of the size that a read gives.
pub(crate) fn ranges(
    table: &Table,
    start: u64,
    rows: u64,
    mut take: impl FnMut(Batch) -> Result<(), TableError>,
) -> Result<(), TableError> {
    let all: Vec<u32> = (0..table.schema().fields.len() as u32).collect();
    let (mut at, end) = (start, start + rows);
    while at < end {
        let batch = table.read(&all, at, end - at)?;
        at += batch.num_rows.max(1);
        take(batch)?;
    }
    Ok(())
}
