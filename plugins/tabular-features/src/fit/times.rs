//! Columns of timestamps.

use wasmlops_sdk::{Result, Table};

use super::{Fitted, Fitting, only_nulls};
use crate::config::{Encoding as Wanted, Part, Profile};
use crate::plan::Planned;
use crate::problems::Fault;
use crate::state::Encoding;
use crate::time::{self, MICROS_A_DAY};

/// The encodings and how many values are missing.
pub(super) fn fit(fitting: &Fitting, column: &Planned) -> Result<Result<(Vec<Fitted>, usize), Fault>> {
    let (instants, missing) = read(fitting.table, column.index)?;
    if instants.is_empty() {
        return Ok(Err(only_nulls(&column.name)));
    }
    let wanted = match &column.encodings {
        Some(wanted) => wanted.clone(),
        None => by_default(fitting.settings.profile, &instants),
    };
    let mut all = Vec::new();
    for encoding in wanted.iter().flat_map(encodings) {
        match with_fill(fitting, &column.name, encoding, &instants, missing) {
            Ok(encoding) => all.push(Fitted { encoding, held: None, keep_missing: fitting.keeps_numbers() }),
            Err(fault) => return Ok(Err(fault)),
        }
    }
    Ok(Ok((all, missing)))
}

/// The instants that are known, and how many are missing.
fn read(table: &Table, column: usize) -> Result<(Vec<i64>, usize)> {
    let (mut instants, mut missing) = (Vec::with_capacity(table.num_rows()), 0);
    for batch in table.batches(&[column]) {
        for part in batch?.columns {
            let values = part.as_s64().unwrap_or_default();
            missing += part.null_count();
            instants.extend(values.iter().enumerate().filter(|(row, _)| !part.is_null(*row)).map(|(_, &at)| at));
        }
    }
    Ok((instants, missing))
}

/// Parts that come round and the year, without those that are the same in all rows.
fn by_default(profile: Profile, instants: &[i64]) -> Vec<Wanted> {
    let varies = |part: &Part| instants.iter().any(|&at| part.of(at) != part.of(instants[0]));
    let those = |parts: &[Part]| parts.iter().copied().filter(varies).collect::<Vec<_>>();
    let (parts, cycles) = match profile {
        Profile::Numbers => (those(&[Part::Year]), those(&[Part::Month, Part::Day, Part::Weekday, Part::Hour])),
        Profile::Trees => (those(&[Part::Year, Part::Month, Part::Day, Part::Weekday, Part::Hour]), Vec::new()),
    };
    vec![Wanted::Parts(parts), Wanted::Cycles(cycles)]
}

fn encodings(wanted: &Wanted) -> Vec<Encoding> {
    match wanted {
        Wanted::Parts(parts) => parts.iter().map(|&part| Encoding::Part { part, fill: None }).collect(),
        Wanted::Cycles(parts) => parts.iter().map(|&part| Encoding::Cycle { part }).collect(),
        Wanted::Since(text) => {
            let start = time::parse(text).unwrap_or_default();
            vec![Encoding::Since { time: time::display(start), fill: None }]
        }
        _ => Vec::new(),
    }
}

fn with_fill(
    fitting: &Fitting,
    name: &str,
    mut encoding: Encoding,
    instants: &[i64],
    missing: usize,
) -> Result<Encoding, Fault> {
    let values = |of: &dyn Fn(i64) -> f64| {
        let known = instants.iter().map(|&at| of(at));
        known.chain(std::iter::repeat_n(f64::NAN, missing)).collect::<Vec<f64>>()
    };
    match &mut encoding {
        Encoding::Part { part, fill } => *fill = fitting.fill_of(name, &values(&|at| part.of(at) as f64))?,
        Encoding::Since { time, fill } => {
            let start = time::parse(time).unwrap_or_default() as f64;
            *fill = fitting.fill_of(name, &values(&|at| (at as f64 - start) / MICROS_A_DAY as f64))?;
        }
        _ => {}
    }
    Ok(encoding)
}
