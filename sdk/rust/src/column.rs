//! One column of a batch: Arrow's buffers behind typed views.
//!
//! `f64`, `s64` and the like are read in place: the bytes that came from the host are the slice that you get.

mod buffer;
mod builder;
mod raw;

use std::borrow::Cow;

use crate::bindings::host::wasmlops::plugin::tables as wire;
use crate::schema::DataType;

use buffer::Buffer;
pub use builder::ColumnBuilder;
pub use raw::Buffers;

/// Values of one type, with nulls.
#[derive(Clone, Debug)]
pub struct Column {
    data_type: DataType,
    len: usize,
    values: Buffer,
    /// One bit a row, 1 where there is a value; absent where no row is null.
    validity: Option<Vec<u8>>,
    offsets: Option<Buffer>,
    dictionary: Option<Dictionary>,
}

/// The texts of a categorical column.
#[derive(Clone, Debug)]
struct Dictionary {
    offsets: Buffer,
    values: Vec<u8>,
}

impl Dictionary {
    fn len(&self) -> usize {
        self.offsets.as_slice::<i32>().len().saturating_sub(1)
    }

    fn get(&self, code: usize) -> &str {
        text(bytes_at(&self.offsets, &self.values, code))
    }
}

/// Makes columns of values; each has a twin in [`ColumnBuilder`] for building row by row.
impl Column {
    pub fn from_f64(values: impl IntoIterator<Item = impl Into<Option<f64>>>) -> Self {
        Self::build(DataType::F64, values, |builder, value| builder.push_f64(value))
    }

    pub fn from_s64(values: impl IntoIterator<Item = impl Into<Option<i64>>>) -> Self {
        Self::build(DataType::S64, values, |builder, value| builder.push_s64(value))
    }

    pub fn from_bool(values: impl IntoIterator<Item = impl Into<Option<bool>>>) -> Self {
        Self::build(DataType::Bool, values, |builder, value| builder.push_bool(value))
    }

    /// Microseconds since 1970-01-01T00:00:00Z.
    pub fn from_timestamp(values: impl IntoIterator<Item = impl Into<Option<i64>>>) -> Self {
        Self::build(DataType::Timestamp, values, |builder, value| builder.push_s64(value))
    }

    pub fn from_text<'a>(values: impl IntoIterator<Item = impl Into<Option<&'a str>>>) -> Self {
        Self::build(DataType::Utf8, values, |builder, value| builder.push_text(value))
    }

    pub fn from_categories<'a>(values: impl IntoIterator<Item = impl Into<Option<&'a str>>>) -> Self {
        Self::build(DataType::Categorical, values, |builder, value| builder.push_text(value))
    }

    /// A column without nulls, in one copy.
    pub fn from_f64_slice(values: &[f64]) -> Self {
        Self {
            data_type: DataType::F64,
            len: values.len(),
            values: Buffer::from_f64(values),
            validity: None,
            offsets: None,
            dictionary: None,
        }
    }

    fn build<T>(
        data_type: DataType,
        values: impl IntoIterator<Item = impl Into<Option<T>>>,
        push: impl Fn(&mut ColumnBuilder, T),
    ) -> Self {
        let mut builder = ColumnBuilder::new(data_type);
        for value in values {
            match value.into() {
                Some(value) => push(&mut builder, value),
                None => builder.push_null(),
            }
        }
        builder.finish()
    }
}

