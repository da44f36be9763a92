//! Plain decimal numbers, `[-]digits[.digits]`, in whole words instead of bytes: what most cells of most tables are.
//! All others are left to the parsers beside this one, which give the same values.

use super::Types;

/// Bytes from the beginning of a text; what lies behind its end does not matter.
pub type Window = [u8; 40];

/// The longest text that is looked at.
const MAX_LENGTH: usize = 32;

/// Decimal digits that always fit 64 bits.
const MAX_DIGITS: usize = 19;

/// The largest power of ten that a number's digits are divided by here.
const MAX_FRACTION: usize = 27;

/// Where the parts of a number are.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub struct Plain {
    negative: bool,
    /// Whether there is a decimal point.
    point: bool,
    /// Digits before the point and behind it, together at least one.
    whole: usize,
    fraction: usize,
}

impl Plain {
    /// `None` where the text of this length is something else, or longer than is looked at here.
    #[inline]
    pub fn find(window: &Window, length: usize) -> Option<Plain> {
        if length == 0 || length > MAX_LENGTH {
            return None;
        }
        let (mut digits, mut points) = digits_and_points(window, 0);
        if length > 16 {
            let (more_digits, more_points) = digits_and_points(window, 16);
            digits |= more_digits << 16;
            points |= more_points << 16;
        }
        let within = u32::MAX >> (32 - length);
        let negative = window[0] == b'-';
        points &= within;
        let known = (digits & within) | points | u32::from(negative);
        if known != within || points & points.wrapping_sub(1) != 0 {
            return None;
        }
        let sign = usize::from(negative);
        let end_of_whole = if points == 0 { length } else { points.trailing_zeros() as usize };
        let (whole, point) = (end_of_whole - sign, points != 0);
        let fraction = length - end_of_whole - usize::from(point);
        (whole + fraction > 0).then_some(Plain { negative, point, whole, fraction })
    }

    /// What [`super::types_of`] says of the text, where it is easily said.
    #[inline]
    pub fn types(self, window: &Window) -> Option<Types> {
        if self.whole > 1 && window[usize::from(self.negative)] == b'0' {
            return Some(Types::NONE);
        }
        match (self.point, self.whole) {
            (true, _) => Some(Types::F64),
            (false, ..19) => Some(Types::NUMBER),
            _ => None,
        }
    }

    /// The whole number, if it is one of at most 18 digits.
    #[inline]
    pub fn to_s64(self, window: &Window) -> Option<i64> {
        if self.point || self.whole > 18 {
            return None;
        }
        let magnitude = digits_at(window, usize::from(self.negative), self.whole) as i64;
        Some(if self.negative { -magnitude } else { magnitude })
    }

    /// The nearest `f64`, ties to even; `None` for more digits than fit here.
    #[inline]
    pub fn to_f64(self, window: &Window) -> Option<f64> {
        let start = usize::from(self.negative);
        let digits = self.digits(window, start)?;
        let magnitude = divided(digits, self.fraction);
        Some(if self.negative { -magnitude } else { magnitude })
    }

    /// All digits as one number.
    #[inline]
    fn digits(self, window: &Window, start: usize) -> Option<u64> {
        let behind = start + self.whole + 1;
        if self.whole + self.fraction <= MAX_DIGITS {
            let whole = digits_at(window, start, self.whole);
            return Some(whole * TENS[self.fraction] + digits_at(window, behind, self.fraction));
        }
        // `0.000…` has fewer digits than it seems.
        let zeros = window[start..start + self.whole].iter().all(|byte| *byte == b'0');
        if !zeros || self.fraction > MAX_FRACTION {
            return None;
        }
        let fraction = &window[behind..behind + self.fraction];
        let zeros = fraction.iter().take_while(|byte| **byte == b'0').count();
        let digits = self.fraction - zeros;
        (digits <= MAX_DIGITS).then(|| digits_at(window, behind + zeros, digits))
    }
}

/// One bit for each of 16 bytes: digits, and points.
#[cfg(all(target_family = "wasm", target_feature = "simd128"))]
#[inline]
fn digits_and_points(window: &Window, at: usize) -> (u32, u32) {
    use core::arch::wasm32::{i8x16_bitmask, u8x16_eq, u8x16_le, u8x16_splat, u8x16_sub, v128_load};

    let bytes: &[u8] = &window[at..at + 16];
    // SAFETY: these are 16 bytes, and a v128 is loaded from any address.
    let bytes = unsafe { v128_load(bytes.as_ptr().cast()) };
    let digits = u8x16_le(u8x16_sub(bytes, u8x16_splat(b'0')), u8x16_splat(9));
    (u32::from(i8x16_bitmask(digits)), u32::from(i8x16_bitmask(u8x16_eq(bytes, u8x16_splat(b'.')))))
}

