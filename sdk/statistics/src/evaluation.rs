//! An evaluation as numbers: what a model says and what really was, side by side. For validators; it knows nothing of
//! what they hold it to.

use std::collections::BTreeSet;

use wasmlops_sdk::prelude::*;

use crate::text;

/// What the names of probability columns start with; the class follows.
pub const PROBABILITY: &str = "probability.";

/// How far outside 0 and 1 rounding may carry a probability.
const OUTSIDE: f64 = 1e-6;

/// Predictions or the truth, row by row.
#[derive(Clone, PartialEq, Debug)]
pub enum Answers {
    /// Indexes into [`Reader::classes`].
    Classes(Vec<u32>),
    Numbers(Vec<f64>),
}

impl Answers {
    pub fn len(&self) -> usize {
        match self {
            Answers::Classes(classes) => classes.len(),
            Answers::Numbers(numbers) => numbers.len(),
        }
    }

    pub fn is_empty(&self) -> bool {
        self.len() == 0
    }

    /// The rows with these indexes.
    pub fn select(&self, rows: &[usize]) -> Self {
        match self {
            Answers::Classes(classes) => Answers::Classes(rows.iter().map(|&row| classes[row]).collect()),
            Answers::Numbers(numbers) => Answers::Numbers(rows.iter().map(|&row| numbers[row]).collect()),
        }
    }
}

/// What a model says.
#[derive(Clone, PartialEq, Debug)]
pub struct Predictions {
    pub answers: Answers,
    /// For each class that the model knows one probability a row; empty for a model that gives none.
    pub probabilities: Vec<Vec<f64>>,
}

impl Predictions {
    /// The rows with these indexes.
    pub fn select(&self, rows: &[usize]) -> Self {
        let chosen = |column: &Vec<f64>| rows.iter().map(|&row| column[row]).collect();
        Self { answers: self.answers.select(rows), probabilities: self.probabilities.iter().map(chosen).collect() }
    }

    /// More rows of the same model.
    ///
    /// # Panics
    /// Where one predicts classes and the other numbers.
    pub fn append(&mut self, more: Self) {
        match (&mut self.answers, more.answers) {
            (Answers::Classes(all), Answers::Classes(more)) => all.extend(more),
            (Answers::Numbers(all), Answers::Numbers(more)) => all.extend(more),
            _ => unreachable!("one reader gives one kind of answers"),
        }
        self.probabilities.iter_mut().zip(more.probabilities).for_each(|(all, more)| all.extend(more));
    }
}

/// Where a table of predictions has what, and which classes there are.
#[derive(Clone, PartialEq, Debug)]
pub struct Reader {
    /// Of the evaluation.
    rows: usize,
    prediction: usize,
    /// Columns of probabilities, in the order of the classes.
    probabilities: Vec<usize>,
    /// Absent for a regression. The model's in its order, then those that were met in other places.
    classes: Option<Vec<String>>,
}

impl Reader {
    /// Classification where the model gives probabilities, text or booleans; otherwise regression. Without
    /// probabilities the classes are those that predictions and truth show, in alphabetical order.
    ///
    /// Errors: `invalid-input` at `model` where there is no column `prediction`.
    pub fn new(evaluation: &Evaluation) -> Result<Self> {
        let candidate = evaluation.candidate.schema();
        let missing = || Error::invalid_input("the predictions have no column `prediction`").at("model");
        let prediction = candidate.index_of("prediction").ok_or_else(missing)?;
        let with_class = |(index, name): (usize, &str)| Some((index, name.strip_prefix(PROBABILITY)?.to_owned()));
        let (probabilities, classes): (Vec<usize>, Vec<String>) =
            candidate.names().enumerate().filter_map(with_class).unzip();
        let numeric = matches!(candidate.fields[prediction].data_type, DataType::F64 | DataType::F32 | DataType::S64);
        let classes = match (probabilities.is_empty(), numeric) {
            (false, _) => Some(classes),
            (true, true) => None,
            (true, false) => Some(classes_shown(evaluation, prediction)?),
        };
        Ok(Self { rows: evaluation.features.num_rows(), prediction, probabilities, classes })
    }

