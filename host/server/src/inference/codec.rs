//! Numbers, texts and batches as bytes of a journal. The buffers of a batch lie there as they are in memory.
//!
//! Reading believes nothing: bytes that hold no such thing give `None`.

use wasmlops_core::table::{Batch, Column, Dictionary};

const VALIDITY: u8 = 1;
const OFFSETS: u8 = 2;
const DICTIONARY: u8 = 4;

pub(super) fn put_bytes(to: &mut Vec<u8>, bytes: &[u8]) {
    // Parts of a record are no longer than the record, whose length has been seen to fit.
    to.extend_from_slice(&(bytes.len() as u32).to_le_bytes());
    to.extend_from_slice(bytes);
}

pub(super) fn put_batch(to: &mut Vec<u8>, batch: &Batch) {
    to.extend_from_slice(&batch.num_rows.to_le_bytes());
    to.extend_from_slice(&(batch.columns.len() as u32).to_le_bytes());
    for column in &batch.columns {
        let flag = |there: bool, flag: u8| if there { flag } else { 0 };
        to.push(
            flag(column.validity.is_some(), VALIDITY)
                | flag(column.offsets.is_some(), OFFSETS)
                | flag(column.dictionary.is_some(), DICTIONARY),
        );
        put_bytes(to, &column.values);
        for buffer in [&column.validity, &column.offsets].into_iter().flatten() {
            put_bytes(to, buffer);
        }
        if let Some(dictionary) = &column.dictionary {
            put_bytes(to, &dictionary.offsets);
            put_bytes(to, &dictionary.values);
        }
    }
}

/// A column as it lies in a journal.
pub(super) struct ColumnView<'a> {
    pub values: &'a [u8],
    pub validity: Option<&'a [u8]>,
    pub offsets: Option<&'a [u8]>,
    /// Offsets and texts.
    pub dictionary: Option<(&'a [u8], &'a [u8])>,
}

/// A batch as it lies in a journal.
pub(super) struct BatchView<'a> {
    pub num_rows: u64,
    pub columns: Vec<ColumnView<'a>>,
}

impl BatchView<'_> {
    pub fn to_columns(&self) -> impl Iterator<Item = Column> {
        let dictionary =
            |(offsets, values): (&[u8], &[u8])| Dictionary { offsets: offsets.into(), values: values.into() };
        self.columns.iter().map(move |column| Column {
            values: column.values.into(),
            validity: column.validity.map(Into::into),
            offsets: column.offsets.map(Into::into),
            dictionary: column.dictionary.map(dictionary),
        })
    }
}

/// Reads from the front.
pub(super) struct Reader<'a>(pub &'a [u8]);

impl<'a> Reader<'a> {
    pub fn u8(&mut self) -> Option<u8> {
        let (byte, rest) = self.0.split_first()?;
        self.0 = rest;
        Some(*byte)
    }

    pub fn u32(&mut self) -> Option<u32> {
        self.chunk().map(u32::from_le_bytes)
    }

    pub fn u64(&mut self) -> Option<u64> {
        self.chunk().map(u64::from_le_bytes)
    }

    pub fn i64(&mut self) -> Option<i64> {
        self.chunk().map(i64::from_le_bytes)
    }

    pub fn bytes(&mut self) -> Option<&'a [u8]> {
        let length = self.u32()? as usize;
        let (bytes, rest) = self.0.split_at_checked(length)?;
        self.0 = rest;
        Some(bytes)
    }

    pub fn text(&mut self) -> Option<&'a str> {
        std::str::from_utf8(self.bytes()?).ok()
    }

    pub fn batch(&mut self) -> Option<BatchView<'a>> {
        let num_rows = self.u64()?;
        let columns = (0..self.u32()?).map(|_| self.column()).collect::<Option<_>>()?;
        Some(BatchView { num_rows, columns })
    }

    fn column(&mut self) -> Option<ColumnView<'a>> {
        let flags = self.u8()?;
        let values = self.bytes()?;
        let mut optional = |flag| if flags & flag == 0 { Some(None) } else { self.bytes().map(Some) };
        let (validity, offsets) = (optional(VALIDITY)?, optional(OFFSETS)?);
        let dictionary = if flags & DICTIONARY == 0 { None } else { Some((self.bytes()?, self.bytes()?)) };
        Some(ColumnView { values, validity, offsets, dictionary })
    }

    fn chunk<const N: usize>(&mut self) -> Option<[u8; N]> {
        let (chunk, rest) = self.0.split_first_chunk()?;
        self.0 = rest;
        Some(*chunk)
    }
}
