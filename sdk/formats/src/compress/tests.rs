//! Tests of the door. Damaged files stand in `csv::malformed`.

use std::io::Write;

use flate2::Compression;
use flate2::write::GzEncoder;
use proptest::prelude::*;
use ruzstd::encoding::{CompressionLevel, compress_to_vec};

use super::*;

fn gzip(bytes: &[u8]) -> Vec<u8> {
    let mut encoder = GzEncoder::new(Vec::new(), Compression::default());
    encoder.write_all(bytes).unwrap();
    encoder.finish().unwrap()
}

/// All of the content, in reads of `step` bytes.
fn content(bytes: &[u8], step: usize) -> io::Result<Vec<u8>> {
    let mut content = Content::new(bytes);
    let mut all = Vec::new();
    let mut buffer = vec![0; step];
    loop {
        match content.read(&mut buffer)? {
            0 => return Ok(all),
            read => all.extend_from_slice(&buffer[..read]),
        }
    }
}

#[test]
fn bombs_are_stopped() {
    let member = gzip(&vec![b'\n'; 8 << 20]);
    let bomb: Vec<u8> = std::iter::repeat_n(member, 50).flatten().collect();
    let mut content = Content::new(&bomb[..]);
    let mut given = 0;
    let mut buffer = vec![0; 1 << 20];
    let error = loop {
        match content.read(&mut buffer) {
            Ok(0) => panic!("{given} bytes were given"),
            Ok(read) => given += read as u64,
            Err(error) => break error,
        }
    };
    assert_eq!(error.kind(), io::ErrorKind::InvalidData);
    assert!(error.to_string().contains("more than 256 MiB and 200 times"), "{error}");
    assert!(given <= FREE_BYTES + MAX_RATIO * bomb.len() as u64);
}

proptest! {
    #[test]
    fn what_was_compressed_comes_back(
        bytes in proptest::collection::vec(any::<u8>(), 0..5_000),
        step in 1..3_000_usize,
    ) {
        prop_assert_eq!(&content(&gzip(&bytes), step).unwrap(), &bytes);
        prop_assert_eq!(&content(&compress_to_vec(&bytes[..], CompressionLevel::Fastest), step).unwrap(), &bytes);
        if !bytes.starts_with(gzip::MAGIC) && !zstd::is_frame(&bytes) {
            prop_assert_eq!(&content(&bytes, step).unwrap(), &bytes);
        }
    }

    /// Whatever is behind the marks, it is content or an error.
    #[test]
    fn any_bytes_are_read_or_refused(
        mut bytes in proptest::collection::vec(any::<u8>(), 4..300),
        is_gzip in any::<bool>(),
    ) {
        let mark: &[u8] = if is_gzip { &[0x1f, 0x8b, 8, 0] } else { &[0x28, 0xb5, 0x2f, 0xfd] };
        bytes[..4].copy_from_slice(mark);
        let _ = content(&bytes, 100);
    }

    #[test]
    fn damage_is_found_or_harmless(at in 0..400_usize, bit in 0..8_u32, zstd in any::<bool>()) {
        let row = |row: u32| format!("{row},{}\n", row * 7919 % 1000).into_bytes();
        let text: Vec<u8> = (0..500).flat_map(row).collect();
        let mut packed = if zstd { compress_to_vec(&text[..], CompressionLevel::Fastest) } else { gzip(&text) };
        let at = at % packed.len();
        packed[at] ^= 1 << bit;
        if let Ok(content) = content(&packed, 64) {
            // The mark itself, or a field of the header that says nothing of the content.
            prop_assert!(content == text || at < 10, "byte {at}");
        }
    }
}
