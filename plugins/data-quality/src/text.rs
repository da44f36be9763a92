//! Values, spans of time and points in time, as people write and read them.

use wasmlops_sdk::prelude::*;

/// The most characters of a value that are shown.
const SHOWN: usize = 60;

/// Units of a duration, in microseconds; longer names first, so that `ms` is not read as `s`.
const UNITS: [(&str, f64); 5] = [("ms", 1e3), ("s", 1e6), ("m", 6e7), ("h", 3.6e9), ("d", 8.64e10)];

/// Microseconds from `90s`, `30m`, `1.5h` or `7d`.
pub fn duration(text: &str) -> Option<i64> {
    let (number, scale) = UNITS.iter().find_map(|(unit, scale)| Some((text.strip_suffix(unit)?, scale)))?;
    if !number.chars().all(|c| c.is_ascii_digit() || c == '.') {
        return None;
    }
    let micros = number.parse::<f64>().ok()? * scale;
    (micros < i64::MAX as f64).then_some(micros.round() as i64)
}

/// A point in time as RFC 3339 has it, to the second: `2026-11-21T09:30:00Z`. `micros` count from 1970.
pub fn time(micros: i64) -> String {
    let seconds = micros.div_euclid(1_000_000);
    let (days, second) = (seconds.div_euclid(86_400), seconds.rem_euclid(86_400));
    let (year, month, day) = civil(days);
    let (hour, minute, second) = (second / 3600, second / 60 % 60, second % 60);
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

/// Year, month and day from days since 1970-01-01, in the proleptic Gregorian calendar. Source: Howard Hinnant,
/// "chrono-Compatible Low-Level Date Algorithms", `civil_from_days`.
fn civil(days: i64) -> (i64, i64, i64) {
    let days = days + 719_468;
    let era = days.div_euclid(146_097);
    let day_of_era = days.rem_euclid(146_097);
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day_of_year = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let month = (5 * day_of_year + 2) / 153;
    let day = day_of_year - (153 * month + 2) / 5 + 1;
    let month = if month < 10 { month + 3 } else { month - 9 };
    (year_of_era + era * 400 + i64::from(month <= 2), month, day)
}

/// A row's value in backticks: control characters made visible, long ones cut.
pub fn value(column: &Column, row: usize) -> String {
    let text = match column.as_s64() {
        Some(micros) if column.data_type() == DataType::Timestamp && !column.is_null(row) => time(micros[row]),
        _ => column.display(row),
    };
    format!("`{}`", shortened(&text))
}

fn shortened(text: &str) -> String {
    let mut short: String = text.chars().take(SHOWN).flat_map(char::escape_debug).collect();
    if text.chars().nth(SHOWN).is_some() {
        short.push('…');
    }
    // Quotes and backslashes are harmless, and easier to read as they are.
    short.replace("\\\"", "\"").replace("\\'", "'").replace("\\\\", "\\")
}

/// `1 row`, `2 rows`.
pub fn counted(count: u64, noun: &str) -> String {
    if count == 1 { format!("1 {noun}") } else { format!("{count} {noun}s") }
}

/// ``1 of 40 values of `x` is``, ``3 of 40 values of `x` are``.
pub fn share(count: u64, rows: u64, name: &str) -> String {
    let verb = if count == 1 { "is" } else { "are" };
    format!("{count} of {} of `{name}` {verb}", counted(rows, "value"))
}

/// Names in backticks, the first 20 of them.
pub fn names<'a>(names: impl IntoIterator<Item = &'a str>) -> String {
    const NAMES: usize = 20;
    let all: Vec<&str> = names.into_iter().collect();
    let mut shown: Vec<String> = all.iter().take(NAMES).map(|name| format!("`{}`", shortened(name))).collect();
    if all.len() > NAMES {
        shown.push(format!("{} more", all.len() - NAMES));
    }
    shown.join(", ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn durations() {
        let hour = 3_600_000_000;
        for (text, micros) in [("500ms", 500_000), ("90s", 90_000_000), ("1.5h", hour * 3 / 2), ("7d", 7 * 24 * hour)] {
            assert_eq!(duration(text), Some(micros), "{text}");
        }
        for text in ["", "d", "7", "7 days", "-1d", "1.2.3s", "1e3s", "99999999999999999d"] {
            assert_eq!(duration(text), None, "{text}");
        }
    }

    #[test]
    fn times() {
        assert_eq!(time(0), "1970-01-01T00:00:00Z");
        assert_eq!(time(-1), "1969-12-31T23:59:59Z");
        assert_eq!(time(951_782_400_000_000), "2000-02-29T00:00:00Z");
        assert_eq!(time(1_795_253_400_123_456), "2026-11-21T09:30:00Z");
    }

    #[test]
    fn values_are_short_and_visible() {
        let column = Column::from_text(["a\nb", &"x".repeat(100), "say \"é\""]);
        assert_eq!(value(&column, 0), "`a\\nb`");
        assert_eq!(value(&column, 1), format!("`{}…`", "x".repeat(60)));
        assert_eq!(value(&column, 2), "`say \"é\"`");
    }
}