#[cfg(not(all(target_family = "wasm", target_feature = "simd128")))]
#[inline]
fn digits_and_points(window: &Window, at: usize) -> (u32, u32) {
    window[at..at + 16].iter().enumerate().fold((0, 0), |(digits, points), (index, byte)| {
        (digits | u32::from(byte.is_ascii_digit()) << index, points | u32::from(*byte == b'.') << index)
    })
}

/// The number that `count` (at most 19) digits from `at` make. Inlined by force: as a call it takes as long again.
#[inline(always)]
fn digits_at(window: &Window, at: usize, count: usize) -> u64 {
    match count {
        0 => 0,
        1..=8 => up_to_eight(window, at, count),
        9..=16 => up_to_eight(window, at, 8) * TENS[count - 8] + up_to_eight(window, at + 8, count - 8),
        _ => {
            let sixteen = up_to_eight(window, at, 8) * TENS[8] + up_to_eight(window, at + 8, 8);
            sixteen * TENS[count - 16] + up_to_eight(window, at + 16, count - 16)
        }
    }
}

/// 1 to 8 digits in three multiplications: neighbours to pairs, pairs to fours, fours to the number. After D. Lemire,
/// "Quickly parsing eight digits", 2018.
#[inline(always)]
fn up_to_eight(window: &Window, at: usize, count: usize) -> u64 {
    let word = window[at..].first_chunk::<8>().map_or(0, |bytes| u64::from_le_bytes(*bytes));
    // The digits' values at the end, zeros before them.
    let digits = (word ^ 0x3030_3030_3030_3030) << (64 - 8 * count);
    let pairs = digits.wrapping_mul(10).wrapping_add(digits >> 8);
    let fours = (pairs & 0x0000_00ff_0000_00ff).wrapping_mul(100 + (1_000_000 << 32));
    let others = (pairs >> 16 & 0x0000_00ff_0000_00ff).wrapping_mul(1 + (10_000 << 32));
    fours.wrapping_add(others) >> 32
}

const TENS: [u64; 20] = {
    let mut powers = [1; 20];
    let mut at = 1;
    while at < 20 {
        powers[at] = 10 * powers[at - 1];
        at += 1;
    }
    powers
};

/// The `f64` nearest to `digits / 10^fraction`, `fraction` at most 27.
#[inline]
fn divided(digits: u64, fraction: usize) -> f64 {
    const EXACT: [f64; 23] = [
        1e0, 1e1, 1e2, 1e3, 1e4, 1e5, 1e6, 1e7, 1e8, 1e9, 1e10, 1e11, 1e12, 1e13, 1e14, 1e15, 1e16, 1e17, 1e18, 1e19,
        1e20, 1e21, 1e22,
    ];
    // Both numbers are exact, so that the one division rounds correctly: W. Clinger, "How to read floating point
    // numbers accurately", PLDI 1990.
    if digits <= 1 << 53 && fraction < EXACT.len() {
        return digits as i64 as f64 / EXACT[fraction];
    }
    divided_widely(digits, fraction)
}

/// The same by a product with a 128-bit reciprocal: D. Lemire, "Number parsing at a gigabyte per second", Software:
/// Practice and Experience 51 (2021); for these powers the approximation always decides (N. Mushtak, D. Lemire, "Fast
/// number parsing without fallback", 2023). No result is subnormal or infinite.
fn divided_widely(digits: u64, fraction: usize) -> f64 {
    /// Bits of the mantissa that are stored.
    const BITS: u32 = 52;
    /// Bits that may hide an error of the approximation.
    const UNSURE: u64 = u64::MAX >> (BITS + 3);

    let zeros = digits.leading_zeros();
    let digits = digits << zeros;
    let (five_high, five_low) = FIVES[fraction];
    let (mut high, mut low) = product(digits, five_high);
    if high & UNSURE == UNSURE {
        let (second, _) = product(digits, five_low);
        low = low.wrapping_add(second);
        high += u64::from(second > low);
    }
    let upper = (high >> 63) as u32;
    let shift = upper + 64 - BITS - 3;
    let mut mantissa = high >> shift;
    let halfway = low <= 1 && fraction <= 4 && mantissa & 3 == 1 && mantissa << shift == high;
    if halfway {
        mantissa &= !1;
    }
    mantissa = (mantissa + (mantissa & 1)) >> 1;
    // floor(log2(10^-fraction)), as in the paper.
    let power = ((-(fraction as i32) * 217_706) >> 16) + 63;
    let mut exponent = power + upper as i32 - zeros as i32 + 1023;
    if mantissa >= 2 << BITS {
        mantissa = 1 << BITS;
        exponent += 1;
    }
    f64::from_bits(mantissa & !(1 << BITS) | (exponent as u64) << BITS)
}

/// The product of two words as its high and its low word. By halves, since wasm has no such multiplication and would
/// call a function for it.
#[inline]
fn product(a: u64, b: u64) -> (u64, u64) {
    const LOW: u64 = u32::MAX as u64;
    let (a_high, a_low, b_high, b_low) = (a >> 32, a & LOW, b >> 32, b & LOW);
    let low = a_low * b_low;
    let middle = a_high * b_low + (low >> 32);
    let other = a_low * b_high + (middle & LOW);
    (a_high * b_high + (middle >> 32) + (other >> 32), other << 32 | low & LOW)
}

