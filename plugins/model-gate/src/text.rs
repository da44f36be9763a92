//! Numbers and names as people read them.

/// Six significant digits; all digits for a number that would then look like `other` without being it.
pub fn number(value: f64, other: f64) -> String {
    let short = short(value);
    if value != other && short == self::short(other) { value.to_string() } else { short }
}

/// Six significant digits, without zeros at the end.
pub fn short(value: f64) -> String {
    let size = value.abs();
    if size != 0.0 && !(1e-4..1e15).contains(&size) {
        return format!("{value:.5e}");
    }
    let before_point = if size < 1.0 { 0 } else { size.log10() as usize };
    let text = format!("{value:.*}", 5_usize.saturating_sub(before_point) + usize::from(size < 1.0));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// `1 row`, `2 rows`.
pub fn counted(count: usize, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// A name in backticks: control characters made visible, long ones cut.
pub fn name(name: &str) -> String {
    const SHOWN: usize = 60;
    let short: String = name.chars().take(SHOWN).map(|c| if c.is_control() { '\u{fffd}' } else { c }).collect();
    let cut = if name.chars().nth(SHOWN).is_some() { "…" } else { "" };
    format!("`{short}{cut}`")
}

/// Names in backticks, the first 10 of them.
pub fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const SHOWN: usize = 10;
    let all: Vec<&str> = names.into_iter().collect();
    let mut shown: Vec<String> = all.iter().take(SHOWN).map(|text| name(text)).collect();
    if all.len() > SHOWN {
        shown.push(format!("{} more", all.len() - SHOWN));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        for (value, text) in [
            (0.0, "0"),
            (0.98, "0.98"),
            (1.0, "1"),
            (0.123_456_789, "0.123457"),
            (-12.345_678_9, "-12.3457"),
            (1_234_567.8, "1234568"),
            (0.000_01, "1.00000e-5"),
            (1e300, "1.00000e300"),
        ] {
            assert_eq!(short(value), text);
        }
        assert_eq!(number(0.979_999_99, 0.98), "0.97999999");
        assert_eq!(number(0.98, 0.98), "0.98");
    }
}
