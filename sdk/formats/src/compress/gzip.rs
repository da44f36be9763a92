//! gzip (RFC 1952): one member after the other; zeros behind the last one are padding, as for gzip itself.

use std::io::{self, BufRead, Read};

use flate2::bufread::GzDecoder;

use super::counted::Counted;
use super::damage;

pub const MAGIC: &[u8] = b"\x1f\x8b";

pub struct Gzip<R> {
    /// `None` after the end.
    member: Option<GzDecoder<Counted<R>>>,
    taken: u64,
}

impl<R: Read> Gzip<R> {
    pub fn new(source: Counted<R>) -> Self {
        Self { member: Some(GzDecoder::new(source)), taken: 0 }
    }

    /// Compressed bytes so far.
    pub fn taken(&self) -> u64 {
        self.member.as_ref().map_or(self.taken, |member| member.get_ref().taken())
    }

    /// The member is over: is there another one?
    fn next_member(&mut self) -> io::Result<()> {
        let Some(member) = self.member.take() else { return Ok(()) };
        let mut source = member.into_inner();
        loop {
            if source.is_at_end()? {
                self.taken = source.taken();
                return Ok(());
            }
            let rest = source.fill_buf()?;
            if rest[0] == MAGIC[0] {
                self.member = Some(GzDecoder::new(source));
                return Ok(());
            }
            let padding = rest.iter().take_while(|byte| **byte == 0).count();
            if padding == 0 {
                self.taken = source.taken();
                return Err(damage("gzip", self.taken, "there is something behind the end"));
            }
            source.consume(padding);
        }
    }

    fn explained(&self, error: &io::Error) -> io::Error {
        match error.kind() {
            io::ErrorKind::UnexpectedEof => super::cut_off("gzip", self.taken()),
            _ => damage("gzip", self.taken(), &error.to_string()),
        }
    }
}

impl<R: Read> Read for Gzip<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        while let Some(member) = &mut self.member {
            match member.read(into) {
                Ok(0) if !into.is_empty() => self.next_member()?,
                Ok(read) => return Ok(read),
                Err(error) if is_of_source(&error) => return Err(error),
                Err(error) => return Err(self.explained(&error)),
            }
        }
        Ok(0)
    }
}

/// What flate2 itself says has one of two kinds.
fn is_of_source(error: &io::Error) -> bool {
    !matches!(error.kind(), io::ErrorKind::InvalidInput | io::ErrorKind::InvalidData | io::ErrorKind::UnexpectedEof)
}
