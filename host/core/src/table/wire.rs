//! How the buffers of the contract's `tables` interface are read: little-endian numbers and bits.

// Arrow's arrays have the machine's byte order and the contract says little-endian; buffers are moved whole.
#[cfg(target_endian = "big")]
compile_error!("tables need a little-endian machine");

/// The `i32`s of a buffer; bytes beyond the last whole one are not looked at.
pub(super) fn i32s(bytes: &[u8]) -> impl ExactSizeIterator<Item = i32> + DoubleEndedIterator + '_ {
    let (numbers, _) = bytes.as_chunks();
    numbers.iter().map(|number| i32::from_le_bytes(*number))
}

/// Entry `index` of a buffer of `i32`s that has been checked to hold that many, none of them negative.
pub(super) fn offset(bytes: &[u8], index: usize) -> usize {
    let at = index * 4;
    i32::from_le_bytes([bytes[at], bytes[at + 1], bytes[at + 2], bytes[at + 3]]) as usize
}

/// Bit `index`, least significant bit first.
pub(super) fn bit(bytes: &[u8], index: usize) -> bool {
    bytes[index / 8] >> (index % 8) & 1 == 1
}

/// The first of `rows` bits that is 0.
pub(super) fn first_zero(bytes: &[u8], rows: usize) -> Option<usize> {
    let byte = bytes.iter().position(|byte| *byte != 0xff)?;
    let row = byte * 8 + bytes[byte].trailing_ones() as usize;
    (row < rows).then_some(row)
}

/// Bytes that `rows` bits take.
pub(super) fn bit_bytes(rows: usize) -> usize {
    rows.div_ceil(8)
}
