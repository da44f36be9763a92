//! One column as it grows: Arrow's buffers of the chunk being filled, and the chunks that are full.

use std::ops::Range;
use std::sync::Arc;

use arrow_array::types::{
    ArrowPrimitiveType, Float32Type, Float64Type, Int32Type, Int64Type, TimestampMicrosecondType,
};
use arrow_array::{ArrayRef, BinaryArray, BooleanArray, DictionaryArray, PrimitiveArray, StringArray};
use arrow_buffer::{BooleanBufferBuilder, MutableBuffer, NullBuffer, OffsetBuffer, ScalarBuffer};

use super::texts::Texts;
use crate::table::canonical::{canonical_nans_f32, canonical_nans_f64, zero_nulls};
use crate::table::wire::{bit, i32s, offset};
use crate::table::{Column, DataType, Dictionary, TableError};

pub(super) struct ColumnBuilder {
    data_type: DataType,
    open: Chunk,
    closed: Vec<Chunk>,
    /// For categorical columns.
    texts: Option<Texts>,
}

/// Buffers of at most [`crate::table::CHUNK_ROWS`] rows.
#[derive(Default)]
struct Chunk {
    rows: usize,
    values: Values,
    /// From the first null on.
    validity: Option<BooleanBufferBuilder>,
}

/// Values as Arrow lays them out.
enum Values {
    Bits(BooleanBufferBuilder),
    Fixed(MutableBuffer),
    Bytes { offsets: Vec<i32>, values: Vec<u8> },
}

impl Default for Values {
    fn default() -> Self {
        Values::Fixed(MutableBuffer::new(0))
    }
}

impl Values {
    fn new(data_type: DataType) -> Self {
        match data_type {
            DataType::Bool => Values::Bits(BooleanBufferBuilder::new(0)),
            DataType::Utf8 | DataType::Binary => Values::Bytes { offsets: vec![0], values: Vec::new() },
            _ => Values::default(),
        }
    }
}

impl ColumnBuilder {
    pub fn new(data_type: DataType) -> Self {
        let open = Chunk { values: Values::new(data_type), ..Chunk::default() };
        let texts = (data_type == DataType::Categorical).then(Texts::new);
        Self { data_type, open, closed: Vec::new(), texts }
    }

    /// Whether this dictionary came with the batch before.
    pub fn knows(&self, dictionary: &Dictionary) -> bool {
        self.texts.as_ref().is_some_and(|texts| texts.knows(dictionary))
    }

    /// Whether 32-bit offsets still reach when the first `rows` rows of `column` go into the open chunk; if not, what
    /// there is too much of.
    pub fn has_room(&self, column: &Column, rows: usize) -> Result<(), &'static str> {
        if let (Values::Bytes { values, .. }, Some(offsets)) = (&self.open.values, &column.offsets)
            && values.len() + offset(offsets, rows) > i32::MAX as usize
        {
            return Err("values in 65,536 rows");
        }
        match (&self.texts, &column.dictionary) {
            (Some(texts), Some(dictionary)) if !texts.has_room(dictionary) => Err("texts in its dictionary"),
            _ => Ok(()),
        }
    }

    /// Appends some rows of a checked column to the open chunk, which has room for them. Returns the bytes that they
    /// take.
    pub fn append(&mut self, column: &Column, rows: Range<usize>) -> u64 {
        let validity = column.validity.as_deref().filter(|validity| rows.clone().any(|row| !bit(validity, row)));
        let first = self.open.rows;
        let texts_before = self.texts.as_ref().map_or(0, Texts::bytes);
        let bytes = match &mut self.open.values {
            Values::Bits(bits) => append_bits(bits, &column.values, validity, rows.clone()),
            Values::Bytes { offsets, values } => append_bytes(offsets, values, column, validity, rows.clone()),
            Values::Fixed(buffer) => {
                let width = self.data_type.width().expect("values of a fixed width are the only ones left");
                buffer.extend_from_slice(&column.values[rows.start * width..rows.end * width]);
                let added = &mut buffer.as_slice_mut()[first * width..];
                zero_nulls(added, width, validity, rows.start);
                match (self.data_type, &mut self.texts, &column.dictionary) {
                    (DataType::F64, ..) => canonical_nans_f64(added),
                    (DataType::F32, ..) => canonical_nans_f32(added),
                    (_, Some(texts), Some(dictionary)) => {
                        texts.translate_from(dictionary);
                        translate(added, texts, validity, rows.clone());
                    }
                    _ => {}
                }
                rows.len() * width
            }
        };
        let bytes = bytes + self.open.append_validity(validity, rows);
        (bytes + self.texts.as_ref().map_or(0, Texts::bytes) - texts_before) as u64
    }

    pub fn close_chunk(&mut self) {
        let open = Chunk { values: Values::new(self.data_type), ..Chunk::default() };
        self.closed.push(std::mem::replace(&mut self.open, open));
    }

    /// The closed chunks as arrays, and the dictionary of a categorical column.
    pub fn finish(self) -> Result<(Vec<ArrayRef>, Option<StringArray>), TableError> {
        let dictionary = self.texts.map(Texts::finish).transpose()?;
        let texts = dictionary.clone().map(|texts| Arc::new(texts) as ArrayRef);
        let array = |chunk: Chunk| chunk.finish(self.data_type, texts.as_ref());
        let chunks = self.closed.into_iter().map(array).collect::<Result<_, _>>();
        Ok((chunks.map_err(|error| TableError::Arrow(error.to_string()))?, dictionary))
    }
}

