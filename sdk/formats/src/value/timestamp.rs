//! Points in time, by own arithmetic: a few lines against a calendar crate in every component.

const SECOND: i64 = 1_000_000;
const MINUTE: i64 = 60 * SECOND;
const DAY: i64 = 24 * 60 * MINUTE;

/// Microseconds since 1970-01-01T00:00:00Z. Takes RFC 3339 (with `T`, `t` or a blank before the time), and the same
/// without offset (UTC), seconds or time. Fractions beyond the microsecond are cut; there is no leap second.
pub fn timestamp(text: &[u8]) -> Option<i64> {
    // What most are: no part has another length, so that nothing is to be looked for.
    if let Some([date @ .., b'T' | b' ', h1, h2, b':', m1, m2, b':', s1, s2]) = text.first_chunk::<19>()
        && text.len() == 19
    {
        let (hour, minute, second) = (two_digits(*h1, *h2)?, two_digits(*m1, *m2)?, two_digits(*s1, *s2)?);
        if hour > 23 || minute > 59 || second > 59 {
            return None;
        }
        return Some(midnight(date)? + (hour * 60 + minute) * MINUTE + second * SECOND);
    }
    let (date, rest) = text.split_at_checked(10)?;
    let midnight = midnight(date.first_chunk()?)?;
    match rest {
        [] => Some(midnight),
        [b'T' | b't' | b' ', time @ ..] => Some(midnight + time_and_offset(time)?),
        _ => None,
    }
}

/// Microseconds of `YYYY-MM-DD`.
#[inline]
fn midnight(date: &[u8; 10]) -> Option<i64> {
    let [y1, y2, y3, y4, b'-', m1, m2, b'-', d1, d2] = *date else { return None };
    let year = 100 * two_digits(y1, y2)? + two_digits(y3, y4)?;
    let (month, day) = (two_digits(m1, m2)?, two_digits(d1, d2)?);
    if !(1..=12).contains(&month) || !(1..=days_in_month(year, month)).contains(&day) {
        return None;
    }
    Some(days_since_1970(year, month, day) * DAY)
}

/// Microseconds since midnight UTC of `HH:MM[:SS[.f...]][Z|±HH:MM]`.
fn time_and_offset(text: &[u8]) -> Option<i64> {
    let [h1, h2, b':', m1, m2, rest @ ..] = text else { return None };
    let (hour, minute) = (two_digits(*h1, *h2)?, two_digits(*m1, *m2)?);
    let (seconds, rest) = match rest {
        [b':', s1, s2, rest @ ..] => (two_digits(*s1, *s2)?, rest),
        rest => (0, rest),
    };
    if hour > 23 || minute > 59 || seconds > 59 {
        return None;
    }
    let (fraction, rest) = match rest {
        [b'.', rest @ ..] if text.get(5) == Some(&b':') => fraction(rest)?,
        rest => (0, rest),
    };
    Some((hour * 60 + minute) * MINUTE + seconds * SECOND + fraction - offset(rest)?)
}

/// Microseconds, and what follows the digits.
fn fraction(text: &[u8]) -> Option<(i64, &[u8])> {
    let digits = text.iter().take_while(|byte| byte.is_ascii_digit()).count();
    if digits == 0 {
        return None;
    }
    let (fraction, rest) = text.split_at(digits);
    let mut micros = 0;
    for place in 0..6 {
        micros = micros * 10 + fraction.get(place).map_or(0, |byte| i64::from(byte - b'0'));
    }
    Some((micros, rest))
}

/// Microseconds that the place is ahead of UTC.
fn offset(text: &[u8]) -> Option<i64> {
    match *text {
        [] | [b'Z' | b'z'] => Some(0),
        [sign @ (b'+' | b'-'), h1, h2, b':', m1, m2] => {
            let (hours, minutes) = (two_digits(h1, h2)?, two_digits(m1, m2)?);
            let ahead = (hours < 24 && minutes < 60).then_some((hours * 60 + minutes) * MINUTE)?;
            Some(if sign == b'+' { ahead } else { -ahead })
        }
        _ => None,
    }
}

