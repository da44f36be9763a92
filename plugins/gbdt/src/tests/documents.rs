//! Bytes that are no model end in an error, never in a panic or in a walk without end.

use proptest::prelude::*;
use serde_json::json;
use wasmlops_sdk::testing::train;
use wasmlops_sdk::{ErrorCode, Predictor};

use super::{binary, columns, multiclass};
use crate::model::Model;
use crate::{Gbdt, GbdtPredictor};

fn bytes() -> Vec<u8> {
    let with = json!({ "task": "multiclass", "target": "y", "n_estimators": 3, "contributions": true });
    train::<Gbdt>(with, multiclass(200, 1), None).unwrap()
}

#[test]
fn a_model_comes_back() {
    let bytes = bytes();
    assert_eq!(Model::from_bytes(&bytes).unwrap().to_bytes().unwrap(), bytes);
}

#[test]
fn cut_models_are_refused() {
    let bytes = bytes();
    for end in (0..bytes.len()).step_by(7) {
        assert_eq!(Model::from_bytes(&bytes[..end]).unwrap_err().code, ErrorCode::InvalidInput);
    }
    assert!(Model::from_bytes(&[&bytes[..], &[0]].concat()).is_err());
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(400))]

    #[test]
    fn changed_models_load_or_do_not(
        changes in prop::collection::vec((any::<prop::sample::Index>(), any::<u8>()), 1..4),
    ) {
        let table = binary(5, 1);
        let mut bytes = bytes();
        for (at, value) in changes {
            let at = at.index(bytes.len());
            bytes[at] = value;
        }
        if let Ok(predictor) = GbdtPredictor::load(&bytes, table.schema()) {
            let all: Vec<usize> = (0..table.schema().fields.len()).collect();
            let batch = table.read(&all, 0, 5).unwrap();
            prop_assert_eq!(predictor.predict(&batch).unwrap().columns.len(), predictor.output().fields.len());
        }
    }

    #[test]
    fn other_bytes_are_refused(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
        prop_assert!(Model::from_bytes(&bytes).is_err());
        prop_assert!(Model::from_bytes(&[b"wasmlops-gbdt\x01", &bytes[..]].concat()).is_err());
    }
}

#[test]
fn columns_are_as_the_output_says() {
    let rows = binary(9, 2);
    let predictions = wasmlops_sdk::testing::predict::<GbdtPredictor>(&bytes(), &rows).unwrap();
    assert_eq!(columns(&predictions).len(), 1 + 3 + 3 * 5);
}
