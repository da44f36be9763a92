//! The values of a page, without those that are missing, a few at a time.
//! Source: apache/parquet-format, `Encodings.md`.

use super::delta::Delta;
use super::fault::{Decoded, Fault, broken};
use super::hybrid::Hybrid;
use super::schema::Physical;

/// Text that the values of a part of a batch may take.
const MAX_DENSE: usize = 256 << 20;

/// Values one after the other: of fixed length in `bytes` (a truth value is a byte), or with `ends`.
#[derive(Default, Debug)]
pub struct Dense {
    pub bytes: Vec<u8>,
    /// Where each value ends; for [`Physical::Slices`] only.
    pub ends: Vec<u32>,
    /// Indexes into the dictionary instead of values, where the caller asked for them.
    pub codes: Vec<u32>,
}

impl Dense {
    pub fn clear(&mut self) {
        self.bytes.clear();
        self.ends.clear();
        self.codes.clear();
    }

    pub fn slice(&self, index: usize) -> &[u8] {
        let start = if index == 0 { 0 } else { self.ends[index - 1] as usize };
        &self.bytes[start..self.ends[index] as usize]
    }

    fn push(&mut self, value: &[u8]) -> Decoded<()> {
        if self.bytes.len() + value.len() > MAX_DENSE {
            return Err(Fault::TooLarge(format!("few rows hold more than {} MiB of text", MAX_DENSE >> 20)));
        }
        self.bytes.extend_from_slice(value);
        self.ends.push(self.bytes.len() as u32);
        Ok(())
    }
}

/// The values of a dictionary page.
#[derive(Debug)]
pub struct Dictionary {
    pub values: Dense,
    pub len: usize,
}

impl Dictionary {
    pub fn read(page: &[u8], len: usize, physical: Physical) -> Decoded<Self> {
        let mut values = Dense::default();
        plain(page, &mut 0, physical, len, &mut values).map_err(|fault| fault.within("dictionary"))?;
        Ok(Self { values, len })
    }
}

/// Reads the values of one data page.
pub struct Values {
    physical: Physical,
    state: State,
}

enum State {
    Plain { at: usize },
    Bits { bit: usize },
    Runs(Hybrid),
    Indexes(Hybrid),
    Delta(Delta),
    Lengths { lengths: Vec<u32>, next: usize, at: usize },
    Prefixes { prefixes: Vec<u32>, lengths: Vec<u32>, next: usize, at: usize, last: Vec<u8> },
    Split { at: usize, next: usize },
}

impl Values {
    /// Over `page[at..]`, in the encoding of this number; at most `num_values`.
    pub fn new(page: &[u8], at: usize, encoding: i64, physical: Physical, num_values: usize) -> Decoded<Self> {
        let state = match (encoding, physical) {
            (0, Physical::Bool) => State::Bits { bit: at * 8 },
            (0, _) => State::Plain { at },
            (2 | 8, Physical::Bool) => return broken("truth values in a dictionary"),
            (2 | 8, _) => match page.get(at) {
                Some(&width) => State::Indexes(Hybrid::new(at + 1, page.len(), width)?),
                // A page without values.
                None => State::Indexes(Hybrid::new(at, page.len(), 0)?),
            },
            (3, Physical::Bool) => {
                let end = prefixed(page, at)?;
                State::Runs(Hybrid::new(at + 4, end, 1)?)
            }
            (5, Physical::Four | Physical::Eight) => State::Delta(Delta::new(page, at)?),
            (6, Physical::Slices) => {
                let (lengths, at) = lengths(page, at, num_values)?;
                State::Lengths { lengths, next: 0, at }
            }
            (7, Physical::Slices | Physical::Fixed(_)) => {
                let (prefixes, at) = lengths(page, at, num_values)?;
                let (lengths, at) = lengths(page, at, num_values)?;
                State::Prefixes { prefixes, lengths, next: 0, at, last: Vec::new() }
            }
            (9, Physical::Four | Physical::Eight | Physical::Fixed(_)) => State::Split { at, next: 0 },
            (encoding, _) => return Err(Fault::Unsupported(format!("a page in encoding {encoding}"))),
        };
        Ok(Self { physical, state })
    }

