//! What the model's predictions depend on: how much worse they get when a column is shuffled, so that its values no
//! longer belong to their rows.
//!
//! Source: L. Breiman, "Random Forests" (2001), section 10; measured as scikit-learn's `permutation_importance` does,
//! for the columns as they came, before any transform.

use wasmlops_sdk::prelude::*;
use wasmlops_sdk::{BATCH_ROWS, models};
use wasmlops_statistics::evaluation::{Predictions, Reader};
use wasmlops_statistics::text::{counted, number, percent};

use crate::config::{Config, Importance, Metric};
use crate::judged::{Judged, Scorer};
use crate::random::Random;

/// What one column is worth.
#[derive(Clone, PartialEq, Debug)]
pub struct Worth {
    pub column: String,
    pub mean: f64,
    /// Of the repeats, as numpy's default (`ddof=0`).
    pub deviation: f64,
    /// Of what all columns are worth, those that are worth less than nothing left out.
    pub share: f64,
}

/// Rows that the model is asked about again.
struct Asked<'a> {
    evaluation: &'a Evaluation,
    reader: Reader,
    /// Up to [`BATCH_ROWS`] rows each.
    batches: Vec<Vec<Column>>,
}

/// One check for each column, and two for what must not change.
pub fn checks(config: &Config, options: &Importance, judged: &Judged, evaluation: &Evaluation) -> Result<Vec<Check>> {
    let rows = sample(options, judged.len());
    let metric = options.metric.unwrap_or(match (judged.of_numbers(), judged.with_probabilities()) {
        (true, _) => Metric::R2,
        (false, true) => Metric::Auc,
        (false, false) => Metric::Accuracy,
    });
    let mut scorer = judged.scorer(metric, &rows)?;
    let mut asked = Asked { evaluation, reader: judged.reader.clone(), batches: batches(&evaluation.features, &rows)? };
    let again = asked.answers(None)?;
    let mut checks = vec![same(&again, &judged.predictions.select(&rows))];
    let Some(baseline) = scorer.score(again.clone()) else {
        log::warn(format!("no importance: `{}` has no value for {}", metric.name(), counted(rows.len() as u64, "row")));
        checks.extend(config.max_importance_share.map(|limit| undefined(metric, limit)));
        return Ok(checks);
    };
    if let Some(target) = evaluation.features.schema().index_of(&judged.target) {
        let values = evaluation.features.column(target)?;
        let shuffled = asked.shuffled((target, &values), &rows, &mut Random::new(options.seed))?;
        checks.push(unread(&judged.target, shuffled == again));
    }
    let columns = columns(options, evaluation.features.schema(), &judged.target)?;
    let mut worths = Vec::with_capacity(columns.len());
    for (done, &column) in columns.iter().enumerate() {
        let name = &evaluation.features.schema().fields[column].name;
        progress::update(done as u64, Some(columns.len() as u64), &format!("importance of {name}"));
        let losses = losses(options, (metric, &mut scorer, baseline), &mut asked, (column, &rows))?;
        worths.push(worth(name, &losses));
    }
    let all: f64 = worths.iter().map(|worth| worth.mean.max(0.0)).sum();
    worths.iter_mut().filter(|_| all > 0.0).for_each(|worth| worth.share = worth.mean.max(0.0) / all);
    // Stable: of equal ones the first column.
    worths.sort_by(|one, other| other.mean.total_cmp(&one.mean));
    metrics::emit("importance_baseline", baseline)?;
    if let Some(first) = worths.first() {
        metrics::emit("importance_share_max", first.share)?;
    }
    checks.extend(worths.iter().map(|worth| check(worth, metric, config.max_importance_share)));
    Ok(checks)
}

/// How much worse the model is at each shuffle of a column. The same shuffles for each column, so that what one is
/// worth does not depend on which others are looked at.
fn losses(
    options: &Importance,
    (metric, scorer, baseline): (Metric, &mut Scorer, f64),
    asked: &mut Asked<'_>,
    (column, rows): (usize, &[usize]),
) -> Result<Vec<f64>> {
    let mut random = Random::new(options.seed);
    let values = asked.evaluation.features.column(column)?;
    let mut losses = Vec::with_capacity(options.repeats as usize);
    for _ in 0..options.repeats {
        let score = scorer.score(asked.shuffled((column, &values), rows, &mut random)?).unwrap_or(f64::NAN);
        losses.push(if metric.higher_is_better() { baseline - score } else { score - baseline });
    }
    Ok(losses)
}

/// The rows that are asked about, in their order.
fn sample(options: &Importance, rows: usize) -> Vec<usize> {
    if rows <= options.max_rows {
        return (0..rows).collect();
    }
    let mut chosen = Random::new(options.seed).permutation(rows);
    chosen.truncate(options.max_rows);
    chosen.sort_unstable();
    chosen
}