/// Reads a column.
impl Column {
    pub fn data_type(&self) -> DataType {
        self.data_type
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn is_empty(&self) -> bool {
        self.len == 0
    }

    pub fn is_null(&self, row: usize) -> bool {
        self.validity.as_ref().is_some_and(|bits| !bit(bits, row))
    }

    pub fn null_count(&self) -> usize {
        if self.validity.is_none() { 0 } else { (0..self.len).filter(|&row| self.is_null(row)).count() }
    }

    /// The values of an `f64` column, in place; a null's value is 0, so ask [`Column::is_null`] where it matters.
    pub fn as_f64(&self) -> Option<&[f64]> {
        (self.data_type == DataType::F64).then(|| self.values.as_slice())
    }

    pub fn as_f32(&self) -> Option<&[f32]> {
        (self.data_type == DataType::F32).then(|| self.values.as_slice())
    }

    /// The values of an `s64` or `timestamp` column, in place.
    pub fn as_s64(&self) -> Option<&[i64]> {
        matches!(self.data_type, DataType::S64 | DataType::Timestamp).then(|| self.values.as_slice())
    }

    /// The codes of a `categorical` column, in place: indexes into [`Column::categories`].
    pub fn as_codes(&self) -> Option<&[i32]> {
        (self.data_type == DataType::Categorical).then(|| self.values.as_slice())
    }

    /// The texts of a `categorical` column's codes; empty for other types.
    pub fn categories(&self) -> Vec<&str> {
        self.dictionary.as_ref().map_or_else(Vec::new, |texts| (0..texts.len()).map(|code| texts.get(code)).collect())
    }

    /// The value of a `bool` column.
    pub fn bool(&self, row: usize) -> Option<bool> {
        (self.data_type == DataType::Bool && !self.is_null(row)).then(|| bit(self.values.bytes(), row))
    }

    /// The text of a `utf8` or `categorical` column.
    pub fn text(&self, row: usize) -> Option<&str> {
        if self.is_null(row) {
            return None;
        }
        match (self.data_type, &self.offsets, &self.dictionary) {
            (DataType::Utf8, Some(offsets), _) => Some(text(bytes_at(offsets, self.values.bytes(), row))),
            (DataType::Categorical, _, Some(dictionary)) => {
                Some(dictionary.get(usize::try_from(self.values.as_slice::<i32>()[row]).ok()?))
            }
            _ => None,
        }
    }

    /// The texts of a `utf8` or `categorical` column, row by row.
    pub fn texts(&self) -> impl Iterator<Item = Option<&str>> {
        (0..self.len).map(|row| self.text(row))
    }

    /// The bytes of a `binary` column.
    pub fn bytes(&self, row: usize) -> Option<&[u8]> {
        match &self.offsets {
            Some(offsets) if self.data_type == DataType::Binary && !self.is_null(row) => {
                Some(bytes_at(offsets, self.values.bytes(), row))
            }
            _ => None,
        }
    }

    /// The bytes of a value that is not null, without a look at whether they are text.
    fn slice(&self, row: usize) -> &[u8] {
        self.offsets.as_ref().map_or(&[], |offsets| bytes_at(offsets, self.values.bytes(), row))
    }

    /// The value of a numeric column as `f64` (bool 0 or 1, timestamp in microseconds).
    pub fn number(&self, row: usize) -> Option<f64> {
        if self.is_null(row) {
            return None;
        }
        match self.data_type {
            DataType::F64 => Some(self.values.as_slice::<f64>()[row]),
            DataType::F32 => Some(f64::from(self.values.as_slice::<f32>()[row])),
            DataType::S64 | DataType::Timestamp => Some(self.values.as_slice::<i64>()[row] as f64),
            DataType::Bool => Some(f64::from(u8::from(bit(self.values.bytes(), row)))),
            DataType::Utf8 | DataType::Binary | DataType::Categorical => None,
        }
    }

    /// All values of a numeric column as `f64`, null as NaN; `None` for text and bytes.
    pub fn numbers(&self) -> Option<Vec<f64>> {
        if !self.data_type.is_numeric() {
            return None;
        }
        match (self.as_f64(), &self.validity) {
            (Some(values), None) => Some(values.to_vec()),
            _ => Some((0..self.len).map(|row| self.number(row).unwrap_or(f64::NAN)).collect()),
        }
    }

    /// The row's class as text, by the rule that predictors follow: text as it is, `s64` in decimal, `bool` as `true`
    /// or `false`, a whole `f64` like an `s64`. `None` for null.
    pub fn class(&self, row: usize) -> Option<Cow<'_, str>> {
        if self.is_null(row) {
            return None;
        }
        match self.data_type {
            DataType::Utf8 | DataType::Categorical => self.text(row).map(Cow::Borrowed),
            DataType::Bool => self.bool(row).map(|value| Cow::Borrowed(if value { "true" } else { "false" })),
            DataType::S64 | DataType::Timestamp => Some(Cow::Owned(self.values.as_slice::<i64>()[row].to_string())),
            DataType::F64 | DataType::F32 => self.number(row).map(|value| Cow::Owned(value.to_string())),
            DataType::Binary => None,
        }
    }

    /// The row's value as a person would write it; `null` for null.
    pub fn display(&self, row: usize) -> String {
        match self.data_type {
            DataType::Binary => self.bytes(row).map(|bytes| format!("{} bytes", bytes.len())),
            _ => self.class(row).map(Cow::into_owned),
        }
        .unwrap_or_else(|| "null".to_owned())
    }

    /// The rows with these indexes, in this order; a row may come more than once.
    pub fn take(&self, rows: &[usize]) -> Self {
        let plain = self.validity.is_none() && self.dictionary.is_none();
        let values = match self.data_type.width() {
            Some(8) if plain => self.values.take::<8>(rows),
            Some(4) if plain => self.values.take::<4>(rows),
            _ => {
                let mut builder = ColumnBuilder::new(self.data_type);
                builder.extend_from(self, rows.iter().copied());
                return builder.finish();
            }
        };
        Self { data_type: self.data_type, len: rows.len(), values, validity: None, offsets: None, dictionary: None }
    }