    pub fn are_indexes(&self) -> bool {
        matches!(self.state, State::Indexes(_))
    }

    /// Appends the indexes of the next `count` values to `out.codes`, each checked against the dictionary's length.
    pub fn codes(&mut self, page: &[u8], count: usize, dictionary: &Dictionary, out: &mut Dense) -> Decoded<()> {
        let State::Indexes(indexes) = &mut self.state else { return broken("values without a dictionary") };
        let start = out.codes.len();
        indexes.read(page, count, &mut out.codes)?;
        let greatest = out.codes[start..].iter().copied().max().unwrap_or_default() as usize;
        if count > 0 && greatest >= dictionary.len {
            return broken(format!("the index {greatest} into a dictionary of {} values", dictionary.len));
        }
        Ok(())
    }

    /// Appends the next `count` values to `out`.
    pub fn read(&mut self, page: &[u8], count: usize, dictionary: Option<&Dictionary>, out: &mut Dense) -> Decoded<()> {
        match &mut self.state {
            State::Plain { at } => plain(page, at, self.physical, count, out),
            State::Bits { bit } => {
                if *bit + count > page.len() * 8 {
                    return broken("the truth values break off");
                }
                out.bytes.extend((*bit..*bit + count).map(|bit| page[bit / 8] >> (bit % 8) & 1));
                *bit += count;
                Ok(())
            }
            State::Runs(runs) => {
                out.codes.clear();
                runs.read(page, count, &mut out.codes)?;
                out.bytes.extend(out.codes.iter().map(|&value| u8::from(value != 0)));
                out.codes.clear();
                Ok(())
            }
            State::Indexes(_) => {
                let Some(dictionary) = dictionary else { return broken("indexes into a dictionary that is not there") };
                out.codes.clear();
                self.codes(page, count, dictionary, out)?;
                let gathered = gather(dictionary, self.physical, out);
                out.codes.clear();
                gathered
            }
            State::Delta(delta) if self.physical == Physical::Four => {
                delta.read(page, count, |value| out.bytes.extend_from_slice(&(value as i32).to_le_bytes()))
            }
            State::Delta(delta) => delta.read(page, count, |value| out.bytes.extend_from_slice(&value.to_le_bytes())),
            State::Lengths { lengths, next, at } => {
                for _ in 0..count {
                    out.push(suffix(page, lengths, *next, at)?)?;
                    *next += 1;
                }
                Ok(())
            }
            State::Prefixes { prefixes, lengths, next, at, last } => {
                for _ in 0..count {
                    let prefix = prefixes.get(*next).map_or(0, |&prefix| prefix as usize);
                    if prefix > last.len() {
                        return broken(format!("a text that shares {prefix} bytes with one of {}", last.len()));
                    }
                    last.truncate(prefix);
                    last.extend_from_slice(suffix(page, lengths, *next, at)?);
                    *next += 1;
                    match self.physical {
                        Physical::Fixed(length) if last.len() != length => {
                            return broken(format!("a value of {} bytes instead of {length}", last.len()));
                        }
                        Physical::Fixed(_) => out.bytes.extend_from_slice(last),
                        _ => out.push(last)?,
                    }
                }
                Ok(())
            }
            State::Split { at, next } => split(&page[*at..], next, width(self.physical), count, out),
        }
    }
}

/// Bytes of a value of fixed length.
pub fn width(physical: Physical) -> usize {
    match physical {
        Physical::Bool => 1,
        Physical::Four => 4,
        Physical::Eight => 8,
        Physical::Fixed(length) => length,
        Physical::Slices => 0,
    }
}

