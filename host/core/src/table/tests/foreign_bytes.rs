//! Bytes that are no table, or were one before someone touched them: refused or read, never a panic.

use std::sync::Arc;

use arrow_array::{Float64Array, Int64Array, RecordBatch};
use arrow_buffer::Buffer;
use arrow_ipc::writer::FileWriter;

use super::*;

/// Touches every value of a table that got through.
fn use_up(table: &Table) {
    rows_of(table);
    let all: Vec<u32> = (0..table.schema().fields.len() as u32).collect();
    for index in all {
        let _ = table.matrix(&[index], 0, u64::MAX, Element::F32);
    }
    table.to_ipc().unwrap();
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn corruption_never_panics(
        (schema, rows) in columns(),
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..8),
        cut in prop::option::weighted(0.2, any::<prop::sample::Index>()),
    ) {
        let mut bytes = table(&schema, &rows, &[], &Layout::default()).to_ipc().unwrap();
        for (place, byte) in changes {
            let place = place.index(bytes.len());
            bytes[place] = byte;
        }
        if let Some(cut) = cut {
            bytes.truncate(cut.index(bytes.len()));
        }
        if let Ok(table) = Table::from_ipc(bytes) {
            use_up(&table);
        }
    }

    #[test]
    fn every_other_byte_string_is_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Table::from_ipc(bytes.clone()).is_err());
        prop_assert!(Table::from_ipc([b"ARROW1\0\0", &bytes[..], b"ARROW1"].concat()).is_err());
    }
}

#[test]
fn values_stay_where_they_are() {
    let bytes = one_column(DataType::F64, &vec![Cell::F64(1.5); 1_000]).to_ipc().unwrap();
    let buffer = Buffer::from_vec(bytes);
    let range = buffer.as_slice().as_ptr_range();
    let table = Table::from_ipc(buffer.clone()).unwrap();
    let values = |table: &Table| {
        let chunk = table.record_batches().next().unwrap().clone();
        chunk.column(0).to_data().buffers()[0].as_ptr()
    };
    assert!(range.contains(&values(&table)));

    // At an odd address the values are copied, and are the same.
    let shifted = Buffer::from_vec([&[0_u8], buffer.as_slice()].concat()).slice(1);
    let copied = Table::from_ipc(shifted.clone()).unwrap();
    assert!(!shifted.as_slice().as_ptr_range().contains(&values(&copied)));
    assert_eq!(copied, table);
}

fn foreign(columns: Vec<(&str, arrow_array::ArrayRef)>, batches: usize) -> TableError {
    let batch = RecordBatch::try_from_iter(columns).unwrap();
    let mut writer = FileWriter::try_new(Vec::new(), &batch.schema()).unwrap();
    (0..batches).for_each(|_| writer.write(&batch).unwrap());
    Table::from_ipc(writer.into_inner().unwrap()).unwrap_err()
}

#[test]
fn the_same_data_in_another_form_is_refused() {
    let numbers = || Arc::new(Int64Array::from(vec![1, 2, 3]));
    let refused = foreign(vec![("x", numbers())], 2).to_string();
    assert_eq!(refused, "file is not a table: record batch 0 has 3 rows, and tables have 65536 in each but the last");

    let nans = Arc::new(Float64Array::from(vec![f64::NAN, -f64::NAN]));
    let refused = foreign(vec![("x", nans)], 1).to_string();
    assert_eq!(refused, "file is not a table: column `x` has NaNs of several bit patterns");

    let small = Arc::new(arrow_array::Int8Array::from(vec![1]));
    let refused = foreign(vec![("x", small)], 1).to_string();
    assert_eq!(refused, "file is not a table: column `x` has the Arrow type `Int` in a form that tables do not use");

    let null = Int64Array::new(vec![7, 8].into(), Some(vec![true, false].into()));
    let refused = foreign(vec![("x", Arc::new(null) as _)], 1);
    let refused = refused.to_string();
    assert_eq!(refused, "file is not a table: column `x` has values under its nulls");

    let texts: arrow_array::DictionaryArray<arrow_array::types::Int32Type> = ["b", "a", "b"].into_iter().collect();
    let texts = texts.with_values(Arc::new(arrow_array::StringArray::from(vec!["b", "a", "unused"])));
    let refused = foreign(vec![("x", Arc::new(texts))], 1).to_string();
    assert!(refused.contains("`x` has a text in its dictionary twice, or one that no row shows"), "{refused}");
}
