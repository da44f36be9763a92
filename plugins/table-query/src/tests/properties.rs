//! Joins, groups and windows against loops over all pairs of rows.

use proptest::prelude::*;
use serde_json::json;

use super::*;

/// Key (text), second key, time, value.
type Row = (Option<u8>, Option<i64>, Option<i64>, Option<f64>);

fn rows() -> impl Strategy<Value = Vec<Row>> {
    let value = prop_oneof![Just(f64::NAN), -4.0..4.0_f64, (-3..3_i32).prop_map(f64::from)];
    let row = (
        proptest::option::weighted(0.8, 0..3_u8),
        proptest::option::weighted(0.8, 0..2_i64),
        proptest::option::weighted(0.9, 0..12_i64),
        proptest::option::weighted(0.8, value),
    );
    proptest::collection::vec(row, 0..25)
}

const NAMES: [&str; 3] = ["a", "b", "c"];

fn table(rows: &[Row], categorical: bool) -> Table {
    let names = rows.iter().map(|row| row.0.map(|name| NAMES[usize::from(name)]));
    let names = if categorical { Column::from_categories(names) } else { Column::from_text(names) };
    Table::from_columns([
        ("name", names),
        ("number", Column::from_s64(rows.iter().map(|row| row.1))),
        ("time", Column::from_timestamp(rows.iter().map(|row| row.2))),
        ("value", Column::from_f64(rows.iter().map(|row| row.3))),
        ("row", Column::from_s64(0..rows.len() as i64)),
    ])
}

fn run(verb: Value, left: &[Row], right: &[Row]) -> Table {
    let inputs = vec![("table", table(left, true)), ("other", table(right, false))];
    query(json!({ "do": [verb] }), inputs).unwrap()
}

fn whole(table: &Table, name: &str) -> Vec<Option<i64>> {
    let column = table.column(table.schema().index_of(name).unwrap()).unwrap();
    (0..column.len()).map(|row| (!column.is_null(row)).then(|| column.as_s64().unwrap()[row])).collect()
}

fn floats(table: &Table, name: &str) -> Vec<Option<f64>> {
    let column = table.column(table.schema().index_of(name).unwrap()).unwrap();
    (0..column.len()).map(|row| column.number(row)).collect()
}

fn same_key(a: &Row, b: &Row) -> bool {
    a.0.is_some() && a.1.is_some() && a.0 == b.0 && a.1 == b.1
}

fn close(a: Option<f64>, b: Option<f64>) -> bool {
    match (a, b) {
        (Some(a), Some(b)) => (a - b).abs() <= 1e-9 * (1.0 + a.abs()),
        (a, b) => a.is_none() && b.is_none(),
    }
}

/// `mean`, `std`, `min`, `max` and `median` of values, by their definitions.
fn expected(values: &[f64]) -> [Option<f64>; 5] {
    let values: Vec<f64> = values.iter().copied().filter(|value| !value.is_nan()).collect();
    let count = values.len() as f64;
    if values.is_empty() {
        return [None; 5];
    }
    let mean = values.iter().sum::<f64>() / count;
    let squares: f64 = values.iter().map(|value| (value - mean).powi(2)).sum();
    let mut sorted = values.clone();
    sorted.sort_by(f64::total_cmp);
    let middle = sorted.len() / 2;
    let median = if sorted.len() % 2 == 1 { sorted[middle] } else { (sorted[middle - 1] + sorted[middle]) / 2.0 };
    let std = (values.len() > 1).then(|| (squares / (count - 1.0)).sqrt());
    [Some(mean), std, sorted.first().copied(), sorted.last().copied(), Some(median)]
}

const FUNCTIONS: [&str; 5] = ["mean", "std", "min", "max", "median"];

fn measures() -> Value {
    let of_value = FUNCTIONS.iter().map(|function| json!({ "function": function, "column": "value", "as": function }));
    let more = [
        json!({ "function": "count", "as": "rows" }),
        json!({ "function": "count", "column": "value", "as": "values" }),
        json!({ "function": "sum", "column": "row", "as": "rows_sum" }),
        json!({ "function": "first", "column": "row", "as": "first" }),
        json!({ "function": "last", "column": "row", "as": "last" }),
        json!({ "function": "n_unique", "column": "number", "as": "numbers" }),
    ];
    Value::Array(of_value.chain(more).collect())
}

/// Compares the measures of one result row with those of the rows that it should have looked at.
fn check(found: &Table, at: usize, rows: &[Row], looked_at: &[usize]) -> std::result::Result<(), TestCaseError> {
    let values: Vec<f64> = looked_at.iter().filter_map(|&row| rows[row].3).collect();
    for (function, expected) in FUNCTIONS.iter().zip(expected(&values)) {
        let given = floats(found, function)[at];
        prop_assert!(close(given, expected), "{function}: {given:?}, not {expected:?}");
    }
    let numbers: std::collections::BTreeSet<i64> = looked_at.iter().filter_map(|&row| rows[row].1).collect();
    let count = |count: usize| Some(count as i64);
    prop_assert_eq!(whole(found, "rows")[at], count(looked_at.len()));
    prop_assert_eq!(whole(found, "values")[at], count(values.iter().filter(|value| !value.is_nan()).count()));
    prop_assert_eq!(whole(found, "rows_sum")[at], count(looked_at.iter().sum()));
    prop_assert_eq!(whole(found, "first")[at], looked_at.first().map(|&row| row as i64));
    prop_assert_eq!(whole(found, "last")[at], looked_at.last().map(|&row| row as i64));
    prop_assert_eq!(whole(found, "numbers")[at], count(numbers.len()));
    Ok(())
}

