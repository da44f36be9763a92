//! Which payments are fraud.

use crate::random::Random;
use crate::world::Payment;

/// How much the signs decide; with more, there would be nothing left to guess.
const SHARPNESS: f64 = 1.9;

/// Fraud that nobody noticed, and payments that were taken for fraud: labels are never quite right.
const MISSED: f64 = 0.04;
const MISTAKEN: f64 = 0.000_3;

/// Draws the truth about each payment such that a part of about `share` is fraud.
pub fn labels(payments: &[Payment], share: f64, random: &mut Random) -> Vec<bool> {
    let level = level(payments, share);
    payments
        .iter()
        .map(|payment| {
            let fraud = random.chance(probability(payment, level));
            if fraud { !random.chance(MISSED) } else { random.chance(MISTAKEN) }
        })
        .collect()
}

/// The constant that makes the mean probability `share`, by bisection: the mean grows with it.
fn level(payments: &[Payment], share: f64) -> f64 {
    let (mut low, mut high) = (-40.0, 40.0);
    for _ in 0..60 {
        let middle = (low + high) / 2.0;
        let mean = payments.iter().map(|payment| probability(payment, middle)).sum::<f64>() / payments.len() as f64;
        if mean < share { low = middle } else { high = middle }
    }
    low
}

fn probability(payment: &Payment, level: f64) -> f64 {
    1.0 / (1.0 + (-(SHARPNESS * payment.risk + level)).exp())
}
