//! Payments as rows of a table, and as a request to an endpoint.

use serde_json::{Map, Value, json};
use wasmlops_sdk::prelude::*;

use crate::random::mix;
use crate::world::{AGE_BANDS, CATEGORIES, CHANNELS, COUNTRIES, DEVICES, Payment};

/// Name, type, whether it may be null.
const COLUMNS: [(&str, DataType, bool); 15] = [
    ("payment", DataType::Utf8, false),
    ("customer", DataType::Utf8, false),
    ("card", DataType::Utf8, false),
    ("time", DataType::Timestamp, false),
    ("amount", DataType::F64, false),
    ("category", DataType::Categorical, false),
    ("channel", DataType::Categorical, false),
    ("device", DataType::Categorical, true),
    ("new_device", DataType::Bool, false),
    ("home_country", DataType::Categorical, false),
    ("merchant_country", DataType::Categorical, true),
    ("payments_24h", DataType::S64, false),
    ("amount_ratio", DataType::F64, true),
    ("age_band", DataType::Categorical, true),
    ("fraud", DataType::S64, false),
];

/// What a request to a model does not have: identifiers, and what is to be predicted.
const NOT_ASKED: [&str; 4] = ["payment", "customer", "card", "fraud"];

pub fn schema() -> Schema {
    Schema::new(COLUMNS.iter().map(|&(name, data_type, nullable)| Field::new(name, data_type, nullable)).collect())
}

/// Rows with the numbers `first`, `first + 1` and so on.
pub fn batch(payments: &[Payment], fraud: &[bool], first: usize) -> Batch {
    let named = |number: u64, of: char| format!("{of}-{:012x}", mix(number) >> 16);
    // Different numbers for payments, customers and cards, so that equal pseudonyms say nothing.
    let ids: Vec<String> = (first..first + payments.len()).map(|row| named(row as u64, 'p')).collect();
    let customers: Vec<String> =
        payments.iter().map(|payment| named((1 << 40) + payment.customer as u64, 'c')).collect();
    let cards: Vec<String> =
        payments.iter().map(|one| named((1 << 41) + (2 * one.customer + one.card) as u64, 'k')).collect();
    let text = |ids: &[String]| Column::from_text(ids.iter().map(String::as_str));
    let name = |names: &'static [&'static str], index: &dyn Fn(&Payment) -> Option<usize>| {
        Column::from_categories(payments.iter().map(|payment| index(payment).map(|index| names[index])))
    };
    Batch::new(vec![
        text(&ids),
        text(&customers),
        text(&cards),
        Column::from_timestamp(payments.iter().map(|payment| payment.time)),
        Column::from_f64(payments.iter().map(|payment| payment.amount)),
        Column::from_categories(payments.iter().map(|payment| CATEGORIES[payment.category].name)),
        name(&CHANNELS, &|payment| Some(payment.channel)),
        name(&DEVICES, &|payment| payment.device),
        Column::from_bool(payments.iter().map(|payment| payment.new_device)),
        name(&COUNTRIES, &|payment| Some(payment.home)),
        name(&COUNTRIES, &|payment| payment.country),
        Column::from_s64(payments.iter().map(|payment| payment.payments_24h as i64)),
        Column::from_f64(payments.iter().map(|payment| payment.amount_ratio)),
        name(&AGE_BANDS, &|payment| payment.age),
        Column::from_s64(fraud.iter().map(|&fraud| i64::from(fraud))),
    ])
}

/// A request to an endpoint with these rows: `{"id": ID, "rows": [...]}`.
pub fn request(batch: &Batch, id: &str) -> Value {
    let asked = || COLUMNS.iter().zip(&batch.columns).filter(|((name, ..), _)| !NOT_ASKED.contains(name));
    let row = |row: usize| -> Map<String, Value> {
        asked().map(|((name, ..), column)| ((*name).to_owned(), cell(column, row))).collect()
    };
    json!({ "id": id, "rows": (0..batch.num_rows).map(row).collect::<Vec<_>>() })
}

/// The truth about the rows of that request: `[{"id": "ID.0", "value": 0}, ...]`.
pub fn labels(fraud: &[bool], id: &str) -> Value {
    // A single row has the request's own id.
    let alone = fraud.len() == 1;
    let id = |row: usize| if alone { id.to_owned() } else { format!("{id}.{row}") };
    fraud.iter().enumerate().map(|(row, &fraud)| json!({ "id": id(row), "value": i64::from(fraud) })).collect()
}

fn cell(column: &Column, row: usize) -> Value {
    if column.is_null(row) {
        return Value::Null;
    }
    match column.data_type() {
        DataType::S64 | DataType::Timestamp => json!(column.as_s64().map(|values| values[row])),
        DataType::F64 | DataType::F32 => json!(column.number(row)),
        DataType::Bool => json!(column.bool(row)),
        _ => json!(column.text(row)),
    }
}
