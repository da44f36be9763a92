//! Contributions against the definition of Shapley values, and against the scores that they add up to.

use serde_json::json;
use wasmlops_sdk::testing::{predict, train};

use super::{binary, columns, multiclass, regression};
use crate::model::Model;
use crate::shap::{Explained, Path};
use crate::tree::{Child, Node, Rule, Tree};
use crate::{Gbdt, GbdtPredictor};

#[test]
fn they_add_up_to_the_score() {
    let with = |task: &str| json!({ "task": task, "target": "y", "n_estimators": 15, "contributions": true });
    for (task, table) in
        [("regression", regression(300, 3)), ("binary", binary(300, 3)), ("multiclass", multiclass(300, 3))]
    {
        let bytes = train::<Gbdt>(with(task), table, None).unwrap();
        let rows = regression(40, 4);
        let predictions = predict::<GbdtPredictor>(&bytes, &rows).unwrap();
        let names: Vec<String> = predictions.schema().names().map(str::to_owned).collect();
        let columns = columns(&predictions);
        let sum = |row: usize, start: &str| -> f64 {
            let ours = names.iter().zip(&columns).filter(|(name, _)| name.starts_with(start));
            ours.map(|(_, column)| column.number(row).unwrap()).sum()
        };
        for row in 0..40 {
            match task {
                "regression" => {
                    assert!((sum(row, "contribution.") - columns[0].number(row).unwrap()).abs() < 1e-9);
                }
                "binary" => {
                    let [first, second] = [1, 2].map(|at: usize| columns[at].number(row).unwrap());
                    assert!((sum(row, "contribution.") - (second / first).ln()).abs() < 1e-9);
                }
                _ => {
                    let scores = [0, 1, 2].map(|class| sum(row, &format!("contribution.{class}.")));
                    let ratio = columns[1].number(row).unwrap() / columns[3].number(row).unwrap();
                    assert!((scores[0] - scores[2] - ratio.ln()).abs() < 1e-9);
                }
            }
        }
    }
}

/// The mean of the tree where only the features in `known` are known.
fn expected(tree: &Tree, child: Child, known: usize, goes_left: &dyn Fn(usize) -> bool) -> f64 {
    let at = match child {
        Child::Leaf(leaf) => return tree.leaves[leaf as usize],
        Child::Node(at) => at as usize,
    };
    let node = &tree.nodes[at];
    let value = |child| expected(tree, child, known, goes_left);
    if known >> node.feature & 1 == 1 {
        return value(if goes_left(at) { node.left } else { node.right });
    }
    let (left, right) = (count(tree, node.left), count(tree, node.right));
    (left * value(node.left) + right * value(node.right)) / (left + right)
}

fn count(tree: &Tree, child: Child) -> f64 {
    match child {
        Child::Leaf(leaf) => tree.rows[leaf as usize] as f64,
        Child::Node(at) => count(tree, tree.nodes[at as usize].left) + count(tree, tree.nodes[at as usize].right),
    }
}

fn factorial(number: usize) -> f64 {
    (1..=number).map(|factor| factor as f64).product()
}

#[test]
fn they_are_shapley_values() {
    const FEATURES: usize = 4;
    let with = json!({ "task": "regression", "target": "y", "n_estimators": 6, "num_leaves": 12 });
    let model = Model::from_bytes(&train::<Gbdt>(with, regression(400, 5), None).unwrap()).unwrap();
    for (number, tree) in model.trees.iter().enumerate() {
        let explained = Explained::new(tree.clone()).unwrap();
        for pattern in 0..50_u64 {
            // Any answers will do, so long as they do not change.
            let goes_left = |node: usize| {
                (pattern * 7919 + node as u64 * 104_729 + number as u64).wrapping_mul(0x9e37_79b9_7f4a_7c15) >> 63 == 1
            };
            let mut found = [0.0; FEATURES];
            explained.add(&goes_left, &mut Path::default(), &mut found);
            for (feature, found) in found.iter().enumerate() {
                let mut value = 0.0;
                for known in (0..1_usize << FEATURES).filter(|known| known >> feature & 1 == 0) {
                    let size = known.count_ones() as usize;
                    let weight = factorial(size) * factorial(FEATURES - size - 1) / factorial(FEATURES);
                    let of = |known| expected(tree, Child::Node(0), known, &goes_left);
                    value += weight * (of(known | 1 << feature) - of(known));
                }
                assert!((found - value).abs() < 1e-10, "tree {number}, feature {feature}: {found} and {value}");
            }
        }
    }
}

#[test]
fn names_that_would_be_the_same_are_refused() {
    let table = regression(50, 1);
    let [a, b, _, _, y] = columns(&table).try_into().unwrap();
    let rows = wasmlops_sdk::Table::from_columns([("a", a), ("bias", b), ("y", y)]);
    let with = json!({ "task": "regression", "target": "y", "contributions": true });
    let error = train::<Gbdt>(with, rows, None).unwrap_err();
    assert_eq!(error.field.as_deref(), Some("contributions"));
}

#[test]
fn too_deep_a_tree_is_refused() {
    let depth = 600;
    let rule = Rule::AtMost { threshold: 0.0, missing_left: true };
    let node = |at: u32| {
        let right = if at + 1 == depth { Child::Leaf(depth) } else { Child::Node(at + 1) };
        Node { feature: 0, rule, left: Child::Leaf(at), right, gain: 1.0 }
    };
    let nodes = (0..depth).map(node).collect();
    let tree = Tree { nodes, leaves: vec![0.0; depth as usize + 1], rows: vec![1; depth as usize + 1] };
    assert!(Explained::new(tree).err().unwrap().message.contains("600 splits deep"));
}
