//! Times and distances in time as text.

use wasmlops_sdk::DataType;

use crate::config::Span;

const SECOND: i64 = 1_000_000;
const DAY: i64 = 86_400 * SECOND;

/// A distance in the unit of a column.
#[derive(Clone, Copy, PartialEq, Debug)]
pub enum Distance {
    Whole(i64),
    Float(f64),
}

/// The distance for a column of this type. Errors: why it does not fit, with the fix.
pub fn distance(span: &Span, data_type: DataType) -> Result<Distance, String> {
    match (span, data_type) {
        (Span::Text(text), DataType::Timestamp) => duration(text).map(Distance::Whole),
        (Span::Number(_), DataType::Timestamp) => {
            Err("must be text with a unit for a timestamp\nhint: write `7d`, `12h`, `30m`, `45s` or `500ms`".to_owned())
        }
        (Span::Text(text), other) => {
            Err(format!("must be a number for a column that is {}, not `{text}`", other.name()))
        }
        (Span::Number(number), _) if !number.is_finite() || *number < 0.0 => Err("must not be negative".to_owned()),
        (Span::Number(number), DataType::S64) => {
            // Every whole number below 2^63 that a float can hold is an i64; what lies above reaches as far as any.
            Ok(Distance::Whole(number.floor() as i64))
        }
        (Span::Number(number), _) => Ok(Distance::Float(*number)),
    }
}

/// Microseconds of `7d`, `12h`, `30m`, `45s`, `500ms` or `250us`. Errors: why it is none, with the fix.
pub fn duration(text: &str) -> Result<i64, String> {
    let wrong = || format!("`{text}` is no duration\nhint: write `7d`, `12h`, `30m`, `45s` or `500ms`");
    let end = text.find(|letter: char| !letter.is_ascii_digit()).ok_or_else(wrong)?;
    let unit = match &text[end..] {
        "d" => DAY,
        "h" => 3_600 * SECOND,
        "m" => 60 * SECOND,
        "s" => SECOND,
        "ms" => 1_000,
        "us" => 1,
        _ => return Err(wrong()),
    };
    let number: i64 = text[..end].parse().map_err(|_| wrong())?;
    number.checked_mul(unit).ok_or_else(wrong)
}

/// Microseconds since 1970-01-01T00:00:00Z of a date, or of a date and time as in RFC 3339. Errors: why it is none.
pub fn timestamp(text: &str) -> Result<i64, String> {
    parse_timestamp(text).ok_or_else(|| {
        format!("`{text}` is no time\nhint: write `2026-03-01` or `2026-03-01T12:30:00Z`, with an offset if need be")
    })
}

fn parse_timestamp(text: &str) -> Option<i64> {
    if !text.is_ascii() {
        return None;
    }
    let (date, time) = text.split_at_checked(10)?;
    let days = days(date)?;
    if time.is_empty() {
        return days.checked_mul(DAY);
    }
    let time = time.strip_prefix(['T', 't', ' '])?;
    let (clock, offset) = match time.find(['Z', 'z', '+', '-']) {
        Some(at) => time.split_at(at),
        None => return None,
    };
    let minutes = match offset.as_bytes() {
        [b'Z' | b'z'] => 0,
        [sign, rest @ ..] if rest.len() == 5 && rest[2] == b':' => {
            let minutes = number(&offset[1..3], 23)? * 60 + number(&offset[4..6], 59)?;
            if *sign == b'-' { -minutes } else { minutes }
        }
        _ => return None,
    };
    days.checked_mul(DAY)?.checked_add(micros_of_day(clock)? - minutes * 60 * SECOND)
}

/// `12:30`, `12:30:00` or `12:30:00.123456`.
fn micros_of_day(clock: &str) -> Option<i64> {
    let (clock, fraction) = clock.split_once('.').unwrap_or((clock, "0"));
    let parts: Vec<&str> = clock.split(':').collect();
    let ([hour, minute] | [hour, minute, _]) = parts.as_slice() else { return None };
    let second = parts.get(2).map_or(Some(0), |second| number(second, 59))?;
    if fraction.is_empty() || fraction.len() > 6 || !fraction.bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let micros: i64 = format!("{fraction:0<6}").parse().ok()?;
    Some((number(hour, 23)? * 3_600 + number(minute, 59)? * 60 + second) * SECOND + micros)
}

fn number(text: &str, most: i64) -> Option<i64> {
    let plain = text.len() == 2 && text.bytes().all(|digit| digit.is_ascii_digit());
    plain.then(|| text.parse().ok()).flatten().filter(|number| *number <= most)
}

/// Days since 1970-01-01 in the proleptic Gregorian calendar (Howard Hinnant, "chrono-Compatible Low-Level Date
/// Algorithms", `days_from_civil`).
fn days(date: &str) -> Option<i64> {
    let bytes = date.as_bytes();
    if bytes[4] != b'-' || bytes[7] != b'-' || !date[..4].bytes().all(|digit| digit.is_ascii_digit()) {
        return None;
    }
    let (year, month, day): (i64, i64, i64) =
        (date[..4].parse().ok()?, number(&date[5..7], 12)?, number(&date[8..10], 31)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let most = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        _ => 31,
    };
    if month == 0 || day == 0 || day > most {
        return None;
    }
    let year = if month <= 2 { year - 1 } else { year };
    let era = year.div_euclid(400);
    let of_era = year - era * 400;
    let of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    Some(era * 146_097 + of_era * 365 + of_era / 4 - of_era / 100 + of_year - 719_468)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_and_durations() {
        assert_eq!(timestamp("1970-01-02"), Ok(DAY));
        assert_eq!(timestamp("2026-03-01T12:30:00.5Z"), Ok(1_772_368_200_500_000));
        assert_eq!(timestamp("2026-03-01T13:30:00+01:00"), timestamp("2026-03-01T12:30Z"));
        assert_eq!(timestamp("2000-02-29"), Ok(11_016 * DAY));
        assert_eq!((duration("7d"), duration("500ms")), (Ok(7 * DAY), Ok(500_000)));
        for wrong in ["", "2026", "2026-02-29", "2026-13-01", "2026-01-00", "2026-01-01T1Z", "2026-01-01T00:00:00"] {
            assert!(timestamp(wrong).is_err(), "{wrong}");
        }
        for wrong in ["", "7", "d", "7w", "-1d", "99999999999999999d"] {
            assert!(duration(wrong).is_err(), "{wrong}");
        }
    }
}
