//! Finds the bytes with a meaning, 64 at a time. Knows nothing of rows.

use crate::dialect::Dialect;

/// The positions of delimiters, line ends and quotes, in order.
pub struct Marks<'a> {
    bytes: &'a [u8],
    needles: Needles,
    /// Where the 64 bytes behind `mask` begin.
    base: usize,
    /// One bit a byte; those already given are 0.
    mask: u64,
}

#[derive(Clone, Copy)]
struct Needles {
    delimiter: u8,
    /// The delimiter again where nothing is quoted.
    quote: u8,
}

impl<'a> Marks<'a> {
    /// Begins at `start`.
    pub fn new(bytes: &'a [u8], start: usize, dialect: Dialect) -> Self {
        let delimiter = dialect.delimiter;
        let needles = Needles { delimiter, quote: dialect.quote.unwrap_or(delimiter) };
        Self { bytes, needles, base: start, mask: mask_at(bytes, start, needles) }
    }

    #[inline]
    pub fn next(&mut self) -> Option<usize> {
        while self.mask == 0 {
            self.base += 64;
            if self.base >= self.bytes.len() {
                return None;
            }
            self.mask = mask_at(self.bytes, self.base, self.needles);
        }
        let position = self.base + self.mask.trailing_zeros() as usize;
        self.mask &= self.mask - 1;
        Some(position)
    }
}

#[inline]
fn mask_at(bytes: &[u8], start: usize, needles: Needles) -> u64 {
    let rest = bytes.get(start..).unwrap_or_default();
    match rest.first_chunk::<64>() {
        Some(chunk) => mask(chunk, needles),
        None => {
            // No needle is 0, so the padding is never found.
            let mut chunk = [0; 64];
            chunk[..rest.len()].copy_from_slice(rest);
            mask(&chunk, needles)
        }
    }
}

#[cfg(all(target_family = "wasm", target_feature = "simd128"))]
#[inline]
fn mask(chunk: &[u8; 64], needles: Needles) -> u64 {
    use core::arch::wasm32::{i8x16_bitmask, u8x16_eq, u8x16_splat, v128_load, v128_or};

    let (delimiter, quote, line_end) = (u8x16_splat(needles.delimiter), u8x16_splat(needles.quote), u8x16_splat(b'\n'));
    let mut mask = 0;
    for quarter in 0..4 {
        // SAFETY: the 16 bytes lie inside the 64 of the chunk, and a v128 is loaded from any address.
        let bytes = unsafe { v128_load(chunk.as_ptr().add(16 * quarter).cast()) };
        let found = v128_or(v128_or(u8x16_eq(bytes, delimiter), u8x16_eq(bytes, quote)), u8x16_eq(bytes, line_end));
        mask |= u64::from(i8x16_bitmask(found)) << (16 * quarter);
    }
    mask
}

#[cfg(not(all(target_family = "wasm", target_feature = "simd128")))]
#[inline]
fn mask(chunk: &[u8; 64], needles: Needles) -> u64 {
    chunk.iter().enumerate().fold(0, |mask, (index, &byte)| {
        let found = (byte == needles.delimiter) | (byte == needles.quote) | (byte == b'\n');
        mask | u64::from(found) << index
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn finds_every_mark_from_any_start() {
        let dialect = Dialect { delimiter: b';', quote: Some(b'"') };
        let bytes: Vec<u8> =
            (0..300_usize).map(|index| if index % 7 == 3 { b";\"\n"[index % 3] } else { b'x' }).collect();
        for start in [0, 1, 63, 64, 65, 250, 299, 300] {
            let mut marks = Marks::new(&bytes, start, dialect);
            let found: Vec<usize> = std::iter::from_fn(|| marks.next()).collect();
            let expected: Vec<usize> = (start..300).filter(|index| index % 7 == 3).collect();
            assert_eq!(found, expected, "from {start}");
        }
    }
}