proptest! {
    #![proptest_config(ProptestConfig::with_cases(150))]

    #[test]
    fn joins(left in rows(), right in rows()) {
        for how in ["inner", "left", "semi", "anti"] {
            let verb = json!({ "join": { "with": "other", "on": ["name", "number"], "how": how } });
            let found = run(verb, &left, &right);
            let mut expected = Vec::new();
            for (row, one) in left.iter().enumerate() {
                let partners: Vec<usize> = (0..right.len()).filter(|&other| same_key(one, &right[other])).collect();
                let row = Some(row as i64);
                match how {
                    "semi" | "anti" if partners.is_empty() == (how == "anti") => expected.push((row, None)),
                    "left" if partners.is_empty() => expected.push((row, None)),
                    "inner" | "left" => expected.extend(partners.iter().map(|&other| (row, Some(other as i64)))),
                    _ => {}
                }
            }
            let others = match how {
                "semi" | "anti" => vec![None; found.num_rows()],
                _ => whole(&found, "row_right"),
            };
            let pairs: Vec<_> = whole(&found, "row").into_iter().zip(others).collect();
            prop_assert_eq!(pairs, expected, "{}", how);
        }
    }

    #[test]
    fn point_in_time_joins(left in rows(), right in rows(), tolerance in proptest::option::of(0..6_i64), before: bool) {
        let mut join = json!({ "with": "other", "by": ["name", "number"], "time": "time", "strictly_before": before });
        if let Some(tolerance) = tolerance {
            join["tolerance"] = json!(format!("{tolerance}us"));
        }
        let found = whole(&run(json!({ "point_in_time_join": join }), &left, &right), "row_right");
        for (row, one) in left.iter().enumerate() {
            let known = |other: &usize| {
                let (Some(now), Some(then)) = (one.2, right[*other].2) else { return false };
                let early = if before { then < now } else { then <= now };
                same_key(one, &right[*other]) && early && tolerance.is_none_or(|most| now - then <= most)
            };
            let latest = (0..right.len()).filter(known).max_by_key(|&other| (right[other].2, other));
            prop_assert_eq!(found[row], latest.map(|other| other as i64), "row {}", row);
        }
    }

    #[test]
    fn groups(rows in rows()) {
        let by = ["name", "number"];
        let found = run(json!({ "aggregate": { "by": by, "columns": measures() } }), &rows, &[]);
        let mut keys: Vec<(Option<u8>, Option<i64>)> = Vec::new();
        for row in &rows {
            if !keys.contains(&(row.0, row.1)) {
                keys.push((row.0, row.1));
            }
        }
        prop_assert_eq!(found.num_rows(), keys.len());
        for (at, key) in keys.iter().enumerate() {
            let looked_at: Vec<usize> = (0..rows.len()).filter(|&row| (rows[row].0, rows[row].1) == *key).collect();
            check(&found, at, &rows, &looked_at)?;
        }
    }

    #[test]
    fn windows(rows in rows(), count in proptest::option::of(1..4_usize), within in proptest::option::of(0..6_i64)) {
        let mut window = json!({ "by": ["name"], "order": "time", "columns": measures() });
        if let Some(count) = count {
            window["rows"] = json!(count);
        }
        if let Some(within) = within {
            window["within"] = json!(format!("{within}us"));
        }
        let found = run(json!({ "window": window }), &rows, &[]);
        for (at, row) in rows.iter().enumerate() {
            let Some(now) = row.2 else {
                prop_assert_eq!(whole(&found, "rows")[at], None);
                continue;
            };
            let earlier = |other: &usize| {
                let other = &rows[*other];
                let is_near = |then: i64| then < now && within.is_none_or(|most| now - then <= most);
                other.0 == row.0 && other.2.is_some_and(is_near)
            };
            let mut looked_at: Vec<usize> = (0..rows.len()).filter(earlier).collect();
            looked_at.sort_by_key(|&other| rows[other].2);
            let most = count.unwrap_or(rows.len());
            check(&found, at, &rows, &looked_at[looked_at.len().saturating_sub(most)..])?;
        }
    }

    #[test]
    fn sorting_is_stable_and_nulls_come_last(rows in rows(), descending: bool) {
        let keys = json!([{ "column": "value", "descending": descending }, "name"]);
        let found = run(json!({ "sort": keys }), &rows, &[]);
        let key = |row: &Row| {
            let value = row.3.filter(|value| !value.is_nan());
            let value = value.map(|value| if descending { -value } else { value });
            (value.is_none(), value.unwrap_or(0.0), row.0.is_none(), row.0)
        };
        let mut expected: Vec<usize> = (0..rows.len()).collect();
        expected.sort_by(|&a, &b| key(&rows[a]).partial_cmp(&key(&rows[b])).unwrap());
        prop_assert_eq!(whole(&found, "row"), expected.iter().map(|&row| Some(row as i64)).collect::<Vec<_>>());
    }

    #[test]
    fn distinct_rows(rows in rows(), last: bool) {
        let keep = if last { "last" } else { "first" };
        let found = run(json!({ "distinct": { "by": ["name", "number"], "keep": keep } }), &rows, &[]);
        let same = |a: usize, b: usize| (rows[a].0, rows[a].1) == (rows[b].0, rows[b].1);
        let stays = |&row: &usize| {
            let mut others = if last { row + 1..rows.len() } else { 0..row };
            !others.any(|other| same(row, other))
        };
        let expected: Vec<_> = (0..rows.len()).filter(stays).map(|row| Some(row as i64)).collect();
        prop_assert_eq!(whole(&found, "row"), expected);
    }
}
