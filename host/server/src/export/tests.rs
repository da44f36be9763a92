//! Exports and previews of tables that hold every type, nulls and awkward texts.

use bytes_of::*;
use wasmlops_core::table::{Batch, Column, Dictionary, Field, Schema, TableBuilder};

use super::*;

/// Buffers of the wire layout.
mod bytes_of {
    pub fn i32s(numbers: &[i32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    pub fn i64s(numbers: &[i64]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    pub fn f64s(numbers: &[f64]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }

    pub fn f32s(numbers: &[f32]) -> Vec<u8> {
        numbers.iter().flat_map(|number| number.to_le_bytes()).collect()
    }
}

fn texts(texts: &[&str]) -> Column {
    let ends = (0..=texts.len()).map(|count| texts[..count].concat().len() as i32).collect::<Vec<_>>();
    Column { values: texts.concat().into_bytes(), offsets: Some(i32s(&ends)), ..Column::default() }
}

fn values(values: Vec<u8>) -> Column {
    Column { values, ..Column::default() }
}

fn table(columns: Vec<(&str, wasmlops_core::table::DataType, Column)>, num_rows: u64) -> Table {
    let field =
        |(name, data_type, _): &(&str, _, _)| Field { name: (*name).to_owned(), data_type: *data_type, nullable: true };
    let mut builder = TableBuilder::new(Schema::new(columns.iter().map(field).collect()).unwrap());
    builder.push(Batch { num_rows, columns: columns.into_iter().map(|(.., column)| column).collect() }).unwrap();
    builder.finish().unwrap()
}

/// Four rows, the last all null.
fn every_type() -> Table {
    use wasmlops_core::table::DataType::*;
    let nulls = |column: Column| Column { validity: Some(vec![0b0111]), ..column };
    let dictionary = Some(Dictionary { offsets: i32s(&[0, 3, 8]), values: b"redgreen".to_vec() });
    let bytes = Column { values: vec![0, 255], offsets: Some(i32s(&[0, 2, 2, 2, 2])), ..Column::default() };
    table(
        vec![
            ("flag", Bool, nulls(values(vec![0b0101]))),
            ("whole", S64, nulls(values(i64s(&[i64::MIN, 0, 42, 0])))),
            ("wide", F64, nulls(values(f64s(&[0.1, f64::NAN, -1e300, 0.0])))),
            ("narrow", F32, nulls(values(f32s(&[0.1, 16_777_216.0, f32::INFINITY, 0.0])))),
            ("text", Utf8, nulls(texts(&["say \"hi\", you\nthere", "", " ", ""]))),
            ("bytes", Binary, nulls(bytes)),
            ("time", Timestamp, nulls(values(i64s(&[1_700_000_000_000_001, 0, i64::MAX, 0])))),
            ("class", Categorical, nulls(Column { dictionary, ..values(i32s(&[1, 0, 1, 0])) })),
        ],
        4,
    )
}

fn export(table: &Table, format: Format) -> Vec<u8> {
    let mut out = Vec::new();
    export_table(table, format, &mut out).unwrap();
    out
}

#[test]
fn csv_keeps_nulls_and_values_apart() {
    let expected = "flag,whole,wide,narrow,text,bytes,time,class\r\n\
        true,-9223372036854775808,0.1,0.1,\"say \"\"hi\"\", you\nthere\",00ff,2023-11-14T22:13:20.000001Z,green\r\n\
        false,0,NaN,16777216,\"\",\"\",1970-01-01T00:00:00Z,red\r\n\
        true,42,-1e300,inf,\" \",\"\",9223372036854775807,green\r\n\
        ,,,,,,,\r\n";
    assert_eq!(String::from_utf8(export(&every_type(), Format::Csv)).unwrap(), expected);
}

#[test]
fn csv_of_many_rows_reads_back() {
    let numbers: Vec<f64> = (0..150_000).map(|row| f64::from(row) / 7.0 * 10_f64.powi(row % 40 - 20)).collect();
    let table = table(vec![("x, y", wasmlops_core::table::DataType::F64, values(f64s(&numbers)))], 150_000);
    let bytes = export(&table, Format::Csv);
    let mut reader = ::csv::Reader::from_reader(bytes.as_slice());
    assert_eq!(reader.headers().unwrap().get(0), Some("x, y"));
    let back: Vec<f64> = reader.records().map(|record| record.unwrap()[0].parse().unwrap()).collect();
    assert_eq!(back, numbers);
}

#[test]
fn arrow_is_the_artifact() {
    let table = every_type();
    assert_eq!(export(&table, Format::Arrow), table.to_ipc().unwrap());
}

#[test]
fn parquet_reads_back() {
    use parquet::arrow::arrow_reader::ParquetRecordBatchReaderBuilder;

    let table = every_type();
    let bytes = export(&table, Format::Parquet);
    assert_eq!(bytes, export(&every_type(), Format::Parquet));
    let reader = ParquetRecordBatchReaderBuilder::try_new(parquet_bytes(bytes)).unwrap().build().unwrap();
    let back: Vec<_> = reader.map(Result::unwrap).collect();
    assert_eq!(back.len(), 1);
    let expected = table.record_batches().next().unwrap();
    assert_eq!(back[0].schema().fields(), expected.schema().fields());
    for (found, expected) in back[0].columns().iter().zip(expected.columns()) {
        assert_eq!(found, expected);
    }
}

fn parquet_bytes(bytes: Vec<u8>) -> std::fs::File {
    use std::io::Seek;

    let mut file = tempfile::tempfile().unwrap();
    file.write_all(&bytes).unwrap();
    file.rewind().unwrap();
    file
}

#[test]
fn previews_are_aligned_and_cut() {
    use wasmlops_core::table::DataType::*;

    let long = "x".repeat(40);
    let table = table(
        vec![
            ("number", S64, Column { validity: Some(vec![0b101]), ..values(i64s(&[5, 0, 12_345_678])) }),
            ("text", Utf8, texts(&["\u{1b}[31mred\u{202e}", &long, "ok"])),
        ],
        3,
    );
    let expected = format!(
        "  number  text\n     s64  utf8\n       5  \u{fffd}[31mred\u{fffd}\n    null  {}…\n12345678  ok\n\
         3 rows, 2 columns\n",
        "x".repeat(31)
    );
    assert_eq!(preview(&table, 10), expected);
    assert_eq!(preview(&table, 1), "number  text\n   s64  utf8\n     5  �[31mred�\n3 rows (1 shown, …), 2 columns\n");
    assert_eq!(preview(&table.select(&[0]).unwrap(), 0), "number\n   s64\n3 rows (0 shown, …), 1 columns\n");
}

#[test]
fn formats_have_names() {
    for format in Format::ALL {
        assert_eq!(format.as_str().parse::<Format>().unwrap(), format);
    }
    assert!("xlsx".parse::<Format>().unwrap_err().to_string().contains("hint: known are `csv`"));
}
