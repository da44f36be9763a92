//! Trees over codes, laid out for walking: by training over its bins, by the predictor over blocks of rows.

use std::ops::Range;

use crate::kernels::MISSING;
use crate::tree::{Child, CodeSet, Rule, Tree, contains};

/// A child that is a leaf.
const LEAF: u32 = 1 << 31;
/// Rows that walk side by side, so that the core has something to do while one of them waits.
const ABREAST: usize = 8;

/// A node: left if the feature's code, `turn` added, is at most `at_most`. What is missing has the highest code; with a
/// turn of 1 it has the lowest.
#[derive(Clone, Copy, Debug)]
struct Node {
    children: [u32; 2],
    feature: u32,
    at_most: u8,
    turn: u8,
    is_set: bool,
}

/// Trees, and the output whose score each adds to.
#[derive(Clone, Debug, Default)]
pub struct Forest {
    nodes: Vec<Node>,
    /// One for each node; empty where all features are numbers.
    sets: Vec<CodeSet>,
    leaves: Vec<f64>,
    trees: Vec<Root>,
}

#[derive(Clone, Copy, Debug)]
struct Root {
    /// A child, as in nodes.
    start: u32,
    output: u32,
}

impl Forest {
    /// Adds a tree. `place` says where a feature's code is, `code` which code a threshold has.
    pub fn add(&mut self, tree: &Tree, output: usize, place: impl Fn(u32) -> u32, code: impl Fn(u32, f64) -> u8) {
        let (first_node, first_leaf) = (self.nodes.len() as u32, self.leaves.len() as u32);
        let child = |child| match child {
            Child::Node(node) => first_node + node,
            Child::Leaf(leaf) => (first_leaf + leaf) | LEAF,
        };
        for node in &tree.nodes {
            let (mut at_most, mut turn, mut is_set) = (0, 0, false);
            match node.rule {
                Rule::AtMost { threshold, missing_left } => {
                    turn = u8::from(missing_left);
                    at_most = code(node.feature, threshold) + turn;
                }
                Rule::In { set } => {
                    is_set = true;
                    self.sets.resize(self.nodes.len(), CodeSet::default());
                    self.sets.push(set);
                }
            }
            let children = [child(node.right), child(node.left)];
            self.nodes.push(Node { children, feature: place(node.feature), at_most, turn, is_set });
        }
        self.leaves.extend_from_slice(&tree.leaves);
        let start = if tree.nodes.is_empty() { first_leaf | LEAF } else { first_node };
        self.trees.push(Root { start, output: output as u32 });
    }

    /// What a tree adds for one row, whose codes `code` gives by place.
    pub fn value(&self, tree: usize, code: impl Fn(u32) -> u8) -> f64 {
        let mut at = self.trees[tree].start;
        while at & LEAF == 0 {
            at = self.step(at, &code);
        }
        self.leaves[(at & !LEAF) as usize]
    }

    #[inline(always)]
    fn step(&self, at: u32, code: impl Fn(u32) -> u8) -> u32 {
        let node = &self.nodes[at as usize];
        let code = code(node.feature);
        let goes_left = if node.is_set {
            contains(&self.sets[at as usize], code)
        } else {
            code.wrapping_add(node.turn) <= node.at_most
        };
        node.children[usize::from(goes_left)]
    }

    /// Adds all trees to the scores of these rows: `codes` has `width` codes for each of them, `scores` one list for
    /// each output.
    pub fn add_scores(&self, codes: &[u8], width: usize, rows: Range<usize>, scores: &mut [Vec<f64>]) {
        for root in &self.trees {
            let scores = &mut scores[root.output as usize][rows.clone()];
            let (blocks, rest) = scores.as_chunks_mut::<ABREAST>();
            for (block, scores) in blocks.iter_mut().enumerate() {
                let codes = &codes[block * ABREAST * width..(block + 1) * ABREAST * width];
                let leaves = self.walk_abreast(root.start, codes, width);
                scores.iter_mut().zip(leaves).for_each(|(score, leaf)| *score += self.leaves[leaf as usize]);
            }
            let done = blocks.len() * ABREAST;
            for (row, score) in rest.iter_mut().enumerate() {
                let codes = &codes[(done + row) * width..][..width];
                let mut at = root.start;
                while at & LEAF == 0 {
                    at = self.step(at, |place| codes[place as usize]);
                }
                *score += self.leaves[(at & !LEAF) as usize];
            }
        }
    }

    fn walk_abreast(&self, start: u32, codes: &[u8], width: usize) -> [u32; ABREAST] {
        let mut at = [start; ABREAST];
        loop {
            let mut all = LEAF;
            for (row, at) in at.iter_mut().enumerate() {
                if *at & LEAF == 0 {
                    *at = self.step(*at, |place| codes[row * width + place as usize]);
                }
                all &= *at;
            }
            if all & LEAF != 0 {
                return at.map(|at| at & !LEAF);
            }
        }
    }
}

/// Whether a row's code goes left at a node of a tree, given the code of the node's threshold.
pub fn goes_left(rule: &Rule, threshold: u8, code: u8) -> bool {
    match rule {
        Rule::AtMost { missing_left, .. } if code == MISSING => *missing_left,
        Rule::AtMost { .. } => code <= threshold,
        Rule::In { set } => contains(set, code),
    }
}
