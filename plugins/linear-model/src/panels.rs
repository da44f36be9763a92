//! The feature matrix in panels: [`ROWS`] rows each, column after column. A panel's column is a short contiguous slice
//! that stays in the cache while all of an iteration's work on it is done, and every length is a multiple of the SIMD
//! width: the last panel is filled up with rows of zeros, which must be given the weight 0.

use crate::kernels;

/// Rows in a panel.
pub const ROWS: usize = 128;

/// A dense matrix.
pub struct Panels {
    rows: usize,
    columns: usize,
    values: Vec<f64>,
}

/// One panel: [`ROWS`] rows.
#[derive(Clone, Copy)]
pub struct Panel<'a> {
    /// The first row.
    pub start: usize,
    values: &'a [f64],
}

impl<'a> Panel<'a> {
    pub fn column(&self, column: usize) -> &'a [f64] {
        &self.values[column * ROWS..(column + 1) * ROWS]
    }

    /// `scores += Σ coefficient · column`.
    pub fn add_scores(&self, coefficients: &[f64], scores: &mut [f64; ROWS]) {
        let (fours, rest) = coefficients.as_chunks::<4>();
        for (four, factors) in fours.iter().enumerate() {
            let columns = [0, 1, 2, 3].map(|next| self.column(4 * four + next));
            kernels::add_four_scaled(scores, *factors, columns);
        }
        for (next, &factor) in rest.iter().enumerate() {
            kernels::add_scaled(scores, factor, self.column(4 * fours.len() + next));
        }
    }

    /// `sums[column] += column · factors`, for the first columns, as many as there are sums.
    pub fn add_products(&self, factors: &[f64; ROWS], sums: &mut [f64]) {
        let (fours, rest) = sums.as_chunks_mut::<4>();
        let done = 4 * fours.len();
        for (four, sums) in fours.iter_mut().enumerate() {
            let products = kernels::dot_four([0, 1, 2, 3].map(|next| self.column(4 * four + next)), factors);
            sums.iter_mut().zip(products).for_each(|(sum, product)| *sum += product);
        }
        for (next, sum) in rest.iter_mut().enumerate() {
            *sum += kernels::dot(self.column(done + next), factors);
        }
    }
}

/// What was taken off each column, and the weighted mean of the squares of what is left.
pub struct Centred {
    pub means: Vec<f64>,
    pub mean_squares: Vec<f64>,
}

impl Panels {
    /// All zeros.
    pub fn new(rows: usize, columns: usize) -> Self {
        Self { rows, columns, values: vec![0.0; rows.div_ceil(ROWS) * ROWS * columns] }
    }

    pub fn rows(&self) -> usize {
        self.rows
    }

    pub fn columns(&self) -> usize {
        self.columns
    }

    /// The number of rows with those that fill up the last panel.
    pub fn padded_rows(&self) -> usize {
        self.rows.div_ceil(ROWS) * ROWS
    }

    /// Puts `values` into `column`, from row `start`.
    pub fn set(&mut self, column: usize, start: usize, values: &[f64]) {
        let mut values = values;
        let mut row = start;
        while !values.is_empty() {
            let (panel, within) = (row / ROWS, row % ROWS);
            let (now, later) = values.split_at(values.len().min(ROWS - within));
            let at = (panel * self.columns + column) * ROWS + within;
            self.values[at..at + now.len()].copy_from_slice(now);
            (values, row) = (later, row + now.len());
        }
    }

    pub fn iter(&self) -> impl Iterator<Item = Panel<'_>> {
        let panels = self.values.chunks_exact(ROWS * self.columns).enumerate();
        panels.map(|(panel, values)| Panel { start: panel * ROWS, values })
    }

    /// In two passes.
    fn means(&self, weights: &[f64], total: f64) -> Vec<f64> {
        let mut means = vec![0.0; self.columns];
        for _ in 0..2 {
            let guesses = means.clone();
            let sums = self.weighted_sums(weights, |column, value| value - guesses[column]);
            means.iter_mut().zip(&sums).for_each(|(mean, sum)| *mean += sum / total);
        }
        means
    }

    fn mean_squares(&self, weights: &[f64], total: f64) -> Vec<f64> {
        self.weighted_sums(weights, |_, value| value * value).iter().map(|sum| sum / total).collect()
    }

    fn weighted_sums(&self, weights: &[f64], term: impl Fn(usize, f64) -> f64) -> Vec<f64> {
        let mut sums = vec![0.0; self.columns];
        for panel in self.iter() {
            let weights = &weights[panel.start..panel.start + ROWS];
            for (column, sum) in sums.iter_mut().enumerate() {
                let mut terms = [0.0; ROWS];
                terms.iter_mut().zip(panel.column(column)).for_each(|(to, value)| *to = term(column, *value));
                *sum += kernels::dot(&terms, weights);
            }
        }
        sums
    }

    /// Takes its weighted mean off each column; a column that is constant up to rounding becomes 0. `weights` are those
    /// of the padded rows.
    ///
    /// The bound on rounding is that of Chan, Golub, LeVeque, "Algorithms for Computing the Sample Variance", The
    /// American Statistician 37(3), 1983, as in scikit-learn.
    pub fn centre(&mut self, weights: &[f64]) -> Centred {
        let total = weights.iter().sum::<f64>();
        let means = self.means(weights, total);
        self.each_row(|column, value| value - means[column]);
        let mut mean_squares = self.mean_squares(weights, total);
        let rows = self.rows as f64;
        let mut factors = vec![1.0; self.columns];
        for ((variance, mean), factor) in mean_squares.iter_mut().zip(&means).zip(&mut factors) {
            if *variance <= rows * f64::EPSILON * *variance + (rows * mean * f64::EPSILON).powi(2) {
                (*variance, *factor) = (0.0, 0.0);
            }
        }
        if factors.contains(&0.0) {
            self.scale(&factors);
        }
        Centred { means, mean_squares }
    }

    /// As [`Panels::centre`], with all means 0.
    pub fn uncentred(&self, weights: &[f64]) -> Centred {
        let total = weights.iter().sum::<f64>();
        Centred { means: vec![0.0; self.columns], mean_squares: self.mean_squares(weights, total) }
    }

    /// Multiplies each column.
    pub fn scale(&mut self, factors: &[f64]) {
        self.each_row(|column, value| value * factors[column]);
    }

    fn each_row(&mut self, change: impl Fn(usize, f64) -> f64) {
        let (rows, columns) = (self.rows, self.columns);
        for (index, values) in self.values.chunks_exact_mut(ROWS).enumerate() {
            let (panel, column) = (index / columns, index % columns);
            let filled = ROWS.min(rows - panel * ROWS);
            values[..filled].iter_mut().for_each(|value| *value = change(column, *value));
        }
    }
}
