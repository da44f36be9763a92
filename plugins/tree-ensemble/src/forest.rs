//! Trees in one flat array. A node's left child stands right behind it and every child behind its parent, so that a
//! walk always ends; indexes and features are checked while a tree is added, never while rows walk.

use crate::ensemble::{Precision, Problem};

/// 64 MiB of categories: more than real models have by far, and a bound for files that ask for more.
const MOST_SET_WORDS: usize = 16 << 20;
/// Features beyond this would not leave room for a node's flags.
pub const MOST_FEATURES: usize = 1 << 24;

const LEAF: u32 = 1 << 31;
/// The node asks whether a category is in a set.
const SET: u32 = 1 << 30;
/// Where a missing value goes.
const MISSING_LEFT: u32 = 1 << 29;
/// NaN is missing; otherwise it counts as 0.
const NAN_IS_MISSING: u32 = 1 << 28;
/// So is 0.
const ZERO_IS_MISSING: u32 = 1 << 27;
/// Categories of the set go left; otherwise right.
const SET_GOES_LEFT: u32 = 1 << 26;
/// What is no category at all, such as -1, goes left.
const NO_CATEGORY_LEFT: u32 = 1 << 25;
const FEATURE: u32 = (1 << 24) - 1;

/// A node as a model file describes it; children are the file's own numbers of nodes.
#[derive(Clone, Debug)]
pub enum Source {
    Leaf(f64),
    Number {
        feature: usize,
        /// Left if the value is at most this.
        at_most: f64,
        missing: Missing,
        missing_left: bool,
        children: [usize; 2],
    },
    Category {
        feature: usize,
        /// Bits of the categories, the lowest of the first word first.
        set: Vec<u32>,
        set_goes_left: bool,
        /// Where NaN goes.
        missing_left: bool,
        /// Where goes what is no category at all, such as -1.
        no_category_left: bool,
        children: [usize; 2],
    },
}

/// Which values are missing.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Missing {
    /// None; NaN counts as 0.
    Nothing,
    NaN,
    /// NaN too.
    Zero,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    /// A leaf's value, the largest number that goes left, or the index of the set.
    value: f64,
    right: u32,
    /// The feature and flags.
    what: u32,
}

/// All trees of a model.
#[derive(Debug)]
pub struct Forest {
    features: usize,
    nodes: Vec<Node>,
    /// Where each tree starts, and the group whose sum it adds to.
    trees: Vec<(u32, u32)>,
    /// Where each set lies in `words`.
    sets: Vec<(u32, u32)>,
    words: Vec<u32>,
}

impl Forest {
    pub fn new(features: usize) -> Self {
        Self { features, nodes: Vec::new(), trees: Vec::new(), sets: Vec::new(), words: Vec::new() }
    }

    /// Adds a tree of up to `count` nodes, the root first, to a group's sum.
    ///
    /// Errors: a feature or child out of range, a node that two nodes lead to, too large sets, values that are no
    /// numbers.
    pub fn add_tree(
        &mut self,
        group: usize,
        count: usize,
        root: usize,
        node: impl Fn(usize) -> Result<Source, Problem>,
    ) -> Result<(), Problem> {
        let start = as_index(self.nodes.len())?;
        let mut seen = vec![false; count];
        // A node that is still to be laid out, and the node whose right child it is.
        let mut open: Vec<(usize, Option<usize>)> = vec![(root, None)];
        while let Some((number, right_of)) = open.pop() {
            match seen.get_mut(number) {
                None => return Err(format!("it leads to node {number}, and there are {count}")),
                Some(true) => return Err(format!("several ways lead to node {number}")),
                Some(seen) => *seen = true,
            }
            let index = self.nodes.len();
            if let Some(parent) = right_of {
                self.nodes[parent].right = as_index(index)?;
            }
            let place = |problem: Problem| format!("node {number}: {problem}");
            let source = node(number).map_err(place)?;
            if let Source::Number { children, .. } | Source::Category { children, .. } = source {
                open.push((children[1], Some(index)));
                open.push((children[0], None));
            }
            let node = self.lay_out(source).map_err(place)?;
            self.nodes.push(node);
        }
        self.trees.push((start, as_index(group)?));
        Ok(())
    }

    fn lay_out(&mut self, source: Source) -> Result<Node, Problem> {
        let flag = |on: bool, flag: u32| if on { flag } else { 0 };
        let (value, what) = match source {
            Source::Leaf(value) if !value.is_finite() => return Err(format!("its value is `{value}`")),
            Source::Leaf(value) => (value, LEAF),
            Source::Number { at_most, .. } if at_most.is_nan() => return Err("its threshold is no number".to_owned()),
            Source::Number { feature, at_most, missing, missing_left, .. } => {
                let kinds =
                    flag(missing != Missing::Nothing, NAN_IS_MISSING) | flag(missing == Missing::Zero, ZERO_IS_MISSING);
                (at_most, self.feature(feature)? | kinds | flag(missing_left, MISSING_LEFT))
            }
            Source::Category { feature, set, set_goes_left, missing_left, no_category_left, .. } => {
                let flags = SET
                    | flag(set_goes_left, SET_GOES_LEFT)
                    | flag(missing_left, MISSING_LEFT)
                    | flag(no_category_left, NO_CATEGORY_LEFT);
                (self.keep_set(&set)? as f64, self.feature(feature)? | flags)
            }
        };
        Ok(Node { value, right: 0, what })
    }

    fn feature(&self, feature: usize) -> Result<u32, Problem> {
        if feature < self.features.min(MOST_FEATURES) {
            Ok(feature as u32)
        } else {
            Err(format!("it asks for feature {feature}, and there are {}", self.features))
        }
    }

