//! Takes compression away, as the bytes come: gzip with any number of members, zstd with any number of frames, told by
//! their first bytes and not by a name. Everything else is given as it is. Knows no files.

mod counted;
mod gzip;
mod zstd;

use std::io::{self, BufRead, Read};

use counted::Counted;
use gzip::Gzip;
use zstd::Zstd;

/// What a compressed file may hold whatever its size.
const FREE_BYTES: u64 = 256 << 20;

/// What each compressed byte may become beyond that. Tables shrink to a third or, if they are very regular, to a
/// fiftieth; what grows more is made to fill a memory or to keep somebody busy.
const MAX_RATIO: u64 = 200;

/// The bytes behind the compression.
///
/// Reading fails with `InvalidData` where they are damaged or too many, with `UnexpectedEof` where they are cut off;
/// the error's text goes on where "`name` " began. All other errors are the source's.
pub struct Content<R> {
    kind: Kind<R>,
    /// Bytes given so far.
    given: u64,
}

enum Kind<R> {
    /// Nothing was read yet.
    New(Option<Counted<R>>),
    Plain(Counted<R>),
    Gzip(Box<Gzip<R>>),
    Zstd(Box<Zstd<R>>),
}

impl<R: Read> Content<R> {
    /// Reads nothing yet.
    pub fn new(source: R) -> Self {
        Self { kind: Kind::New(Some(Counted::new(source))), given: 0 }
    }

    fn check_ratio(&self, taken: u64) -> io::Result<()> {
        if self.given <= FREE_BYTES.saturating_add(taken.saturating_mul(MAX_RATIO)) {
            return Ok(());
        }
        let (free, given) = (FREE_BYTES >> 20, self.given >> 20);
        let message = format!(
            "holds {given} MiB after {taken} compressed bytes, which is more than {free} MiB and {MAX_RATIO} times \
             that\nhint: if it is meant to, decompress it first"
        );
        Err(io::Error::new(io::ErrorKind::InvalidData, message))
    }
}

impl<R: Read> Read for Content<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if let Kind::New(source) = &mut self.kind {
            self.kind = recognised(source.take().ok_or(io::ErrorKind::Other)?)?;
        }
        let (read, taken) = match &mut self.kind {
            Kind::New(_) => return Err(io::ErrorKind::Other.into()),
            Kind::Plain(source) => return source.read(into),
            Kind::Gzip(gzip) => (gzip.read(into)?, gzip.taken()),
            Kind::Zstd(zstd) => (zstd.read(into)?, zstd.taken()),
        };
        self.given += read as u64;
        self.check_ratio(taken)?;
        Ok(read)
    }
}

/// Sources give more than four bytes at once, or are shorter than anything that is compressed.
fn recognised<R: Read>(mut source: Counted<R>) -> io::Result<Kind<R>> {
    source.is_at_end()?;
    let beginning = source.fill_buf()?;
    Ok(if beginning.starts_with(gzip::MAGIC) {
        Kind::Gzip(Box::new(Gzip::new(source)))
    } else if zstd::is_frame(beginning) {
        Kind::Zstd(Box::new(Zstd::new(source)))
    } else {
        Kind::Plain(source)
    })
}

fn damage(format: &str, taken: u64, what: &str) -> io::Error {
    io::Error::new(io::ErrorKind::InvalidData, format!("holds damaged {format} data before byte {taken}: {what}"))
}

fn cut_off(format: &str, taken: u64) -> io::Error {
    let message = format!("is cut off: its {format} data end at byte {taken} before they are whole");
    io::Error::new(io::ErrorKind::UnexpectedEof, message)
}

#[cfg(test)]
mod tests;