    /// One column after the other.
    pub fn concat(data_type: DataType, parts: &[Column]) -> Self {
        if let [only] = parts {
            return only.clone();
        }
        let plain = parts.iter().all(|part| part.validity.is_none()) && data_type.width().is_some();
        if plain && data_type != DataType::Categorical {
            return Self {
                data_type,
                len: parts.iter().map(Column::len).sum(),
                values: Buffer::concat(parts.iter().map(|part| part.values.bytes())),
                validity: None,
                offsets: None,
                dictionary: None,
            };
        }
        let mut builder = ColumnBuilder::new(data_type);
        for part in parts {
            builder.extend_from(part, 0..part.len());
        }
        builder.finish()
    }
}

impl Column {
    pub(crate) fn from_wire(data_type: DataType, len: usize, column: wire::Column) -> Self {
        Self {
            data_type,
            len,
            values: Buffer::from(column.values),
            validity: column.validity,
            offsets: column.offsets.map(Buffer::from),
            dictionary: column
                .dictionary
                .map(|texts| Dictionary { offsets: Buffer::from(texts.offsets), values: texts.values }),
        }
    }

    pub(crate) fn into_wire(self) -> wire::Column {
        wire::Column {
            values: self.values.into_vec(),
            validity: self.validity,
            offsets: self.offsets.map(Buffer::into_vec),
            dictionary: self
                .dictionary
                .map(|texts| wire::Dictionary { offsets: texts.offsets.into_vec(), values: texts.values }),
        }
    }
}

/// Equal values, whatever the buffers behind them look like; NaN equals NaN.
impl PartialEq for Column {
    fn eq(&self, other: &Self) -> bool {
        self.data_type == other.data_type
            && self.len == other.len
            && (0..self.len).all(|row| match self.data_type {
                DataType::Binary => self.bytes(row) == other.bytes(row),
                _ => self.class(row) == other.class(row),
            })
    }
}

fn bit(bits: &[u8], row: usize) -> bool {
    bits[row / 8] >> (row % 8) & 1 == 1
}

fn bytes_at<'a>(offsets: &Buffer, values: &'a [u8], row: usize) -> &'a [u8] {
    let offsets = offsets.as_slice::<i32>();
    &values[offsets[row] as usize..offsets[row + 1] as usize]
}

fn text(bytes: &[u8]) -> &str {
    std::str::from_utf8(bytes).expect("the host checks text before it sends it, and builders take `str`")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn views_and_nulls() {
        let column = Column::from_f64([Some(1.5), None, Some(3.0)]);
        assert_eq!(column.as_f64(), Some(&[1.5, 0.0, 3.0][..]));
        assert!(column.is_null(1));
        assert_eq!(column.null_count(), 1);
        assert!(column.numbers().unwrap()[1].is_nan());
        assert_eq!(column.take(&[2, 1, 2]), Column::from_f64([Some(3.0), None, Some(3.0)]));
    }

    #[test]
    fn takes_rows_of_every_type() {
        assert_eq!(Column::from_s64([1, 2, 3]).take(&[2, 0]), Column::from_s64([3, 1]));
        assert_eq!(Column::from_bool([true, false]).take(&[1, 1]), Column::from_bool([false, false]));
        assert_eq!(Column::from_text([Some("a"), None]).take(&[1, 0]), Column::from_text([None, Some("a")]));
        let taken = Column::from_categories([Some("a"), Some("b"), None]).take(&[1, 2, 1]);
        assert_eq!(taken, Column::from_categories([Some("b"), None, Some("b")]));
        assert_eq!(taken.categories(), ["b"], "only what the rows need");
    }

    #[test]
    fn texts_and_classes() {
        let text = Column::from_text([Some("a"), None, Some("é")]);
        let categories = Column::from_categories([Some("a"), None, Some("é")]);
        for column in [&text, &categories] {
            assert_eq!(column.texts().collect::<Vec<_>>(), [Some("a"), None, Some("é")]);
        }
        assert_eq!(categories.categories(), ["a", "é"]);
        assert_eq!(Column::from_s64([1]).class(0).as_deref(), Some("1"));
        assert_eq!(Column::from_f64([1.0]).class(0).as_deref(), Some("1"));
        assert_eq!(Column::from_bool([true]).class(0).as_deref(), Some("true"));
    }

    #[test]
    fn concat_keeps_values() {
        let parts = [Column::from_categories(["x", "y"]), Column::from_categories([Some("z"), None])];
        let whole = Column::concat(DataType::Categorical, &parts);
        assert_eq!(whole, Column::from_categories([Some("x"), Some("y"), Some("z"), None]));
        let plain = Column::concat(DataType::S64, &[Column::from_s64([1, 2]), Column::from_s64([3])]);
        assert_eq!(plain, Column::from_s64([1, 2, 3]));
    }
}
