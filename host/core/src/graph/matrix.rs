//! Matrices: which cells each step has, and which cell of a producer a reader's cell means.
//!
//! A step's cells are the product of its axes, the first axis slowest. A step without a matrix of its own has the axes
//! of all matrix steps that it reads from, so that it runs once for each of their cells.

use serde_json::{Map, Value};

use crate::config::{Pipeline, Spanned, StepReference, cell_suffix, cell_text, listed};
use crate::diagnostics::{Problems, suggest};
use crate::graph::MAX_STEPS;
use crate::graph::links::Links;

/// The axes of one step; none outside a matrix.
#[derive(Clone, PartialEq, Debug, Default)]
pub(super) struct Axes(Vec<(String, Vec<Value>)>);

/// Why a reader's cell names no cell of a producer: an axis that the reader lacks, or a value that the producer lacks.
pub(super) struct NoCell;

impl Axes {
    pub fn has(&self, name: &str) -> bool {
        self.0.iter().any(|(axis, _)| axis == name)
    }

    pub fn names(&self) -> impl Iterator<Item = &str> {
        self.0.iter().map(|(name, _)| name.as_str())
    }

    /// How many cells; at least one. `None` where no number can say.
    pub fn count(&self) -> Option<usize> {
        self.0.iter().try_fold(1usize, |count, (_, values)| count.checked_mul(values.len()))
    }

    /// All cells, in their stable order: one empty cell outside a matrix.
    pub fn cells(&self) -> Vec<Map<String, Value>> {
        let mut cells = vec![Map::new()];
        for (name, values) in &self.0 {
            let extended = cells.iter().flat_map(|cell: &Map<String, Value>| {
                values.iter().map(|value| {
                    let mut cell = cell.clone();
                    cell.insert(name.clone(), value.clone());
                    cell
                })
            });
            cells = extended.collect();
        }
        cells
    }

    /// The number of the cell that has the reader's values.
    pub fn cell_for(&self, reader: &Map<String, Value>) -> Result<usize, NoCell> {
        self.0.iter().try_fold(0, |number, (name, values)| {
            let value = reader.get(name).ok_or(NoCell)?;
            let position = values.iter().position(|known| known == value).ok_or(NoCell)?;
            Ok(number * values.len() + position)
        })
    }

    /// The number of the cell that a reference spells out.
    fn cell_named(&self, pairs: &[(String, String)]) -> Option<usize> {
        if pairs.len() != self.0.len() {
            return None;
        }
        self.0.iter().try_fold(0, |number, (name, values)| {
            let (_, wanted) = pairs.iter().find(|(axis, _)| axis == name)?;
            let position = values.iter().position(|value| cell_text(value) == *wanted)?;
            Some(number * values.len() + position)
        })
    }
}

/// The axes of every step. `order` has producers before readers. Reports too many steps and axes that do not fit each
/// other; then there is no result.
pub(super) fn axes(
    pipeline: &Pipeline,
    links: &[Links],
    order: &[usize],
    problems: &mut Problems<'_>,
) -> Option<Vec<Axes>> {
    let mut all = vec![Axes::default(); pipeline.steps.len()];
    let before = problems.found.len();
    let mut total = 0usize;
    for &at in order {
        let step = &pipeline.steps[at];
        all[at] = if step.matrix.is_empty() {
            inherited(pipeline, at, &links[at], &all, problems)
        } else {
            Axes(step.matrix.iter().map(|axis| (axis.name.value.clone(), axis.values.clone())).collect())
        };
        total = total.saturating_add(all[at].count().unwrap_or(usize::MAX));
        if total > MAX_STEPS {
            let message = format!("pipeline has more than {MAX_STEPS} steps with its matrices");
            let hint = "use fewer values, or split the work into several runs";
            problems.add_with_hint("too-many-steps", step.name.span, message, hint);
            break;
        }
    }
    (problems.found.len() == before).then_some(all)
}

/// The axes of the matrix steps that a step reads from without naming a cell.
fn inherited(pipeline: &Pipeline, at: usize, links: &Links, all: &[Axes], problems: &mut Problems<'_>) -> Axes {
    let mut axes = Axes::default();
    for (input, link) in pipeline.steps[at].inputs.iter().zip(&links.inputs) {
        let Some(link) = link.as_ref().filter(|_| input.from.value.step.cell.is_none()) else { continue };
        for (name, values) in &all[link.step].0 {
            match axes.0.iter().find(|(known, _)| known == name) {
                None => axes.0.push((name.clone(), values.clone())),
                Some((_, known)) if known == values => {}
                Some(_) => {
                    let step = &pipeline.steps[at].name.value;
                    let message = format!("step `{step}` reads from matrices that give `{name}` different values");
                    let hint = format!(
                        "use the same values, or name one cell, such as `{}[{name}=...]`",
                        input.from.value.step
                    );
                    problems.add_with_hint("matrix-mismatch", input.from.span, message, hint);
                }
            }
        }
    }
    axes
}

/// The number of the cell that a reference means for a reader's cell. Reports what names none.
pub(super) fn pick(
    reference: &Spanned<StepReference>,
    producer: &Axes,
    reader: &Map<String, Value>,
    problems: &mut Problems<'_>,
) -> Option<usize> {
    let name = &reference.value.step;
    let suffix = |cell: &Map<String, Value>| format!("{name}{}", cell_suffix(cell));
    match &reference.value.cell {
        None => producer.cell_for(reader).ok().or_else(|| {
            let message = format!("step `{name}` has a matrix, and this does not say which of its cells is meant");
            let first = producer.0.iter().filter_map(|(name, values)| Some((name.clone(), values.first()?.clone())));
            let hint = format!("name one, such as `{}`, or give this step the same matrix", suffix(&first.collect()));
            problems.add_with_hint("matrix-mismatch", reference.span, message, hint);
            None
        }),
        Some(_) if producer.names().next().is_none() => {
            let message = format!("step `{name}` has no matrix, so it has no cell to name");
            problems.add_with_hint("unknown-cell", reference.span, message, format!("write `{name}`"));
            None
        }
        Some(pairs) => producer.cell_named(pairs).or_else(|| {
            let keys: Vec<_> = if problems.crowded() { vec![] } else { producer.cells().iter().map(suffix).collect() };
            let names = || keys.iter().map(String::as_str);
            let hint = match suggest(&reference.value.to_string(), names()) {
                Some(near) => format!("did you mean `{near}`?"),
                None => format!("cells are {}", listed(names())),
            };
            let message = format!("step `{name}` has no cell `{}`", reference.value);
            problems.add_with_hint("unknown-cell", reference.span, message, hint);
            None
        }),
    }
}
