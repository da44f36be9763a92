//! A journal: the rows of an endpoint from one number on, in the order in which they were appended.
//!
//! A file of frames: a head, then sources and records as they come. A source stands before the first record that names
//! it. The file only grows, so a reader beside the writer sees a whole beginning of it.

use std::fs::{DirBuilder, File, OpenOptions};
use std::io::{self, Write};
use std::os::unix::fs::{DirBuilderExt, OpenOptionsExt};
use std::path::{Path, PathBuf};
use std::sync::Arc;

use wasmlops_core::run::Micros;

use super::codec::{BatchView, Reader, put_batch, put_bytes};
use super::{AppendError, Outcome, Record, Source, frame, pieces, row_id};

const HEAD: u8 = 0;
const SOURCE: u8 = 1;
const RECORD: u8 = 2;
/// Written into the head; another layout gets another number.
const LAYOUT: u32 = 1;
/// A buffer that one huge request has blown up is not kept.
const BUFFER_KEPT: usize = 1 << 20;

/// Appends to a journal.
pub(super) struct JournalWriter {
    file: File,
    /// Bytes of whole frames.
    length: u64,
    rows: u64,
    opened: Micros,
    sources: Vec<Arc<Source>>,
    buffer: Vec<u8>,
    broken: bool,
}

impl JournalWriter {
    pub fn create(folder: &Path, number: u64, endpoint: &str, first_seq: u64, now: Micros) -> io::Result<Self> {
        DirBuilder::new().recursive(true).mode(0o700).create(folder)?;
        let file = OpenOptions::new().append(true).create_new(true).mode(0o600).open(path(folder, number))?;
        let mut writer = Self {
            file,
            length: 0,
            rows: 0,
            opened: now,
            sources: Vec::new(),
            buffer: Vec::with_capacity(4096),
            broken: false,
        };
        frame::append(&mut writer.buffer, |payload| {
            payload.push(HEAD);
            payload.extend_from_slice(&LAYOUT.to_le_bytes());
            put_bytes(payload, endpoint.as_bytes());
            payload.extend_from_slice(&first_seq.to_le_bytes());
            payload.extend_from_slice(&now.to_le_bytes());
        });
        // The head goes along with the first record.
        Ok(writer)
    }

    /// Goes on with a journal that another process has left. What follows its last whole frame is cut off.
    pub fn reopen(path: &Path, journal: &Journal) -> io::Result<Self> {
        let file = OpenOptions::new().append(true).open(path)?;
        file.set_len(journal.length)?;
        Ok(Self {
            file,
            length: journal.length,
            rows: journal.rows(),
            opened: journal.opened,
            sources: journal.sources.clone(),
            buffer: Vec::with_capacity(4096),
            broken: false,
        })
    }

    /// One `write(2)`. After an error the file is as it was, or the writer is broken.
    pub fn append(&mut self, record: &Record) -> Result<(), AppendError> {
        let known = self.sources.len();
        let source = self.source(record.source)?;
        frame::append(&mut self.buffer, |payload| encode(payload, source, record));
        let written = self.file.write_all(&self.buffer);
        match &written {
            Ok(()) => {
                self.length += self.buffer.len() as u64;
                self.rows += record.features.num_rows;
            }
            Err(_) => {
                // The head of a new journal would be lost with it.
                self.broken = self.length == 0 || self.file.set_len(self.length).is_err();
                self.sources.truncate(known);
            }
        }
        self.buffer.clear();
        self.buffer.shrink_to(BUFFER_KEPT);
        Ok(written?)
    }

    pub fn rows(&self) -> u64 {
        self.rows
    }

    pub fn bytes(&self) -> u64 {
        self.length
    }

    pub fn opened(&self) -> Micros {
        self.opened
    }

    /// Whether the next record needs another file.
    pub fn is_broken(&self) -> bool {
        self.broken
    }

    /// The number of a source, which is put before the record if it is new.
    fn source(&mut self, source: &Arc<Source>) -> Result<u32, AppendError> {
        let known = self.sources.iter().position(|known| Arc::ptr_eq(known, source));
        if let Some(index) = known.or_else(|| self.sources.iter().position(|known| known == source)) {
            return Ok(index as u32);
        }
        // Now, when the caller can still be told, and not when the journal is sealed.
        pieces::schema(source).map_err(|error| AppendError::Columns(error.to_string()))?;
        let json = serde_json::to_vec(source.as_ref()).expect("a source has text keys alone");
        frame::append(&mut self.buffer, |payload| {
            payload.push(SOURCE);
            payload.extend_from_slice(&json);
        });
        self.sources.push(source.clone());
        Ok((self.sources.len() - 1) as u32)
    }
}

