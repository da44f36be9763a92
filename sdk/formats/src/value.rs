//! One cell as a value: what a text means, and which types it could be.

pub mod plain;
mod timestamp;

pub use timestamp::timestamp;

/// Types that a text could be; a set.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Types(u8);

impl Types {
    pub const NONE: Types = Types(0);
    pub const BOOL: Types = Types(1);
    pub const S64: Types = Types(2);
    pub const F64: Types = Types(4);
    pub const TIMESTAMP: Types = Types(8);
    pub const ALL: Types = Types(15);
    /// A text such as `inf`: a number among numbers, and alone a text.
    pub const NUMBER: Types = Types(Self::S64.0 | Self::F64.0);

    pub fn contains(self, other: Types) -> bool {
        self.0 & other.0 == other.0
    }

    pub fn and(self, other: Types) -> Types {
        Types(self.0 & other.0)
    }
}

/// The types that `text` (without blanks around it) could be, when nothing was declared. Stricter than the parsers
/// below: a leading zero or plus is that of a code or a telephone number, and a whole number beyond 64 bits that of a
/// key. All of them would lose something as numbers.
#[inline]
pub fn types_of(text: &[u8]) -> Types {
    match text.first() {
        Some(b'0'..=b'9') if text.get(4) == Some(&b'-') && timestamp(text).is_some() => Types::TIMESTAMP,
        Some(b'0'..=b'9' | b'-' | b'.') => number_types(text),
        Some(b't' | b'T' | b'f' | b'F') if parse_bool(text).is_some() => Types::BOOL,
        Some(b'i' | b'I' | b'n' | b'N') if is_special(text) => Types::F64,
        _ => Types::NONE,
    }
}

#[inline]
fn number_types(text: &[u8]) -> Types {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let code = matches!(digits, [b'0', b'0'..=b'9', ..]);
    // The common cases in one look at each byte.
    let mut points = 0;
    let plain = digits.iter().all(|&byte| {
        points += usize::from(byte == b'.');
        byte.is_ascii_digit() || byte == b'.'
    });
    match points {
        _ if code || !plain => {}
        0 if !digits.is_empty() && digits.len() <= 18 => return Types::NUMBER,
        1 if digits.len() > 1 => return Types::F64,
        _ => {}
    }
    other_number_types(text)
}

fn other_number_types(text: &[u8]) -> Types {
    let digits = text.strip_prefix(b"-").unwrap_or(text);
    let whole = count_digits(digits);
    if whole > 1 && digits[0] == b'0' {
        return Types::NONE;
    }
    let rest = &digits[whole..];
    if rest.is_empty() && whole > 0 {
        // 18 digits always fit.
        return if whole <= 18 || parse_s64(text).is_some() { Types::NUMBER } else { Types::NONE };
    }
    if is_special(text) || (is_fraction_and_exponent(rest, whole > 0)) { Types::F64 } else { Types::NONE }
}

/// What may follow the whole digits of a number: `.5`, `.`, `e-7`, `.5e7`.
fn is_fraction_and_exponent(mut rest: &[u8], mut any_digit: bool) -> bool {
    if let [b'.', fraction @ ..] = rest {
        let digits = count_digits(fraction);
        any_digit |= digits > 0;
        rest = &fraction[digits..];
    }
    if let [b'e' | b'E', exponent @ ..] = rest {
        let exponent = if let [b'+' | b'-', digits @ ..] = exponent { digits } else { exponent };
        return any_digit && !exponent.is_empty() && count_digits(exponent) == exponent.len();
    }
    any_digit && rest.is_empty()
}

fn count_digits(text: &[u8]) -> usize {
    text.iter().take_while(|byte| byte.is_ascii_digit()).count()
}

fn is_special(text: &[u8]) -> bool {
    let text = text.strip_prefix(b"-").unwrap_or(text);
    [&b"inf"[..], b"infinity", b"nan"].iter().any(|special| text.eq_ignore_ascii_case(special))
}

