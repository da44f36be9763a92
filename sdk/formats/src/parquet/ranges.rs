//! Bytes by place.

use std::cell::RefCell;
use std::io::{self, Read, Seek, SeekFrom};

use wasmlops_sdk::Error;

use super::fault::{Decoded, Fault, broken};

/// Something whose length is known and of which any part can be read.
pub trait Ranges {
    fn size(&self) -> u64;

    /// Fills `into` with the bytes from `offset` on.
    fn read(&self, offset: u64, into: &mut [u8]) -> Decoded<()>;

    /// `length` bytes from `offset` on. The caller has held `length` against the size.
    fn bytes(&self, offset: u64, length: u64) -> Decoded<Vec<u8>> {
        let Ok(length) = usize::try_from(length) else { return broken(format!("a range of {length} bytes")) };
        let mut bytes = vec![0; length];
        self.read(offset, &mut bytes)?;
        Ok(bytes)
    }
}

/// A file, or anything that can be read from any place.
pub struct Seekable<R, F> {
    reader: RefCell<R>,
    size: u64,
    unreadable: F,
}

impl<R: Read + Seek, F: Fn(&io::Error) -> Error> Seekable<R, F> {
    /// `unreadable` says what a failed read means.
    pub fn new(mut reader: R, unreadable: F) -> Decoded<Self> {
        let size = reader.seek(SeekFrom::End(0)).map_err(|error| Fault::Source(unreadable(&error)))?;
        Ok(Self { reader: RefCell::new(reader), size, unreadable })
    }
}

impl<R: Read + Seek, F: Fn(&io::Error) -> Error> Ranges for Seekable<R, F> {
    fn size(&self) -> u64 {
        self.size
    }

    fn read(&self, offset: u64, into: &mut [u8]) -> Decoded<()> {
        let mut reader = self.reader.borrow_mut();
        let read = reader.seek(SeekFrom::Start(offset)).and_then(|_| reader.read_exact(into));
        read.map_err(|error| Fault::Source((self.unreadable)(&error)))
    }
}
