//! What is measured of a table of requests, in one pass.

use std::collections::BTreeMap;

use wasmlops_sdk::prelude::*;
use wasmlops_statistics::quantile;
use wasmlops_statistics::samples::Sorted;
use wasmlops_statistics::text::{counted, names};

/// Latencies and errors of some requests.
pub struct Measures {
    pub requests: u64,
    /// In milliseconds; `None` for a table without the column `_latency_ms`.
    latencies: Option<Sorted>,
    /// How often each error came; `None` for a table without the column `_error`.
    errors: Option<BTreeMap<String, u64>>,
}

impl Measures {
    /// Errors: `invalid-input` where a column has another type than the host gives it.
    pub fn read(table: &Table) -> Result<Self> {
        let latency = column(table, "_latency_ms", |data_type| matches!(data_type, DataType::F64 | DataType::F32))?;
        let error = column(table, "_error", DataType::is_text)?;
        let wanted: Vec<usize> = latency.into_iter().chain(error).collect();
        let mut latencies = Vec::new();
        let mut errors: BTreeMap<String, u64> = BTreeMap::new();
        for batch in table.batches(&wanted) {
            let mut columns = batch?.columns.into_iter();
            if let Some(column) = latency.and_then(|_| columns.next()) {
                latencies.extend((0..column.len()).filter_map(|row| column.number(row)).filter(|ms| ms.is_finite()));
            }
            for text in columns.next().iter().flat_map(Column::texts).flatten() {
                match errors.get_mut(text) {
                    Some(count) => *count += 1,
                    None => drop(errors.insert(text.to_owned(), 1)),
                }
            }
        }
        Ok(Self {
            requests: table.num_rows() as u64,
            latencies: latency.map(|_| Sorted::new(latencies)),
            errors: error.map(|_| errors),
        })
    }

    /// How many requests have a latency.
    pub fn timed(&self) -> u64 {
        self.latencies.as_ref().map_or(0, |latencies| latencies.len() as u64)
    }

    /// A percentile of the latency, by linear interpolation. Failed requests count where they have a latency.
    pub fn latency(&self, q: f64) -> Option<f64> {
        quantile::linear(self.latencies.as_ref()?.as_slice(), q)
    }

    pub fn error_rate(&self) -> Option<f64> {
        let errors = self.errors.as_ref()?;
        (self.requests > 0).then(|| errors.values().sum::<u64>() as f64 / self.requests as f64)
    }

    /// The errors, the most frequent first.
    pub fn errors_in_words(&self) -> String {
        let mut errors: Vec<(&str, u64)> =
            self.errors.iter().flatten().map(|(error, count)| (error.as_str(), *count)).collect();
        errors.sort_by_key(|(_, count)| std::cmp::Reverse(*count));
        let failed = counted(errors.iter().map(|(_, count)| count).sum(), "failure");
        match errors.as_slice() {
            [] => "no failure".to_owned(),
            errors => format!("{failed}: {}", names(errors.iter().map(|(error, _)| *error))),
        }
    }
}

fn column(table: &Table, name: &str, fits: impl Fn(DataType) -> bool) -> Result<Option<usize>> {
    let Some(index) = table.schema().index_of(name) else { return Ok(None) };
    let data_type = table.schema().fields[index].data_type;
    if fits(data_type) {
        return Ok(Some(index));
    }
    let message = format!("`{name}` is {}, which it cannot be", data_type.name());
    Err(Error::invalid_input(message).at("window"))
}