    /// The classes met so far; `None` for a regression.
    pub fn classes(&self) -> Option<&[String]> {
        self.classes.as_deref()
    }

    /// Of how many classes the model gives probabilities: the first ones.
    pub fn with_probabilities(&self) -> usize {
        self.probabilities.len()
    }

    /// The index of a class that the model knows.
    ///
    /// Errors: `invalid-config` at `key` with the classes there are.
    pub fn class(&self, wanted: &str, key: &str) -> Result<u32> {
        let Some(classes) = &self.classes else {
            return Err(Error::invalid_config(key, format!("`{key}` is for classes, and the model predicts numbers")));
        };
        let place = classes.iter().position(|class| class == wanted);
        place.map(|place| place as u32).ok_or_else(|| {
            let names = text::names(classes.iter().map(String::as_str));
            let message = format!("{} is no class of the model, which knows {names}", text::name(wanted));
            Error::invalid_config(key, message)
        })
    }

    /// The predictions of a whole table.
    ///
    /// Errors: as [`Reader::read`]; `invalid-input` at `model` for other rows than the evaluation has.
    pub fn table(&mut self, candidate: &Table) -> Result<Predictions> {
        self.expect_rows(candidate, "model")?;
        let all: Vec<usize> = (0..candidate.schema().fields.len()).collect();
        self.read(&candidate.columns(&all)?)
    }

    /// The predictions in columns with the schema that this was made for.
    ///
    /// Errors: `invalid-input` at `model` for a prediction that is missing, and for what is no probability.
    pub fn read(&mut self, columns: &[Column]) -> Result<Predictions> {
        let answers = self.answers(&columns[self.prediction], "prediction", "model")?;
        let probabilities = self.probabilities.iter().map(|&index| probabilities(&columns[index]));
        let probabilities = probabilities.collect::<Result<_, String>>();
        let probabilities = probabilities.map_err(|wrong| Error::invalid_input(wrong).at("model"))?;
        Ok(Predictions { answers, probabilities })
    }

    /// What really was; `None` for an evaluation without truth.
    ///
    /// Errors: `invalid-input` at `table` for a truth that is missing in some rows, or no number where the model
    /// predicts numbers.
    pub fn truth(&mut self, evaluation: &Evaluation) -> Result<Option<Answers>> {
        let Some(table) = &evaluation.truth else { return Ok(None) };
        self.expect_rows(table, "table")?;
        let name = table.schema().names().next().unwrap_or_default().to_owned();
        self.answers(&table.column(0)?, &name, "table").map(Some)
    }

    fn expect_rows(&self, table: &Table, input: &str) -> Result<()> {
        match table.num_rows() == self.rows {
            true => Ok(()),
            false => {
                Err(Error::invalid_input(format!("{} answers for {} rows", table.num_rows(), self.rows)).at(input))
            }
        }
    }

    fn answers(&mut self, column: &Column, name: &str, input: &str) -> Result<Answers> {
        let wrong = |problem: String| Error::invalid_input(problem).at(input);
        let missing = match column.data_type() {
            DataType::F64 | DataType::F32 => column.numbers().iter().flatten().filter(|value| value.is_nan()).count(),
            _ => column.null_count(),
        };
        if missing > 0 {
            let rows = text::counted(column.len() as u64, "row");
            return Err(wrong(format!("{} is null or NaN in {missing} of {rows}", text::name(name))));
        }
        let Some(classes) = &mut self.classes else {
            let no_numbers = || wrong(format!("{} holds no numbers, and the model predicts them", text::name(name)));
            return column.numbers().map(Answers::Numbers).ok_or_else(no_numbers);
        };
        let mut numbers = Vec::with_capacity(column.len());
        for row in 0..column.len() {
            let class = column.class(row).ok_or_else(|| wrong(format!("{} holds no classes", text::name(name))))?;
            // Rows in sequence are often alike, and there are few classes.
            let known = classes.iter().position(|known| *known == *class);
            numbers.push(known.unwrap_or_else(|| {
                classes.push(class.into_owned());
                classes.len() - 1
            }) as u32);
        }
        Ok(Answers::Classes(numbers))
    }
}

