//! What a reference says of its columns, in one pass: how much is missing, from where to where numbers go, and which
//! texts there are. The door is [`Learned::of`].

use std::collections::BTreeSet;

use wasmlops_sdk::prelude::*;

use crate::config::{Rule, Scalar};
use crate::pass::is_missing;

/// More different texts than this are no set of allowed ones: the next window will have others.
const MOST_TEXTS: usize = 100;

/// One column of the reference.
pub struct Learned {
    pub name: String,
    pub rows: u64,
    pub missing: u64,
    pub values: Known,
}

/// What the values of a column are.
pub enum Known {
    /// The least and the greatest finite number.
    Range(f64, f64),
    Texts(BTreeSet<String>),
    /// No value, another type, or too many texts.
    Nothing,
}

impl Learned {
    /// The columns with these indexes.
    pub fn of(reference: &Table, columns: &[usize]) -> Result<Vec<Self>> {
        let fields = columns.iter().map(|&index| &reference.schema().fields[index]);
        let mut learned: Vec<Self> = fields
            .map(|field| Self {
                name: field.name.clone(),
                rows: reference.num_rows() as u64,
                missing: 0,
                values: match field.data_type {
                    DataType::S64 | DataType::F64 | DataType::F32 => Known::Range(f64::INFINITY, f64::NEG_INFINITY),
                    DataType::Utf8 | DataType::Categorical | DataType::Bool => Known::Texts(BTreeSet::new()),
                    DataType::Binary | DataType::Timestamp => Known::Nothing,
                },
            })
            .collect();
        for batch in reference.batches(columns) {
            let batch = batch?;
            learned.iter_mut().zip(&batch.columns).for_each(|(learned, column)| learned.see(column));
        }
        Ok(learned)
    }

    fn see(&mut self, column: &Column) {
        self.missing += (0..column.len()).filter(|&row| is_missing(column, row)).count() as u64;
        match &mut self.values {
            Known::Nothing => {}
            Known::Range(least, most) => {
                let numbers = (0..column.len()).filter_map(|row| column.number(row));
                for number in numbers.filter(|number| number.is_finite()) {
                    *least = least.min(number);
                    *most = most.max(number);
                }
            }
            Known::Texts(texts) => {
                for text in (0..column.len()).filter_map(|row| column.class(row)) {
                    if !texts.contains(text.as_ref()) {
                        texts.insert(text.into_owned());
                    }
                    if texts.len() > MOST_TEXTS {
                        self.values = Known::Nothing;
                        return;
                    }
                }
            }
        }
    }

    /// The part of the rows without a value.
    pub fn missing_share(&self) -> f64 {
        if self.rows == 0 { 0.0 } else { self.missing as f64 / self.rows as f64 }
    }

    /// The expectation that the values stay as they were, as a user would write it.
    pub fn rule(&self) -> Option<Rule> {
        let rule = Rule { column: Some(self.name.clone()), ..Rule::default() };
        match &self.values {
            Known::Range(least, most) if least <= most => Some(Rule { between: Some([*least, *most]), ..rule }),
            Known::Texts(texts) if !texts.is_empty() => {
                let allowed = texts.iter().cloned().map(Scalar::Text).collect();
                Some(Rule { allowed: Some(allowed), ..rule })
            }
            _ => None,
        }
    }
}
