//! One text for one JSON value, so that its digest is the digest of the value: RFC 8785, the JSON Canonicalization
//! Scheme.
//!
//! One deviation, on purpose: RFC 8785 writes every number as the nearest IEEE 754 double. Integers beyond 2^53 that
//! came as integers (`i64`, `u64`) are written exactly here, since seeds and counts must not be rounded. A reader that
//! knows only doubles rounds them as it would any such integer.

use serde_json::{Number, Value};

/// The canonical text of `value`: keys sorted by UTF-16 code units, no white space, numbers as ECMAScript writes them.
pub fn to_canonical(value: &Value) -> String {
    let mut text = String::new();
    write_value(&mut text, value);
    text
}

fn write_value(text: &mut String, value: &Value) {
    match value {
        Value::Null => text.push_str("null"),
        Value::Bool(value) => text.push_str(if *value { "true" } else { "false" }),
        Value::Number(number) => write_number(text, number),
        Value::String(string) => write_string(text, string),
        Value::Array(items) => write_list(text, ['[', ']'], items.iter(), write_value),
        Value::Object(members) => {
            let mut members: Vec<_> = members.iter().collect();
            members.sort_by(|(left, _), (right, _)| left.encode_utf16().cmp(right.encode_utf16()));
            write_list(text, ['{', '}'], members.into_iter(), |text, (key, value)| {
                write_string(text, key);
                text.push(':');
                write_value(text, value);
            });
        }
    }
}

fn write_list<T>(
    text: &mut String,
    [open, close]: [char; 2],
    items: impl Iterator<Item = T>,
    mut write: impl FnMut(&mut String, T),
) {
    text.push(open);
    for (index, item) in items.enumerate() {
        if index > 0 {
            text.push(',');
        }
        write(text, item);
    }
    text.push(close);
}

fn write_number(text: &mut String, number: &Number) {
    let shortest = number.to_string();
    if number.is_f64() { write_double(text, &shortest) } else { text.push_str(&shortest) }
}

/// ECMAScript's `Number::toString` (ECMA-262, section 6.1.6.1.20): plain between 1e-7 and 1e21, else scientific.
///
/// `shortest` has the digits that it asks for (the shortest that read back as the same double, a tie going to the even
/// digit), in another layout. Rust's own `{}` would not do: it rounds such a tie up.
fn write_double(text: &mut String, shortest: &str) {
    let (sign, magnitude) = shortest.strip_prefix('-').map_or(("", shortest), |magnitude| ("-", magnitude));
    let (mantissa, exponent) = magnitude.split_once('e').unwrap_or((magnitude, "0"));
    let (whole, fraction) = mantissa.split_once('.').unwrap_or((mantissa, ""));
    let all = format!("{whole}{fraction}");
    let digits = all.trim_start_matches('0');
    // The value is 0.digits × 10^point.
    let exponent: i32 = exponent.parse().expect("the exponent of a double is a small integer");
    let point = whole.len() as i32 - (all.len() - digits.len()) as i32 + exponent;
    let digits = digits.trim_end_matches('0');
    if digits.is_empty() {
        return text.push('0');
    }
    text.push_str(sign);
    let count = digits.len() as i32;
    match point {
        _ if count <= point && point <= 21 => {
            text.push_str(digits);
            text.extend(std::iter::repeat_n('0', (point - count) as usize));
        }
        1..=21 => {
            text.push_str(&digits[..point as usize]);
            text.push('.');
            text.push_str(&digits[point as usize..]);
        }
        -5..=0 => {
            text.push_str("0.");
            text.extend(std::iter::repeat_n('0', -point as usize));
            text.push_str(digits);
        }
        _ => {
            let (first, rest) = digits.split_at(1);
            let dot = if rest.is_empty() { "" } else { "." };
            text.push_str(&format!("{first}{dot}{rest}e{:+}", point - 1));
        }
    }
}

/// Only what JSON demands is escaped (RFC 8785, section 3.2.2.2).
fn write_string(text: &mut String, string: &str) {
    text.push('"');
    for character in string.chars() {
        match character {
            '"' => text.push_str("\\\""),
            '\\' => text.push_str("\\\\"),
            '\u{8}' => text.push_str("\\b"),
            '\t' => text.push_str("\\t"),
            '\n' => text.push_str("\\n"),
            '\u{c}' => text.push_str("\\f"),
            '\r' => text.push_str("\\r"),
            control if control < ' ' => text.push_str(&format!("\\u{:04x}", u32::from(control))),
            other => text.push(other),
        }
    }
    text.push('"');
}

