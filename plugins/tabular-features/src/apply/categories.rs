//! From values to places among categories that are known. The door is [`Lookup`].

use std::collections::HashMap;
use std::fmt::Write as _;

use wasmlops_sdk::{Column, ColumnBuilder, DataType, Error, Result};

use super::missing;
use super::numbers::Operand;
use crate::config::Unseen;
use crate::state::Encoding;

/// The code of a missing value.
pub const MISSING: i32 = -1;
/// The code of a value that is no category.
const UNSEEN: i32 = -2;
/// The code of a value that was seen too seldom to be a category.
const SELDOM: i32 = -3;

/// The codes of an encoding's categories: places in sorted order.
#[derive(Default)]
pub struct Lookup {
    codes: HashMap<String, i32>,
    /// The texts of the codes, where they come out again.
    texts: Vec<String>,
    categories: usize,
    /// What stands in for a missing value.
    fill: Option<String>,
}

impl Lookup {
    /// Moves the categories out of an encoding; empty for encodings without.
    pub fn take(encoding: &mut Encoding) -> Self {
        let keep_texts = matches!(encoding, Encoding::Category { .. });
        let (fill, categories, seldom) = match encoding {
            Encoding::OneHot { fill, categories, seldom, .. }
            | Encoding::Ordinal { fill, categories, seldom }
            | Encoding::Category { fill, categories, seldom } => {
                (fill.take(), std::mem::take(categories), std::mem::take(seldom))
            }
            Encoding::Frequency { categories, .. } => (None, std::mem::take(categories), Vec::new()),
            Encoding::Target(target) => (None, std::mem::take(&mut target.categories), Vec::new()),
            _ => return Self::default(),
        };
        let texts = if keep_texts { categories.clone() } else { Vec::new() };
        let mut lookup = Self::of(categories);
        lookup.codes.extend(seldom.into_iter().map(|text| (text, SELDOM)));
        Self { texts, fill, ..lookup }
    }

    /// Of categories alone.
    pub fn of(categories: Vec<String>) -> Self {
        let count = categories.len();
        let codes = categories.into_iter().zip(0..).collect();
        Self { codes, texts: Vec::new(), categories: count, fill: None }
    }

    /// How many categories.
    pub fn len(&self) -> usize {
        self.categories
    }

    fn code(&self, text: &str) -> i32 {
        self.codes.get(text).copied().unwrap_or(UNSEEN)
    }

    /// Each row's code. Texts of a categorical column are looked up once.
    pub fn codes(&self, column: &Column) -> Vec<i32> {
        let Some(theirs) = column.as_codes() else {
            let mut codes = Vec::with_capacity(column.len());
            each_text(column, |text| codes.push(text.map_or(MISSING, |text| self.code(text))));
            return codes;
        };
        let most = theirs.iter().copied().max().unwrap_or_default();
        let mut ours: Vec<Option<i32>> = vec![None; usize::try_from(most).unwrap_or_default() + 1];
        let code = |(row, &theirs): (usize, &i32)| {
            let known = usize::try_from(theirs).ok().and_then(|theirs| ours.get_mut(theirs));
            match known {
                Some(known) if !column.is_null(row) => {
                    *known.get_or_insert_with(|| column.text(row).map_or(MISSING, |text| self.code(text)))
                }
                _ => MISSING,
            }
        };
        theirs.iter().enumerate().map(code).collect()
    }

    /// Each row's code, missing ones filled or kept.
    ///
    /// Errors: `invalid-input` for a missing value that nothing fills, and for an unseen one where that is an error.
    pub fn known_codes(&self, operand: &Operand, unseen: Unseen) -> Result<Vec<i32>> {
        let mut codes = self.codes(operand.column);
        let fill = self.fill.as_ref().map(|text| self.code(text));
        for (row, code) in codes.iter_mut().enumerate() {
            if *code == MISSING {
                match fill {
                    Some(fill) => *code = fill,
                    None if operand.keep => continue,
                    None => return Err(missing(operand.name, row)),
                }
            }
            if *code == UNSEEN && unseen == Unseen::Error {
                return Err(refused(operand, row));
            }
        }
        Ok(codes)
    }

    /// A number for each row: `of` its category, or one for missing and unseen values.
    pub fn gather(&self, column: &Column, of: impl Fn(usize) -> f64, missing: f64, unseen: f64) -> Vec<f64> {
        let number = |&code: &i32| match usize::try_from(code) {
            Ok(code) => of(code),
            Err(_) if code == MISSING => missing,
            Err(_) => unseen,
        };
        self.codes(column).iter().map(number).collect()
    }

    /// The rows as a categorical column, null for what is no category.
    pub fn categories(&self, column: &Column, codes: &[i32]) -> Column {
        // Nothing is filled and nothing unseen: the column itself.
        let unchanged = |(row, &code): (usize, &i32)| code >= 0 && !column.is_null(row);
        if column.data_type() == DataType::Categorical && codes.iter().enumerate().all(unchanged) {
            return column.clone();
        }
        let mut builder = ColumnBuilder::new(DataType::Categorical);
        for &code in codes {
            match usize::try_from(code) {
                Ok(code) => builder.push_text(&self.texts[code]),
                Err(_) => builder.push_null(),
            }
        }
        builder.finish()
    }
}

/// Each row's value as text, `None` for a missing one: numbers and `bool` as they would be written.
pub fn each_text(column: &Column, mut each: impl FnMut(Option<&str>)) {
    let mut text = String::new();
    match column.data_type() {
        DataType::Utf8 | DataType::Categorical => column.texts().for_each(each),
        DataType::Bool => (0..column.len()).for_each(|row| {
            each(column.bool(row).map(|value| if value { "true" } else { "false" }));
        }),
        _ => (0..column.len()).for_each(|row| {
            text.clear();
            let written = match (column.as_s64(), column.number(row)) {
                (_, None) => None,
                (Some(values), _) => Some(write!(text, "{}", values[row])),
                // Never `-0`, and NaN is missing.
                (None, Some(value)) => (!value.is_nan()).then(|| write!(text, "{}", value + 0.0)),
            };
            each(written.map(|_| text.as_str()));
        }),
    }
}

/// One feature for each of `categories`, and one for what is none of them where `width` has room for it.
pub fn one_hot(codes: &[i32], width: usize, categories: usize) -> Vec<Vec<f64>> {
    let mut features = vec![vec![0.0; codes.len()]; width];
    for (row, &code) in codes.iter().enumerate() {
        match usize::try_from(code) {
            Ok(code) => features[code][row] = 1.0,
            Err(_) if code != MISSING && width > categories => features[categories][row] = 1.0,
            Err(_) => {}
        }
    }
    features
}

/// The codes as numbers: -1 for what is no category, NaN for what is missing.
pub fn ordinals(codes: &[i32]) -> Vec<f64> {
    let ordinal = |&code: &i32| match code {
        MISSING => f64::NAN,
        0.. => f64::from(code),
        _ => -1.0,
    };
    codes.iter().map(ordinal).collect()
}

fn refused(operand: &Operand, row: usize) -> Error {
    let text: String = operand.column.display(row).chars().take(60).collect();
    let message = format!(
        "column `{}` has `{text}` in row {row} of the batch, which the rows learned from do not have\nhint: fit again \
         with such rows, or set `one_hot.unseen: zeros`",
        operand.name
    );
    Error::invalid_input(message).at("table")
}
