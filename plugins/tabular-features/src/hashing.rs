//! Hashes whose values are part of what is kept: they must never change.

/// Spreads the bits of a number; the last step of SplitMix64 (Steele, Lea, Flood, "Fast Splittable Pseudorandom Number
/// Generators", 2014).
pub fn mix(mut bits: u64) -> u64 {
    bits = (bits ^ (bits >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    bits = (bits ^ (bits >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    bits ^ (bits >> 31)
}

/// FNV-1a, 64 bits (RFC 9923).
pub fn fnv1a(bytes: &[u8]) -> u64 {
    bytes.iter().fold(0xcbf2_9ce4_8422_2325, |hash, &byte| (hash ^ u64::from(byte)).wrapping_mul(0x0000_0100_0000_01b3))
}

/// MurmurHash3, 32 bits for x86, seed 0, as a signed number: scikit-learn's `murmurhash3_32`.
pub fn murmur3(bytes: &[u8]) -> i32 {
    let scramble = |block: u32| block.wrapping_mul(0xcc9e_2d51).rotate_left(15).wrapping_mul(0x1b87_3593);
    let (blocks, tail) = bytes.as_chunks::<4>();
    let mut hash = 0_u32;
    for block in blocks {
        hash ^= scramble(u32::from_le_bytes(*block));
        hash = hash.rotate_left(13).wrapping_mul(5).wrapping_add(0xe654_6b64);
    }
    if !tail.is_empty() {
        let mut last = [0; 4];
        last[..tail.len()].copy_from_slice(tail);
        hash ^= scramble(u32::from_le_bytes(last));
    }
    // The length counts modulo 2^32, as in the reference.
    hash ^= bytes.len() as u32;
    hash = (hash ^ (hash >> 16)).wrapping_mul(0x85eb_ca6b);
    hash = (hash ^ (hash >> 13)).wrapping_mul(0xc2b2_ae35);
    (hash ^ (hash >> 16)) as i32
}

/// Where a token counts among `features`, and as what: scikit-learn's `FeatureHasher` with `alternate_sign`.
pub fn feature(token: &[u8], features: u32) -> (usize, f64) {
    let hash = murmur3(token);
    ((hash.unsigned_abs() % features) as usize, if hash >= 0 { 1.0 } else { -1.0 })
}

#[cfg(test)]
mod tests {
    use super::*;

    /// `sklearn.utils.murmurhash3_32`, and the reference values of FNV.
    #[test]
    fn hashes_never_change() {
        let hashes = ["", "a", "foo", "word", "hello world", "größe"].map(|text| murmur3(text.as_bytes()));
        assert_eq!(hashes, MURMUR);
        assert_eq!(fnv1a(b""), 0xcbf2_9ce4_8422_2325);
        assert_eq!(fnv1a(b"foobar"), 0x8594_4171_f739_67e8);
        assert_eq!(mix(1), 0x5692_161d_100b_05e5);
    }

    const MURMUR: [i32; 6] = [0, 1_009_084_850, -156_908_512, -968_174_432, 1_586_663_183, -472_672_705];
}
