//! Which rows were learned from, as fingerprints: so that `apply` can give exactly these the encoding of the other
//! folds. The door is [`Members`].
//!
//! A row's fold follows from its key columns alone, never from its target: rows that are equal in the key lie in one
//! fold, so no encoding that a row gets has seen the target of a row like it. The fingerprint covers the target too.

use base64::Engine as _;
use base64::engine::general_purpose::STANDARD;
use serde::{Deserialize, Deserializer, Serialize, Serializer};
use wasmlops_sdk::{Column, Schema};

use crate::hashing::{fnv1a, mix};

/// Rows learned from.
#[derive(Clone, Debug, PartialEq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Members {
    pub folds: usize,
    /// The columns that tell rows apart, in this order.
    pub key: Vec<String>,
    pub hash: RowHash,
    /// Ascending, none twice; kept as base64 of little-endian 32-bit numbers.
    #[serde(serialize_with = "to_base64", deserialize_with = "from_base64")]
    pub rows: Vec<u32>,
}

/// Names the hash in the state.
#[derive(Clone, Copy, Debug, PartialEq, Serialize, Deserialize)]
pub enum RowHash {
    #[serde(rename = "fnv1a_64+splitmix64")]
    FnvSplitMix,
}

/// In place of a fold for rows that were not learned from.
pub const NOT_LEARNED: u8 = u8::MAX;

impl Members {
    /// The fold of each row that was learned from, [`NOT_LEARNED`] for others.
    pub fn folds_of(&self, key: &[&Column], target: &Column) -> Vec<u8> {
        let of = |row: Row| {
            if self.rows.binary_search(&row.fingerprint).is_ok() { row.fold(self.folds) } else { NOT_LEARNED }
        };
        rows(key, target).map(|row| row.map_or(NOT_LEARNED, of)).collect()
    }
}

/// What is known of a row with a target.
#[derive(Clone, Copy)]
pub struct Row {
    /// Of the key columns.
    pub key: u64,
    /// Of key and target. Two rows share one by chance once in four billion pairs; then a row that was not learned from
    /// gets the encoding of a fold, which is nearly the same.
    pub fingerprint: u32,
}

impl Row {
    pub fn fold(self, folds: usize) -> u8 {
        // The upper half, scaled: as even as the hash.
        u8::try_from(((self.key >> 32) * folds as u64) >> 32).unwrap_or(NOT_LEARNED)
    }
}

/// The rows of a batch; `None` where the target is missing.
pub fn rows<'a>(key: &[&Column], target: &'a Column) -> impl Iterator<Item = Option<Row>> + use<'a> {
    let mut hashes = vec![0; target.len()];
    for column in key {
        add(&mut hashes, column);
    }
    hashes.into_iter().enumerate().map(|(row, key)| {
        let missing = target.is_null(row) || target.number(row).is_some_and(f64::is_nan);
        // The low half: what of it a fingerprint keeps.
        let fingerprint = mix(key ^ value(target, row)) as u32;
        (!missing).then_some(Row { key, fingerprint })
    })
}

fn add(hashes: &mut [u64], column: &Column) {
    for (row, hash) in hashes.iter_mut().enumerate() {
        *hash = mix(hash.wrapping_add(0x9e37_79b9_7f4a_7c15) ^ value(column, row));
    }
}

/// The same for all types that a column may come back as: whole and fractional numbers, text and categories, null and
/// NaN.
fn value(column: &Column, row: usize) -> u64 {
    if let Some(number) = column.number(row) {
        return if number.is_nan() { NULL } else { (number + 0.0).to_bits() };
    }
    match column.text(row) {
        Some(text) => fnv1a(text.as_bytes()),
        None => column.bytes(row).map_or(NULL, fnv1a),
    }
}

/// Stands for a missing value; a NaN's bits, which no number has.
const NULL: u64 = 0x7ff8_0000_0000_0000;