fn two_digits(tens: u8, ones: u8) -> Option<i64> {
    let both = tens.is_ascii_digit() && ones.is_ascii_digit();
    both.then(|| 10 * i64::from(tens - b'0') + i64::from(ones - b'0'))
}

fn days_in_month(year: i64, month: i64) -> i64 {
    match month {
        4 | 6 | 9 | 11 => 30,
        2 if year % 4 == 0 && (year % 100 != 0 || year % 400 == 0) => 29,
        2 => 28,
        _ => 31,
    }
}

/// H. Hinnant, "chrono-compatible low-level date algorithms", `days_from_civil`: years begin in March, so that the
/// leap day is the last one. From year -400 on, so that nothing is negative and divisions are those of 32 bits without
/// a sign.
#[inline]
fn days_since_1970(year: i64, month: i64, day: i64) -> i64 {
    let (year, month, day) = (year as u32 + 400, month as u32, day as u32);
    let (year, month) = if month <= 2 { (year - 1, month + 9) } else { (year, month - 3) };
    let day_of_year = (153 * month + 2) / 5 + day - 1;
    let days = year * 365 + year / 4 - year / 100 + year / 400 + day_of_year;
    i64::from(days) - 719_468 - 146_097
}

#[cfg(test)]
mod tests {
    use super::*;

    fn at(text: &str) -> Option<i64> {
        timestamp(text.as_bytes())
    }

    #[test]
    fn reads_the_usual_forms() {
        assert_eq!(at("1970-01-01"), Some(0));
        assert_eq!(at("1969-12-31 23:59:59.999999"), Some(-1));
        assert_eq!(at("2000-02-29T00:00:00Z"), Some(951_782_400 * SECOND));
        assert_eq!(at("2026-11-21 12:00"), at("2026-11-21T12:00:00Z"));
        assert_eq!(at("2026-11-21T14:30:00+02:30"), at("2026-11-21t12:00:00z"));
        assert_eq!(at("2026-11-21T12:00:00.5"), Some(at("2026-11-21T12:00").unwrap() + 500_000));
        assert_eq!(at("2026-11-21T12:00:00.123456789"), Some(at("2026-11-21T12:00").unwrap() + 123_456));
        assert_eq!(at("0000-01-01"), Some(-62_167_219_200 * SECOND));
        assert_eq!(at("9999-12-31T23:59:59.999999Z"), Some(253_402_300_799 * SECOND + 999_999));
    }

    #[test]
    fn days_follow_each_other() {
        let mut last = at("0000-01-01").unwrap() - DAY;
        for year in 0..10_000 {
            for month in 1..=12 {
                for day in 1..=days_in_month(year, month) {
                    last += DAY;
                    assert_eq!(days_since_1970(year, month, day) * DAY, last, "{year}-{month}-{day}");
                }
            }
        }
        assert_eq!(at("9999-12-31"), Some(last));
    }

    #[test]
    fn refuses_what_is_no_time() {
        let wrong = [
            "",
            "2026",
            "2026-1-1",
            "2026-13-01",
            "2026-02-29",
            "1900-02-29",
            "2026-04-31",
            "2026-01-00",
            "2026-01-01T",
            "2026-01-01T24:00",
            "2026-01-01T12:60",
            "2026-01-01T12:00:60",
            "2026-01-01T12:00.5",
            "2026-01-01T12:00:00.",
            "2026-01-01T12:00:00+2",
            "2026-01-01T12:00:00+25:00",
            "2026-01-01x",
            "2026/01/01",
            "2026-01-01T12:00:00 Z",
        ];
        for text in wrong {
            assert_eq!(at(text), None, "{text}");
        }
    }
}
