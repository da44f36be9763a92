//! Trees in one flat array: a node's child for `true` stands right behind it and every child behind its parent, so that
//! a walk always ends. Indexes are checked once, here.

use std::collections::HashMap;

use crate::model::Node as Attributes;
use crate::protobuf::Problem;

/// How the leaves of all trees become one number.
#[derive(Clone, Copy, PartialEq, Eq, Debug)]
pub enum Aggregate {
    Sum,
    Average,
    Least,
    Most,
}

#[derive(Clone, Copy, PartialEq, Eq, Debug)]
enum Mode {
    AtMost,
    Below,
    AtLeast,
    Above,
    Equal,
    Unequal,
    Leaf,
}

#[derive(Clone, Copy, Debug)]
struct Node {
    mode: Mode,
    /// Where NaN goes if the comparison does not say.
    missing_true: bool,
    feature: u32,
    /// The child for `false`; of a leaf the end of its weights.
    otherwise: u32,
    /// Of a leaf the start of its weights.
    start: u32,
    value: f64,
}

#[derive(Debug)]
pub struct Forest {
    nodes: Vec<Node>,
    roots: Vec<u32>,
    /// Target and weight.
    weights: Vec<(u32, f64)>,
    /// One more than the largest feature that is asked for.
    features: usize,
}

/// The parallel lists of the attributes.
struct Lists<'a> {
    modes: &'a [String],
    features: &'a [i64],
    values: Vec<f64>,
    trees: &'a [i64],
    ids: &'a [i64],
    children: [&'a [i64]; 2],
    missing_true: &'a [i64],
}

impl Forest {
    /// `part` is `class` or `target`: what the leaves' weights are for.
    ///
    /// Errors: lists of different lengths, indexes out of range, nodes that several ways lead to.
    pub fn of(node: &Attributes, part: &str, targets: usize) -> Result<Self, Problem> {
        let lists = Lists {
            modes: node.texts("nodes_modes"),
            features: node.wholes("nodes_featureids"),
            values: node.numbers("nodes_values")?,
            trees: node.wholes("nodes_treeids"),
            ids: node.wholes("nodes_nodeids"),
            children: [node.wholes("nodes_truenodeids"), node.wholes("nodes_falsenodeids")],
            missing_true: node.wholes("nodes_missing_value_tracks_true"),
        };
        lists.check()?;
        if targets == 0 {
            return Err("it has no targets".to_owned());
        }
        let leaves = leaves(node, part, targets, &lists)?;
        let mut forest = Self { nodes: Vec::new(), roots: Vec::new(), weights: Vec::new(), features: 0 };
        forest.lay_out(&lists, &leaves)?;
        Ok(forest)
    }

    fn lay_out(&mut self, lists: &Lists, leaves: &HashMap<usize, Vec<(u32, f64)>>) -> Result<(), Problem> {
        let count = lists.ids.len();
        let places = lists.places()?;
        let mut seen = vec![false; count];
        let mut tree = None;
        for start in 0..count {
            // The first node of each tree is its root.
            if tree == Some(lists.trees[start]) {
                continue;
            }
            tree = Some(lists.trees[start]);
            if seen[start] {
                return Err(format!("tree {}: its nodes do not stand together", lists.trees[start]));
            }
            self.roots.push(self.nodes.len() as u32);
            // A node that is still to be laid out, and the node whose child for `false` it is.
            let mut open = vec![(start, None)];
            while let Some((number, parent)) = open.pop() {
                let wrong =
                    |problem: &str| format!("tree {}, node {}: {problem}", lists.trees[number], lists.ids[number]);
                if std::mem::replace(&mut seen[number], true) {
                    return Err(wrong("several ways lead to it"));
                }
                let index = self.nodes.len();
                if let Some(parent) = parent {
                    let parent: &mut Node = &mut self.nodes[parent];
                    parent.otherwise = index as u32;
                }
                let node = self.node(lists, number, leaves).map_err(|problem| wrong(&problem))?;
                self.nodes.push(node);
                if node.mode == Mode::Leaf {
                    continue;
                }
                for (child, parent) in [(1, Some(index)), (0, None)] {
                    let key = (lists.trees[number], lists.children[child][number]);
                    let place = places.get(&key).ok_or_else(|| wrong("its child does not exist"))?;
                    open.push((*place, parent));
                }
            }
        }
        if self.roots.is_empty() { Err("it has no trees".to_owned()) } else { Ok(()) }
    }

    fn node(
        &mut self,
        lists: &Lists,
        number: usize,
        leaves: &HashMap<usize, Vec<(u32, f64)>>,
    ) -> Result<Node, Problem> {
        let mode = match lists.modes[number].as_str() {
            "BRANCH_LEQ" => Mode::AtMost,
            "BRANCH_LT" => Mode::Below,
            "BRANCH_GTE" => Mode::AtLeast,
            "BRANCH_GT" => Mode::Above,
            "BRANCH_EQ" => Mode::Equal,
            "BRANCH_NEQ" => Mode::Unequal,
            "LEAF" => Mode::Leaf,
            _ => return Err("its mode is not supported".to_owned()),
        };
        if mode == Mode::Leaf {
            let start = self.weights.len() as u32;
            self.weights.extend(leaves.get(&number).into_iter().flatten());
            let otherwise = self.weights.len() as u32;
            return Ok(Node { mode, missing_true: false, feature: 0, otherwise, start, value: 0.0 });
        }
        let feature = u32::try_from(lists.features[number]).map_err(|_| "its feature is below 0 or too large")?;
        self.features = self.features.max(feature as usize + 1);
        let missing_true = lists.missing_true.get(number).is_some_and(|&on| on != 0);
        Ok(Node { mode, missing_true, feature, otherwise: 0, start: 0, value: lists.values[number] })
    }

