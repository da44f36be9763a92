//! Pages of one column chunk, one after the other, without compression. Source: apache/parquet-format, `README.md`,
//! "Data Pages", and `parquet.thrift`.

use std::cell::Cell;
use std::rc::Rc;

use super::codec;
use super::fault::{Decoded, Fault, broken};
use super::metadata::Chunk;
use super::ranges::Ranges;
use super::thrift::{Kind, Thrift};

/// Bytes asked for at once.
const READ_AHEAD: u64 = 256 << 10;

/// A header holds numbers, and at most the least and greatest text of its page.
const USUAL_HEADER: u64 = 16 << 10;
const MAX_HEADER: u64 = 4 << 20;

/// Writers make pages of about 1 MiB.
const MAX_PAGE: i64 = 128 << 20;

/// Values in a page: a row group of one repeated value may be one page.
const MAX_VALUES: u64 = 1 << 24;

/// Bytes that the pages of all columns may take together.
pub const MAX_PAGES: usize = 512 << 20;

/// A page as it is decoded.
pub struct Page {
    /// Without compression.
    pub bytes: Held,
    pub num_values: usize,
    pub encoding: i64,
    pub kind: PageKind,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum PageKind {
    Dictionary,
    /// Levels with their length before them.
    V1,
    /// Levels of this many bytes, for repetition and definition.
    V2 {
        repetition: usize,
        definition: usize,
    },
}

/// Bytes that count against what all columns together may hold.
#[derive(Default)]
pub struct Held {
    bytes: Vec<u8>,
    counted: usize,
    total: Rc<Cell<usize>>,
}

impl Held {
    /// Room for `length` bytes.
    pub fn new(total: &Rc<Cell<usize>>, length: usize) -> Decoded<Self> {
        let taken = total.get().saturating_add(length);
        if taken > MAX_PAGES {
            let what = format!("the pages in use take more than {} MiB", MAX_PAGES >> 20);
            return Err(Fault::TooLarge(format!("{what}\nhint: read fewer `columns`")));
        }
        total.set(taken);
        Ok(Self { bytes: Vec::with_capacity(length), counted: length, total: Rc::clone(total) })
    }

    pub fn as_slice(&self) -> &[u8] {
        &self.bytes
    }
}

impl Drop for Held {
    fn drop(&mut self) {
        self.total.set(self.total.get() - self.counted);
    }
}

/// Gives the pages of a chunk.
pub struct Pages<'a, R> {
    ranges: &'a R,
    codec: i64,
    /// Read, and not yet used: `buffer[used..]`.
    buffer: Vec<u8>,
    used: usize,
    /// Where the bytes after `buffer` are in the file.
    at: u64,
    end: u64,
    total: Rc<Cell<usize>>,
}

#[derive(Default)]
struct Header {
    kind: i64,
    unpacked: i64,
    packed: i64,
    checksum: Option<u32>,
    num_values: i64,
    encoding: i64,
    level_encoding: i64,
    definition: i64,
    repetition: i64,
    is_packed: bool,
    bytes: usize,
}

impl<'a, R: Ranges> Pages<'a, R> {
    pub fn new(ranges: &'a R, chunk: &Chunk, total: &Rc<Cell<usize>>) -> Self {
        Self {
            ranges,
            codec: chunk.codec,
            buffer: Vec::new(),
            used: 0,
            at: chunk.start,
            end: chunk.start + chunk.length,
            total: Rc::clone(total),
        }
    }

    /// The next dictionary or data page; others are passed over. `None` at the end of the chunk.
    pub fn next(&mut self) -> Decoded<Option<Page>> {
        while self.left() > 0 {
            let header = self.header()?;
            self.used += header.bytes;
            let (Ok(packed), 0..=MAX_PAGE) = (usize::try_from(header.packed), header.unpacked) else {
                return Err(self.wrong_size(&header));
            };
            if packed as u64 > self.left() {
                return broken(format!("a page should have {packed} bytes, and {} follow", self.left()));
            }
            self.ensure(packed as u64)?;
            let page = self.page(&header, packed)?;
            self.used += packed;
            if page.is_some() {
                return Ok(page);
            }
        }
        Ok(None)
    }

    fn wrong_size(&self, header: &Header) -> Fault {
        match header.unpacked {
            size if size > MAX_PAGE => Fault::TooLarge(format!("a page of {size} bytes, and {MAX_PAGE} are the most")),
            size => Fault::Broken(format!("a page of {} bytes, {size} without compression", header.packed)),
        }
    }

