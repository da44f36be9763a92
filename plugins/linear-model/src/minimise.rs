//! Finds the minimum of a smooth convex function. Knows no data: the function, and how it reports, come from outside.
//!
//! Directions are Newton's where the function gives them, else those of L-BFGS (Nocedal, Wright, "Numerical
//! Optimization", 2nd edition, algorithm 7.4); steps satisfy the weak Wolfe conditions by bisection (Lewis, Overton,
//! "Nonsmooth optimization via quasi-Newton methods", Mathematical Programming 141, 2013, algorithm 2.6).

use std::collections::VecDeque;

use crate::kernels::{add_scaled, dot, max_abs};

/// Pairs that L-BFGS remembers; scikit-learn's solver has the same.
const MEMORY: usize = 10;

/// Evaluations in one line search, after which the numbers cannot tell better from worse.
const MOST_TRIALS: usize = 40;

/// Sufficient decrease and curvature, as in Nocedal and Wright.
const DECREASE: f64 = 1e-4;
const CURVATURE: f64 = 0.9;

/// The part of the tolerance that is asked of Newton's method: it squares the error with every step, so that an all but
/// exact minimum costs one or two more.
const NEWTON_TOLERANCE: f64 = 1e-4;

/// A smooth convex function.
pub trait Objective {
    /// The value at a point; `gradient` is overwritten.
    fn evaluate(&self, point: &[f64], gradient: &mut [f64]) -> Value;

    /// Newton's direction, where it is cheap and the Hessian is positive definite.
    fn newton_direction(&self, point: &[f64], gradient: &[f64]) -> Option<Vec<f64>>;
}

/// What a function is worth at a point.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Value {
    /// What is minimised.
    pub objective: f64,
    /// The part of it that is of interest by itself: the loss without the penalty.
    pub loss: f64,
}

/// When to stop.
#[derive(Clone, Copy, Debug)]
pub struct Stop {
    pub max_iterations: u64,
    /// On the largest absolute component of the gradient.
    pub tolerance: f64,
}

/// Where the search ended.
#[derive(Clone, Debug)]
pub struct Minimum {
    pub point: Vec<f64>,
    pub iterations: u64,
    /// The largest absolute component of the gradient.
    pub gradient: f64,
    pub converged: bool,
}

/// Searches from `start`. `each` is told every iteration's number and value, the start's first; its error ends the
/// search.
pub fn minimise<E>(
    objective: &impl Objective,
    start: Vec<f64>,
    stop: Stop,
    mut each: impl FnMut(u64, Value) -> Result<(), E>,
) -> Result<Minimum, E> {
    let mut gradient = vec![0.0; start.len()];
    let value = objective.evaluate(&start, &mut gradient);
    let mut here = Place { point: start, gradient, value };
    let mut memory = Memory::default();
    let mut iterations = 0;
    each(iterations, here.value)?;
    while iterations < stop.max_iterations {
        let gradient = max_abs(&here.gradient);
        if gradient <= NEWTON_TOLERANCE * stop.tolerance {
            break;
        }
        let newton = objective.newton_direction(&here.point, &here.gradient);
        if newton.is_none() && gradient <= stop.tolerance {
            break;
        }
        let direction = newton.unwrap_or_else(|| memory.direction(&here.gradient));
        let Some(next) = search(objective, &here, &direction) else { break };
        memory.remember(&here, &next);
        here = next;
        iterations += 1;
        each(iterations, here.value)?;
    }
    let gradient = max_abs(&here.gradient);
    Ok(Minimum { point: here.point, iterations, gradient, converged: gradient <= stop.tolerance })
}

/// A point that was evaluated.
struct Place {
    point: Vec<f64>,
    gradient: Vec<f64>,
    value: Value,
}

/// A place along `direction` that is enough better; `None` where there is none that the numbers can tell.
fn search(objective: &impl Objective, here: &Place, direction: &[f64]) -> Option<Place> {
    let slope = dot(&here.gradient, direction);
    if slope >= 0.0 || !slope.is_finite() {
        return None;
    }
    // Near the minimum, values differ by less than the rounding of their sums.
    let rounding = 8.0 * f64::EPSILON * here.value.objective.abs();
    let (mut shortest, mut longest, mut step) = (0.0, f64::INFINITY, 1.0);
    for _ in 0..MOST_TRIALS {
        let mut there = Place { point: here.point.clone(), gradient: vec![0.0; direction.len()], value: here.value };
        add_scaled(&mut there.point, step, direction);
        there.value = objective.evaluate(&there.point, &mut there.gradient);
        let enough = here.value.objective + DECREASE * step * slope + rounding;
        let is_lower = there.value.objective <= enough;
        if is_lower && dot(&there.gradient, direction) >= CURVATURE * slope {
            return Some(there);
        }
        // Too far also where the value is no number.
        *(if is_lower { &mut shortest } else { &mut longest }) = step;
        step = if longest.is_finite() { 0.5 * (shortest + longest) } else { 2.0 * step };
    }
    None
}

