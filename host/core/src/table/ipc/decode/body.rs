//! A message of an IPC file and the buffers in its body, each handed out only after its place and length are checked.

use std::vec::IntoIter;

use arrow_buffer::{ArrowNativeType, BooleanBuffer, Buffer, NullBuffer, OffsetBuffer, ScalarBuffer};
use arrow_ipc::{self as ipc, Block, FieldNode, Message};

use super::super::canonical;
use super::{malformed, wrong};
use crate::table::wire::bit_bytes;
use crate::table::{TableError, check};

/// What a message's metadata starts with: a marker and the metadata's length.
const PREFIX_BYTES: usize = 8;

/// A message and the bytes that belong to it.
pub(super) struct Body<'a> {
    pub message: Message<'a>,
    bytes: Buffer,
}

impl<'a> Body<'a> {
    pub fn of(file: &'a Buffer, block: &Block) -> Result<Self, TableError> {
        let outside = || malformed("a block lies outside the file");
        let number = |number: i64| usize::try_from(number).map_err(|_| outside());
        let (start, metadata) = (number(block.offset())?, number(block.metaDataLength().into())?);
        let body = start.checked_add(metadata).ok_or_else(outside)?;
        let end = body.checked_add(number(block.bodyLength())?).ok_or_else(outside)?;
        if end > file.len() || metadata < PREFIX_BYTES {
            return Err(outside());
        }
        let message = ipc::root_as_message(&file[start + PREFIX_BYTES..body])
            .map_err(|error| malformed(format!("a message is malformed: {error}")))?;
        Ok(Self { message, bytes: file.slice_with_length(body, end - body) })
    }
}

/// The buffers of a record batch, in the order in which the columns use them.
pub(super) struct Buffers {
    bytes: Buffer,
    nodes: IntoIter<FieldNode>,
    places: IntoIter<ipc::Buffer>,
}

impl Buffers {
    pub fn of(body: &Body, batch: ipc::RecordBatch) -> Result<Self, TableError> {
        if batch.compression().is_some() {
            return Err(malformed("it is compressed, and tables are not"));
        }
        let nodes: Vec<FieldNode> = batch.nodes().into_iter().flatten().copied().collect();
        let places: Vec<ipc::Buffer> = batch.buffers().into_iter().flatten().copied().collect();
        Ok(Self { bytes: body.bytes.clone(), nodes: nodes.into_iter(), places: places.into_iter() })
    }

    /// The next column's number of rows, and which of them are null, if any.
    pub fn node(&mut self, column: &str) -> Result<(usize, Option<NullBuffer>), TableError> {
        let node = self.nodes.next().ok_or_else(|| wrong(column, "is missing from a record batch"))?;
        let rows = usize::try_from(node.length()).map_err(|_| wrong(column, "has a negative length"))?;
        if node.null_count() == 0 {
            self.take(column, 0)?;
            return Ok((rows, None));
        }
        let nulls = NullBuffer::new(self.bit_buffer(column, rows)?);
        if i64::try_from(nulls.null_count()) != Ok(node.null_count()) {
            return Err(wrong(column, "has another number of nulls than it says"));
        }
        Ok((rows, Some(nulls)))
    }

    pub fn numbers<T: ArrowNativeType>(&mut self, column: &str, rows: usize) -> Result<ScalarBuffer<T>, TableError> {
        let bytes = rows.checked_mul(size_of::<T>()).ok_or_else(|| wrong(column, "is longer than the file"))?;
        let buffer = self.take(column, bytes)?;
        let aligned = buffer.as_ptr().align_offset(align_of::<T>()) == 0;
        // A copy lies at an address that suits every type.
        let buffer = if aligned { buffer } else { Buffer::from_slice_ref(buffer.as_slice()) };
        Ok(ScalarBuffer::new(buffer, 0, rows))
    }

    pub fn bits(&mut self, column: &str, rows: usize, nulls: Option<&NullBuffer>) -> Result<BooleanBuffer, TableError> {
        let bits = self.bit_buffer(column, rows)?;
        if canonical::null_rows(nulls).any(|row| bits.value(row)) {
            return Err(wrong(column, "has values under its nulls"));
        }
        Ok(bits)
    }

    /// Offsets and the bytes that they point into.
    pub fn bytes(
        &mut self,
        column: &str,
        rows: usize,
        nulls: Option<&NullBuffer>,
    ) -> Result<(OffsetBuffer<i32>, Buffer), TableError> {
        let entries = rows.checked_add(1).ok_or_else(|| wrong(column, "is longer than the file"))?;
        let offsets = self.numbers::<i32>(column, entries)?;
        let end = usize::try_from(offsets[rows]).map_err(|_| wrong(column, "has a negative offset"))?;
        let values = self.take(column, end)?;
        check::ranges(column, "offsets", offsets.inner(), values.len())?;
        if !canonical::empty_nulls(&offsets, nulls) {
            return Err(wrong(column, "has values under its nulls"));
        }
        Ok((OffsetBuffer::new(offsets), values))
    }

    fn bit_buffer(&mut self, column: &str, rows: usize) -> Result<BooleanBuffer, TableError> {
        let buffer = self.take(column, bit_bytes(rows))?;
        let trailing = rows % 8;
        if trailing != 0 && buffer.last().is_some_and(|last| last >> trailing != 0) {
            return Err(wrong(column, "has bits behind its last row"));
        }
        Ok(BooleanBuffer::new(buffer, 0, rows))
    }

    /// The first `needed` bytes of the next buffer.
    fn take(&mut self, column: &str, needed: usize) -> Result<Buffer, TableError> {
        let outside = || wrong(column, "has a buffer that is too short or outside the file");
        let place = self.places.next().ok_or_else(outside)?;
        let offset = usize::try_from(place.offset()).map_err(|_| outside())?;
        let length = usize::try_from(place.length()).map_err(|_| outside())?;
        let end = offset.checked_add(length).ok_or_else(outside)?;
        if end > self.bytes.len() || needed > length {
            return Err(outside());
        }
        Ok(self.bytes.slice_with_length(offset, needed))
    }
}
