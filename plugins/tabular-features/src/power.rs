//! The Yeo-Johnson transform and its most likely parameter.
//!
//! Yeo, Johnson, "A new family of power transformations to improve normality or symmetry", Biometrika 87(4), 2000; as
//! scikit-learn's `PowerTransformer(method="yeo-johnson")`.

/// The transform of one value.
pub fn yeo_johnson(value: f64, lambda: f64) -> f64 {
    // The negative side is the positive one, mirrored, with 2 - lambda.
    if value >= 0.0 { half(value.ln_1p(), lambda) } else { -half((-value).ln_1p(), 2.0 - lambda) }
}

/// ((1 + x)^lambda - 1) / lambda, given ln(1 + x); a NaN stays one.
fn half(log: f64, lambda: f64) -> f64 {
    if lambda == 0.0 { log } else { (lambda * log).exp_m1() / lambda }
}

/// The lambda with the greatest likelihood, if the transformed values (finite, not empty) are those of a normal
/// distribution. 1, which changes nothing, for values that are all the same.
pub fn most_likely(values: &[f64]) -> f64 {
    let mut logs = Vec::with_capacity(values.len());
    logs.extend(values.iter().map(|value| value.abs().ln_1p().copysign(*value)));
    if logs.iter().all(|&log| log == logs[0]) {
        return 1.0;
    }
    let jacobian: f64 = logs.iter().sum();
    let n = values.len() as f64;
    let loss = |lambda: f64| {
        let loss = 0.5 * n * log_variance(&logs, lambda) - (lambda - 1.0) * jacobian;
        if loss.is_nan() { f64::INFINITY } else { loss }
    };
    minimise(loss)
}

/// The logarithm of the variance of the transformed values; infinite where it leaves the range of numbers.
fn log_variance(logs: &[f64], lambda: f64) -> f64 {
    let transformed = |log: f64| if log >= 0.0 { half(log, lambda) } else { -half(-log, 2.0 - lambda) };
    let n = logs.len() as f64;
    let mean = logs.iter().map(|&log| transformed(log)).sum::<f64>() / n;
    let (mut sum, mut squares) = (0.0, 0.0);
    for &log in logs {
        let distance = transformed(log) - mean;
        sum += distance;
        squares += distance * distance;
    }
    let variance = (squares - sum * sum / n) / n;
    if variance > 0.0 { variance.ln() } else { f64::INFINITY }
}

/// The place of the least value of a function that falls, then rises; it is finite at 1.
///
/// Walks from 1 in growing steps until it rises, then closes in by golden sections: no derivative, no more than about
/// 60 values.
fn minimise(loss: impl Fn(f64) -> f64) -> f64 {
    const GOLDEN: f64 = 0.618_033_988_749_894_9;
    let here = loss(1.0);
    let direction = if loss(1.0 + 1e-3) < here { 1.0 } else { -1.0 };
    let (mut before, mut at, mut value, mut step) = (1.0, 1.0, here, 0.5);
    let mut beyond = 1.0;
    while f64::abs(beyond) < FARTHEST {
        beyond = at + direction * step;
        let next = loss(beyond);
        if next >= value {
            break;
        }
        (before, at, value) = (at, beyond, next);
        step *= 2.0;
    }
    // Where the very first step rises, the least lies between 1 and it, or just behind 1.
    let before = if before == beyond || at == before { at - direction * 1e-3 } else { before };
    let (mut low, mut high) = if before < beyond { (before, beyond) } else { (beyond, before) };
    let (mut left, mut right) = (high - GOLDEN * (high - low), low + GOLDEN * (high - low));
    let (mut at_left, mut at_right) = (loss(left), loss(right));
    while high - low > TOLERANCE * (1.0 + f64::abs(low)) {
        if at_left < at_right {
            (high, right, at_right) = (right, left, at_left);
            left = high - GOLDEN * (high - low);
            at_left = loss(left);
        } else {
            (low, left, at_left) = (left, right, at_right);
            right = low + GOLDEN * (high - low);
            at_right = loss(right);
        }
    }
    0.5 * (low + high)
}

/// No data that anyone has asks for more.
const FARTHEST: f64 = 1000.0;
/// Below this, the likelihood no longer tells lambdas apart.
const TOLERANCE: f64 = 1e-9;

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn mirrored_values_have_the_mirrored_lambda() {
        let values = [0.1, 0.5, 1.0, 2.0, 4.0, 9.0, 30.0];
        let mirrored = values.map(|value| -value);
        let (one, other) = (most_likely(&values), most_likely(&mirrored));
        assert!((one - (2.0 - other)).abs() < 1e-6, "{one} {other}");
        assert_eq!(yeo_johnson(3.0, 1.0), 3.0);
        assert_eq!(yeo_johnson(-3.0, 1.0), -3.0);
        assert_eq!(yeo_johnson(std::f64::consts::E - 1.0, 0.0), (std::f64::consts::E - 1.0).ln_1p());
    }

    #[test]
    fn constant_and_extreme_values_give_a_number() {
        assert_eq!(most_likely(&[5.0; 4]), 1.0);
        for values in [[1e300, 1.0, 2.0], [-1e300, 0.0, 1e300], [1e-300, 2e-300, 0.0], [1e9, 1e9 + 1.0, 1e9 + 2.0]] {
            let lambda = most_likely(&values);
            assert!(lambda.is_finite(), "{values:?}: {lambda}");
        }
    }
}
