//! Runs of equal numbers and runs of packed bits: levels, dictionary indexes and truth values.
//! Source: apache/parquet-format, `Encodings.md`, "Run Length Encoding / Bit-Packing Hybrid".

use super::fault::{Decoded, broken};

/// Numbers of up to 32 bits, a few at a time.
#[derive(Debug)]
pub struct Hybrid {
    /// Where the next run starts in the page.
    at: usize,
    end: usize,
    width: usize,
    run: Run,
}

#[derive(Debug)]
enum Run {
    Equal {
        value: u32,
        left: usize,
    },
    /// `bit` counts from the start of the page.
    Packed {
        bit: usize,
        left: usize,
    },
}

impl Hybrid {
    /// Over `page[at..end]`.
    pub fn new(at: usize, end: usize, width: u8) -> Decoded<Self> {
        if width > 32 {
            return broken(format!("numbers of {width} bits"));
        }
        Ok(Self { at, end, width: usize::from(width), run: Run::Equal { value: 0, left: 0 } })
    }

    /// Appends the next `count` numbers to `out`.
    pub fn read(&mut self, page: &[u8], count: usize, out: &mut Vec<u32>) -> Decoded<()> {
        let mut missing = count;
        while missing > 0 {
            match &mut self.run {
                Run::Equal { left: 0, .. } | Run::Packed { left: 0, .. } => self.next_run(page)?,
                Run::Equal { value, left } => {
                    let taken = missing.min(*left);
                    out.resize(out.len() + taken, *value);
                    *left -= taken;
                    missing -= taken;
                }
                Run::Packed { bit, left } => {
                    let taken = missing.min(*left);
                    unpack(&page[..self.end], *bit, self.width, taken, out);
                    *bit += taken * self.width;
                    *left -= taken;
                    missing -= taken;
                }
            }
        }
        Ok(())
    }

    /// If the next `count` numbers are one run of equal numbers: passes over them and says which.
    pub fn equal_run(&mut self, page: &[u8], count: usize) -> Decoded<Option<u32>> {
        if matches!(self.run, Run::Equal { left: 0, .. } | Run::Packed { left: 0, .. }) {
            self.next_run(page)?;
        }
        match &mut self.run {
            Run::Equal { value, left } if *left >= count => {
                *left -= count;
                Ok(Some(*value))
            }
            _ => Ok(None),
        }
    }

    fn next_run(&mut self, page: &[u8]) -> Decoded<()> {
        let head = self.varint(page)?;
        let length = usize::try_from(head >> 1).unwrap_or(usize::MAX);
        if head & 1 == 0 {
            let bytes = self.width.div_ceil(8);
            let Some(value) = page.get(self.at..self.at + bytes).filter(|_| self.at + bytes <= self.end) else {
                return broken("a run of numbers breaks off");
            };
            let value = value.iter().rev().fold(0_u32, |value, &byte| value << 8 | u32::from(byte));
            self.at += bytes;
            self.run = Run::Equal { value, left: length };
        } else {
            // Groups of 8; some writers leave out what the last group does not need.
            let there = self.end - self.at;
            let (values, bytes) = match self.width {
                0 => (length.saturating_mul(8), 0),
                width => {
                    let bytes = length.saturating_mul(width).min(there);
                    (length.saturating_mul(8).min(bytes * 8 / width), bytes)
                }
            };
            self.run = Run::Packed { bit: self.at * 8, left: values };
            self.at += bytes;
            if values == 0 && there == 0 {
                return broken("a run of numbers breaks off");
            }
        }
        Ok(())
    }

    fn varint(&mut self, page: &[u8]) -> Decoded<u64> {
        let mut value = 0;
        for shift in (0..35).step_by(7) {
            let Some(&byte) = page[..self.end].get(self.at) else { return broken("there are too few numbers") };
            self.at += 1;
            value |= u64::from(byte & 127) << shift;
            if byte < 128 {
                return Ok(value);
            }
        }
        broken("the length of a run has more than 32 bits")
    }
}

/// Appends `count` numbers of `width` bits from `bit` on; the caller has seen that they are there.
fn unpack(bytes: &[u8], mut bit: usize, width: usize, count: usize, out: &mut Vec<u32>) {
    let mask = (1_u64 << width) - 1;
    out.reserve(count);
    for _ in 0..count {
        let word = word_at(bytes, bit / 8) >> (bit % 8);
        out.push((word & mask) as u32);
        bit += width;
    }
}

/// The 8 bytes from `at` on; those beyond the end are 0.
#[inline]
pub fn word_at(bytes: &[u8], at: usize) -> u64 {
    match bytes.get(at..).and_then(|rest| rest.first_chunk::<8>()) {
        Some(word) => u64::from_le_bytes(*word),
        None => {
            let rest = bytes.get(at..).unwrap_or_default();
            rest.iter().rev().fold(0, |word, &byte| word << 8 | u64::from(byte))
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_the_format_s_own_example() {
        // The numbers 0 to 7 in 3 bits.
        let page = [0x03, 0b1000_1000, 0b1100_0110, 0b1111_1010, 0x0a, 0x05];
        let mut hybrid = Hybrid::new(0, page.len(), 3).unwrap();
        let mut out = Vec::new();
        hybrid.read(&page, 3, &mut out).unwrap();
        hybrid.read(&page, 10, &mut out).unwrap();
        assert_eq!(out, [0, 1, 2, 3, 4, 5, 6, 7, 5, 5, 5, 5, 5]);
        assert!(hybrid.read(&page, 1, &mut out).is_err());
    }
}
