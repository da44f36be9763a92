//! The door: examples, and a round trip of random tables.

use proptest::prelude::*;
use serde_json::{Value, json};

use super::*;

fn read(with: Value, text: &[u8]) -> Result<(Table, SourceReport)> {
    let options = serde_json::from_value(with).expect("options");
    let (mut writer, written) = TableWriter::memory();
    let report = super::read(&Sources::memory("a.csv", "path", text), &options, &mut writer)?;
    Ok((written.into_table().expect("it was started"), report))
}

fn column(text: &str) -> Column {
    read(json!({}), text.as_bytes()).unwrap().0.column(0).unwrap()
}

#[test]
fn the_last_value_of_a_long_file_decides_as_the_first_one() {
    let numbers: String = (0..200_000).map(|number| format!("{number}\n")).collect();
    assert_eq!(column(&format!("a\n{numbers}")).data_type(), DataType::S64);
    assert_eq!(column(&format!("a\n{numbers}0.5\n")).data_type(), DataType::F64);
    let text = column(&format!("a\n{numbers}x\n"));
    assert_eq!(text.data_type(), DataType::Utf8);
    assert_eq!(text.len(), 200_001);
    assert_eq!(text.text(199_999), Some("199999"));
}

#[test]
fn types_need_values() {
    assert_eq!(column("a,b\n,1\nNA,2\n").data_type(), DataType::Utf8);
    assert_eq!(column("a\nInf\nINF\n").data_type(), DataType::Utf8);
    assert_eq!(column("a\ninf\n1\n").data_type(), DataType::F64);
    assert_eq!(column("a\ntrue\n1\n").data_type(), DataType::Utf8);
}

#[test]
fn quotes_and_nulls() {
    let with = json!({ "columns": { "b": "utf8" } });
    let (table, _) = read(with, b"a,b\n\"1\",\"\"\n\"\",\n NA ,NA\n\"NA\",\"NA\"\n").unwrap();
    assert_eq!(table.column(0).unwrap(), Column::from_s64([Some(1), None, None, None]));
    assert_eq!(table.column(1).unwrap(), Column::from_text([Some(""), None, None, Some("NA")]));
}

#[test]
fn misfits_of_one_row_are_one_bad_row() {
    let with = json!({ "columns": { "a": "s64", "b": "s64" }, "bad_rows": "skip" });
    let (table, report) = read(with, b"a,b\nx,y\n1,2\n3\n4,z\n").unwrap();
    assert_eq!(table.num_rows(), 1);
    assert_eq!(report.bad_rows, 3);
    let lines: Vec<u64> = report.notes.iter().flat_map(|note| note.line).collect();
    assert_eq!(lines, [2, 4, 5]);
    assert_eq!(report.notes[0].message, "column `a`: `x` is not a whole number (s64)");
}

#[test]
fn long_values_are_cut_and_notes_are_few() {
    let text = format!("a\n1\n{}", format!("{}\n", "x".repeat(50)).repeat(150));
    let with = json!({ "columns": { "a": "f64" }, "bad_rows": "skip" });
    let (_, report) = read(with, text.as_bytes()).unwrap();
    assert_eq!((report.rows, report.bad_rows, report.notes.len()), (1, 150, 100));
    assert_eq!(report.notes[0].message, format!("column `a`: `{}…` is not a number (f64)", "x".repeat(40)));
}

#[test]
fn characters_that_cannot_serve() {
    for (key, value) in [("delimiter", "a"), ("delimiter", "\n"), ("delimiter", "é"), ("quote", ","), ("quote", "\r")]
    {
        let error = read(json!({ key: value }), b"a\n1\n").unwrap_err();
        assert_eq!((error.code, error.field.as_deref()), (ErrorCode::InvalidConfig, Some(key)), "{value:?}");
    }
}

/// A cell in a random table: null, or a text that may need quotes.
fn cell() -> impl Strategy<Value = Option<String>> {
    proptest::option::of("[a-c0-9 ,;\"\r\n'é\t.-]{0,6}")
}

