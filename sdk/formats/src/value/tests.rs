//! Property and example tests of value parsing.

use proptest::prelude::*;

use super::*;

fn types(text: &str) -> Types {
    types_of(text.as_bytes())
}

#[test]
fn texts_have_the_types_that_people_mean() {
    for number in ["0", "-1", "42", "9223372036854775807", "-9223372036854775808"] {
        assert_eq!(types(number), Types::NUMBER, "{number}");
    }
    for number in [
        "0.5",
        "-.5",
        "5.",
        "1e5",
        "1E-5",
        "1.5e-7",
        "-2.5e+7",
        "0.1234567890123456789012345",
        "nan",
        "-inf",
        "Infinity",
    ] {
        assert_eq!(types(number), Types::F64, "{number}");
    }
    for text in
        ["", "-", ".", "e5", "1e", "1e+", "01234", "+49", "-007", "9223372036854775808", "1,5", "0x1F", "1_000", "1 2"]
    {
        assert_eq!(types(text), Types::NONE, "{text}");
    }
    for text in ["true", "False", "TRUE"] {
        assert_eq!(types(text), Types::BOOL, "{text}");
    }
    assert_eq!(types("yes"), Types::NONE);
    assert_eq!(types("2026-11-21"), Types::TIMESTAMP);
    assert_eq!(types("2026-11-41"), Types::NONE);
    assert_eq!(types("1234-5"), Types::NONE);
}

#[test]
fn parsers_refuse_other_texts() {
    for text in ["", "-", "1.5", "9223372036854775808", "-9223372036854775809", "99999999999999999999", "a", "1a"] {
        assert_eq!(parse_s64(text.as_bytes()), None, "{text}");
    }
    for text in ["", "-", ".", "-.", "1,5", "1.2.3", "--1", "abc", "1e"] {
        assert_eq!(parse_f64(text.as_bytes()), None, "{text}");
    }
    assert_eq!(parse_s64(b"+5"), Some(5));
    assert_eq!(parse_bool(b"yes"), Some(true));
    assert_eq!(parse_bool(b"No"), Some(false));
    assert_eq!(parse_bool(b"10"), None);
}

#[test]
fn minus_zero_stays() {
    assert_eq!(parse_f64(b"-0.0").map(f64::to_bits), Some((-0.0_f64).to_bits()));
}

proptest! {
    #[test]
    fn floats_are_those_of_the_standard_library(text in "[+-]?[0-9]{0,22}(\\.[0-9]{0,22})?(e[+-]?[0-9]{1,3})?") {
        let standard = text.parse::<f64>().ok();
        prop_assert_eq!(parse_f64(text.as_bytes()).map(f64::to_bits), standard.map(f64::to_bits));
    }

    #[test]
    fn written_floats_come_back_bit_for_bit(value in any::<f64>().prop_filter("finite", |value| value.is_finite())) {
        prop_assert_eq!(parse_f64(value.to_string().as_bytes()).map(f64::to_bits), Some(value.to_bits()));
        let scientific = format!("{value:e}");
        prop_assert_eq!(parse_f64(scientific.as_bytes()).map(f64::to_bits), Some(value.to_bits()));
    }

    #[test]
    fn whole_numbers_come_back(value in any::<i64>()) {
        prop_assert_eq!(parse_s64(value.to_string().as_bytes()), Some(value));
        prop_assert!(types_of(value.to_string().as_bytes()).contains(Types::S64));
    }

    /// What inference says, the parsers can do.
    #[test]
    fn types_hold_what_they_promise(text in "[-+.0-9eEinfatruls:TZ ]{0,12}") {
        let types = types_of(text.as_bytes());
        prop_assert!(!types.contains(Types::BOOL) || parse_bool(text.as_bytes()).is_some());
        prop_assert!(!types.contains(Types::S64) || parse_s64(text.as_bytes()).is_some());
        prop_assert!(!types.contains(Types::F64) || parse_f64(text.as_bytes()).is_some());
        prop_assert!(!types.contains(Types::TIMESTAMP) || timestamp(text.as_bytes()).is_some());
    }
}
