//! Parquet through its door: what pyarrow reads of the same files (`tests/make_parquet.py`), and damaged files.

use std::path::PathBuf;
use std::sync::LazyLock;

use proptest::prelude::*;
use serde_json::Value;

use super::*;

fn folder() -> PathBuf {
    PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data")
}

fn bytes(name: &str) -> Vec<u8> {
    std::fs::read(folder().join(format!("{name}.parquet"))).unwrap()
}

fn read_bytes(bytes: &[u8], options: &Options) -> Result<(Table, SourceReport)> {
    let (mut writer, written) = TableWriter::memory();
    let report = read(&Sources::memory("a.parquet", "path", bytes), options, &mut writer)?;
    Ok((written.into_table().expect("it was started"), report))
}

fn vectors() -> serde_json::Map<String, Value> {
    serde_json::from_slice(&std::fs::read(folder().join("parquet.json")).unwrap()).unwrap()
}

/// Whether a value is what pyarrow says.
fn is(column: &Column, row: usize, expected: &Value) -> bool {
    match (column.data_type(), expected) {
        (_, Value::Null) => column.is_null(row),
        _ if column.is_null(row) => false,
        (DataType::Bool, Value::Bool(value)) => column.bool(row) == Some(*value),
        (DataType::S64 | DataType::Timestamp, value) => Some(column.as_s64().unwrap()[row]) == value.as_i64(),
        (DataType::F64 | DataType::F32, Value::String(text)) => {
            let (found, wanted) = (column.number(row).unwrap(), text.parse::<f64>().unwrap());
            found == wanted || found.is_nan() && wanted.is_nan()
        }
        (DataType::F64 | DataType::F32, value) => {
            column.number(row).map(f64::to_bits) == value.as_f64().map(f64::to_bits)
        }
        (DataType::Utf8 | DataType::Categorical, value) => column.text(row) == value.as_str(),
        (DataType::Binary, value) => {
            let wanted: Vec<u8> = serde_json::from_value(value.clone()).unwrap();
            column.bytes(row) == Some(&wanted)
        }
        _ => false,
    }
}

#[test]
fn reads_what_pyarrow_reads() {
    let vectors = vectors();
    assert!(vectors.len() > 15);
    for (name, columns) in vectors {
        let (table, _) =
            read_bytes(&bytes(&name), &Options::default()).unwrap_or_else(|error| panic!("{name}: {error}"));
        let columns = columns.as_object().unwrap();
        assert_eq!(table.schema().names().collect::<Vec<_>>(), columns.keys().collect::<Vec<_>>(), "{name}");
        for (index, (column_name, values)) in columns.iter().enumerate() {
            let column = table.column(index).unwrap();
            let values = values.as_array().unwrap();
            assert_eq!(column.len(), values.len(), "{name} {column_name}");
            for (row, value) in values.iter().enumerate() {
                assert!(is(&column, row, value), "{name} {column_name} {row}: {} is not {value}", column.display(row));
            }
        }
    }
}

#[test]
fn categories_come_by_themselves_or_are_asked_for() {
    let (table, report) = read_bytes(&bytes("pandas"), &Options::default()).unwrap();
    assert_eq!(table.schema().field("c").unwrap().data_type, DataType::Categorical);
    let notes: Vec<&str> = report.notes.iter().map(|note| note.message.as_str()).collect();
    assert_eq!(notes, ["column `when`: times without a time zone are taken as UTC"]);
    let options = Options { columns: Some(vec!["other".into(), "text".into()]), categories: vec!["other".into()] };
    for file in ["texts-dictionary", "texts-plain", "texts-fallback", "texts-encodings"] {
        let (table, _) = read_bytes(&bytes(file), &options).unwrap();
        assert_eq!(table.schema().names().collect::<Vec<_>>(), ["other", "text"]);
        assert_eq!(table.schema().fields[0].data_type, DataType::Categorical);
        let text = Options { categories: Vec::new(), ..options.clone() };
        let (plain, _) = read_bytes(&bytes(file), &text).unwrap();
        let (plain, categories) = (plain.column(0).unwrap(), table.column(0).unwrap());
        assert!(plain.texts().eq(categories.texts()), "{file}");
    }
    let wrong = Options { categories: vec!["whole".into()], ..Options::default() };
    let error = read_bytes(&bytes("numbers-none"), &wrong).unwrap_err();
    assert_eq!((error.code, error.field.as_deref()), (ErrorCode::InvalidConfig, Some("categories")));
}

#[test]
fn a_group_s_name_stands_for_its_columns() {
    let options = Options { columns: Some(vec!["address".into()]), ..Options::default() };
    let (table, _) = read_bytes(&bytes("odd"), &options).unwrap();
    assert_eq!(table.schema().names().collect::<Vec<_>>(), ["address.city", "address.zip"]);
    let options = Options { columns: Some(vec!["addres".into()]), ..Options::default() };
    let error = read_bytes(&bytes("odd"), &options).unwrap_err();
    assert!(error.message.contains("no column `addres`") && error.message.contains("`address.zip`"), "{error}");
}

/// Every file cut off at every hundredth byte, and with each byte of its footer changed.
#[test]
fn cut_and_changed_files_are_errors_or_tables() {
    for name in ["numbers-snappy", "texts-encodings", "polars"] {
        let whole = bytes(name);
        for length in (0..whole.len()).step_by(101) {
            let error = read_bytes(&whole[..length], &Options::default()).unwrap_err();
            assert_eq!(
                (error.code, error.field.as_deref()),
                (ErrorCode::InvalidInput, Some("path")),
                "{name} {length}"
            );
        }
        let footer = u32::from_le_bytes(*whole[whole.len() - 8..].first_chunk().unwrap()) as usize;
        for at in (whole.len() - 8 - footer..whole.len()).step_by(3) {
            for change in [0x01, 0x80, 0xff] {
                let mut changed = whole.clone();
                changed[at] ^= change;
                let _ = read_bytes(&changed, &Options::default());
            }
        }
    }
}

/// Every file, read once.
static FILES: LazyLock<Vec<Vec<u8>>> = LazyLock::new(|| vectors().keys().map(|name| bytes(name)).collect());

proptest! {
    #![proptest_config(ProptestConfig { cases: 500, ..ProptestConfig::default() })]

    /// No bytes make it panic, whatever the encoding and the codec.
    #[test]
    fn damaged_files_are_read_or_refused(
        file in any::<usize>(),
        changes in proptest::collection::vec((any::<proptest::sample::Index>(), any::<u8>()), 1..8),
    ) {
        let mut damaged = FILES[file % FILES.len()].clone();
        for (at, change) in &changes {
            let at = at.index(damaged.len());
            damaged[at] = *change;
        }
        let _ = read_bytes(&damaged, &Options::default());
    }

    #[test]
    fn any_bytes_between_the_marks_are_refused(body in proptest::collection::vec(any::<u8>(), 0..200)) {
        let mut file = b"PAR1".to_vec();
        file.extend_from_slice(&body);
        file.extend_from_slice(&(body.len() as u32).to_le_bytes());
        file.extend_from_slice(b"PAR1");
        prop_assert!(read_bytes(&file, &Options::default()).is_err());
    }
}
