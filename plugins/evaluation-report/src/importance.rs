//! How much each feature counts, from a file that another step made: bytes in, a sorted list out.

use serde_json::Value;
use wasmlops_sdk::prelude::{Error, Result};

/// What the amount of a feature may be called, the first that is there.
const AMOUNTS: [&str; 6] = ["gain", "importance", "mean", "split", "splits", "value"];
const NAMES: [&str; 3] = ["feature", "name", "column"];

#[derive(Clone, PartialEq, Debug)]
pub struct Feature {
    pub name: String,
    pub amount: f64,
    /// What the amount is called: `gain`.
    pub measure: String,
}

/// Reads a JSON list of objects such as `{"feature": "age", "gain": 3.5}`, alone or under `features` or `importance`;
/// most important first, of equals in the order of the file.
///
/// Errors: `invalid-input` at `importance` for anything else.
pub fn read(bytes: &[u8]) -> Result<Vec<Feature>> {
    let wrong = |what: String| Error::invalid_input(what).at("importance");
    let document: Value =
        serde_json::from_slice(bytes).map_err(|error| wrong(format!("the file is not JSON: {error}")))?;
    let list = document.as_array().or_else(|| {
        let inside = ["features", "importance"].iter().find_map(|key| document.get(key));
        inside.and_then(Value::as_array)
    });
    let list = list.ok_or_else(|| wrong("the file has no list of `features`".to_owned()))?;
    let mut features = Vec::with_capacity(list.len());
    for (place, entry) in list.iter().enumerate() {
        let name = NAMES.iter().find_map(|key| entry.get(key)?.as_str());
        let amount = AMOUNTS.iter().find_map(|key| Some((*key, entry.get(key)?.as_f64()?)));
        let (Some(name), Some((measure, amount))) = (name, amount) else {
            let message = format!("entry {place} has no name (`feature`) or no amount (`{}`)", AMOUNTS[0]);
            return Err(wrong(message));
        };
        features.push(Feature { name: name.to_owned(), amount, measure: measure.to_owned() });
    }
    features.sort_by(|one, other| other.amount.total_cmp(&one.amount));
    Ok(features)
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;

    #[test]
    fn the_most_important_first() {
        let text = br#"{"features": [{"feature": "a", "split": 9, "gain": 1.5}, {"feature": "b", "gain": 2}]}"#;
        let features = read(text).unwrap();
        assert_eq!((features[0].name.as_str(), features[0].amount, features[0].measure.as_str()), ("b", 2.0, "gain"));
        assert_eq!(features[1].amount, 1.5);
        assert_eq!(read(br#"[{"name": "a", "importance": 1}]"#).unwrap().len(), 1);
        for wrong in ["", "1", "{}", r#"[{"name": 1, "gain": 1}]"#, r#"[{"name": "a"}]"#] {
            assert_eq!(read(wrong.as_bytes()).unwrap_err().field.as_deref(), Some("importance"), "{wrong}");
        }
    }

    proptest! {
        #[test]
        fn foreign_bytes_do_no_harm(bytes in prop::collection::vec(any::<u8>(), 0..200)) {
            let _ = read(&bytes);
        }
    }
}
