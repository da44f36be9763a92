//! Appends a block's cells to a column, or lets them say what type it could be.

use wasmlops_sdk::prelude::*;

use super::block::{Block, Cell};
use super::dialect::Nulls;
use super::values::Values;
use crate::infer::Guess;
use crate::problems::{self, BadRow};
use crate::value::plain::{Plain, Window};
use crate::value::{self, Types};

/// How cells become values.
pub struct Reading<'a> {
    pub nulls: &'a Nulls,
    /// Blanks around texts do not count.
    pub trim: bool,
}

/// A value that does not fit its column: the row in the block, and what to say of it.
pub type Misfit = (usize, BadRow);

impl Reading<'_> {
    /// Appends the column `index` of all rows. A value that does not fit is null here and stands in `misfits`.
    pub fn append(
        &self,
        block: &Block,
        (index, field): (usize, &Field),
        column: &mut Values,
        misfits: &mut Vec<Misfit>,
    ) {
        let mut misfit = |row: usize, cell: Cell| misfits.push((row, misfit(block, field, row, cell)));
        let cells = Cells { block, index, nulls: self.nulls };
        match field.data_type {
            DataType::Utf8 | DataType::Binary => {
                self.append_texts(&cells, |column, text| column.push_text(text), column)
            }
            DataType::Categorical => self.append_texts(&cells, |column, text| column.push_category(text.text), column),
            DataType::Bool => cells.append(never, value::parse_bool, Values::push_bool, column, &mut misfit),
            DataType::S64 => cells.append(Plain::to_s64, value::parse_s64, Values::push_s64, column, &mut misfit),
            DataType::F64 => cells.append(Plain::to_f64, value::parse_f64, Values::push_f64, column, &mut misfit),
            DataType::F32 => cells.append(never, value::parse_f32, Values::push_f32, column, &mut misfit),
            DataType::Timestamp => cells.append(never, value::timestamp, Values::push_s64, column, &mut misfit),
        }
    }

    fn append_texts(&self, cells: &Cells, push: impl Fn(&mut Values, Text), column: &mut Values) {
        let block = cells.block;
        for cell in block.column(cells.index) {
            if cell.has_doubled_quotes() {
                push(column, Text { text: block.text(cell).as_bytes(), behind: &[] });
                continue;
            }
            let mut range = cell.start()..cell.end();
            if self.trim && !cell.is_quoted() {
                let raw = block.raw(cell);
                range.start += raw.len() - raw.trim_ascii_start().len();
                range.end = range.start + raw.trim_ascii().len();
            }
            let text = Text { text: &block.bytes[range.clone()], behind: &block.bytes[range.start..] };
            if !cell.is_quoted() && self.nulls.contain(text.text) { column.push_null() } else { push(column, text) }
        }
    }
}

/// A text's bytes, and what follows them in memory, so that they can be copied in whole words.
#[derive(Clone, Copy)]
pub struct Text<'a> {
    pub text: &'a [u8],
    /// Begins with `text`, or is empty.
    pub behind: &'a [u8],
}

/// A column of a block.
struct Cells<'a> {
    block: &'a Block<'a>,
    index: usize,
    nulls: &'a Nulls,
}

impl Cells<'_> {
    /// `plain` is the quick way for plain numbers, `parse` the way for everything.
    #[inline]
    fn append<T>(
        &self,
        plain: impl Fn(Plain, &Window) -> Option<T>,
        parse: impl Fn(&[u8]) -> Option<T>,
        push: impl Fn(&mut Values, T),
        column: &mut Values,
        misfit: &mut impl FnMut(usize, Cell),
    ) {
        let may_be_plain = !self.nulls.may_be_numbers();
        for (row, cell) in self.block.column(self.index).enumerate() {
            if may_be_plain
                && let Some((found, window)) = self.block.plain(cell)
                && let Some(value) = plain(found, window)
            {
                push(column, value);
                continue;
            }
            let text = value::trimmed(self.block.raw(cell));
            if self.nulls.contain(text) {
                column.push_null();
            } else if let Some(value) = parse(text) {
                push(column, value);
            } else {
                column.push_null();
                misfit(row, cell);
            }
        }
    }
}

/// Where there is no quick way.
fn never<T>(_: Plain, _: &Window) -> Option<T> {
    None
}

#[cold]
fn misfit(block: &Block, field: &Field, row: usize, cell: Cell) -> BadRow {
    BadRow { line: block.grid.lines[row], reason: problems::misfit(field, &block.text(cell)) }
}

/// Lets the column of a block say what it could be.
pub fn narrow(guess: &mut Guess, block: &Block, column: usize, nulls: &Nulls) {
    let may_be_plain = !nulls.may_be_numbers();
    for cell in block.column(column) {
        if may_be_plain
            && let Some((found, window)) = block.plain(cell)
            && let Some(types) = found.types(window)
        {
            guess.see_types(types, true);
        } else {
            let text = value::trimmed(block.raw(cell));
            if nulls.contain(text) {
                continue;
            }
            if cell.has_doubled_quotes() { guess.see_types(Types::NONE, false) } else { guess.see(text) }
        }
        if guess.is_settled() {
            return;
        }
    }
}
