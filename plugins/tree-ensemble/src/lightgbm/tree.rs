//! One tree of LightGBM: lists with an entry for each inner node or each leaf. A child below 0 is a leaf: -1 the first.

use super::Section;
use crate::ensemble::Problem;
use crate::forest::{Forest, Missing, Source};

// Bits of `decision_type`.
const CATEGORICAL: u32 = 1;
const DEFAULT_LEFT: u32 = 2;
const MISSING_SHIFT: u32 = 2;

struct Tree {
    inner: usize,
    feature: Vec<usize>,
    threshold: Vec<f64>,
    decision: Vec<u32>,
    children: [Vec<i64>; 2],
    leaves: Vec<f64>,
    /// Where each set of categories starts in `set_words`.
    set_starts: Vec<usize>,
    set_words: Vec<u32>,
}

/// Adds a tree; inner nodes keep their numbers, leaves follow them.
pub fn add(section: &Section, group: usize, forest: &mut Forest) -> Result<(), Problem> {
    let leaves = section.number("num_leaves")?;
    if section.text("is_linear").is_some_and(|linear| linear != "0") {
        return Err("linear trees are not supported".to_owned());
    }
    let leaf_values: Vec<f64> = section.list("leaf_value")?;
    if leaves == 0 || leaf_values.len() != leaves {
        return Err(format!("it has {} values of leaves, and `num_leaves` is {leaves}", leaf_values.len()));
    }
    if leaves == 1 {
        return forest.add_tree(group, 1, 0, |_| Ok(Source::Leaf(leaf_values[0])));
    }
    let with_sets = section.text("num_cat").is_some_and(|count| count != "0");
    let tree = Tree {
        inner: leaves - 1,
        feature: section.list("split_feature")?,
        threshold: section.list("threshold")?,
        decision: section.list("decision_type")?,
        children: [section.list("left_child")?, section.list("right_child")?],
        leaves: leaf_values,
        set_starts: if with_sets { section.list("cat_boundaries")? } else { Vec::new() },
        set_words: if with_sets { section.list("cat_threshold")? } else { Vec::new() },
    };
    let lengths =
        [tree.feature.len(), tree.threshold.len(), tree.decision.len(), tree.children[0].len(), tree.children[1].len()];
    if lengths.iter().any(|&length| length != tree.inner) {
        return Err(format!("the lists of its {} inner nodes are not equally long", tree.inner));
    }
    forest.add_tree(group, tree.inner + leaves, 0, |node| tree.node(node))
}

impl Tree {
    fn node(&self, node: usize) -> Result<Source, Problem> {
        if node >= self.inner {
            return Ok(Source::Leaf(self.leaves[node - self.inner]));
        }
        let children = [self.child(self.children[0][node])?, self.child(self.children[1][node])?];
        let (feature, decision) = (self.feature[node], self.decision[node]);
        if decision & CATEGORICAL != 0 {
            // Everything that is not in the set goes right.
            let (set_goes_left, missing_left, no_category_left) = (true, false, false);
            let set = self.set(self.threshold[node])?;
            return Ok(Source::Category { feature, set, set_goes_left, missing_left, no_category_left, children });
        }
        let missing = match decision >> MISSING_SHIFT {
            0 => Missing::Nothing,
            1 => Missing::Zero,
            2 => Missing::NaN,
            _ => return Err(format!("its `decision_type` is {decision}")),
        };
        let missing_left = decision & DEFAULT_LEFT != 0;
        Ok(Source::Number { feature, at_most: self.threshold[node], missing, missing_left, children })
    }

    fn child(&self, child: i64) -> Result<usize, Problem> {
        let (number, count, start) =
            if child < 0 { (!child, self.leaves.len(), self.inner) } else { (child, self.inner, 0) };
        let number = usize::try_from(number).ok().filter(|&number| number < count);
        number.map(|number| number + start).ok_or_else(|| format!("its child {child} does not exist"))
    }

    /// The bits of a set of categories; a categorical node's threshold is the set's number.
    fn set(&self, number: f64) -> Result<Vec<u32>, Problem> {
        let wrong = || format!("its set of categories {number} does not exist");
        let number =
            if number >= 0.0 && number < self.set_starts.len() as f64 { number as usize } else { return Err(wrong()) };
        let end = self.set_starts.get(number + 1).ok_or_else(wrong)?;
        self.set_words.get(self.set_starts[number]..*end).map(<[u32]>::to_vec).ok_or_else(wrong)
    }
}
