//! Copies of requests for a release that is not to answer yet, and how its answers compare with the live ones.

use std::sync::atomic::Ordering;
use std::sync::{Arc, Mutex, PoisonError};

use tokio::sync::{mpsc, watch};
use tokio::time::Instant;
use wasmlops_core::table::{Batch, Column, DataType, Schema};

use super::loaded::Loaded;
use super::routes::Shared;
use super::stopped;

/// Copies that may wait. One more is dropped and counted: a shadow must not slow down what it shadows.
pub(super) const QUEUE: usize = 256;

/// A request to ask again, with the answer it got.
pub(super) struct Mirrored {
    shadow: Arc<Loaded>,
    rows: Batch,
    schema: Arc<Schema>,
    answer: Batch,
    output: Arc<Schema>,
}

impl Shared {
    /// Asks for a copy; does not wait.
    pub(super) fn mirror(
        &self,
        shadow: &Arc<Loaded>,
        live: &Loaded,
        (rows, schema): (&Batch, &Arc<Schema>),
        answer: &Batch,
    ) {
        match self.mirror.try_reserve() {
            Ok(place) => place.send(Mirrored {
                shadow: shadow.clone(),
                rows: rows.clone(),
                schema: schema.clone(),
                answer: answer.clone(),
                output: live.output.clone(),
            }),
            Err(_) => {
                self.mirror_dropped.fetch_add(1, Ordering::Relaxed);
            }
        }
    }
}

/// Asks the shadow, one copy after the other.
pub(super) struct Mirror {
    shared: Arc<Shared>,
    copies: mpsc::Receiver<Mirrored>,
}

impl Mirror {
    pub fn new(shared: Arc<Shared>, copies: mpsc::Receiver<Mirrored>) -> Self {
        Self { shared, copies }
    }

    pub async fn run(mut self, mut stop: watch::Receiver<bool>) {
        loop {
            tokio::select! {
                copy = self.copies.recv() => match copy {
                    Some(copy) => self.ask(copy).await,
                    None => break,
                },
                () = stopped(&mut stop) => break,
            }
        }
    }

    async fn ask(&self, copy: Mirrored) {
        let Mirrored { shadow, rows, schema, answer, output } = copy;
        if shadow.is_suspended() {
            return;
        }
        let deadline = Instant::now() + self.shared.config.deadline;
        if let Ok(shadowed) = shadow.ask(&self.shared, rows, &schema, deadline).await {
            shadow.compared.add(compare((&output, &answer), (&shadow.output, &shadowed)));
        }
    }
}

/// How the answers of a shadow compare so far.
#[derive(Default)]
pub(super) struct Compared(Mutex<Difference>);

#[derive(Clone, Copy, PartialEq, Debug, Default)]
pub(super) struct Difference {
    pub rows: u64,
    /// Rows whose `prediction` is the same.
    pub equal: u64,
    /// The largest difference between two numbers in columns of the same name.
    pub largest: f64,
}

impl Compared {
    fn add(&self, more: Difference) {
        let mut all = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        all.rows += more.rows;
        all.equal += more.equal;
        all.largest = all.largest.max(more.largest);
    }

    pub fn so_far(&self) -> Difference {
        *self.0.lock().unwrap_or_else(PoisonError::into_inner)
    }
}

/// Compares answers to the same rows, column by column as their names say. The first column stands in for `prediction`
/// where there is none of that name.
fn compare((left_schema, left): (&Schema, &Batch), (right_schema, right): (&Schema, &Batch)) -> Difference {
    let rows = left.num_rows.min(right.num_rows);
    let prediction = left_schema.index_of("prediction").unwrap_or(0);
    let mut difference = Difference { rows, ..Difference::default() };
    for (index, field) in left_schema.fields.iter().enumerate() {
        let Some(other) = right_schema.index_of(&field.name) else { continue };
        let (Some(one), Some(two)) = (left.columns.get(index), right.columns.get(other)) else { continue };
        let other_type = right_schema.fields[other].data_type;
        for row in 0..rows as usize {
            let (one, two) = (cell(one, field.data_type, row), cell(two, other_type, row));
            difference.equal += u64::from(index == prediction && one == two);
            if let (Cell::Number(one), Cell::Number(two)) = (one, two) {
                difference.largest = difference.largest.max((one - two).abs());
            }
        }
    }
    difference
}

