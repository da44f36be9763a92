//! Values of the file as a column of a table: by whole buffers where the layouts agree.

mod categories;
mod convert;

use wasmlops_sdk::Buffers;
use wasmlops_sdk::prelude::*;

use super::fault::{Decoded, Fault, broken};
use super::metadata::Unit;
use super::schema::{Meaning, Physical};
use super::values::{Dense, Dictionary};
use categories::Categories;

/// A column of a batch in the making.
pub struct Output {
    meaning: Meaning,
    len: usize,
    /// As in the table, but a byte for each truth value.
    values: Vec<u8>,
    /// A byte for each row; empty while no row is null.
    valid: Vec<u8>,
    offsets: Vec<i32>,
    categories: Categories,
    /// Whether nanoseconds were cut off.
    pub has_cut: bool,
}

/// Rows with their values.
pub struct Piece<'a> {
    pub rows: usize,
    /// A byte for each row, 1 where it has a value; absent: all have.
    pub valid: Option<&'a [u8]>,
    /// One for each row that has a value.
    pub dense: &'a Dense,
    pub physical: Physical,
}

impl Output {
    pub fn new(meaning: Meaning) -> Self {
        Self {
            meaning,
            len: 0,
            values: Vec::new(),
            valid: Vec::new(),
            offsets: vec![0],
            categories: Categories::default(),
            has_cut: false,
        }
    }

    /// Bytes so far, to keep batches small.
    pub fn bytes(&self) -> usize {
        self.values.len() + 4 * self.offsets.len() + self.categories.bytes()
    }

    /// Indexes that come from now on mean another dictionary.
    pub fn forget_dictionary(&mut self) {
        self.categories.forget_dictionary();
    }

    pub fn append(&mut self, piece: &Piece<'_>) -> Decoded<()> {
        self.note_validity(piece.rows, piece.valid);
        let bytes = &piece.dense.bytes;
        match self.meaning {
            Meaning::Bool => self.same::<1>(piece),
            Meaning::I64 | Meaning::F64 => self.same::<8>(piece),
            Meaning::F32 => self.same::<4>(piece),
            Meaning::I32 => self.each(piece, |value| Some(i64::from(i32::from_le_bytes(value)).to_le_bytes()))?,
            Meaning::U32 => self.each(piece, |value| Some(i64::from(u32::from_le_bytes(value)).to_le_bytes()))?,
            Meaning::U64 => self.each(piece, |value: [u8; 8]| (value[7] < 128).then_some(value))?,
            Meaning::F16 => self.each(piece, |value| Some(convert::half(u16::from_le_bytes(value)).to_le_bytes()))?,
            Meaning::Days => self.each(piece, |value| {
                i64::from(i32::from_le_bytes(value)).checked_mul(86_400_000_000).map(i64::to_le_bytes)
            })?,
            Meaning::Timestamp(Unit::Micros) => self.same::<8>(piece),
            Meaning::Timestamp(Unit::Millis) => {
                self.each(piece, |value| i64::from_le_bytes(value).checked_mul(1000).map(i64::to_le_bytes))?;
            }
            Meaning::Timestamp(Unit::Nanos) => {
                let nanos = bytes.as_chunks::<8>().0.iter().map(|value| i64::from_le_bytes(*value));
                self.has_cut |= nanos.fold(false, |cut, value| cut | (value % 1000 != 0));
                self.each(piece, |value| Some(i64::from_le_bytes(value).div_euclid(1000).to_le_bytes()))?;
            }
            Meaning::Int96 => {
                let mut has_cut = false;
                self.each(piece, |value| convert::int96(value, &mut has_cut).map(i64::to_le_bytes))?;
                self.has_cut |= has_cut;
            }
            Meaning::Decimal(scale) => self.decimals(piece, scale)?,
            Meaning::Text | Meaning::Binary => self.slices(piece),
            Meaning::Uuid => self.uuids(piece),
            Meaning::Category => {
                let mut next = 0;
                for row in 0..piece.rows {
                    let code = match piece.valid {
                        Some(valid) if valid[row] == 0 => 0,
                        _ => {
                            next += 1;
                            self.categories.code(piece.dense.slice(next - 1))
                        }
                    };
                    self.values.extend_from_slice(&code.to_le_bytes());
                }
            }
        }
        self.len += piece.rows;
        Ok(())
    }

    /// Rows of a categorical column by their indexes into the file's dictionary.
    pub fn append_codes(
        &mut self,
        rows: usize,
        valid: Option<&[u8]>,
        codes: &[u32],
        dictionary: &Dictionary,
    ) -> Decoded<()> {
        self.note_validity(rows, valid);
        let mut codes = codes.iter();
        for row in 0..rows {
            let code = match valid {
                Some(valid) if valid[row] == 0 => 0,
                _ => codes.next().map_or(0, |&code| self.categories.of_dictionary(code as usize, dictionary)),
            };
            self.values.extend_from_slice(&code.to_le_bytes());
        }
        self.len += rows;
        Ok(())
    }

    pub fn append_nulls(&mut self, rows: usize) -> Decoded<()> {
        self.note_validity(0, Some(&[]));
        self.valid.resize(self.len + rows, 0);
        match self.meaning.data_type() {
            DataType::Utf8 | DataType::Binary => {
                let end = self.values.len() as i32;
                self.offsets.resize(self.offsets.len() + rows, end);
            }
            data_type => self.values.resize(self.values.len() + rows * bytes_of(data_type), 0),
        }
        self.len += rows;
        Ok(())
    }

