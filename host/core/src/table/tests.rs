//! Tables at their door: what is pushed is what is read, in one encoding, and nothing malformed comes in.

mod cells;
mod foreign_bytes;
mod malformed;
mod reading;

use proptest::prelude::*;

use self::cells::{Cell, Layout, columns, field, rows_of, wire};
use super::*;

/// Pushes `rows` in batches that end after each number of rows in `ends`.
fn table(schema: &Schema, rows: &[Vec<Cell>], ends: &[usize], layout: &Layout) -> Table {
    let mut builder = TableBuilder::new(schema.clone());
    let mut start = 0;
    for &end in ends.iter().chain([&rows.len()]) {
        let end = end.clamp(start, rows.len());
        builder.push(wire(schema, &rows[start..end], layout)).unwrap();
        start = end;
    }
    assert_eq!(builder.num_rows(), rows.len() as u64);
    builder.finish().unwrap()
}

fn one_column(data_type: DataType, cells: &[Cell]) -> Table {
    let schema = Schema::new(vec![field("x", data_type)]).unwrap();
    let rows: Vec<_> = cells.iter().map(|cell| vec![cell.clone()]).collect();
    table(&schema, &rows, &[], &Layout::default())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(64))]

    #[test]
    fn bytes_depend_on_the_data_alone(
        (schema, rows) in columns(),
        ends in prop::collection::vec(0..60_usize, 0..6),
        layout in cells::layout(),
    ) {
        let mut ends = ends;
        ends.sort_unstable();
        let whole = table(&schema, &rows, &[], &Layout::default());
        let pieces = table(&schema, &rows, &ends, &layout);
        let bytes = whole.to_ipc().unwrap();
        prop_assert_eq!(&bytes, &pieces.to_ipc().unwrap());

        let back = Table::from_ipc(bytes.clone()).unwrap();
        prop_assert_eq!(&back, &whole);
        prop_assert_eq!(back.to_ipc().unwrap(), bytes);
        prop_assert_eq!(rows_of(&back), rows);
    }
}

#[test]
fn chunks_have_one_size_however_rows_come() {
    let schema = Schema::new(vec![
        field("number", DataType::F64),
        field("flag", DataType::Bool),
        field("text", DataType::Utf8),
        field("class", DataType::Categorical),
    ])
    .unwrap();
    let row = |row: usize| match row % 11 {
        7 => vec![Cell::Null, Cell::Null, Cell::Null, Cell::Null],
        _ => vec![
            Cell::F64(row as f64),
            Cell::Bool(row.is_multiple_of(3)),
            Cell::Text(format!("row {row}")),
            Cell::Text(format!("class {}", row % 5 + row / 50_000)),
        ],
    };
    let rows: Vec<_> = (0..2 * CHUNK_ROWS + 1_000).map(row).collect();
    let layout = Layout { shuffle_texts: true, ..Layout::default() };
    let whole = table(&schema, &rows, &[], &Layout::default());
    let pieces = table(&schema, &rows, &[1, CHUNK_ROWS - 1, CHUNK_ROWS + 1, 2 * CHUNK_ROWS], &layout);
    let sizes: Vec<_> = pieces.record_batches().map(arrow_array::RecordBatch::num_rows).collect();
    assert_eq!(sizes, [CHUNK_ROWS, CHUNK_ROWS, 1_000]);
    assert_eq!(whole, pieces);
    let bytes = pieces.to_ipc().unwrap();
    assert_eq!(bytes, whole.to_ipc().unwrap());
    assert_eq!(rows_of(&Table::from_ipc(bytes).unwrap()), rows);
}