#[cfg(test)]
mod tests {
    use serde_json::json;

    use super::*;

    /// RFC 8785, appendix B: bits of a double and its text.
    #[test]
    fn numbers_of_the_rfc() {
        for (bits, text) in [
            (0x0000_0000_0000_0000, "0"),
            (0x8000_0000_0000_0000, "0"),
            (0x0000_0000_0000_0001, "5e-324"),
            (0x8000_0000_0000_0001, "-5e-324"),
            (0x7fef_ffff_ffff_ffff, "1.7976931348623157e+308"),
            (0xffef_ffff_ffff_ffff, "-1.7976931348623157e+308"),
            (0x4340_0000_0000_0000, "9007199254740992"),
            (0xc340_0000_0000_0000, "-9007199254740992"),
            (0x4430_0000_0000_0000, "295147905179352830000"),
            (0x44b5_2d02_c7e1_4af5, "9.999999999999997e+22"),
            (0x44b5_2d02_c7e1_4af6, "1e+23"),
            (0x44b5_2d02_c7e1_4af7, "1.0000000000000001e+23"),
            (0x444b_1ae4_d6e2_ef4e, "999999999999999700000"),
            (0x444b_1ae4_d6e2_ef4f, "999999999999999900000"),
            (0x444b_1ae4_d6e2_ef50, "1e+21"),
            (0x3eb0_c6f7_a0b5_ed8c, "9.999999999999997e-7"),
            (0x3eb0_c6f7_a0b5_ed8d, "0.000001"),
            (0x41b3_de43_5555_5553, "333333333.3333332"),
            (0x41b3_de43_5555_5554, "333333333.33333325"),
            (0x41b3_de43_5555_5555, "333333333.3333333"),
            (0x41b3_de43_5555_5556, "333333333.3333334"),
            (0x41b3_de43_5555_5557, "333333333.33333343"),
            (0xbecb_f647_612f_3696, "-0.0000033333333333333333"),
            (0x4314_3ff3_c1cb_0959, "1424953923781206.2"),
        ] {
            assert_eq!(to_canonical(&json!(f64::from_bits(bits))), text, "{bits:016x}");
        }
    }

    /// RFC 8785, section 3.2.3.
    #[test]
    fn keys_are_sorted_by_utf16_code_units() {
        let value = json!({
            "\u{20ac}": "Euro Sign", "\r": "Carriage Return", "\u{fb33}": "Hebrew Letter Dalet With Dagesh", "1": "One",
            "\u{1f600}": "Emoji: Grinning Face", "\u{80}": "Control", "\u{f6}": "Latin Small Letter O With Diaeresis",
        });
        let text = to_canonical(&value);
        let order =
            ["Carriage", "One", "Control", "Latin", "Euro", "Emoji", "Hebrew"].map(|word| text.find(word).unwrap());
        assert!(order.is_sorted(), "{text}");
    }

    #[test]
    fn a_whole_document() {
        let value: Value = serde_json::from_str(
            r#"{ "numbers": [333333333.33333329, 1E30, 4.50, 2e-3, 0.000000000000000000000000001],
                 "string": "\u20ac$\u000F\u000aA'\u0042\u0022\u005c\\\"\/", "literals": [null, true, false],
                 "empty": [{}, []] }"#,
        )
        .unwrap();
        let expected = concat!(
            r#"{"empty":[{},[]],"literals":[null,true,false],"numbers":[333333333.3333333,1e+30,4.5,0.002,1e-27],"#,
            r#""string":"€$\u000f\nA'B\"\\\\\"/"}"#
        );
        assert_eq!(to_canonical(&value), expected);
        assert_eq!(serde_json::from_str::<Value>(expected).unwrap(), value);
    }

    #[test]
    fn integers_are_exact_and_whole_doubles_look_like_them() {
        assert_eq!(
            to_canonical(&json!([u64::MAX, i64::MIN, -1, 1.0])),
            "[18446744073709551615,-9223372036854775808,-1,1]"
        );
    }
}