/// The end of what has its length before it, in 4 bytes.
pub fn prefixed(page: &[u8], at: usize) -> Decoded<usize> {
    let length = page.get(at..).and_then(|rest| rest.first_chunk::<4>()).map(|bytes| u32::from_le_bytes(*bytes));
    let Some(length) = length else { return broken("a page breaks off before its values") };
    match (at + 4).checked_add(length as usize) {
        Some(end) if end <= page.len() => Ok(end),
        _ => broken(format!("{length} bytes of runs in a page of {}", page.len())),
    }
}

fn plain(page: &[u8], at: &mut usize, physical: Physical, count: usize, out: &mut Dense) -> Decoded<()> {
    if physical == Physical::Slices {
        for _ in 0..count {
            let Ok(end) = prefixed(page, *at) else { return broken("a text goes beyond its page") };
            out.push(&page[*at + 4..end])?;
            *at = end;
        }
        return Ok(());
    }
    let end = count.checked_mul(width(physical)).and_then(|bytes| at.checked_add(bytes));
    let Some(values) = end.and_then(|end| page.get(*at..end)) else {
        return broken(format!("a page of {} bytes has too few for its values", page.len()));
    };
    out.bytes.extend_from_slice(values);
    *at += values.len();
    Ok(())
}

/// All lengths of a page, and where they end.
fn lengths(page: &[u8], at: usize, num_values: usize) -> Decoded<(Vec<u32>, usize)> {
    let mut delta = Delta::new(page, at)?;
    let count = delta.left();
    if count > num_values {
        return broken(format!("{count} lengths for {num_values} values"));
    }
    let mut lengths = Vec::with_capacity(count);
    let mut wrong = None;
    delta.read(page, count, |length| match u32::try_from(length) {
        Ok(length) => lengths.push(length),
        Err(_) => wrong = Some(length),
    })?;
    match wrong {
        Some(length) => broken(format!("a text of {length} bytes")),
        None => Ok((lengths, delta.position())),
    }
}

fn suffix<'a>(page: &'a [u8], lengths: &[u32], next: usize, at: &mut usize) -> Decoded<&'a [u8]> {
    let Some(&length) = lengths.get(next) else { return broken("there are too few texts") };
    let end = *at + length as usize;
    let Some(text) = page.get(*at..end) else { return broken("the texts break off") };
    *at = end;
    Ok(text)
}

/// The first bytes of all values, then the second ones, and so on.
fn split(streams: &[u8], next: &mut usize, width: usize, count: usize, out: &mut Dense) -> Decoded<()> {
    if count == 0 {
        return Ok(());
    }
    let len = streams.len() / width;
    if *next + count > len {
        return broken(format!("there are {len} values where {} should be", *next + count));
    }
    let start = out.bytes.len();
    out.bytes.resize(start + count * width, 0);
    for (place, stream) in streams.chunks_exact(len).take(width).enumerate() {
        let to = out.bytes[start..].iter_mut().skip(place).step_by(width);
        to.zip(&stream[*next..*next + count]).for_each(|(to, from)| *to = *from);
    }
    *next += count;
    Ok(())
}

/// The dictionary's values at `out.codes`, which were checked.
fn gather(dictionary: &Dictionary, physical: Physical, out: &mut Dense) -> Decoded<()> {
    let codes = std::mem::take(&mut out.codes);
    let bytes = &dictionary.values.bytes;
    match physical {
        Physical::Four => {
            let (values, _) = bytes.as_chunks::<4>();
            codes.iter().for_each(|&code| out.bytes.extend_from_slice(&values[code as usize]));
        }
        Physical::Eight => {
            let (values, _) = bytes.as_chunks::<8>();
            codes.iter().for_each(|&code| out.bytes.extend_from_slice(&values[code as usize]));
        }
        Physical::Slices => codes.iter().try_for_each(|&code| out.push(dictionary.values.slice(code as usize)))?,
        Physical::Bool | Physical::Fixed(_) => {
            let width = width(physical);
            codes.iter().for_each(|&code| {
                out.bytes.extend_from_slice(&bytes[code as usize * width..(code as usize + 1) * width]);
            });
        }
    }
    out.codes = codes;
    Ok(())
}
