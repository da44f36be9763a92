//! Columns of text, and others whose values are taken as categories.

use std::collections::{BTreeMap, HashMap};

use wasmlops_sdk::{Column, Result, Table};

use super::{Fitted, Fitting, automatic, interactions, missing_unwanted, only_nulls, target};
use crate::apply::each_text;
use crate::config::{CategoricalFill, Encoding as Wanted, OneHot, Unseen};
use crate::plan::Planned;
use crate::problems::Fault;
use crate::state::{ColumnState, Encoding, HashFunction, Role};

/// The encodings and how many values are missing.
pub(super) fn fit(fitting: &Fitting, column: &Planned) -> Result<Result<(Vec<Fitted>, usize), Fault>> {
    let counts = count(fitting.table, column.index, limit(fitting, column))?;
    if counts.texts.is_empty() {
        return Ok(Err(only_nulls(&column.name)));
    }
    let wanted = match &column.encodings {
        Some(wanted) => wanted.clone(),
        None => automatic::choose(fitting, &column.name, &counts)?,
    };
    let mut all = Vec::with_capacity(wanted.len());
    for wanted in &wanted {
        match fit_one(fitting, column, &counts, wanted)? {
            Ok(fitted) => all.push(fitted),
            Err(fault) => return Ok(Err(fault)),
        }
    }
    Ok(Ok((all, counts.missing)))
}

/// Beyond how many values there is no need to count on, since they are refused. With a least count, rare values may be
/// any number.
fn limit(fitting: &Fitting, column: &Planned) -> usize {
    let refused = match &column.encodings {
        Some(wanted) => wanted.as_slice() == [Wanted::OneHot],
        None => !fitting.settings.free && fitting.settings.profile == crate::config::Profile::Numbers,
    };
    if refused && fitting.config.one_hot.min_count <= 1 { fitting.settings.max_categories } else { usize::MAX }
}

/// How often each text comes, in sorted order, and how often none does.
pub(super) struct Counts {
    pub texts: BTreeMap<String, u64>,
    pub missing: usize,
}

/// Counts until there are more than `limit` texts.
pub(super) fn count(table: &Table, column: usize, limit: usize) -> Result<Counts> {
    let mut counts = Tally::default();
    for batch in table.batches(&[column]) {
        for part in batch?.columns {
            match part.as_codes() {
                Some(codes) => count_codes(&mut counts, &part, codes),
                None => each_text(&part, |text| counts.add(text, 1)),
            }
        }
        if counts.texts.len() > limit {
            break;
        }
    }
    Ok(Counts { texts: counts.texts.into_iter().collect(), missing: counts.missing })
}

/// Counts in no order: with many texts, sorting them once is cheaper than keeping them sorted.
#[derive(Default)]
struct Tally {
    texts: HashMap<String, u64>,
    missing: usize,
}

/// Counts numbers first, so that each text is looked up once a batch.
fn count_codes(counts: &mut Tally, column: &Column, codes: &[i32]) {
    let categories = column.categories();
    let mut rows = vec![0; categories.len()];
    for (row, &code) in codes.iter().enumerate() {
        match usize::try_from(code).ok().and_then(|code| rows.get_mut(code)) {
            Some(count) if !column.is_null(row) => *count += 1,
            _ => counts.missing += 1,
        }
    }
    categories.iter().zip(rows).filter(|(_, rows)| *rows > 0).for_each(|(text, rows)| counts.add(Some(text), rows));
}

impl Tally {
    fn add(&mut self, text: Option<&str>, rows: u64) {
        match text {
            None => self.missing += 1,
            Some(text) => match self.texts.get_mut(text) {
                Some(count) => *count += rows,
                None => _ = self.texts.insert(text.to_owned(), rows),
            },
        }
    }
}

impl Counts {
    fn rows(&self) -> f64 {
        self.texts.values().sum::<u64>() as f64 + self.missing as f64
    }
}

