//! One tree of XGBoost: parallel lists with an entry for each node.

use super::{index, numbers, whole};
use crate::document::Value;
use crate::ensemble::Problem;
use crate::forest::{Forest, Missing, Source};

/// Categories are `f32` in XGBoost and whole up to here.
const MOST_CATEGORIES: usize = 1 << 24;

struct Tree {
    children: [Vec<f64>; 2],
    feature: Vec<f64>,
    /// A threshold, or a leaf's value.
    condition: Vec<f64>,
    default_left: Vec<f64>,
    /// 1 for categories; empty in files without them.
    kind: Vec<f64>,
    sets: Sets,
    weight: f32,
}

/// Adds a tree whose leaves are multiplied by `weight`.
pub fn add(tree: &Value, group: usize, weight: f32, forest: &mut Forest) -> Result<(), Problem> {
    let parameters = tree.at(&["tree_param"])?;
    if parameters.get("size_leaf_vector").is_some() && whole(parameters, "size_leaf_vector")? > 1 {
        return Err("trees with several targets are not supported".to_owned());
    }
    let tree = Tree {
        children: [numbers(tree, "left_children")?, numbers(tree, "right_children")?],
        feature: numbers(tree, "split_indices")?,
        condition: numbers(tree, "split_conditions")?,
        default_left: numbers(tree, "default_left")?,
        kind: tree.get("split_type").map_or(Ok(Vec::new()), |_| numbers(tree, "split_type"))?,
        sets: Sets::read(tree)?,
        weight,
    };
    let count = tree.children[0].len();
    let lists = [&tree.children[1], &tree.feature, &tree.condition, &tree.default_left];
    let kinds_fit = tree.kind.is_empty() || tree.kind.len() == count;
    if lists.iter().any(|list| list.len() != count) || !kinds_fit {
        return Err("the lists of its nodes are not equally long".to_owned());
    }
    forest.add_tree(group, count, 0, |node| tree.node(node))
}

impl Tree {
    fn node(&self, node: usize) -> Result<Source, Problem> {
        let children = self.children.each_ref().map(|children| children[node]);
        let condition = self.condition[node] as f32;
        if children == [-1.0, -1.0] {
            return Ok(Source::Leaf(f64::from(condition * self.weight)));
        }
        let [left, right] = children.map(index);
        let children = [left, right].map(|child| child.ok_or("a child is no node's number".to_owned()));
        let children = match children {
            [Ok(left), Ok(right)] => [left, right],
            [Err(problem), _] | [_, Err(problem)] => return Err(problem),
        };
        let feature = index(self.feature[node]).ok_or("its feature is no whole number")?;
        let missing_left = self.default_left[node] != 0.0;
        if self.kind.get(node) == Some(&1.0) {
            // Categories of the set go right, and what is no category goes left.
            let set = self.sets.of(node)?;
            let (set_goes_left, no_category_left) = (false, true);
            return Ok(Source::Category { feature, set, set_goes_left, missing_left, no_category_left, children });
        }
        // Left is `value < condition`; of `f32` values that is: at most the number before it.
        let at_most = if condition == f32::NEG_INFINITY {
            return Err("its threshold is -inf".to_owned());
        } else {
            condition.next_down()
        };
        Ok(Source::Number { feature, at_most: f64::from(at_most), missing: Missing::NaN, missing_left, children })
    }
}

/// The categories of all nodes, one after the other.
struct Sets {
    categories: Vec<f64>,
    /// Node, start, length; by node.
    parts: Vec<(usize, usize, usize)>,
}

impl Sets {
    fn read(tree: &Value) -> Result<Self, Problem> {
        let list = |key| tree.get(key).map_or(Ok(Vec::new()), |_| numbers(tree, key));
        let (nodes, starts, lengths) =
            (list("categories_nodes")?, list("categories_segments")?, list("categories_sizes")?);
        if nodes.len() != starts.len() || nodes.len() != lengths.len() {
            return Err("the lists of its categories are not equally long".to_owned());
        }
        let part =
            |((&node, &start), &length): ((&f64, &f64), &f64)| Some((index(node)?, index(start)?, index(length)?));
        let parts: Option<Vec<_>> = nodes.iter().zip(&starts).zip(&lengths).map(part).collect();
        let mut parts = parts.ok_or("the lists of its categories hold other than whole numbers")?;
        parts.sort_unstable();
        Ok(Self { categories: list("categories")?, parts })
    }

    /// The bits of a node's categories.
    fn of(&self, node: usize) -> Result<Vec<u32>, Problem> {
        let place = self.parts.binary_search_by_key(&node, |part| part.0).map_err(|_| "it has no categories")?;
        let (_, start, length) = self.parts[place];
        let categories = start.checked_add(length).and_then(|end| self.categories.get(start..end));
        let categories = categories.ok_or("its categories lie outside the list of categories")?;
        let mut words = Vec::new();
        for &category in categories {
            let category = index(category).filter(|&category| category < MOST_CATEGORIES);
            let category = category.ok_or("one of its categories is out of range")?;
            if category / 32 >= words.len() {
                words.resize(category / 32 + 1, 0_u32);
            }
            words[category / 32] |= 1 << (category % 32);
        }
        Ok(words)
    }
}
