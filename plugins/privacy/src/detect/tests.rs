//! Published examples, and generated ids that must be told from the same ids with one digit changed.

use proptest::prelude::*;

use super::{Traits, accounts, national, shape, text};
use crate::config::What;

#[test]
fn what_is_and_what_is_not() {
    let cases: [(What, &[&str], &[&str]); 13] = [
        (
            What::Email,
            &["a.b+c@mail.example.com", "Anna <anna@example.org>", "write to x@y.de.", "müller@example.de"],
            &["a@b", "@example.com", "a..b@example.com", "a@-b.com", "a@b.c", "1@2.34", "no mail here"],
        ),
        (
            What::Phone,
            &[
                "+49 30 901820",
                "+14155550123",
                "(415) 555-0123",
                "1-415-555-0123",
                "030/901820-1",
                "00 44 20 7946 0958",
            ],
            &["4155550123", "2020-01-02", "01.02.2020", "0.123456789", "-0.12345678", "+12", "12:30", "10.0.0.1", "+"],
        ),
        (
            What::PaymentCard,
            &["4111 1111 1111 1111", "5555555555554444", "3782-822463-10005", "6011111111111117", "3530111333300000"],
            &["4111111111111112", "1234567890123452", "411111111111111", "", "4111  1111 1111 1111"],
        ),
        (
            What::Iban,
            &["DE89 3704 0044 0532 0130 00", "GB29NWBK60161331926819", "fr1420041010050500013m02606"],
            &["DE89370400440532013001", "DE8937040044053201300", "XX89370400440532013000", "DE"],
        ),
        (What::IpAddress, &["192.0.2.7", "2001:db8::1", "::1"], &["192.0.2.256", "1.2.3", "12:30", "2001:db8"]),
        (
            What::UsSsn,
            &["536-90-4399", "001 01 0001"],
            &["000-12-3456", "666-12-3456", "900-12-3456", "123-00-4567", "123-45-0000", "123456789", "12-345-6789"],
        ),
        (
            What::UkNino,
            &["AB123456C", "ab 12 34 56 d"],
            &["DA123456A", "AO123456A", "GB123456A", "AB123456E", "AB12345C"],
        ),
        (
            What::DeTaxId,
            &["86095742719", "47036892816", "65929970489", "86 095 742 719"],
            &["86095742718", "06095742719", "11111111111"],
        ),
        (
            What::FrNir,
            &["255081416802538", "2 55 08 14 168 025 38"],
            &["255081416802539", "955081416802538", "2550814168025"],
        ),
        (What::EsDni, &["12345678Z", "X1234567L", "12345678-z"], &["12345678A", "X1234567A", "1234567Z", "12345678"]),
        (What::ItCodiceFiscale, &["RSSMRA85T10A562S", "rssmra85t10a562s"], &["RSSMRA85T10A562T", "RSSMRA85X10A562S"]),
        (What::NlBsn, &["111222333", "123456782"], &["111222334", "000000000", "12345678"]),
        (What::PlPesel, &["44051401359", "02070803628"], &["44051401358", "44131401359", "44053201359"]),
    ];
    for (what, yes, no) in cases {
        for value in yes {
            assert!(text(what, value) && Traits::of(value).allow(what), "{} should be {}", value, what.name());
        }
        for value in no {
            assert!(!text(what, value), "{} should not be {}", value, what.name());
        }
    }
}

#[test]
fn shapes_hold_no_content() {
    assert_eq!(shape(" Anna.M@example.org "), "aaaa.a@aaaaaaa.aaa");
    assert_eq!(shape("4111 1111"), "9999 9999");
    assert_eq!(shape("é٣\u{202e}"), "a9?");
    assert_eq!(shape(&"x".repeat(100)).chars().count(), 41);
}

/// One digit of the text changed to another.
fn changed(value: &str, place: usize, by: u8) -> String {
    let mut bytes = value.as_bytes().to_vec();
    let places: Vec<usize> = (0..bytes.len()).filter(|&place| bytes[place].is_ascii_digit()).collect();
    let place = places[place % places.len()];
    bytes[place] = b'0' + (bytes[place] - b'0' + by) % 10;
    String::from_utf8(bytes).unwrap()
}

fn digits(count: usize) -> impl Strategy<Value = Vec<u8>> {
    prop::collection::vec(0_u8..10, count)
}

fn join(digits: &[u8]) -> String {
    digits.iter().map(|digit| char::from(b'0' + digit)).collect()
}

