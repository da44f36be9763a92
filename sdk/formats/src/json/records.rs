//! Cuts a file into records: the lines of NDJSON, or the elements of one array. Looks no further than brackets and
//! quotes; whether a record is an object is for `parse`.

use std::io::Read;

use memchr::{memchr, memchr_iter, memchr2};
use wasmlops_sdk::prelude::*;

use crate::source::Input;

/// Bytes asked for at once.
const CHUNK_BYTES: usize = 1 << 18;

/// The longest record. Beyond it stands, almost surely, something that is no table.
const MAX_RECORD_BYTES: usize = 16 << 20;

const BYTE_ORDER_MARK: &[u8] = b"\xef\xbb\xbf";

/// A line, or an element of an array.
#[derive(Clone, Copy, Debug)]
pub struct Record<'a> {
    pub bytes: &'a [u8],
    /// Where it begins, counted from 1.
    pub line: u64,
}

/// A file being read.
pub struct Records<'a, R> {
    source: R,
    input: &'a Input,
    buffer: Vec<u8>,
    /// The bytes in use: `buffer[start..filled]` are yet to be given, but for the record given last.
    start: usize,
    filled: usize,
    /// Whether the file has no more bytes than those.
    ended: bool,
    /// Where `start` is, counted from 1.
    line: u64,
    form: Form,
}

#[derive(Clone, Copy, PartialEq, Eq)]
enum Form {
    Unknown,
    Lines,
    /// An array; whether an element was given.
    Array {
        begun: bool,
    },
    /// An array that has ended.
    Ended,
}

/// Where a record is in the bytes that are there.
enum Found {
    /// `start..end`, and where to go on.
    Record {
        start: usize,
        end: usize,
        next: usize,
    },
    /// More bytes are needed.
    Cut,
    End,
}

impl<'a, R: Read> Records<'a, R> {
    pub fn new(source: R, input: &'a Input) -> Self {
        Self { source, input, buffer: Vec::new(), start: 0, filled: 0, ended: false, line: 1, form: Form::Unknown }
    }