/// 5^-n in 128 bits, the first of them 1, rounded up; as two words.
const FIVES: [(u64, u64); MAX_FRACTION + 1] = {
    let mut fives = [(1 << 63, 0); MAX_FRACTION + 1];
    let (mut at, mut power) = (1, 5_u64);
    while at <= MAX_FRACTION {
        let reciprocal = reciprocal(power);
        fives[at] = ((reciprocal >> 64) as u64, reciprocal as u64);
        at += 1;
        if at <= MAX_FRACTION {
            power *= 5;
        }
    }
    fives
};

/// 2^b / power + 1 with the b that gives 128 bits, digit by digit.
const fn reciprocal(power: u64) -> u128 {
    let mut bits = 64 - (power - 1).leading_zeros() + 127;
    let (mut quotient, mut remainder) = (0_u128, 1_u128);
    while bits > 0 {
        quotient <<= 1;
        remainder <<= 1;
        if remainder >= power as u128 {
            remainder -= power as u128;
            quotient |= 1;
        }
        bits -= 1;
    }
    quotient + 1
}

#[cfg(test)]
mod tests {
    use proptest::prelude::*;

    use super::*;
    use crate::value::{parse_s64, types_of};

    /// The text, with something behind it.
    fn window(text: &str) -> Window {
        let mut window = [b'7'; 40];
        window[..text.len()].copy_from_slice(text.as_bytes());
        window
    }

    fn plain(text: &str) -> Option<Plain> {
        Plain::find(&window(text), text.len())
    }

    #[test]
    fn finds_the_parts() {
        let parts = |text| plain(text).map(|found| (found.negative, found.whole, found.point, found.fraction));
        assert_eq!(parts("-12.345"), Some((true, 2, true, 3)));
        assert_eq!(parts("7"), Some((false, 1, false, 0)));
        assert_eq!(parts(".5"), Some((false, 0, true, 1)));
        assert_eq!(parts("5."), Some((false, 1, true, 0)));
        for text in ["", "-", ".", "-.", "1-", "1.2.3", "+1", "1e5", " 1", "nan", &"1".repeat(33)] {
            assert_eq!(plain(text), None, "{text}");
        }
    }

    #[test]
    fn products_are_whole() {
        for (a, b) in [(0, 0), (1, u64::MAX), (u64::MAX, u64::MAX), (0xffff_ffff, 1 << 63), (0x1234_5678_9abc_def0, 97)]
        {
            let product_of_both = u128::from(a) * u128::from(b);
            assert_eq!(product(a, b), ((product_of_both >> 64) as u64, product_of_both as u64));
        }
    }

    #[test]
    fn halves_go_to_the_even_one() {
        for text in ["9007199254740993", "9007199254740995", "4503599627370497.5", "450359962737049.75", "0.1"] {
            let found = plain(text).unwrap().to_f64(&window(text)).unwrap();
            assert_eq!(found.to_bits(), text.parse::<f64>().unwrap().to_bits(), "{text}");
        }
    }

    proptest! {
        #![proptest_config(ProptestConfig::with_cases(20_000))]

        #[test]
        fn numbers_are_those_of_the_standard_library(text in "-?(0{0,9}[0-9]{0,20})(\\.(0{0,9}[0-9]{0,20})?)?") {
            let text = &text[..text.len().min(32)];
            let (found, window) = (plain(text), window(text));
            let standard = text.parse::<f64>().ok();
            prop_assert_eq!(found.is_some(), standard.is_some());
            let Some(found) = found else { return Ok(()) };
            if let Some(number) = found.to_f64(&window) {
                prop_assert_eq!(Some(number.to_bits()), standard.map(f64::to_bits));
            }
            if let Some(number) = found.to_s64(&window) {
                prop_assert_eq!(Some(number), parse_s64(text.as_bytes()));
            }
            if let Some(types) = found.types(&window) {
                prop_assert_eq!(types, types_of(text.as_bytes()));
            }
        }

        #[test]
        fn written_numbers_come_back(value in any::<f64>(), scale in -9..12) {
            // Between 10^-9 and 10^12, where they are written without exponents.
            let value = value.to_bits() as f64 / 2_f64.powi(64) * 10_f64.powi(scale);
            let text = value.to_string();
            if let Some(found) = plain(&text).and_then(|found| found.to_f64(&window(&text))) {
                prop_assert_eq!(found.to_bits(), value.to_bits());
            }
        }

        #[test]
        fn any_texts_are_as_the_parsers_see_them(text in "[-+.0-9e ]{0,32}") {
            if let Some(found) = plain(&text) {
                prop_assert!(text.parse::<f64>().is_ok());
                let types = types_of(text.as_bytes());
                prop_assert_eq!(found.types(&window(&text)).unwrap_or(types), types);
            }
        }
    }
}
