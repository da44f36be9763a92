//! Linear regression by orthogonal transformations, which lose half as many digits as the normal equations. The door is
//! [`solve`].
//!
//! Minimises `Σ weight · (target - coefficients · features)² + alpha · ‖coefficients‖²`. Rows are taken into a triangle
//! panel by panel (QR with Householder's reflections: Golub, Van Loan, "Matrix Computations", 4th edition, 5.2), the
//! penalty as rows of its own. Where features depend linearly on each other, the solution with the smallest norm is
//! taken (complete orthogonal decomposition, ibid. 5.5).

mod triangle;

use crate::kernels::{add_scaled, dot};
use crate::panels::{Panel, Panels, ROWS};

use triangle::Triangle;

/// Coefficients, and how many of the features are independent.
#[derive(Clone, Debug, PartialEq)]
pub struct Solution {
    pub coefficients: Vec<f64>,
    pub rank: usize,
}

/// `target` and `weights` have a value for each row of the panels, `weights` 0 for those that fill up the last panel.
/// `each` is told how many rows were taken in; its error ends the work.
pub fn solve<E>(
    panels: &Panels,
    target: &[f64],
    weights: &[f64],
    alpha: f64,
    mut each: impl FnMut(usize) -> Result<(), E>,
) -> Result<Solution, E> {
    let columns = panels.columns();
    let mut triangle = Triangle::new(columns + 1);
    for panel in panels.iter() {
        each(panel.start)?;
        triangle.absorb(&mut weighted(&panel, columns, target, weights));
    }
    if alpha > 0.0 {
        for first in (0..columns).step_by(ROWS) {
            let mut penalty = vec![0.0; (columns + 1) * ROWS];
            for row in 0..ROWS.min(columns - first) {
                penalty[(first + row) * ROWS + row] = alpha.sqrt();
            }
            triangle.absorb(&mut penalty);
        }
    }
    let rows = panels.rows() + if alpha > 0.0 { columns } else { 0 };
    Ok(smallest(&triangle, columns, rows))
}

/// The panel's columns and the target, each row times the square root of its weight.
fn weighted(panel: &Panel, columns: usize, target: &[f64], weights: &[f64]) -> Vec<f64> {
    let rows = panel.start..panel.start + ROWS;
    let mut roots = [0.0; ROWS];
    roots.iter_mut().zip(&weights[rows.clone()]).for_each(|(root, weight)| *root = weight.sqrt());
    let columns = (0..columns).map(|column| panel.column(column)).chain([&target[rows]]);
    columns.flat_map(|values| values.iter().zip(roots).map(|(value, root)| value * root)).collect()
}

/// Solves the triangle for its last column.
fn smallest(triangle: &Triangle, columns: usize, rows: usize) -> Solution {
    // Columns of equal length, so that dependence does not hang on units.
    let mut norms = vec![0.0; columns];
    for row in 0..columns {
        for (norm, value) in norms.iter_mut().zip(triangle.row(row)) {
            *norm += value * value;
        }
    }
    let norms: Vec<f64> = norms.into_iter().map(|square: f64| if square > 0.0 { square.sqrt() } else { 1.0 }).collect();
    let mut matrix = Columns::new(columns, columns);
    let mut right = vec![0.0; columns];
    for (row, right) in right.iter_mut().enumerate() {
        for (column, norm) in norms.iter().enumerate() {
            matrix.column_mut(column)[row] = triangle.row(row)[column] / norm;
        }
        *right = triangle.row(row)[columns];
    }

    let order = pivoted_qr(&mut matrix, &mut right);
    let pivot = |at: usize| matrix.column(at)[at].abs();
    let least = 10.0 * f64::EPSILON * rows.max(columns) as f64 * pivot(0);
    let rank = (0..columns).take_while(|&at| pivot(at) > least).count();

    let mut coefficients = vec![0.0; columns];
    if rank == columns {
        back_substitute(&matrix, &mut right);
        order.iter().zip(&right).for_each(|(&column, value)| coefficients[column] = value / norms[column]);
    } else if rank > 0 {
        // `wide · coefficients = right` in the features' own units; its rows become the columns of `tall`.
        let mut tall = Columns::new(columns, rank);
        for row in 0..rank {
            for (at, &column) in order.iter().enumerate().skip(row) {
                tall.column_mut(row)[column] = matrix.column(at)[row] * norms[column];
            }
        }
        right.truncate(rank);
        coefficients = smallest_of_wide(tall, right);
    }
    Solution { coefficients, rank }
}

/// The shortest x with `tallᵀ x = right`, where the columns of `tall` are independent: with `tall = Q R`, it is
/// `Q R⁻ᵀ right`.
fn smallest_of_wide(mut tall: Columns, mut right: Vec<f64>) -> Vec<f64> {
    let rank = right.len();
    let reflections: Vec<Vec<f64>> = (0..rank).map(|at| tall.reflect(at)).collect();
    for at in 0..rank {
        let known = dot(&tall.column(at)[..at], &right[..at]);
        right[at] = (right[at] - known) / tall.column(at)[at];
    }
    right.resize(tall.rows, 0.0);
    for (at, reflection) in reflections.iter().enumerate().rev() {
        apply(reflection, &mut right[at..]);
    }
    right
}

