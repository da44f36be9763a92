//! A column from its buffers, for readers of formats that lay values out as Arrow does.

use super::{Column, Dictionary};
use crate::column::buffer::Buffer;
use crate::error::{Error, Result};
use crate::schema::DataType;

/// The buffers of a column, as `wit/0.1.0/tables.wit` describes them.
#[derive(Clone, Debug, Default)]
pub struct Buffers {
    pub values: Vec<u8>,
    /// One bit a row, 1 where there is a value; absent where no row is null.
    pub validity: Option<Vec<u8>>,
    /// `utf8` and `binary` only.
    pub offsets: Option<Vec<u8>>,
    /// `categorical` only: offsets and texts, no text twice.
    pub dictionary: Option<(Vec<u8>, Vec<u8>)>,
}

impl Column {
    /// A column of `len` rows, no value copied. Text must be UTF-8.
    ///
    /// Errors: `internal` for buffers whose lengths do not fit, or that the type does not have.
    pub fn from_buffers(data_type: DataType, len: usize, buffers: Buffers) -> Result<Self> {
        let Buffers { values, validity, offsets, dictionary } = buffers;
        let with_offsets = matches!(data_type, DataType::Utf8 | DataType::Binary);
        let values_fit = match data_type.width() {
            Some(width) => values.len() == len * width,
            None if with_offsets => offsets.as_ref().is_some_and(|offsets| ends(offsets, len, values.len())),
            None => values.len() == len.div_ceil(8),
        };
        let texts_fit = match &dictionary {
            Some((offsets, texts)) => ends(offsets, (offsets.len() / 4).saturating_sub(1), texts.len()),
            None => true,
        };
        let fit = values_fit
            && texts_fit
            && with_offsets == offsets.is_some()
            && (data_type == DataType::Categorical) == dictionary.is_some()
            && validity.as_ref().is_none_or(|bits| bits.len() == len.div_ceil(8));
        if !fit {
            return Err(Error::internal(format!("buffers that do not fit {len} rows of {}", data_type.name())));
        }
        Ok(Self {
            data_type,
            len,
            values: Buffer::from(values),
            validity,
            offsets: offsets.map(Buffer::from),
            dictionary: dictionary.map(|(offsets, values)| Dictionary { offsets: Buffer::from(offsets), values }),
        })
    }
}

/// Whether these are the offsets of `len` values in so many bytes.
fn ends(offsets: &[u8], len: usize, bytes: usize) -> bool {
    let (offsets, rest) = offsets.as_chunks::<4>();
    let offset = |bytes: &[u8; 4]| i32::from_le_bytes(*bytes);
    rest.is_empty()
        && offsets.len() == len + 1
        && offset(&offsets[0]) == 0
        && offsets.windows(2).all(|pair| offset(&pair[0]) <= offset(&pair[1]))
        && usize::try_from(offset(&offsets[len])).is_ok_and(|end| end <= bytes)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn buffers_become_columns() {
        let numbers: Vec<u8> = [1_i64, 2, 0].iter().flat_map(|value| value.to_le_bytes()).collect();
        let buffers = Buffers { values: numbers.clone(), validity: Some(vec![0b011]), ..Buffers::default() };
        let column = Column::from_buffers(DataType::S64, 3, buffers.clone()).unwrap();
        assert_eq!(column, Column::from_s64([Some(1), Some(2), None]));
        assert!(Column::from_buffers(DataType::S64, 2, buffers.clone()).is_err());
        assert!(Column::from_buffers(DataType::Utf8, 3, buffers).is_err());
        let offsets: Vec<u8> = [0_i32, 1, 3].iter().flat_map(|value| value.to_le_bytes()).collect();
        let text = Buffers { values: b"abc".to_vec(), offsets: Some(offsets.clone()), ..Buffers::default() };
        assert_eq!(Column::from_buffers(DataType::Utf8, 2, text).unwrap(), Column::from_text(["a", "bc"]));
        let short = Buffers { values: b"ab".to_vec(), offsets: Some(offsets), ..Buffers::default() };
        assert!(Column::from_buffers(DataType::Utf8, 2, short).is_err());
    }
}