fn classes_shown(evaluation: &Evaluation, prediction: usize) -> Result<Vec<String>> {
    let mut shown = BTreeSet::new();
    let truth = evaluation.truth.as_ref().map(|table| table.column(0)).transpose()?;
    for column in truth.iter().chain([&evaluation.candidate.column(prediction)?]) {
        for class in (0..column.len()).filter_map(|row| column.class(row)) {
            if !shown.contains(&*class) {
                shown.insert(class.into_owned());
            }
        }
    }
    Ok(shown.into_iter().collect())
}

fn probabilities(column: &Column) -> Result<Vec<f64>, String> {
    let numbers = column.numbers().ok_or("a column of probabilities holds no numbers")?;
    let wrong = numbers.iter().filter(|p| !(-OUTSIDE..=1.0 + OUTSIDE).contains(*p)).count();
    match wrong {
        0 => Ok(numbers.into_iter().map(|p| p.clamp(0.0, 1.0)).collect()),
        _ => Err(format!("{wrong} of {} probabilities are null or outside of 0 to 1", numbers.len())),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn evaluation(candidate: Table, truth: Column) -> Evaluation {
        let truth = || Table::from_columns([("kind", truth.clone())]);
        Evaluation { truth: Some(truth()), candidate, champion: None, features: truth() }
    }

    #[test]
    fn classes_are_numbered_as_the_model_has_them() {
        let candidate = Table::from_columns([
            ("prediction", Column::from_categories(["b", "a"])),
            ("probability.a", Column::from_f64([0.25, 1.0 + 1e-9])),
            ("probability.b", Column::from_f64([0.75, 0.0])),
        ]);
        let evaluation = evaluation(candidate, Column::from_text(["a", "c"]));
        let mut reader = Reader::new(&evaluation).unwrap();
        let predictions = reader.table(&evaluation.candidate).unwrap();
        assert_eq!(predictions.answers, Answers::Classes(vec![1, 0]));
        assert_eq!(predictions.probabilities, [vec![0.25, 1.0], vec![0.75, 0.0]]);
        assert_eq!(reader.truth(&evaluation).unwrap(), Some(Answers::Classes(vec![0, 2])));
        assert_eq!(reader.classes().unwrap(), ["a", "b", "c"]);
        assert_eq!(reader.class("b", "positive").unwrap(), 1);
        assert!(reader.class("x", "positive").unwrap_err().message.contains("`a`, `b`, `c`"));
    }

    #[test]
    fn numbers_and_what_is_missing() {
        let candidate = Table::from_columns([("prediction", Column::from_f64([1.0, 2.0]))]);
        let missing = evaluation(candidate, Column::from_f64([Some(1.0), None]));
        let mut reader = Reader::new(&missing).unwrap();
        assert_eq!(reader.classes(), None);
        assert_eq!(reader.table(&missing.candidate).unwrap().answers, Answers::Numbers(vec![1.0, 2.0]));
        assert!(reader.truth(&missing).unwrap_err().message.contains("1 of 2 rows"));
    }

    #[test]
    fn without_probabilities_classes_are_in_alphabetical_order() {
        let candidate = Table::from_columns([("prediction", Column::from_categories(["yes", "no"]))]);
        let evaluation = evaluation(candidate, Column::from_text(["yes", "maybe"]));
        assert_eq!(Reader::new(&evaluation).unwrap().classes().unwrap(), ["maybe", "no", "yes"]);
    }
}
