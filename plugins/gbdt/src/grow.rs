//! Grows one tree on the gradients of a round. The door is [`Grower::grow`].
//!
//! A leaf's rows lie side by side in one array. Only the smaller child of a split adds up its rows; the larger one's
//! histogram is its parent's less its sibling's (Ke et al., "LightGBM", NIPS 2017).

use std::ops::Range;

use crate::bins::Bins;
use crate::codes::Coder;
use crate::config::Growth;
use crate::histogram::{Active, Pool};
use crate::kernels::{LANES, MISSING, Pair, partition};
use crate::split::{Limits, Search, Split, Test, leaf_value};
use crate::tree::{Child, Node, Rule, Tree, contains};

/// How far a tree grows.
#[derive(Clone, Debug)]
pub struct Shape {
    pub limits: Limits,
    pub most_leaves: usize,
    /// The most splits above a leaf.
    pub most_depth: usize,
    pub growth: Growth,
}

/// What growing needs, kept from tree to tree.
pub struct Grower<'a> {
    bins: &'a Bins,
    coders: &'a [Coder],
    shape: &'a Shape,
    pool: Pool,
    /// The rows that the tree learns from, leaf by leaf.
    rows: Vec<u32>,
    spare: Vec<u32>,
    leaves: Vec<Leaf>,
    tree: Tree,
}

struct Leaf {
    rows: Range<usize>,
    depth: usize,
    sums: Pair,
    lambda: f64,
    /// Its histogram in the pool.
    slot: Option<usize>,
    split: Option<Split>,
    /// The node above and whether the leaf is its right child.
    parent: Option<(usize, bool)>,
}

impl<'a> Grower<'a> {
    pub fn new(bins: &'a Bins, coders: &'a [Coder], shape: &'a Shape) -> Self {
        let pool = Pool::new(bins.groups.len());
        Self {
            bins,
            coders,
            shape,
            pool,
            rows: Vec::with_capacity(bins.rows),
            spare: vec![0; bins.rows],
            leaves: Vec::new(),
            tree: Tree::default(),
        }
    }

    /// Grows a tree on the rows given, or on all. `pairs` are the derivatives of all rows.
    pub fn grow(&mut self, pairs: &[Pair], rows: Option<&[u32]>, active: &Active) -> Tree {
        self.rows.clear();
        match rows {
            Some(rows) => self.rows.extend_from_slice(rows),
            None => self.rows.extend(0..self.bins.rows as u32),
        }
        self.plant(pairs, active);
        while self.leaves.len() < self.shape.most_leaves {
            let Some(leaf) = self.next_leaf() else { break };
            self.split(leaf, pairs, active);
        }
        for leaf in &mut self.leaves {
            if let Some(slot) = leaf.slot.take() {
                self.pool.give_back(slot);
            }
            self.tree.leaves.push(leaf_value(leaf.sums, self.shape.limits.alpha, leaf.lambda));
            self.tree.rows.push(leaf.rows.len() as u64);
        }
        std::mem::take(&mut self.tree)
    }

    /// The rows of each leaf of the last tree.
    pub fn leaf_rows(&self) -> impl Iterator<Item = &[u32]> {
        self.leaves.iter().map(|leaf| &self.rows[leaf.rows.clone()])
    }

    fn plant(&mut self, pairs: &[Pair], active: &Active) {
        let sums = self.rows.iter().fold(Pair::default(), |sums, &row| sums + pairs[row as usize]);
        self.leaves.clear();
        let lambda = self.shape.limits.lambda;
        let rows = 0..self.rows.len();
        self.leaves.push(Leaf { rows, depth: 0, sums, lambda, slot: None, split: None, parent: None });
        if self.can_split(0) {
            self.build(0, pairs, active);
            self.search(0, active);
        }
    }

    fn can_split(&self, leaf: usize) -> bool {
        let (leaf, limits) = (&self.leaves[leaf], &self.shape.limits);
        leaf.depth < self.shape.most_depth
            && leaf.rows.len() as f64 >= 2.0 * limits.min_rows
            && leaf.sums.hessian >= 2.0 * limits.min_hessian
    }

    /// The leaf to split next, of equals the first.
    fn next_leaf(&self) -> Option<usize> {
        let candidates =
            self.leaves.iter().enumerate().filter_map(|(at, leaf)| Some((at, leaf.depth, leaf.split?.gain)));
        let (at, ..) = candidates.reduce(|best, next| {
            let is_better = match self.shape.growth {
                Growth::Leaf => next.2 > best.2,
                Growth::Depth => next.1 < best.1 || (next.1 == best.1 && next.2 > best.2),
            };
            if is_better { next } else { best }
        })?;
        Some(at)
    }