/// Finds rows that were learned from in batches of one schema.
pub struct Recogniser {
    key: Vec<usize>,
    target: usize,
}

impl Recogniser {
    /// `None` where rows come without the target: such rows are not learned from.
    ///
    /// Errors: the names of the key columns that are missing although the target is there.
    pub fn new(members: &Members, target: Option<&str>, input: &Schema) -> Result<Option<Self>, Vec<String>> {
        let Some(target) = target.and_then(|target| input.index_of(target)) else { return Ok(None) };
        let missing: Vec<String> =
            members.key.iter().filter(|name| input.index_of(name).is_none()).map(|name| format!("`{name}`")).collect();
        if !missing.is_empty() {
            return Err(missing);
        }
        let key = members.key.iter().filter_map(|name| input.index_of(name)).collect();
        Ok(Some(Self { key, target }))
    }

    pub fn folds(&self, members: &Members, columns: &[Column]) -> Vec<u8> {
        let key: Vec<&Column> = self.key.iter().map(|&index| &columns[index]).collect();
        members.folds_of(&key, &columns[self.target])
    }
}

fn to_base64<S: Serializer>(rows: &[u32], serializer: S) -> Result<S::Ok, S::Error> {
    let bytes: Vec<u8> = rows.iter().flat_map(|row| row.to_le_bytes()).collect();
    serializer.serialize_str(&STANDARD.encode(bytes))
}

fn from_base64<'de, D: Deserializer<'de>>(deserializer: D) -> Result<Vec<u32>, D::Error> {
    let text = String::deserialize(deserializer)?;
    let bytes = STANDARD.decode(text).map_err(serde::de::Error::custom)?;
    let (rows, rest) = bytes.as_chunks::<4>();
    let rows: Vec<u32> = rows.iter().map(|row| u32::from_le_bytes(*row)).collect();
    if rest.is_empty() && rows.is_sorted() {
        Ok(rows)
    } else {
        Err(serde::de::Error::custom("rows are no fingerprints"))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn types_that_stand_for_each_other_are_one() {
        let target = Column::from_bool([true, false]);
        let hashes = |column: &Column| rows(&[column], &target).map(|row| row.unwrap().key).collect::<Vec<_>>();
        assert_eq!(hashes(&Column::from_s64([1, -0])), hashes(&Column::from_f64([1.0, -0.0])));
        assert_eq!(hashes(&Column::from_text(["a", "b"])), hashes(&Column::from_categories(["a", "b"])));
        assert_eq!(hashes(&Column::from_s64([Some(1), None])), hashes(&Column::from_f64([1.0, f64::NAN])));
    }

    #[test]
    fn folds_are_even_and_rows_known_again() {
        let ids = Column::from_s64(0..10_000_i64);
        let target = Column::from_s64((0..10_000_i64).map(|id| id % 2));
        let mut fingerprints: Vec<u32> = rows(&[&ids], &target).map(|row| row.unwrap().fingerprint).collect();
        fingerprints.sort_unstable();
        let members = Members { folds: 5, key: vec!["id".into()], hash: RowHash::FnvSplitMix, rows: fingerprints };
        let folds = members.folds_of(&[&ids], &target);
        for fold in 0..5 {
            let count = folds.iter().filter(|&&known| known == fold).count();
            assert!((1850..2150).contains(&count), "{count}");
        }
        let others = Column::from_s64((0..10_000_i64).map(|id| 1 - id % 2));
        let known = members.folds_of(&[&ids], &others).iter().filter(|&&fold| fold != NOT_LEARNED).count();
        assert!(known <= 2, "another target is another row: {known}");
        let json = serde_json::to_string(&members).unwrap();
        assert_eq!(serde_json::from_str::<Members>(&json).unwrap(), members);
        assert!(serde_json::from_str::<Members>(&json.replace("\"rows\":\"", "\"rows\":\"AAAA")).is_err());
    }
}