fn written(rows: &[Vec<Option<String>>], line_end: &str) -> String {
    let header: Vec<String> = (0..rows[0].len()).map(|index| format!("c{index}")).collect();
    let cell = |cell: &Option<String>| {
        cell.as_ref().map_or_else(String::new, |text| format!("\"{}\"", text.replace('"', "\"\"")))
    };
    let rows = rows.iter().map(|row| row.iter().map(cell).collect::<Vec<_>>().join(","));
    std::iter::once(header.join(",")).chain(rows).map(|line| line + line_end).collect()
}

/// The same rows by the crate `csv`, which everybody trusts.
fn written_by_csv(rows: &[Vec<Option<String>>]) -> Vec<u8> {
    let mut writer = csv::WriterBuilder::new().quote_style(csv::QuoteStyle::Necessary).from_writer(Vec::new());
    writer.write_record((0..rows[0].len()).map(|index| format!("c{index}"))).unwrap();
    for row in rows {
        writer.write_record(row.iter().map(|cell| cell.as_deref().unwrap_or_default())).unwrap();
    }
    writer.into_inner().unwrap()
}

proptest! {
    /// It writes no quotes around empty cells, so that an empty text is null here.
    #[test]
    fn what_the_crate_csv_writes_reads_back(
        rows in (2..5_usize).prop_flat_map(|width| {
            proptest::collection::vec(proptest::collection::vec(cell(), width), 1..20)
        }),
    ) {
        let with = json!({ "undeclared": "text", "nulls": [""] });
        let (table, report) = read(with, &written_by_csv(&rows)).unwrap();
        prop_assert_eq!((report.rows, report.bad_rows), (rows.len() as u64, 0));
        for index in 0..rows[0].len() {
            let texts = rows.iter().map(|row| row[index].as_deref().filter(|text| !text.is_empty()));
            let expected = Column::from_text(texts);
            prop_assert_eq!(table.column(index).unwrap(), expected);
        }
    }

    #[test]
    fn texts_come_back(
        rows in (2..5_usize).prop_flat_map(|width| {
            proptest::collection::vec(proptest::collection::vec(cell(), width), 1..20)
        }),
        crlf in any::<bool>(),
    ) {
        let text = written(&rows, if crlf { "\r\n" } else { "\n" });
        let (table, report) = read(json!({ "undeclared": "text" }), text.as_bytes()).unwrap();
        prop_assert_eq!((report.rows, report.bad_rows), (rows.len() as u64, 0));
        for index in 0..rows[0].len() {
            let expected = Column::from_text(rows.iter().map(|row| row[index].as_deref()));
            prop_assert_eq!(table.column(index).unwrap(), expected);
        }
    }

    #[test]
    fn numbers_come_back(
        values in proptest::collection::vec((any::<i64>(), proptest::option::of(any::<f64>())), 1..50),
    ) {
        let value = |value: Option<f64>| value.map_or_else(String::new, |value| value.to_string());
        let lines: String = values.iter().map(|&(whole, number)| format!("{whole},{}\n", value(number))).collect();
        let with = json!({ "columns": { "b": "f64" }, "nulls": [""] });
        let (table, _) = read(with, format!("a,b\n{lines}").as_bytes()).unwrap();
        prop_assert_eq!(table.column(0).unwrap(), Column::from_s64(values.iter().map(|&(whole, _)| whole)));
        prop_assert_eq!(table.column(1).unwrap(), Column::from_f64(values.iter().map(|&(_, number)| number)));
    }

    /// No bytes make it panic.
    #[test]
    fn any_bytes_are_read_or_refused(bytes in proptest::collection::vec(any::<u8>(), 0..200)) {
        let _ = read(json!({ "bad_rows": "skip" }), &bytes);
    }

    #[test]
    fn any_marks_are_read_or_refused(text in "[a\",\r\n1]{0,40}") {
        let _ = read(json!({ "bad_rows": "skip" }), text.as_bytes());
    }
}