/// These rows, whole, in batches that cross fast.
fn batches(features: &Table, rows: &[usize]) -> Result<Vec<Vec<Column>>> {
    let schema = features.schema();
    let all: Vec<usize> = (0..schema.fields.len()).collect();
    let new = || schema.fields.iter().map(|field| ColumnBuilder::new(field.data_type)).collect::<Vec<_>>();
    let finish = |builders: Vec<ColumnBuilder>| builders.into_iter().map(ColumnBuilder::finish).collect();
    let (mut batches, mut builders, mut first) = (Vec::new(), new(), 0);
    let mut wanted = rows.iter().copied().peekable();
    for batch in features.batches(&all) {
        let batch = batch?;
        while let Some(row) = wanted.next_if(|row| *row < first + batch.num_rows) {
            builders
                .iter_mut()
                .zip(&batch.columns)
                .for_each(|(builder, column)| builder.push_from(column, row - first));
            if builders.first().is_some_and(|builder| builder.len() == BATCH_ROWS) {
                batches.push(finish(std::mem::replace(&mut builders, new())));
            }
        }
        first += batch.num_rows;
    }
    if builders.first().is_some_and(|builder| !builder.is_empty()) {
        batches.push(finish(builders));
    }
    Ok(batches)
}

fn columns(options: &Importance, schema: &Schema, target: &str) -> Result<Vec<usize>> {
    let mut columns = Vec::new();
    match &options.columns {
        Some(names) => {
            for (place, name) in names.iter().enumerate() {
                columns.push(schema.require(name, &format!("importance.columns.{place}"))?);
            }
        }
        None => columns.extend((0..schema.fields.len()).filter(|&index| schema.fields[index].name != target)),
    }
    for (place, name) in options.exclude.iter().enumerate() {
        let excluded = schema.require(name, &format!("importance.exclude.{place}"))?;
        columns.retain(|&column| column != excluded);
    }
    Ok(columns)
}

impl Asked<'_> {
    /// What the model says when a column's values are dealt out anew.
    fn shuffled(
        &mut self,
        (column, values): (usize, &Column),
        rows: &[usize],
        random: &mut Random,
    ) -> Result<Predictions> {
        let order: Vec<usize> = random.permutation(rows.len()).into_iter().map(|place| rows[place]).collect();
        self.answers(Some((column, values, &order)))
    }

    /// What the model says, with perhaps one column in another order: the column's index, its values and for each row
    /// the one that it gets.
    fn answers(&mut self, other: Option<(usize, &Column, &[usize])>) -> Result<Predictions> {
        let mut all: Option<Predictions> = None;
        let mut first = 0;
        for batch in &self.batches {
            let mut columns = batch.clone();
            let rows = columns.first().map_or(0, Column::len);
            if let Some((column, values, order)) = other {
                columns[column] = values.take(&order[first..first + rows]);
            }
            first += rows;
            let said = models::predict(self.evaluation, Batch::new(columns))?;
            let said = self.reader.read(&said.columns)?;
            match &mut all {
                Some(all) => all.append(said),
                None => all = Some(said),
            }
        }
        all.ok_or_else(|| Error::internal("there are rows, and so a batch of them"))
    }
}

fn worth(column: &str, losses: &[f64]) -> Worth {
    let mean = losses.iter().sum::<f64>() / losses.len() as f64;
    let variance = losses.iter().map(|loss| (loss - mean).powi(2)).sum::<f64>() / losses.len() as f64;
    Worth { column: column.to_owned(), mean, deviation: variance.sqrt(), share: 0.0 }
}

fn check(worth: &Worth, metric: Metric, limit: Option<f64>) -> Check {
    let Worth { column, mean, deviation, share } = worth;
    let passed = limit.is_none_or(|limit| *share <= limit);
    let suspicion = if passed { "" } else { ": a suspected leak" };
    let message = format!(
        "`{}` is worse by {} (± {}) when `{column}` is shuffled, {} of what all columns are worth{suspicion}",
        metric.name(),
        number(*mean),
        number(*deviation),
        percent(*share)
    );
    Check {
        name: "importance".to_owned(),
        passed,
        column: Some(column.clone()),
        observed: Some(*mean).filter(|mean| mean.is_finite()),
        expected: limit.map_or_else(|| "reported".to_owned(), |limit| format!("<= {} of all", percent(limit))),
        message,
        ..Check::default()
    }
}

/// Asked about the same rows once more, a model has to say the same.
fn same(again: &Predictions, before: &Predictions) -> Check {
    let passed = again == before;
    let message = match passed {
        true => "the model says the same of the same rows",
        false => "the model says something else of the same rows: its predictions depend on more than the row",
    };
    Check {
        name: "same_predictions".to_owned(),
        passed,
        expected: "the same predictions".to_owned(),
        message: message.to_owned(),
        ..Check::default()
    }
}

/// What the model predicts must not be what it reads.
fn unread(target: &str, passed: bool) -> Check {
    let message = match passed {
        true => format!("the model does not read `{target}`, which it predicts"),
        false => format!("the model reads `{target}`, which it predicts: it will not be there in use"),
    };
    Check {
        name: "target_unread".to_owned(),
        passed,
        column: Some(target.to_owned()),
        expected: "not read".to_owned(),
        message,
        ..Check::default()
    }
}

fn undefined(metric: Metric, limit: f64) -> Check {
    Check {
        name: "importance".to_owned(),
        passed: false,
        expected: format!("<= {} of all", percent(limit)),
        message: format!("`{}` has no value for these rows, so no column's importance has one", metric.name()),
        ..Check::default()
    }
}
