//! National identification numbers, each with every rule that its issuer publishes.

use super::{digits, letters_and_digits};

/// Three, two and four digits with separators; no group is all zeros, the area is not 666 nor above 899. Source: Social
/// Security Administration, "Social Security Number Randomization" (2011).
pub fn us_ssn(value: &str) -> bool {
    let separator = if value.contains('-') { '-' } else { ' ' };
    let groups: Vec<&str> = value.split(separator).collect();
    let [area, group, serial] = groups[..] else { return false };
    let numeric = groups.iter().all(|text| text.bytes().all(|c| c.is_ascii_digit()));
    numeric
        && (area.len(), group.len(), serial.len()) == (3, 2, 4)
        && !matches!(area, "000" | "666")
        && !area.starts_with('9')
        && group != "00"
        && serial != "0000"
}

/// Two letters, six digits, one letter from A to D. Source: HMRC, National Insurance Manual NIM39110.
pub fn uk_nino(value: &str) -> bool {
    let Some(text) = letters_and_digits(value) else { return false };
    let [first, second, number @ .., last] = text.as_slice() else { return false };
    let prefix = first.is_ascii_uppercase()
        && second.is_ascii_uppercase()
        && !b"DFIQUV".contains(first)
        && !b"DFIOQUV".contains(second)
        && ![*b"BG", *b"GB", *b"KN", *b"NK", *b"NT", *b"TN", *b"ZZ"].contains(&[*first, *second]);
    prefix && number.len() == 6 && number.iter().all(u8::is_ascii_digit) && (b'A'..=b'D').contains(last)
}

/// Eleven digits, the first not 0; of the first ten, one digit comes two or three times and no other twice; then the
/// check digit of ISO 7064, MOD 11,10. Source: Bundeszentralamt für Steuern, "Informationen zur steuerlichen
/// Identifikationsnummer".
pub fn de_tax_id(value: &str) -> bool {
    let Some(digits) = digits(value, &[' ']) else { return false };
    let Ok(digits) = <[u8; 11]>::try_from(digits) else { return false };
    let mut counts = [0; 10];
    digits[..10].iter().for_each(|&digit| counts[usize::from(digit)] += 1);
    let repeated: Vec<i32> = counts.into_iter().filter(|&count| count > 1).collect();
    digits[0] != 0 && matches!(repeated[..], [2 | 3]) && check_11_10(&digits[..10]) == digits[10]
}

/// Source: ISO 7064, MOD 11,10.
pub fn check_11_10(digits: &[u8]) -> u8 {
    let product = digits.iter().fold(10_u32, |product, &digit| {
        let sum = (product + u32::from(digit)) % 10;
        2 * if sum == 0 { 10 } else { sum } % 11
    });
    ((11 - product) % 10) as u8
}

/// Sex, year, month, place, order and a key of two digits: 97 less the rest of the number by 97, with 2A as 19 and 2B
/// as 18 for Corsica. Source: INSEE, "Numéro d'inscription au répertoire (NIR)".
pub fn fr_nir(value: &str) -> bool {
    let Some(mut text) = letters_and_digits(value) else { return false };
    if text.len() != 15 {
        return false;
    }
    match &text[5..7] {
        b"2A" => text[5..7].copy_from_slice(b"19"),
        b"2B" => text[5..7].copy_from_slice(b"18"),
        _ => {}
    }
    let number = |part: &[u8]| std::str::from_utf8(part).ok()?.parse::<u64>().ok();
    let numeric = text.iter().all(u8::is_ascii_digit);
    let (Some(body), Some(key), Some(month)) = (number(&text[..13]), number(&text[13..]), number(&text[3..5])) else {
        return false;
    };
    let sex = matches!(text[0], b'1'..=b'4' | b'7' | b'8');
    // From 20 on: people whose month of birth is not known.
    let month = matches!(month, 1..=12 | 20..=42 | 50..=99);
    numeric && sex && month && key == 97 - body % 97
}