/// Whether `text` alone makes a column a numeric one.
pub fn is_real_number(text: &[u8]) -> bool {
    !is_special(text)
}

#[inline]
pub fn parse_bool(text: &[u8]) -> Option<bool> {
    // The usual words as one number each.
    let lower = |word: &[u8; 4]| u32::from_le_bytes(*word) | 0x2020_2020;
    match text.split_first_chunk::<4>() {
        Some((word, [])) if lower(word) == u32::from_le_bytes(*b"true") => return Some(true),
        Some((word, [b'e' | b'E'])) if lower(word) == u32::from_le_bytes(*b"fals") => return Some(false),
        Some(_) => return None,
        None => {}
    }
    let is = |word: &[u8]| text.eq_ignore_ascii_case(word);
    match text.first()? {
        b'1' if text.len() == 1 => Some(true),
        b'0' if text.len() == 1 => Some(false),
        b'y' | b'Y' if is(b"yes") => Some(true),
        b'n' | b'N' if is(b"no") => Some(false),
        _ => None,
    }
}

#[inline]
pub fn parse_s64(text: &[u8]) -> Option<i64> {
    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        [b'+', digits @ ..] => (false, digits),
        digits => (false, digits),
    };
    if digits.is_empty() {
        return None;
    }
    let mut value: i64 = 0;
    if digits.len() <= 18 {
        for &byte in digits {
            let digit = byte.wrapping_sub(b'0');
            if digit > 9 {
                return None;
            }
            value = value * 10 + i64::from(digit);
        }
        return Some(if negative { -value } else { value });
    }
    // Towards the sign, since the least value has no positive twin.
    for &byte in digits {
        let digit = i64::from(byte.wrapping_sub(b'0'));
        if digit > 9 {
            return None;
        }
        value = value.checked_mul(10)?;
        value = if negative { value.checked_sub(digit)? } else { value.checked_add(digit)? };
    }
    Some(value)
}

/// The nearest `f64`, ties to even. Takes the decimal forms of Rust's `f64::from_str`.
#[inline]
pub fn parse_f64(text: &[u8]) -> Option<f64> {
    parse_short_f64(text).or_else(|| std::str::from_utf8(text).ok()?.parse().ok())
}

pub fn parse_f32(text: &[u8]) -> Option<f32> {
    std::str::from_utf8(text).ok()?.parse().ok()
}

/// The common case: few digits, no exponent. The digits as a whole number and the power of ten are both exact, so that
/// the one division rounds correctly: W. Clinger, "How to read floating point numbers accurately", PLDI 1990.
#[inline]
fn parse_short_f64(text: &[u8]) -> Option<f64> {
    const POWERS: [f64; 20] =
        [1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19];
    const EXACT: u64 = 1 << 53;

    let (negative, digits) = match text {
        [b'-', digits @ ..] => (true, digits),
        digits => (false, digits),
    };
    // 18 digits and a point: no overflow below.
    if digits.len() > 19 {
        return None;
    }
    let mut value: u64 = 0;
    let mut point = None;
    for (index, &byte) in digits.iter().enumerate() {
        let digit = byte.wrapping_sub(b'0');
        if digit <= 9 {
            value = value * 10 + u64::from(digit);
        } else if byte == b'.' && point.is_none() {
            point = Some(index);
        } else {
            return None;
        }
    }
    let fraction = point.map_or(0, |point| digits.len() - point - 1);
    let any_digit = digits.len() > usize::from(point.is_some());
    if !any_digit || value > EXACT {
        return None;
    }
    let magnitude = value as f64 / POWERS[fraction];
    Some(if negative { -magnitude } else { magnitude })
}

/// Without blanks around it.
#[inline]
pub fn trimmed(text: &[u8]) -> &[u8] {
    match text {
        [b' ' | b'\t', ..] | [.., b' ' | b'\t'] => text.trim_ascii(),
        text => text,
    }
}

#[cfg(test)]
mod tests;
