//! Ways to reach a person: e-mail, telephone, internet addresses.

use std::net::{Ipv4Addr, Ipv6Addr};

/// Whether a piece of the text is an e-mail address.
pub fn holds_email(text: &str) -> bool {
    let outside = |c: char| c.is_whitespace() || matches!(c, '<' | '>' | '(' | ')' | ',' | ';' | '"' | '\'' | ':');
    text.contains('@') && text.split(outside).any(|piece| email(piece.trim_end_matches('.')))
}

/// A dot-atom, `@`, and a domain name with a top level of letters. Source: RFC 5322 3.4.1 without quoted forms; lengths
/// from RFC 5321 4.5.3.1.
fn email(piece: &str) -> bool {
    let Some((local, domain)) = piece.rsplit_once('@') else { return false };
    let atom = |c: char| c.is_alphanumeric() || "!#$%&'*+-/=?^_`{|}~".contains(c);
    let atoms = local.split('.').all(|atom_text| !atom_text.is_empty() && atom_text.chars().all(atom));
    let label = |label: &str| {
        !label.is_empty()
            && label.len() <= 63
            && label.chars().all(|c| c.is_alphanumeric() || c == '-')
            && !label.starts_with('-')
            && !label.ends_with('-')
    };
    let Some((_, top)) = domain.rsplit_once('.') else { return false };
    let top = top.chars().count() >= 2 && (top.chars().all(char::is_alphabetic) || top.starts_with("xn--"));
    local.len() <= 64 && domain.len() <= 255 && atoms && top && domain.split('.').all(label)
}

/// With `+` or `00` and 8 to 15 digits (ITU-T E.164), or a national form that its separators give away. Plain digits
/// are not taken for a telephone number: too much else looks so.
pub fn phone(value: &str) -> bool {
    let value = value.strip_prefix("tel:").unwrap_or(value);
    let well_formed = value.chars().all(|c| c.is_ascii_digit() || " -./()+".contains(c));
    let digits: Vec<u8> = value.bytes().filter(u8::is_ascii_digit).collect();
    let separated = value.bytes().any(|c| b" -./()".contains(&c));
    let plus = value.starts_with('+');
    let one_plus = value.matches('+').count() == usize::from(plus);
    let balanced = !value.contains(['(', ')']) || parenthesised(value);
    let ends = value.starts_with(|c: char| c.is_ascii_digit() || "+(".contains(c))
        && value.ends_with(|c: char| c.is_ascii_digit());
    let decimal = !plus && value.parse::<f64>().is_ok();
    if !well_formed || !one_plus || !balanced || !ends || decimal {
        return false;
    }
    match digits.as_slice() {
        [b'1'..=b'9', ..] if plus => (8..=15).contains(&digits.len()),
        [b'0', b'0', b'1'..=b'9', ..] if separated => (10..=17).contains(&digits.len()),
        // A trunk prefix, an area code and a number: much of Europe, Asia and Africa.
        [b'0', b'1'..=b'9', ..] if separated => (9..=12).contains(&digits.len()) && !date(value),
        // North America: area and exchange begin with 2 to 9.
        [b'2'..=b'9', _, _, b'2'..=b'9', ..] if separated => digits.len() == 10 && north_american(value),
        [b'1', b'2'..=b'9', _, _, b'2'..=b'9', ..] if separated => digits.len() == 11 && north_american(&value[1..]),
        _ => false,
    }
}

/// One pair of parentheses with up to five digits in it.
fn parenthesised(value: &str) -> bool {
    let Some((before, rest)) = value.split_once('(') else { return false };
    let Some((inside, after)) = rest.split_once(')') else { return false };
    let digits = (1..=5).contains(&inside.len()) && inside.bytes().all(|c| c.is_ascii_digit());
    digits && !before.contains(')') && !after.contains(['(', ')'])
}

/// A date such as `01.02.2020`: three groups of two, two and four digits.
fn date(value: &str) -> bool {
    value.len() <= 10 && value.split(['.', '/', '-', ' ']).count() == 3
}

/// Three, three and four digits.
fn north_american(value: &str) -> bool {
    let groups: Vec<usize> =
        value.split(|c: char| !c.is_ascii_digit()).map(str::len).filter(|length| *length > 0).collect();
    groups == [3, 3, 4]
}

pub fn ip_address(value: &str) -> bool {
    value.parse::<Ipv4Addr>().is_ok() || value.matches(':').count() >= 2 && value.parse::<Ipv6Addr>().is_ok()
}
