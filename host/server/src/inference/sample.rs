//! Which requests are logged.

/// Whether the id is in a sample of this share: its hash, as a number between 0 and 1, is below it. A larger share
/// holds every smaller one.
pub(super) fn is_in(id: &str, share: f64) -> bool {
    if share >= 1.0 {
        return true;
    }
    let [a, b, c, d, e, f, g, h, ..] = *blake3::hash(id.as_bytes()).as_bytes();
    // 53 bits are what a double holds exactly.
    let hash = (u64::from_le_bytes([a, b, c, d, e, f, g, h]) >> 11) as f64 / (1_u64 << 53) as f64;
    hash < share
}
