//! Frames of a journal: length, checksum, payload. What a dying process wrote by half is recognised and left out.

/// Bytes before the payload: its length, and the beginning of its BLAKE3 hash.
const HEADER: usize = 4 + 8;

/// Appends a frame whose payload `write` appends.
pub(super) fn append(buffer: &mut Vec<u8>, write: impl FnOnce(&mut Vec<u8>)) {
    let start = buffer.len();
    buffer.extend_from_slice(&[0; HEADER]);
    write(buffer);
    let payload = &buffer[start + HEADER..];
    // A record beyond 4 GiB cannot come through an endpoint, whose requests are far smaller.
    let length = u32::try_from(payload.len()).expect("a record is smaller than 4 GiB");
    let sum = checksum(payload);
    buffer[start..start + 4].copy_from_slice(&length.to_le_bytes());
    buffer[start + 4..start + HEADER].copy_from_slice(&sum);
}

/// The payload of the frame at the start of `bytes`, and what follows it; nothing where there is no whole frame.
pub(super) fn next(bytes: &[u8]) -> Option<(&[u8], &[u8])> {
    let (length, rest) = bytes.split_first_chunk::<4>()?;
    let (sum, rest) = rest.split_first_chunk::<8>()?;
    let (payload, rest) = rest.split_at_checked(u32::from_le_bytes(*length) as usize)?;
    (checksum(payload) == *sum).then_some((payload, rest))
}

fn checksum(payload: &[u8]) -> [u8; 8] {
    let hash = blake3::hash(payload);
    *hash.as_bytes().first_chunk().expect("a hash has 32 bytes")
}