    fn page(&self, header: &Header, packed: usize) -> Decoded<Option<Page>> {
        let packed = &self.buffer[self.used..self.used + packed];
        if header.checksum.is_some_and(|checksum| checksum != crc32(packed)) {
            return broken("a page does not fit its checksum");
        }
        let num_values = match u64::try_from(header.num_values) {
            Ok(values) if values <= MAX_VALUES => values as usize,
            _ => return broken(format!("a page of {} values", header.num_values)),
        };
        let length = header.unpacked as usize;
        let mut bytes = Held::new(&self.total, length)?;
        let kind = match header.kind {
            0 if header.level_encoding == 4 => {
                return Err(Fault::Unsupported("its levels are in the deprecated encoding BIT_PACKED".to_owned()));
            }
            0 => PageKind::V1,
            2 => PageKind::Dictionary,
            3 => v2_kind(header, length.min(packed.len()))?,
            _ => return Ok(None),
        };
        let plain = match kind {
            PageKind::V2 { repetition, definition } => repetition + definition,
            _ => 0,
        };
        bytes.bytes.extend_from_slice(&packed[..plain]);
        let codec = if header.is_packed { self.codec } else { 0 };
        codec::decompress(codec, &packed[plain..], length - plain, &mut bytes.bytes)?;
        Ok(Some(Page { bytes, num_values, encoding: header.encoding, kind }))
    }

    fn header(&mut self) -> Decoded<Header> {
        self.ensure(USUAL_HEADER.min(self.left()))?;
        match header(&self.buffer[self.used..]) {
            Ok(header) => Ok(header),
            // It may be a long one.
            Err(_) if self.left() > USUAL_HEADER => {
                self.ensure(MAX_HEADER.min(self.left()))?;
                header(&self.buffer[self.used..])
            }
            Err(fault) => Err(fault),
        }
        .map_err(|fault| fault.within("page header"))
    }

    /// Bytes of the chunk that were not used.
    fn left(&self) -> u64 {
        (self.buffer.len() - self.used) as u64 + (self.end - self.at)
    }

    /// Reads until `length` bytes are in the buffer; the caller has held `length` against [`Pages::left`].
    fn ensure(&mut self, length: u64) -> Decoded<()> {
        let there = (self.buffer.len() - self.used) as u64;
        if there >= length {
            return Ok(());
        }
        self.buffer.drain(..self.used);
        self.used = 0;
        let more = (length - there).max(READ_AHEAD).min(self.end - self.at);
        let start = self.buffer.len();
        self.buffer.resize(start + more as usize, 0);
        self.ranges.read(self.at, &mut self.buffer[start..])?;
        self.at += more;
        Ok(())
    }
}

fn v2_kind(header: &Header, length: usize) -> Decoded<PageKind> {
    let (repetition, definition) = (header.repetition, header.definition);
    match (usize::try_from(repetition), usize::try_from(definition)) {
        (Ok(repetition), Ok(definition)) if repetition.saturating_add(definition) <= length => {
            Ok(PageKind::V2 { repetition, definition })
        }
        _ => broken(format!("levels of {repetition} and {definition} bytes in a page of {length}")),
    }
}

fn header(bytes: &[u8]) -> Decoded<Header> {
    let mut header = Header { is_packed: true, level_encoding: 3, ..Header::default() };
    let mut thrift = Thrift::new(bytes);
    thrift.structure(|thrift, id, kind| {
        match (id, kind) {
            (1, _) => header.kind = thrift.int(kind)?,
            (2, _) => header.unpacked = thrift.int(kind)?,
            (3, _) => header.packed = thrift.int(kind)?,
            (4, _) => header.checksum = Some(thrift.int(kind)? as u32),
            (5 | 7 | 8, Kind::Struct) => data_header(thrift, id, &mut header)?,
            _ => thrift.skip(kind)?,
        }
        Ok(())
    })?;
    header.bytes = thrift.position();
    Ok(header)
}

/// The header of a data page (5), a dictionary page (7) or a data page of version 2 (8).
fn data_header(thrift: &mut Thrift<'_>, of: i16, header: &mut Header) -> Decoded<()> {
    thrift.structure(|thrift, id, kind| {
        match (of, id) {
            (_, 1) => header.num_values = thrift.int(kind)?,
            (5 | 7, 2) | (8, 4) => header.encoding = thrift.int(kind)?,
            (5, 3) => header.level_encoding = thrift.int(kind)?,
            (8, 5) => header.definition = thrift.int(kind)?,
            (8, 6) => header.repetition = thrift.int(kind)?,
            (8, 7) => header.is_packed = thrift.bool(kind)?,
            _ => thrift.skip(kind)?,
        }
        Ok(())
    })
}

fn crc32(bytes: &[u8]) -> u32 {
    let mut checksum = flate2::Crc::new();
    checksum.update(bytes);
    checksum.sum()
}
