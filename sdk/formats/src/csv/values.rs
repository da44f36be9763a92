//! A column in the making, as buffers that cross to the host as they are.

use wasmlops_sdk::Buffers;
use wasmlops_sdk::prelude::*;

use super::column::Text;

/// Values of one type, with nulls.
pub struct Values {
    data_type: DataType,
    rows: usize,
    values: Vec<u8>,
    /// For texts: where each one ends, little-endian; the first offset is 0.
    offsets: Vec<u8>,
    null_rows: Vec<usize>,
    categories: Option<ColumnBuilder>,
}

impl Values {
    /// With room for a batch.
    pub fn new(data_type: DataType) -> Self {
        let is_text = matches!(data_type, DataType::Utf8 | DataType::Binary);
        Self {
            data_type,
            rows: 0,
            values: Vec::new(),
            offsets: if is_text { vec![0; 4] } else { Vec::new() },
            null_rows: Vec::new(),
            categories: (data_type == DataType::Categorical).then(|| ColumnBuilder::new(data_type)),
        }
    }

    /// Bytes of values so far.
    pub fn bytes(&self) -> usize {
        self.values.len() + self.offsets.len() + self.categories.as_ref().map_or(0, ColumnBuilder::bytes)
    }

    #[inline]
    pub fn push_f64(&mut self, value: f64) {
        self.values.extend_from_slice(&value.to_le_bytes());
        self.rows += 1;
    }

    #[inline]
    pub fn push_f32(&mut self, value: f32) {
        self.values.extend_from_slice(&value.to_le_bytes());
        self.rows += 1;
    }

    /// For `s64` and `timestamp`.
    #[inline]
    pub fn push_s64(&mut self, value: i64) {
        self.values.extend_from_slice(&value.to_le_bytes());
        self.rows += 1;
    }

    #[inline]
    pub fn push_bool(&mut self, value: bool) {
        if self.rows.is_multiple_of(8) {
            self.values.push(0);
        }
        self.values[self.rows / 8] |= u8::from(value) << (self.rows % 8);
        self.rows += 1;
    }

    /// For `utf8`.
    #[inline]
    pub fn push_text(&mut self, text: Text) {
        let end = self.values.len() + text.text.len();
        // Short texts are copied whole words at a time: a copy of a length that is only known here is a call.
        if let (0..=16, Some(words)) = (text.text.len(), text.behind.first_chunk::<16>()) {
            self.values.extend_from_slice(words);
            self.values.truncate(end);
        } else if let (17..=32, Some(words)) = (text.text.len(), text.behind.first_chunk::<32>()) {
            self.values.extend_from_slice(words);
            self.values.truncate(end);
        } else {
            self.values.extend_from_slice(text.text);
        }
        self.end_text();
    }

    /// For `categorical`: UTF-8.
    pub fn push_category(&mut self, text: &[u8]) {
        if let Some(categories) = &mut self.categories {
            categories.push_text(std::str::from_utf8(text).expect("the reader replaces what is not UTF-8"));
        }
        self.rows += 1;
    }

    #[inline]
    pub fn push_null(&mut self) {
        match self.data_type {
            DataType::F64 | DataType::S64 | DataType::Timestamp => self.values.extend_from_slice(&[0; 8]),
            DataType::F32 => self.values.extend_from_slice(&[0; 4]),
            DataType::Bool => {
                self.null_rows.push(self.rows);
                return self.push_bool(false);
            }
            DataType::Utf8 | DataType::Binary => {
                self.null_rows.push(self.rows);
                return self.end_text();
            }
            DataType::Categorical => {
                if let Some(categories) = &mut self.categories {
                    categories.push_null();
                }
            }
        }
        self.null_rows.push(self.rows);
        self.rows += 1;
    }

    /// The column so far, and nothing is left.
    ///
    /// Errors: none, as long as this module keeps its buffers in step.
    pub fn take(&mut self) -> Result<Column> {
        let (bytes, offsets) = (self.values.len(), self.offsets.len());
        let Self { data_type, rows, values, offsets: ends, null_rows, categories } =
            std::mem::replace(self, Values::new(self.data_type));
        // The next batch is about as large.
        self.values.reserve(bytes + 64);
        self.offsets.reserve(offsets);
        if let Some(categories) = categories {
            return Ok(categories.finish());
        }
        let validity = (!null_rows.is_empty()).then(|| {
            let mut bits = vec![0xff; rows / 8];
            if !rows.is_multiple_of(8) {
                bits.push((1 << (rows % 8)) - 1);
            }
            null_rows.iter().for_each(|row| bits[row / 8] &= !(1 << (row % 8)));
            bits
        });
        let offsets = (!ends.is_empty()).then_some(ends);
        Column::from_buffers(data_type, rows, Buffers { values, validity, offsets, dictionary: None })
    }

    #[inline]
    fn end_text(&mut self) {
        let end = i32::try_from(self.values.len()).expect("a batch stays far below 2 GiB");
        self.offsets.extend_from_slice(&end.to_le_bytes());
        self.rows += 1;
    }
}