/// A value as far as it can be compared.
#[derive(PartialEq, Debug)]
enum Cell<'c> {
    Null,
    Number(f64),
    Bytes(&'c [u8]),
}

fn cell(column: &Column, data_type: DataType, row: usize) -> Cell<'_> {
    let bit = |bits: &[u8]| bits.get(row / 8).is_some_and(|byte| byte >> (row % 8) & 1 == 1);
    if column.validity.as_deref().is_some_and(|validity| !bit(validity)) {
        return Cell::Null;
    }
    let found = match data_type {
        DataType::Bool => Some(Cell::Number(f64::from(u8::from(bit(&column.values))))),
        DataType::F64 => fixed(&column.values, row).map(|bytes| Cell::Number(f64::from_le_bytes(bytes))),
        DataType::F32 => fixed(&column.values, row).map(|bytes| Cell::Number(f64::from(f32::from_le_bytes(bytes)))),
        DataType::S64 | DataType::Timestamp => {
            fixed(&column.values, row).map(|bytes| Cell::Number(i64::from_le_bytes(bytes) as f64))
        }
        DataType::Utf8 | DataType::Binary => {
            column.offsets.as_deref().and_then(|offsets| text(offsets, &column.values, row)).map(Cell::Bytes)
        }
        DataType::Categorical => column.dictionary.as_ref().and_then(|dictionary| {
            let code = usize::try_from(i32::from_le_bytes(fixed(&column.values, row)?)).ok()?;
            text(&dictionary.offsets, &dictionary.values, code).map(Cell::Bytes)
        }),
    };
    found.unwrap_or(Cell::Null)
}

fn fixed<const WIDTH: usize>(values: &[u8], row: usize) -> Option<[u8; WIDTH]> {
    values.get(row * WIDTH..)?.first_chunk().copied()
}

fn text<'v>(offsets: &[u8], values: &'v [u8], row: usize) -> Option<&'v [u8]> {
    let offset = |row| usize::try_from(i32::from_le_bytes(fixed(offsets, row)?)).ok();
    values.get(offset(row)?..offset(row + 1)?)
}

#[cfg(test)]
mod tests {
    use wasmlops_core::table::{Dictionary, Field};

    use super::*;

    fn answer(classes: [&str; 2], codes: [i32; 2], probabilities: [f64; 2]) -> Batch {
        let ends = [0, classes[0].len() as i32, (classes[0].len() + classes[1].len()) as i32];
        let dictionary = Dictionary {
            offsets: ends.iter().flat_map(|end| end.to_le_bytes()).collect(),
            values: classes.concat().into_bytes(),
        };
        let values = codes.iter().flat_map(|code| code.to_le_bytes()).collect();
        let prediction = Column { values, dictionary: Some(dictionary), ..Column::default() };
        let values = probabilities.iter().flat_map(|value| value.to_le_bytes()).collect();
        Batch { num_rows: 2, columns: vec![prediction, Column { values, ..Column::default() }] }
    }

    #[test]
    fn texts_count_and_not_their_codes() {
        let field = |name: &str, data_type| Field { name: name.into(), data_type, nullable: false };
        let fields = vec![field("prediction", DataType::Categorical), field("probability.b", DataType::F64)];
        let schema = Schema::new(fields).unwrap();
        let left = answer(["a", "bb"], [0, 1], [0.25, 0.75]);
        let right = answer(["bb", "a"], [1, 1], [0.25, 0.5]);
        let difference = compare((&schema, &left), (&schema, &right));
        assert_eq!(difference, Difference { rows: 2, equal: 1, largest: 0.25 });
    }
}
