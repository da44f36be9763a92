//! Quantiles of a sorted sample.

/// The quantile at `q` from 0 to 1 by linear interpolation between the two values next to it, as numpy's default: the
/// position is q · (n − 1). `None` for no values.
///
/// Source: R. Hyndman, Y. Fan, "Sample Quantiles in Statistical Packages", The American Statistician 50 (1996),
/// definition 7.
pub fn linear(sorted: &[f64], q: f64) -> Option<f64> {
    let last = sorted.len().checked_sub(1)?;
    let position = q * last as f64;
    let below = (position.floor() as usize).min(last);
    let (low, high) = (sorted[below], sorted[(below + 1).min(last)]);
    let part = position - below as f64;
    Some(if part == 0.0 {
        low
    } else if part < 0.5 {
        low + (high - low) * part
    } else {
        high - (high - low) * (1.0 - part)
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn interpolates() {
        let values = [1.0, 2.0, 4.0, 8.0];
        assert_eq!(linear(&values, 0.0), Some(1.0));
        assert_eq!(linear(&values, 0.5), Some(3.0));
        assert_eq!(linear(&values, 0.75), Some(5.0));
        assert_eq!(linear(&values, 1.0), Some(8.0));
        assert_eq!(linear(&[3.0], 0.99), Some(3.0));
        assert_eq!(linear(&[], 0.5), None);
    }
}