/// What can be said without the features comes first, so that looking for ids need not read them.
fn encode(payload: &mut Vec<u8>, source: u32, record: &Record) {
    payload.push(RECORD);
    payload.extend_from_slice(&source.to_le_bytes());
    payload.extend_from_slice(&record.time.to_le_bytes());
    payload.extend_from_slice(&record.latency_us.to_le_bytes());
    payload.extend_from_slice(&record.features.num_rows.to_le_bytes());
    put_bytes(payload, record.id.as_bytes());
    match record.outcome {
        Outcome::Ok => payload.push(0),
        Outcome::Error(code) => {
            payload.push(1);
            put_bytes(payload, code.as_bytes());
        }
    }
    put_batch(payload, record.features);
    match record.predictions {
        None => payload.push(0),
        Some(predictions) => {
            payload.push(1);
            put_batch(payload, predictions);
        }
    }
}

/// The whole frames of a journal, read.
pub(crate) struct Journal {
    pub endpoint: String,
    pub first_seq: u64,
    pub opened: Micros,
    pub sources: Vec<Arc<Source>>,
    pub records: Vec<JournalRecord>,
    /// Bytes of whole frames.
    pub length: u64,
    bytes: Vec<u8>,
}

/// A record without its batches, which [`Journal::batches`] reads.
pub(crate) struct JournalRecord {
    pub source: usize,
    pub id: String,
    pub time: Micros,
    pub latency_us: u64,
    pub error: Option<String>,
    pub rows: u64,
    /// Of the first row.
    pub seq: u64,
    batches: std::ops::Range<usize>,
}

impl JournalRecord {
    /// The ids of the rows.
    pub fn ids(&self) -> impl Iterator<Item = String> + '_ {
        (0..self.rows).map(|row| row_id(&self.id, self.rows, row))
    }
}

impl Journal {
    /// Reads up to the first frame that is not whole. Nothing where not even the head is.
    pub fn read(path: &Path) -> io::Result<Option<Self>> {
        Ok(Self::parse(std::fs::read(path)?))
    }

    /// Features and predictions of a record; nothing for bytes that hold none, which would be a bug.
    pub(super) fn batches(&self, record: &JournalRecord) -> Option<(BatchView<'_>, Option<BatchView<'_>>)> {
        let mut reader = Reader(&self.bytes[record.batches.clone()]);
        let features = reader.batch()?;
        let predictions = if reader.u8()? == 0 { None } else { Some(reader.batch()?) };
        Some((features, predictions))
    }

    pub fn rows(&self) -> u64 {
        self.records.iter().map(|record| record.rows).sum()
    }

    /// The number that follows the last row.
    pub fn next_seq(&self) -> u64 {
        self.first_seq + self.rows()
    }

    /// Bytes after the last whole frame.
    pub fn torn(&self) -> u64 {
        self.bytes.len() as u64 - self.length
    }

    fn parse(bytes: Vec<u8>) -> Option<Self> {
        let (head, mut rest) = frame::next(&bytes)?;
        let mut journal = Self::of_head(head)?;
        let position = |rest: &[u8]| bytes.len() - rest.len();
        let mut seq = journal.first_seq;
        let mut length = position(rest);
        while let Some((payload, after)) = frame::next(rest) {
            let start = position(after) - payload.len();
            if journal.take(payload, start, &mut seq).is_none() {
                break;
            }
            rest = after;
            length = position(rest);
        }
        journal.length = length as u64;
        journal.bytes = bytes;
        Some(journal)
    }

    fn of_head(payload: &[u8]) -> Option<Self> {
        let mut reader = Reader(payload);
        if reader.u8()? != HEAD || reader.u32()? != LAYOUT {
            return None;
        }
        Some(Self {
            endpoint: reader.text()?.to_owned(),
            first_seq: reader.u64()?,
            opened: reader.i64()?,
            sources: Vec::new(),
            records: Vec::new(),
            length: 0,
            bytes: Vec::new(),
        })
    }

    /// Takes in a source or a record whose payload starts at byte `start` of the file.
    fn take(&mut self, payload: &[u8], start: usize, seq: &mut u64) -> Option<()> {
        let mut reader = Reader(payload);
        if reader.u8()? == SOURCE {
            self.sources.push(Arc::new(serde_json::from_slice(reader.0).ok()?));
            return Some(());
        }
        let source = reader.u32()? as usize;
        let (time, latency_us, rows) = (reader.i64()?, reader.u64()?, reader.u64()?);
        let id = reader.text()?.to_owned();
        let error = if reader.u8()? == 0 { None } else { Some(reader.text()?.to_owned()) };
        let end = start + payload.len();
        let batches = end - reader.0.len()..end;
        self.sources.get(source)?;
        self.records.push(JournalRecord { source, id, time, latency_us, error, rows, seq: *seq, batches });
        *seq += rows;
        Some(())
    }
}

/// Where the journal of that number is.
pub(super) fn path(folder: &Path, number: u64) -> PathBuf {
    folder.join(format!("{number:010}.journal"))
}
