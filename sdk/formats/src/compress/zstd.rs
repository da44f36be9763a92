//! Zstandard (RFC 8878): one frame after the other, skippable ones among them; checksums are compared where there are
//! any.

use std::io::{self, Read};

use ruzstd::decoding::errors::{FrameDecoderError, ReadFrameHeaderError};
use ruzstd::decoding::{BlockDecodingStrategy, FrameDecoder};

use super::counted::Counted;
use super::{cut_off, damage};

/// The largest window that a frame may ask for: that of the format's own command without a flag.
const MAX_WINDOW_BYTES: u64 = 128 << 20;

const MAGIC: [u8; 4] = [0x28, 0xb5, 0x2f, 0xfd];

/// Whether bytes begin a frame, or a skippable one.
pub fn is_frame(bytes: &[u8]) -> bool {
    matches!(bytes, [0x50..=0x5f, 0x2a, 0x4d, 0x18, ..]) || bytes.starts_with(&MAGIC)
}

pub struct Zstd<R> {
    source: Counted<R>,
    decoder: FrameDecoder,
    /// Whether the decoder is inside a frame.
    is_inside: bool,
}

impl<R: Read> Zstd<R> {
    pub fn new(source: Counted<R>) -> Self {
        let mut decoder = FrameDecoder::new();
        decoder.set_max_window_size(MAX_WINDOW_BYTES);
        Self { source, decoder, is_inside: false }
    }

    /// Compressed bytes so far.
    pub fn taken(&self) -> u64 {
        self.source.taken()
    }

    /// Begins the next frame; `false` at the end.
    fn next_frame(&mut self) -> io::Result<bool> {
        while !self.source.is_at_end()? {
            match self.decoder.reset(&mut self.source) {
                Ok(()) => {
                    self.is_inside = true;
                    return Ok(true);
                }
                Err(FrameDecoderError::ReadFrameHeaderError(ReadFrameHeaderError::SkipFrame { length, .. })) => {
                    let length = u64::from(length);
                    let skipped = io::copy(&mut (&mut self.source).take(length), &mut io::sink())?;
                    if skipped < length {
                        return Err(cut_off("zstd", self.taken()));
                    }
                }
                Err(error) => return Err(self.explained(&error)),
            }
        }
        Ok(false)
    }

    /// The frame is over and all of it was given.
    fn end_frame(&mut self) -> io::Result<()> {
        self.is_inside = false;
        let (stored, found) = (self.decoder.get_checksum_from_data(), self.decoder.get_calculated_checksum());
        if stored.is_some() && stored != found {
            return Err(damage("zstd", self.taken(), "the checksum of the content is another one"));
        }
        Ok(())
    }

    fn explained(&self, error: &FrameDecoderError) -> io::Error {
        let mut cause: Option<&dyn std::error::Error> = Some(error);
        while let Some(current) = cause {
            match current.downcast_ref::<io::Error>() {
                Some(io) if io.kind() == io::ErrorKind::UnexpectedEof => return cut_off("zstd", self.taken()),
                Some(io) => return io::Error::new(io.kind(), io.to_string()),
                None => cause = current.source(),
            }
        }
        let what = match error {
            FrameDecoderError::WindowSizeTooBig { requested, .. } => format!(
                "a frame needs a window of {} MiB, and {} are allowed\nhint: compress it without `--long` or `--ultra`",
                requested >> 20,
                MAX_WINDOW_BYTES >> 20
            ),
            FrameDecoderError::DictNotProvided { .. } => {
                "a frame needs a dictionary, which is not there\nhint: compress it without one".to_owned()
            }
            other => other.to_string(),
        };
        damage("zstd", self.taken(), &what)
    }
}

impl<R: Read> Read for Zstd<R> {
    fn read(&mut self, into: &mut [u8]) -> io::Result<usize> {
        if into.is_empty() {
            return Ok(0);
        }
        loop {
            if !self.is_inside && !self.next_frame()? {
                return Ok(0);
            }
            while self.decoder.can_collect() == 0 && !self.decoder.is_finished() {
                let block = self.decoder.decode_blocks(&mut self.source, BlockDecodingStrategy::UptoBlocks(1));
                block.map_err(|error| self.explained(&error))?;
            }
            let read = self.decoder.read(into)?;
            if self.decoder.is_finished() && self.decoder.can_collect() == 0 {
                self.end_frame()?;
            }
            if read > 0 {
                return Ok(read);
            }
        }
    }
}