proptest! {
    #[test]
    fn nothing_panics(value in any::<String>(), digits in "[-0-9 .+/()A-Za-z@:]{0,70}") {
        for what in What::IN_VALUES {
            for value in [&value, &digits] {
                super::number(what, value);
                prop_assert!(!text(what, value) || Traits::of(value).allow(what), "{} is {}", value, what.name());
            }
        }
        prop_assert!(!shape(&value).chars().any(|c| c.is_ascii_digit() && c != '9'));
    }

    /// The Luhn digit finds every single changed digit.
    #[test]
    fn cards(body in digits(14), place in 0_usize..16, by in 1_u8..10) {
        let number = [&[4][..], &body].concat();
        let check = (0..10).find(|check| accounts::luhn(&[&number[..], &[*check]].concat())).unwrap();
        let card = join(&[&number[..], &[check]].concat());
        prop_assert!(text(What::PaymentCard, &card));
        let other: Vec<u8> = changed(&card, place, by).bytes().map(|c| c - b'0').collect();
        prop_assert!(!accounts::luhn(&other));
    }

    #[test]
    fn ibans(body in digits(18), place in 0_usize..18, by in 1_u8..10) {
        let digits = format!("{}131400", join(&body));
        let remainder = digits.bytes().fold(0, |rest, c| (rest * 10 + u32::from(c - b'0')) % 97);
        let iban = format!("DE{:02}{}", 98 - remainder, join(&body));
        prop_assert!(text(What::Iban, &iban));
        prop_assert!(!text(What::Iban, &changed(&iban, place + 2, by)));
    }

    #[test]
    fn german_tax_ids(
        order in Just((0_u8..10).collect::<Vec<_>>()).prop_shuffle(),
        place in 0_usize..11,
        by in 1_u8..10,
    ) {
        // Nine different digits and one of them again.
        let mut number = order[..9].to_vec();
        number.push(number[4]);
        prop_assume!(number[0] != 0);
        let id = format!("{}{}", join(&number), national::check_11_10(&number));
        prop_assert!(text(What::DeTaxId, &id));
        prop_assert!(!text(What::DeTaxId, &changed(&id, place, by)));
    }

    #[test]
    fn french_nirs(
        sex in 1_u64..3,
        year in 0_u64..100,
        month in 1_u64..13,
        rest in 0_u64..100_000_000,
        place in 0_usize..15,
        by in 1_u8..10,
    ) {
        let body = ((sex * 100 + year) * 100 + month) * 100_000_000 + rest;
        let nir = format!("{body:013}{:02}", 97 - body % 97);
        prop_assert!(text(What::FrNir, &nir));
        prop_assert!(!text(What::FrNir, &changed(&nir, place, by)));
    }

    #[test]
    fn spanish_ids(number in 0_usize..100_000_000, place in 0_usize..8, by in 1_u8..10) {
        let letter = char::from(b"TRWAGMYFPDXBNJZSQVHLCKE"[number % 23]);
        let id = format!("{number:08}{letter}");
        prop_assert!(text(What::EsDni, &id));
        prop_assert!(!text(What::EsDni, &changed(&id, place, by)));
    }

    #[test]
    fn dutch_numbers(body in digits(8), place in 0_usize..9, by in 1_u8..10) {
        let sum: u32 = body.iter().zip((2..10).rev()).map(|(&digit, weight)| u32::from(digit) * weight).sum();
        prop_assume!(sum > 0 && sum % 11 < 10);
        let id = format!("{}{}", join(&body), sum % 11);
        prop_assert!(text(What::NlBsn, &id));
        prop_assert!(!text(What::NlBsn, &changed(&id, place, by)));
    }

    #[test]
    fn polish_numbers(
        year in 0_u32..100,
        month in 1_u32..13,
        day in 1_u32..29,
        order in 0_u32..10_000,
        place in 0_usize..11,
        by in 1_u8..10,
    ) {
        let body = format!("{year:02}{month:02}{day:02}{order:04}");
        let weighed = body.bytes().zip([1, 3, 7, 9, 1, 3, 7, 9, 1, 3]).map(|(c, weight)| u32::from(c - b'0') * weight);
        let sum: u32 = weighed.sum();
        let id = format!("{body}{}", (10 - sum % 10) % 10);
        prop_assert!(text(What::PlPesel, &id));
        prop_assert!(!text(What::PlPesel, &changed(&id, place, by)));
    }

    #[test]
    fn italian_codes(
        names in "[A-Z]{6}",
        year in 0_u32..100,
        month in 0_usize..12,
        day in 1_u32..29,
        place in 0_u32..1000,
    ) {
        let month = char::from(b"ABCDEHLMPRST"[month]);
        let body = format!("{names}{year:02}{month}{day:02}F{place:03}");
        let check = national::check_character(body.as_bytes());
        let good = format!("{body}{}", char::from(check));
        let bad = format!("{body}{}", if check == b'Z' { 'A' } else { char::from(check + 1) });
        prop_assert!(text(What::ItCodiceFiscale, &good));
        prop_assert!(!text(What::ItCodiceFiscale, &bad));
    }
}
