//! Features of what texts say: length, words, hashes.

use wasmlops_sdk::Column;

use crate::config::{Hash, Tokens};
use crate::hashing;

/// Characters of each row; NaN where it is missing.
pub fn lengths(column: &Column) -> Vec<f64> {
    column.texts().map(|text| text.map_or(f64::NAN, |text| text.chars().count() as f64)).collect()
}

/// Words of each row; NaN where it is missing.
pub fn words(column: &Column) -> Vec<f64> {
    column.texts().map(|text| text.map_or(f64::NAN, |text| tokens(text).count() as f64)).collect()
}

/// Words, or whole texts, counted by hash; all 0 where the text is missing.
pub fn hashed(column: &Column, with: &Hash) -> Vec<Vec<f64>> {
    let mut features = vec![vec![0.0; column.len()]; with.features as usize];
    let mut lower = String::new();
    for (row, text) in column.texts().enumerate() {
        let mut count = |token: &str| {
            let (feature, sign) = hashing::feature(token.as_bytes(), with.features);
            features[feature][row] += sign;
        };
        match (text, with.of) {
            (None, _) => {}
            (Some(text), Tokens::Value) => count(text),
            (Some(text), Tokens::Words) => tokens(text).for_each(|token| {
                lower.clear();
                lower.extend(token.chars().flat_map(char::to_lowercase));
                count(&lower);
            }),
        }
    }
    features
}

/// Runs of letters and digits.
pub fn tokens(text: &str) -> impl Iterator<Item = &str> {
    text.split(|character: char| !character.is_alphanumeric()).filter(|token| !token.is_empty())
}
