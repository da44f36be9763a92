//! Where the model is worst: slices by one and by two columns, held against the rest of the rows.
//!
//! Source: Y. Chung, T. Kraska, N. Polyzotis, K. Tae, S. Whang, "Slice Finder: Automated Data Slicing for Model
//! Validation" (2019): effect size, one-sided test, control of false discoveries. Here every slice is tested, and
//! Benjamini and Hochberg's procedure stands for alpha investing, which depends on an order of the tests.

use wasmlops_statistics::counts;
use wasmlops_statistics::means::{Moments, benjamini_hochberg, welch_above};
use wasmlops_statistics::text::{counted, number};

use crate::cells::{Cells, NONE};
use crate::config::{Cost, Slices};

/// A slice and what it costs.
#[derive(Clone, PartialEq, Debug)]
pub struct Slice {
    /// Indexes of columns and of their values; one or two.
    parts: Vec<(usize, u16)>,
    pub name: String,
    /// The column of a slice by one.
    pub column: Option<String>,
    pub rows: u64,
    pub mean: f64,
    pub rest: f64,
    /// √2 (mean − rest) / √(variance + variance of the rest); infinite where neither varies.
    pub effect: f64,
    p_value: f64,
    /// Adjusted for how many slices were tested.
    pub q_value: f64,
}

impl Slice {
    pub fn gap(&self) -> f64 {
        self.mean - self.rest
    }

    pub fn message(&self, loss: Cost) -> String {
        format!(
            "`{}` is {} in {}, and {} in the others (effect {}, q {})",
            loss.name(),
            number(self.mean),
            counted(self.rows, "row"),
            number(self.rest),
            number(self.effect),
            number(self.q_value)
        )
    }
}

/// The slices that are worse than the rest beyond chance, the greatest effect first. A slice by two columns stands
/// there only where it is worse than each of the two slices that it is the common part of.
pub fn find(options: &Slices, loss: Cost, losses: &[f64], columns: &[Cells]) -> Vec<Slice> {
    let mut all = Moments::default();
    losses.iter().for_each(|&loss| all.add(loss));
    let tester = Tester { all, loss, min_rows: options.min_rows };
    let singles: Vec<Vec<Moments>> = columns.iter().map(|cells| sums(cells, losses)).collect();
    let mut tested = Vec::new();
    for (index, cells) in columns.iter().enumerate() {
        for (value, &moments) in singles[index].iter().enumerate() {
            let name = format!("{}={}", cells.column, cells.values[value]);
            tested.extend(tester.test(vec![(index, value as u16)], moments, || (name, Some(cells.column.clone()))));
        }
    }
    if options.depth > 1 {
        for one in 0..columns.len() {
            for other in one + 1..columns.len() {
                pairs(&tester, columns, (one, other), losses, &singles, &mut tested);
            }
        }
    }
    let adjusted = benjamini_hochberg(&tested.iter().map(|slice| slice.p_value).collect::<Vec<_>>());
    tested.iter_mut().zip(adjusted).for_each(|(slice, q)| slice.q_value = q);
    let worse_than_parents = |slice: &Slice| {
        slice.parts.len() == 1
            || slice.parts.iter().all(|&(column, value)| singles[column][value as usize].mean() < slice.mean)
    };
    tested.retain(|slice| slice.q_value <= options.significance && slice.gap() > 0.0 && worse_than_parents(slice));
    tested.sort_by(|one, other| {
        other.effect.total_cmp(&one.effect).then(other.rows.cmp(&one.rows)).then_with(|| one.parts.cmp(&other.parts))
    });
    tested
}

fn sums(cells: &Cells, losses: &[f64]) -> Vec<Moments> {
    let mut sums = vec![Moments::default(); cells.values.len()];
    for (&value, &loss) in cells.of_row.iter().zip(losses).filter(|(value, _)| **value != NONE) {
        sums[value as usize].add(loss);
    }
    sums
}

fn pairs(
    tester: &Tester,
    columns: &[Cells],
    (one, other): (usize, usize),
    losses: &[f64],
    singles: &[Vec<Moments>],
    tested: &mut Vec<Slice>,
) {
    let (rows, across) = (&columns[one], &columns[other]);
    let width = across.values.len();
    let mut sums = vec![Moments::default(); rows.values.len() * width];
    for ((&a, &b), &loss) in rows.of_row.iter().zip(&across.of_row).zip(losses) {
        if a != NONE && b != NONE {
            sums[a as usize * width + b as usize].add(loss);
        }
    }
    for (place, &moments) in sums.iter().enumerate() {
        let (a, b) = (place / width, place % width);
        // The same rows as one of the two alone are no new slice.
        if moments.count == singles[one][a].count || moments.count == singles[other][b].count {
            continue;
        }
        let name = || {
            let name = format!("{}={}, {}={}", rows.column, rows.values[a], across.column, across.values[b]);
            (name, None)
        };
        tested.extend(tester.test(vec![(one, a as u16), (other, b as u16)], moments, name));
    }
}

struct Tester {
    all: Moments,
    loss: Cost,
    min_rows: u64,
}

impl Tester {
    /// `None` for too few rows in the slice or outside of it.
    fn test(
        &self,
        parts: Vec<(usize, u16)>,
        slice: Moments,
        name: impl FnOnce() -> (String, Option<String>),
    ) -> Option<Slice> {
        let rest = self.all.without(slice);
        if slice.count < self.min_rows || rest.count < 2 {
            return None;
        }
        let gap = slice.mean() - rest.mean();
        let p_value = match self.loss {
            Cost::Error => {
                let test = counts::proportions(rest.sum as u64, rest.count, slice.sum as u64, slice.count);
                if test.effect > 0.0 { test.p_value / 2.0 } else { 1.0 - test.p_value / 2.0 }
            }
            _ => welch_above(slice, rest),
        };
        let spread = (slice.variance() + rest.variance()).sqrt();
        let effect = if gap == 0.0 { 0.0 } else { std::f64::consts::SQRT_2 * gap / spread };
        let (name, column) = name();
        Some(Slice {
            parts,
            name,
            column,
            rows: slice.count,
            mean: slice.mean(),
            rest: rest.mean(),
            effect,
            p_value,
            q_value: 1.0,
        })
    }
}
