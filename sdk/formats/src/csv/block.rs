//! Whole rows of the file as a grid of cells, and the rows that are none.
//!
//! A block holds the bytes' ranges, never copies of cells; columns are made of it in `column`.

use std::borrow::Cow;

use crate::problems::BadRow;
use crate::value::plain::{Plain, Window};

/// A cell's place in the block's text, without its quotes.
#[derive(Clone, Copy, Debug)]
pub struct Cell {
    start: u32,
    /// The length in the low 30 bits; above it, whether the cell stood in quotes and whether quotes in it are doubled.
    packed: u32,
}

const LENGTH: u32 = (1 << 30) - 1;
const QUOTED: u32 = 1 << 30;
const DOUBLED: u32 = 1 << 31;

impl Cell {
    #[inline]
    pub fn plain(start: usize, end: usize) -> Self {
        Self { start: start as u32, packed: (end - start) as u32 }
    }

    pub fn quoted(start: usize, end: usize, doubled: bool) -> Self {
        let packed = (end - start) as u32 | QUOTED | if doubled { DOUBLED } else { 0 };
        Self { start: start as u32, packed }
    }

    #[inline]
    pub fn is_quoted(self) -> bool {
        self.packed & QUOTED != 0
    }

    /// Whether the bytes are not yet the value, since quotes in them are doubled.
    #[inline]
    pub fn has_doubled_quotes(self) -> bool {
        self.packed & DOUBLED != 0
    }

    #[inline]
    pub fn start(self) -> usize {
        self.start as usize
    }

    #[inline]
    pub fn end(self) -> usize {
        self.start() + (self.packed & LENGTH) as usize
    }

    pub fn without_carriage_return(self, bytes: &[u8]) -> Self {
        let ends_with_it = !self.is_quoted() && bytes[self.start()..self.end()].ends_with(b"\r");
        if ends_with_it { Self { packed: self.packed - 1, ..self } } else { self }
    }
}

/// Where the rows of a block are; the part that is kept between blocks, to be filled again.
#[derive(Default)]
pub struct Grid {
    /// Row after row, `width` each.
    pub cells: Vec<Cell>,
    /// Where each row begins, counted from 1.
    pub lines: Vec<u64>,
    pub bad: Vec<BadRow>,
    /// Bytes that the rows take, line ends and blank lines included.
    pub end: usize,
}

impl Grid {
    pub fn clear(&mut self) {
        self.cells.clear();
        self.lines.clear();
        self.bad.clear();
        self.end = 0;
    }

    /// Whether there is neither a row nor a bad one.
    pub fn is_empty(&self) -> bool {
        self.lines.is_empty() && self.bad.is_empty()
    }

    /// Takes out the rows that hold one of `positions` (ascending).
    pub fn remove_rows_at(&mut self, positions: &[usize], width: usize, reason: &str) {
        let mut positions = positions.iter().copied().peekable();
        let mut kept = 0;
        for row in 0..self.lines.len() {
            let cells = row * width..(row + 1) * width;
            let (start, end) = (self.cells[cells.start].start(), self.cells[cells.end - 1].end());
            while positions.next_if(|&position| position < start).is_some() {}
            if positions.peek().is_some_and(|&position| position < end) {
                self.bad.push(BadRow { line: self.lines[row], reason: reason.to_owned() });
                continue;
            }
            self.cells.copy_within(cells, kept * width);
            self.lines[kept] = self.lines[row];
            kept += 1;
        }
        self.cells.truncate(kept * width);
        self.lines.truncate(kept);
    }
}

/// Rows of the file.
#[derive(Clone, Copy)]
pub struct Block<'a> {
    /// The block's rows, UTF-8: cells begin and end where characters do. Behind them there may be anything.
    pub bytes: &'a [u8],
    pub grid: &'a Grid,
    pub width: usize,
    pub quote: u8,
}

impl<'a> Block<'a> {
    pub fn num_rows(&self) -> usize {
        self.grid.lines.len()
    }

    /// The cells of one column.
    #[inline]
    pub fn column(&self, column: usize) -> impl Iterator<Item = Cell> + use<'a> {
        self.grid.cells.get(column..).unwrap_or_default().iter().step_by(self.width).copied()
    }

    /// What stands in the file, between the cell's quotes if it has any.
    #[inline]
    pub fn raw(&self, cell: Cell) -> &'a [u8] {
        &self.bytes[cell.start()..cell.end()]
    }

    /// The cell as a plain number, if it is one that can be looked at in whole words.
    #[inline]
    pub fn plain(&self, cell: Cell) -> Option<(Plain, &'a Window)> {
        let window = self.bytes.get(cell.start()..)?.first_chunk()?;
        Some((Plain::find(window, cell.end() - cell.start())?, window))
    }

    /// What is meant: doubled quotes are one.
    #[inline]
    pub fn text(&self, cell: Cell) -> Cow<'a, str> {
        let raw = std::str::from_utf8(self.raw(cell)).expect("the reader replaces what is not UTF-8");
        if !cell.has_doubled_quotes() {
            return Cow::Borrowed(raw);
        }
        let quote = char::from(self.quote);
        Cow::Owned(raw.replace(&format!("{quote}{quote}"), quote.encode_utf8(&mut [0; 4])))
    }
}
