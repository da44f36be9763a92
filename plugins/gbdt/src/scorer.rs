//! Predicts batches with a model. The door is [`Scorer`].

mod contributions;

use wasmlops_sdk::{Batch, Column, ColumnBuilder, DataType, Error, Field, Result, Schema};

use crate::codes::Coder;
use crate::columns::is_number_type;
use crate::forest::Forest;
use crate::model::{MOST_THRESHOLDS, Model};
use crate::objective::sigmoid;

use contributions::Contributions;
pub use contributions::names as contribution_names;

/// Rows that all trees are walked for before the next: their codes stay in the nearest cache.
const BLOCK: usize = 256;

/// A model that is ready to work on batches of one schema.
pub struct Scorer {
    classes: Vec<String>,
    initial: Vec<f64>,
    forest: Forest,
    /// Of each feature that trees ask for, where it is in a batch and how it becomes a code.
    used: Vec<(usize, Coder)>,
    contributions: Option<Contributions>,
    output: Schema,
}

impl Scorer {
    /// Finds the features by name, in any order.
    ///
    /// Errors: `invalid-input` with every feature that is missing or of another kind.
    pub fn new(model: Model, input: &Schema) -> Result<Self> {
        let columns = columns(&model, input)?;
        let mut used = Vec::new();
        let mut places = vec![0; columns.len()];
        for (feature, &column) in columns.iter().enumerate() {
            if model.header.features[feature].splits == 0 {
                continue;
            }
            places[feature] = used.len();
            used.push((column, coder(&model, feature)?));
        }
        let place = |feature: u32| places[feature as usize] as u32;
        let code = |feature: u32, threshold: f64| match &used[places[feature as usize]].1 {
            Coder::Number { bounds } => bounds.code(threshold),
            Coder::Text { .. } => 0,
        };
        let mut forest = Forest::default();
        for (at, tree) in model.trees.iter().enumerate() {
            forest.add(tree, at % model.outputs(), place, code);
        }
        let contributions =
            model.header.contributions.then(|| Contributions::new(&model, &places, code)).transpose()?;
        let mut fields = own_fields(&model);
        fields.extend(contributions.iter().flat_map(Contributions::fields));
        let (classes, initial) = (model.header.classes, model.header.initial);
        Ok(Self { classes, initial, forest, used, contributions, output: Schema::new(fields) })
    }

    pub fn output(&self) -> &Schema {
        &self.output
    }

    /// Errors: `internal` for a batch that does not fit its schema.
    pub fn predict(&self, input: &Batch) -> Result<Batch> {
        let (rows, width) = (input.num_rows, self.used.len());
        let mut codes = vec![0; rows * width];
        for (place, (column, coder)) in self.used.iter().enumerate() {
            coder.each_code(&input.columns[*column], |row, code| codes[row * width + place] = code)?;
        }
        let mut scores: Vec<Vec<f64>> = self.initial.iter().map(|&score| vec![score; rows]).collect();
        for start in (0..rows).step_by(BLOCK) {
            let end = rows.min(start + BLOCK);
            self.forest.add_scores(&codes[start * width..end * width], width, start..end, &mut scores);
        }
        let mut columns = match self.classes.len() {
            0 => vec![Column::from_f64_slice(&scores[0])],
            2 => self.of_two(&scores[0]),
            _ => self.of_many(scores),
        };
        if let Some(contributions) = &self.contributions {
            columns.extend(contributions.of(&codes, width, rows));
        }
        Ok(Batch { num_rows: rows, columns })
    }

    fn of_two(&self, scores: &[f64]) -> Vec<Column> {
        let second: Vec<f64> = scores.iter().map(|&score| sigmoid(score)).collect();
        let first: Vec<f64> = scores.iter().map(|&score| sigmoid(-score)).collect();
        let prediction = self.prediction(scores.iter().map(|&score| usize::from(score > 0.0)));
        vec![prediction, Column::from_f64_slice(&first), Column::from_f64_slice(&second)]
    }

    /// Turns each class's scores into probabilities, in place.
    fn of_many(&self, mut scores: Vec<Vec<f64>>) -> Vec<Column> {
        let mut best = Vec::with_capacity(scores[0].len());
        for row in 0..scores[0].len() {
            // Of equals the first.
            let most =
                (1..scores.len()).fold(0, |best, next| if scores[next][row] > scores[best][row] { next } else { best });
            best.push(most);
            let most = scores[most][row];
            let mut sum = 0.0;
            for scores in &mut scores {
                scores[row] = (scores[row] - most).exp();
                sum += scores[row];
            }
            scores.iter_mut().for_each(|scores| scores[row] /= sum);
        }
        let probabilities = scores.iter().map(|scores| Column::from_f64_slice(scores));
        std::iter::once(self.prediction(best.into_iter())).chain(probabilities).collect()
    }

    fn prediction(&self, classes: impl Iterator<Item = usize>) -> Column {
        let mut prediction = ColumnBuilder::new(DataType::Categorical);
        classes.for_each(|class| prediction.push_text(&self.classes[class]));
        prediction.finish()
    }
}

fn columns(model: &Model, input: &Schema) -> Result<Vec<usize>> {
    let mut problems = Vec::new();
    let mut columns = Vec::with_capacity(model.header.features.len());
    for feature in &model.header.features {
        let name = &feature.name;
        let Some(index) = input.index_of(name) else {
            problems.push(format!("`{name}` is missing"));
            continue;
        };
        let data_type = input.fields[index].data_type;
        let (fits, was) = match feature.categories {
            Some(_) => (data_type.is_text(), "text"),
            None => (is_number_type(data_type), "a number"),
        };
        if fits {
            columns.push(index);
        } else {
            problems.push(format!("`{name}` is `{}` and was {was}", data_type.name()));
        }
    }
    if problems.is_empty() {
        return Ok(columns);
    }
    let hint = "hint: give the columns that the model was trained on, through the same transforms; the rows have";
    let message = format!("columns do not fit the model: {}", problems.join(", "));
    Err(Error::invalid_input(format!("{message}\n{hint} {}", input.names_for_message())).at("table"))
}

fn coder(model: &Model, feature: usize) -> Result<Coder> {
    let known = &model.header.features[feature];
    if let Some(categories) = &known.categories {
        return Ok(Coder::text(categories.clone()));
    }
    let thresholds = model.thresholds(feature);
    if thresholds.iter().filter(|threshold| threshold.is_finite()).count() > MOST_THRESHOLDS {
        let message = format!("feature `{}` has more than {MOST_THRESHOLDS} thresholds", known.name);
        return Err(Error::invalid_input(message).at("model"));
    }
    Ok(Coder::number(thresholds))
}

fn own_fields(model: &Model) -> Vec<Field> {
    let classes = &model.header.classes;
    let prediction = if classes.is_empty() { DataType::F64 } else { DataType::Categorical };
    let probability = |class: &String| Field::new(format!("probability.{class}"), DataType::F64, false);
    std::iter::once(Field::new("prediction", prediction, false)).chain(classes.iter().map(probability)).collect()
}
