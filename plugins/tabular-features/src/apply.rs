//! Turns batches into features with a fitted state. The door is [`Encoder`].

use wasmlops_sdk::{Batch, Column, DataType, Error, Field, Result, Schema};

use crate::config::Unseen;
use crate::state::{ColumnState, Encoding, State};

/// A state that is ready to work on batches of one schema.
pub struct Encoder {
    columns: Vec<(usize, ColumnState)>,
    unseen: Unseen,
    /// The indexes of what comes out untouched: `pass_through`, then the target.
    untouched: Vec<usize>,
}

impl Encoder {
    /// Finds the columns by name, in any order.
    ///
    /// Errors: `invalid-input` with every column that is missing or of another type.
    pub fn new(state: State, input: &Schema) -> Result<Self> {
        let mut columns = Vec::with_capacity(state.columns.len());
        let mut problems = Vec::new();
        for column in state.columns {
            match input.index_of(&column.name) {
                None => problems.push(format!("`{}` is missing", column.name)),
                Some(index) if !column.encoding.accepts(input.fields[index].data_type) => {
                    let (given, expected) = (input.fields[index].data_type.name(), column.encoding.expected());
                    problems.push(format!("`{}` is `{given}` and was {expected}", column.name));
                }
                Some(index) => columns.push((index, column)),
            }
        }
        if !problems.is_empty() {
            let hint = format!(
                "hint: give the columns that the features were fitted on; the rows have {}",
                input.names_for_message()
            );
            return Err(
                Error::invalid_input(format!("columns do not fit: {}\n{hint}", problems.join(", "))).at("table")
            );
        }
        let untouched =
            state.pass_through.iter().chain(&state.target).filter_map(|name| input.index_of(name)).collect();
        Ok(Self { columns, unseen: state.unseen, untouched })
    }

    /// Features first, then `pass_through`, then the target.
    pub fn output(&self, input: &Schema) -> Schema {
        let features = self.columns.iter().flat_map(|(_, column)| column.features());
        let features = features.map(|name| Field::new(name, DataType::F64, false));
        let untouched = self.untouched.iter().map(|&index| input.fields[index].clone());
        Schema::new(features.chain(untouched).collect())
    }

    /// Errors: `invalid-input` for a missing value where nothing fills it, an infinite one, and, if so configured, for
    /// an unseen category.
    pub fn apply(&self, input: &Batch) -> Result<Batch> {
        let mut columns = Vec::new();
        for (index, state) in &self.columns {
            let column = &input.columns[*index];
            match &state.encoding {
                Encoding::Number { fill, mean, scale } => {
                    let mut values = numbers(&state.name, column, *fill)?;
                    values.iter_mut().for_each(|value| *value = (*value - mean) / scale);
                    columns.push(Column::from_f64_slice(&values));
                }
                Encoding::Bool { fill } => {
                    columns.push(Column::from_f64_slice(&numbers(&state.name, column, *fill)?));
                }
                Encoding::OneHot { fill, categories, seldom } => {
                    let texts = Texts { name: &state.name, fill: fill.as_deref(), categories, seldom };
                    columns.extend(texts.one_hot(column, self.unseen)?);
                }
            }
            if state.indicate_missing {
                columns.push(indicator(column));
            }
        }
        columns.extend(self.untouched.iter().map(|&index| input.columns[index].clone()));
        Ok(Batch { num_rows: input.num_rows, columns })
    }
}

/// The values without gaps.
fn numbers(name: &str, column: &Column, fill: Option<f64>) -> Result<Vec<f64>> {
    let mut values = column.numbers().ok_or_else(|| Error::internal(format!("`{name}` holds no numbers")))?;
    for (row, value) in values.iter_mut().enumerate() {
        if value.is_nan() {
            *value = fill.ok_or_else(|| missing(name, row))?;
        } else if value.is_infinite() {
            let hint = "hint: make infinite values null or finite before this step";
            let message = format!("column `{name}` is infinite in row {row} of the batch\n{hint}");
            return Err(Error::invalid_input(message).at("table"));
        }
    }
    Ok(values)
}

/// 1 where a value is missing.
fn indicator(column: &Column) -> Column {
    let missing = |row| match column.number(row) {
        Some(value) => value.is_nan(),
        None => column.is_null(row),
    };
    let values: Vec<f64> = (0..column.len()).map(|row| f64::from(u8::from(missing(row)))).collect();
    Column::from_f64_slice(&values)
}

fn missing(name: &str, row: usize) -> Error {
    let hint = "hint: fit with `impute` set to something else than `none`, or give a value";
    Error::invalid_input(format!("column `{name}` has no value in row {row} of the batch\n{hint}")).at("table")
}

/// A text column's state.
struct Texts<'a> {
    name: &'a str,
    fill: Option<&'a str>,
    categories: &'a [String],
    seldom: &'a [String],
}

impl Texts<'_> {
    /// One column for each category.
    fn one_hot(&self, column: &Column, unseen: Unseen) -> Result<Vec<Column>> {
        let mut features = vec![vec![0.0; column.len()]; self.categories.len()];
        for (row, category) in self.categories_of(column)?.into_iter().enumerate() {
            match category {
                Category::Known(category) => features[category][row] = 1.0,
                Category::Seldom => {}
                Category::Unseen if unseen == Unseen::Zeros => {}
                Category::Unseen => return Err(self.unseen(column, row)),
            }
        }
        Ok(features.iter().map(|values| Column::from_f64_slice(values)).collect())
    }

    fn categories_of(&self, column: &Column) -> Result<Vec<Category>> {
        let fill = self.fill.map(|text| self.category(text));
        let stand_in = |row| fill.ok_or_else(|| missing(self.name, row));
        match column.as_codes() {
            Some(codes) => {
                let known: Vec<Category> = column.categories().into_iter().map(|text| self.category(text)).collect();
                let category = |(row, code): (usize, &i32)| {
                    if column.is_null(row) { stand_in(row) } else { Ok(known[*code as usize]) }
                };
                codes.iter().enumerate().map(category).collect()
            }
            None => {
                let category = |(row, text): (usize, Option<&str>)| match text {
                    Some(text) => Ok(self.category(text)),
                    None => stand_in(row),
                };
                column.texts().enumerate().map(category).collect()
            }
        }
    }

    fn category(&self, text: &str) -> Category {
        let among = |texts: &[String]| texts.binary_search_by(|known| known.as_str().cmp(text)).ok();
        match among(self.categories) {
            Some(category) => Category::Known(category),
            None if among(self.seldom).is_some() => Category::Seldom,
            None => Category::Unseen,
        }
    }

    fn unseen(&self, column: &Column, row: usize) -> Error {
        let text: String = column.display(row).chars().take(60).collect();
        let message = format!(
            "column `{}` has `{text}` in row {row} of the batch, which the rows learned from do not have\nhint: fit \
             again with such rows, or set `one_hot.unseen: zeros`",
            self.name
        );
        Error::invalid_input(message).at("table")
    }
}

/// What a text is to the fitted state.
#[derive(Clone, Copy)]
enum Category {
    Known(usize),
    /// Seen, and too seldom for a feature.
    Seldom,
    Unseen,
}
