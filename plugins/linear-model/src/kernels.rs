//! Inner loops over slices, written so that the compiler makes SIMD of them: a fixed number of independent sums, and no
//! remainder where lengths are multiples of [`LANES`]. The order of additions is fixed, so results are too.

/// Sums that run side by side.
pub const LANES: usize = 4;

type Lanes = [f64; LANES];

fn sum(lanes: Lanes) -> f64 {
    (lanes[0] + lanes[2]) + (lanes[1] + lanes[3])
}

/// The sum of the products of two slices of equal length.
pub fn dot(a: &[f64], b: &[f64]) -> f64 {
    let ((a, a_rest), (b, b_rest)) = (a.as_chunks::<LANES>(), b.as_chunks::<LANES>());
    let mut lanes = [0.0; LANES];
    for (a, b) in a.iter().zip(b) {
        for lane in 0..LANES {
            lanes[lane] += a[lane] * b[lane];
        }
    }
    sum(lanes) + a_rest.iter().zip(b_rest).map(|(a, b)| a * b).sum::<f64>()
}

/// Four sums of products at once: each of `a` with `b`, which is loaded once. All lengths equal, a multiple of
/// [`LANES`].
pub fn dot_four(a: [&[f64]; 4], b: &[f64]) -> [f64; 4] {
    let [a0, a1, a2, a3] = a.map(|slice| slice.as_chunks::<LANES>().0);
    let mut lanes = [[0.0; LANES]; 4];
    for ((((b, a0), a1), a2), a3) in b.as_chunks::<LANES>().0.iter().zip(a0).zip(a1).zip(a2).zip(a3) {
        for lane in 0..LANES {
            lanes[0][lane] += a0[lane] * b[lane];
            lanes[1][lane] += a1[lane] * b[lane];
            lanes[2][lane] += a2[lane] * b[lane];
            lanes[3][lane] += a3[lane] * b[lane];
        }
    }
    lanes.map(sum)
}

/// `to += factor · from`.
pub fn add_scaled(to: &mut [f64], factor: f64, from: &[f64]) {
    for (to, from) in to.iter_mut().zip(from) {
        *to += factor * from;
    }
}

/// `to += Σ factors · from`, with one load and store of `to`.
pub fn add_four_scaled(to: &mut [f64], factors: [f64; 4], from: [&[f64]; 4]) {
    let [f0, f1, f2, f3] = factors;
    let [a0, a1, a2, a3] = from;
    for ((((to, a0), a1), a2), a3) in to.iter_mut().zip(a0).zip(a1).zip(a2).zip(a3) {
        *to += (f0 * a0 + f1 * a1) + (f2 * a2 + f3 * a3);
    }
}

/// The largest absolute value; NaN where there is one.
pub fn max_abs(values: &[f64]) -> f64 {
    values.iter().fold(0.0, |most: f64, value| if value.abs() <= most || most.is_nan() { most } else { value.abs() })
}

/// Solves `matrix · x = right` for a symmetric positive definite matrix of which the lower triangle is given, row after
/// row; both are overwritten, `right` with x. `None` where the matrix is not positive definite.
pub fn solve_cholesky(matrix: &mut [f64], right: &mut [f64]) -> Option<()> {
    let n = right.len();
    for row in 0..n {
        let (above, this) = matrix.split_at_mut(row * n);
        for column in 0..row {
            let other = &above[column * n..column * n + column + 1];
            let value = this[column] - dot(&this[..column], &other[..column]);
            this[column] = value / other[column];
        }
        let pivot = this[row] - dot(&this[..row], &this[..row]);
        // Also false for NaN.
        if !(pivot > 0.0 && pivot.is_finite()) {
            return None;
        }
        this[row] = pivot.sqrt();
    }
    for row in 0..n {
        let value = right[row] - dot(&matrix[row * n..row * n + row], &right[..row]);
        right[row] = value / matrix[row * n + row];
    }
    for row in (0..n).rev() {
        right[row] /= matrix[row * n + row];
        let value = right[row];
        add_scaled(&mut right[..row], -value, &matrix[row * n..row * n + row]);
    }
    Some(())
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn sums_of_products() {
        let a: Vec<f64> = (0..11).map(f64::from).collect();
        assert_eq!(dot(&a, &a), 385.0);
        let (a, b) = (&a[..8], [2.0; 8]);
        assert_eq!(dot_four([a, &b, a, &b], &b), [56.0, 32.0, 56.0, 32.0]);
        let mut to = [1.0; 8];
        add_four_scaled(&mut to, [1.0, 2.0, 3.0, 4.0], [a, &b, a, &b]);
        assert_eq!(to[3], 1.0 + 3.0 + 4.0 + 9.0 + 8.0);
    }

    #[test]
    fn cholesky_solves_and_refuses() {
        let mut matrix = [4.0, 0.0, 2.0, 5.0];
        let mut right = [8.0, 14.0];
        solve_cholesky(&mut matrix, &mut right).unwrap();
        assert_eq!(right, [0.75, 2.5]);
        assert_eq!(solve_cholesky(&mut [1.0, 0.0, 1.0, 1.0], &mut [0.0, 0.0]), None);
        assert!(max_abs(&[1.0, f64::NAN, 2.0]).is_nan());
    }
}
