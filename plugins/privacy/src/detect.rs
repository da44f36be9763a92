//! What one value looks like. Every function takes any text and says yes or no; nothing here knows of tables.

mod accounts;
mod contact;
mod national;

use crate::config::What;

/// Longer values are no single identifier; only e-mail addresses are looked for in them, up to this length.
const LONGEST: usize = 64;

/// How far into a long text is looked.
const LONGEST_TEXT: usize = 4096;

/// Whether a text value is of this kind.
pub fn text(what: What, value: &str) -> bool {
    let value = value.trim();
    if value.len() > LONGEST {
        return what == What::Email && contact::holds_email(start(value));
    }
    match what {
        What::Email => contact::holds_email(value),
        What::Phone => contact::phone(value),
        What::IpAddress => contact::ip_address(value),
        What::PaymentCard => accounts::payment_card(value),
        What::Iban => accounts::iban(value),
        What::UsSsn => national::us_ssn(value),
        What::UkNino => national::uk_nino(value),
        What::DeTaxId => national::de_tax_id(value),
        What::FrNir => national::fr_nir(value),
        What::EsDni => national::es_dni(value),
        What::ItCodiceFiscale => national::it_codice_fiscale(value),
        What::NlBsn => national::nl_bsn(value),
        What::PlPesel => national::pl_pesel(value),
        What::Title | What::Identifier => false,
    }
}

/// What a value is made of, counted once: most kinds are ruled out by that.
#[derive(Clone, Copy, Debug, Default)]
pub struct Traits {
    letters: usize,
    digits: usize,
    /// `@`, `.` and `:`.
    at: bool,
    point: bool,
    colon: bool,
}

impl Traits {
    pub fn of(value: &str) -> Self {
        let mut traits = Self::default();
        for c in value.trim().bytes().take(LONGEST_TEXT) {
            match c {
                b'0'..=b'9' => traits.digits += 1,
                b'@' => traits.at = true,
                b'.' => traits.point = true,
                b':' => traits.colon = true,
                c => traits.letters += usize::from(c.is_ascii_alphabetic()),
            }
        }
        traits
    }

    /// Whether it is worth asking.
    pub fn allow(self, what: What) -> bool {
        let Self { letters, digits, at, point, colon } = self;
        match what {
            What::Email => at,
            What::IpAddress => point || colon,
            // Letters of `tel:`.
            What::Phone => digits >= 8 && (letters == 0 || colon && letters == 3),
            What::PaymentCard => letters == 0 && (13..=19).contains(&digits),
            What::Iban => letters >= 2 && letters + digits >= 15,
            What::UsSsn => letters == 0 && digits == 9,
            What::UkNino => letters == 3 && digits == 6,
            What::DeTaxId | What::PlPesel => letters == 0 && digits == 11,
            What::FrNir => letters <= 1 && letters + digits == 15,
            What::EsDni => letters + digits == 9 && (1..=2).contains(&letters),
            What::ItCodiceFiscale => letters + digits == 16 && letters >= 9,
            What::NlBsn => letters == 0 && (8..=9).contains(&digits),
            What::Title | What::Identifier => false,
        }
    }
}

/// Whether a whole number is of this kind: only those with a check digit can be told from any other number.
pub fn number(what: What, digits: &str) -> bool {
    match what {
        What::PaymentCard | What::DeTaxId | What::FrNir | What::NlBsn | What::PlPesel => text(what, digits),
        _ => false,
    }
}

/// A value's form without its content: letters become `a`, digits `9`.
pub fn shape(value: &str) -> String {
    const SHOWN: usize = 40;
    let plain = |c: char| match c {
        c if c.is_numeric() => '9',
        c if c.is_alphabetic() => 'a',
        c if c.is_ascii_graphic() || c == ' ' => c,
        _ => '?',
    };
    let mut shape: String = value.trim().chars().take(SHOWN).map(plain).collect();
    if value.trim().chars().nth(SHOWN).is_some() {
        shape.push('…');
    }
    shape
}

fn start(value: &str) -> &str {
    let end = value.floor_char_boundary(LONGEST_TEXT);
    &value[..end]
}

/// The digits of a value that holds nothing else than digits and single separators of these between them.
fn digits(value: &str, separators: &[char]) -> Option<Vec<u8>> {
    let mut digits = Vec::with_capacity(value.len());
    let mut after_separator = true;
    for c in value.chars() {
        match c.to_digit(10) {
            Some(digit) => {
                digits.push(digit as u8);
                after_separator = false;
            }
            None if separators.contains(&c) && !after_separator => after_separator = true,
            None => return None,
        }
    }
    (!after_separator).then_some(digits)
}

/// Upper-case letters and digits of a value that holds nothing else but them, either case, and spaces, `-` or `.`.
fn letters_and_digits(value: &str) -> Option<Vec<u8>> {
    let mut kept = Vec::with_capacity(value.len());
    for c in value.bytes() {
        match c {
            c if c.is_ascii_alphanumeric() => kept.push(c.to_ascii_uppercase()),
            b' ' | b'-' | b'.' => {}
            _ => return None,
        }
    }
    Some(kept)
}

#[cfg(test)]
mod tests;
