//! Second derivatives, and when they are worth their price. Both objectives sum `curvature · x xᵀ` over rows, where x
//! is a row's features and a 1 for the intercept.

use super::Scaled;
use crate::kernels::solve_cholesky;
use crate::panels::{Panel, ROWS};

/// Up to so many features, two classes are always fitted by Newton's method: a Hessian costs about a quarter of that
/// many gradients, and half a dozen of them reach what takes L-BFGS some dozens of gradients.
const ALWAYS_COLUMNS: usize = 64;

/// Else while a Hessian takes at most so many products, some tens of milliseconds: then the exact minimum costs nothing
/// that anyone would notice.
const MOST_PRODUCTS: usize = 50_000_000;

/// The lower triangle of the Hessian, row after row: one block for each pair of rows of coefficients.
pub struct Hessian<'a> {
    scaled: &'a Scaled,
    size: usize,
    values: Vec<f64>,
}

impl<'a> Hessian<'a> {
    /// Zeros, for `classes` rows of coefficients; `None` where L-BFGS is the better choice.
    pub fn new(scaled: &'a Scaled, classes: usize) -> Option<Self> {
        let size = classes * scaled.width();
        let products = (scaled.panels.padded_rows() + size / 3).saturating_mul(size * size / 2);
        let worth = products <= MOST_PRODUCTS || (classes == 1 && scaled.columns() <= ALWAYS_COLUMNS);
        worth.then(|| Self { scaled, size, values: vec![0.0; size * size] })
    }

    /// Adds a panel's rows to the block of the rows of coefficients `a` and `b`, where `b` is not after `a`.
    pub fn add(&mut self, panel: &Panel, curvatures: &[f64; ROWS], (a, b): (usize, usize)) {
        let (columns, width) = (self.scaled.columns(), self.scaled.width());
        for row in 0..width {
            let mut factors = *curvatures;
            if row < columns {
                factors.iter_mut().zip(panel.column(row)).for_each(|(factor, value)| *factor *= value);
            }
            let start = (a * width + row) * self.size + b * width;
            let block = &mut self.values[start..start + width];
            let wanted = if a == b { columns.min(row + 1) } else { columns };
            panel.add_products(&factors, &mut block[..wanted]);
            if self.scaled.fit_intercept && (a != b || row == columns) {
                block[columns] += factors.iter().sum::<f64>();
            }
        }
    }

    /// Newton's direction, with the penalty's part of the Hessian. `None` where it is not positive definite.
    pub fn solve(mut self, gradient: &[f64]) -> Option<Vec<f64>> {
        let (columns, width, size) = (self.scaled.columns(), self.scaled.width(), self.size);
        for row in 0..size {
            if row % width < columns {
                self.values[row * size + row] += self.scaled.penalties[row % width];
            } else if size > width {
                // The objective does not change when all intercepts do by the same; neither does the direction when
                // that change is given a price, but the matrix becomes positive definite.
                for other in (columns..=row).step_by(width) {
                    self.values[row * size + other] += width as f64 / size as f64;
                }
            }
        }
        let mut direction: Vec<f64> = gradient.iter().map(|value| -value).collect();
        solve_cholesky(&mut self.values, &mut direction)?;
        Some(direction)
    }
}