    fn split(&mut self, left: usize, pairs: &[Pair], active: &Active) {
        let Some(split) = self.leaves[left].split.take() else { return };
        let range = self.leaves[left].rows.clone();
        let kept = self.part_rows(range.clone(), &split);
        if kept == 0 || kept == range.len() {
            // The histogram's rounding promised rows where there are none.
            if let Some(slot) = self.leaves[left].slot.take() {
                self.pool.give_back(slot);
            }
            return;
        }
        let (node, right) = (self.tree.nodes.len(), self.leaves.len());
        self.tree.nodes.push(self.node(&split, left, right));
        if let Some((above, is_right)) = self.leaves[left].parent {
            let parent = &mut self.tree.nodes[above];
            *(if is_right { &mut parent.right } else { &mut parent.left }) = Child::Node(node as u32);
        }
        let (middle, depth, slot) = (range.start + kept, self.leaves[left].depth + 1, self.leaves[left].slot.take());
        let leaf = |rows, sums, is_right| Leaf {
            rows,
            depth,
            sums,
            lambda: split.lambda,
            slot: None,
            split: None,
            parent: Some((node, is_right)),
        };
        self.leaves[left] = leaf(range.start..middle, split.left, false);
        self.leaves.push(leaf(middle..range.end, split.right, true));
        if self.leaves.len() < self.shape.most_leaves {
            self.look_at_children(left, right, slot, pairs, active);
        } else if let Some(slot) = slot {
            self.pool.give_back(slot);
        }
    }

    fn look_at_children(&mut self, left: usize, right: usize, slot: Option<usize>, pairs: &[Pair], active: &Active) {
        let both = [left, right];
        let open: Vec<usize> = both.into_iter().filter(|&leaf| self.can_split(leaf)).collect();
        let is_right_smaller = self.leaves[right].rows.len() < self.leaves[left].rows.len();
        let (smaller, larger) = if is_right_smaller { (right, left) } else { (left, right) };
        match slot {
            Some(slot) if open.is_empty() => self.pool.give_back(slot),
            Some(slot) => {
                // The parent's histogram becomes the larger child's.
                self.leaves[larger].slot = Some(slot);
                self.build(smaller, pairs, active);
                if let Some(part) = self.leaves[smaller].slot {
                    self.pool.subtract(slot, part, self.bins, active);
                }
            }
            None => open.iter().for_each(|&leaf| self.build(leaf, pairs, active)),
        }
        open.into_iter().for_each(|leaf| self.search(leaf, active));
        for leaf in both {
            let leaf = &mut self.leaves[leaf];
            if let Some(slot) = leaf.slot.take_if(|_| leaf.split.is_none()) {
                self.pool.give_back(slot);
            }
        }
    }

    fn build(&mut self, leaf: usize, pairs: &[Pair], active: &Active) {
        let slot = match self.pool.take() {
            Some(slot) => slot,
            None => self.take_from_the_least(leaf),
        };
        self.pool.build(slot, self.bins, active, &self.rows[self.leaves[leaf].rows.clone()], pairs);
        self.leaves[leaf].slot = Some(slot);
    }

    /// The slot of the leaf that gains the least by its split: it will probably not be split, and else adds up its
    /// children's rows.
    fn take_from_the_least(&mut self, but: usize) -> usize {
        let gain = |leaf: &Leaf| leaf.split.map(|split| split.gain);
        let held = self
            .leaves
            .iter()
            .enumerate()
            .filter(|(at, leaf)| *at != but && leaf.slot.is_some() && leaf.split.is_some());
        let least = held.reduce(|least, next| if gain(next.1) < gain(least.1) { next } else { least });
        let at = least.expect("of at least four slots, at most two are those of leaves without a split").0;
        self.leaves[at].slot.take().expect("it was filtered for its slot")
    }

    fn search(&mut self, leaf: usize, active: &Active) {
        let Leaf { sums, slot, ref rows, .. } = self.leaves[leaf];
        let Some(slot) = slot else { return };
        let search = Search::new(&self.shape.limits, sums, rows.len());
        self.leaves[leaf].split = search.best(&self.bins.features, &active.features, self.pool.get(slot));
    }

    fn part_rows(&mut self, range: Range<usize>, split: &Split) -> usize {
        let (group, lane) = (split.feature / LANES, split.feature % LANES);
        let (rows, words) = (&mut self.rows[range], &self.bins.groups[group]);
        match split.test {
            // A missing value's code is above all others; one more makes it the first.
            Test::AtMost { code, missing_left: true } => {
                partition(rows, &mut self.spare, words, lane, |found| found.wrapping_add(1) <= code + 1)
            }
            Test::AtMost { code, missing_left: false } => {
                partition(rows, &mut self.spare, words, lane, |found| found <= code)
            }
            Test::In { set } => partition(rows, &mut self.spare, words, lane, |found| contains(&set, found)),
        }
    }

    fn node(&self, split: &Split, left: usize, right: usize) -> Node {
        let rule = match (split.test, &self.coders[split.feature]) {
            (Test::AtMost { code, missing_left }, Coder::Number { bounds }) => {
                debug_assert!(code < MISSING);
                // After the last bin only missing values are left.
                let threshold = bounds.as_slice().get(usize::from(code)).copied().unwrap_or(f64::INFINITY);
                Rule::AtMost { threshold, missing_left }
            }
            (Test::AtMost { .. }, Coder::Text { .. }) => unreachable!("text is split by sets"),
            (Test::In { set }, _) => Rule::In { set },
        };
        let (left, right) = (Child::Leaf(left as u32), Child::Leaf(right as u32));
        Node { feature: split.feature as u32, rule, left, right, gain: split.gain }
    }
}