/// What L-BFGS knows of the function's curvature.
#[derive(Default)]
struct Memory {
    pairs: VecDeque<Pair>,
}

struct Pair {
    step: Vec<f64>,
    change: Vec<f64>,
    /// 1 / (step · change)
    inverse: f64,
}

impl Memory {
    fn remember(&mut self, from: &Place, to: &Place) {
        let difference = |a: &[f64], b: &[f64]| a.iter().zip(b).map(|(a, b)| a - b).collect::<Vec<_>>();
        let (step, change) = (difference(&to.point, &from.point), difference(&to.gradient, &from.gradient));
        let product = dot(&step, &change);
        if product <= f64::EPSILON * dot(&change, &change) {
            return;
        }
        if self.pairs.len() == MEMORY {
            self.pairs.pop_front();
        }
        self.pairs.push_back(Pair { step, change, inverse: 1.0 / product });
    }

    /// The two-loop recursion.
    fn direction(&self, gradient: &[f64]) -> Vec<f64> {
        let mut direction: Vec<f64> = gradient.iter().map(|value| -value).collect();
        let Some(last) = self.pairs.back() else {
            let length = dot(gradient, gradient).sqrt();
            direction.iter_mut().for_each(|value| *value /= length.max(1.0));
            return direction;
        };
        let mut factors = Vec::with_capacity(self.pairs.len());
        for pair in self.pairs.iter().rev() {
            let factor = pair.inverse * dot(&pair.step, &direction);
            add_scaled(&mut direction, -factor, &pair.change);
            factors.push(factor);
        }
        let scale = 1.0 / (last.inverse * dot(&last.change, &last.change));
        direction.iter_mut().for_each(|value| *value *= scale);
        for (pair, factor) in self.pairs.iter().zip(factors.iter().rev()) {
            let back = pair.inverse * dot(&pair.change, &direction);
            add_scaled(&mut direction, factor - back, &pair.step);
        }
        direction
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    /// Rosenbrock's valley is not convex, and hard: it exercises the line search and the memory.
    struct Valley;

    impl Objective for Valley {
        fn evaluate(&self, point: &[f64], gradient: &mut [f64]) -> Value {
            let (x, y) = (point[0], point[1]);
            gradient[0] = -2.0 * (1.0 - x) - 400.0 * x * (y - x * x);
            gradient[1] = 200.0 * (y - x * x);
            let objective = (1.0 - x).powi(2) + 100.0 * (y - x * x).powi(2);
            Value { objective, loss: objective }
        }

        fn newton_direction(&self, _point: &[f64], _gradient: &[f64]) -> Option<Vec<f64>> {
            None
        }
    }

    #[test]
    fn finds_the_minimum() {
        let stop = Stop { max_iterations: 100, tolerance: 1e-8 };
        let mut seen = Vec::new();
        let found = minimise(&Valley, vec![-1.2, 1.0], stop, |iteration, value| {
            seen.push((iteration, value.loss));
            Ok::<(), ()>(())
        });
        let found = found.unwrap();
        assert!(found.converged && found.iterations < 60, "{found:?}");
        assert!((found.point[0] - 1.0).abs() < 1e-6 && (found.point[1] - 1.0).abs() < 1e-6);
        assert_eq!(seen.len() as u64, found.iterations + 1);
        assert!(seen.windows(2).all(|pair| pair[1].1 <= pair[0].1));
    }

    #[test]
    fn stops_where_it_is_told_to() {
        let stop = Stop { max_iterations: 3, tolerance: 1e-8 };
        let found = minimise(&Valley, vec![-1.2, 1.0], stop, |_, _| Ok::<(), ()>(())).unwrap();
        assert!(!found.converged && found.iterations == 3);
        assert_eq!(minimise(&Valley, vec![-1.2, 1.0], stop, |_, _| Err("cancelled")).err(), Some("cancelled"));
    }
}
