//! One value of the file as one of a table, where the two are not laid out alike.

const MICROS_OF_A_DAY: i64 = 86_400_000_000;

/// Of 1970-01-01.
const JULIAN_DAY: i64 = 2_440_588;

/// Whole numbers up to here, and powers of ten up to 22, are exact as `f64`, so that one division rounds correctly:
/// W. Clinger, "How to read floating point numbers accurately", PLDI 1990.
const EXACT: u128 = 1 << 53;

/// The nearest `f64` to `value / 10^scale`.
pub fn decimal(value: i128, scale: u32) -> f64 {
    if value.unsigned_abs() <= EXACT && scale <= 22 {
        // Exact too: 10^22 is 5^22 · 2^22, and 5^22 has 52 bits.
        return value as f64 / 10_u128.pow(scale) as f64;
    }
    format!("{value}e-{scale}").parse().expect("digits and an exponent are a number")
}

/// Two's complement, the greatest byte first; nothing for more than 16 bytes.
pub fn big_endian(bytes: &[u8]) -> Option<i128> {
    if bytes.len() > 16 {
        return None;
    }
    let sign = bytes.first().map_or(0, |&byte| if byte < 128 { 0 } else { -1 });
    Some(bytes.iter().fold(sign, |value, &byte| value << 8 | i128::from(byte)))
}

/// Nanoseconds of the day and the Julian day, as Impala and Spark wrote times once; gives microseconds since 1970.
pub fn int96(bytes: [u8; 12], has_cut: &mut bool) -> Option<i64> {
    let [a, b, c, d, e, f, g, h, day @ ..] = bytes;
    let nanos = i64::from_le_bytes([a, b, c, d, e, f, g, h]);
    *has_cut |= nanos % 1000 != 0;
    let days = i64::from(i32::from_le_bytes(day)) - JULIAN_DAY;
    days.checked_mul(MICROS_OF_A_DAY)?.checked_add(nanos.div_euclid(1000))
}

/// IEEE 754 binary16; exact.
pub fn half(bits: u16) -> f32 {
    let sign = if bits >> 15 == 1 { -1.0 } else { 1.0 };
    let fraction = f32::from(bits & 0x3ff);
    match bits >> 10 & 0x1f {
        0 => sign * fraction * 2_f32.powi(-24),
        31 if fraction == 0.0 => sign * f32::INFINITY,
        31 => f32::NAN,
        exponent => sign * (1.0 + fraction / 1024.0) * 2_f32.powi(i32::from(exponent) - 15),
    }
}

/// The usual 36 characters.
pub fn uuid(bytes: [u8; 16]) -> String {
    let mut text = String::with_capacity(36);
    for (index, byte) in bytes.iter().enumerate() {
        if [4, 6, 8, 10].contains(&index) {
            text.push('-');
        }
        for digit in [byte >> 4, byte & 15] {
            text.push(char::from_digit(u32::from(digit), 16).expect("four bits are a hexadecimal digit"));
        }
    }
    text
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn numbers() {
        assert_eq!(decimal(12_345, 2), 123.45);
        assert_eq!(decimal(-1, 38), -1e-38);
        assert_eq!(
            decimal(99_999_999_999_999_999_999_999_999_999_999_999_999, 10),
            "9999999999999999999999999999.9999999999".parse::<f64>().unwrap()
        );
        assert_eq!(big_endian(&[0xff, 0x85]), Some(-123));
        assert_eq!(big_endian(&[]), Some(0));
        assert_eq!(big_endian(&[0; 17]), None);
        assert_eq!((half(0x3c00), half(0xc000), half(0x0001)), (1.0, -2.0, 2_f32.powi(-24)));
        assert!(half(0x7e00).is_nan() && half(0x7c00).is_infinite());
    }

    #[test]
    fn times_and_ids() {
        let mut has_cut = false;
        let mut bytes = [0; 12];
        bytes[8..].copy_from_slice(&2_440_589_i32.to_le_bytes());
        assert_eq!(int96(bytes, &mut has_cut), Some(MICROS_OF_A_DAY));
        bytes[0] = 1;
        assert!(int96(bytes, &mut has_cut).is_some() && has_cut);
        assert_eq!(uuid(*b"0123456789abcdef"), "30313233-3435-3637-3839-616263646566");
    }
}
