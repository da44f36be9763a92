//! Predictions that are classes: every class has a number, the same for window and reference.

use wasmlops_sdk::prelude::*;
use wasmlops_statistics::classification::Rows;
use wasmlops_statistics::text;

use crate::config::Config;
use crate::plan::PROBABILITY;

/// The classes there are.
pub struct Classes {
    /// The model's classes in its order, then those that only labels have.
    names: Vec<String>,
    /// Of how many classes there are probabilities: the first ones.
    pub with_probabilities: usize,
    /// Of two classes that the model knows, the one that metrics are about.
    positive: Option<usize>,
}

/// Rows with a prediction; a request that failed has none and does not count.
pub struct Seen {
    pub predicted: Vec<u32>,
    /// For each class with probabilities one a row.
    pub probabilities: Vec<Vec<f64>>,
    pub labels: Vec<Option<u32>>,
}

impl Seen {
    pub fn len(&self) -> usize {
        self.predicted.len()
    }
}

impl Classes {
    /// The model's classes: those with probabilities; without any, those that predictions and labels show.
    ///
    /// Errors: `invalid-config` for a `positive` that is no class of the model, or where it does not know two.
    pub fn of(config: &Config, window: &Table, reference: Option<&Table>) -> Result<Self> {
        let mut names: Vec<String> = probabilities(window).map(|(_, class)| class.to_owned()).collect();
        let with_probabilities = names.len();
        if names.is_empty() {
            for table in reference.into_iter().chain([window]) {
                for column in ["prediction", "label"].into_iter().filter_map(|name| table.schema().index_of(name)) {
                    let column = table.column(column)?;
                    names.extend((0..column.len()).filter_map(|row| column.class(row)).map(|class| class.into_owned()));
                    names.sort_unstable();
                    names.dedup();
                }
            }
        }
        let positive = positive(config, &names)?;
        Ok(Self { names, with_probabilities, positive })
    }

    /// Errors: `invalid-input` for a prediction or probabilities of another form than the contract's.
    pub fn read(&mut self, table: &Table, input: &str) -> Result<Seen> {
        let schema = table.schema();
        let prediction = schema.require("prediction", input)?;
        let mut columns = vec![prediction];
        for class in &self.names[..self.with_probabilities] {
            let name = format!("{PROBABILITY}{class}");
            let missing = || Error::invalid_input(format!("there is no column {}", text::name(&name))).at(input);
            columns.push(schema.index_of(&name).ok_or_else(missing)?);
        }
        let label = schema.index_of("label");
        columns.extend(label);
        let mut seen = Seen {
            predicted: Vec::new(),
            probabilities: vec![Vec::new(); self.with_probabilities],
            labels: Vec::new(),
        };
        for batch in table.batches(&columns) {
            self.add(&batch?, label.is_some(), &mut seen);
        }
        Ok(seen)
    }

    fn add(&mut self, batch: &Batch, has_label: bool, seen: &mut Seen) {
        let (prediction, rest) = batch.columns.split_first().expect("a prediction was asked for");
        let (probabilities, label) = rest.split_at(rest.len() - usize::from(has_label));
        for row in 0..batch.num_rows {
            let Some(class) = prediction.class(row) else { continue };
            let numbers: Vec<f64> = probabilities.iter().filter_map(|column| column.number(row)).collect();
            let whole =
                numbers.len() == probabilities.len() && numbers.iter().all(|p| (-1e-6..=1.0 + 1e-6).contains(p));
            if !whole {
                continue;
            }
            seen.predicted.push(self.number(&class));
            seen.labels.push(label.first().and_then(|column| column.class(row)).map(|label| self.number(&label)));
            seen.probabilities.iter_mut().zip(numbers).for_each(|(all, p)| all.push(p));
        }
    }

    /// The number of a class, a new one for a class that is new.
    fn number(&mut self, class: &str) -> u32 {
        let place = self.names.iter().position(|name| name == class).unwrap_or_else(|| {
            self.names.push(class.to_owned());
            self.names.len() - 1
        });
        place as u32
    }

    /// The rows that have a label.
    pub fn labelled(&self, seen: &Seen) -> Rows {
        let rows: Vec<usize> = (0..seen.len()).filter(|&row| seen.labels[row].is_some()).collect();
        let one_hot = |class: usize| {
            rows.iter().map(|&row| f64::from(u8::from(seen.labels[row] == Some(class as u32)))).collect()
        };
        self.rows(seen, &rows, (0..self.names.len()).map(one_hot).collect())
    }

    /// Some rows, with weights for their truth.
    pub fn rows(&self, seen: &Seen, rows: &[usize], truth: Vec<Vec<f64>>) -> Rows {
        let chosen = |column: &Vec<f64>| rows.iter().map(|&row| column[row]).collect();
        let mut probabilities: Vec<Vec<f64>> = seen.probabilities.iter().map(chosen).collect();
        if !probabilities.is_empty() {
            // A class that the model does not know is one that it gives no chance.
            probabilities.resize(self.names.len(), vec![0.0; rows.len()]);
        }
        Rows {
            truth,
            predicted: rows.iter().map(|&row| seen.predicted[row]).collect(),
            probabilities,
            positive: self.positive.filter(|_| self.names.len() == 2),
        }
    }

    pub fn len(&self) -> usize {
        self.names.len()
    }
}

fn positive(config: &Config, known: &[String]) -> Result<Option<usize>> {
    let Some(wanted) = &config.positive else { return Ok((known.len() == 2).then_some(1)) };
    if known.len() != 2 {
        let message = format!("`positive` is for models with two classes, and this one has {}", known.len());
        return Err(Error::invalid_config("positive", message));
    }
    let wanted = wanted.to_string();
    let names = text::names(known.iter().map(String::as_str));
    let unknown =
        || Error::invalid_config("positive", format!("`{wanted}` is no class of the model, which knows {names}"));
    known.iter().position(|class| *class == wanted).map(Some).ok_or_else(unknown)
}

/// Columns with probabilities: index and class.
fn probabilities(table: &Table) -> impl Iterator<Item = (usize, &str)> {
    let names = table.schema().names().enumerate();
    names.filter_map(|(index, name)| Some((index, name.strip_prefix(PROBABILITY)?)))
}
