//! Numbers of accounts: payment cards and bank accounts.

use super::{digits, letters_and_digits};

/// Sources: ISO/IEC 7812 (prefix, length, the Luhn check digit); the ranges are those that the networks publish.
pub fn payment_card(value: &str) -> bool {
    let Some(digits) = digits(value, &[' ', '-']) else { return false };
    let length = digits.len();
    if !(13..=19).contains(&length) {
        return false;
    }
    let prefix = |count: usize| digits[..count].iter().fold(0_u32, |number, &digit| number * 10 + u32::from(digit));
    let known = match (prefix(1), prefix(2), prefix(3), prefix(4)) {
        (4, ..) => matches!(length, 13 | 16 | 19),
        (_, 51..=55, ..) | (_, _, _, 2221..=2720) => length == 16,
        (_, 34 | 37, ..) => length == 15,
        (_, 36 | 38 | 39, ..) | (_, _, 300..=305, _) => (14..=19).contains(&length),
        (_, _, _, 3528..=3589) | (_, 62 | 65, ..) | (_, _, 644..=649, _) | (_, _, _, 6011) => length >= 16,
        (_, _, _, 5018 | 5020 | 5038 | 5893 | 6304 | 6759 | 6761..=6763) => true,
        _ => false,
    };
    known && luhn(&digits)
}

/// Every second digit from the right doubled, with its digits summed; the sum ends in 0. Source: ISO/IEC 7812-1, annex
/// B.
pub fn luhn(digits: &[u8]) -> bool {
    let doubled = |digit: u32| if digit > 4 { 2 * digit - 9 } else { 2 * digit };
    let value = |(place, &digit): (usize, &u8)| {
        let digit = u32::from(digit);
        if place % 2 == 1 { doubled(digit) } else { digit }
    };
    digits.iter().rev().enumerate().map(value).sum::<u32>().is_multiple_of(10)
}

/// Country, length and check digits. Sources: ISO 13616; the lengths are those of SWIFT's IBAN registry.
pub fn iban(value: &str) -> bool {
    let Some(text) = letters_and_digits(value) else { return false };
    let Some((country, rest)) = text.split_first_chunk::<2>() else { return false };
    let length = LENGTHS.iter().find(|(known, _)| *known == country).map(|(_, length)| *length);
    if length != Some(text.len()) || !rest[..2].iter().all(u8::is_ascii_digit) {
        return false;
    }
    remainder_97(rest[2..].iter().chain(&text[..4])) == 1
}

/// Of the number that the text stands for, letters as 10 to 35. Source: ISO 7064, MOD 97-10.
fn remainder_97<'a>(text: impl Iterator<Item = &'a u8>) -> u32 {
    text.fold(0, |remainder, &c| match c {
        b'0'..=b'9' => (remainder * 10 + u32::from(c - b'0')) % 97,
        _ => (remainder * 100 + u32::from(c - b'A') + 10) % 97,
    })
}

#[rustfmt::skip]
const LENGTHS: [(&[u8; 2], usize); 79] = [
    (b"AD", 24), (b"AE", 23), (b"AL", 28), (b"AT", 20), (b"AZ", 28), (b"BA", 20), (b"BE", 16), (b"BG", 22),
    (b"BH", 22), (b"BR", 29), (b"BY", 28), (b"CH", 21), (b"CR", 22), (b"CY", 28), (b"CZ", 24), (b"DE", 22),
    (b"DK", 18), (b"DO", 28), (b"EE", 20), (b"EG", 29), (b"ES", 24), (b"FI", 18), (b"FO", 18), (b"FR", 27),
    (b"GB", 22), (b"GE", 22), (b"GI", 23), (b"GL", 18), (b"GR", 27), (b"GT", 28), (b"HR", 21), (b"HU", 28),
    (b"IE", 22), (b"IL", 23), (b"IQ", 23), (b"IS", 26), (b"IT", 27), (b"JO", 30), (b"KW", 30), (b"KZ", 20),
    (b"LB", 28), (b"LC", 32), (b"LI", 21), (b"LT", 20), (b"LU", 20), (b"LV", 21), (b"LY", 25), (b"MC", 27),
    (b"MD", 24), (b"ME", 22), (b"MK", 19), (b"MR", 27), (b"MT", 31), (b"MU", 30), (b"NL", 18), (b"NO", 15),
    (b"PK", 24), (b"PL", 28), (b"PS", 29), (b"PT", 25), (b"QA", 29), (b"RO", 24), (b"RS", 22), (b"SA", 24),
    (b"SC", 31), (b"SD", 18), (b"SE", 24), (b"SI", 19), (b"SK", 24), (b"SM", 27), (b"ST", 25), (b"SV", 28),
    (b"TL", 23), (b"TN", 24), (b"TR", 26), (b"UA", 29), (b"VA", 22), (b"VG", 24), (b"XK", 20),
];
