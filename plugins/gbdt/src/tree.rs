//! One tree as it is learned and kept.

/// A node's child: another node, or a leaf.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Child {
    Node(u32),
    Leaf(u32),
}

/// What sends a row to the left.
#[derive(Clone, Copy, Debug, PartialEq)]
pub enum Rule {
    /// A number up to `threshold`.
    AtMost { threshold: f64, missing_left: bool },
    /// A category whose code is in the set; bit 255 speaks for missing values.
    In { set: CodeSet },
}

/// A set of codes, the lowest bit of the first word first.
pub type CodeSet = [u64; 4];

/// Whether a code is in a set.
#[inline]
pub fn contains(set: &CodeSet, code: u8) -> bool {
    set[usize::from(code / 64)] >> (code % 64) & 1 == 1
}

/// Puts a code into a set.
pub fn insert(set: &mut CodeSet, code: u8) {
    set[usize::from(code / 64)] |= 1 << (code % 64);
}

/// A split.
#[derive(Clone, Copy, Debug, PartialEq)]
pub struct Node {
    /// The feature's place among the model's features.
    pub feature: u32,
    pub rule: Rule,
    pub left: Child,
    pub right: Child,
    /// How much the split lowered the objective, twice.
    pub gain: f64,
}

/// Nodes, the root first and every child behind its parent; a tree without nodes is one leaf.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Tree {
    pub nodes: Vec<Node>,
    /// What each leaf adds to a row's score.
    pub leaves: Vec<f64>,
    /// How many of the rows that the tree learned from ended in each leaf.
    pub rows: Vec<u64>,
}
