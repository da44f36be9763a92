//! What expressions give, and that whole batches give what CEL's interpreter gives row by row.

use proptest::prelude::*;
use serde_json::json;

use super::*;
use crate::expression::Expression;

fn value(expression: &str, table: &str) -> String {
    let text = shown(json!([{ "select": [{ "value": expression, "as": "x" }] }]), table);
    text.lines().skip(1).collect::<Vec<_>>().join(" ")
}

fn problem(expression: &str) -> String {
    let table = "a:s64,b:f64,t:utf8,ok:bool,at:timestamp\n";
    shown(json!([{ "derive": [{ "value": expression, "as": "x" }] }]), table)
}

#[test]
fn nulls_follow_three_valued_logic() {
    let table = "a:f64,c:utf8\n5,de\n,de\n,fr\n,\n";
    assert_eq!(value("a > 1.0 || c == 'de'", table), "true true  ");
    assert_eq!(value("a > 1.0 && c == 'de'", table), "true  false false");
    assert_eq!(value("a == null", table), "false true true true");
    assert_eq!(value("a + 1.0", table), "6   ");
    assert_eq!(value("a == null ? 0.0 : a", table), "5 0 0 0");
    assert_eq!(value("c == null ? 'none' : c + '!'", table), "de! de! fr! none");
    assert_eq!(value("c in ['de', 'at']", table), "true true false false");
    assert_eq!(value("!(a > 1.0)", table), "false   ");
}

#[test]
fn nan_counts_as_null() {
    let table = "a:f64\nNaN\n1\n";
    assert_eq!(value("a == null", table), "true false");
    assert_eq!(value("a > 0.5", table), " true");
    assert_eq!(value("a - a == 0.0 ? a / 0.0 - a / 0.0 : a", table), " ", "a result that is NaN is null");
}

#[test]
fn types_of_results() {
    let head = |expression: &str| {
        let table = "a:s64,b:f64,t:categorical,ok:bool,at:timestamp\n1,2,x,true,3\n";
        let text = shown(json!([{ "select": [{ "value": expression, "as": "x" }] }]), table);
        text.replace("x:", "").replace('\n', " ")
    };
    assert_eq!(head("a + 1"), "s64 2 ");
    assert_eq!(head("a * b"), "f64 2 ");
    assert_eq!(head("b * 2"), "f64 4 ");
    assert_eq!(head("a / 2"), "s64 0 ");
    assert_eq!(head("ok ? a : b"), "f64 1 ");
    assert_eq!(head("ok ? a : null"), "s64 1 ");
    assert_eq!(head("t"), "categorical x ");
    assert_eq!(head("t + '!'"), "utf8 x! ");
    assert_eq!(head("at"), "timestamp 3 ");
    assert_eq!(head("at + duration('1ms')"), "timestamp 1003 ");
    assert_eq!(head("at - timestamp('1970-01-01')"), "s64 3 ");
    assert_eq!(head("at < timestamp('1970-01-01T00:00:01Z')"), "bool true ");
    assert_eq!(head("int(b) % 2"), "s64 0 ");
    assert_eq!(head("size(t) + row.a + row['a']"), "s64 3 ");
    assert_eq!(head("t.upperAscii().startsWith('X')"), "bool true ");
    assert_eq!(head("math.greatest(a, 5)"), "s64 5 ");
    assert_eq!(head("math.abs(-b)"), "f64 2 ");
    assert_eq!(head("['x', 'y'].exists(a, a == t)"), "bool true ");
    assert_eq!(head("[1, a].all(k, k > 0)"), "bool true ");
}

#[test]
fn mistakes_are_found_before_rows_are_read() {
    for (expression, part) in [
        ("", "the expression is empty"),
        ("a +", "this is not CEL"),
        ("aa + 1", "did you mean `a`?"),
        ("a + t", "`+` does not go with a whole number and text"),
        ("t > 1", "`>` compares text with a whole number"),
        ("t == 1", "`==` compares text with a whole number"),
        ("b < null", "`<` compares a float with null"),
        ("a && ok", "what stands left of `&&` must be `true` or `false`, and is a whole number"),
        ("!a", "what stands after `!`"),
        ("a ? 1 : 2", "the condition before `?`"),
        ("ok ? 1 : 'x'", "`? :` gives a whole number or text"),
        ("b % 2", "`%` takes whole numbers only"),
        ("t in ['x', 1] || a in 5", "`in` wants a list, and finds a whole number"),
        ("a in ['x']", "`in` compares a whole number with text"),
        ("lenght(t)", "there is no function `lenght`"),
        ("doubl(a)", "did you mean `double`?"),
        ("t.trimm()", "did you mean `trim`?"),
        ("a.trim()", "`trim` takes text, and stands behind a whole number"),
        ("math.flor(b)", "did you mean `floor`?"),
        ("timestamp('2026-02-30') < at", "is no time"),
        ("at < duration('7 days')", "is no duration"),
        ("null", "gives null, which no column can hold"),
        ("[a]", "gives a list, which no column can hold"),
        ("{'a': a}", "maps and messages have no place"),
        ("row['nothing here']", "there is no column `nothing here`"),
        ("t.x", "`.x` is asked of text"),
    ] {
        let found = problem(expression);
        assert!(found.contains(part), "{expression}: {found}");
    }
    let long = format!("a + {}", "1 + ".repeat(600));
    assert!(problem(&long).contains("longer than 2000 characters"));
}

