//! The plugin through its door: what the rows look like, and that they can be learned from.

#![allow(clippy::unwrap_used, reason = "tests panic")]

use serde_json::{Value, json};
use wasmlops_sdk::testing;

use super::*;

fn read(with: Value) -> Table {
    testing::read::<PaymentsSource>(with).unwrap().0
}

fn numbers(table: &Table, name: &str) -> Vec<f64> {
    table.column(table.schema().index_of(name).unwrap()).unwrap().numbers().unwrap()
}

fn column(table: &Table, name: &str) -> Column {
    table.column(table.schema().index_of(name).unwrap()).unwrap()
}

fn mean(values: &[f64]) -> f64 {
    values.iter().sum::<f64>() / values.len() as f64
}

#[test]
fn the_same_seed_gives_the_same_payments() {
    let csv = |with| testing::table_to_csv(&read(with));
    let usual = csv(json!({ "rows": 500 }));
    assert_eq!(usual, csv(json!({ "rows": 500, "seed": 7 })));
    assert_ne!(usual, csv(json!({ "rows": 500, "seed": 8 })));
}

#[test]
fn rows_look_like_payments() {
    let table = read(json!({ "rows": 30_000 }));
    assert_eq!(table.num_rows(), 30_000);
    let times = column(&table, "time");
    let times = times.as_s64().unwrap();
    assert!(times.is_sorted());
    let start = calendar::day("2026-01-01").unwrap();
    assert!(times[0] >= start && times[29_999] < start + 180 * world::DAY);
    let night = times.iter().filter(|time| **time % world::DAY < 6 * world::HOUR).count();
    assert!((500..1_500).contains(&night), "{night} payments at night");

    let fraud = mean(&numbers(&table, "fraud"));
    assert!((0.008..0.0125).contains(&fraud), "{fraud} is fraud");
    for (name, least, most) in [("device", 600, 1_200), ("merchant_country", 200, 400), ("amount_ratio", 600, 1_000)] {
        let nulls = column(&table, name).null_count();
        assert!((least..most).contains(&nulls), "{nulls} nulls in {name}");
    }
    let again = numbers(&table, "payments_24h");
    let often = again.iter().filter(|count| **count >= 2.0).count();
    assert!((300..4_500).contains(&often), "{often} payments follow two others");
    assert_eq!(column(&table, "category").categories().len(), world::CATEGORIES.len());
}

/// The signs that the generator goes by rank fraud before the rest, yet not perfectly.
#[test]
fn fraud_can_be_learned() {
    let config: Config = serde_json::from_value(json!({ "rows": 30_000 })).unwrap();
    let payments = world::payments(&config, 0);
    let fraud = truth::labels(&payments, config.fraud, &mut Random::new(1));
    let mut ranked: Vec<(f64, bool)> = payments.iter().map(|payment| payment.risk).zip(fraud).collect();
    ranked.sort_by(|(one, _), (other, _)| one.total_cmp(other));
    let (mut below, mut pairs, mut real) = (0.0, 0.0, 0.0);
    for (_, fraud) in &ranked {
        if *fraud {
            pairs += below;
            real += 1.0;
        } else {
            below += 1.0;
        }
    }
    let auc = pairs / (real * below);
    assert!((0.90..0.98).contains(&auc), "AUC {auc}");
}

#[test]
fn drift_changes_the_world_from_its_day_on() {
    let before = read(json!({ "rows": 20_000 }));
    let after = read(json!({ "rows": 20_000, "drift": 1.0 }));
    let half = read(json!({ "rows": 20_000, "drift": 1.0, "drift_from": 0.5 }));
    let amount = |table: &Table| mean(&numbers(table, "amount"));
    assert!(amount(&after) > 1.5 * amount(&before), "{} and {}", amount(&before), amount(&after));
    let amounts = numbers(&half, "amount");
    assert_eq!(amounts[..10_000], numbers(&before, "amount")[..10_000]);
    assert!(mean(&amounts[10_000..]) > 1.5 * mean(&amounts[..10_000]));
    let fraud = mean(&numbers(&after, "fraud"));
    assert!((0.007..0.0135).contains(&fraud), "{fraud} is fraud");
}

#[test]
fn requests_and_labels_go_together() {
    let config: Config = serde_json::from_value(json!({ "rows": 50 })).unwrap();
    let payments = world::payments(&config, 0);
    let fraud: Vec<bool> = (0..50).map(|row| row == 1).collect();
    let request = columns::request(&columns::batch(&payments, &fraud, 0), "a");
    let rows = request["rows"].as_array().unwrap();
    assert_eq!(rows.len(), 50);
    let names: Vec<&String> = rows[0].as_object().unwrap().keys().collect();
    assert_eq!(names.len(), 11);
    assert!(!names.iter().any(|name| ["fraud", "customer"].contains(&name.as_str())));
    assert!(rows[0]["time"].is_i64() && rows[0]["new_device"].is_boolean());
    let labels = columns::labels(&fraud, "a");
    assert_eq!(labels[1], json!({ "id": "a.1", "value": 1 }));
    assert_eq!(columns::labels(&fraud[..1], "a")[0]["id"], "a");
}

#[test]
fn a_day_that_does_not_exist_is_refused() {
    let error = testing::read::<PaymentsSource>(json!({ "rows": 1, "start": "2026-02-30" })).unwrap_err();
    assert_eq!((error.code, error.field.as_deref()), (ErrorCode::InvalidConfig, Some("start")));
}
