//! Turns batches into features with a fitted state. The door is [`Encoder`].

mod categories;
mod numbers;
pub mod texts;

use wasmlops_sdk::{Batch, Column, ColumnBuilder, DataType, Error, Field, Result, Schema};

use crate::config::Unseen;
use crate::members::{Members, NOT_LEARNED, Recogniser};
use crate::state::{ColumnState, Encoding, State, TargetState};
use crate::time::{self, MICROS_A_DAY};
pub use categories::{Lookup, MISSING, each_text};
use numbers::Operand;

/// A state that is ready to work on batches of one schema.
pub struct Encoder {
    makers: Vec<Maker>,
    unseen: Unseen,
    /// The indexes of what comes out untouched: `pass_through`, then the target.
    untouched: Vec<usize>,
    members: Option<(Members, Recogniser)>,
    output: Schema,
}

/// One column's state with what it needs at hand.
struct Maker {
    /// Indexes of the columns that it is made of.
    sources: Vec<usize>,
    state: ColumnState,
    lookup: Lookup,
    /// How many features, the indicator aside.
    width: usize,
}

/// Features before they become columns.
enum Made {
    /// A missing value is NaN.
    Numbers(Vec<Vec<f64>>),
    Column(Column),
}

impl Encoder {
    /// Finds the columns by name, in any order.
    ///
    /// Errors: `invalid-input` with every column that is missing or of another type.
    pub fn new(state: State, input: &Schema) -> Result<Self> {
        let mut problems = Vec::new();
        let features = state.columns.iter().flat_map(ColumnState::features).map(|feature| feature.field());
        let mut fields: Vec<Field> = features.collect();
        let makers = state.columns.into_iter().filter_map(|column| Maker::new(column, input, &mut problems)).collect();
        let members =
            state.members.and_then(|members| match Recogniser::new(&members, state.target.as_deref(), input) {
                Ok(recogniser) => recogniser.map(|recogniser| (members, recogniser)),
                Err(missing) => {
                    let missing =
                        missing.into_iter().filter(|name| !problems.iter().any(|known| known.starts_with(name)));
                    problems.extend(missing.collect::<Vec<_>>().into_iter().map(|name| {
                        format!("{name} is missing and tells rows learned from apart (`target_encoding.cross_fit.key`)")
                    }));
                    None
                }
            });
        if !problems.is_empty() {
            let hint = format!(
                "hint: give the columns that the features were fitted on; the rows have {}",
                input.names_for_message()
            );
            return Err(
                Error::invalid_input(format!("columns do not fit: {}\n{hint}", problems.join(", "))).at("table")
            );
        }
        let untouched: Vec<usize> =
            state.pass_through.iter().chain(&state.target).filter_map(|name| input.index_of(name)).collect();
        fields.extend(untouched.iter().map(|&index| input.fields[index].clone()));
        Ok(Self { makers, unseen: state.unseen, untouched, members, output: Schema::new(fields) })
    }

    /// Features first, then `pass_through`, then the target.
    pub fn output(&self) -> &Schema {
        &self.output
    }

    /// Errors: `invalid-input` for a missing value where nothing fills it, an infinite one, and, if so configured, for
    /// an unseen category.
    pub fn apply(&self, input: &Batch) -> Result<Batch> {
        let mut columns = Vec::with_capacity(self.output.fields.len());
        let folds = self.folds(input);
        for maker in &self.makers {
            match maker.make(input, self.unseen, folds.as_deref())? {
                Made::Column(column) => columns.push(column),
                Made::Numbers(features) => {
                    let nullable = maker.state.nullable();
                    let finished = features.into_iter().enumerate().map(|(number, values)| maker.scale(number, values));
                    columns.extend(finished.map(|values| column_of(&values, nullable)));
                }
            }
            if maker.state.indicate_missing {
                columns.push(indicator(&input.columns[maker.sources[0]]));
            }
        }
        columns.extend(self.untouched.iter().map(|&index| input.columns[index].clone()));
        Ok(Batch { num_rows: input.num_rows, columns })
    }

    /// The features that are numbers, before they are scaled; a missing one is NaN.
    ///
    /// Errors: as of [`Encoder::apply`].
    pub fn quantities(&self, input: &Batch) -> Result<Vec<Vec<f64>>> {
        let folds = self.folds(input);
        let mut all = Vec::new();
        for maker in &self.makers {
            if let Made::Numbers(features) = maker.make(input, self.unseen, folds.as_deref())? {
                all.extend(features);
            }
        }
        Ok(all)
    }

    fn folds(&self, input: &Batch) -> Option<Vec<u8>> {
        self.members.as_ref().map(|(members, recogniser)| recogniser.folds(members, &input.columns))
    }
}

impl Maker {
    /// `None` with a problem more where a column does not fit.
    fn new(mut state: ColumnState, input: &Schema, problems: &mut Vec<String>) -> Option<Self> {
        let mut sources = Vec::new();
        let before = problems.len();
        for name in state.sources() {
            match input.index_of(name) {
                None => problems.push(format!("`{name}` is missing")),
                Some(index) if !state.accepts(input.fields[index].data_type) => {
                    let (given, expected) = (input.fields[index].data_type.name(), state.expected());
                    problems.push(format!("`{name}` is `{given}` and was {expected}"));
                }
                Some(index) => sources.push(index),
            }
        }
        // A column with several encodings is named once.
        if problems[before..].iter().all(|problem| problems[..before].contains(problem)) {
            problems.truncate(before);
        }
        let width = state.features().len() - usize::from(state.indicate_missing);
        let lookup = Lookup::take(&mut state.encoding);
        (sources.len() == state.sources().len()).then_some(Self { sources, state, lookup, width })
    }