impl Chunk {
    /// `validity` is there only if some of the rows are null.
    fn append_validity(&mut self, validity: Option<&[u8]>, rows: Range<usize>) -> usize {
        let before = self.rows;
        self.rows += rows.len();
        if validity.is_none() && self.validity.is_none() {
            return 0;
        }
        let bits = self.validity.get_or_insert_with(|| {
            let mut bits = BooleanBufferBuilder::new(before + rows.len());
            bits.append_n(before, true);
            bits
        });
        match validity {
            Some(validity) => bits.append_packed_range(rows.clone(), validity),
            None => bits.append_n(rows.len(), true),
        }
        rows.len().div_ceil(8)
    }

    fn finish(self, data_type: DataType, texts: Option<&ArrayRef>) -> Result<ArrayRef, arrow_schema::ArrowError> {
        let nulls = self.validity.map(|bits| NullBuffer::new(bits.build()));
        let rows = self.rows;
        Ok(match self.values {
            Values::Bits(bits) => Arc::new(BooleanArray::new(bits.build(), nulls)),
            Values::Bytes { offsets, values } => {
                let (offsets, values) = (OffsetBuffer::new(ScalarBuffer::from(offsets)), values.into());
                match data_type {
                    DataType::Utf8 => Arc::new(StringArray::try_new(offsets, values, nulls)?),
                    _ => Arc::new(BinaryArray::try_new(offsets, values, nulls)?),
                }
            }
            Values::Fixed(buffer) => match (data_type, texts) {
                (DataType::F64, _) => Arc::new(primitive::<Float64Type>(buffer, rows, nulls)?),
                (DataType::F32, _) => Arc::new(primitive::<Float32Type>(buffer, rows, nulls)?),
                (DataType::Timestamp, _) => {
                    Arc::new(primitive::<TimestampMicrosecondType>(buffer, rows, nulls)?.with_timezone("UTC"))
                }
                (_, Some(texts)) => {
                    Arc::new(DictionaryArray::try_new(primitive::<Int32Type>(buffer, rows, nulls)?, texts.clone())?)
                }
                (_, None) => Arc::new(primitive::<Int64Type>(buffer, rows, nulls)?),
            },
        })
    }
}

fn primitive<T: ArrowPrimitiveType>(
    buffer: MutableBuffer,
    rows: usize,
    nulls: Option<NullBuffer>,
) -> Result<PrimitiveArray<T>, arrow_schema::ArrowError> {
    PrimitiveArray::try_new(ScalarBuffer::new(buffer.into(), 0, rows), nulls)
}

fn append_bits(bits: &mut BooleanBufferBuilder, values: &[u8], validity: Option<&[u8]>, rows: Range<usize>) -> usize {
    let first = bits.len();
    bits.append_packed_range(rows.clone(), values);
    if let Some(validity) = validity {
        for row in rows.clone().filter(|row| !bit(validity, *row)) {
            bits.set_bit(first + row - rows.start, false);
        }
    }
    rows.len().div_ceil(8)
}

fn append_bytes(
    offsets: &mut Vec<i32>,
    values: &mut Vec<u8>,
    column: &Column,
    validity: Option<&[u8]>,
    rows: Range<usize>,
) -> usize {
    let from = column.offsets.as_ref().expect("a checked column of bytes has offsets");
    let before = values.len();
    offsets.reserve(rows.len());
    if let Some(validity) = validity {
        for row in rows.clone() {
            if bit(validity, row) {
                values.extend_from_slice(&column.values[offset(from, row)..offset(from, row + 1)]);
            }
            offsets.push(values.len() as i32);
        }
    } else {
        let (start, end) = (offset(from, rows.start), offset(from, rows.end));
        values.extend_from_slice(&column.values[start..end]);
        let shift = before as i32 - start as i32;
        offsets.extend(i32s(&from[(rows.start + 1) * 4..(rows.end + 1) * 4]).map(|offset| offset + shift));
    }
    values.len() - before + 4 * rows.len()
}

/// Codes of the batch's dictionary become codes of the table's; those of nulls are 0 already and stay so.
fn translate(codes: &mut [u8], texts: &mut Texts, validity: Option<&[u8]>, rows: Range<usize>) {
    for (row, code) in rows.zip(codes.as_chunks_mut().0) {
        if validity.is_none_or(|validity| bit(validity, row)) {
            *code = texts.code(i32::from_le_bytes(*code)).to_le_bytes();
        }
    }
}
