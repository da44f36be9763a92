//! Divides the rows by the values of a column.

use std::collections::{BTreeMap, BTreeSet};

use wasmlops_sdk::prelude::*;

use crate::config::Config;

/// More values than this are no slices but identifiers.
const MOST_VALUES: usize = 100;

/// The host's limit of a metric's name, less the longest metric and some air.
const MOST_PREFIX: usize = 220;

/// The slices of an evaluation.
#[derive(Debug, Default)]
pub struct Slices {
    /// Those with enough rows.
    pub judged: Vec<Slice>,
    /// The names of those with too few.
    pub small: Vec<String>,
}

/// The rows with one value in one column.
#[derive(Debug, PartialEq)]
pub struct Slice {
    /// `column=value`, as reports have it; null is `null`.
    pub name: String,
    /// `slice/column:value/`, with `_` for what metrics' names may not have; no two slices share it.
    pub metric_prefix: String,
    pub rows: Vec<usize>,
}

/// The slices by each column that the configuration names, in its order, by value.
///
/// Errors: `invalid-config` for a column with too many different values.
pub fn of(config: &Config, features: &Table) -> Result<Slices> {
    let mut slices = Slices::default();
    let mut prefixes = BTreeSet::new();
    for (place, name) in config.slices.iter().enumerate() {
        let column = features.schema().require(name, &format!("slices.{place}"))?;
        for (value, rows) in rows_by_value(&features.column(column)?, name, place)? {
            let slice = format!("{name}={value}");
            if rows.len() < config.min_slice_rows {
                slices.small.push(slice);
            } else {
                let metric_prefix = prefix(name, &value, &mut prefixes);
                slices.judged.push(Slice { name: slice, metric_prefix, rows });
            }
        }
    }
    Ok(slices)
}

fn rows_by_value(column: &Column, name: &str, place: usize) -> Result<BTreeMap<String, Vec<usize>>> {
    let mut rows_by_value: BTreeMap<String, Vec<usize>> = BTreeMap::new();
    for row in 0..column.len() {
        let value = column.class(row).unwrap_or("null".into());
        let full = rows_by_value.len() == MOST_VALUES;
        match rows_by_value.get_mut(&*value) {
            Some(rows) => rows.push(row),
            None if full => {
                let message = format!(
                    "`{name}` has more than {MOST_VALUES} different values\nhint: slice by a column with few of them, \
                     or make groups of these first"
                );
                return Err(Error::invalid_config(format!("slices.{place}"), message));
            }
            None => {
                rows_by_value.insert(value.into_owned(), vec![row]);
            }
        }
    }
    Ok(rows_by_value)
}

fn prefix(column: &str, value: &str, taken: &mut BTreeSet<String>) -> String {
    let allowed = |c: char| if c.is_alphanumeric() || matches!(c, '_' | '-' | '.' | ' ') { c } else { '_' };
    let clean = |text: &str| text.chars().map(allowed).collect::<String>();
    let base: String = format!("slice/{}:{}", clean(column), clean(value)).chars().take(MOST_PREFIX).collect();
    let numbered = (2..).map(|number| format!("{base}.{number}"));
    let free = std::iter::once(base.clone()).chain(numbered).find(|name| !taken.contains(name));
    let name = free.expect("some number is free");
    taken.insert(name.clone());
    name + "/"
}

#[cfg(test)]
mod tests {
    use super::*;

    fn config(min_slice_rows: usize) -> Config {
        Config { slices: vec!["c".into()], min_slice_rows, ..Config::default() }
    }

    #[test]
    fn null_is_a_slice_and_small_ones_are_named() {
        let column = Column::from_categories([Some("b"), Some("a"), None, Some("a"), None]);
        let slices = of(&config(2), &Table::from_columns([("c", column)])).unwrap();
        assert_eq!(slices.small, ["c=b"]);
        let judged: Vec<_> = slices.judged.iter().map(|slice| (slice.name.as_str(), slice.rows.as_slice())).collect();
        assert_eq!(judged, [("c=a", &[1, 3][..]), ("c=null", &[2, 4][..])]);
    }

    #[test]
    fn metric_names_are_allowed_and_different() {
        let column = Column::from_text(["a=b", "a_b", "a/b", &"x".repeat(300)]);
        let slices = of(&config(1), &Table::from_columns([("c", column)])).unwrap();
        let prefixes: Vec<_> = slices.judged.iter().map(|slice| slice.metric_prefix.as_str()).collect();
        assert_eq!(prefixes[..3], ["slice/c:a_b/", "slice/c:a_b.2/", "slice/c:a_b.3/"]);
        assert!(prefixes[3].len() < 230);
    }

    #[test]
    fn identifiers_are_refused() {
        let table = Table::from_columns([("c", Column::from_s64(0..101))]);
        let refused = of(&config(1), &table).unwrap_err();
        assert_eq!(refused.field.as_deref(), Some("slices.0"));
    }
}
