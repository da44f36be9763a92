//! Whether foreign buffers are what they say: nothing of a batch is believed before it has passed through here.

use std::collections::HashSet;

use super::wire::{bit, first_zero, i32s, offset};
use super::{Batch, Column, DataType, Dictionary, Field, Schema, TableError};

/// Checks a whole batch against the schema: lengths, offsets, UTF-8, codes, nulls. `known` says of the dictionary of
/// the column with that index that it has been checked before.
pub(super) fn batch(
    schema: &Schema,
    batch: &Batch,
    known: impl Fn(usize, &Dictionary) -> bool,
) -> Result<(), TableError> {
    if batch.columns.len() != schema.fields.len() {
        return Err(TableError::ColumnCount { expected: schema.fields.len(), found: batch.columns.len() });
    }
    if batch.columns.is_empty() && batch.num_rows > 0 {
        return Err(TableError::NoColumns);
    }
    for (index, (field, column)) in schema.fields.iter().zip(&batch.columns).enumerate() {
        Checker { field, rows: batch.num_rows }.column(column)?;
        if let Some(texts) = &column.dictionary {
            if !known(index, texts) {
                dictionary(&field.name, texts)?;
            }
            let is_valid = |row| column.validity.as_ref().is_none_or(|validity| bit(validity, row));
            codes(&field.name, i32s(&column.values), is_valid, texts.offsets.len() / 4 - 1)?;
        }
    }
    Ok(())
}

/// Checks a dictionary by itself: no text twice comes on top of what `utf8` columns are held to.
pub(super) fn dictionary(column: &str, dictionary: &Dictionary) -> Result<(), TableError> {
    let texts = (dictionary.offsets.len() / 4).saturating_sub(1);
    let (offsets, values) = (&dictionary.offsets, &dictionary.values);
    length(column, "dictionary offsets", texts as u64, (texts as u128 + 1) * 4, offsets.len())?;
    ranges(column, "dictionary offsets", offsets, values.len())?;
    text(column, "dictionary", offsets, values)?;
    let mut seen = HashSet::with_capacity(texts);
    for index in 0..texts {
        let text = &values[offset(offsets, index)..offset(offsets, index + 1)];
        if !seen.insert(text) {
            let text = String::from_utf8_lossy(text).chars().take(100).collect();
            return Err(TableError::DuplicateText { column: column.to_owned(), text });
        }
    }
    Ok(())
}

/// Codes of rows that are not null must name a text.
pub(super) fn codes(
    column: &str,
    codes: impl Iterator<Item = i32>,
    is_valid: impl Fn(usize) -> bool,
    texts: usize,
) -> Result<(), TableError> {
    let outside = |code: i32| usize::try_from(code).map_or(true, |code| code >= texts);
    match codes.enumerate().find(|(row, code)| outside(*code) && is_valid(*row)) {
        Some((row, code)) => Err(TableError::Code { column: column.to_owned(), row, code, texts }),
        None => Ok(()),
    }
}

/// Offsets must start at 0, never fall, and end within the values.
pub(super) fn ranges(column: &str, what: &'static str, offsets: &[u8], length: usize) -> Result<(), TableError> {
    let wrong = |index| TableError::Offsets { column: column.to_owned(), what, index, length };
    let mut last = 0;
    for (index, offset) in i32s(offsets).enumerate() {
        if offset < last || (index == 0 && offset != 0) {
            return Err(wrong(index));
        }
        last = offset;
    }
    if last as usize > length { Err(wrong((offsets.len() / 4).saturating_sub(1))) } else { Ok(()) }
}

/// Each entry must be UTF-8 by itself. The offsets have been checked.
pub(super) fn text(column: &str, what: &'static str, offsets: &[u8], values: &[u8]) -> Result<(), TableError> {
    let wrong = |index| TableError::Utf8 { column: column.to_owned(), what, index };
    let end = i32s(offsets).next_back().unwrap_or(0) as usize;
    let text = std::str::from_utf8(&values[..end]).map_err(|error| {
        let at = error.valid_up_to();
        wrong(i32s(offsets).take_while(|offset| *offset as usize <= at).count().saturating_sub(1))
    })?;
    match i32s(offsets).position(|offset| !text.is_char_boundary(offset as usize)) {
        Some(index) => Err(wrong(index)),
        None => Ok(()),
    }
}

fn length(column: &str, what: &'static str, rows: u64, expected: u128, found: usize) -> Result<(), TableError> {
    if found as u128 == expected {
        Ok(())
    } else {
        Err(TableError::Length { column: column.to_owned(), what, rows, expected, found })
    }
}

struct Checker<'a> {
    field: &'a Field,
    rows: u64,
}

impl Checker<'_> {
    fn column(&self, column: &Column) -> Result<(), TableError> {
        let data_type = self.field.data_type;
        self.presence("offsets", column.offsets.is_some(), matches!(data_type, DataType::Utf8 | DataType::Binary))?;
        self.presence("dictionary", column.dictionary.is_some(), data_type == DataType::Categorical)?;
        self.validity(column)?;
        match (&column.offsets, data_type.width()) {
            (Some(offsets), _) => self.bytes(column, offsets),
            (None, Some(width)) => self.length("values", u128::from(self.rows) * width as u128, column.values.len()),
            (None, None) => self.length("values", self.bits(), column.values.len()),
        }
    }

    fn presence(&self, what: &'static str, present: bool, needed: bool) -> Result<(), TableError> {
        let (column, data_type) = (self.field.name.clone(), self.field.data_type);
        match (present, needed) {
            (false, true) => Err(TableError::Missing { column, data_type, what }),
            (true, false) => Err(TableError::Unexpected { column, data_type, what }),
            _ => Ok(()),
        }
    }

    fn validity(&self, column: &Column) -> Result<(), TableError> {
        let Some(validity) = &column.validity else { return Ok(()) };
        self.length("validity", self.bits(), validity.len())?;
        match first_zero(validity, self.rows as usize) {
            Some(row) if !self.field.nullable => Err(TableError::Null { column: self.field.name.clone(), row }),
            _ => Ok(()),
        }
    }

    fn bytes(&self, column: &Column, offsets: &[u8]) -> Result<(), TableError> {
        self.length("offsets", (u128::from(self.rows) + 1) * 4, offsets.len())?;
        ranges(&self.field.name, "offsets", offsets, column.values.len())?;
        match self.field.data_type {
            DataType::Utf8 => text(&self.field.name, "text", offsets, &column.values),
            _ => Ok(()),
        }
    }

    fn bits(&self) -> u128 {
        u128::from(self.rows).div_ceil(8)
    }

    fn length(&self, what: &'static str, expected: u128, found: usize) -> Result<(), TableError> {
        length(&self.field.name, what, self.rows, expected, found)
    }
}
