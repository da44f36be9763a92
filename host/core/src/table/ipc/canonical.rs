//! Whether decoded values have the one form that tables hold them in.

use arrow_buffer::NullBuffer;

use crate::table::{NAN_F32, NAN_F64};

/// NaN has one bit pattern.
pub(super) fn one_nan_f64(values: &[f64]) -> bool {
    // No early exit, so that this runs at the speed of memory.
    values.iter().fold(true, |good, value| good & (!value.is_nan() | (value.to_bits() == NAN_F64)))
}

/// NaN has one bit pattern.
pub(super) fn one_nan_f32(values: &[f32]) -> bool {
    values.iter().fold(true, |good, value| good & (!value.is_nan() | (value.to_bits() == NAN_F32)))
}

/// Nulls hold zeros.
pub(super) fn zero_nulls(values: &[u8], width: usize, nulls: Option<&NullBuffer>) -> bool {
    null_rows(nulls).all(|row| values[row * width..(row + 1) * width].iter().all(|byte| *byte == 0))
}

/// Nulls hold nothing.
pub(super) fn empty_nulls(offsets: &[i32], nulls: Option<&NullBuffer>) -> bool {
    null_rows(nulls).all(|row| offsets[row] == offsets[row + 1])
}

pub(super) fn null_rows(nulls: Option<&NullBuffer>) -> impl Iterator<Item = usize> {
    nulls.into_iter().flat_map(|nulls| (0..nulls.len()).filter(|row| nulls.is_null(*row)))
}

/// Codes that count up from 0 in the order in which rows first show them.
#[derive(Default)]
pub(super) struct Codes {
    next: i32,
}

impl Codes {
    /// Looks at the next chunk's codes; false for a code that comes before its turn.
    pub fn follow(&mut self, codes: &[i32], nulls: Option<&NullBuffer>) -> bool {
        codes.iter().enumerate().all(|(row, code)| {
            if nulls.is_some_and(|nulls| nulls.is_null(row)) {
                return true;
            }
            self.next += i32::from(*code == self.next);
            (0..self.next).contains(code)
        })
    }

    /// Texts that some row shows.
    pub fn count(&self) -> usize {
        self.next as usize
    }
}
