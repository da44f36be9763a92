//! The distribution of the one-sample statistic for any sample size: which method where is that of R. Simard and
//! P. L'Ecuyer, "Computing the Two-Sided Kolmogorov-Smirnov Distribution", Journal of Statistical Software 39 (2011),
//! except that the matrix algorithm also stands where they prefer Pomeranz's, which is as exact.

use std::f64::consts::PI;

use crate::special::stirling_error;

/// P(D ≥ d) for `n` values, a whole number.
pub fn above(n: f64, d: f64) -> f64 {
    let t = n * d;
    let square = t * d;
    if d >= 1.0 {
        0.0
    } else if t <= 0.5 {
        1.0
    } else if t <= 1.0 {
        // Ruben and Gambino: P(D < d) = n! (2d − 1/n)ⁿ.
        let factorial = (2.0 * PI * n).ln() / 2.0 - n + stirling_error(n);
        1.0 - (factorial + n * (2.0 * t - 1.0).ln()).exp()
    } else if t >= n - 1.0 {
        2.0 * (1.0 - d).powf(n)
    } else if d >= 0.5 {
        2.0 * one_sided(n, d)
    } else if n <= 140.0 {
        if square <= 4.0 { 1.0 - matrix(n, d) } else { 2.0 * one_sided(n, d) }
    } else if square >= 370.0 {
        0.0
    } else if square >= 2.2 {
        2.0 * one_sided(n, d)
    } else if n <= 100_000.0 && n * d.powf(1.5) <= 1.4 {
        1.0 - matrix(n, d)
    } else {
        1.0 - pelz_good(n, d)
    }
}

/// P(D⁺ ≥ d) = d Σ C(n, v) (d + v/n)^(v − 1) (1 − d − v/n)^(n − v) over v ≤ n (1 − d): N. Smirnov (1944); Z. Birnbaum,
/// F. Tingey, Annals of Mathematical Statistics 22 (1951). Each term's binomial probability is taken as Loader does, so
/// that nothing large is subtracted. Beyond a million values Maag and Dicaire's exp(−(6nd + 1)² / 18n).
fn one_sided(n: f64, d: f64) -> f64 {
    if n > 1e6 {
        return (-(6.0 * n * d + 1.0).powi(2) / (18.0 * n)).exp();
    }
    let nd = n * d;
    let whole = stirling_error(n);
    // v = 0, where the term is (1 − d)ⁿ.
    let mut sum = (n * (-d).ln_1p()).exp();
    let mut v = 1.0;
    while v + nd < n {
        let rest = n - v;
        let log = whole - stirling_error(v) - stirling_error(rest) + v * (nd / v).ln_1p() + rest * (-nd / rest).ln_1p();
        sum += log.exp() * (n / (2.0 * PI * v * rest)).sqrt() * nd / (v + nd);
        v += 1.0;
    }
    sum
}

/// P(D < d) by Durbin's matrix, exact: the middle element of n! / nⁿ Hⁿ. Source: G. Marsaglia, W. W. Tsang, J. Wang,
/// "Evaluating Kolmogorov's Distribution", Journal of Statistical Software 8 (2003).
fn matrix(n: f64, d: f64) -> f64 {
    let k = (n * d).ceil();
    let h = k - n * d;
    let (middle, size) = (k as usize - 1, 2 * k as usize - 1);
    let mut scaled = Scaled { values: first_matrix(size, h), exponent: 0 };
    let mut power = Scaled { values: identity(size), exponent: 0 };
    let mut left = n as u64;
    while left > 0 {
        if left % 2 == 1 {
            power = power.times(&scaled, size);
        }
        left /= 2;
        if left > 0 {
            scaled = scaled.times(&scaled, size);
            scaled.shrink(middle * size + middle);
        }
    }
    let (mut probability, mut exponent) = (power.values[middle * size + middle], power.exponent);
    for i in 1..=n as u64 {
        probability *= i as f64 / n;
        if probability < SMALL {
            probability /= SMALL;
            exponent -= STEP;
        }
    }
    (probability * 2.0_f64.powi(exponent)).clamp(0.0, 1.0)
}

/// 2^−128: matrices are scaled by powers of it.
const SMALL: f64 = 2.938_735_877_055_719e-39;
const STEP: i32 = 128;

/// A square matrix, row by row, times 2^exponent.
struct Scaled {
    values: Vec<f64>,
    exponent: i32,
}

