//! Reads a file as blocks of whole rows, in chunks, whatever lies at their borders. Knows no types.

mod rows;

use std::io::Read;

use wasmlops_sdk::prelude::*;

use crate::block::{BadRow, Block, Grid};
use crate::dialect::Dialect;

/// Bytes asked for at once.
const CHUNK_BYTES: usize = 1 << 18;

/// Cells in a block: every column is a walk through all of them, so they and their text should stay in the first cache.
const BLOCK_CELLS: usize = 1 << 12;

/// The longest row. Beyond it stands, almost surely, a quote that is never closed.
const MAX_ROW_BYTES: usize = 16 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A file being read.
pub struct Reader<R> {
    source: R,
    /// For messages.
    path: String,
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
    bytes_done: u64,
    grid: Grid,
}

impl<R: Read> Reader<R> {
    /// Errors: `invalid-input` where the file is empty or no UTF-8, `invalid-config` where it cannot be read.
    pub fn new(source: R, path: &str, dialect: Dialect) -> Result<Self> {
        let mut reader = Self {
            source,
            path: path.to_owned(),
            dialect,
            width: None,
            buffer: Vec::new(),
            start: 0,
            filled: 0,
            ended: false,
            line: 1,
            bytes_done: 0,
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

    /// Bytes given so far.
    pub fn bytes_done(&self) -> u64 {
        self.bytes_done
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
            self.bytes_done += bytes.len() as u64;
            if !self.grid.is_empty() {
                break bytes;
            }
            if !may_go_on {
                return Ok(None);
            }
            self.fill()?;
        };
        let width = self.width.expect("a row was found, and the first one says the width");
        let bytes = checked(&mut self.buffer[bytes], &mut self.grid, width);
        Ok(Some(Block { bytes, grid: &self.grid, width, quote: self.dialect.quote.unwrap_or_default() }))
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
        if self.buffer.len() - self.filled < CHUNK_BYTES / 2 {
            self.buffer.resize((2 * self.buffer.len()).max(CHUNK_BYTES), 0);
        }
        while self.filled < self.buffer.len() {
            match self.source.read(&mut self.buffer[self.filled..]) {
                Ok(0) => {
                    self.ended = true;
                    break;
                }
                Ok(read) => self.filled += read,
                Err(error) if error.kind() == std::io::ErrorKind::Interrupted => {}
                Err(error) => return Err(crate::source::unreadable(&self.path, &error)),
            }
        }
        Ok(())
    }

    /// An error about the file.
    pub fn wrong(&self, what: &str) -> Error {
        Error::invalid_input(format!("`{}` {what}", self.path)).at("path")
    }
}

/// The block's bytes, now UTF-8: rows with others become bad ones, and those bytes `?`.
fn checked<'a>(bytes: &'a mut [u8], grid: &mut Grid, width: usize) -> &'a [u8] {
    if std::str::from_utf8(bytes).is_ok() {
        return bytes;
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
    bytes
}

#[cfg(test)]
mod tests;
