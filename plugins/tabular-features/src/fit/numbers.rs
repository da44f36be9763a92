//! Columns of numbers and `bool`.

use wasmlops_sdk::{Error, Result, Table};

use super::{Fitted, Fitting, categories};
use crate::config::{Bins, Encoding as Wanted, Scale};
use crate::plan::Planned;
use crate::power;
use crate::problems::Fault;
use crate::state::{Encoding, Role};
use crate::statistics::{moments, quantile};

/// The encodings and how many values are missing.
pub(super) fn fit(fitting: &Fitting, column: &Planned) -> Result<Result<(Vec<Fitted>, usize), Fault>> {
    let wanted = column.encodings.as_deref().unwrap_or_default();
    let values = read(fitting.table, column)?;
    let missing = values.iter().filter(|value| value.is_nan()).count();
    let mut counted = None;
    let mut all = Vec::with_capacity(wanted.len());
    for wanted in wanted {
        let fitted = if is_of_values(wanted) {
            if counted.is_none() {
                counted = Some(categories::count(fitting.table, column.index, usize::MAX)?);
            }
            let counts = counted.as_ref().expect("it was counted above");
            categories::fit_one(fitting, column, counts, wanted)?
        } else {
            fit_one(fitting, column, &values, wanted)
        };
        match fitted {
            Ok(fitted) => all.push(fitted),
            Err(fault) => return Ok(Err(fault)),
        }
    }
    Ok(Ok((all, missing)))
}

fn is_of_values(wanted: &Wanted) -> bool {
    use Wanted::{Category, Frequency, OneHot, Ordinal, Target};
    matches!(wanted, OneHot | Ordinal | Target | Frequency | Category)
}

/// All values, missing ones as NaN.
fn read(table: &Table, column: &Planned) -> Result<Vec<f64>> {
    let mut values = Vec::with_capacity(table.num_rows());
    for batch in table.batches(&[column.index]) {
        for part in batch?.columns {
            let numbers =
                part.numbers().ok_or_else(|| Error::internal(format!("`{}` holds no numbers", column.name)))?;
            values.extend(numbers);
        }
    }
    Ok(values)
}

fn fit_one(fitting: &Fitting, column: &Planned, values: &[f64], wanted: &Wanted) -> Result<Fitted, Fault> {
    let name = &column.name;
    if let Some(row) = values.iter().position(|value| value.is_infinite()) {
        let what = format!("column `{name}` is infinite in row {row}");
        return Err(Fault::new(what, "make infinite values null or finite before this step"));
    }
    let fill = fitting.fill_of(name, values)?;
    let encoding = match wanted {
        _ if column.role == Role::Bool => Encoding::Bool { fill },
        Wanted::Number => match fitting.settings.scale {
            Scale::Standard => standard(name, filled(values, fill), fill)?,
            Scale::None => Encoding::Number { fill, mean: 0.0, scale: 1.0 },
            Scale::MinMax | Scale::Robust => Encoding::Value { fill },
        },
        Wanted::Standard => standard(name, filled(values, fill), fill)?,
        Wanted::MinMax | Wanted::Robust => Encoding::Value { fill },
        Wanted::Log1p => {
            let filled = filled(values, fill);
            if let Some(row) = filled.iter().position(|value| *value <= -1.0) {
                let what = format!("column `{name}` is not above -1 in row {row}, and is encoded as `log1p`");
                return Err(Fault::new(what, "`power` takes any number"));
            }
            Encoding::Log1p { fill }
        }
        Wanted::Power => Encoding::Power { fill, lambda: power::most_likely(&filled(values, fill)) },
        Wanted::Bins(bins) => Encoding::Bins { fill, edges: edges(name, filled(values, fill), bins)?, one_hot: false },
        Wanted::OneHotBins(bins) => {
            Encoding::Bins { fill, edges: edges(name, filled(values, fill), bins)?, one_hot: true }
        }
        _ => Encoding::Number { fill, mean: 0.0, scale: 1.0 },
    };
    Ok(Fitted { encoding, held: None, keep_missing: fitting.keeps_numbers() })
}

/// Without gaps; where they are kept, without the rows that have them.
fn filled(values: &[f64], fill: Option<f64>) -> Vec<f64> {
    values.iter().filter_map(|&value| if value.is_nan() { fill } else { Some(value) }).collect()
}

fn standard(name: &str, filled: Vec<f64>, fill: Option<f64>) -> Result<Encoding, Fault> {
    let moments = moments(&filled).ok_or_else(|| super::scaling::too_large(name))?;
    Ok(Encoding::Number { fill, mean: moments.mean, scale: moments.scale })
}

/// The limits between bins, as `KBinsDiscretizer` has them.
fn edges(name: &str, mut values: Vec<f64>, bins: &Bins) -> Result<Vec<f64>, Fault> {
    values.sort_unstable_by(f64::total_cmp);
    let (least, most) = (values[0], values[values.len() - 1]);
    let inner = |count: usize| (1..count).map(move |limit| limit as f64 / count as f64);
    let edges: Vec<f64> = match bins {
        Bins::Edges(edges) => return Ok(edges.clone()),
        Bins::Width(_) if least == most => Vec::new(),
        Bins::Width(count) => {
            let width = (most - least) / *count as f64;
            (1..*count).map(|limit| least + limit as f64 * width).collect()
        }
        Bins::Quantile(count) => {
            // Bins that would hold next to nothing are joined: limits must lie apart, and below the greatest value.
            let mut before = least;
            let limits = inner(*count).map(|share| quantile(&values, share)).filter(|&limit| {
                let apart = limit - before > NARROWEST;
                before = limit;
                apart
            });
            limits.filter(|limit| most - limit > NARROWEST).collect()
        }
    };
    if edges.is_empty() || edges.iter().any(|edge| !edge.is_finite()) {
        let what = format!("column `{name}` cannot be cut into bins: its values are the same, or too far apart");
        return Err(Fault::new(what, "give `edges`, or encode it in another way"));
    }
    Ok(edges)
}

/// As in scikit-learn.
const NARROWEST: f64 = 1e-8;
