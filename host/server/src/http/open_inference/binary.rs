//! Elements of binary tensors: little-endian numbers, and bytes behind their length.

use super::datatype::Datatype;
use crate::http::codec::{Cell, MAX_CELLS};

/// A binary tensor whose bytes have been counted.
#[derive(Debug)]
pub struct Binary<'a> {
    datatype: Datatype,
    bytes: &'a [u8],
    /// For `BYTES`: where each element lies.
    elements: Vec<(u32, u32)>,
    len: usize,
}

impl<'a> Binary<'a> {
    /// Errors: bytes that are not whole elements, too many of them, a BOOL that is neither 0 nor 1.
    pub fn parse(datatype: Datatype, bytes: &'a [u8]) -> Result<Self, String> {
        let (elements, len) = match datatype.width() {
            Some(width) if bytes.len().is_multiple_of(width) => (Vec::new(), bytes.len() / width),
            Some(width) => return Err(format!("has {} bytes, which are no elements of {width}", bytes.len())),
            None => {
                let elements = texts(bytes)?;
                let len = elements.len();
                (elements, len)
            }
        };
        if len > MAX_CELLS {
            return Err(format!("has more than {MAX_CELLS} elements"));
        }
        if datatype == Datatype::Bool && bytes.iter().any(|byte| *byte > 1) {
            return Err("has BOOL bytes that are neither 0 nor 1".to_owned());
        }
        Ok(Self { datatype, bytes, elements, len })
    }

    pub fn len(&self) -> usize {
        self.len
    }

    pub fn cell(&self, index: usize) -> Cell<'a> {
        match self.datatype.width() {
            Some(width) => self.datatype.element(&self.bytes[index * width..(index + 1) * width]).unwrap_or(Cell::Null),
            None => {
                let (start, end) = self.elements[index];
                Cell::Bytes(&self.bytes[start as usize..end as usize])
            }
        }
    }
}

fn texts(bytes: &[u8]) -> Result<Vec<(u32, u32)>, String> {
    let mut elements = Vec::new();
    let mut at = 0_usize;
    while at < bytes.len() {
        let wrong = || format!("has an element at byte {at} that is cut off");
        let length: [u8; 4] = bytes.get(at..at + 4).and_then(|bytes| bytes.try_into().ok()).ok_or_else(wrong)?;
        let (start, length) = (at + 4, u32::from_le_bytes(length) as usize);
        let end = start.checked_add(length).filter(|end| *end <= bytes.len()).ok_or_else(wrong)?;
        let range = u32::try_from(start).ok().zip(u32::try_from(end).ok()).ok_or_else(wrong)?;
        elements.push(range);
        if elements.len() > MAX_CELLS {
            break;
        }
        at = end;
    }
    Ok(elements)
}