    /// The column, and this starts anew.
    pub fn take(&mut self) -> Result<Column> {
        let data_type = self.meaning.data_type();
        let values = std::mem::take(&mut self.values);
        let offsets = std::mem::replace(&mut self.offsets, vec![0]);
        let with_offsets = matches!(data_type, DataType::Utf8 | DataType::Binary);
        let buffers = Buffers {
            values: if data_type == DataType::Bool { packed(&values) } else { values },
            validity: self.valid.contains(&0).then(|| packed(&self.valid)),
            offsets: with_offsets.then(|| offsets.iter().flat_map(|offset| offset.to_le_bytes()).collect()),
            dictionary: (data_type == DataType::Categorical).then(|| self.categories.take()),
        };
        self.valid.clear();
        Column::from_buffers(data_type, std::mem::take(&mut self.len), buffers)
    }

    fn note_validity(&mut self, rows: usize, valid: Option<&[u8]>) {
        match valid {
            None if self.valid.is_empty() => {}
            None => self.valid.resize(self.len + rows, 1),
            Some(valid) => {
                self.valid.resize(self.len, 1);
                self.valid.extend_from_slice(valid);
            }
        }
    }

    /// Values that are laid out in the file as in the table.
    fn same<const N: usize>(&mut self, piece: &Piece<'_>) {
        let Some(valid) = piece.valid else { return self.values.extend_from_slice(&piece.dense.bytes) };
        let (values, _) = piece.dense.bytes.as_chunks::<N>();
        let mut values = values.iter();
        for &valid in valid {
            let value = if valid == 1 { values.next().copied() } else { None };
            self.values.extend_from_slice(&value.unwrap_or([0; N]));
        }
    }

    /// Values that are not; `convert` gives nothing for one that a table cannot hold.
    fn each<const N: usize, const M: usize>(
        &mut self,
        piece: &Piece<'_>,
        mut convert: impl FnMut([u8; N]) -> Option<[u8; M]>,
    ) -> Decoded<()> {
        let (values, _) = piece.dense.bytes.as_chunks::<N>();
        let mut values = values.iter();
        self.values.reserve(piece.rows * M);
        for row in 0..piece.rows {
            let value = match piece.valid {
                Some(valid) if valid[row] == 0 => None,
                _ => values.next(),
            };
            let converted = match value {
                Some(&value) => convert(value),
                None => Some([0; M]),
            };
            let Some(converted) = converted else { return Err(Fault::Unsupported(self.beyond())) };
            self.values.extend_from_slice(&converted);
        }
        Ok(())
    }

    fn beyond(&self) -> String {
        match self.meaning.data_type() {
            DataType::Timestamp => "a time beyond what a `timestamp` holds (about 292,000 years)".to_owned(),
            _ => "a whole number beyond what an `s64` holds".to_owned(),
        }
    }

    fn decimals(&mut self, piece: &Piece<'_>, scale: u32) -> Decoded<()> {
        let value = |value: i128| Some(convert::decimal(value, scale).to_le_bytes());
        match piece.physical {
            Physical::Four => self.each(piece, |bytes| value(i32::from_le_bytes(bytes).into())),
            Physical::Eight => self.each(piece, |bytes| value(i64::from_le_bytes(bytes).into())),
            _ => {
                let mut next = 0;
                for row in 0..piece.rows {
                    let number = match piece.valid {
                        Some(valid) if valid[row] == 0 => 0.0,
                        _ => {
                            next += 1;
                            let bytes = slice(piece, next - 1);
                            let Some(number) = convert::big_endian(bytes) else {
                                return broken(format!("a decimal of {} bytes, and 16 are the most", bytes.len()));
                            };
                            convert::decimal(number, scale)
                        }
                    };
                    self.values.extend_from_slice(&number.to_le_bytes());
                }
                Ok(())
            }
        }
    }

    fn slices(&mut self, piece: &Piece<'_>) {
        let base = self.values.len();
        self.values.extend_from_slice(&piece.dense.bytes);
        let mut next = 0;
        let mut end = base as i32;
        for row in 0..piece.rows {
            if piece.valid.is_none_or(|valid| valid[row] == 1) {
                end = match piece.physical {
                    Physical::Fixed(length) => end + length as i32,
                    _ => (base + piece.dense.ends[next] as usize) as i32,
                };
                next += 1;
            }
            self.offsets.push(end);
        }
    }

    fn uuids(&mut self, piece: &Piece<'_>) {
        let (values, _) = piece.dense.bytes.as_chunks::<16>();
        let mut values = values.iter();
        for row in 0..piece.rows {
            if piece.valid.is_none_or(|valid| valid[row] == 1)
                && let Some(value) = values.next()
            {
                self.values.extend_from_slice(convert::uuid(*value).as_bytes());
            }
            self.offsets.push(self.values.len() as i32);
        }
    }
}

/// The value with this number among those that are there.
fn slice<'a>(piece: &Piece<'a>, index: usize) -> &'a [u8] {
    match piece.physical {
        Physical::Fixed(length) => &piece.dense.bytes[index * length..(index + 1) * length],
        _ => piece.dense.slice(index),
    }
}

/// Bytes of a value while the batch is made.
fn bytes_of(data_type: DataType) -> usize {
    match data_type {
        DataType::Bool => 1,
        DataType::F32 | DataType::Categorical => 4,
        _ => 8,
    }
}

/// A bit for each byte.
fn packed(bytes: &[u8]) -> Vec<u8> {
    let pack = |chunk: &[u8]| chunk.iter().rev().fold(0, |bits, &byte| bits << 1 | byte);
    bytes.chunks(8).map(pack).collect()
}
