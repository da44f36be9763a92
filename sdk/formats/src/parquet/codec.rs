//! Takes the compression of a page away. A page says how long it will be, so that nothing can grow beyond it.

use std::io::Read;

use ruzstd::decoding::StreamingDecoder;

use super::fault::{Decoded, Fault, broken};

const SNAPPY: i64 = 1;
const GZIP: i64 = 2;
const LZ4_HADOOP: i64 = 5;
const ZSTD: i64 = 6;
const LZ4_RAW: i64 = 7;

/// Appends exactly `length` bytes to `out`; `codec` is the number in the footer.
pub fn decompress(codec: i64, packed: &[u8], length: usize, out: &mut Vec<u8>) -> Decoded<()> {
    let start = out.len();
    match codec {
        0 => out.extend_from_slice(packed),
        SNAPPY => {
            if snap::raw::decompress_len(packed).ok() != Some(length) {
                return broken("its Snappy bytes do not say the length that its header does");
            }
            out.resize(start + length, 0);
            let unpacked = snap::raw::Decoder::new().decompress(packed, &mut out[start..]);
            unpacked.or_else(|error| broken(format!("its Snappy bytes: {error}")))?;
        }
        GZIP => fill(flate2::read::MultiGzDecoder::new(packed), length, out, "gzip")?,
        ZSTD => {
            let unpacked = StreamingDecoder::new(packed).or_else(|error| broken(format!("its zstd bytes: {error}")))?;
            fill(unpacked, length, out, "zstd")?;
        }
        LZ4_RAW => {
            out.resize(start + length, 0);
            let unpacked = lz4_flex::block::decompress_into(packed, &mut out[start..]);
            out.truncate(start + unpacked.or_else(|error| broken(format!("its LZ4 bytes: {error}")))?);
        }
        LZ4_HADOOP => lz4_in_frames(packed, length, out)?,
        _ => return Err(unsupported(codec)),
    }
    match out.len() - start {
        unpacked if unpacked == length => Ok(()),
        unpacked => broken(format!("its {unpacked} bytes without compression should be {length}")),
    }
}

/// Whether [`decompress`] can do it, before any page is read.
pub fn check(codec: i64) -> Decoded<()> {
    if [0, SNAPPY, GZIP, LZ4_HADOOP, ZSTD, LZ4_RAW].contains(&codec) { Ok(()) } else { Err(unsupported(codec)) }
}

fn unsupported(codec: i64) -> Fault {
    let name = match codec {
        3 => "LZO".to_owned(),
        4 => "Brotli".to_owned(),
        other => format!("codec {other}"),
    };
    Fault::Unsupported(format!("it is compressed with {name}\nhint: write it with zstd, Snappy, gzip or LZ4"))
}

fn fill(unpacked: impl Read, length: usize, out: &mut Vec<u8>, name: &str) -> Decoded<()> {
    // One byte more than there should be, so that too much is seen as well as too little.
    let read = unpacked.take(length as u64 + 1).read_to_end(out);
    read.map(drop).or_else(|error| broken(format!("its {name} bytes: {error}")))
}

/// Hadoop's frames: the length without and with compression, big-endian, and then the bytes. Some writers leave the
/// frames out.
fn lz4_in_frames(packed: &[u8], length: usize, out: &mut Vec<u8>) -> Decoded<()> {
    let start = out.len();
    out.resize(start + length, 0);
    let (mut rest, mut filled) = (packed, start);
    while let Some((head, body)) = rest.split_first_chunk::<8>() {
        let [a, b, c, d, e, f, g, h] = *head;
        let (unpacked, taken) = (u32::from_be_bytes([a, b, c, d]) as usize, u32::from_be_bytes([e, f, g, h]) as usize);
        let (Some(frame), Some(room)) = (body.get(..taken), out[filled..].get_mut(..unpacked)) else { break };
        if lz4_flex::block::decompress_into(frame, room).ok() != Some(unpacked) {
            break;
        }
        filled += unpacked;
        rest = &body[taken..];
    }
    if rest.is_empty() && filled == out.len() {
        return Ok(());
    }
    let unpacked = lz4_flex::block::decompress_into(packed, &mut out[start..]);
    out.truncate(start + unpacked.or_else(|error| broken(format!("its LZ4 bytes: {error}")))?);
    Ok(())
}