    fn keep_set(&mut self, set: &[u32]) -> Result<usize, Problem> {
        if self.words.len() + set.len() > MOST_SET_WORDS {
            return Err(format!("the model's sets of categories are larger than {} MiB", MOST_SET_WORDS >> 18));
        }
        let start = as_index(self.words.len())?;
        self.words.extend_from_slice(set);
        self.sets.push((start, as_index(self.words.len())?));
        Ok(self.sets.len() - 1)
    }

    /// Adds each tree's leaf to the sum of its group; `rows` have `features` values each, `sums` `groups`.
    pub fn add(&self, rows: &[f64], features: usize, groups: usize, precision: Precision, sums: &mut [f64]) {
        for &(root, group) in &self.trees {
            for (row, sums) in rows.chunks_exact(features).zip(sums.chunks_exact_mut(groups)) {
                let sum = &mut sums[group as usize];
                let leaf = self.leaf(root as usize, row);
                *sum = match precision {
                    Precision::Single => f64::from(*sum as f32 + leaf as f32),
                    Precision::Double => *sum + leaf,
                };
            }
        }
    }

    fn leaf(&self, root: usize, row: &[f64]) -> f64 {
        let mut index = root;
        loop {
            let node = &self.nodes[index];
            if node.what & LEAF != 0 {
                return node.value;
            }
            let value = row[(node.what & FEATURE) as usize];
            let left =
                if node.what & SET == 0 { number_goes_left(node, value) } else { self.category_goes_left(node, value) };
            index = if left { index + 1 } else { node.right as usize };
        }
    }

    fn category_goes_left(&self, node: &Node, value: f64) -> bool {
        if value.is_nan() {
            return node.what & MISSING_LEFT != 0;
        }
        // Both libraries cut the fraction off.
        let category = value.trunc();
        if category < 0.0 || category >= f64::from(1 << 24) {
            return node.what & NO_CATEGORY_LEFT != 0;
        }
        let category = category as usize;
        let (start, end) = self.sets[node.value as usize];
        let word = self.words[start as usize..end as usize].get(category / 32);
        let within = word.is_some_and(|word| word >> (category % 32) & 1 == 1);
        within == (node.what & SET_GOES_LEFT != 0)
    }
}

fn number_goes_left(node: &Node, value: f64) -> bool {
    if value.is_nan() {
        // Counts as 0 where it is not missing.
        return if node.what & NAN_IS_MISSING != 0 { node.what & MISSING_LEFT != 0 } else { 0.0 <= node.value };
    }
    if value == 0.0 && node.what & ZERO_IS_MISSING != 0 {
        return node.what & MISSING_LEFT != 0;
    }
    value <= node.value
}

fn as_index(number: usize) -> Result<u32, Problem> {
    u32::try_from(number).map_err(|_| "the model has more than 4,294,967,295 nodes".to_owned())
}

#[cfg(test)]
mod tests {
    use super::*;

    fn split(feature: usize, children: [usize; 2]) -> Source {
        Source::Number { feature, at_most: 0.5, missing: Missing::NaN, missing_left: true, children }
    }

    fn add(nodes: &[Source]) -> Result<Forest, Problem> {
        let mut forest = Forest::new(2);
        forest.add_tree(0, nodes.len(), 0, |number| Ok(nodes[number].clone()))?;
        Ok(forest)
    }

    fn answer(forest: &Forest, row: [f64; 2]) -> f64 {
        let mut sums = [0.0];
        forest.add(&row, 2, 1, Precision::Double, &mut sums);
        sums[0]
    }

    #[test]
    fn walks() {
        let nodes = [split(0, [2, 1]), Source::Leaf(1.0), split(1, [4, 3]), Source::Leaf(2.0), Source::Leaf(3.0)];
        let forest = add(&nodes).unwrap();
        assert_eq!(answer(&forest, [0.6, 0.0]), 1.0);
        assert_eq!(answer(&forest, [0.5, 0.6]), 2.0);
        assert_eq!(answer(&forest, [f64::NAN, f64::NAN]), 3.0);
    }

    #[test]
    fn refuses_what_is_no_tree() {
        let cycle = [split(0, [0, 1]), Source::Leaf(1.0)];
        assert_eq!(add(&cycle).unwrap_err(), "several ways lead to node 0");
        let shared = [split(0, [1, 1]), Source::Leaf(1.0)];
        assert_eq!(add(&shared).unwrap_err(), "several ways lead to node 1");
        let beyond = [split(0, [1, 7]), Source::Leaf(1.0)];
        assert_eq!(add(&beyond).unwrap_err(), "it leads to node 7, and there are 2");
        let feature = [split(2, [1, 2]), Source::Leaf(1.0), Source::Leaf(1.0)];
        assert_eq!(add(&feature).unwrap_err(), "node 0: it asks for feature 2, and there are 2");
        assert_eq!(add(&[Source::Leaf(f64::NAN)]).unwrap_err(), "node 0: its value is `NaN`");
    }

    #[test]
    fn a_chain_of_a_million_nodes_is_fine() {
        let depth = 500_000;
        let mut forest = Forest::new(2);
        let node = |number: usize| {
            let inner = number.is_multiple_of(2) && number < 2 * depth;
            Ok(if inner { split(0, [number + 1, number + 2]) } else { Source::Leaf(number as f64) })
        };
        forest.add_tree(0, 2 * depth + 1, 0, node).unwrap();
        assert_eq!(answer(&forest, [1.0, 0.0]), 2.0 * depth as f64);
    }
}
