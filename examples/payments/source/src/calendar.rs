//! Days as microseconds since 1970-01-01T00:00:00Z.

use crate::world::DAY;

/// The beginning of a day that is written as `YYYY-MM-DD`; nothing where there is no such day.
pub fn day(text: &str) -> Option<i64> {
    let parts: Vec<&str> = text.split('-').collect();
    let [year, month, day] = parts[..] else { return None };
    let digits = |text: &str, count: usize| -> Option<i64> {
        (text.len() == count && text.bytes().all(|byte| byte.is_ascii_digit())).then(|| text.parse().ok())?
    };
    let (year, month, day) = (digits(year, 4)?, digits(month, 2)?, digits(day, 2)?);
    let leap = year % 4 == 0 && (year % 100 != 0 || year % 400 == 0);
    let length = match month {
        2 => 28 + i64::from(leap),
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return None,
    };
    if !(1..=length).contains(&day) {
        return None;
    }
    // Years that begin in March, so that the leap day is the last. Source: H. Hinnant, "chrono-Compatible Low-Level
    // Date Algorithms", `days_from_civil`.
    let year = if month <= 2 { year - 1 } else { year };
    let day_of_year = (153 * ((month + 9) % 12) + 2) / 5 + day - 1;
    let days = 365 * year + year.div_euclid(4) - year.div_euclid(100) + year.div_euclid(400) + day_of_year - 719_468;
    Some(days * DAY)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn days() {
        assert_eq!(day("1970-01-01"), Some(0));
        assert_eq!(day("2000-03-01"), Some(951_868_800_000_000));
        assert_eq!(day("2026-01-01"), Some(1_767_225_600_000_000));
        assert_eq!(day("2024-02-29"), Some(1_709_164_800_000_000));
        for wrong in ["2023-02-29", "2023-13-01", "2023-00-01", "2023-1-1", "", "2023-01-00", "+023-01-01"] {
            assert_eq!(day(wrong), None, "{wrong}");
        }
    }
}
