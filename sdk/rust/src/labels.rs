//! Classes of a target column, as all trainers see them. The door is [`Labels::of`].

use std::collections::BTreeSet;

use crate::column::Column;
use crate::error::{Error, Result};
use crate::schema::DataType;

/// More classes than this are a sign of a target that is no class; a model grows with them.
const MOST_CLASSES: usize = 1000;

/// The largest whole number up to which `f64` has them all.
const MOST_EXACT: f64 = 9_007_199_254_740_992.0;

/// A target as classes.
#[derive(Clone, Debug, PartialEq)]
pub struct Labels {
    /// The text of each: numbers in the order of numbers, `false` before `true`, text in the order of its bytes.
    pub classes: Vec<String>,
    /// Each row's index into `classes`.
    pub rows: Vec<usize>,
}

impl Labels {
    /// Errors: `invalid-input` where the column (without nulls) is of a type that names no classes, holds fractions, or
    /// has fewer than two classes or more than 1,000.
    pub fn of(target: &Column, name: &str) -> Result<Self> {
        let labels = match target.data_type() {
            DataType::Utf8 | DataType::Categorical => {
                index(&target.texts().flatten().collect::<Vec<_>>(), |text| (*text).to_owned())
            }
            DataType::Bool => {
                let values: Vec<bool> = (0..target.len()).filter_map(|row| target.bool(row)).collect();
                index(&values, bool::to_string)
            }
            DataType::S64 | DataType::F64 | DataType::F32 => index(&whole_numbers(target, name)?, i64::to_string),
            other => {
                let message = format!("target `{name}` is `{}`, which names no classes", other.name());
                return Err(refused(message, "a class is text, `bool` or a whole number"));
            }
        };
        match labels {
            Some(Self { classes, .. }) if classes.len() < 2 => {
                let message = format!("target `{name}` has one class, `{}`: a classifier needs two", classes[0]);
                Err(refused(message, "look at how the rows were chosen or split"))
            }
            Some(labels) => Ok(labels),
            None => {
                let message = format!("target `{name}` has more than {MOST_CLASSES} classes");
                Err(refused(message, "`task: regression` predicts numbers"))
            }
        }
    }

    /// Exchanges two classes so that `positive` is the last of two.
    ///
    /// Errors: `invalid-config` where there is no such class, `invalid-input` for more than two classes.
    pub fn make_binary(mut self, name: &str, positive: Option<&str>) -> Result<Self> {
        if self.classes.len() > 2 {
            let (count, few) = (self.classes.len(), self.some_classes());
            let message = format!("target `{name}` has {count} classes ({few}): `task: binary` needs two");
            return Err(refused(message, "set `task: multiclass`"));
        }
        match positive.map(|positive| self.classes.iter().position(|class| class == positive)) {
            Some(None) => {
                let message = format!("target `{name}` has no class `{}`", positive.unwrap_or_default());
                let hint = format!("hint: its classes are {}", self.some_classes());
                return Err(Error::invalid_config("positive", format!("{message}\n{hint}")));
            }
            Some(Some(0)) => {
                self.classes.swap(0, 1);
                self.rows.iter_mut().for_each(|class| *class = 1 - *class);
            }
            _ => {}
        }
        Ok(self)
    }

    fn some_classes(&self) -> String {
        const SHOWN: usize = 5;
        let mut names: Vec<String> = self.classes.iter().take(SHOWN).map(|class| format!("`{class}`")).collect();
        if self.classes.len() > SHOWN {
            names.push("…".to_owned());
        }
        names.join(", ")
    }
}

fn refused(message: String, hint: &str) -> Error {
    Error::invalid_input(format!("{message}\nhint: {hint}")).at("train")
}

fn whole_numbers(target: &Column, name: &str) -> Result<Vec<i64>> {
    if let Some(values) = target.as_s64() {
        return Ok(values.to_vec());
    }
    let whole = |value: f64| (value.fract() == 0.0 && value.abs() <= MOST_EXACT).then_some(value as i64);
    let values: Option<Vec<i64>> = target.numbers().unwrap_or_default().into_iter().map(whole).collect();
    values.ok_or_else(|| {
        let message = format!("target `{name}` holds fractions, which name no classes");
        refused(message, "`task: regression` predicts numbers")
    })
}

/// `None` beyond the most classes.
fn index<T: Ord + Clone>(values: &[T], text: impl Fn(&T) -> String) -> Option<Labels> {
    let mut classes = BTreeSet::new();
    for value in values {
        if !classes.contains(value) {
            classes.insert(value.clone());
            if classes.len() > MOST_CLASSES {
                return None;
            }
        }
    }
    let classes: Vec<T> = classes.into_iter().collect();
    let rows = values.iter().filter_map(|value| classes.binary_search(value).ok()).collect();
    Some(Labels { classes: classes.iter().map(text).collect(), rows })
}

#[cfg(test)]
mod tests {
    use super::*;

    fn classes(column: &Column) -> Vec<String> {
        Labels::of(column, "y").unwrap().classes
    }

    #[test]
    fn sorted_by_value() {
        assert_eq!(classes(&Column::from_s64([10, 9, 10])), ["9", "10"]);
        assert_eq!(classes(&Column::from_f64([10.0, -1.0])), ["-1", "10"]);
        assert_eq!(classes(&Column::from_bool([true, false])), ["false", "true"]);
        assert_eq!(classes(&Column::from_text(["b", "B", "a"])), ["B", "a", "b"]);
    }

    #[test]
    fn positive_comes_last() {
        let labels = Labels::of(&Column::from_text(["yes", "no", "yes"]), "y").unwrap();
        assert_eq!(labels.clone().make_binary("y", None).unwrap(), labels);
        let turned = labels.make_binary("y", Some("no")).unwrap();
        assert_eq!((turned.classes, turned.rows), (vec!["yes".to_owned(), "no".to_owned()], vec![0, 1, 0]));
    }

    #[test]
    fn numbers_that_are_no_classes() {
        assert!(Labels::of(&Column::from_f64([0.5, 1.0]), "y").unwrap_err().message.contains("fractions"));
        let many = Column::from_s64(0..1001);
        assert!(Labels::of(&many, "y").unwrap_err().message.contains("more than 1000"));
    }
}
