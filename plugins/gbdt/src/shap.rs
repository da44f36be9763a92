//! How much each feature contributed to a row's score: Shapley values of the tree's conditional expectations, by the
//! path-dependent TreeSHAP (Lundberg et al., "From local explanations to global understanding with explainable AI for
//! trees", Nature Machine Intelligence 2, 2020, algorithm 2).

use wasmlops_sdk::{Error, Result};

use crate::tree::{Child, Tree};

/// The work on a row grows with the square of the depth, and so does what is kept meanwhile.
const MOST_DEPTH: usize = 512;

/// A tree with what explaining needs.
pub struct Explained {
    tree: Tree,
    /// Of each node, the parts of its rows that went left and right.
    shares: Vec<[f64; 2]>,
    /// The mean of its leaves over the rows it learned from.
    pub mean: f64,
}

/// One feature on the way to a leaf.
#[derive(Clone, Copy, Default)]
struct Step {
    feature: usize,
    /// The part of the rows that go this way where the feature is not known.
    unknown: f64,
    /// Whether the row itself goes this way: 1 or 0.
    known: f64,
    weight: f64,
}

impl Explained {
    /// Errors: `invalid-input` for a tree that is too deep.
    pub fn new(tree: Tree) -> Result<Self> {
        let count = tree.nodes.len();
        let mut rows = vec![0.0; count];
        let mut sums = vec![0.0; count];
        let mut shares = vec![[0.0; 2]; count];
        let mut depth = vec![0; count];
        // Children stand behind their parents.
        for (at, node) in tree.nodes.iter().enumerate().rev() {
            let of = |child: Child| match child {
                Child::Node(node) => (rows[node as usize], sums[node as usize], depth[node as usize]),
                Child::Leaf(leaf) => {
                    let rows = tree.rows[leaf as usize].max(1) as f64;
                    (rows, rows * tree.leaves[leaf as usize], 0)
                }
            };
            let (left, right) = (of(node.left), of(node.right));
            rows[at] = left.0 + right.0;
            sums[at] = left.1 + right.1;
            depth[at] = 1 + left.2.max(right.2);
            shares[at] = [left.0 / rows[at], right.0 / rows[at]];
        }
        if depth.first().is_some_and(|depth| *depth > MOST_DEPTH) {
            let message =
                format!("a tree is {} splits deep, and contributions are computed up to {MOST_DEPTH}", depth[0]);
            return Err(Error::invalid_input(format!("{message}\nhint: train with a `max_depth`")).at("model"));
        }
        let mean = if count == 0 { tree.leaves[0] } else { sums[0] / rows[0] };
        Ok(Self { tree, shares, mean })
    }

    /// Adds the contributions to those of features. `goes_left` is asked for nodes.
    pub fn add(&self, goes_left: &dyn Fn(usize) -> bool, path: &mut Path, to: &mut [f64]) {
        if !self.tree.nodes.is_empty() {
            path.steps.clear();
            let root = Step { feature: usize::MAX, unknown: 1.0, known: 1.0, weight: 0.0 };
            self.visit(Child::Node(0), root, 0..0, goes_left, path, to);
        }
    }

    fn visit(
        &self,
        child: Child,
        step: Step,
        above: std::ops::Range<usize>,
        goes_left: &dyn Fn(usize) -> bool,
        path: &mut Path,
        to: &mut [f64],
    ) {
        let start = path.steps.len();
        path.steps.extend_from_within(above);
        path.extend(start, step);
        match child {
            Child::Leaf(leaf) => {
                let value = self.tree.leaves[leaf as usize];
                let steps = &path.steps[start..];
                for at in 1..steps.len() {
                    let Step { feature, known, unknown, .. } = steps[at];
                    to[feature] += weight_without(steps, at) * (known - unknown) * value;
                }
            }
            Child::Node(at) => {
                let at = at as usize;
                let node = &self.tree.nodes[at];
                let feature = node.feature as usize;
                let (mut unknown, mut known) = (1.0, 1.0);
                let before = path.steps[start..].iter().skip(1).position(|step| step.feature == feature);
                if let Some(before) = before {
                    Step { unknown, known, .. } = path.steps[start + 1 + before];
                    path.unwind(start, 1 + before);
                }
                let end = path.steps.len();
                let left = goes_left(at);
                for (child, share, is_way) in
                    [(node.left, self.shares[at][0], left), (node.right, self.shares[at][1], !left)]
                {
                    let known = if is_way { known } else { 0.0 };
                    let step = Step { feature, unknown: unknown * share, known, weight: 0.0 };
                    self.visit(child, step, start..end, goes_left, path, to);
                }
            }
        }
        path.steps.truncate(start);
    }
}

/// The features on the way, once for each node on the way: room that is used again and again.
#[derive(Default)]
pub struct Path {
    steps: Vec<Step>,
}

impl Path {
    /// EXTEND: one feature more, in the path that begins at `start`.
    fn extend(&mut self, start: usize, step: Step) {
        let depth = self.steps.len() - start;
        self.steps.push(Step { weight: if depth == 0 { 1.0 } else { 0.0 }, ..step });
        let steps = &mut self.steps[start..];
        let count = (depth + 1) as f64;
        for at in (0..depth).rev() {
            steps[at + 1].weight += step.known * steps[at].weight * (at + 1) as f64 / count;
            steps[at].weight *= step.unknown * (depth - at) as f64 / count;
        }
    }

    /// UNWIND: takes a feature out again.
    fn unwind(&mut self, start: usize, index: usize) {
        let steps = &mut self.steps[start..];
        let depth = steps.len() - 1;
        let count = (depth + 1) as f64;
        let Step { known, unknown, .. } = steps[index];
        let mut next = steps[depth].weight;
        for at in (0..depth).rev() {
            if known == 0.0 {
                steps[at].weight *= count / (unknown * (depth - at) as f64);
            } else {
                let weight = steps[at].weight;
                steps[at].weight = next * count / ((at + 1) as f64 * known);
                next = weight - steps[at].weight * unknown * (depth - at) as f64 / count;
            }
        }
        for at in index..depth {
            let Step { feature, unknown, known, .. } = steps[at + 1];
            steps[at] = Step { feature, unknown, known, weight: steps[at].weight };
        }
        self.steps.pop();
    }
}

/// The sum of the weights once the feature at `index` is taken out.
fn weight_without(steps: &[Step], index: usize) -> f64 {
    let depth = steps.len() - 1;
    let count = (depth + 1) as f64;
    let Step { known, unknown, .. } = steps[index];
    let (mut next, mut sum) = (steps[depth].weight, 0.0);
    for at in (0..depth).rev() {
        if known == 0.0 {
            sum += steps[at].weight * count / (unknown * (depth - at) as f64);
        } else {
            let weight = next * count / ((at + 1) as f64 * known);
            sum += weight;
            next = steps[at].weight - weight * unknown * (depth - at) as f64 / count;
        }
    }
    sum
}
