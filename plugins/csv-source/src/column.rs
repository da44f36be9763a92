//! Appends a block's cells to a column.

use wasmlops_sdk::prelude::*;

use crate::block::{BadRow, Block, Cell};
use crate::dialect::Nulls;
use crate::value;

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
        column: &mut ColumnBuilder,
        misfits: &mut Vec<Misfit>,
    ) {
        let mut misfit = |row: usize, cell: Cell| misfits.push((row, misfit(block, field, row, cell)));
        let cells = Cells { block, index, nulls: self.nulls };
        match field.data_type {
            DataType::Utf8 | DataType::Categorical | DataType::Binary => self.append_texts(&cells, column),
            DataType::Bool => cells.append(value::parse_bool, ColumnBuilder::push_bool, column, &mut misfit),
            DataType::S64 => cells.append(value::parse_s64, ColumnBuilder::push_s64, column, &mut misfit),
            DataType::F64 => cells.append(value::parse_f64, ColumnBuilder::push_f64, column, &mut misfit),
            DataType::F32 => cells.append(value::parse_f32, ColumnBuilder::push_f32, column, &mut misfit),
            DataType::Timestamp => cells.append(value::timestamp, ColumnBuilder::push_s64, column, &mut misfit),
        }
    }

    fn append_texts(&self, cells: &Cells, column: &mut ColumnBuilder) {
        for cell in cells.block.column(cells.index) {
            let text = cells.block.text(cell);
            if cell.is_quoted() {
                column.push_text(&text);
                continue;
            }
            let text = if self.trim { text.trim_ascii() } else { &text };
            if self.nulls.contain(text.as_bytes()) { column.push_null() } else { column.push_text(text) }
        }
    }
}

/// A column of a block.
struct Cells<'a> {
    block: &'a Block<'a>,
    index: usize,
    nulls: &'a Nulls,
}

impl Cells<'_> {
    #[inline]
    fn append<T>(
        &self,
        parse: impl Fn(&[u8]) -> Option<T>,
        push: impl Fn(&mut ColumnBuilder, T),
        column: &mut ColumnBuilder,
        misfit: &mut impl FnMut(usize, Cell),
    ) {
        for (row, cell) in self.block.column(self.index).enumerate() {
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

#[cold]
fn misfit(block: &Block, field: &Field, row: usize, cell: Cell) -> BadRow {
    let (name, shown) = (&field.name, short(&block.text(cell)));
    let wanted = match field.data_type {
        DataType::Bool => "a truth value (bool)",
        DataType::S64 => "a whole number (s64)",
        DataType::F32 => "a number (f32)",
        DataType::Timestamp => "a time (timestamp)",
        _ => "a number (f64)",
    };
    BadRow { line: block.grid.lines[row], reason: format!("column `{name}`: `{shown}` is not {wanted}") }
}

/// Enough of a value to find it: the first 40 characters, on one line.
fn short(value: &str) -> String {
    const SHOWN: usize = 40;
    let mut shown: String = value.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if value.chars().nth(SHOWN).is_some() {
        shown.push('…');
    }
    shown
}