/// Eight digits, or X, Y or Z and seven, and the letter of the rest by 23. Source: Ministerio del Interior, "Cálculo
/// del dígito de control del NIF-NIE".
pub fn es_dni(value: &str) -> bool {
    let Some(mut text) = letters_and_digits(value) else { return false };
    if text.len() != 9 {
        return false;
    }
    if let Some(digit) = b"XYZ".iter().position(|letter| *letter == text[0]) {
        text[0] = b'0' + digit as u8;
    }
    let number = std::str::from_utf8(&text[..8]).ok().filter(|text| text.bytes().all(|c| c.is_ascii_digit()));
    let number = number.and_then(|text| text.parse::<usize>().ok());
    number.is_some_and(|number| b"TRWAGMYFPDXBNJZSQVHLCKE"[number % 23] == text[8])
}

/// Six letters of the names, year, month, day, place and a check character; letters may stand for digits where two
/// people would have the same. Source: Decreto ministeriale 23 dicembre 1976, n. 13813.
pub fn it_codice_fiscale(value: &str) -> bool {
    const MONTHS: &[u8] = b"ABCDEHLMPRST";
    let Some(text) = letters_and_digits(value) else { return false };
    let Ok(text) = <[u8; 16]>::try_from(text) else { return false };
    let letter = |place: &usize| text[*place].is_ascii_uppercase();
    let digit = |place: &usize| text[*place].is_ascii_digit() || b"LMNPQRSTUV".contains(&text[*place]);
    let formed = [0, 1, 2, 3, 4, 5, 11, 15].iter().all(letter)
        && [6, 7, 9, 10, 12, 13, 14].iter().all(digit)
        && MONTHS.contains(&text[8]);
    formed && check_character(&text[..15]) == text[15]
}

/// Characters at odd places, counted from 1, weigh as the decree's table says; at even places as their rank.
pub fn check_character(text: &[u8]) -> u8 {
    const ODD: [u32; 26] =
        [1, 0, 5, 7, 9, 13, 15, 17, 19, 21, 2, 4, 18, 20, 11, 3, 6, 8, 12, 14, 16, 10, 22, 25, 24, 23];
    let rank = |c: u8| usize::from(if c.is_ascii_digit() { c - b'0' } else { c - b'A' });
    let weigh = |(place, &c): (usize, &u8)| if place % 2 == 0 { ODD[rank(c)] } else { rank(c) as u32 };
    b'A' + (text.iter().enumerate().map(weigh).sum::<u32>() % 26) as u8
}

/// Nine digits (eight have lost their zero) that pass the eleven test: 9, 8 … 2 and -1 as weights. Source: Rijksdienst
/// voor Identiteitsgegevens, "Logisch ontwerp BSN".
pub fn nl_bsn(value: &str) -> bool {
    let Some(mut digits) = digits(value, &['.', ' ']) else { return false };
    if digits.len() == 8 {
        digits.insert(0, 0);
    }
    let [first @ .., last] = digits.as_slice() else { return false };
    let sum: u32 = first.iter().zip((2..=9).rev()).map(|(&digit, weight)| u32::from(digit) * weight).sum();
    digits.len() == 9 && sum > 0 && sum % 11 == u32::from(*last)
}

/// Eleven digits: a date of birth whose month tells the century, an order number and a check digit. Source: Ustawa o
/// ewidencji ludności (2010), article 15.
pub fn pl_pesel(value: &str) -> bool {
    let Some(digits) = digits(value, &[]) else { return false };
    let Ok(digits) = <[u8; 11]>::try_from(digits) else { return false };
    let two = |place: usize| u32::from(digits[place]) * 10 + u32::from(digits[place + 1]);
    let (month, day) = (two(2) % 20, two(4));
    let last_day = match month {
        2 => 29,
        4 | 6 | 9 | 11 => 30,
        1..=12 => 31,
        _ => return false,
    };
    let weights = [1, 3, 7, 9, 1, 3, 7, 9, 1, 3, 1];
    let sum: u32 = digits.iter().zip(weights).map(|(&digit, weight)| u32::from(digit) * weight).sum();
    (1..=last_day).contains(&day) && sum.is_multiple_of(10)
}
