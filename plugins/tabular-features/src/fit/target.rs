//! The encoding `target`: means of the target, drawn to the overall mean, over all rows and over all folds but one.
//!
//! Formulas: Micci-Barreca, "A preprocessing scheme for high-cardinality categorical attributes", ACM SIGKDD
//! Explorations 3(1), 2001, as scikit-learn's `TargetEncoder` has them; the cross-fitting is that of its
//! `fit_transform` with folds by key.

use std::collections::BTreeSet;

use wasmlops_sdk::{Column, DataType, Result, log};

use super::Fitting;
use super::categories::Counts;
use crate::apply::{Lookup, MISSING};
use crate::config::Task;
use crate::members::{Members, NOT_LEARNED, RowHash, rows};
use crate::plan::Planned;
use crate::problems::Fault;
use crate::state::{Encoding, Means, TargetState};

/// What the target says of the rows to learn from.
pub(super) struct Learning {
    positive: Option<String>,
    /// For more than two classes.
    classes: Vec<String>,
    /// For each class (or the one number) its value in each row.
    values: Vec<Vec<f64>>,
    /// Each row's fold; [`NOT_LEARNED`] where the target is missing.
    folds: Vec<u8>,
    /// `None` without cross-fitting.
    pub members: Option<Members>,
}

/// Reads target and key.
pub(super) fn learn(fitting: &Fitting) -> Result<Result<Learning, Fault>> {
    let schema = fitting.table.schema();
    let Some(target) = fitting.config.target.as_ref().and_then(|name| schema.index_of(name)) else {
        return Ok(Err(Fault::new("there is no target to encode by", "name the column as `target`")));
    };
    let column = fitting.table.column(target)?;
    let (positive, classes, values) = match values(&schema.fields[target].name, &column, fitting) {
        Ok(values) => values,
        Err(fault) => return Ok(Err(fault)),
    };
    let count = fitting.config.target_encoding.cross_fit.folds;
    // Without cross-fitting all rows are one fold that nobody leaves out.
    let (folds, fingerprints) = read_rows(fitting, target, count.max(1))?;
    let members = (count > 0).then(|| Members {
        folds: count,
        key: fitting.key.clone(),
        hash: RowHash::FnvSplitMix,
        rows: fingerprints,
    });
    Ok(Ok(Learning { positive, classes, values, folds, members }))
}

/// Each row's fold, and the fingerprints of all, ascending.
fn read_rows(fitting: &Fitting, target: usize, count: usize) -> Result<(Vec<u8>, Vec<u32>)> {
    let schema = fitting.table.schema();
    let key = fitting.key.iter().filter_map(|name| schema.index_of(name));
    let indexes: Vec<usize> = key.chain([target]).collect();
    let (mut folds, mut fingerprints, mut keys) = (Vec::new(), Vec::new(), Vec::new());
    for batch in fitting.table.batches(&indexes) {
        let batch = batch?;
        let (target, key) = batch.columns.split_last().expect("the target was asked for");
        for row in rows(&key.iter().collect::<Vec<_>>(), target) {
            folds.push(row.map_or(NOT_LEARNED, |row| row.fold(count)));
            fingerprints.extend(row.map(|row| row.fingerprint));
            keys.extend(row.map(|row| row.key));
        }
    }
    fingerprints.sort_unstable();
    fingerprints.dedup();
    keys.sort_unstable();
    keys.dedup();
    let alike = 1.0 - keys.len() as f64 / folds.len().max(1) as f64;
    if count > 1 && alike > 0.5 {
        log::warn(format!(
            "{:.0} % of the rows are like another one in the columns that tell rows apart, and like rows share a fold: \
             name an identifier under `target_encoding.cross_fit.key`",
            100.0 * alike
        ));
    }
    Ok((folds, fingerprints))
}

type Values = (Option<String>, Vec<String>, Vec<Vec<f64>>);

/// The target's positive class, classes and values; NaN where it is missing.
fn values(name: &str, column: &Column, fitting: &Fitting) -> Result<Values, Fault> {
    let unfit = |why: &str, hint: &str| Fault::new(format!("target `{name}` {why}"), hint.to_owned());
    let is_number = matches!(column.data_type(), DataType::S64 | DataType::F64 | DataType::F32);
    if matches!(column.data_type(), DataType::Timestamp | DataType::Binary) {
        return Err(unfit("cannot be encoded by", "encode columns in another way"));
    }
    let task = fitting.config.target_encoding.task;
    if task == Task::Regression && !is_number && column.data_type() != DataType::Bool {
        return Err(unfit("is text, and `task` is `regression`", "set `target_encoding.task: auto`"));
    }
    let missing = |row| column.is_null(row) || column.number(row).is_some_and(f64::is_nan);
    let class = |row| if missing(row) { None } else { column.class(row) };
    let numbers = column.numbers().unwrap_or_default();
    if numbers.iter().any(|value| value.abs() > MOST) {
        return Err(unfit("has infinite values, or some too large to square", "rescale it, or make them null"));
    }
    // Two numbers are two classes whatever they are called; many are a measurement, and need no list of texts.
    let few = if is_number { distinct(&numbers) } else { Some(Vec::new()) };
    if task == Task::Regression || (task == Task::Auto && is_number && few.as_ref().is_none_or(|few| few.len() != 2)) {
        return if numbers.iter().all(|value| value.is_nan()) {
            Err(unfit("has no value in any row", "leave out rows without a target"))
        } else {
            Ok((None, Vec::new(), vec![numbers]))
        };
    }
    let mut classes: Vec<String> = match few.filter(|_| is_number) {
        Some(few) => few.iter().map(|value| (value + 0.0).to_string()).collect(),
        None => (0..column.len())
            .filter_map(class)
            .map(|class| class.into_owned())
            .collect::<BTreeSet<_>>()
            .into_iter()
            .collect(),
    };
    let limit = if task == Task::Binary { 2 } else { MOST_CLASSES };
    if classes.len() < 2 || classes.len() > limit {
        let why = format!(
            "has {} classes",
            if classes.len() > limit { format!("more than {limit}") } else { classes.len().to_string() }
        );
        return Err(unfit(&why, "set `target_encoding.task`, or encode columns in another way"));
    }
    let shares = |of: &str| {
        (0..column.len()).map(|row| class(row).map_or(f64::NAN, |class| f64::from(u8::from(class == of)))).collect()
    };
    if classes.len() == 2 && task != Task::Multiclass {
        let positive = classes.pop().expect("there are two");
        return Ok((Some(positive.clone()), Vec::new(), vec![shares(&positive)]));
    }
    let values = classes.iter().map(|class| shares(class)).collect();
    Ok((None, classes, values))
}

