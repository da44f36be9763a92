//! Which rows have the same key, for keys of any types and any number of columns. No allocation per row: values become
//! dense numbers, column by column.
//!
//! Numbers are equal by value (`s64` 1 and `f64` 1.0 cannot meet: their columns do not go together), texts by their
//! bytes, whether `utf8` or `categorical`. NaN counts as null.

use std::borrow::Cow;
use std::collections::HashMap;
use std::hash::{BuildHasherDefault, Hasher};

use wasmlops_sdk::prelude::*;

/// The number of a key that holds a null, where nulls match nothing.
pub const NO_KEY: u32 = u32::MAX;

/// Rows by key, in the order in which keys first appear.
pub struct Groups {
    /// For each row the number of its group.
    pub ids: Vec<u32>,
    /// For each group its first row.
    pub first: Vec<usize>,
}

impl Groups {
    /// A null is a value like any other here. No columns: all rows are one group.
    pub fn of(columns: &[&Column], num_rows: usize) -> Self {
        let ids = numbers(&[columns], &[num_rows], Nulls::Equal).pop().expect("one part in, one part out");
        let mut first = Vec::new();
        for (row, &id) in ids.iter().enumerate() {
            if id as usize == first.len() {
                first.push(row);
            }
        }
        Self { ids, first }
    }

    /// The rows of each group in their order: `rows[starts[id]..starts[id + 1]]`.
    pub fn members(&self) -> Members {
        Members::of(&self.ids, self.first.len())
    }
}

/// The rows of each key.
pub struct Members {
    starts: Vec<usize>,
    rows: Vec<usize>,
}

impl Members {
    /// Rows whose number is [`NO_KEY`] belong nowhere.
    pub fn of(ids: &[u32], count: usize) -> Self {
        let mut starts = vec![0; count + 1];
        ids.iter().filter(|&&id| id != NO_KEY).for_each(|&id| starts[id as usize + 1] += 1);
        for id in 0..count {
            starts[id + 1] += starts[id];
        }
        let mut next = starts.clone();
        let mut rows = vec![0; starts[count]];
        for (row, &id) in ids.iter().enumerate().filter(|(_, id)| **id != NO_KEY) {
            rows[next[id as usize]] = row;
            next[id as usize] += 1;
        }
        Self { starts, rows }
    }

    pub fn get(&self, id: u32) -> &[usize] {
        match id {
            NO_KEY => &[],
            id => &self.rows[self.starts[id as usize]..self.starts[id as usize + 1]],
        }
    }

    pub fn get_mut(&mut self, id: usize) -> &mut [usize] {
        &mut self.rows[self.starts[id]..self.starts[id + 1]]
    }

    pub fn len(&self) -> usize {
        self.starts.len() - 1
    }
}

/// One number a row for both tables; equal keys have equal numbers, a key with a null is [`NO_KEY`]. The last is how
/// many numbers there are.
pub fn pair(left: &[&Column], right: &[&Column], num_rows: [usize; 2]) -> (Vec<u32>, Vec<u32>, usize) {
    let mut parts = numbers(&[left, right], &num_rows, Nulls::MatchNothing);
    let right = parts.pop().expect("two parts in, two parts out");
    let left = parts.pop().expect("two parts in, two parts out");
    let count = left.iter().chain(&right).filter(|id| **id != NO_KEY).max().map_or(0, |most| *most as usize + 1);
    (left, right, count)
}

/// Whether keys of these types can be compared.
pub fn go_together(a: DataType, b: DataType) -> bool {
    let float = |data_type| matches!(data_type, DataType::F64 | DataType::F32);
    a == b || (a.is_text() && b.is_text()) || (float(a) && float(b))
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Nulls {
    Equal,
    MatchNothing,
}

/// Numbers in the order in which keys first appear, over all parts.
fn numbers(parts: &[&[&Column]], num_rows: &[usize], nulls: Nulls) -> Vec<Vec<u32>> {
    let mut ids: Vec<Vec<u32>> = num_rows.iter().map(|&rows| vec![0; rows]).collect();
    let width = parts.first().map_or(0, |columns| columns.len());
    for at in 0..width {
        let mut encoder = Encoder { nulls, texts: HashMap::new(), words: Words::default(), next: 0 };
        let mut pairs: HashMap<u64, u32, BuildHasherDefault<Mix>> = HashMap::default();
        for (columns, ids) in parts.iter().zip(&mut ids) {
            let mut row = 0;
            encoder.encode(columns[at], |code| {
                let id = &mut ids[row];
                row += 1;
                if at == 0 || *id == NO_KEY || code == NO_KEY {
                    *id = if *id == NO_KEY { NO_KEY } else { code };
                    return;
                }
                let count = number(pairs.len());
                *id = *pairs.entry(u64::from(*id) << 32 | u64::from(code)).or_insert(count);
            });
        }
    }
    ids
}

/// Gives each different value of a column a number.
struct Encoder<'a> {
    nulls: Nulls,
    texts: HashMap<Cow<'a, [u8]>, u32>,
    words: Words,
    next: u32,
}

