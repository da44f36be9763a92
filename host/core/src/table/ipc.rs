//! Tables as bytes: the Arrow IPC file format, uncompressed, as pandas, polars and DuckDB read it.
//!
//! Writing is arrow-ipc's; reading is our own, in [`decode`], because bytes from outside must never panic.

mod canonical;
mod decode;

use arrow_buffer::Buffer;
use arrow_ipc::MetadataVersion;
use arrow_ipc::writer::{FileWriter, IpcWriteOptions};

use super::{Table, TableError};

/// Buffers start at multiples of this many bytes, counted from the start of the file: what Arrow recommends, so that a
/// mapped file can be used as it lies.
const ALIGNMENT: usize = 64;

impl Table {
    /// The table as an Arrow IPC file (`application/vnd.apache.arrow.file`). Equal tables give equal bytes, however
    /// their rows were batched when they were pushed.
    ///
    /// Errors: none but bugs.
    pub fn to_ipc(&self) -> Result<Vec<u8>, TableError> {
        let encode = || {
            let options = IpcWriteOptions::try_new(ALIGNMENT, false, MetadataVersion::V5)?;
            let bytes = self.0.chunks.iter().map(|chunk| chunk.get_array_memory_size()).sum::<usize>();
            let buffer = Vec::with_capacity(bytes + (4 << 10));
            let mut writer = FileWriter::try_new_with_options(buffer, &self.0.arrow_schema, options)?;
            self.0.chunks.iter().try_for_each(|chunk| writer.write(chunk))?;
            writer.finish()?;
            writer.into_inner()
        };
        encode().map_err(|error| TableError::Arrow(error.to_string()))
    }

    /// Reads what [`Table::to_ipc`] wrote. The rows stay where they are in `bytes`; only buffers that are not aligned
    /// for their type are copied.
    ///
    /// Everything is checked, so that no bytes can make a table that another way could not have made.
    ///
    /// Errors: [`TableError::Ipc`] and [`TableError::IpcColumn`] for bytes that are no such file, or that hold equal
    /// data in another form (other chunks, other NaNs, values under nulls, texts that no row shows).
    pub fn from_ipc(bytes: impl Into<Buffer>) -> Result<Table, TableError> {
        decode::table(&bytes.into())
    }
}