impl Scaled {
    fn times(&self, other: &Scaled, size: usize) -> Scaled {
        let mut values = vec![0.0; size * size];
        for (row, target) in self.values.chunks_exact(size).zip(values.chunks_exact_mut(size)) {
            for (&factor, column) in row.iter().zip(other.values.chunks_exact(size)) {
                for (sum, value) in target.iter_mut().zip(column) {
                    *sum += factor * value;
                }
            }
        }
        Scaled { values, exponent: self.exponent + other.exponent }
    }

    fn shrink(&mut self, place: usize) {
        if self.values[place] > 1.0 / SMALL {
            self.values.iter_mut().for_each(|value| *value *= SMALL);
            self.exponent += STEP;
        }
    }
}

fn identity(size: usize) -> Vec<f64> {
    let mut values = vec![0.0; size * size];
    values.iter_mut().step_by(size + 1).for_each(|value| *value = 1.0);
    values
}

/// 1/(i − j + 1)! on and below the first superdiagonal; the first column and the last row less hⁱ.
fn first_matrix(size: usize, h: f64) -> Vec<f64> {
    let mut reciprocal = vec![1.0; size + 1];
    for i in 1..=size {
        reciprocal[i] = reciprocal[i - 1] / i as f64;
    }
    let mut values = vec![0.0; size * size];
    for row in 0..size {
        for column in 0..size.min(row + 2) {
            let order = row + 1 - column;
            let mut element = 1.0;
            if column == 0 {
                element -= h.powi(order as i32);
            }
            if row == size - 1 {
                element -= h.powi(order as i32);
            }
            if column == 0 && row == size - 1 {
                element += (2.0 * h - 1.0).max(0.0).powi(order as i32);
            }
            values[row * size + column] = element * reciprocal[order];
        }
    }
    values
}

/// P(D < d) by an expansion in 1/√n. Source: W. Pelz, I. Good, "Approximating the Lower Tail-areas of the
/// Kolmogorov-Smirnov One-sample Statistic", Journal of the Royal Statistical Society B 38 (1976), as Simard and
/// L'Ecuyer write it.
fn pelz_good(n: f64, d: f64) -> f64 {
    let z = n.sqrt() * d;
    let (z2, z3, z4, z6) = (z.powi(2), z.powi(3), z.powi(4), z.powi(6));
    let (z7, z8, z10) = (z.powi(7), z.powi(8), z.powi(10));
    let (pi2, pi4, pi6) = (PI.powi(2), PI.powi(4), PI.powi(6));
    let mut sums = [0.0; 4];
    let terms = (16.0 * z / PI).ceil().max(1.0) as u32;
    for k in (1..=terms).rev() {
        let k = f64::from(k);
        let half = k - 0.5;
        let (h2, h4, h6) = (half.powi(2), half.powi(4), half.powi(6));
        let odd = (-pi2 * h2 / (2.0 * z2)).exp();
        sums[0] += odd;
        sums[1] += (pi2 * h2 - z2) * odd;
        sums[2] += (6.0 * z6 + 2.0 * z4 + pi2 * (2.0 * z4 - 5.0 * z2) * h2 + pi4 * (1.0 - 2.0 * z2) * h4) * odd;
        sums[3] +=
            (pi6 * h6 * (5.0 - 30.0 * z2) + pi4 * h4 * (-60.0 * z2 + 212.0 * z4) + pi2 * h2 * (135.0 * z4 - 96.0 * z6)
                - 30.0 * z6
                - 90.0 * z8)
                * odd;
    }
    let (mut second, mut third) = (0.0, 0.0);
    for k in (1..=terms).rev() {
        let k2 = f64::from(k).powi(2);
        let even = (-pi2 * k2 / (2.0 * z2)).exp();
        second += pi2 * k2 * even;
        third += (3.0 * pi2 * k2 * z2 - pi4 * k2 * k2) * even;
    }
    let root = (2.0 * PI).sqrt();
    let half_root = (PI / 2.0).sqrt();
    let k0 = root / z * sums[0];
    let k1 = half_root / (3.0 * z4) * sums[1];
    let k2 = half_root / (36.0 * z7) * sums[2] - half_root / (18.0 * z3) * second;
    let k3 = half_root / (3240.0 * z10) * sums[3] + half_root / (108.0 * z6) * third;
    k0 + k1 / n.sqrt() + k2 / n + k3 / n.powf(1.5)
}