    fn make(&self, input: &Batch, unseen: Unseen, folds: Option<&[u8]>) -> Result<Made> {
        let (name, column) = (self.state.name.as_str(), &input.columns[self.sources[0]]);
        let operand = Operand { name, column, keep: self.state.keep_missing };
        let fill = self.state.encoding.fill();
        let one = |values: Vec<f64>| Ok(Made::Numbers(vec![values]));
        match &self.state.encoding {
            Encoding::Number { mean, scale, .. } => {
                let mut values = operand.numbers(fill)?;
                values.iter_mut().for_each(|value| *value = (*value - mean) / scale);
                one(values)
            }
            Encoding::Bool { .. } | Encoding::Value { .. } => one(operand.numbers(fill)?),
            Encoding::Log1p { .. } => one(operand.log1p(fill)?),
            Encoding::Power { lambda, .. } => one(operand.power(fill, *lambda)?),
            Encoding::Bins { edges, one_hot, .. } => {
                let bins = operand.bins(fill, edges)?;
                if *one_hot { Ok(Made::Numbers(numbers::one_hot(&bins, edges.len() + 1))) } else { one(bins) }
            }
            Encoding::Part { part, .. } => one(operand.filled(times(column, |at| part.of(at) as f64), fill)?),
            Encoding::Since { time, .. } => {
                let start = time::parse(time).unwrap_or_default();
                let days = |at: i64| (at as f64 - start as f64) / MICROS_A_DAY as f64;
                one(operand.filled(times(column, days), fill)?)
            }
            Encoding::Cycle { part } => {
                let circle = |at| part.on_circle(at);
                let empty = |value: f64| if value.is_nan() { 0.0 } else { value };
                let of =
                    |side: fn((f64, f64)) -> f64| times(column, |at| side(circle(at))).into_iter().map(empty).collect();
                Ok(Made::Numbers(vec![of(|(sine, _)| sine), of(|(_, cosine)| cosine)]))
            }
            Encoding::Length { .. } => one(operand.filled(texts::lengths(column), fill)?),
            Encoding::Words { .. } => one(operand.filled(texts::words(column), fill)?),
            Encoding::Hash { with, .. } => Ok(Made::Numbers(texts::hashed(column, with))),
            Encoding::Product { .. } => one(operand.filled(self.product(input)?, fill)?),
            Encoding::Ratio { .. } => one(operand.filled(self.ratio(input)?, fill)?),
            Encoding::Target(target) => Ok(Made::Numbers(self.target(target, column, folds))),
            Encoding::Frequency { shares, missing, .. } => {
                one(self.lookup.gather(column, |code| shares[code], *missing, 0.0))
            }
            Encoding::OneHot { .. } | Encoding::Ordinal { .. } | Encoding::Category { .. } => {
                let codes = self.lookup.known_codes(&operand, unseen)?;
                Ok(match &self.state.encoding {
                    Encoding::Category { .. } => Made::Column(self.lookup.categories(column, &codes)),
                    Encoding::Ordinal { .. } => Made::Numbers(vec![categories::ordinals(&codes)]),
                    _ => Made::Numbers(categories::one_hot(&codes, self.width, self.lookup.len())),
                })
            }
        }
    }

    fn product(&self, input: &Batch) -> Result<Vec<f64>> {
        let mut product = vec![1.0; input.num_rows];
        for &source in &self.sources {
            let values = numbers::finite(&self.state.name, &input.columns[source])?;
            product.iter_mut().zip(values).for_each(|(product, value)| *product *= value);
        }
        Ok(product)
    }

    fn ratio(&self, input: &Batch) -> Result<Vec<f64>> {
        let [over, under] = [0, 1].map(|side| numbers::finite(&self.state.name, &input.columns[self.sources[side]]));
        let ratio = |(over, under): (f64, f64)| if under == 0.0 { f64::NAN } else { over / under };
        Ok(over?.into_iter().zip(under?).map(ratio).collect())
    }

    /// The means of the row's fold for rows learned from, of all rows for others.
    fn target(&self, target: &TargetState, column: &Column, folds: Option<&[u8]>) -> Vec<Vec<f64>> {
        let codes = self.lookup.codes(column);
        let missing = target.missing.then_some(self.lookup.len());
        let mut features = vec![Vec::with_capacity(codes.len()); self.width];
        for (row, &code) in codes.iter().enumerate() {
            let fold = folds.map_or(NOT_LEARNED, |folds| folds[row]);
            let means = target.folds.get(usize::from(fold)).unwrap_or(&target.all);
            let category = if code == categories::MISSING { missing } else { usize::try_from(code).ok() };
            for (class, feature) in features.iter_mut().enumerate() {
                feature.push(category.map_or(means.overall[class], |category| means.of_categories[class][category]));
            }
        }
        features
    }

    fn scale(&self, number: usize, mut values: Vec<f64>) -> Vec<f64> {
        if let Some(scaling) = self.state.scaling.get(number) {
            values.iter_mut().for_each(|value| *value = (*value - scaling.centre) / scaling.scale);
        }
        values
    }
}

/// What `of` says of each instant; NaN where it is missing.
fn times(column: &Column, of: impl Fn(i64) -> f64) -> Vec<f64> {
    let instants = column.as_s64().unwrap_or_default();
    let value = |(row, &at): (usize, &i64)| if column.is_null(row) { f64::NAN } else { of(at) };
    instants.iter().enumerate().map(value).collect()
}

fn column_of(values: &[f64], nullable: bool) -> Column {
    if !nullable || !values.iter().any(|value| value.is_nan()) {
        return Column::from_f64_slice(values);
    }
    let mut builder = ColumnBuilder::new(DataType::F64);
    for &value in values {
        if value.is_nan() { builder.push_null() } else { builder.push_f64(value) }
    }
    builder.finish()
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
