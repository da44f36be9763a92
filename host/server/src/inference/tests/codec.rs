//! Batches as bytes of a journal.

use proptest::prelude::*;

use super::*;
use crate::inference::codec::{Reader, put_batch};

/// A column as it may come from outside, of any type, with nulls.
fn any_column(rows: usize) -> impl Strategy<Value = wasmlops_core::table::Column> {
    let cells = prop::collection::vec(prop::option::of("[a-zß]{0,4}"), rows..=rows);
    (cells, 0..4_usize).prop_map(|(cells, kind)| {
        let json: Vec<Option<Value>> = cells
            .iter()
            .map(|cell| {
                cell.as_ref().map(|text| match kind {
                    0 => json!(text.len()),
                    1 => json!(text.len() as f64 / 3.0),
                    2 => json!(text.len() % 2 == 0),
                    _ => json!(text),
                })
            })
            .collect();
        let data_type = [DataType::S64, DataType::F64, DataType::Bool, DataType::Categorical][kind];
        match kind {
            3 if cells.len() % 2 == 0 => texts(cells.iter().map(Option::as_deref)),
            _ => columns::of_json(data_type, &json),
        }
    })
}

fn any_batch() -> impl Strategy<Value = Batch> {
    (0..20_usize).prop_flat_map(|rows| {
        prop::collection::vec(any_column(rows), 0..6).prop_map(move |columns| Batch { num_rows: rows as u64, columns })
    })
}

proptest! {
    #[test]
    fn a_batch_comes_back_as_it_was(batch in any_batch()) {
        let mut bytes = Vec::new();
        put_batch(&mut bytes, &batch);
        let mut reader = Reader(&bytes);
        let view = reader.batch().unwrap();
        prop_assert_eq!(view.num_rows, batch.num_rows);
        prop_assert_eq!(view.to_columns().collect::<Vec<_>>(), batch.columns);
        prop_assert!(reader.0.is_empty());
    }

    #[test]
    fn bytes_that_are_cut_off_hold_no_batch(batch in any_batch(), cut in 1..100_usize) {
        let mut bytes = Vec::new();
        put_batch(&mut bytes, &batch);
        let length = bytes.len().saturating_sub(cut);
        prop_assert!(Reader(&bytes[..length]).batch().is_none());
    }

    #[test]
    fn foreign_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        let _ = Reader(&bytes).batch();
    }
}
