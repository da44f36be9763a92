//! Numbers as differences. Source: apache/parquet-format, `Encodings.md`, "Delta Encoding".

use super::fault::{Decoded, broken};
use super::hybrid::word_at;

/// Values in a miniblock: writers use 32 to 128.
const MAX_MINIBLOCK: usize = 1 << 16;

/// Whole numbers, a few at a time.
#[derive(Debug)]
pub struct Delta {
    at: usize,
    end: usize,
    per_miniblock: usize,
    miniblocks: usize,
    /// Values that are yet to come.
    left: usize,
    /// The next value, if it is known.
    first: Option<i64>,
    last: i64,
    least: i64,
    /// Bits of each miniblock of this block that was not begun.
    widths: Vec<u8>,
    next_width: usize,
    /// Values of the miniblock in use, and how many of them were given.
    unpacked: Vec<i64>,
    given: usize,
}

impl Delta {
    /// Over `page[at..]`.
    pub fn new(page: &[u8], at: usize) -> Decoded<Self> {
        let mut delta = Self {
            at,
            end: page.len(),
            per_miniblock: 0,
            miniblocks: 0,
            left: 0,
            first: None,
            last: 0,
            least: 0,
            widths: Vec::new(),
            next_width: 0,
            unpacked: Vec::new(),
            given: 0,
        };
        let block = delta.size(page)?;
        delta.miniblocks = delta.size(page)?;
        delta.left = delta.size(page)?;
        delta.last = delta.zigzag(page)?;
        if delta.miniblocks == 0 || delta.miniblocks > 1 << 12 || !block.is_multiple_of(delta.miniblocks) {
            return broken(format!("a block of {block} differences in {} parts", delta.miniblocks));
        }
        delta.per_miniblock = block / delta.miniblocks;
        if delta.per_miniblock == 0 || delta.per_miniblock > MAX_MINIBLOCK || !delta.per_miniblock.is_multiple_of(8) {
            return broken(format!("parts of {} differences", delta.per_miniblock));
        }
        delta.first = (delta.left > 0).then_some(delta.last);
        Ok(delta)
    }

    /// Values that are yet to come, as the page claims.
    pub fn left(&self) -> usize {
        self.left
    }

    /// Calls `take` with each of the next `count` values.
    pub fn read(&mut self, page: &[u8], count: usize, mut take: impl FnMut(i64)) -> Decoded<()> {
        if count > self.left {
            return broken(format!("there are {} numbers where {count} should follow", self.left));
        }
        self.left -= count;
        let mut missing = count;
        if missing > 0
            && let Some(first) = self.first.take()
        {
            take(first);
            missing -= 1;
        }
        while missing > 0 {
            if self.given == self.unpacked.len() {
                self.next_miniblock(page)?;
            }
            let taken = missing.min(self.unpacked.len() - self.given);
            self.unpacked[self.given..self.given + taken].iter().for_each(|&value| take(value));
            self.given += taken;
            missing -= taken;
        }
        Ok(())
    }

    /// Where the numbers end, once all were read.
    pub fn position(&self) -> usize {
        self.at
    }

    fn next_miniblock(&mut self, page: &[u8]) -> Decoded<()> {
        if self.next_width == self.widths.len() {
            self.least = self.zigzag(page)?;
            let Some(widths) = page.get(self.at..self.at + self.miniblocks) else {
                return broken("the differences break off");
            };
            self.widths = widths.to_vec();
            self.at += self.miniblocks;
            self.next_width = 0;
        }
        let width = usize::from(self.widths[self.next_width]);
        self.next_width += 1;
        if width > 64 {
            return broken(format!("differences of {width} bits"));
        }
        let bytes = self.per_miniblock / 8 * width;
        // Some writers cut the last one short; missing bits are 0 and belong to no value.
        let end = self.at.saturating_add(bytes).min(self.end);
        let packed = &page[self.at..end];
        if packed.len() < bytes && packed.is_empty() {
            return broken("the differences break off");
        }
        self.unpack(packed, width);
        self.at = end;
        Ok(())
    }

    fn unpack(&mut self, packed: &[u8], width: usize) {
        let mask = if width == 64 { u64::MAX } else { (1 << width) - 1 };
        self.unpacked.clear();
        self.given = 0;
        for index in 0..self.per_miniblock {
            let bit = index * width;
            let mut word = word_at(packed, bit / 8) >> (bit % 8);
            if width + bit % 8 > 64 {
                word |= word_at(packed, bit / 8 + 8) << (64 - bit % 8);
            }
            let difference = (word & mask) as i64;
            self.last = self.last.wrapping_add(self.least).wrapping_add(difference);
            self.unpacked.push(self.last);
        }
    }

    fn size(&mut self, page: &[u8]) -> Decoded<usize> {
        let value = self.varint(page)?;
        if value > 1 << 31 { broken(format!("a number of {value} differences")) } else { Ok(value as usize) }
    }

    fn zigzag(&mut self, page: &[u8]) -> Decoded<i64> {
        let value = self.varint(page)?;
        Ok((value >> 1) as i64 ^ -((value & 1) as i64))
    }

    fn varint(&mut self, page: &[u8]) -> Decoded<u64> {
        let mut value = 0;
        for shift in (0..64).step_by(7) {
            let Some(&byte) = page.get(self.at) else { return broken("the differences break off") };
            self.at += 1;
            value |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Ok(value);
            }
        }
        broken("a number of more than 64 bits")
    }
}