    /// The next record; `None` at the end of the file.
    ///
    /// Errors: `invalid-input` for a file that is neither lines nor an array, or whose array does not end.
    pub fn next(&mut self) -> Result<Option<Record<'_>>> {
        if self.form == Form::Unknown {
            self.begin()?;
        }
        loop {
            let found = match self.form {
                Form::Array { .. } => self.find_element()?,
                Form::Ended => self.find_nothing()?,
                Form::Unknown | Form::Lines => self.find_line(),
            };
            match found {
                Found::End => return Ok(None),
                Found::Cut => self.fill()?,
                Found::Record { start, end, next } => {
                    self.line += memchr_iter(b'\n', &self.buffer[self.start..start]).count() as u64;
                    let line = self.line;
                    self.line += memchr_iter(b'\n', &self.buffer[start..next]).count() as u64;
                    self.start = next;
                    return Ok(Some(Record { bytes: &self.buffer[start..end], line }));
                }
            }
        }
    }

    /// Finds out what the file is.
    fn begin(&mut self) -> Result<()> {
        self.fill()?;
        let bytes = &self.buffer[..self.filled];
        if bytes.starts_with(b"\xff\xfe") || bytes.starts_with(b"\xfe\xff") {
            return Err(self.input.wrong("is UTF-16\nhint: save it as UTF-8"));
        }
        if bytes.starts_with(BYTE_ORDER_MARK) {
            self.start = BYTE_ORDER_MARK.len();
        }
        loop {
            let first = blanks(&self.buffer, self.start, self.filled);
            if first == self.filled && !self.ended {
                self.fill()?;
                continue;
            }
            self.form = Form::Lines;
            if first < self.filled && self.buffer[first] == b'[' {
                self.form = Form::Array { begun: false };
                self.pass(first + 1);
            }
            return Ok(());
        }
    }

    fn find_line(&mut self) -> Found {
        loop {
            let rest = &self.buffer[self.start..self.filled];
            let (end, next) = match memchr(b'\n', rest) {
                Some(end) => (self.start + end, self.start + end + 1),
                None if !self.ended => return Found::Cut,
                None if rest.is_empty() => return Found::End,
                None => (self.filled, self.filled),
            };
            let start = blanks(&self.buffer, self.start, end);
            if start < end {
                return Found::Record { start, end, next };
            }
            // A blank line is no record.
            self.pass(next);
        }
    }

    fn find_element(&mut self) -> Result<Found> {
        let Form::Array { begun } = self.form else { return Ok(Found::End) };
        let mut start = blanks(&self.buffer, self.start, self.filled);
        match self.buffer[..self.filled].get(start) {
            None => return self.cut(start),
            Some(b']') => {
                self.pass(start + 1);
                self.form = Form::Ended;
                return self.find_nothing();
            }
            Some(b',') if begun => start += 1,
            Some(_) if begun => {
                self.pass(start);
                let line = self.line;
                let what = format!("has something other than `,` or `]` after an element of its array, on line {line}");
                return Err(self.input.wrong(&what));
            }
            Some(_) => {}
        }
        let start = blanks(&self.buffer, start, self.filled);
        match end_of_element(&self.buffer[..self.filled], start) {
            Some(end) if end > start => {
                self.form = Form::Array { begun: true };
                Ok(Found::Record { start, end, next: end })
            }
            Some(_) => {
                self.pass(start);
                Err(self.input.wrong(&format!("has an array with an element missing, on line {}", self.line)))
            }
            None => self.cut(start),
        }
    }

    /// Errors: `invalid-input` where the file ends inside the array.
    fn cut(&mut self, at: usize) -> Result<Found> {
        if !self.ended {
            return Ok(Found::Cut);
        }
        self.pass(at);
        let what = format!("is cut off: its array does not end; the last element begins on line {}", self.line);
        Err(self.input.wrong(&what))
    }

    /// Errors: `invalid-input` for anything but blanks.
    fn find_nothing(&mut self) -> Result<Found> {
        let next = blanks(&self.buffer, self.start, self.filled);
        self.pass(next);
        if next < self.filled {
            return Err(self.input.wrong(&format!("goes on after the end of its array, on line {}", self.line)));
        }
        Ok(if self.ended { Found::End } else { Found::Cut })
    }

    fn pass(&mut self, to: usize) {
        self.line += memchr_iter(b'\n', &self.buffer[self.start..to]).count() as u64;
        self.start = to;
    }

    /// Reads as many bytes as there is room for, and makes room for some.
    fn fill(&mut self) -> Result<()> {
        self.buffer.copy_within(self.start..self.filled, 0);
        self.filled -= self.start;
        self.start = 0;
        if self.filled > MAX_RECORD_BYTES {
            let hint = "hint: write one object a line, or one array of objects";
            let what = format!("has a row on line {} that is longer than 16 MiB\n{hint}", self.line);
            return Err(self.input.wrong(&what));
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
                Err(error) => return Err(self.input.unreadable(&error)),
            }
        }
        Ok(())
    }
}

/// The first byte from `at` on that is no blank, or `end`.
fn blanks(bytes: &[u8], at: usize, end: usize) -> usize {
    bytes[at..end].iter().position(|byte| !matches!(byte, b' ' | b'\t' | b'\n' | b'\r')).map_or(end, |skip| at + skip)
}

/// Where the element that begins at `at` ends: at a comma or bracket that is not its own. `None` where the bytes end
/// before.
fn end_of_element(bytes: &[u8], mut at: usize) -> Option<usize> {
    let mut depth = 0_usize;
    loop {
        match *bytes.get(at)? {
            b'{' | b'[' => depth += 1,
            b',' if depth == 0 => return Some(at),
            b'}' | b']' if depth == 0 => return Some(at),
            b'}' | b']' => {
                depth -= 1;
                if depth == 0 {
                    return Some(at + 1);
                }
            }
            b'"' => at = end_of_text(bytes, at + 1)?,
            _ => {}
        }
        at += 1;
    }
}

/// Where the text's closing quote is.
fn end_of_text(bytes: &[u8], mut at: usize) -> Option<usize> {
    loop {
        at += memchr2(b'"', b'\\', bytes.get(at..)?)?;
        if bytes[at] == b'"' {
            return Some(at);
        }
        at += 2;
    }
}
