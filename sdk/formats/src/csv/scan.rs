//! Finds the bytes with a meaning, 64 at a time. Knows nothing of rows.

use super::dialect::Dialect;

/// Bytes looked at at once.
pub const CHUNK: usize = 64;

/// The bytes that are looked for.
#[derive(Clone, Copy)]
pub struct Needles {
    delimiter: u8,
    /// A line end where nothing is quoted: it is looked for anyway.
    quote: u8,
}

/// One bit for each of 64 bytes.
#[derive(Clone, Copy)]
pub struct Found {
    /// Delimiters and line ends.
    pub marks: u64,
    pub line_ends: u64,
    pub quotes: u64,
}

impl Needles {
    pub fn new(dialect: Dialect) -> Self {
        Self { delimiter: dialect.delimiter, quote: dialect.quote.unwrap_or(b'\n') }
    }

    /// Looks at the 64 bytes from `start`; those behind the end are none of interest.
    #[inline]
    pub fn find(self, bytes: &[u8], start: usize) -> Found {
        let rest = bytes.get(start..).unwrap_or_default();
        match rest.first_chunk::<CHUNK>() {
            Some(chunk) => self.find_in(chunk),
            None => {
                // No needle is 0, so the padding is never found.
                let mut chunk = [0; CHUNK];
                chunk[..rest.len()].copy_from_slice(rest);
                self.find_in(&chunk)
            }
        }
    }

    #[cfg(all(target_family = "wasm", target_feature = "simd128"))]
    #[inline]
    fn find_in(self, chunk: &[u8; CHUNK]) -> Found {
        use core::arch::wasm32::{i8x16_bitmask, u8x16_eq, u8x16_splat, v128_load, v128_or};

        let (delimiter, quote, line_end) = (u8x16_splat(self.delimiter), u8x16_splat(self.quote), u8x16_splat(b'\n'));
        let mut found = Found { marks: 0, line_ends: 0, quotes: 0 };
        for quarter in 0..4 {
            // SAFETY: the 16 bytes lie inside the 64 of the chunk, and a v128 is loaded from any address.
            let bytes = unsafe { v128_load(chunk.as_ptr().add(16 * quarter).cast()) };
            let line_ends = u8x16_eq(bytes, line_end);
            let marks = v128_or(u8x16_eq(bytes, delimiter), line_ends);
            found.marks |= u64::from(i8x16_bitmask(marks)) << (16 * quarter);
            found.line_ends |= u64::from(i8x16_bitmask(line_ends)) << (16 * quarter);
            found.quotes |= u64::from(i8x16_bitmask(u8x16_eq(bytes, quote))) << (16 * quarter);
        }
        self.without_false_quotes(found)
    }

    #[cfg(not(all(target_family = "wasm", target_feature = "simd128")))]
    #[inline]
    fn find_in(self, chunk: &[u8; CHUNK]) -> Found {
        let bits = |is: &dyn Fn(u8) -> bool| {
            chunk.iter().enumerate().fold(0, |mask, (index, &byte)| mask | u64::from(is(byte)) << index)
        };
        let marks = bits(&|byte| (byte == self.delimiter) | (byte == b'\n'));
        let (line_ends, quotes) = (bits(&|byte| byte == b'\n'), bits(&|byte| byte == self.quote));
        self.without_false_quotes(Found { marks, line_ends, quotes })
    }

    #[inline]
    fn without_false_quotes(self, found: Found) -> Found {
        if self.quote == b'\n' { Found { quotes: 0, ..found } } else { found }
    }
}

/// The positions of delimiters, line ends and quotes, in order.
pub struct Marks<'a> {
    bytes: &'a [u8],
    needles: Needles,
    /// Where the 64 bytes behind `mask` begin.
    base: usize,
    /// One bit a byte; those already given are 0.
    mask: u64,
}

impl<'a> Marks<'a> {
    /// Begins at `start`.
    pub fn new(bytes: &'a [u8], start: usize, needles: Needles) -> Self {
        let found = needles.find(bytes, start);
        Self { bytes, needles, base: start, mask: found.marks | found.quotes }
    }

    #[inline]
    pub fn next(&mut self) -> Option<usize> {
        while self.mask == 0 {
            self.base += CHUNK;
            if self.base >= self.bytes.len() {
                return None;
            }
            let found = self.needles.find(self.bytes, self.base);
            self.mask = found.marks | found.quotes;
        }
        let position = self.base + self.mask.trailing_zeros() as usize;
        self.mask &= self.mask - 1;
        Some(position)
    }
}

/// Whether all bytes are ASCII, and so whole characters.
pub fn is_ascii(bytes: &[u8]) -> bool {
    let (words, rest) = bytes.as_chunks::<32>();
    let mut all = [0_u64; 4];
    // Without a way out of the loop the compiler makes vectors of it.
    for word in words {
        let (parts, _) = word.as_chunks::<8>();
        for (all, part) in all.iter_mut().zip(parts) {
            *all |= u64::from_le_bytes(*part);
        }
    }
    let all = all[0] | all[1] | all[2] | all[3];
    all & 0x8080_8080_8080_8080 == 0 && rest.is_ascii()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_mark_from_any_start() {
        let needles = Needles::new(Dialect { delimiter: b';', quote: Some(b'"') });
        let bytes: Vec<u8> =
            (0..300_usize).map(|index| if index % 7 == 3 { b";\"\n"[index % 3] } else { b'x' }).collect();
        for start in [0, 1, 63, 64, 65, 250, 299, 300] {
            let mut marks = Marks::new(&bytes, start, needles);
            let found: Vec<usize> = std::iter::from_fn(|| marks.next()).collect();
            let expected: Vec<usize> = (start..300).filter(|index| index % 7 == 3).collect();
            assert_eq!(found, expected, "from {start}");
        }
    }

    #[test]
    fn quotes_may_be_ordinary() {
        let found = Needles::new(Dialect { delimiter: b',', quote: None }).find(b"a,\"b\"\n", 0);
        assert_eq!((found.marks, found.quotes), (0b10_0010, 0));
    }

    #[test]
    fn ascii_to_the_last_byte() {
        for length in [0, 1, 31, 32, 33, 100] {
            let mut bytes = vec![b'a'; length];
            assert!(is_ascii(&bytes));
            for position in 0..length {
                bytes[position] = 0x80;
                assert!(!is_ascii(&bytes), "{position} of {length}");
                bytes[position] = b'a';
            }
        }
    }
}