    /// Whether rows have enough features; before [`Forest::score`].
    pub fn check(&self, features: usize) -> Result<(), Problem> {
        if self.features <= features {
            Ok(())
        } else {
            Err(format!("its trees ask for feature {}, and there are {features}", self.features - 1))
        }
    }

    /// The target that all weights are for, if it is one.
    pub fn only_target(&self) -> Option<usize> {
        let first = self.weights.first()?.0;
        self.weights.iter().all(|(target, _)| *target == first).then_some(first as usize)
    }

    pub fn no_weight_below_zero(&self) -> bool {
        self.weights.iter().all(|(_, weight)| *weight >= 0.0)
    }

    /// Puts each target's number into `sums`, which are 0.
    pub fn score(&self, row: &[f64], aggregate: Aggregate, sums: &mut [f64]) {
        let mut seen =
            vec![false; if matches!(aggregate, Aggregate::Least | Aggregate::Most) { sums.len() } else { 0 }];
        for &root in &self.roots {
            let leaf = self.leaf(root as usize, row);
            for &(target, weight) in &self.weights[leaf.start as usize..leaf.otherwise as usize] {
                let target = target as usize;
                let sum = &mut sums[target];
                *sum = match aggregate {
                    Aggregate::Sum | Aggregate::Average => *sum + weight,
                    _ if !std::mem::replace(&mut seen[target], true) => weight,
                    Aggregate::Least => sum.min(weight),
                    Aggregate::Most => sum.max(weight),
                };
            }
        }
        if aggregate == Aggregate::Average {
            sums.iter_mut().for_each(|sum| *sum /= self.roots.len() as f64);
        }
    }

    fn leaf(&self, root: usize, row: &[f64]) -> &Node {
        let mut index = root;
        loop {
            let node = &self.nodes[index];
            if node.mode == Mode::Leaf {
                return node;
            }
            let value = row[node.feature as usize];
            let truth = match node.mode {
                Mode::AtMost => value <= node.value,
                Mode::Below => value < node.value,
                Mode::AtLeast => value >= node.value,
                Mode::Above => value > node.value,
                Mode::Equal => value == node.value,
                Mode::Unequal | Mode::Leaf => value != node.value,
            };
            index = if truth || (node.missing_true && value.is_nan()) { index + 1 } else { node.otherwise as usize };
        }
    }
}

impl Lists<'_> {
    fn check(&self) -> Result<(), Problem> {
        let count = self.ids.len();
        let lengths = [
            self.modes.len(),
            self.features.len(),
            self.values.len(),
            self.trees.len(),
            self.children[0].len(),
            self.children[1].len(),
        ];
        let missing_fits = self.missing_true.is_empty() || self.missing_true.len() == count;
        if lengths.iter().any(|&length| length != count) || !missing_fits {
            return Err("the lists of its nodes are not equally long".to_owned());
        }
        if u32::try_from(count).is_err() { Err("it has too many nodes".to_owned()) } else { Ok(()) }
    }

    /// Where each tree's nodes stand.
    fn places(&self) -> Result<HashMap<(i64, i64), usize>, Problem> {
        let mut places = HashMap::with_capacity(self.ids.len());
        for (place, key) in self.trees.iter().copied().zip(self.ids.iter().copied()).enumerate() {
            if places.insert(key, place).is_some() {
                return Err(format!("tree {} has node {} twice", key.0, key.1));
            }
        }
        Ok(places)
    }
}

/// The targets and weights of each leaf, by the leaf's place.
fn leaves(
    node: &Attributes,
    part: &str,
    targets: usize,
    lists: &Lists,
) -> Result<HashMap<usize, Vec<(u32, f64)>>, Problem> {
    let list = |name: &str| node.wholes(&format!("{part}_{name}"));
    let (trees, ids, of) = (list("treeids"), list("nodeids"), list("ids"));
    let weights = node.numbers(&format!("{part}_weights"))?;
    if [ids.len(), of.len(), weights.len()] != [trees.len(); 3] {
        return Err("the lists of its leaves are not equally long".to_owned());
    }
    let places = lists.places()?;
    let mut leaves: HashMap<usize, Vec<(u32, f64)>> = HashMap::new();
    for (number, &weight) in weights.iter().enumerate() {
        let place = places.get(&(trees[number], ids[number]));
        let target = usize::try_from(of[number]).ok().filter(|&target| target < targets);
        let (Some(&place), Some(target)) = (place, target) else {
            return Err(format!("weight {number} is for a node or target that does not exist"));
        };
        if !weight.is_finite() {
            return Err(format!("weight {number} is `{weight}`"));
        }
        leaves.entry(place).or_default().push((target as u32, weight));
    }
    Ok(leaves)
}