#[derive(Default)]
struct Words {
    known: HashMap<u64, u32, BuildHasherDefault<Mix>>,
    null: Option<u32>,
}

impl<'a> Encoder<'a> {
    fn encode(&mut self, column: &'a Column, mut give: impl FnMut(u32)) {
        let rows = 0..column.len();
        if let Some(codes) = column.as_codes() {
            // Numbers are given in the order of the rows, so a category gets its own when it is first seen.
            let categories = column.categories();
            let mut ours: Vec<Option<u32>> = vec![None; categories.len()];
            for row in rows {
                let code = usize::try_from(codes[row]).ok().filter(|_| !column.is_null(row));
                give(match code {
                    None => self.null(),
                    Some(code) => match ours[code] {
                        Some(number) => number,
                        None => {
                            let number = self.text(Cow::Owned(categories[code].as_bytes().to_vec()));
                            ours[code] = Some(number);
                            number
                        }
                    },
                });
            }
            return;
        }
        for row in rows {
            let value = if column.is_null(row) { None } else { self.value(column, row) };
            give(value.unwrap_or_else(|| self.null()));
        }
    }

    /// `None` for NaN.
    fn value(&mut self, column: &'a Column, row: usize) -> Option<u32> {
        match column.data_type() {
            DataType::S64 | DataType::Timestamp => column.as_s64().map(|values| self.word(values[row] as u64)),
            DataType::F64 | DataType::F32 => {
                // Adding zero makes one zero of two.
                column.number(row).filter(|value| !value.is_nan()).map(|value| self.word((value + 0.0).to_bits()))
            }
            DataType::Bool => column.bool(row).map(|value| self.word(u64::from(value))),
            DataType::Utf8 | DataType::Categorical => {
                column.text(row).map(|text| self.text(Cow::Borrowed(text.as_bytes())))
            }
            DataType::Binary => column.bytes(row).map(|bytes| self.text(Cow::Borrowed(bytes))),
        }
    }

    fn word(&mut self, word: u64) -> u32 {
        let next = &mut self.next;
        *self.words.known.entry(word).or_insert_with(|| take_next(next))
    }

    fn text(&mut self, text: Cow<'a, [u8]>) -> u32 {
        if let Some(&number) = self.texts.get(&text) {
            return number;
        }
        let number = take_next(&mut self.next);
        self.texts.insert(text, number);
        number
    }

    fn null(&mut self) -> u32 {
        match self.nulls {
            Nulls::MatchNothing => NO_KEY,
            Nulls::Equal => *self.words.null.get_or_insert_with(|| take_next(&mut self.next)),
        }
    }
}

fn take_next(next: &mut u32) -> u32 {
    let number = *next;
    *next = next.checked_add(1).expect("a guest's memory holds fewer than 2^32 rows");
    number
}

fn number(count: usize) -> u32 {
    u32::try_from(count).expect("a guest's memory holds fewer than 2^32 rows")
}

/// Mixes one word (the finaliser of MurmurHash3): the order of a map is never looked at, only speed matters.
#[derive(Default)]
pub struct Mix(u64);

impl Hasher for Mix {
    fn finish(&self) -> u64 {
        self.0
    }

    fn write(&mut self, bytes: &[u8]) {
        bytes.iter().for_each(|byte| self.write_u64(u64::from(*byte)));
    }

    fn write_u64(&mut self, word: u64) {
        let mut mixed = self.0 ^ word;
        mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xff51_afd7_ed55_8ccd);
        mixed = (mixed ^ (mixed >> 33)).wrapping_mul(0xc4ce_b9fe_1a85_ec53);
        self.0 = mixed ^ (mixed >> 33);
    }
}

/// How many different values there are among rows, nulls and NaN aside. For each row a number, [`NO_KEY`] for null.
pub fn distinct_values(column: &Column) -> (Vec<u32>, usize) {
    let ids = numbers(&[&[column]], &[column.len()], Nulls::MatchNothing).pop().expect("one part in, one part out");
    let count = ids.iter().filter(|id| **id != NO_KEY).max().map_or(0, |most| *most as usize + 1);
    (ids, count)
}
