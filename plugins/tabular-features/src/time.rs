//! Dates: parts of an instant, and instants from text. All times are UTC; the calendar is the proleptic Gregorian one.

use crate::config::Part;

const MICROS_A_SECOND: i64 = 1_000_000;
const SECONDS_A_DAY: i64 = 86_400;
/// Microseconds in a day.
pub const MICROS_A_DAY: i64 = SECONDS_A_DAY * MICROS_A_SECOND;

impl Part {
    /// As in configurations and feature names.
    pub fn name(self) -> &'static str {
        match self {
            Part::Year => "year",
            Part::Quarter => "quarter",
            Part::Month => "month",
            Part::Week => "week",
            Part::Day => "day",
            Part::DayOfYear => "day_of_year",
            Part::Weekday => "weekday",
            Part::Weekend => "weekend",
            Part::Hour => "hour",
            Part::Minute => "minute",
            Part::Second => "second",
        }
    }

    /// The part of an instant in microseconds since 1970-01-01T00:00:00Z.
    pub fn of(self, micros: i64) -> i64 {
        let days = micros.div_euclid(MICROS_A_DAY);
        let second = micros.rem_euclid(MICROS_A_DAY) / MICROS_A_SECOND;
        match self {
            Part::Year => date(days).0,
            Part::Quarter => (date(days).1 - 1) / 3 + 1,
            Part::Month => date(days).1,
            Part::Week => week(days),
            Part::Day => date(days).2,
            Part::DayOfYear => day_of_year(days),
            Part::Weekday => weekday(days),
            Part::Weekend => i64::from(weekday(days) >= 5),
            Part::Hour => second / 3600,
            Part::Minute => second / 60 % 60,
            Part::Second => second % 60,
        }
    }

    /// The least value and how many there are; `None` for parts that do not come round.
    pub fn cycle(self) -> Option<(i64, i64)> {
        match self {
            Part::Year | Part::Weekend => None,
            Part::Quarter => Some((1, 4)),
            Part::Month => Some((1, 12)),
            Part::Week => Some((1, 53)),
            Part::Day => Some((1, 31)),
            Part::DayOfYear => Some((1, 366)),
            Part::Weekday => Some((0, 7)),
            Part::Hour => Some((0, 24)),
            Part::Minute | Part::Second => Some((0, 60)),
        }
    }

    /// Sine and cosine of the part's place in its cycle.
    pub fn on_circle(self, micros: i64) -> (f64, f64) {
        let (least, count) = self.cycle().unwrap_or((0, 1));
        let angle = std::f64::consts::TAU * (self.of(micros) - least) as f64 / count as f64;
        angle.sin_cos()
    }
}

/// 0 is Monday; 1970-01-01 was a Thursday.
fn weekday(days: i64) -> i64 {
    (days + 3).rem_euclid(7)
}

fn day_of_year(days: i64) -> i64 {
    days - days_of(date(days).0, 1, 1) + 1
}

/// ISO 8601: the week belongs to the year of its Thursday.
fn week(days: i64) -> i64 {
    (day_of_year(days - weekday(days) + 3) - 1) / 7 + 1
}

/// Year, month and day of a day since 1970-01-01. Howard Hinnant, "chrono-Compatible Low-Level Date Algorithms",
/// `civil_from_days`.
fn date(days: i64) -> (i64, i64, i64) {
    let shifted = days + 719_468;
    let (era, day_of_era) = (shifted.div_euclid(146_097), shifted.rem_euclid(146_097));
    let year_of_era = (day_of_era - day_of_era / 1460 + day_of_era / 36_524 - day_of_era / 146_096) / 365;
    let day = day_of_era - (365 * year_of_era + year_of_era / 4 - year_of_era / 100);
    let shifted_month = (5 * day + 2) / 153;
    let month = if shifted_month < 10 { shifted_month + 3 } else { shifted_month - 9 };
    let year = year_of_era + era * 400 + i64::from(month <= 2);
    (year, month, day - (153 * shifted_month + 2) / 5 + 1)
}

