//! `sort`.

use std::cmp::Ordering;

use crate::config::SortKey;
use crate::frame::Frame;
use crate::order::Order;
use crate::plan::Planning;

/// Columns to order by, and whether the greatest comes first.
pub fn plan(keys: &[SortKey], key: &str, planning: &mut Planning<'_>) -> Option<Vec<(usize, bool)>> {
    let mut found = Vec::new();
    for (index, sort_key) in keys.iter().enumerate() {
        let (name, descending) = match sort_key {
            SortKey::Column(name) => (name, false),
            SortKey::Directed(directed) => (&directed.column, directed.descending),
        };
        let column = planning.problems.column(&planning.schema, name, &format!("{key}.{index}"));
        found.push(column.map(|column| (column, descending)));
    }
    found.into_iter().collect()
}

pub fn run(keys: &[(usize, bool)], frame: Frame) -> Frame {
    let orders: Vec<(Order<'_>, bool)> =
        keys.iter().map(|&(column, descending)| (Order::of(&frame.columns[column]), descending)).collect();
    let compare = |&a: &usize, &b: &usize| {
        let each = orders.iter().map(|(order, descending)| order.compare_with_nulls(a, b, *descending));
        each.fold(Ordering::Equal, Ordering::then)
    };
    let mut rows: Vec<usize> = (0..frame.num_rows).collect();
    rows.sort_by(compare);
    drop(orders);
    frame.take(&rows)
}
