//! The upper triangle to which rows are reduced: `triangleᵀ · triangle` is the sum of `rowᵀ · row` of all that it took
//! in.

use crate::kernels::{add_scaled, dot};
use crate::panels::ROWS;

/// Row after row.
pub struct Triangle {
    size: usize,
    values: Vec<f64>,
}

impl Triangle {
    pub fn new(size: usize) -> Self {
        Self { size, values: vec![0.0; size * size] }
    }

    /// Zeros up to the diagonal.
    pub fn row(&self, row: usize) -> &[f64] {
        &self.values[row * self.size..(row + 1) * self.size]
    }

    /// Takes in [`ROWS`] rows, column after column, which become 0. Column by column, a reflection moves what is in the
    /// rows into the triangle's diagonal; of the triangle it touches one row, since all others have a 0 there.
    pub fn absorb(&mut self, rows: &mut [f64]) {
        for at in 0..self.size {
            let (done, later) = rows.split_at_mut((at + 1) * ROWS);
            let direction = &mut done[at * ROWS..];
            let triangle = &mut self.values[at * self.size + at..(at + 1) * self.size];
            let below = dot(direction, direction);
            // Nothing, or so small that one divided by it is no number.
            if below < f64::MIN_POSITIVE {
                continue;
            }
            let norm = (triangle[0] * triangle[0] + below).sqrt().copysign(triangle[0]);
            let first = triangle[0] + norm;
            // The reflection is `1 - scale · (first, direction) (first, direction)ᵀ`.
            let scale = 1.0 / (norm * first);
            triangle[0] = -norm;
            for (top, column) in triangle[1..].iter_mut().zip(later.chunks_exact_mut(ROWS)) {
                let along = scale * (first * *top + dot(direction, column));
                *top -= along * first;
                add_scaled(column, -along, direction);
            }
        }
    }
}