#[test]
fn rows_without_a_value_are_named() {
    let table = "a:s64,b:s64\n1,2\n9223372036854775807,0\n";
    let error = |expression: &str| shown(json!([{ "derive": [{ "value": expression, "as": "x" }] }]), table);
    assert!(error("a + 1").starts_with("row 1: whole numbers overflow in `add`"), "{}", error("a + 1"));
    assert!(error("a / b").starts_with("row 1: a whole number is divided by zero"));
    assert!(error("a % b").starts_with("row 1: `%` by zero"));
    assert!(error("int(string(a) + 'x')").starts_with("row 0: `int` failed"));
    assert_eq!(value("b == 0 ? null : a / b", table), "0 ");
    assert_eq!(value("b != 0 && a / b > 0", table), "false false");
}

/// Conditions and values over the columns `i` and `j` (s64), `x` and `y` (f64), `s` (utf8), `c` (categorical), `k`
/// (bool).
fn expressions() -> impl Strategy<Value = String> {
    let whole = prop_oneof![Just("i"), Just("j"), Just("0"), Just("3"), Just("-2"), Just("9223372036854775807")];
    let float = prop_oneof![Just("x"), Just("y"), Just("0.5"), Just("-2.0"), Just("0.0"), Just("double(i)")];
    let number = prop_oneof![whole.clone().prop_map(str::to_owned), float.prop_map(str::to_owned)];
    let number = number.prop_recursive(3, 12, 2, |inner| {
        (inner.clone(), prop_oneof![Just("+"), Just("-"), Just("*"), Just("/")], inner)
            .prop_map(|(left, operator, right)| format!("({left} {operator} {right})"))
    });
    let text = prop_oneof![Just("s"), Just("c"), Just("'a'"), Just("'b'"), Just("''")];
    let compare = prop_oneof![Just("<"), Just("<="), Just(">"), Just(">="), Just("=="), Just("!=")];
    let test = prop_oneof![
        (number.clone(), compare.clone(), number.clone()).prop_map(|(a, operator, b)| format!("{a} {operator} {b}")),
        (text.clone(), compare, text).prop_map(|(a, operator, b)| format!("{a} {operator} {b}")),
        prop_oneof![Just("x"), Just("s"), Just("c"), Just("i")].prop_map(|name| format!("{name} == null")),
        Just("k".to_owned()),
        Just("s in ['a', 'c']".to_owned()),
        Just("c.startsWith('a') || s.contains('b') || s.endsWith(c)".to_owned()),
        Just("i in [0, 3]".to_owned()),
        (whole.clone(), whole).prop_map(|(a, b)| format!("{a} % {b} == 0")),
    ];
    let test = test.prop_recursive(3, 12, 2, |inner| {
        prop_oneof![
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} && {b})")),
            (inner.clone(), inner.clone()).prop_map(|(a, b)| format!("({a} || {b})")),
            inner.prop_map(|a| format!("!({a})")),
        ]
    });
    prop_oneof![
        test.clone(),
        number.clone(),
        (test, number.clone(), number).prop_map(|(c, a, b)| format!("{c} ? {a} : {b}"))
    ]
}

type Cells = (Option<i64>, Option<i64>, Option<f64>, Option<f64>, Option<&'static str>, Option<&'static str>, bool);

fn rows(nulls: bool) -> impl Strategy<Value = Vec<Cells>> {
    let chance = if nulls { 0.7 } else { 0.999_999 };
    let whole = prop_oneof![-3_i64..4, Just(i64::MAX), Just(i64::MIN)];
    let float = prop_oneof![Just(0.0), Just(-2.0), Just(0.5), Just(1e308), -3.0..3.0];
    let text = prop_oneof![Just("a"), Just("b"), Just("")];
    let of = proptest::option::weighted::<BoxedStrategy<i64>>;
    let row = (
        of(chance, whole.clone().boxed()),
        of(chance, whole.boxed()),
        proptest::option::weighted(chance, float.clone()),
        proptest::option::weighted(chance, float),
        proptest::option::weighted(chance, text.clone()),
        proptest::option::weighted(chance, text),
        any::<bool>(),
    );
    proptest::collection::vec(row, 1..6)
}

fn frame(rows: &[Cells]) -> Frame {
    let table = Table::from_columns([
        ("i", Column::from_s64(rows.iter().map(|row| row.0))),
        ("j", Column::from_s64(rows.iter().map(|row| row.1))),
        ("x", Column::from_f64(rows.iter().map(|row| row.2))),
        ("y", Column::from_f64(rows.iter().map(|row| row.3))),
        ("s", Column::from_text(rows.iter().map(|row| row.4))),
        ("c", Column::from_categories(rows.iter().map(|row| row.5))),
        ("k", Column::from_bool(rows.iter().map(|row| row.6))),
    ]);
    Frame::read(&table).unwrap()
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(500))]

    /// The fast way and the interpreter agree, on values and on the first row that has none.
    #[test]
    fn batches_give_what_rows_give(text in expressions(), rows in prop_oneof![rows(false), rows(true)]) {
        let frame = frame(&rows);
        if let Ok(expression) = Expression::compile(&text, &frame.schema) {
            prop_assert_eq!(expression.evaluate(&frame), expression.evaluate_by_rows(&frame), "{}", text);
        }
    }

    #[test]
    fn any_text_is_an_expression_or_a_problem(text in "[a-z0-9 .()'?:&|!<>=+*/%\\[\\]{},-]{0,40}") {
        let frame = frame(&[(Some(1), None, Some(0.5), None, Some("a"), None, true)]);
        if let Ok(expression) = Expression::compile(&text, &frame.schema) {
            let _ = expression.evaluate(&frame);
        }
    }
}
