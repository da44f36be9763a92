//! Sizes (`1GiB`) and durations (`5m`) as people write them.

use std::time::Duration;

/// From largest to smallest; the first of a size is the one to print with.
const SIZES: [(&str, u64); 9] = [
    ("TiB", 1 << 40),
    ("GiB", 1 << 30),
    ("MiB", 1 << 20),
    ("KiB", 1 << 10),
    ("TB", 1_000_000_000_000),
    ("GB", 1_000_000_000),
    ("MB", 1_000_000),
    ("kB", 1_000),
    ("B", 1),
];

const DURATIONS: [(&str, u64); 5] = [("d", 86_400_000), ("h", 3_600_000), ("ms", 1), ("m", 60_000), ("s", 1_000)];

/// Bytes from `512MiB`, `1.5GB` or a bare number.
pub fn parse_size(text: &str) -> Result<u64, String> {
    let wrong = || format!("`{text}` is not a size: expected a number and a unit, such as `512MiB`, `1GiB` or `10MB`");
    let (number, unit) = split(text).ok_or_else(wrong)?;
    let unit = if unit.is_empty() { "B" } else { unit };
    let (_, scale) = SIZES.iter().find(|(name, _)| name.eq_ignore_ascii_case(unit)).ok_or_else(wrong)?;
    scaled(number, *scale).filter(|bytes| *bytes > 0).ok_or_else(wrong)
}

/// A span of time from `500ms`, `30s`, `5m`, `2h` or `1d`.
pub fn parse_duration(text: &str) -> Result<Duration, String> {
    let wrong =
        || format!("`{text}` is not a duration: expected a number and a unit, such as `500ms`, `30s`, `5m` or `2h`");
    let (number, unit) = split(text).ok_or_else(wrong)?;
    let (_, scale) = DURATIONS.iter().find(|(name, _)| *name == unit).ok_or_else(wrong)?;
    scaled(number, *scale).filter(|ms| *ms > 0).map(Duration::from_millis).ok_or_else(wrong)
}

/// The inverse of [`parse_size`], in the largest binary unit that divides it.
pub fn format_size(bytes: u64) -> String {
    let (unit, scale) =
        SIZES[..4].iter().find(|(_, scale)| bytes >= *scale && bytes.is_multiple_of(*scale)).unwrap_or(&SIZES[8]);
    format!("{}{unit}", bytes / scale)
}

/// The inverse of [`parse_duration`], to the millisecond, in the largest unit that divides it.
pub fn format_duration(duration: Duration) -> String {
    let ms = u64::try_from(duration.as_millis()).unwrap_or(u64::MAX);
    let (unit, scale) = [DURATIONS[1], DURATIONS[3], DURATIONS[4], DURATIONS[2]]
        .into_iter()
        .find(|(_, scale)| ms >= *scale && ms % scale == 0)
        .unwrap_or(DURATIONS[2]);
    format!("{}{unit}", ms / scale)
}

/// `1.5GiB` into `1.5` and `GiB`.
fn split(text: &str) -> Option<(&str, &str)> {
    let text = text.trim();
    let end = text.find(|c: char| !c.is_ascii_digit() && c != '.').unwrap_or(text.len());
    (end > 0).then(|| (&text[..end], text[end..].trim_start()))
}

/// Exact for whole numbers; a fraction such as `1.5` is scaled digit by digit, so that no binary rounding shows.
fn scaled(number: &str, scale: u64) -> Option<u64> {
    let (whole, fraction) = number.split_once('.').unwrap_or((number, "0"));
    if fraction.is_empty() || fraction.len() > 9 || fraction.contains('.') {
        return None;
    }
    let whole = whole.parse::<u64>().ok()?.checked_mul(scale)?;
    let part = u128::from(fraction.parse::<u64>().ok()?) * u128::from(scale) / 10u128.pow(fraction.len() as u32);
    whole.checked_add(u64::try_from(part).ok()?)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn reads_sizes() {
        for (text, bytes) in [
            ("512MiB", 512 << 20),
            ("1GiB", 1 << 30),
            ("10MB", 10_000_000),
            ("1.5 KiB", 1536),
            ("77", 77),
            ("1gib", 1 << 30),
        ] {
            assert_eq!(parse_size(text), Ok(bytes), "{text}");
        }
        for text in ["", "GiB", "-1MB", "1XB", "0", "1.2.3MB", "99999999999TiB", "1e3"] {
            assert!(parse_size(text).is_err(), "{text}");
        }
    }

    #[test]
    fn reads_durations() {
        for (text, ms) in [("500ms", 500), ("30s", 30_000), ("5m", 300_000), ("2h", 7_200_000), ("1.5s", 1_500)] {
            assert_eq!(parse_duration(text), Ok(Duration::from_millis(ms)), "{text}");
        }
        for text in ["", "5", "m", "0s", "5 minutes", "-1s"] {
            assert!(parse_duration(text).is_err(), "{text}");
        }
    }

    #[test]
    fn prints_what_it_reads() {
        for text in ["1GiB", "512MiB", "1536KiB", "77B"] {
            assert_eq!(format_size(parse_size(text).unwrap()), text);
        }
        for text in ["500ms", "30s", "5m", "2h", "1500ms"] {
            assert_eq!(format_duration(parse_duration(text).unwrap()), text);
        }
    }
}