/// The inverse of [`date`]: `days_from_civil` of the same source.
fn days_of(year: i64, month: i64, day: i64) -> i64 {
    let year = year - i64::from(month <= 2);
    let (era, year_of_era) = (year.div_euclid(400), year.rem_euclid(400));
    let shifted_month = if month > 2 { month - 3 } else { month + 9 };
    let day_of_year = (153 * shifted_month + 2) / 5 + day - 1;
    era * 146_097 + year_of_era * 365 + year_of_era / 4 - year_of_era / 100 + day_of_year - 719_468
}

/// Microseconds since 1970-01-01T00:00:00Z of `2020-01-31` or `2020-01-31T12:00:00Z`; `None` for anything else.
pub fn parse(text: &str) -> Option<i64> {
    let (day, time) = match text.strip_suffix('Z').unwrap_or(text).split_once(['T', ' ']) {
        Some((day, time)) => (day, time),
        None if text.ends_with('Z') => return None,
        None => (text, "00:00:00"),
    };
    let [year, month, day] = fields(day, '-', [4, 2, 2])?;
    let [hour, minute, second] = fields(time, ':', [2, 2, 2])?;
    let days = days_of(year, month, day);
    let valid = date(days) == (year, month, day) && hour < 24 && minute < 60 && second < 60;
    valid.then_some((days * SECONDS_A_DAY + hour * 3600 + minute * 60 + second) * MICROS_A_SECOND)
}

fn fields(text: &str, separator: char, lengths: [usize; 3]) -> Option<[i64; 3]> {
    let mut parts = text.split(separator);
    let mut fields = [0; 3];
    for (field, length) in fields.iter_mut().zip(lengths) {
        let part =
            parts.next().filter(|part| part.len() == length && part.bytes().all(|byte| byte.is_ascii_digit()))?;
        *field = part.parse().ok()?;
    }
    parts.next().is_none().then_some(fields)
}

/// The instant as `2020-01-31T12:00:00Z`, for people.
pub fn display(micros: i64) -> String {
    let (year, month, day) = date(micros.div_euclid(MICROS_A_DAY));
    let (hour, minute, second) = (Part::Hour.of(micros), Part::Minute.of(micros), Part::Second.of(micros));
    format!("{year:04}-{month:02}-{day:02}T{hour:02}:{minute:02}:{second:02}Z")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn parts_agree_with_a_calendar() {
        let noon = parse("2024-12-30T12:34:56Z").unwrap();
        let parts = [Part::Year, Part::Quarter, Part::Month, Part::Week, Part::Day, Part::DayOfYear, Part::Weekday];
        assert_eq!(parts.map(|part| part.of(noon)), [2024, 4, 12, 1, 30, 365, 0]);
        assert_eq!([Part::Hour, Part::Minute, Part::Second, Part::Weekend].map(|part| part.of(noon)), [12, 34, 56, 0]);
        let before = parse("1969-12-28").unwrap() - 1;
        assert_eq!([Part::Day, Part::Hour, Part::Weekend, Part::Week].map(|part| part.of(before)), [27, 23, 1, 52]);
        assert_eq!(Part::Week.of(parse("2021-01-03").unwrap()), 53);
        let extremes = [i64::MIN, i64::MAX].map(|micros| Part::Weekday.of(micros));
        assert!(extremes.iter().all(|weekday| (0..7).contains(weekday)));
    }

    #[test]
    fn text_is_a_date_or_nothing() {
        assert_eq!(parse("1970-01-02"), Some(MICROS_A_DAY));
        assert_eq!(parse("2020-02-29 00:00:01"), Some(1_582_934_401_000_000));
        assert_eq!(display(1_582_934_401_000_000), "2020-02-29T00:00:01Z");
        for wrong in ["2021-02-29", "2020-1-1", "2020-01-01Z", "2020-01-01T24:00:00Z", "x", "", "2020-01-01-01", "é"] {
            assert_eq!(parse(wrong), None, "{wrong}");
        }
    }
}