/// Reflects the columns in the order of what is left of them, longest first, and `right` along; returns the order.
fn pivoted_qr(matrix: &mut Columns, right: &mut [f64]) -> Vec<usize> {
    let count = matrix.count();
    let mut order: Vec<usize> = (0..count).collect();
    for at in 0..count {
        let rest = |column: usize| dot(&matrix.column(column)[at..], &matrix.column(column)[at..]);
        // Of equals the first, whatever the numbers are.
        let longest = (at + 1..count).fold((at, rest(at)), |best, column| {
            let length = rest(column);
            if length > best.1 { (column, length) } else { best }
        });
        matrix.swap(at, longest.0);
        order.swap(at, longest.0);
        apply(&matrix.reflect(at), &mut right[at..]);
    }
    order
}

/// `right` becomes the x with `matrix · x = right`, for the upper triangle of a square matrix.
fn back_substitute(matrix: &Columns, right: &mut [f64]) {
    for at in (0..right.len()).rev() {
        right[at] /= matrix.column(at)[at];
        let value = right[at];
        add_scaled(&mut right[..at], -value, &matrix.column(at)[..at]);
    }
}

/// `values -= direction · (direction · values)`: a reflection, for a direction of length √2, or nothing, for zeros.
fn apply(direction: &[f64], values: &mut [f64]) {
    let along = dot(direction, values);
    add_scaled(values, -along, direction);
}

/// A small dense matrix, column after column.
struct Columns {
    rows: usize,
    values: Vec<f64>,
}

impl Columns {
    fn new(rows: usize, columns: usize) -> Self {
        Self { rows, values: vec![0.0; rows * columns] }
    }

    fn count(&self) -> usize {
        self.values.len() / self.rows
    }

    fn column(&self, column: usize) -> &[f64] {
        &self.values[column * self.rows..(column + 1) * self.rows]
    }

    fn column_mut(&mut self, column: usize) -> &mut [f64] {
        &mut self.values[column * self.rows..(column + 1) * self.rows]
    }

    fn swap(&mut self, a: usize, b: usize) {
        for row in 0..self.rows {
            self.values.swap(a * self.rows + row, b * self.rows + row);
        }
    }

    /// Makes what is below the diagonal of column `at` 0; returns the reflection, from row `at` on.
    fn reflect(&mut self, at: usize) -> Vec<f64> {
        let mut direction = self.column(at)[at..].to_vec();
        let norm = dot(&direction, &direction).sqrt();
        if norm == 0.0 {
            // Also values whose squares are below what `f64` can hold.
            direction.fill(0.0);
            return direction;
        }
        direction[0] += norm.copysign(direction[0]);
        let length = (0.5 * dot(&direction, &direction)).sqrt();
        direction.iter_mut().for_each(|value| *value /= length);
        for column in at..self.count() {
            apply(&direction, &mut self.column_mut(column)[at..]);
        }
        direction
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn solved(columns: &[&[f64]], target: &[f64], alpha: f64) -> Solution {
        let mut panels = Panels::new(target.len(), columns.len());
        columns.iter().enumerate().for_each(|(column, values)| panels.set(column, 0, values));
        let padded = |values: &[f64]| {
            let mut values = values.to_vec();
            values.resize(panels.padded_rows(), 0.0);
            values
        };
        let weights = padded(&vec![1.0; target.len()]);
        solve(&panels, &padded(target), &weights, alpha, |_| Ok::<(), ()>(())).unwrap()
    }

    fn assert_close(found: &[f64], expected: &[f64]) {
        let far = |(a, b): (&f64, &f64)| (a - b).abs() > 1e-12 * (1.0 + b.abs());
        assert!(found.len() == expected.len() && !found.iter().zip(expected).any(far), "{found:?} {expected:?}");
    }

    #[test]
    fn exact_fit_over_several_panels() {
        let a: Vec<f64> = (0..300).map(|row| f64::from(row % 17)).collect();
        let b: Vec<f64> = (0..300).map(|row| f64::from(row % 5) - 2.0).collect();
        let target: Vec<f64> = a.iter().zip(&b).map(|(a, b)| 2.0 * a - 3.0 * b).collect();
        let solution = solved(&[&a, &b], &target, 0.0);
        assert_eq!(solution.rank, 2);
        assert_close(&solution.coefficients, &[2.0, -3.0]);
    }

    #[test]
    fn ridge_of_one_column() {
        // Σ x y / (Σ x² + alpha) = 14 / (14 + 14)
        assert_close(&solved(&[&[1.0, 2.0, 3.0]], &[1.0, 2.0, 3.0], 14.0).coefficients, &[0.5]);
    }

    #[test]
    fn dependent_columns_share_by_least_norm() {
        let a = [1.0, 2.0, 3.0, 5.0];
        let double = a.map(|value| 2.0 * value);
        let solution = solved(&[&a, &double, &[0.0; 4]], &a.map(|value| 10.0 * value), 0.0);
        assert_eq!(solution.rank, 1);
        assert_close(&solution.coefficients, &[2.0, 4.0, 0.0]);
        let nothing = solved(&[&[0.0; 4]], &a, 0.0);
        assert_eq!(nothing, Solution { coefficients: vec![0.0], rank: 0 });
    }

    #[test]
    fn fewer_rows_than_columns() {
        let solution = solved(&[&[1.0], &[2.0], &[2.0]], &[9.0], 0.0);
        assert_eq!(solution.rank, 1);
        assert_close(&solution.coefficients, &[1.0, 2.0, 2.0]);
    }
}
