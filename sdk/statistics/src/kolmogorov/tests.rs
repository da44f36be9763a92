//! Against scipy, and by enumeration.

use serde::Deserialize;

use super::*;

#[derive(Deserialize)]
struct Vectors {
    /// n, m, d · n · m, p of `ks_2samp`.
    two_sample: Vec<(u64, u64, u64, f64)>,
    /// n, d, p of `kstwo.sf`.
    one_sample: Vec<(f64, f64, f64)>,
}

fn vectors() -> Vectors {
    serde_json::from_str(include_str!("../../tests/data/kolmogorov.json")).unwrap()
}

fn assert_close(value: f64, expected: f64, what: &str) {
    assert!((value - expected).abs() <= 1e-9 * expected.max(1e-6), "{what}: {value:e}, and scipy says {expected:e}");
}

#[test]
fn two_samples_agree_with_scipy() {
    for (n, m, distance, expected) in vectors().two_sample {
        assert_close(two_sample(n, m, distance).value, expected, &format!("{n} and {m} values, {distance}"));
    }
}

#[test]
fn one_sample_agrees_with_scipy() {
    for (n, d, expected) in vectors().one_sample {
        assert_close(one_sample::above(n, d), expected, &format!("{n} values, {d}"));
    }
}

/// All orders of two small samples.
#[test]
fn exact_is_the_share_of_orders() {
    for (n, m) in [(3_u64, 3_u64), (2, 5), (4, 6), (5, 1)] {
        let mut distances = Vec::new();
        for order in 0_u32..1 << (n + m) {
            if u64::from(order.count_ones()) != n {
                continue;
            }
            let (mut seen, mut most) = ((0, 0), 0);
            for place in 0..n + m {
                if order >> place & 1 == 1 {
                    seen.0 += 1
                } else {
                    seen.1 += 1
                }
                most = most.max((seen.0 * m).abs_diff(seen.1 * n));
            }
            distances.push(most);
        }
        for &distance in &distances {
            let as_far = distances.iter().filter(|&&other| other >= distance).count();
            let share = as_far as f64 / distances.len() as f64;
            assert!((two_sample(n, m, distance).value - share).abs() < 1e-12, "{n} and {m}, {distance}");
        }
    }
}

#[test]
fn the_limit_is_near_and_no_distance_is_certain() {
    let exact = two_sample(2000, 3000, 6_000_000 / 25);
    assert!(exact.exact);
    assert!((exact.value - in_the_limit(2000, 3000, 0.04)).abs() < 2e-3);
    assert_eq!((two_sample(5, 7, 0).value, in_the_limit(5, 7, 0.0)), (1.0, 1.0));
}
