//! Numbers and names as people read them.

/// Four significant digits, without zeros at the end.
pub fn number(value: f64) -> String {
    let size = value.abs();
    if value == 0.0 {
        // Zero has no sign that a reader cares for.
        return "0".to_owned();
    }
    if !value.is_finite() {
        return value.to_string();
    }
    if !(1e-3..1e7).contains(&size) {
        return format!("{value:.2e}");
    }
    let before_point = size.log10().floor() as i32;
    let text = format!("{value:.*}", usize::try_from(3 - before_point).unwrap_or(0));
    if text.contains('.') { text.trim_end_matches('0').trim_end_matches('.').to_owned() } else { text }
}

/// A share as percent: `12.5 %`.
pub fn percent(share: f64) -> String {
    format!("{} %", number(100.0 * share))
}

/// `1 row`, `2 rows`.
pub fn counted(count: u64, noun: &str) -> String {
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
            (0.123_456, "0.1235"),
            (12.345_678, "12.35"),
            (1_234_567.8, "1234568"),
            (1e-5, "1.00e-5"),
            (-0.5, "-0.5"),
            (f64::INFINITY, "inf"),
            (f64::NEG_INFINITY, "-inf"),
            (-0.0, "0"),
        ] {
            assert_eq!(number(value), text);
        }
        assert_eq!((percent(0.125), counted(1, "row")), ("12.5 %".to_owned(), "1 row".to_owned()));
    }
}
