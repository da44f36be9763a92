//! Reads a file as blocks of whole rows, in chunks, whatever lies at their borders. Knows no types.

mod rows;

use std::io::Read;

use wasmlops_sdk::prelude::*;

use super::block::{Block, Grid};
use super::dialect::Dialect;
use super::scan::is_ascii;
use crate::problems::BadRow;
use crate::source::Input;

/// Bytes asked for at once: each read is a call of the host.
const CHUNK_BYTES: usize = 1 << 19;

/// Bytes behind those in use, so that the last cell can be looked at in whole words.
const PADDING: usize = 64;

/// Cells in a block: every column is a walk through all of them, so they and their text should stay in the first cache.
const BLOCK_CELLS: usize = 1 << 12;

/// The longest row. Beyond it stands, almost surely, a quote that is never closed.
const MAX_ROW_BYTES: usize = 16 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A file being read.
pub struct Reader<'a, R> {
    source: R,
    /// For messages.
    input: &'a Input,
    /// Bytes asked for at once.
    chunk: usize,
    dialect: Dialect,
    /// Cells in a row, once the first row is known.
    width: Option<usize>,
    buffer: Vec<u8>,
    /// The bytes in use: `buffer[start..filled]` are yet to be given, but for the block given last.
    start: usize,
    filled: usize,
    /// Whether the file has no more bytes than those.
    ended: bool,
    /// Where `start` is, counted from 1.
    line: u64,
    grid: Grid,
}

impl<'a, R: Read> Reader<'a, R> {
    /// Errors: `invalid-input` where the file is empty or no UTF-8, `invalid-config` where it cannot be read.
    pub fn new(source: R, input: &'a Input, dialect: Dialect) -> Result<Self> {
        Self::with_chunks(source, input, dialect, CHUNK_BYTES)
    }

    fn with_chunks(source: R, input: &'a Input, dialect: Dialect, chunk: usize) -> Result<Self> {
        let mut reader = Self {
            source,
            input,
            chunk,
            dialect,
            width: None,
            buffer: Vec::new(),
            start: 0,
            filled: 0,
            ended: false,
            line: 1,
            grid: Grid::default(),
        };
        reader.fill()?;
        let beginning = &reader.buffer[..reader.filled];
        if beginning.starts_with(b"\xff\xfe") || beginning.starts_with(b"\xfe\xff") {
            return Err(reader.wrong("is UTF-16\nhint: save it as UTF-8"));
        }
        if beginning.starts_with(BYTE_ORDER_MARK) {
            reader.start = BYTE_ORDER_MARK.len();
        }
        Ok(reader)
    }

    /// The next rows; `None` at the end of the file. A block without rows may still have bad ones. The first row,
    /// whatever its length, says how many cells the others must have.
    pub fn next_block(&mut self) -> Result<Option<Block<'_>>> {
        self.next_rows(usize::MAX)
    }

    /// The next row as a block of its own.
    pub fn next_row(&mut self) -> Result<Option<Block<'_>>> {
        self.next_rows(1)
    }

    fn next_rows(&mut self, max_rows: usize) -> Result<Option<Block<'_>>> {
        let bytes = loop {
            self.grid.clear();
            let may_go_on = self.find_rows(max_rows)?;
            let bytes = self.start..self.start + self.grid.end;
            self.start = bytes.end;
            if !self.grid.is_empty() {
                break bytes;
            }
            if !may_go_on {
                return Ok(None);
            }
            self.fill()?;
        };
        let width = self.width.expect("a row was found, and the first one says the width");
        check(&mut self.buffer[bytes.clone()], &mut self.grid, width);
        Ok(Some(Block {
            bytes: &self.buffer[bytes.start..],
            grid: &self.grid,
            width,
            quote: self.dialect.quote.unwrap_or_default(),
        }))
    }

    /// Finds rows in the bytes that are there, and says whether more bytes could give more.
    fn find_rows(&mut self, max_rows: usize) -> Result<bool> {
        let task = rows::Task {
            bytes: &self.buffer[self.start..self.filled],
            dialect: self.dialect,
            ended: self.ended,
            max_rows,
            max_cells: BLOCK_CELLS,
        };
        match rows::find(&task, &mut self.width, &mut self.line, &mut self.grid) {
            rows::Stop::Enough | rows::Stop::EndOfBytes => Ok(true),
            rows::Stop::EndOfFile => Ok(false),
            rows::Stop::OpenQuote { line } => {
                let message = format!(
                    "has a quote that opens on line {line} and is never closed\nhint: close it, double quotes inside \
                     cells, or set `quote: null` if quotes are ordinary characters"
                );
                Err(self.wrong(&message))
            }
        }
    }

    /// Reads as many bytes as there is room for, and makes room for some.
    fn fill(&mut self) -> Result<()> {
        self.buffer.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.start = 0;
        if self.filled > MAX_ROW_BYTES {
            let line = self.line;
            let message = format!(
                "has a row on line {line} that is longer than 16 MiB\nhint: look for a quote that is never closed"
            );
            return Err(self.wrong(&message));
        }
        if self.buffer.len() < self.filled + PADDING + self.chunk.div_ceil(2) {
            self.buffer.resize((2 * self.buffer.len()).max(self.chunk + PADDING), 0);
        }
        let room = self.buffer.len() - PADDING;
        while self.filled < room {
            match self.source.read(&mut self.buffer[self.filled..room]) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(self.input.unreadable(&error)),
            }
        }
        Ok(())
    }

    /// An error about the file.
    pub fn wrong(&self, what: &str) -> Error {
        self.input.wrong(what)
    }
}

/// Makes the block's bytes UTF-8: rows with others become bad ones, and those bytes `?`.
fn check(bytes: &mut [u8], grid: &mut Grid, width: usize) {
    if is_ascii(bytes) || std::str::from_utf8(bytes).is_ok() {
        return;
    }
    let mut wrong = Vec::new();
    let mut position = 0;
    for chunk in bytes.utf8_chunks() {
        position += chunk.valid().len();
        wrong.extend(position..position + chunk.invalid().len());
        position += chunk.invalid().len();
    }
    for &position in &wrong {
        bytes[position] = b'?';
    }
    grid.remove_rows_at(&wrong, width, "bytes that are not UTF-8");
    grid.bad.sort_by_key(|row: &BadRow| row.line);
}

#[cfg(test)]
mod tests;
