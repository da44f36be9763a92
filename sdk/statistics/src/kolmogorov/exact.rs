//! The exact distribution of the two-sample statistic, by counting lattice paths.
//!
//! A path from (0, 0) to (m, n) steps right for each value of one sample and up for each of the other; all are equally
//! likely where the samples come from one distribution. D ≥ d where the path leaves the strip |x/m − y/n| < d. Source:
//! J. Hodges, "The significance probability of the Smirnov two-sample test", Arkiv för Matematik 3 (1958).

/// `distance` is d · n · m and not 0.
pub fn two_sample(n: u64, m: u64, distance: u64) -> f64 {
    if n == m { equal_sizes(n, distance / n) } else { any_sizes(n.max(m), n.min(m), distance) }
}

/// Gnedenko and Korolyuk's formula 2 Σ ±C(2n, n − kh) / C(2n, n), factored so that nothing large is subtracted. `h` is
/// d · n.
fn equal_sizes(n: u64, h: u64) -> f64 {
    let (n, h) = (n as f64, h as f64);
    let mut probability = 0.0;
    let mut k = (n / h).floor();
    while k >= 0.0 {
        let mut factor = 1.0;
        let mut j = 0.0;
        while j < h {
            factor *= (n - k * h - j) / (n + k * h + j + 1.0);
            j += 1.0;
        }
        probability = factor * (1.0 - probability);
        k -= 1.0;
    }
    2.0 * probability
}

/// The probability to have been outside on the way to (x, y), column by column of x: the last step was to the right
/// with probability x / (x + y). `m` > `n`.
fn any_sizes(m: u64, n: u64, distance: u64) -> f64 {
    let divisor = greatest_common_divisor(m, n);
    let (step_m, step_n, h) = ((m / divisor) as i64, (n / divisor) as i64, (distance / divisor) as i64);
    let n = n as i64;
    // Rows y with |x · step_n − y · step_m| < h.
    let inside = |x: i64| {
        let low = ((x * step_n - h).div_euclid(step_m) + 1).max(0);
        let high = (-(-(x * step_n + h)).div_euclid(step_m)).min(n + 1);
        (low, high)
    };
    let mut column = vec![0.0; n as usize + 1];
    let (mut low_before, mut high_before) = inside(0);
    for x in 1..=m as i64 {
        let (low, high) = inside(x);
        if low >= high {
            return 1.0;
        }
        let mut below = 1.0;
        for y in low..high {
            let left = if (low_before..high_before).contains(&y) { column[y as usize] } else { 1.0 };
            below = (left * x as f64 + below * y as f64) / (x + y) as f64;
            column[y as usize] = below;
        }
        (low_before, high_before) = (low, high);
    }
    column[n as usize]
}

fn greatest_common_divisor(mut a: u64, mut b: u64) -> u64 {
    while b != 0 {
        (a, b) = (b, a % b);
    }
    a
}