/// The values there are, ascending, unless they are more than classes may be.
fn distinct(numbers: &[f64]) -> Option<Vec<f64>> {
    let mut distinct: Vec<f64> = Vec::new();
    for &value in numbers.iter().filter(|value| !value.is_nan()) {
        if let Err(place) = distinct.binary_search_by(|known| known.total_cmp(&(value + 0.0))) {
            distinct.insert(place, value + 0.0);
            if distinct.len() > MOST_CLASSES {
                return None;
            }
        }
    }
    Some(distinct)
}

/// Sums of squares must be numbers.
const MOST: f64 = 1e150;
/// Each class is a feature of each column.
const MOST_CLASSES: usize = 100;

/// The means of a column's categories.
pub(super) fn fit(fitting: &Fitting, column: &Planned, counts: &Counts) -> Result<Result<Encoding, Fault>> {
    let learning = match fitting.learning()? {
        Ok(learning) => learning,
        Err(fault) => return Ok(Err(fault.clone())),
    };
    let categories: Vec<String> = counts.texts.keys().cloned().collect();
    let lookup = Lookup::of(categories.clone());
    let mut codes = Vec::with_capacity(fitting.table.num_rows());
    for batch in fitting.table.batches(&[column.index]) {
        for part in batch?.columns {
            let place =
                |code: i32| if code == MISSING { categories.len() } else { usize::try_from(code).unwrap_or_default() };
            codes.extend(lookup.codes(&part).into_iter().map(place));
        }
    }
    let missing = counts.missing > 0;
    let sample = Sample {
        learning,
        codes: &codes,
        categories: categories.len() + usize::from(missing),
        smooth: fitting.config.target_encoding.smooth,
    };
    let folds = learning.members.as_ref().map_or(0, |members| members.folds);
    Ok(Ok(Encoding::Target(TargetState {
        positive: learning.positive.clone(),
        classes: learning.classes.clone(),
        missing,
        all: sample.means(None),
        folds: (0..folds).map(|fold| sample.means(u8::try_from(fold).ok())).collect(),
        categories,
    })))
}

/// Rows with their categories.
struct Sample<'a> {
    learning: &'a Learning,
    codes: &'a [usize],
    categories: usize,
    smooth: Option<f64>,
}

impl Sample<'_> {
    /// The means over all rows with a target but those of one fold.
    fn means(&self, without: Option<u8>) -> Means {
        let of_classes = self.learning.values.iter().map(|values| {
            // The only fold there is cannot be left out.
            self.of_class(values, without).or_else(|| self.of_class(values, None)).unwrap_or_default()
        });
        let (overall, of_categories) = of_classes.unzip();
        Means { overall, of_categories }
    }

    /// The overall mean and each category's; `None` where no rows are left.
    fn of_class(&self, values: &[f64], without: Option<u8>) -> Option<(f64, Vec<f64>)> {
        let folds = &self.learning.folds;
        let rows = || {
            let learned = |row: &usize| folds[*row] != NOT_LEARNED && Some(folds[*row]) != without;
            (0..values.len()).filter(learned)
        };
        let count = rows().count() as f64;
        if count == 0.0 {
            return None;
        }
        let mean = rows().map(|row| values[row]).sum::<f64>() / count;
        let variance = rows().map(|row| (values[row] - mean).powi(2)).sum::<f64>() / count;
        let (mut counts, mut sums) = (vec![0.0; self.categories], vec![0.0; self.categories]);
        for row in rows() {
            counts[self.codes[row]] += 1.0;
            sums[self.codes[row]] += values[row];
        }
        if let Some(smooth) = self.smooth {
            let smoothed = |(&count, &sum): (&f64, &f64)| {
                if count + smooth > 0.0 { (sum + smooth * mean) / (count + smooth) } else { mean }
            };
            return Some((mean, counts.iter().zip(&sums).map(smoothed).collect()));
        }
        let own: Vec<f64> = counts.iter().zip(&sums).map(|(count, sum)| sum / count).collect();
        let mut squares = vec![0.0; self.categories];
        for row in rows() {
            squares[self.codes[row]] += (values[row] - own[self.codes[row]]).powi(2);
        }
        let drawn = |category: usize| {
            // How far the category is believed: its rows times the variance of all, against its own variance.
            let believed = variance * counts[category];
            let share = believed / (believed + squares[category] / counts[category]);
            if share.is_nan() { mean } else { share * own[category] + (1.0 - share) * mean }
        };
        Some((mean, (0..self.categories).map(drawn).collect()))
    }
}