/// One encoding of a column with values.
pub(super) fn fit_one(
    fitting: &Fitting,
    column: &Planned,
    counts: &Counts,
    wanted: &Wanted,
) -> Result<Result<Fitted, Fault>> {
    let name = &column.name;
    if counts.texts.is_empty() {
        return Ok(Err(only_nulls(name)));
    }
    let held = (column.role != Role::Text).then_some(column.role);
    let fitted = |encoding| Ok(Fitted { encoding, held, keep_missing: fitting.keeps_texts() });
    Ok(match wanted {
        Wanted::OneHot => one_hot(fitting, name, counts).and_then(fitted),
        Wanted::Ordinal => known(fitting, name, counts)
            .and_then(|Known { fill, categories, seldom }| fitted(Encoding::Ordinal { fill, categories, seldom })),
        Wanted::Category => known(fitting, name, counts)
            .and_then(|Known { fill, categories, seldom }| fitted(Encoding::Category { fill, categories, seldom })),
        Wanted::Frequency => fitted(frequency(counts)),
        Wanted::Target => target::fit(fitting, column, counts)?.and_then(fitted),
        Wanted::Hash(with) => fitted(Encoding::Hash { hash: HashFunction::Murmur3, with: with.clone() }),
        Wanted::Words => of_text(fitting, name, Encoding::Words { fill: None })?,
        _ => of_text(fitting, name, Encoding::Length { fill: None })?,
    })
}

fn frequency(counts: &Counts) -> Encoding {
    let (rows, missing) = (counts.rows(), counts.missing as f64);
    Encoding::Frequency {
        categories: counts.texts.keys().cloned().collect(),
        shares: counts.texts.values().map(|&count| count as f64 / rows).collect(),
        missing: missing / rows,
    }
}

/// A number made of a text, filled as itself.
fn of_text(fitting: &Fitting, name: &str, mut encoding: Encoding) -> Result<Result<Fitted, Fault>> {
    let state = ColumnState {
        name: name.to_owned(),
        indicate_missing: false,
        keep_missing: true,
        held: None,
        encoding: encoding.clone(),
        scaling: Vec::new(),
    };
    Ok(interactions::fill_of(fitting, &state)?.map(|found| {
        if let Encoding::Words { fill } | Encoding::Length { fill } = &mut encoding {
            *fill = found;
        }
        Fitted { encoding, held: None, keep_missing: fitting.keeps_numbers() }
    }))
}

/// Values that come often enough, those that do not, and what stands for a missing one.
struct Known {
    fill: Option<String>,
    categories: Vec<String>,
    seldom: Vec<String>,
}

fn known(fitting: &Fitting, name: &str, counts: &Counts) -> Result<Known, Fault> {
    let (missing, mut texts) = (counts.missing, counts.texts.clone());
    // Keys come sorted, and the last of the largest is the first of them in reverse.
    let most_frequent = texts.iter().rev().max_by_key(|(_, count)| **count).map(|(text, _)| text.clone());
    let fill = match &fitting.settings.categorical {
        CategoricalFill::MostFrequent => most_frequent,
        CategoricalFill::Constant(text) => Some(text.clone()),
        CategoricalFill::None if missing > 0 => return Err(missing_unwanted(name, missing, "categorical")),
        CategoricalFill::None | CategoricalFill::Keep => None,
    };
    if let (Some(fill), true) = (&fill, missing > 0) {
        *texts.entry(fill.clone()).or_default() += missing as u64;
    }
    let OneHot { min_count, unseen, .. } = fitting.config.one_hot;
    let (often, seldom): (Vec<_>, Vec<_>) = texts.into_iter().partition(|(_, count)| *count >= min_count);
    let names = |texts: Vec<(String, u64)>| texts.into_iter().map(|(text, _)| text).collect::<Vec<_>>();
    if often.is_empty() {
        let what = format!("no value of column `{name}` comes {min_count} times (`one_hot.min_count`)");
        return Err(Fault::new(what, "lower `one_hot.min_count`, or put the column under `drop`"));
    }
    let seldom = if unseen == Unseen::Error { names(seldom) } else { Vec::new() };
    Ok(Known { fill, categories: names(often), seldom })
}

fn one_hot(fitting: &Fitting, name: &str, counts: &Counts) -> Result<Encoding, Fault> {
    let Known { fill, categories, seldom } = known(fitting, name, counts)?;
    let most = fitting.settings.max_categories;
    if categories.len() > most {
        let what = format!("column `{name}` has more than {most} values (`one_hot.max_categories`)");
        return Err(Fault::new(what, TOO_MANY));
    }
    Ok(Encoding::OneHot { fill, categories, seldom, other: fitting.config.one_hot.pool })
}

const TOO_MANY: &str =
    "put columns with many values (names, identifiers, free text) under `drop`, or raise `one_hot.max_categories`";
