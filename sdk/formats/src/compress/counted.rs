//! A buffered source that knows how many of its bytes were taken.

use std::io::{self, BufRead, BufReader, Read};

/// Bytes that are read at once where they are compressed.
const BUFFER_BYTES: usize = 1 << 18;

/// Counts the bytes that were taken.
pub struct Counted<R> {
    source: BufReader<R>,
    taken: u64,
}

impl<R: Read> Counted<R> {
    pub fn new(source: R) -> Self {
        Self { source: BufReader::with_capacity(BUFFER_BYTES, source), taken: 0 }
    }

    pub fn taken(&self) -> u64 {
        self.taken
    }

    /// Whether there are no more bytes.
    pub fn is_at_end(&mut self) -> io::Result<bool> {
        loop {
            match self.source.fill_buf() {
                Ok(bytes) => return Ok(bytes.is_empty()),
                Err(error) if error.kind() == io::ErrorKind::Interrupted => {}
                Err(error) => return Err(error),
            }
        }
    }
}

impl<R: Read> Read for Counted<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        let read = self.source.read(into)?;
        self.taken += read as u64;
        Ok(read)
    }
}

impl<R: Read> BufRead for Counted<R> {
    fn fill_buf(&mut self) -> io::Result<&[u8]> {
        self.source.fill_buf()
    }

    fn consume(&mut self, bytes: usize) {
        self.source.consume(bytes);
        self.taken += bytes as u64;
    }
}