/// The encoding is part of what digests and caches rest on: when this fails, every artifact of a table gets a new name.
#[test]
fn the_encoding_has_not_changed() {
    let digests: Vec<String> = cells::TYPES
        .into_iter()
        .map(|data_type| one_column(data_type, &[cells::example(data_type), Cell::Null, cells::example(data_type)]))
        .map(|table| blake3::hash(&table.to_ipc().unwrap()).to_hex()[..16].to_owned())
        .collect();
    assert_eq!(
        digests,
        [
            "c698bbe5e7114fec",
            "c30de91409018506",
            "da23424551c7c53a",
            "5652dd1d8f6f5716",
            "2468dbb118d4c877",
            "72f7ac71e3b5d0c1",
            "935693e92a35ae21",
            "bbd435dc9498f668",
        ]
    );
}

#[test]
fn columns_without_nulls_have_no_validity() {
    let rows = vec![vec![Cell::S64(1)]; 3];
    let schema = Schema::new(vec![field("x", DataType::S64)]).unwrap();
    let mut batch = wire(&schema, &rows, &Layout::default());
    assert!(batch.columns[0].validity.is_none());
    batch.columns[0].validity = Some(vec![0b111]);
    let mut builder = TableBuilder::new(schema);
    builder.push(batch).unwrap();
    let table = builder.finish().unwrap();
    assert_eq!(table, one_column(DataType::S64, &[Cell::S64(1), Cell::S64(1), Cell::S64(1)]));
    assert!(table.read(&[0], 0, 3).unwrap().columns[0].validity.is_none());
}

#[test]
fn empty_tables_work_throughout() {
    let schema = Schema::new(cells::TYPES.into_iter().map(|data_type| field(data_type.as_str(), data_type)).collect());
    let table = TableBuilder::new(schema.unwrap()).finish().unwrap();
    assert_eq!(table.num_rows(), 0);
    let back = Table::from_ipc(table.to_ipc().unwrap()).unwrap();
    assert_eq!(back, table);
    let batch = back.read(&[0, 4, 7], 0, 100).unwrap();
    assert_eq!(batch.num_rows, 0);
    assert_eq!(batch.columns[1].offsets, Some(vec![0; 4]));
    assert_eq!(batch.columns[2].dictionary, Some(Dictionary { offsets: vec![0; 4], values: vec![] }));
    assert!(back.matrix(&[0, 1], 0, 100, Element::F64).unwrap().is_empty());
    assert_eq!(back.select(&[7, 0]).unwrap().schema().fields[0].name, "categorical");

    let nothing = TableBuilder::new(Schema::default()).finish().unwrap();
    assert_eq!(Table::from_ipc(nothing.to_ipc().unwrap()).unwrap(), nothing);
}

#[test]
fn select_keeps_rows_and_order_asked_for() {
    let schema = Schema::new(vec![field("a", DataType::S64), field("b", DataType::Categorical)]).unwrap();
    let rows = vec![vec![Cell::S64(1), Cell::Text("x".into())], vec![Cell::Null, Cell::Text("y".into())]];
    let table = table(&schema, &rows, &[], &Layout::default());
    let swapped = table.select(&[1, 0]).unwrap();
    assert_eq!(rows_of(&swapped), [[rows[0][1].clone(), rows[0][0].clone()], [rows[1][1].clone(), Cell::Null]]);
    assert_eq!(Table::from_ipc(swapped.to_ipc().unwrap()).unwrap(), swapped);
    assert_eq!(table.select(&[2]).unwrap_err(), TableError::NoSuchColumn { index: 2, count: 2 });
    assert_eq!(table.select(&[0, 0]).unwrap_err(), TableError::DuplicateName { column: "a".into() });
    assert_eq!(table.select(&[]).unwrap_err(), TableError::NoColumns);
}

#[test]
fn schemas_are_checked_when_they_are_read() {
    let field = r#"{"name": "x", "data_type": "f64", "nullable": true}"#;
    let schema: Schema = serde_json::from_str(&format!(r#"{{"fields": [{field}]}}"#)).unwrap();
    assert_eq!(schema.index_of("x"), Some(0));
    let twice = serde_json::from_str::<Schema>(&format!(r#"{{"fields": [{field}, {field}]}}"#));
    assert!(twice.unwrap_err().to_string().starts_with("column `x` comes twice"));
}
